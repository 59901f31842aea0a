// expect: call to unsafe function
// A task keeps the code that it came from: no program can say that it came from elsewhere.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

extern crate alloc;

use alloc::sync::Arc;
use task::{Builder, Origin};

pub fn start() -> Result<(), task::SpawnError> {
    let _used = Arc::new(());
    let builder = Builder::new().name("stays");
    let builder = builder.origin(task_core::OriginCap::new(), Origin::new(task_core::OriginCap::new(), Arc::new(()))); //~ wrong
    builder.spawn(|| ())?.detach();
    Ok(())
}

// expect: `Rc<u64>` cannot be sent between threads safely
// A count without atomic steps is shared by two CPUs.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::rc::Rc; //~ wrong
use alloc::sync::Arc as Rc; //~ right

pub fn run() {
    let count = Rc::new(7_u64);
    let shared = Rc::clone(&count);
    if let Ok(task) = task::spawn("other", move || *shared) { //~ wrong
    if let Ok(task) = task::spawn("other", move || *shared) { //~ right
        task.detach();
    }
}

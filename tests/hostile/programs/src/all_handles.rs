//! Opens one file very often, removes it while it is open, and leaks every second handle.
//!
//! Ends: returns. A removed file goes on for its handles; a leaked handle costs its file and nothing else.

use alloc::vec::Vec;
use core::mem;

use application::{Environment, Failure};
use vfs::File;

const PATH: &str = "/tmp/hostile_handles";
const HANDLES: usize = 20_000;

pub(crate) fn run(environment: &mut Environment) -> Result<(), Failure> {
    File::create(PATH).and_then(|mut file| file.write(b"kept")).map_err(Failure::refused)?;
    let mut handles = Vec::new();
    for number in 0..HANDLES {
        let file = File::open(PATH).map_err(Failure::refused)?;
        if number % 2 == 0 { handles.push(file) } else { mem::forget(file) }
    }
    vfs::remove(PATH).map_err(Failure::refused)?;
    let mut text = [0; 4];
    let last = handles.last_mut().map(|file| file.read(&mut text));
    crate::expect(matches!(last, Some(Ok(4))) && text == *b"kept", "an open file has lost its contents")?;
    drop(handles);
    crate::expect(File::open(PATH).is_err(), "a removed file can be opened")?;
    crate::harmless(environment, format_args!("{HANDLES} handles, half of them leaked"))
}

// expect: borrowed value does not live long enough
// A task keeps a reference to the stack of the task that made it, and outlives it.

#![no_std]
#![forbid(unsafe_code)]

pub fn run() {
    let words = [1_u64; 8];
    let shown = &words; //~ wrong
    let shown = words; //~ right
    if let Ok(task) = task::spawn("late", move || shown[0]) {
        task.detach();
    }
}

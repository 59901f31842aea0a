// expect: no method named `kill` found for struct `TaskRef`
// A view of a task does not end it.

#![no_std]
#![forbid(unsafe_code)]

pub fn run() {
    for task in task::all() {
        task.kill(); //~ wrong
        let _name = task.name(); //~ right
    }
}

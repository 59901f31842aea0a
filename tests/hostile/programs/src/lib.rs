//! `hostile NAME` runs one program of the gallery: each tries one way out of its isolation.
//!
//! To the reader of its output (`tests/system/src/hostile.rs`): a program that survives its attempt writes one line,
//! `harmless: ` and the outcome. A program that succeeds, and so has found a hole, writes `HARM: ` and the outcome. The header
//! of each file says in its line `Ends:` how its program ends; the system goes on in every case.
#![no_std]
#![forbid(unsafe_code)]
#![feature(thread_local)]

extern crate alloc;

mod all_files;
mod all_handles;
mod all_memory;
mod all_readers;
mod boot_again;
mod code_that_stays;
mod deadlock_in_a_circle;
mod deadlock_with_itself;
mod end_in_a_destructor;
mod endless_drop;
mod endless_loop;
mod endless_output;
mod endless_recursion;
mod forged_names;
mod huge_sizes;
mod kill_in_a_lock;
mod lock_for_ever;
mod lost_guards;
mod lost_tasks;
mod moved_lock;
mod odd_channels;
mod one_condition_for_two_locks;
mod panic_in_a_destructor;
mod panic_in_a_message;
mod path_tricks;
mod result_with_a_destructor;
mod spawn_in_a_destructor;
mod spawn_storm;
mod thread_local_again;
mod thread_local_for_ever;
mod timer_storm;
mod unjoined_task;
mod urgent;

use alloc::format;
use core::fmt;

use application::{Environment, ExitCode, Failure, Usage};

/// The attempt of a program.
type Attempt = fn(&mut Environment) -> Result<(), Failure>;

/// All programs, by name.
const PROGRAMS: &[(&str, Attempt)] = &[
    ("all_files", all_files::run),
    ("all_handles", all_handles::run),
    ("all_memory", all_memory::run),
    ("all_readers", all_readers::run),
    ("boot_again", boot_again::run),
    ("code_that_stays", code_that_stays::run),
    ("deadlock_in_a_circle", deadlock_in_a_circle::run),
    ("deadlock_with_itself", deadlock_with_itself::run),
    ("endless_drop", endless_drop::run),
    ("endless_loop", endless_loop::run),
    ("endless_output", endless_output::run),
    ("endless_recursion", endless_recursion::run),
    ("end_in_a_destructor", end_in_a_destructor::run),
    ("forged_names", forged_names::run),
    ("huge_sizes", huge_sizes::run),
    ("kill_in_a_lock", kill_in_a_lock::run),
    ("lock_for_ever", lock_for_ever::run),
    ("lost_guards", lost_guards::run),
    ("lost_tasks", lost_tasks::run),
    ("moved_lock", moved_lock::run),
    ("odd_channels", odd_channels::run),
    ("one_condition_for_two_locks", one_condition_for_two_locks::run),
    ("panic_in_a_destructor", panic_in_a_destructor::run),
    ("panic_in_a_message", panic_in_a_message::run),
    ("path_tricks", path_tricks::run),
    ("result_with_a_destructor", result_with_a_destructor::run),
    ("spawn_in_a_destructor", spawn_in_a_destructor::run),
    ("spawn_storm", spawn_storm::run),
    ("thread_local_again", thread_local_again::run),
    ("thread_local_for_ever", thread_local_for_ever::run),
    ("timer_storm", timer_storm::run),
    ("unjoined_task", unjoined_task::run),
    ("urgent", urgent::run),
];

/// How the application is called.
const USAGE: Usage = Usage("hostile NAME");

/// The entry.
pub fn main(environment: &mut Environment) -> ExitCode {
    let result = match &*environment.arguments() {
        [name] => match PROGRAMS.iter().find(|(program, _)| program == name) {
            Some((_, attempt)) => attempt(environment),
            None => Err(Failure::refused(format!("no program is called '{name}'"))),
        },
        _ => Err(USAGE.into()),
    };
    environment.conclude(result)
}

/// Says that the attempt came to nothing.
fn harmless(environment: &mut Environment, outcome: impl fmt::Display) -> Result<(), Failure> {
    Ok(writeln!(environment, "harmless: {outcome}")?)
}

/// Fails the program unless `so`: the attempt has had an effect.
fn expect(so: bool, harm: impl fmt::Display) -> Result<(), Failure> {
    if so { Ok(()) } else { Err(Failure::refused(format!("HARM: {harm}"))) }
}

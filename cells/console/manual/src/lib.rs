//! How each application is called, in one place: an application refuses wrong arguments with its page's usage, and
//! `help` shows them all.
#![no_std]
#![forbid(unsafe_code)]

use application::Usage;

/// What there is to say about one application.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Its name, which is its cell's, unless a library has that name: then the cell's ends in [`SUFFIX`].
    pub name: &'static str,
    /// How it is called.
    pub usage: Usage,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What its words mean, where that needs saying, in lines; else nothing.
    pub details: &'static str,
}

/// What the cell of an application is called after its name if a library of that name is a cell too.
pub const SUFFIX: &str = "_command";

macro_rules! pages {
    ($($constant:ident: $name:literal $arguments:literal, $summary:literal $(, $details:literal)?;)*) => {
        $(
            #[doc = concat!("`", $name, $arguments, "`: ", $summary)]
            pub const $constant: Page = Page {
                name: $name,
                usage: Usage(concat!($name, $arguments)),
                summary: $summary,
                details: concat!($($details)?),
            };
        )*
        /// All pages, sorted by name.
        pub const PAGES: &[Page] = &[$($constant),*];
    };
}

pages! {
    BENCH: "bench" " [NAME ...]", "measures the operations of the kernel";
    BUSY: "busy" " [SECONDS | aside | locked]", "keeps a processor busy",
        "aside: in a task of its own, which goes on by itself\nlocked: with a lock held";
    CAT: "cat" " [FILE ...]", "writes files, or its input, to its output";
    CELLS: "cells" " [NAME | check | try NAME [cut BYTES | flip BIT]]", "lists the cells, tells all about one, checks the loader, or tries to load an object";
    COUNT: "count" " LAST [MILLISECONDS]", "counts to a number, with a pause before each line";
    CP: "cp" " FROM TO", "copies a file";
    CPUS: "cpus" " [check]", "lists the processors, or checks them";
    DATE: "date" " [SECONDS]", "tells date and time (UTC), once or each second for so long";
    DEPS: "deps" " CELL", "shows whom a cell uses and who uses it";
    ECHO: "echo" " [-n] [WORD ...]", "writes its words, without the end of the line after -n";
    FAULT: "fault" " KIND TASK | fault log | fault check | fault disturb", "makes a fault in a running task, lists the faults so far, or checks recovery",
        "panic: the task panics\n\
        null, gp, div, ud: the processor refuses it a null pointer, a wild address, a division by zero, no instruction\n\
        overflow: it calls itself until its stack is full\n\
        deadlock: it waits for a lock that it holds itself\n\
        oom: it asks for more memory than there is; no other task gets less for that\n\
        check: makes faults of all kinds in tasks of its own; disturb: does so while memory runs out";
    FIRMWARE: "firmware" " [NAME]", "lists the files that the emulator gives, or writes one";
    HELP: "help" " [NAME]", "lists the applications, or explains one";
    KILL: "kill" " TASK", "ends a task";
    LOG: "log" " [LINES]", "shows the kernel's log, or its last lines";
    LS: "ls" " [PATH ...]", "lists directories and files";
    MEM: "mem" " [check | disturb | reclaim]", "shows memory and who holds it, checks it, or asks for spare memory back";
    NS: "ns" " [WORD]", "lists the namespace's symbols, or those with a word in them";
    POWEROFF: "poweroff" "", "turns the machine off";
    PS: "ps" " [check [NAME]]", "lists the tasks, or checks how tasks work";
    REBOOT: "reboot" "", "starts the machine anew";
    RM: "rm" " PATH ...", "removes files and empty directories";
    SWAP: "swap" " [CELL | BUILD | reclaim | check]", "replaces a cell by its alternate and back, lists the builds, or checks swaps";
    TOP: "top" " [SECONDS]", "shows what the processors are busy with";
    TRAFFIC: "traffic" " [SECONDS]", "sends numbered messages through a channel and counts them";
    UPTIME: "uptime" "", "tells how long the system has been running";
}

/// The page of an application.
pub fn page(name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_sorted_and_found() {
        assert!(PAGES.is_sorted_by(|one, other| one.name < other.name));
        assert_eq!(page("kill").map(|page| page.usage), Some(Usage("kill TASK")));
        assert!(page("none").is_none());
    }
}

//! The pages themselves.
use crate::Argument::{Build, Cell, Command, Directory, Fault, Path, Task, Variable, Word};
use crate::{Output, Page, Subject};
use application::Usage;

macro_rules! pages {
    ($($constant:ident: $name:literal $words:literal, $subject:ident, $output:ident, $arguments:expr,
        $summary:literal, $example:literal $(, $details:literal)?;)*) => {
        $(
            #[doc = concat!("`", $name, $words, "`: ", $summary)]
            pub const $constant: Page = Page {
                name: $name,
                usage: Usage(concat!($name, $words)),
                summary: $summary,
                details: concat!($($details)?),
                example: $example,
                subject: Subject::$subject,
                output: Output::$output,
                arguments: $arguments,
            };
        )*
        /// All pages, sorted by name.
        pub const PAGES: &[Page] = &[$($constant),*];
    };
}

pages! {
    BENCH: "bench" " [NAME ...]", System, Direct, &[&[]],
        "measures the operations of the kernel", "bench";
    BUSY: "busy" " [SECONDS | aside | locked]", System, Direct, &[&[Word("aside"), Word("locked")]],
        "keeps a processor busy", "busy 5 &",
        "aside: in a task of its own, which goes on by itself\n\
        locked: with a lock held";
    CAT: "cat" " [FILE ...]", Files, Paged, &[&[Path]],
        "writes files, or its input, to its output", "cat /tmp/notes",
        "-: the input";
    CD: "cd" " [DIRECTORY]", Files, Direct, &[&[Directory], &[]],
        "changes the directory that relative paths begin in", "cd /tmp",
        "without a directory: to the root\n\
        -: to the directory before";
    CELLS: "cells" " [NAME]", Cells, Paged, &[&[Cell], &[]],
        "lists the cells, or tells all about one", "cells heap";
    CLEAR: "clear" "", Shell, Direct, &[],
        "erases the screen", "clear";
    COUNT: "count" " LAST [MILLISECONDS]", Text, Direct, &[&[]],
        "counts to a number, with a pause before each line", "count 3 500";
    CP: "cp" " [-f] FROM ... TO", Files, Direct, &[&[Path]],
        "copies files, to a file or into a directory", "cp /tmp/a /tmp/b",
        "-f: replaces a file that is there";
    CPUS: "cpus" "", System, Paged, &[],
        "lists the processors", "cpus";
    DATE: "date" " [SECONDS]", System, Direct, &[&[]],
        "tells date and time (UTC), once or each second for so long", "date 3";
    DEPS: "deps" " CELL", Cells, Paged, &[&[Cell], &[]],
        "shows the cells that a cell uses and the cells that use it", "deps shell";
    ECHO: "echo" " [-n] [WORD ...]", Text, Direct, &[&[Path]],
        "writes its words", "echo hello > /tmp/notes",
        "-n: without the end of the line";
    ENV: "env" "", Shell, Paged, &[],
        "lists the variables", "env | sort";
    EXPORT: "export" " [NAME | NAME=VALUE] ...", Shell, Direct, &[&[Variable]],
        "gives variables a value; all variables are passed on to applications", "export NAME=value";
    FAULT: "fault" " KIND TASK | fault log", Cells, Paged, &[&[Fault, Word("log")], &[Task], &[]],
        "makes a fault in a running task, or lists the faults so far", "fault null busy",
        "panic: the task panics\n\
        null, gp, div, ud: the processor refuses it a null pointer, a wild address, a division by zero, no instruction\n\
        overflow: it calls itself until its stack is full\n\
        deadlock: it waits for a lock that it holds itself\n\
        oom: it asks for more memory than there is; no other task gets less for that";
    FG: "fg" " [JOB]", Shell, Direct, &[&[]],
        "waits for a job in the background, which Ctrl-C then ends", "fg 1",
        "without a number: for the newest one";
    FIRMWARE: "firmware" " [NAME]", System, Paged, &[&[]],
        "lists the files that the emulator gives, or writes one", "firmware etc/e820";
    GREP: "grep" " [-ivnc] PATTERN [FILE ...]", Text, Paged, &[&[], &[Path]],
        "writes the lines that a pattern is found in", "ps | grep -i 'idle.*0'",
        "PATTERN: a regular expression\n\
        -i: capitals are like small letters\n\
        -v: the other lines\n\
        -n: with their numbers\n\
        -c: only how many";
    HEAD: "head" " [-n LINES] [FILE ...]", Text, Paged, &[&[Path]],
        "writes the first lines, 10 if no number is given", "cells | head -5",
        "-n LINES, or -LINES: so many";
    HELP: "help" " [NAME]", Shell, Paged, &[&[Command], &[]],
        "lists the commands, or explains one", "help fault";
    HEXDUMP: "hexdump" " [FILE ...]", Text, Paged, &[&[Path]],
        "shows bytes as numbers and as characters", "echo hello | hexdump";
    HISTORY: "history" "", Shell, Paged, &[],
        "lists the lines that were typed", "history | tail -5",
        "Ctrl-R finds one of them by a part of it";
    JOBS: "jobs" "", Shell, Paged, &[],
        "lists the jobs in the background", "jobs";
    KILL: "kill" " TASK", System, Direct, &[&[Task], &[]],
        "ends a task", "kill busy",
        "TASK: its number, or its name if no other task has it";
    LESS: "less" " [FILE ...]", Text, Direct, &[&[Path]],
        "shows a text page by page", "cells | less",
        "space, b: a page on, a page back\n\
        Enter, k: a line on, a line back\n\
        g, G: to the beginning, to the end\n\
        q: ends it";
    LOG: "log" " [LINES]", System, Paged, &[&[], &[]],
        "shows the kernel's log, or its last lines", "log 10";
    LS: "ls" " [-l] [PATH ...]", Files, Paged, &[&[Path]],
        "lists directories and files", "ls -l /",
        "-l: a line for each, with kind and size";
    MAN: "man" " NAME", Shell, Paged, &[&[Command], &[]],
        "shows the page of a command", "man swap";
    MEM: "mem" " [reclaim]", System, Paged, &[&[Word("reclaim")], &[]],
        "shows memory and its holders, or asks for spare memory back", "mem";
    MKDIR: "mkdir" " [-p] DIRECTORY ...", Files, Direct, &[&[Path]],
        "makes directories", "mkdir -p /tmp/a/b",
        "-p: with the directories above; one that is there is no refusal";
    MV: "mv" " [-f] FROM ... TO", Files, Direct, &[&[Path]],
        "moves files and directories, to another name or into a directory", "mv /tmp/a /tmp/b",
        "-f: replaces a file that is there";
    NS: "ns" " [WORD]", Cells, Paged, &[&[], &[]],
        "lists the namespace's symbols, or those with a word in them", "ns spawn";
    POWEROFF: "poweroff" "", System, Direct, &[],
        "turns the machine off", "poweroff";
    PS: "ps" "", System, Paged, &[],
        "lists the tasks", "ps";
    PWD: "pwd" "", Files, Direct, &[],
        "tells the directory that relative paths begin in", "pwd";
    REBOOT: "reboot" "", System, Direct, &[],
        "starts the machine anew", "reboot";
    RM: "rm" " [-rf] PATH ...", Files, Direct, &[&[Path]],
        "removes files and empty directories", "rm -r /tmp/old",
        "-r: directories with all that is in them\n\
        -f: a path that names nothing is no refusal";
    SEQ: "seq" " [FIRST [STEP]] LAST", Text, Paged, &[&[]],
        "writes numbers, one to a line", "seq 2 2 10";
    SLEEP: "sleep" " SECONDS", Shell, Direct, &[&[]],
        "waits", "sleep 0.5 ; echo later";
    SORT: "sort" " [-nru] [FILE ...]", Text, Paged, &[&[Path]],
        "sorts lines", "ls -l /tmp | sort -n",
        "-n: by the number that a line begins with\n\
        -r: the other way round\n\
        -u: equal lines once";
    SWAP: "swap" " [CELL | BUILD | reclaim]", Cells, Paged, &[&[Build, Word("reclaim")], &[]],
        "replaces a cell by its alternate and back, or lists the builds", "swap priority";
    TAIL: "tail" " [-n LINES] [FILE ...]", Text, Paged, &[&[Path]],
        "writes the last lines, 10 if no number is given", "log | tail -5",
        "-n LINES, or -LINES: so many";
    TEE: "tee" " [-a] FILE ...", Text, Direct, &[&[Path]],
        "writes its input to files and to its output", "ps | tee /tmp/tasks | wc -l",
        "-a: behind the present contents";
    TIME: "time" " COMMAND ...", Shell, Direct, &[&[Command], &[Path]],
        "carries out a command, with all that it is piped to, and tells how long that took", "time cells | wc";
    TOP: "top" " [SECONDS]", System, Direct, &[&[]],
        "shows what the processors are busy with", "top 3";
    TOUCH: "touch" " FILE ...", Files, Direct, &[&[Path]],
        "makes empty files where there are none", "touch /tmp/new";
    TRAFFIC: "traffic" " [SECONDS]", System, Direct, &[&[]],
        "sends numbered messages through a channel and counts them", "traffic 2";
    UNSET: "unset" " NAME ...", Shell, Direct, &[&[Variable]],
        "takes variables away", "unset NAME";
    UPTIME: "uptime" "", System, Direct, &[],
        "tells how long the system has been running", "uptime";
    WATCH: "watch" " [-n SECONDS] COMMAND ...", Shell, Direct, &[&[Command], &[Path]],
        "carries out a command, with all that it is piped to, again and again until Ctrl-C", "watch ps",
        "-n SECONDS: with such a pause, 2 if no number is given";
    WC: "wc" " [-lwc] [FILE ...]", Text, Direct, &[&[Path]],
        "counts lines, words and bytes", "cat /tmp/notes | wc -l",
        "-l, -w, -c: only lines, words, bytes";
    YES: "yes" " [WORD ...]", Text, Direct, &[&[]],
        "writes its words, or y, again and again", "yes | head -3";
}

//! A line of `fault log`, taken apart.

/// What the fault log says about one fault. A line that lacks any of it is not parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultLine {
    /// Its number since boot.
    pub number: u64,
    /// What it was, in words.
    pub kind: String,
    /// The task's name.
    pub task: String,
    /// The cell to blame.
    pub cell: String,
    /// The function to blame.
    pub function: String,
    /// Where in the function.
    pub offset: u64,
    /// Locks that were released.
    pub released: u64,
    /// Frames that were lost.
    pub lost: u64,
    /// The most bytes that were leaked.
    pub leaked: u64,
    /// What was done.
    pub action: String,
    /// In how many microseconds.
    pub microseconds: u64,
}

impl FaultLine {
    /// `fault N: KIND in task T 'NAME' at CELL: FUNCTION+0xOFFSET; R locks released, F frames lost, B bytes leaked; ended in
    /// U us on cpuC, then ACTION`; without the last part, or with another word than `ended`, that is what was done.
    pub fn parse(line: &str) -> Option<Self> {
        let (number, rest) = line.strip_prefix("fault ")?.split_once(": ")?;
        let (kind, rest) = rest.split_once(" in task ")?;
        let (task, rest) = rest.split_once(" '")?.1.split_once("' at ")?;
        let (place, rest) = rest.split_once("; ")?;
        let (cell, place) = place.split_once(": ")?;
        let (function, offset) = place.rsplit_once("+0x")?;
        let (costs, done) = rest.split_once("; ")?;
        let mut costs = costs.split(", ");
        let mut cost = |what: &str| costs.next()?.strip_suffix(what)?.parse().ok();
        let (done, time) = done.split_once(" in ")?;
        let action = time.split_once(", then ").map_or(done, |(_, then)| then);
        Some(Self {
            number: number.parse().ok()?,
            kind: kind.to_owned(),
            task: task.to_owned(),
            cell: cell.to_owned(),
            function: function.to_owned(),
            offset: u64::from_str_radix(offset, 16).ok()?,
            released: cost(" locks released")?,
            lost: cost(" frames lost")?,
            leaked: cost(" bytes leaked")?,
            action: action.to_owned(),
            microseconds: time.split_once(" us on cpu")?.0.parse().ok()?,
        })
    }
}

/// What the log calls a kind.
pub fn kind_in_words(kind: &str) -> &str {
    match kind {
        "null" => "null pointer access",
        "gp" => "general protection fault",
        "div" => "divide error",
        "ud" => "invalid opcode",
        "overflow" => "stack overflow",
        "oom" => "out of memory",
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "fault 3: null pointer access in task 8 'console' at terminal: terminal::service::serve+0x1d; \
        1 locks released, 2 frames lost, 30 bytes leaked; ended in 1056 us on cpu1, then restarted (2 in a row)";

    #[test]
    fn a_whole_line_is_taken_apart() {
        let line = FaultLine::parse(LINE).expect("whole");
        assert_eq!((line.number, &*line.kind, &*line.task), (3, "null pointer access", "console"));
        assert_eq!((&*line.cell, &*line.function, line.offset), ("terminal", "terminal::service::serve", 0x1d));
        assert_eq!((line.released, line.lost, line.leaked), (1, 2, 30));
        assert_eq!((&*line.action, line.microseconds), ("restarted (2 in a row)", 1056));
    }

    #[test]
    fn what_ended_a_task_is_what_was_done() {
        let line = FaultLine::parse(&LINE.replace(", then restarted (2 in a row)", "")).expect("whole");
        assert_eq!((&*line.action, line.microseconds), ("ended", 1056));
    }

    #[test]
    fn a_bare_address_is_no_place() {
        let bare = LINE.replace("terminal: terminal::service::serve+0x1d", "0xffffffff80001234");
        assert_eq!(FaultLine::parse(&bare), None);
        assert_eq!(FaultLine::parse("1 faults since boot"), None);
    }
}

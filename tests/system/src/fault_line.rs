//! A line of `fault log`, taken apart.

/// What the fault log says about one fault. A line that lacks any of it is not parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FaultLine {
    /// Its number since boot.
    pub(crate) number: u64,
    /// What it was, in words.
    pub(crate) kind: String,
    /// The task's name.
    pub(crate) task: String,
    /// The cell to blame.
    pub(crate) cell: String,
    /// The function to blame.
    pub(crate) function: String,
    /// Where in the function.
    pub(crate) offset: u64,
    /// Locks that were released.
    pub(crate) released: u64,
    /// Frames that were lost.
    pub(crate) lost: u64,
    /// The most bytes that were leaked.
    pub(crate) leaked: u64,
    /// What was done.
    pub(crate) action: String,
    /// In how many microseconds.
    pub(crate) microseconds: u64,
}

impl FaultLine {
    /// `fault N: KIND in task T 'NAME' at CELL: FUNCTION+0xOFFSET; R locks released, F frames lost, B bytes leaked; ACTION in
    /// U us on cpuC`
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (number, rest) = line.strip_prefix("fault ")?.split_once(": ")?;
        let (kind, rest) = rest.split_once(" in task ")?;
        let (task, rest) = rest.split_once(" '")?.1.split_once("' at ")?;
        let (place, rest) = rest.split_once("; ")?;
        let (cell, place) = place.split_once(": ")?;
        let (function, offset) = place.rsplit_once("+0x")?;
        let (costs, done) = rest.split_once("; ")?;
        let mut costs = costs.split(", ");
        let mut cost = |what: &str| costs.next()?.strip_suffix(what)?.parse().ok();
        let (action, time) = done.rsplit_once(" in ")?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "fault 3: null pointer access in task 8 'console' at terminal: terminal::service::serve+0x1d; \
        1 locks released, 2 frames lost, 30 bytes leaked; restarted (2 in a row) in 1056 us on cpu1";

    #[test]
    fn a_whole_line_is_taken_apart() {
        let line = FaultLine::parse(LINE).expect("whole");
        assert_eq!((line.number, &*line.kind, &*line.task), (3, "null pointer access", "console"));
        assert_eq!((&*line.cell, &*line.function, line.offset), ("terminal", "terminal::service::serve", 0x1d));
        assert_eq!((line.released, line.lost, line.leaked), (1, 2, 30));
        assert_eq!((&*line.action, line.microseconds), ("restarted (2 in a row)", 1056));
    }

    #[test]
    fn a_bare_address_is_no_place() {
        let bare = LINE.replace("terminal: terminal::service::serve+0x1d", "0xffffffff80001234");
        assert_eq!(FaultLine::parse(&bare), None);
        assert_eq!(FaultLine::parse("1 faults since boot"), None);
    }
}

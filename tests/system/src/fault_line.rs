//! A line of `fault log`, taken apart.

/// The fault log's line on one fault. A line that lacks any part is not parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultLine {
    /// Its number since boot.
    pub number: u64,
    /// Its kind, in words.
    pub kind: String,
    /// The task's name.
    pub task: String,
    /// The cell to blame.
    pub cell: String,
    /// The function to blame.
    pub function: String,
    /// The offset in the function.
    pub offset: u64,
    /// Locks that were released.
    pub released: u64,
    /// Frames that were lost.
    pub lost: u64,
    /// The most bytes that were leaked.
    pub leaked: u64,
    /// The measure that was taken.
    pub action: String,
    /// In how many microseconds.
    pub microseconds: u64,
}

impl FaultLine {
    /// `fault N: KIND in task T 'NAME' at CELL: FUNCTION+0xOFFSET; COSTS; MEASURE`. The costs are `nothing lost`, or those of
    /// `R locks released, F frames lost, B bytes leaked` that are not zero. The measure is `ended in U us on cpuC, then
    /// ACTION`; without the last part, or with another word than `ended`, this word is the action. A hint may follow.
    pub fn parse(line: &str) -> Option<Self> {
        let (number, rest) = line.strip_prefix("fault ")?.split_once(": ")?;
        let (kind, rest) = rest.split_once(" in task ")?;
        let (task, rest) = rest.split_once(" '")?.1.split_once("' at ")?;
        let mut parts = rest.split("; ");
        let (cell, place) = parts.next()?.split_once(": ")?;
        let (function, offset) = place.rsplit_once("+0x")?;
        let [released, lost, leaked] = costs(parts.next()?)?;
        let (done, time) = parts.next()?.split_once(" in ")?;
        let action = time.split_once(", then ").map_or(done, |(_, then)| then);
        Some(Self {
            number: number.parse().ok()?,
            kind: kind.to_owned(),
            task: task.to_owned(),
            cell: cell.to_owned(),
            function: function.to_owned(),
            offset: u64::from_str_radix(offset, 16).ok()?,
            released,
            lost,
            leaked,
            action: action.to_owned(),
            microseconds: time.split_once(" us on cpu")?.0.parse().ok()?,
        })
    }
}

/// The numbers of locks released, frames lost and bytes leaked.
fn costs(text: &str) -> Option<[u64; 3]> {
    let mut costs = [0; 3];
    if text == "nothing lost" {
        return Some(costs);
    }
    for part in text.split(", ") {
        let (count, noun) = part.split_once(' ')?;
        let index = ["lock released", "frame lost", "byte leaked"].iter().position(|one| {
            let (thing, fate) = one.split_once(' ').unwrap_or_default();
            noun == *one || noun == format!("{thing}s {fate}")
        })?;
        costs[index] = count.parse().ok()?;
    }
    Some(costs)
}

/// The log's words for a kind.
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
        1 lock released, 2 frames lost, 30 bytes leaked; ended in 1056 us on cpu1, then restarted (2 in a row); \
        the access was to 0x8";

    #[test]
    fn a_whole_line_is_taken_apart() {
        let line = FaultLine::parse(LINE).expect("whole");
        assert_eq!((line.number, &*line.kind, &*line.task), (3, "null pointer access", "console"));
        assert_eq!((&*line.cell, &*line.function, line.offset), ("terminal", "terminal::service::serve", 0x1d));
        assert_eq!((line.released, line.lost, line.leaked), (1, 2, 30));
        assert_eq!((&*line.action, line.microseconds), ("restarted (2 in a row)", 1056));
    }

    #[test]
    fn costs_of_zero_are_left_out() {
        let nothing = LINE.replace("1 lock released, 2 frames lost, 30 bytes leaked", "nothing lost");
        let line = FaultLine::parse(&nothing).expect("whole");
        assert_eq!((line.released, line.lost, line.leaked), (0, 0, 0));
        let line = FaultLine::parse(&LINE.replace("2 frames lost, ", "")).expect("whole");
        assert_eq!((line.released, line.lost, line.leaked), (1, 0, 30));
    }

    #[test]
    fn the_measure_is_the_action_if_there_is_no_other() {
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

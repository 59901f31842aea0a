//! The other end of the console: a terminal of some size, or a log.
use application::Size;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A terminal that does not tell its size is taken for the least one.
const COLUMNS: usize = 80;
const ROWS: usize = 24;

static INTERACTIVE: AtomicBool = AtomicBool::new(false);
static SIZE: [AtomicUsize; 2] = [AtomicUsize::new(COLUMNS), AtomicUsize::new(ROWS)];

/// Whether a user sits there: false with `console=plain` on the kernel's command line, for logs and scripts.
pub fn is_interactive() -> bool {
    INTERACTIVE.load(Ordering::Relaxed)
}

pub(crate) fn set_interactive(interactive: bool) {
    INTERACTIVE.store(interactive, Ordering::Relaxed);
}

/// The characters that have the terminal tell its size, if there is one. The answer comes among the keys of the next line.
pub fn size_question() -> &'static str {
    if is_interactive() { line_editor::ASK_SIZE } else { "" }
}

/// How large the terminal is, as it told last.
pub fn size() -> Size {
    let [columns, rows] = &SIZE;
    Size { columns: columns.load(Ordering::Relaxed), rows: rows.load(Ordering::Relaxed) }
}

pub(crate) fn set_size(size: Size) {
    let [columns, rows] = &SIZE;
    columns.store(size.columns, Ordering::Relaxed);
    rows.store(size.rows, Ordering::Relaxed);
}

//! Why a cell cannot be linked.

use core::fmt;

use object::Name;
use relocation::Overflow;

/// The reason why a reference has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkErrorKind {
    /// No cell defines the symbol.
    Undefined,
    /// The target is too far away.
    Overflow(Overflow),
    /// A thread local used as an ordinary address, or the other way round.
    ThreadLocalMismatch,
    /// There is no room for another permanent stub.
    StubsExhausted,
}

/// A reference that cannot be given a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkError {
    /// The section that refers.
    pub section: Name,
    /// The symbol it refers to.
    pub symbol: Name,
    /// Offset of the field in the section, bytes.
    pub offset: usize,
    /// The reason.
    pub kind: LinkErrorKind,
}

impl LinkError {
    pub(crate) fn new(section: &str, symbol: &str, offset: usize, kind: LinkErrorKind) -> Self {
        Self { section: Name::new(section), symbol: Name::new(symbol), offset, kind }
    }
}

impl LinkError {
    /// A reference to `symbol` that cannot reach a new address.
    #[must_use]
    pub fn overflow(symbol: &str, offset: usize, overflow: Overflow) -> Self {
        Self::new("(patch)", symbol, offset, LinkErrorKind::Overflow(overflow))
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { section, symbol, offset, kind } = self;
        write!(f, "section {section}+{offset:#x}: symbol {symbol} ")?;
        match kind {
            LinkErrorKind::Undefined => {
                f.write_str("is not defined by any cell; build and load all cells from one tree")
            }
            LinkErrorKind::Overflow(overflow) => write!(f, "is out of reach: {overflow}"),
            LinkErrorKind::ThreadLocalMismatch => {
                f.write_str("is a thread local referred to as an address, or the other way round")
            }
            LinkErrorKind::StubsExhausted => f.write_str("needs a permanent stub, and the area for stubs is full"),
        }
    }
}

impl core::error::Error for LinkError {}

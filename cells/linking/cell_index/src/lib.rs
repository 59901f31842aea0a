//! The cells of the running system, to look at.
//!
//! Guarantee to the system: this cell has no lever. Each function copies from the namespace and changes nothing, and no type
//! here has a method or a destructor that does; so an application may use it without a right. The copies are of the
//! moment at which they were made, and say nothing of later ones.
#![no_std]
#![forbid(unsafe_code)]

pub use namespace::{
    AlternateInfo, BASE, CellDetail, CellInfo, Holder, Referrer, RetiredCell, Role, SectionInfo, SectionKind,
    SymbolInfo, alternates, applications, cell, cells, current_build, retired_cells, sizes, symbols,
};

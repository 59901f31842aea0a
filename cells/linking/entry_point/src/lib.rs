//! The type that a caller expects of a function that it finds by a name in the manifest.
//!
//! No linker compares the type of such a function with the type that its caller has in mind: the caller gets a number. So
//! each caller states its expectation as a static, with [`expected!`]. Three comparisons rest on that static:
//! - the build compiles a call of [`Expected::accepts`] with each function, so the compiler compares the types exactly,
//!   lifetimes, calling convention and `unsafe` included;
//! - the build takes the structural digest of the expected type from the caller's debug information, and compares it with
//!   the digest of each function; both go into the manifest;
//! - the loader compares both digests again before an address becomes a function.
#![no_std]

use core::mem;

/// A function pointer type `F` that the cell with this static expects.
///
/// The debug information of the static has the type; the host tool finds it by the names of this type and its members.
#[derive(Debug)]
pub struct Expected<F> {
    path: &'static str,
    /// Nothing but the type.
    types: [F; 0],
}

impl<F: Copy> Expected<F> {
    /// The expectation that is stated by the static at `path`.
    ///
    /// # Safety
    /// `F` is a function pointer type. The value is that of the static at `path`, so that the manifest has the digest of
    /// this `F` under the path. [`expected!`] takes care of the path.
    #[must_use]
    pub const unsafe fn new(path: &'static str) -> Self {
        Self { path, types: [] }
    }

    /// The path of the static, by which the manifest knows the type.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Compiles only with a function of the expected type. The build calls it with every function that is meant.
    pub const fn accepts(&self, _function: F) {}

    /// Makes a function of its address.
    ///
    /// # Safety
    /// At `address` begins a function of the type `F`, which stays there as long as the result is used.
    pub unsafe fn function(&self, address: usize) -> F {
        const { assert!(mem::size_of::<F>() == mem::size_of::<usize>(), "a function pointer is one address") };
        let _: &[F; 0] = &self.types;
        let pointer = core::ptr::with_exposed_provenance::<()>(address);
        // SAFETY: `F` is a function pointer type, by the contract of `new`, hence of the size of an address, and the caller
        // promises that the function is there.
        unsafe { mem::transmute_copy::<*const (), F>(&pointer) }
    }
}

/// `expected!(NAME: TYPE)` makes a public static [`Expected`] that states a function pointer type.
///
/// Safe code may use it with any type: the path is right by construction, and for a type that is no function pointer the
/// manifest has no digest, so the loader refuses every address for it.
#[macro_export]
macro_rules! expected {
    ($(#[$attribute:meta])* $name:ident: $function:ty) => {
        $(#[$attribute])*
        // Used, so that the object has it with its debug information wherever the compiler has copied the path to.
        #[used]
        pub static $name: $crate::Expected<$function> =
            // SAFETY: the path is that of this static. The host tool finds no expectation in a static with another type
            // than a function pointer, and the loader makes no function for a static without an expectation.
            unsafe { $crate::Expected::new(concat!(module_path!(), "::", stringify!($name))) };
    };
}

//! Registers of devices at I/O ports, with typed fields.
//!
//! Guarantees to drivers: a register is read and written at its own width, and only by the fields that its type names
//! ([`tock_registers::register_bitfields`]). The driver that makes a register answers for it: making one is
//! unsafe, using it is not.
//! Nothing here fails; a port without a device reads as ones.
#![no_std]

use core::marker::PhantomData;

use tock_registers::interfaces::{Readable, Writeable};
use tock_registers::{RegisterLongName, UIntLike};
use x86_64::structures::port::{PortRead, PortWrite};

macro_rules! register {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T, R: RegisterLongName = ()> {
            port: u16,
            fields: PhantomData<(T, R)>,
        }

        impl<T, R: RegisterLongName> $name<T, R> {
            /// The register at `port`.
            ///
            /// # Safety
            /// At that port there is this register or none, the caller is its only driver, and no value in it makes the
            /// device reach memory or code.
            #[must_use]
            pub const unsafe fn new(port: u16) -> Self {
                Self { port, fields: PhantomData }
            }
        }
    };
}

register! {
    /// A register that is read.
    ReadOnly
}
register! {
    /// A register that is written.
    WriteOnly
}
register! {
    /// A register that is read and written.
    ReadWrite
}

macro_rules! readable {
    ($name:ident) => {
        impl<T: UIntLike + PortRead, R: RegisterLongName> Readable for $name<T, R> {
            type T = T;
            type R = R;

            #[inline]
            fn get(&self) -> T {
                // SAFETY: the register was made by a driver that may read it.
                unsafe { T::read_from_port(self.port) }
            }
        }
    };
}

macro_rules! writeable {
    ($name:ident) => {
        impl<T: UIntLike + PortWrite, R: RegisterLongName> Writeable for $name<T, R> {
            type T = T;
            type R = R;

            #[inline]
            fn set(&self, value: T) {
                // SAFETY: the register was made by a driver that may write it, and no value reaches memory.
                unsafe { T::write_to_port(self.port, value) }
            }
        }
    };
}

readable!(ReadOnly);
readable!(ReadWrite);
writeable!(WriteOnly);
writeable!(ReadWrite);

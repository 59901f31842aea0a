//! The device's registers and its transfers.

use alloc::vec::Vec;
use core::time::Duration;

use dma::{Buffer, Lent};
use port_registers::{ReadOnly, WriteOnly};
use tock_registers::interfaces::{Readable, Writeable};
use tock_registers::register_bitfields;

use crate::ConfigError;

register_bitfields![u32,
    /// The features ("Revision / feature bitmap").
    Features [
        /// The device has the DMA interface.
        DMA OFFSET(1) NUMBITS(1) [],
    ],
    /// The control word of a transfer ("Guest-side DMA interface").
    Control [
        /// The device has refused the transfer.
        ERROR OFFSET(0) NUMBITS(1) [],
        /// The device writes to memory.
        READ OFFSET(1) NUMBITS(1) [],
        /// The device begins at the start of the item with this key.
        SELECT OFFSET(3) NUMBITS(1) [],
        /// The key.
        KEY OFFSET(16) NUMBITS(16) [],
    ],
];

/// The key of the signature, and the signature.
const SIGNATURE: (u16, [u8; 4]) = (0x00, *b"QEMU");
/// The key of the features.
const FEATURES: u16 = 0x01;

/// A command: control word, length and address, all with the highest byte first.
const COMMAND_SIZE: usize = 16;
/// The emulator carries a transfer out before the guest goes on. The timeout is for an emulator on a very busy host.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The registers ("x86, x86-64 port I/O").
pub(crate) struct Device {
    selector: WriteOnly<u16>,
    data: ReadOnly<u8>,
    command_high: WriteOnly<u32>,
    /// Writing this one starts the transfer.
    command_low: WriteOnly<u32>,
}

/// A transfer that is under way. The device has both buffers.
struct Transfer {
    command: Lent,
    data: Lent,
}

impl Device {
    pub(crate) const fn new() -> Self {
        // SAFETY: the ports of the device, and this cell is its only driver. The last two make the device reach memory:
        // `start` writes to them, with the address of a command in lent memory.
        unsafe {
            Self {
                selector: WriteOnly::new(0x510),
                data: ReadOnly::new(0x511),
                command_high: WriteOnly::new(0x514),
                command_low: WriteOnly::new(0x518),
            }
        }
    }

    /// The first bytes of an item, by the data register.
    fn peek(&self, key: u16) -> [u8; 4] {
        self.selector.set(key);
        core::array::from_fn(|_| self.data.get())
    }

    fn is_present(&self) -> bool {
        let features = tock_registers::LocalRegisterCopy::<u32, Features::Register>::new;
        self.peek(SIGNATURE.0) == SIGNATURE.1 && features(u32::from_le_bytes(self.peek(FEATURES))).is_set(Features::DMA)
    }

    /// The first `size` bytes of the item with this key.
    pub(crate) fn read(&self, key: u16, size: usize) -> Result<Vec<u8>, ConfigError> {
        if !self.is_present() {
            return Err(ConfigError::Absent);
        }
        let (command, data) = (Buffer::new(COMMAND_SIZE)?, Buffer::new(size)?);
        let data = self.start(key, command, data).finish()?;
        Ok(data.bytes().to_vec())
    }

    /// Has the device fill `data`.
    fn start(&self, key: u16, mut command: Buffer, data: Buffer) -> Transfer {
        let control = Control::READ::SET + Control::SELECT::SET + Control::KEY.val(key.into());
        let data = data.lend();
        // A file is smaller than 4 GiB.
        let length = u32::try_from(data.length()).unwrap_or(u32::MAX);
        let (first, rest) = command.bytes_mut().split_at_mut(size_of::<u32>());
        first.copy_from_slice(&control.value.to_be_bytes());
        let (second, third) = rest.split_at_mut(size_of::<u32>());
        second.copy_from_slice(&length.to_be_bytes());
        third.copy_from_slice(&data.address().as_u64().to_be_bytes());
        let command = command.lend();
        let address = command.address().as_u64();
        // The registers have the highest byte first, too.
        let [a, b, c, d, e, f, g, h] = address.to_be_bytes();
        self.command_high.set(u32::from_ne_bytes([a, b, c, d]));
        self.command_low.set(u32::from_ne_bytes([e, f, g, h]));
        Transfer { command, data }
    }
}

impl Transfer {
    /// Waits for the end of the transfer; the buffer with the data comes back. In all other cases the device keeps both.
    fn finish(self) -> Result<Buffer, ConfigError> {
        let control = || u32::from_be(self.command.word(0).unwrap_or_default());
        let error = Control::ERROR::SET.value;
        // All bits but that of an error are clear when the device has ended.
        if !clock::spin_until(TIMEOUT, || control() & !error == 0) {
            return Err(ConfigError::Stuck);
        }
        let refused = control() & error != 0;
        // SAFETY: the device has said that it has ended.
        let (data, _command) = unsafe { (self.data.take_back(), self.command.take_back()) };
        if refused { Err(ConfigError::Refused) } else { Ok(data) }
    }
}

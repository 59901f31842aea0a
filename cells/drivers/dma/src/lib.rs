//! Memory that devices read and write (DMA).
//!
//! Guarantees to drivers: a [`Buffer`] belongs to the CPU and a [`Lent`] one to the device, and no value is both. To hand a
//! buffer to a device is to move it, so the compiler refuses every use of it until it comes back. It comes back by the
//! driver's word that the device has ended ([`Lent::take_back`], which is unsafe). A lent buffer that is dropped stays with
//! the device for good: its memory is never used for anything else, which costs memory and not safety.
//!
//! How it can fail: for want of frames in one run, or of pages.
#![no_std]

use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicU32, Ordering};

use addresses::{PAGE_SIZE, PhysAddr};
use frames::Purpose;
use mapping::{MapError, MapPages, MappedPages, Writable};

/// Memory in one physical run, which the CPU uses.
#[derive(Debug)]
pub struct Buffer {
    mapping: MappedPages<Writable>,
    address: PhysAddr,
    length: usize,
}

impl Buffer {
    /// A buffer of `length` bytes, all 0. It begins at a page.
    ///
    /// # Errors
    /// If there is no run of frames of that size, or if there are no pages.
    pub fn new(length: usize) -> Result<Self, MapError> {
        let count = addresses::pages_for(length.max(1));
        let frames = frames::allocate(count, Purpose::Device)?;
        let address = frames.range().start();
        let mut mapping = pages::allocate(count)?.map(frames, Writable)?;
        mapping.bytes_mut().fill(0);
        Ok(Self { mapping, address, length })
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.mapping.bytes()[..self.length]
    }

    /// The bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.mapping.bytes_mut()[..self.length]
    }

    /// Hands the buffer to a device.
    pub fn lend(self) -> Lent {
        Lent { buffer: ManuallyDrop::new(self) }
    }
}

/// A buffer that a device may read and write.
#[derive(Debug)]
#[must_use = "the memory stays with the device for good when this is dropped"]
pub struct Lent {
    buffer: ManuallyDrop<Buffer>,
}

impl Lent {
    /// The address by which the device knows it.
    #[must_use]
    pub fn address(&self) -> PhysAddr {
        self.buffer.address
    }

    /// The number of bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.buffer.length
    }

    /// The present value of the word at `offset`, which the device may change at any time; `None` if no whole, aligned word
    /// of the buffer is there.
    #[must_use]
    pub fn word(&self, offset: usize) -> Option<u32> {
        let within = offset.checked_add(size_of::<u32>()).is_some_and(|end| end <= self.buffer.length);
        if !within || !offset.is_multiple_of(align_of::<u32>()) {
            return None;
        }
        let word = self.buffer.mapping.start().as_ptr::<AtomicU32>().wrapping_byte_add(offset);
        // SAFETY: the word lies in the mapping, which this value keeps, and it is read as one that others change.
        Some(unsafe { &*word }.load(Ordering::Acquire))
    }

    /// Takes the buffer back.
    ///
    /// # Safety
    /// The device has ended, and reads and writes the buffer no more.
    #[must_use]
    pub unsafe fn take_back(self) -> Buffer {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again.
        unsafe { ManuallyDrop::take(&mut this.buffer) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let pages = addresses::pages_for(self.buffer.length.max(1));
        log::warn!("{} bytes of memory stay with a device that did not end", pages * PAGE_SIZE);
    }
}

//! A register set that an NMI handler gives to another CPU without locks.

use core::mem::transmute;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use interrupts::SavedRegisters;

const WORDS: usize = size_of::<SavedRegisters>() / 8;

/// A register set, written by the handler while its CPU has a request to meet, read by the CPU that made the request, after it
/// was met. The request's number orders the two; the words are atomic so that a late handler does no harm either.
pub(crate) struct Snapshot([AtomicU64; WORDS]);

impl Snapshot {
    pub(crate) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; WORDS])
    }

    pub(crate) fn write(&self, registers: &SavedRegisters) {
        // SAFETY: the type consists of as many words and nothing else.
        let words = unsafe { &*ptr::from_ref(registers).cast::<[u64; WORDS]>() };
        self.0.iter().zip(words).for_each(|(place, word)| place.store(*word, Ordering::Relaxed));
    }

    pub(crate) fn read(&self) -> SavedRegisters {
        let mut words = [0; WORDS];
        words.iter_mut().zip(&self.0).for_each(|(word, place)| *word = place.load(Ordering::Relaxed));
        // SAFETY: the type consists of as many words, and any bits are a value of it.
        unsafe { transmute::<[u64; WORDS], SavedRegisters>(words) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_register_comes_through() {
        let registers = SavedRegisters { r15: 1, rax: 2, vector: 3, rip: 4, ss: 5, ..SavedRegisters::default() };
        let snapshot = Snapshot::new();
        snapshot.write(&registers);
        assert_eq!(snapshot.read(), registers);
    }
}

//! Numbers that look random and are the same in every run and everywhere: for checks that damage things at random, in the
//! running system as on the host.
//!
//! Not for secrets. Nothing here can fail.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

/// A sequence of numbers that its seed determines (Marsaglia's xorshift).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed. A seed of zero, of which nothing would come, counts as one.
    pub const fn new(seed: u64) -> Self {
        Self(if seed == 0 { 1 } else { seed })
    }

    /// The next number, below `limit`; zero if there is none below it.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The lowest bits are the least random.
        ((self.0 >> 11) % limit.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            (0..100).map(move |_| random.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        assert_eq!(numbers(0), numbers(1));
    }

    #[test]
    fn all_numbers_below_the_limit_come() {
        let mut random = Random::new(0x5eed);
        let mut seen = [0; 7];
        for _ in 0..7000 {
            seen[random.below(7)] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
        assert_eq!((random.below(0), random.below(1)), (0, 0));
    }
}

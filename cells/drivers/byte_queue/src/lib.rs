//! A bounded queue of bytes that never allocates.
//!
//! To the console: bytes leave in the order they came, and a group pushed with [`ByteQueue::push_all`] is in it
//! whole or not at all. It neither locks nor waits, so it serves inside a lock that an interrupt handler takes.
#![no_std]
#![forbid(unsafe_code)]

/// A ring of `N` bytes.
pub struct ByteQueue<const N: usize> {
    bytes: [u8; N],
    /// Where the oldest byte is; below `N`.
    start: usize,
    length: usize,
    last: Option<u8>,
}

impl<const N: usize> ByteQueue<N> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { bytes: [0; N], start: 0, length: 0, last: None }
    }

    /// Whether it holds no byte.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The byte that was pushed last, whether it has left or not.
    pub const fn last(&self) -> Option<u8> {
        self.last
    }

    /// The number of bytes that it can still take.
    pub const fn room(&self) -> usize {
        N - self.length
    }

    /// Takes all of `bytes`, or none and says `false`.
    #[must_use]
    pub fn push_all(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.room() {
            return false;
        }
        let end = self.place(self.length);
        // From the end of the queued bytes to the end of the array, and the rest from its beginning.
        let (first, second) = bytes.split_at(bytes.len().min(N - end));
        copy(&mut self.bytes, end, first);
        copy(&mut self.bytes, 0, second);
        self.length += bytes.len();
        self.last = bytes.last().copied().or(self.last);
        true
    }

    /// Moves the oldest bytes into `buffer`, as many as it takes; returns their number.
    pub fn pop_into(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.length);
        let first = count.min(N - self.start);
        let (head, tail) = buffer.split_at_mut(first);
        head.copy_from_slice(self.bytes.get(self.start..self.start + first).unwrap_or_default());
        for (into, from) in tail.iter_mut().zip(&self.bytes).take(count - first) {
            *into = *from;
        }
        self.start = self.place(count);
        self.length -= count;
        count
    }

    /// Like [`pop_into`](Self::pop_into), but nothing beyond the first line feed.
    pub fn pop_line(&mut self, buffer: &mut [u8]) -> usize {
        let (wrapped, straight) = self.bytes.split_at(self.start);
        let mut queued = straight.iter().chain(wrapped).take(self.length);
        let line = queued.position(|byte| *byte == b'\n').map_or(self.length, |end| end + 1);
        let count = line.min(buffer.len());
        self.pop_into(buffer.get_mut(..count).unwrap_or_default())
    }

    /// Whether `byte` is in it.
    pub fn contains(&self, byte: u8) -> bool {
        let (wrapped, straight) = self.bytes.split_at(self.start);
        straight.iter().chain(wrapped).take(self.length).any(|queued| *queued == byte)
    }

    /// Forgets the oldest bytes up to the last `mark`, which goes with them. False, and nothing is forgotten, if there is none.
    pub fn forget_through(&mut self, mark: u8) -> bool {
        let (wrapped, straight) = self.bytes.split_at(self.start);
        let queued = straight.iter().chain(wrapped).take(self.length);
        let Some((last, _)) = queued.enumerate().filter(|(_, byte)| **byte == mark).last() else { return false };
        self.start = self.place(last + 1);
        self.length -= last + 1;
        true
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// The place `distance` (at most `N`) behind the oldest byte.
    fn place(&self, distance: usize) -> usize {
        let place = self.start + distance;
        if place < N { place } else { place - N }
    }
}

impl<const N: usize> Default for ByteQueue<N> {
    fn default() -> Self {
        Self::new()
    }
}

fn copy(target: &mut [u8], at: usize, source: &[u8]) {
    if let Some(target) = target.get_mut(at..at + source.len()) {
        target.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::ByteQueue;
    use std::collections::VecDeque;
    use std::vec;
    use std::vec::Vec;
    use xorshift::Random;

    #[test]
    fn a_group_goes_in_whole_or_not_at_all() {
        let mut queue = ByteQueue::<4>::new();
        assert!(queue.push_all(b"abc"));
        assert!(!queue.push_all(b"de"));
        assert!(queue.push_all(b"d"));
        assert_eq!((queue.room(), queue.is_empty()), (0, false));
        let mut buffer = [0; 8];
        assert_eq!(queue.pop_into(&mut buffer), 4);
        assert_eq!(&buffer[..4], b"abcd");
        assert!(queue.is_empty());
        assert!(queue.push_all(b"x"));
        queue.clear();
        assert_eq!(queue.pop_into(&mut buffer), 0);
    }

    #[test]
    fn the_last_byte_is_known_when_it_has_left() {
        let mut queue = ByteQueue::<4>::new();
        assert_eq!(queue.last(), None);
        assert!(queue.push_all(b"ab"));
        assert_eq!(queue.pop_into(&mut [0; 4]), 2);
        assert!(queue.push_all(b""));
        assert_eq!(queue.last(), Some(b'b'));
        assert!(!queue.push_all(b"cdefg"));
        assert_eq!(queue.last(), Some(b'b'));
    }

    #[test]
    fn bytes_up_to_the_last_mark_are_forgotten() {
        let mut queue = ByteQueue::<6>::new();
        assert!(queue.push_all(b"1234"));
        assert_eq!(queue.pop_into(&mut [0; 3]), 3);
        // The marks are at the end of the array and, wrapped, at its beginning.
        assert!(queue.push_all(b"\x03a\x03b"));
        assert!(queue.contains(3));
        assert!(queue.forget_through(3));
        assert!(!queue.contains(3) && !queue.forget_through(3));
        let mut buffer = [0; 6];
        assert_eq!(queue.pop_into(&mut buffer), 1);
        assert_eq!(buffer[0], b'b');
        assert!(queue.push_all(b"\x03"));
        assert!(queue.forget_through(3));
        assert!(queue.is_empty());
    }

    #[test]
    fn lines_leave_one_by_one() {
        let mut queue = ByteQueue::<10>::new();
        let mut buffer = [0; 4];
        assert!(queue.push_all(b"skipped"));
        assert_eq!(queue.pop_into(&mut [0; 7]), 7);
        assert!(queue.push_all(b"a\nlonger\nx"));
        let mut lines = vec![];
        while !queue.is_empty() {
            let count = queue.pop_line(&mut buffer);
            lines.push(buffer[..count].to_vec());
        }
        assert_eq!(lines, [&b"a\n"[..], b"long", b"er\n", b"x"]);
        assert_eq!(queue.pop_line(&mut buffer), 0);
    }

    #[test]
    fn behaves_like_a_queue_of_the_library() {
        let mut random = Random::new(3);
        let mut queue = ByteQueue::<13>::new();
        let mut model = VecDeque::new();
        for step in 0..20_000_u32 {
            if random.below(2) == 0 {
                let group: Vec<u8> = (0..random.below(8)).map(|index| step.to_le_bytes()[index % 4]).collect();
                assert_eq!(queue.push_all(&group), model.len() + group.len() <= 13);
                if model.len() + group.len() <= 13 {
                    model.extend(group);
                }
            } else {
                let mut buffer = vec![0; random.below(8)];
                let count = queue.pop_into(&mut buffer);
                let expected: Vec<u8> = model.drain(..count).collect();
                assert_eq!(&buffer[..count], expected);
                assert!(count == buffer.len() || model.is_empty());
            }
            assert_eq!(queue.room(), 13 - model.len());
        }
    }
}

//! What came over the serial line so far, collected by a thread, with waits that have a deadline.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

#[derive(Default)]
struct State {
    text: String,
    /// Bytes at the end that are not yet a whole character.
    pending: Vec<u8>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // The reader thread has no code that can panic while it holds the lock.
        self.state.lock().expect("the reader thread never panics")
    }
}

/// The text of a byte stream that another thread reads to its end, with a copy in a file.
pub struct Transcript {
    shared: Arc<Shared>,
}

impl Transcript {
    /// Follows `source` until it ends. A failing copy is not worth losing the dialogue for, so it is ignored.
    pub fn follow(mut source: impl Read + Send + 'static, mut copy: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let count = match source.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => count,
                };
                let _ = copy.write_all(&buffer[..count]);
                append(&mut theirs.state(), &buffer[..count]);
                theirs.changed.notify_all();
            }
            theirs.state().closed = true;
            theirs.changed.notify_all();
        });
        Self { shared }
    }

    /// The text from byte `position` on.
    pub fn text_from(&self, position: usize) -> String {
        let state = self.shared.state();
        state.text.get(position..).unwrap_or_default().to_owned()
    }

    /// True when the other side has ended.
    pub fn is_closed(&self) -> bool {
        self.shared.state().closed
    }

    /// Applies `find` to the text after `position` whenever there is more of it, until it finds something, the source ends,
    /// or the time is over.
    pub fn wait_for<T>(&self, position: usize, mut find: impl FnMut(&str) -> Option<T>, within: Duration) -> Option<T> {
        let deadline = Instant::now() + within;
        let mut state = self.shared.state();
        loop {
            if let Some(found) = find(state.text.get(position..).unwrap_or_default()) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                return None;
            }
            state = self.shared.changed.wait_timeout(state, left).expect("the reader thread never panics").0;
        }
    }

    /// Waits for the end of the source; false when the time is over first.
    pub fn wait_closed(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut state = self.shared.state();
        while !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).expect("the reader thread never panics").0;
        }
        true
    }
}

/// Appends bytes as text: carriage returns dropped, invalid bytes replaced, a character split between reads kept whole.
fn append(state: &mut State, bytes: &[u8]) {
    state.pending.extend(bytes.iter().filter(|byte| **byte != b'\r'));
    let pending = std::mem::take(&mut state.pending);
    let mut rest: &[u8] = &pending;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                state.text.push_str(valid);
                return;
            }
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                state.text.push_str(&String::from_utf8_lossy(valid));
                let Some(length) = error.error_len() else {
                    state.pending = after.to_vec();
                    return;
                };
                state.text.push(char::REPLACEMENT_CHARACTER);
                rest = &after[length..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_split_between_reads_stay_whole() {
        let mut state = State::default();
        append(&mut state, b"a\xc3");
        assert_eq!(state.text, "a");
        append(&mut state, b"\xa4\r\nb\xffc");
        assert_eq!(state.text, "aä\nb\u{fffd}c");
        assert!(state.pending.is_empty());
    }

    #[test]
    fn a_wait_ends_with_the_text_the_end_or_the_deadline() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let transcript = Transcript::follow(reader, std::io::sink());
        writer.write_all(b"one two").unwrap();
        let find = |word: &'static str| move |text: &str| text.find(word);
        let second = Duration::from_secs(10);
        assert_eq!(transcript.wait_for(0, find("two"), second), Some(4));
        assert_eq!(transcript.wait_for(4, find("one"), Duration::from_millis(20)), None);
        assert!(!transcript.is_closed());
        drop(writer);
        assert_eq!(transcript.wait_for(0, find("three"), second), None);
        assert!(transcript.wait_closed(second));
    }
}

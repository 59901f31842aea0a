//! A pipe: one application reads the bytes that another one writes.
//!
//! To the two applications: bytes arrive in order and are bounded in number, so a fast writer waits for a slow
//! reader. When the writer is gone, the reader reads the rest and then the end; when the reader is gone, the writer
//! gets [`StreamError::Disconnected`]. Both hold also if the other end's task was killed or faulted, for an end is
//! gone when its value is dropped.
//! The pipe is an adapter over the bounded channel: waiting, kicks and disconnection are the channel's.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use application::{Input, Output, StreamError};
pub use async_channel::CreateError;
use async_channel::{Receiver, Sender};

/// Pieces under way; with [`PIECE`] this bounds the bytes.
const PIECES: usize = 16;
/// Bytes in a piece, at most.
const PIECE: usize = 1024;

/// The end that is read.
pub struct PipeReader {
    receiver: Receiver<Vec<u8>>,
    /// The piece that is being read, and how much of it has been.
    piece: Vec<u8>,
    taken: usize,
}

/// The end that is written. It collects bytes, and hands them on at the end of a line or when there are many.
pub struct PipeWriter {
    sender: Sender<Vec<u8>>,
    piece: Vec<u8>,
}

/// A new pipe. Fails if there is no memory for it.
pub fn pipe() -> Result<(PipeWriter, PipeReader), CreateError> {
    let (sender, receiver) = async_channel::channel(PIECES)?;
    let reader = PipeReader { receiver, piece: Vec::new(), taken: 0 };
    Ok((PipeWriter { sender, piece: Vec::new() }, reader))
}

impl Input for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        while self.taken == self.piece.len() {
            match self.receiver.receive() {
                Ok(piece) => {
                    self.piece = piece;
                    self.taken = 0;
                }
                Err(_) => return Ok(0),
            }
        }
        let rest = self.piece.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (into, from) in buffer.iter_mut().zip(rest) {
            *into = *from;
        }
        self.taken += count;
        Ok(count)
    }
}

impl Output for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        for part in bytes.chunks(PIECE) {
            self.piece.extend_from_slice(part);
            if self.piece.len() >= PIECE || part.ends_with(b"\n") {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = core::mem::take(&mut self.piece);
        self.sender.send(piece).map_err(|_| StreamError::Disconnected)
    }
}

impl Drop for PipeWriter {
    /// The last, unfinished line of a writer that did not flush: handed on only if that needs no waiting.
    fn drop(&mut self) {
        if !self.piece.is_empty() {
            let _delivered = self.sender.try_send(core::mem::take(&mut self.piece));
        }
    }
}

//! The memory of the console, apart from the code that works on it.
//!
//! To the driver: four bounded queues, the state of the line that the user is typing, and the tasks that wait for
//! these, at addresses that stay when the driver is replaced.
//! Each lock is held for the copying of some bytes, with interrupts off, so the interrupt handler may take it; that of
//! [`SENDING`] is held while bytes are sent, and no interrupt handler takes it.
//! Nothing here allocates or fails; a queue that is full says so.
#![no_std]
#![forbid(unsafe_code)]

use apic::Line;
use byte_queue::ByteQueue;
use interrupts::Registration;
use output_queue::Outgoing;
use spin::Once;
use spin_lock::SpinLock;
use wait_queue::WaitQueue;

/// The longest line that comes out in one piece, its end included.
pub const LINE: usize = 512;
/// Bytes that are sent in one turn, at most.
pub const SENDING_SIZE: usize = 1024;
/// Bytes that may arrive before the driver's task runs: at full speed for a tenth of a second. Further ones stay in the port.
pub const RECEIVED_SIZE: usize = 1024;
/// Bytes that may be typed ahead of the readers: a paste of some pages, so that a Ctrl-C behind it is still seen.
pub const TYPED_SIZE: usize = 32 * 1024;
/// Output that may wait for the port: some screenfuls.
pub const TRANSMIT_SIZE: usize = 32 * 1024;

/// The line by which the port interrupts.
pub static SERIAL: Once<Line<Registration>> = Once::new();

/// From the interrupt handler to the driver's task.
pub static RECEIVED: SpinLock<ByteQueue<RECEIVED_SIZE>> = SpinLock::new(ByteQueue::new());
/// From the driver's task to readers.
pub static TYPED: SpinLock<ByteQueue<TYPED_SIZE>> = SpinLock::new(ByteQueue::new());
/// From writers to the driver's task.
pub static TRANSMIT: SpinLock<Outgoing<TRANSMIT_SIZE>> = SpinLock::new(Outgoing::new());

/// From [`TRANSMIT`] to the port: bytes that were taken out to be sent and were not, as the port was stuck. The task that has
/// the lock has the turn to send.
pub static SENDING: SpinLock<ByteQueue<SENDING_SIZE>> = SpinLock::new(ByteQueue::new());

/// Where the driver's task waits for something to do.
pub static WORK: WaitQueue = WaitQueue::new();
/// Where readers wait for [`TYPED`], and for others to have erased the line that is being typed.
pub static READABLE: WaitQueue = WaitQueue::new();
/// Where writers wait for room in [`TRANSMIT`].
pub static WRITABLE: WaitQueue = WaitQueue::new();

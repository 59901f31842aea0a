//! From the port to the readers.
use apic::ApicError;
use console_state::{READABLE, RECEIVED, SERIAL, TRANSMIT, TYPED, WORK};
use cpu_local::{CpuId, InterruptGuard};
use interrupts::{Interrupt, Interrupted};

/// Ctrl-C, as terminals send it.
const INTERRUPT: u8 = 0x03;
/// Bytes that are moved per turn, at most.
const CHUNK: usize = 64;

/// The contents of the bytes that came, beside text for the readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The user pressed Ctrl-C, and the caller keeps that from the readers.
    pub interrupt: bool,
}

/// Has the port interrupt the boot CPU from now on. `serial` is ISA interrupt [`SERIAL_LINE`](crate::SERIAL_LINE).
///
/// # Errors
/// If the interrupt cannot be routed.
pub fn init(serial: Interrupt) -> Result<(), ApicError> {
    SERIAL.try_call_once(|| apic::route(serial.handle(on_interrupt), CpuId::BOOT))?;
    serial_port::enable_interrupts();
    // Bytes that came before have interrupted no CPU.
    fetch(&InterruptGuard::new());
    WORK.wake_all();
    Ok(())
}

/// Empties the port, which has a short queue, and leaves the rest to the task. If the kernel's log took the place of the line
/// that the user is typing, the editor of that line is woken.
fn on_interrupt(_interrupted: &mut Interrupted<'_>) {
    if serial_port::text_was_sent() && TRANSMIT.lock().bypass() {
        READABLE.wake_all();
    }
    fetch(&InterruptGuard::new());
    WORK.wake_all();
}

/// Takes bytes out of the port while there is room for them. All others stay in the port, and are fetched when a reader has
/// made room; the port does not interrupt again for them.
fn fetch(irq_off: &InterruptGuard) {
    // The lock lets one CPU at a time read the port.
    let mut received = RECEIVED.lock_irq_off(irq_off);
    while received.room() > 0
        && let Some(byte) = serial_port::receive()
    {
        // There is room.
        let _kept = received.push_all(&[byte]);
    }
}

/// Moves received bytes to the readers, as many as there is room for. With `catch_interrupt`, Ctrl-C is told to the caller
/// instead, also if the readers have no room, and the bytes that were typed before it are forgotten.
pub fn receive(catch_interrupt: bool) -> Typed {
    let mut typed = Typed::default();
    let mut chunk = [0; CHUNK];
    loop {
        // From before bytes are taken out until their readers have been woken: a driver that is ended or fails loses none.
        let whole = InterruptGuard::new();
        if catch_interrupt && RECEIVED.lock_irq_off(&whole).forget_through(INTERRUPT) {
            typed.interrupt = true;
            TYPED.lock_irq_off(&whole).clear();
        }
        let mut queue = TYPED.lock_irq_off(&whole);
        let room = queue.room().min(CHUNK);
        let count = RECEIVED.lock_irq_off(&whole).pop_into(&mut chunk[..room]);
        fetch(&whole);
        let Some(bytes @ [_, ..]) = chunk.get(..count) else { return typed };
        // There is room: the lock is held since it was looked for.
        let _kept = queue.push_all(bytes);
        drop(queue);
        READABLE.wake_all();
    }
}

/// Whether there are received bytes that the readers have room for, or a Ctrl-C that is to be caught.
pub(crate) fn can_move(catch_interrupt: bool) -> bool {
    // One lock at a time: `receive` takes them in the other order.
    let received = RECEIVED.lock();
    let (waiting, caught) = (!received.is_empty(), catch_interrupt && received.contains(INTERRUPT));
    drop(received);
    caught || waiting && TYPED.lock().room() > 0
}

/// Takes bytes that were typed, if there are any; returns their number.
pub fn try_read(buffer: &mut [u8]) -> usize {
    let irq_off = InterruptGuard::new();
    let mut typed = TYPED.lock_irq_off(&irq_off);
    let was_full = typed.room() == 0;
    let count = typed.pop_into(buffer);
    drop(typed);
    if was_full && count > 0 {
        // The driver's task has stopped moving bytes for want of room.
        WORK.wake_all();
    }
    count
}

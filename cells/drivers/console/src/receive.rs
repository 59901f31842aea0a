//! From the port to the readers.
use apic::ApicError;
use console_state::{READABLE, RECEIVED, SERIAL, TRANSMIT, TYPED, WORK};
use cpu_local::{CpuId, InterruptGuard};
use interrupts::{Interrupt, Interrupted};

/// Ctrl-C, as terminals send it.
const INTERRUPT: u8 = 0x03;
/// How many bytes are moved per turn.
const CHUNK: usize = 64;

/// What was in the bytes that came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// The user pressed Ctrl-C, which was asked to be kept from the readers.
    pub interrupt: bool,
}

/// Has the port interrupt the boot CPU from now on. `serial` is ISA interrupt [`SERIAL_LINE`](crate::SERIAL_LINE).
///
/// # Errors
/// If the interrupt cannot be routed.
pub fn init(serial: Interrupt) -> Result<(), ApicError> {
    SERIAL.try_call_once(|| apic::route(serial.handle(on_interrupt), CpuId::BOOT))?;
    serial_port::enable_interrupts();
    Ok(())
}

/// Empties the port, whose queue is short, and leaves the rest to the task. If the kernel's log took the place of the line
/// that the user is typing, the editor of that line is woken.
fn on_interrupt(_interrupted: &mut Interrupted<'_>) {
    if serial_port::text_was_sent() && TRANSMIT.lock().bypass() {
        READABLE.wake_all();
    }
    while let Some(byte) = serial_port::receive() {
        // A full queue drops the byte: the port has nowhere to keep it either.
        let _kept = RECEIVED.lock().push_all(&[byte]);
    }
    WORK.wake_all();
}

/// Moves what has come to the readers. With `catch_interrupt`, Ctrl-C is told to the caller instead, and what was
/// typed before it is forgotten.
pub fn receive(catch_interrupt: bool) -> Typed {
    let mut typed = Typed::default();
    let mut chunk = [0; CHUNK];
    loop {
        // From before bytes are taken out until their readers have been woken: a driver that is ended or fails loses none.
        let _whole = InterruptGuard::new();
        let count = RECEIVED.lock().pop_into(&mut chunk);
        let Some(mut bytes @ [_, ..]) = chunk.get(..count) else { return typed };
        if catch_interrupt && let Some(last) = bytes.iter().rposition(|byte| *byte == INTERRUPT) {
            typed.interrupt = true;
            TYPED.lock().clear();
            bytes = bytes.get(last + 1..).unwrap_or_default();
        }
        let mut queue = TYPED.lock();
        for byte in bytes {
            // As above.
            let _kept = queue.push_all(&[*byte]);
        }
        drop(queue);
        READABLE.wake_all();
    }
}

/// Takes bytes that were typed, if there are any.
pub fn try_read(buffer: &mut [u8]) -> usize {
    TYPED.lock().pop_into(buffer)
}

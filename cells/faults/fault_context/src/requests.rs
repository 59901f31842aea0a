//! The requests of other tasks: to end, or to make a fault.

use core::sync::atomic::Ordering;

use crate::{FaultContext, FaultKind};

/// How urgently a task is to end.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KillRequest {
    /// It is not.
    None = 0,
    /// At its next cancellation point.
    AtCancellationPoint = 1,
    /// Between two instructions, at an interrupt.
    Anywhere = 2,
}

/// Ticks of the timer for which a request is put off.
const MAX_PUT_OFF: u32 = 500;

impl FaultContext {
    /// Whether a request (an end, a fault) can be met now: a catch would stop the unwinding, and no earlier fault is being
    /// noted.
    #[inline]
    pub fn takes_orders(&self) -> bool {
        !self.is_unwinding() && !self.noting.get() && !self.making.get() && !self.catch_top.get().is_null()
    }

    /// Asks the task to end, for this reason. A request replaces weaker ones, with their reasons, and no others.
    pub fn request_end(&self, why: FaultKind, request: KillRequest) {
        let asked = (request as u16) << 8 | why as u16;
        let stronger = |present: u16| (present >> 8 < asked >> 8).then_some(asked);
        // An error says that the present request is at least as strong.
        let _kept = self.end.fetch_update(Ordering::AcqRel, Ordering::Acquire, stronger);
        self.put_off.store(0, Ordering::Relaxed);
    }

    /// Asks the task to end because another task with the right to do so wants it.
    pub fn request_kill(&self, request: KillRequest) {
        self.request_end(FaultKind::Killed, request);
    }

    /// Forgets that the task was asked to end. For a task that begins anew instead.
    pub fn withdraw_end(&self) {
        self.end.store(KillRequest::None as u16, Ordering::Release);
    }

    /// Whether the task is to end, and can be ended now.
    #[inline]
    pub fn is_to_end(&self) -> bool {
        self.kill_request() != KillRequest::None && self.takes_orders()
    }

    /// Why the task is to end, if it is.
    pub fn end_kind(&self) -> FaultKind {
        let [why, _] = self.end.load(Ordering::Acquire).to_le_bytes();
        FaultKind::from_number(why).unwrap_or(FaultKind::Killed)
    }

    /// How urgently the task is to end.
    #[inline]
    pub fn kill_request(&self) -> KillRequest {
        match self.end.load(Ordering::Acquire) >> 8 {
            0 => KillRequest::None,
            1 => KillRequest::AtCancellationPoint,
            _ => KillRequest::Anywhere,
        }
    }

    /// Asks for a fault of this kind in the task; replaces one that was not delivered yet.
    pub fn request_fault(&self, kind: FaultKind) {
        self.inject.store(kind as u8, Ordering::Release);
        self.put_off.store(0, Ordering::Relaxed);
    }

    /// Puts off the request: the task does not stand at a safe point. Says whether it may be put off: after half a second of
    /// the task's own time it is met all the same.
    pub fn put_off(&self) -> bool {
        self.put_off.fetch_add(1, Ordering::Relaxed) < MAX_PUT_OFF
    }

    /// Whether a fault is to be made in the task.
    #[inline]
    pub fn has_requested_fault(&self) -> bool {
        self.inject.load(Ordering::Relaxed) != 0
    }

    /// Takes the fault that is to be made in the task, if there is one.
    #[inline]
    pub fn take_requested_fault(&self) -> Option<FaultKind> {
        if !self.has_requested_fault() {
            return None;
        }
        FaultKind::from_number(self.inject.swap(0, Ordering::AcqRel))
    }
}

//! The state that cells hand over, as typed values.
//!
//! A cell that carries state has `surrender` and `adopt` at its root, in types that a swap does not change. The engine
//! must know these types to pass the value on, so each kind of state is one entry here. A value that is not adopted goes
//! back to where it came from.

use alloc::string::String;

use ::state_transfer::{Catch, GivenBack, Reason, StateTransfer};
use namespace::replace::{self, ReplaceError};
use task_core::Cause;

use crate::{ADOPT, SURRENDER, SwapError};

/// The cell whose state is the list of ready tasks.
const POLICY: &str = "scheduling_policy";

/// Panics and CPU exceptions are caught by the unwinder.
struct Unwinder;

impl Catch for Unwinder {
    type Fault = Cause;

    fn catch<T>(&self, body: impl FnOnce() -> T) -> Result<T, Cause> {
        unwinder::catch(body).map_err(|caught| caught.cause)
    }
}

/// The state transfer of the one kind of state that there is.
pub(crate) struct Typed(StateTransfer);

impl Typed {
    /// With the functions at the addresses in `functions`, if the kind of state that `cell` hands over is known.
    pub(crate) fn new(cell: &str, functions: &replace::StateTransfer) -> Result<Self, SwapError> {
        if cell != POLICY {
            return Err(SwapError::UnknownState { cell: String::from(cell) });
        }
        let refused = |error| SwapError::Prepare(ReplaceError::from(error));
        // SAFETY: the functions are called before the swap ends, and until then neither the old cells nor the new ones go.
        unsafe {
            Ok(Self(StateTransfer::new(
                functions.surrender.function(&SURRENDER).map_err(refused)?,
                functions.give_back.function(&ADOPT).map_err(refused)?,
                functions.adopt.function(&ADOPT).map_err(refused)?,
            )))
        }
    }

    /// Takes the memory that handing over needs, while memory can still be had from others.
    pub(crate) fn prepare(&mut self) -> Result<(), SwapError> {
        self.0.prepare().map_err(|_| SwapError::Memory)
    }

    /// Hands the state over; if the new cell refuses it, or one of both does not survive it, the old one has it again.
    pub(crate) fn carry_out(&mut self) -> Result<(), SwapError> {
        self.0.carry_out(&Unwinder).map_err(|GivenBack { reason, lost }| {
            if lost > 0 {
                log::error!("cell {POLICY} did not take back {lost} tasks that it gave up itself: they are lost");
            }
            match reason {
                Reason::Surrender(cause) => SwapError::SurrenderFailed { cell: POLICY, cause },
                Reason::Refused(reason) => SwapError::NotAdopted { cell: POLICY, reason },
                Reason::Adopt(cause) => SwapError::AdoptFailed { cell: POLICY, cause },
            }
        })
    }
}

//! The state that cells hand over, as typed values.
//!
//! A cell that carries state has `export_state` and `import_state` at its root, in types that a swap does not change. The engine
//! must know these types to pass the value on, so each kind of state is one entry here. A value that is not imported goes
//! back to where it came from.

use alloc::string::String;

use ::state_transfer::{Catch, GivenBack, Reason, StateTransfer};
use replacement::ReplaceError;
use task_core::Cause;

use crate::{EXPORT_STATE, IMPORT_STATE, SwapError};

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
    pub(crate) fn new(cell: &str, functions: &replacement::StateTransfer) -> Result<Self, SwapError> {
        if cell != POLICY {
            return Err(SwapError::UnknownState { cell: String::from(cell) });
        }
        let refused = |error| SwapError::Prepare(ReplaceError::from(error));
        // SAFETY: the functions are called before the swap ends, and until then neither the old cells nor the new ones go.
        unsafe {
            Ok(Self(StateTransfer::new(
                functions.export_state.function(&EXPORT_STATE).map_err(refused)?,
                functions.give_back.function(&IMPORT_STATE).map_err(refused)?,
                functions.import_state.function(&IMPORT_STATE).map_err(refused)?,
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
                Reason::Export(cause) => SwapError::ExportFailed { cell: POLICY, cause },
                Reason::Refused(reason) => SwapError::NotImported { cell: POLICY, reason },
                Reason::Import(cause) => SwapError::ImportFailed { cell: POLICY, cause },
            }
        })
    }
}

//! The state that cells hand over, as typed values.
//!
//! A cell that carries state has `surrender` and `adopt` at its root, in types that a swap does not change. The engine
//! must know these types to pass the value on, so each kind of state is one entry here. A value that is not adopted goes
//! back to where it came from.

use alloc::{string::String, vec::Vec};

use namespace::replace::HandOver;
use policy_interface::{AdoptError, PolicyEntry};

use crate::SwapError;

/// The cell whose state is the list of ready tasks.
const POLICY: &str = "scheduling_policy";

type Surrender = fn() -> Vec<PolicyEntry>;
type Adopt = fn(Vec<PolicyEntry>) -> Result<(), (AdoptError, Vec<PolicyEntry>)>;

/// The functions of one hand-over, with their types.
pub(crate) struct Typed {
    surrender: Surrender,
    give_back: Adopt,
    adopt: Adopt,
}

impl Typed {
    /// The functions at the addresses in `functions`, if the kind of state that `cell` hands over is known.
    #[expect(clippy::cast_possible_truncation, reason = "an address of this machine is a usize")]
    pub(crate) fn new(cell: &str, functions: &HandOver) -> Result<Self, SwapError> {
        if cell != POLICY {
            return Err(SwapError::UnknownState { cell: String::from(cell) });
        }
        // SAFETY: the manifest names `scheduling_policy::surrender` and `::adopt` of both versions. Their signatures are
        // part of the structural digests, which `namespace::replace` has found unchanged between the versions, and this
        // crate was compiled with the same `policy_interface`.
        unsafe {
            Ok(Self {
                surrender: core::mem::transmute::<usize, Surrender>(functions.surrender as usize),
                give_back: core::mem::transmute::<usize, Adopt>(functions.give_back as usize),
                adopt: core::mem::transmute::<usize, Adopt>(functions.adopt as usize),
            })
        }
    }

    fn carry_out(&self) -> Result<(), SwapError> {
        match (self.adopt)((self.surrender)()) {
            Ok(()) => Ok(()),
            Err((reason, entries)) => {
                let returned = (self.give_back)(entries);
                debug_assert!(returned.is_ok(), "a policy takes back what it surrendered");
                Err(SwapError::NotAdopted { cell: POLICY, reason })
            }
        }
    }
}

/// Takes the memory that handing over needs, while memory can still be had from others.
pub(crate) fn prepare() -> Result<(), SwapError> {
    policy_interface::prepare_hand_over(task_core::count()).map_err(|_| SwapError::Memory)
}

/// Hands over the state of all cells; if one refuses, nothing has changed hands.
pub(crate) fn all(hand_overs: &[Typed]) -> Result<(), SwapError> {
    hand_overs.iter().try_for_each(Typed::carry_out)
}

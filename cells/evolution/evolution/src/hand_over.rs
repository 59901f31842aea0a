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
    /// What was handed over, for the case that it is lost on the way.
    copy: Vec<PolicyEntry>,
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
        // SAFETY: the manifest names `scheduling_policy::surrender` and `::adopt` of both versions. `namespace::replace`
        // hands a cell's state over only if the structural digests of both signatures are there and unchanged, and this
        // crate was compiled with the same `policy_interface`.
        unsafe {
            Ok(Self {
                copy: Vec::new(),
                surrender: core::mem::transmute::<usize, Surrender>(functions.surrender as usize),
                give_back: core::mem::transmute::<usize, Adopt>(functions.give_back as usize),
                adopt: core::mem::transmute::<usize, Adopt>(functions.adopt as usize),
            })
        }
    }

    /// Takes the memory that handing over needs, while memory can still be had from others.
    pub(crate) fn prepare(&mut self) -> Result<(), SwapError> {
        // Tasks may be made until the CPUs stand still.
        let room = task_core::count() + SPARE;
        policy_interface::prepare_hand_over(room).map_err(|_| SwapError::Memory)?;
        self.copy.clear();
        self.copy.try_reserve_exact(room).map_err(|_| SwapError::Memory)
    }

    /// Hands the state over; if the new cell refuses it, or does not survive it, the old one has it again.
    pub(crate) fn carry_out(&mut self) -> Result<(), SwapError> {
        let entries = (self.surrender)();
        self.copy.extend_from_slice(&entries);
        let (entries, error) = match unwinder::catch(|| (self.adopt)(entries)) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err((reason, entries))) => (entries, SwapError::NotAdopted { cell: POLICY, reason }),
            Err(caught) => {
                (core::mem::take(&mut self.copy), SwapError::AdoptFailed { cell: POLICY, cause: caught.cause })
            }
        };
        let returned = (self.give_back)(entries);
        debug_assert!(returned.is_ok(), "a policy takes back what it surrendered");
        Err(error)
    }
}

/// Room for tasks that are made between the preparation and the standstill.
const SPARE: usize = 16;

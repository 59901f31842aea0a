//! A prepared transfer has all its memory.
use super::*;

#[test]
fn nothing_is_allocated_once_it_is_prepared() {
    let mut state_transfer = StateTransfer::new(|_, _| (), |_, _| Ok(()), |_, _| Ok(()));
    state_transfer.prepare().unwrap();
    assert!(state_transfer.entries.capacity() >= MAX_TASKS && state_transfer.copy.capacity() >= MAX_TASKS);
}

//! Gives the thread locals of a cell that is loaded to the tasks that run already.

use thread_local_image::{ImageError, NewBlock};

use crate::rights::SPAWN;

/// Writes the initial bytes of a block into every task in the table. A task that is entered meanwhile has them from the image.
/// The function for [`thread_local_image::GROWTH`].
///
/// # Errors
/// [`ImageError::Memory`] if there is no memory for a task's block.
pub fn grow_thread_locals(block: NewBlock<'_>) -> Result<(), ImageError> {
    let (distance, bytes) = (block.distance(), block.bytes());
    for task in task_core::all() {
        let task = task.record();
        let place = task.thread_pointer();
        let grown = task.with_stack(SPAWN, |stack| {
            stack.grow_tls(distance).map_err(|_| ImageError::Memory)?;
            let block = (place as *mut u8).wrapping_sub(distance);
            // SAFETY: a block is at most as long as its distance, so it ends at the thread pointer or below; from its start to
            // there the stack was just seen to be mapped. It overlaps no other block, and belongs to a cell of which no code
            // has run yet.
            unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len()) };
            Ok(())
        });
        grown.unwrap_or(Ok(()))?;
    }
    Ok(())
}

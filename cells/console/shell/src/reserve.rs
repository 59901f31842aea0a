//! Memory for the operator's commands: taken while there is plenty, given up when there is none.
use command_line::Pipeline;
use frames::{AllocatedFrames, Purpose};

/// Frames that lie together, 128 KiB: a stack takes 64 KiB in one run, and so does a growing heap.
const PIECE: usize = 32;
/// Pieces that are kept, 1 MiB: a command takes a stack (100 KiB), its cell (less than 100 KiB) and some heap, and a pipe has
/// several commands.
const PIECES: usize = 8;

/// The commands that find out about a lack of memory, and end it.
const OPERATOR: [&str; 10] = ["cells", "fault", "jobs", "kill", "log", "mem", "poweroff", "ps", "reboot", "swap"];

/// The memory, as far as it is kept.
#[derive(Default)]
pub(crate) struct Reserve([Option<AllocatedFrames>; PIECES]);

impl Reserve {
    /// Takes the pieces that are not kept, as far as they are there.
    pub(crate) fn fill(&mut self) {
        for piece in self.0.iter_mut().filter(|piece| piece.is_none()) {
            *piece = frames::allocate(PIECE, Purpose::Other).ok();
        }
    }

    /// Gives the memory up for a pipeline of the operator's commands, unless there is other memory for it.
    pub(crate) fn give_up_for(&mut self, pipeline: &Pipeline) {
        let mut names = pipeline.commands.iter().filter_map(|command| command.words.first());
        let plenty = || frames::try_allocate(PIECE * PIECES, Purpose::Other).is_ok();
        if names.all(|name| OPERATOR.contains(&name.as_str())) && !plenty() {
            self.0 = Default::default();
        }
    }
}

//! Making tasks.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use cpu_local::CpuSet;
use stacks::{Stack, StackError};
use task_core::{Disposal, EssentialCap, NewTask, Origin, OriginCap, Priority, Role, Task, TaskTableFull};

use crate::join::{Joinable, Packet};
use crate::rights::SPAWN;
use crate::{essential, root};

/// Why there is no new task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpawnError {
    /// There are as many tasks as there can be.
    TooMany(TaskTableFull),
    /// There is no stack.
    Stack(StackError),
    /// None of the CPUs that it may run on runs tasks.
    NoCpu(CpuSet),
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(error) => write!(f, "no new task: {error}"),
            Self::Stack(error) => write!(f, "no new task: {error}"),
            Self::NoCpu(set) => write!(f, "no new task: none of the CPUs {:#x} runs tasks", set.bits()),
        }
    }
}

impl core::error::Error for SpawnError {}

impl From<TaskTableFull> for SpawnError {
    fn from(error: TaskTableFull) -> Self {
        Self::TooMany(error)
    }
}

impl From<StackError> for SpawnError {
    fn from(error: StackError) -> Self {
        Self::Stack(error)
    }
}

/// What a new task is to be like.
#[derive(Clone, Debug)]
#[must_use = "a builder makes a task only when it is told to spawn"]
pub struct Builder<'a> {
    name: &'a str,
    stack_size: usize,
    affinity: CpuSet,
    priority: Priority,
    origin: Option<Origin>,
}

impl Default for Builder<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Builder<'a> {
    /// A task without a name, with a stack of the default size, on any CPU, of normal priority.
    pub fn new() -> Self {
        Self {
            name: "",
            stack_size: stacks::DEFAULT_SIZE,
            affinity: CpuSet::from_bits(u32::MAX),
            priority: Priority::NORMAL,
            origin: None,
        }
    }

    /// Its name, cut after 31 bytes.
    pub fn name(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    /// Bytes of its stack.
    pub fn stack_size(self, stack_size: usize) -> Self {
        Self { stack_size, ..self }
    }

    /// The CPUs that it may run on.
    pub fn affinity(self, affinity: CpuSet) -> Self {
        Self { affinity, ..self }
    }

    /// How urgent it is. The scheduling policy decides what that means. A task that has an origin, as those of applications have,
    /// gets [`Priority::NORMAL`] at most: it could keep the system's tasks from their turns.
    pub fn priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// The part of the system that its code belongs to, which is kept until this task and all tasks that come from it have been
    /// disposed of. Without this call it is the caller's. The right is asked for, because a task with an origin that was not
    /// inherited counts as the first one of an application: it stays until it is joined.
    pub fn origin(self, _right: OriginCap, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }

    /// Makes the task, ready to run `body`.
    ///
    /// # Errors
    /// [`SpawnError`]: there is no memory for a stack, no place in the table of tasks, or no CPU that may run the task.
    pub fn spawn<T, F>(self, body: F) -> Result<Joinable<T>, SpawnError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let packet = Arc::new(Packet::new());
        let result = Arc::clone(&packet);
        let start = move || {
            let value = body();
            // SAFETY: this is the task, and what it does is called once.
            unsafe { result.fill(value) }
        };
        let task = self.make(Role::Ordinary, Box::new(start))?;
        scheduler::admit(SPAWN, &task);
        Ok(Joinable::new(task, packet))
    }

    /// Makes a task that the system cannot do without, ready to run `work`. When `work` ends in any way, the task calls it
    /// again, on the same stack and under the same number. The task cannot be ended, and has no joiner.
    ///
    /// # Errors
    /// As for [`spawn`](Self::spawn).
    pub fn spawn_essential(self, _right: EssentialCap, work: fn()) -> Result<(), SpawnError> {
        let task = self.make(Role::Essential, Box::new(move || essential::run(work)))?;
        task.body(SPAWN).dispose(Disposal::Detached);
        scheduler::admit(SPAWN, &task);
        Ok(())
    }

    /// Makes and equips a record. The task is not ready yet.
    pub(crate) fn make(self, role: Role, start: task_core::Start) -> Result<Arc<Task>, SpawnError> {
        if role != Role::Idle && self.affinity.bits() & scheduler::scheduling_cpus().bits() == 0 {
            return Err(SpawnError::NoCpu(self.affinity));
        }
        let is_inherited = self.origin.is_none();
        let origin = self.origin.or_else(|| task_core::current().and_then(task_core::Current::origin));
        let highest = if origin.is_some() { Priority::NORMAL } else { Priority::HIGHEST };
        let stack = Stack::new(self.stack_size)?;
        let thread_pointer = stack.thread_pointer().as_u64();
        // SAFETY: the stack is new and this function's own; its top is a multiple of the page size.
        let stack_pointer = unsafe { context_switch::prepare(stack.top().as_u64(), root::main) };
        let mut task = task_core::create(SPAWN, self.name, self.affinity, self.priority.min(highest), role)?;
        task.equip(stack, stack_pointer, start);
        if let Some(origin) = origin {
            task.set_origin(origin, is_inherited);
        }
        Ok(enter(task, thread_pointer)?)
    }
}

/// Gives an equipped task its thread locals and enters it in the table. A block that was published before is in the task's
/// image; `thread_local_growth` writes one that is published later.
fn enter(mut task: NewTask, thread_pointer: u64) -> Result<Arc<Task>, StackError> {
    loop {
        let (edition, size) = thread_local_image::edition();
        task.with_stack(|stack| stack.grow_tls(size)).unwrap_or(Ok(()))?;
        // SAFETY: `grow_tls` has mapped these bytes below the thread pointer, and they are used by the task only, which does
        // not run before it is entered.
        thread_local_image::initialise(unsafe {
            core::slice::from_raw_parts_mut((thread_pointer as *mut u8).sub(size), size)
        });
        let mut entered = None;
        if thread_local_image::if_current(edition, || entered = task.enter())
            && let Some(entered) = entered
        {
            return Ok(entered);
        }
    }
}

/// Makes a task with default properties that runs `body`.
///
/// # Errors
/// As for [`Builder::spawn`].
pub fn spawn<T, F>(name: &str, body: F) -> Result<Joinable<T>, SpawnError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    Builder::new().name(name).spawn(body)
}

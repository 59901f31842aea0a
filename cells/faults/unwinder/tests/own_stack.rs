//! The unwinder on the host: this program's own frames, destructors and landing pads.
//!
//! The program's `_Unwind_Resume` is ours, so its landing pads continue in our unwinder; a test that fails
//! therefore aborts instead of being reported, which the runner sees just as well.

use std::arch::naked_asm;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::panic::Location;

use fault_context::{FaultContext, Name, StackBounds};
use heap_accounts::Account;
use unwind_table::{TextRange, frame_entries, register};
use unwinder::{Caught, Cause, FaultKind, Registers, Walker, capture_in, catch_in, catch_root_in};

/// The header that the linker puts in front of the frame index: the address of `.eh_frame` is in its second word.
#[repr(C)]
struct ProgramInfo {
    base: usize,
    name: *const i8,
    headers: *const ProgramHeader,
    count: u16,
}

#[repr(C)]
struct ProgramHeader {
    kind: u32,
    flags: u32,
    offset: usize,
    address: usize,
    physical: usize,
    file_size: usize,
    memory_size: usize,
    align: usize,
}

unsafe extern "C" {
    fn dl_iterate_phdr(
        callback: extern "C" fn(*const ProgramInfo, usize, *mut c_void) -> c_int,
        data: *mut c_void,
    ) -> c_int;
}

#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C-unwind" fn _Unwind_Resume(exception: *mut u8) -> ! {
    // Not a call: ours must find the landing pad's frame as its caller.
    naked_asm!("jmp {ours}", ours = sym unwinder::_Unwind_Resume)
}

/// Registers the program's own text; the first object listed is the program itself.
extern "C" fn register_program(info: *const ProgramInfo, _size: usize, _data: *mut c_void) -> c_int {
    const LOAD: u32 = 1;
    const EH_FRAME_HDR: u32 = 0x6474_e550;
    // SAFETY: the dynamic linker passes its description of the program and its headers.
    unsafe {
        let info = &*info;
        let headers = std::slice::from_raw_parts(info.headers, usize::from(info.count));
        let text = headers.iter().find(|header| header.kind == LOAD && header.flags & 1 != 0).unwrap();
        let index = headers.iter().find(|header| header.kind == EH_FRAME_HDR).unwrap();
        let header = info.base + index.address;
        // The second word of the index is the distance from itself to `.eh_frame`.
        let distance = ((header + 4) as *const i32).read();
        let frames = (header + 4).wrapping_add_signed(distance as isize);
        let end = headers
            .iter()
            .filter(|header| header.kind == LOAD)
            .map(|header| info.base + header.address..info.base + header.address + header.memory_size)
            .find(|range| range.contains(&frames))
            .unwrap()
            .end;
        let eh_frame = std::slice::from_raw_parts(frames as *const u8, end - frames);
        let start = (info.base + text.address) as u64;
        let range = TextRange { start, end: start + text.memory_size as u64 };
        let entries = frame_entries(eh_frame, |_| false).unwrap();
        std::mem::forget(register(range, eh_frame, entries.into_boxed_slice()).unwrap());
    }
    1
}

fn set_up() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: the callback takes the arguments of the dynamic linker.
    ONCE.call_once(|| unsafe {
        dl_iterate_phdr(register_program, std::ptr::null_mut());
        // The host's own unwinding cannot get past this program's `_Unwind_Resume`.
        std::panic::set_hook(Box::new(|info| {
            eprintln!("{info}");
            std::process::abort();
        }));
    });
}

/// A context for the stack of the calling thread, as far as the caller's frames go.
fn context() -> FaultContext {
    let here = 0u8;
    let here = (&raw const here).addr() as u64;
    FaultContext::new(
        7,
        Name::new("test"),
        StackBounds { low: here - 0x10_0000, high: here + 0x1_0000 },
        Account::NOBODY,
    )
}

/// Unwinds from here.
fn begin_in(context: &FaultContext, cause: Cause) {
    // SAFETY: the tests make their contexts for the stacks of their threads.
    unsafe { unwinder::begin_in(context, cause) }
}

struct Note<'a>(&'a Cell<Vec<u32>>, u32);

impl Drop for Note<'_> {
    fn drop(&mut self) {
        note(self.0, self.1);
    }
}

fn note(log: &Cell<Vec<u32>>, entry: u32) {
    let mut entries = log.take();
    entries.push(entry);
    log.set(entries);
}

#[inline(never)]
fn recurse(depth: u32, log: &Cell<Vec<u32>>, end: &dyn Fn()) {
    let _note = Note(log, depth);
    if depth == 0 {
        end();
    } else {
        recurse(depth - 1, log, end);
    }
    note(log, 1000 + depth);
}

fn caught<T>(result: Result<T, Caught>) -> Caught {
    match result {
        Ok(_) => std::process::abort(),
        Err(caught) => caught,
    }
}

#[test]
fn a_value_comes_through_a_catch() {
    set_up();
    let context = context();
    assert_eq!(catch_in(&context, || String::from("whole")).unwrap(), "whole");
    assert!(context.catch_top.get().is_null());
}

#[test]
fn destructors_run_innermost_first() {
    set_up();
    let (context, log) = (context(), Cell::default());
    let end = || begin_in(&context, Cause::of(FaultKind::Panic));
    let result = caught(catch_in(&context, || recurse(4, &log, &end)));
    assert_eq!(log.take(), [0, 1, 2, 3, 4]);
    assert_eq!((result.cause.kind, result.lost_frames, result.nested), (FaultKind::Panic, 0, 0));
    assert!(context.trace.get().count >= 6);
    assert!(!context.is_unwinding());
}

#[test]
fn callee_saved_registers_survive_a_catch() {
    set_up();
    let (context, log) = (context(), Cell::default());
    let end = || begin_in(&context, Cause::of(FaultKind::Panic));
    let numbers: [u64; 8] = std::hint::black_box([1, 2, 3, 4, 5, 6, 7, 8]);
    let [a, b, c, d, e, f, g, h] = numbers;
    for round in 0..100 {
        caught(catch_in(&context, || recurse(3, &log, &end)));
        assert_eq!([a, b, c, d, e, f, g, h], numbers, "round {round}");
    }
}

#[test]
fn an_inner_catch_stops_a_panic_but_not_a_kill() {
    set_up();
    for (kind, expected) in [(FaultKind::Panic, vec![0, 1, 1002, 2]), (FaultKind::Killed, vec![0, 1, 2])] {
        let (context, log) = (context(), Cell::default());
        let end = || {
            caught(catch_in(&context, || recurse(1, &log, &|| begin_in(&context, Cause::of(kind)))));
            note(&log, 1002);
        };
        let result = catch_root_in(&context, || {
            let _note = Note(&log, 2);
            end();
        });
        assert_eq!(result.is_err(), kind == FaultKind::Killed);
        assert_eq!(log.take(), expected);
        assert!(context.catch_top.get().is_null());
    }
}

struct PanicsInDrop<'a>(&'a FaultContext);

impl Drop for PanicsInDrop<'_> {
    #[inline(never)]
    fn drop(&mut self) {
        begin_in(self.0, Cause::of(FaultKind::DivideError));
    }
}

#[test]
fn a_panic_in_a_destructor_does_not_stop_the_unwinding() {
    set_up();
    let (context, log) = (context(), Cell::default());
    let end = || {
        let _outer = Note(&log, 50);
        let _panics = PanicsInDrop(&context);
        begin_in(&context, Cause::of(FaultKind::Panic));
    };
    let result = caught(catch_in(&context, || recurse(2, &log, &end)));
    assert_eq!(result.cause.kind, FaultKind::Panic);
    assert_eq!(result.nested, 1);
    // The frame with the destructor that panicked is lost, with the values that it still owned. Its callers are not.
    assert_eq!((result.lost_frames, log.take()), (1, vec![0, 1, 2]));
}

struct CatchesInDrop<'a>(&'a FaultContext, &'a Cell<Vec<u32>>);

impl Drop for CatchesInDrop<'_> {
    fn drop(&mut self) {
        let inner = || begin_in(self.0, Cause::of(FaultKind::InvalidOpcode));
        let result = caught(catch_in(self.0, || recurse(0, self.1, &inner)));
        note(self.1, 100 + result.cause.kind as u32);
        assert!(self.0.is_unwinding());
    }
}

#[test]
fn a_destructor_may_catch_a_fault_of_its_own() {
    set_up();
    let (context, log) = (context(), Cell::default());
    let end = || {
        let _catches = CatchesInDrop(&context, &log);
        begin_in(&context, Cause::of(FaultKind::Panic));
    };
    let result = caught(catch_in(&context, || recurse(1, &log, &end)));
    assert_eq!((result.cause.kind, result.nested, result.lost_frames), (FaultKind::Panic, 0, 0));
    assert_eq!(log.take(), [0, 100 + FaultKind::InvalidOpcode as u32, 0, 1]);
}

#[inline(never)]
extern "C" fn border(context: &FaultContext, log: &Cell<Vec<u32>>) {
    // Owns nothing itself: its values would be dropped, and then the compiler's own panic would follow, which on
    // the host ends the program.
    recurse(0, log, &|| begin_in(context, Cause::of(FaultKind::Panic)));
}

/// The caller of a function that cannot unwind has no landing pad for the call: a frame of its own, that owns nothing.
#[inline(never)]
fn into_border(context: &FaultContext, log: &Cell<Vec<u32>>) {
    border(context, log);
    note(log, 6);
}

#[test]
fn a_border_that_must_not_unwind_is_passed_and_counted() {
    set_up();
    let (context, log) = (context(), Cell::default());
    let result = caught(catch_in(&context, || {
        let _note = Note(&log, 5);
        into_border(&context, &log);
    }));
    assert_eq!(log.take(), [0, 5]);
    assert!(result.lost_frames >= 1);
    assert!(result.lost_bytes > 0);
}

#[test]
fn without_a_catch_nothing_happens() {
    set_up();
    begin_in(&context(), Cause::of(FaultKind::Panic));
}

#[test]
fn missing_frame_information_gives_up_all_up_to_the_root() {
    set_up();
    let (context, log) = (context(), Cell::default());
    let result = caught(catch_root_in(&context, || {
        let _note = Note(&log, 1);
        // SAFETY: the callback is given no data.
        unsafe { without_frame_information(end_here, (&raw const context).cast()) };
    }));
    assert!(log.take().is_empty());
    assert_eq!((result.cause.kind, result.lost_frames), (FaultKind::Panic, 1));
}

extern "C-unwind" fn end_here(context: *const u8) {
    // SAFETY: the test passes its context.
    begin_in(unsafe { &*context.cast::<FaultContext>() }, Cause::of(FaultKind::Panic));
}

/// A frame that no table describes.
#[unsafe(naked)]
unsafe extern "C-unwind" fn without_frame_information(call: extern "C-unwind" fn(*const u8), data: *const u8) {
    naked_asm!("sub rsp, 24", "mov rax, rdi", "mov rdi, rsi", "call rax", "add rsp, 24", "ret")
}

#[test]
fn the_walker_names_the_frames_of_its_own_stack() {
    set_up();
    #[inline(never)]
    fn outer(frames: &mut Vec<u64>) -> &'static Location<'static> {
        middle(frames);
        Location::caller()
    }
    #[inline(never)]
    fn middle(frames: &mut Vec<u64>) {
        // SAFETY: the context is of this thread's stack.
        unsafe {
            capture_in(&context(), &mut |walker: Walker<'_>| {
                frames.extend(walker.map_while(Result::ok).map(|frame| frame.function));
            });
        }
        std::hint::black_box(());
    }
    let mut frames = Vec::new();
    outer(&mut frames);
    let position = |function: u64| frames.iter().position(|&frame| frame == function);
    let (inner, outer) = (position(middle as *const () as u64), position(outer as *const () as u64));
    assert!(inner.is_some() && outer > inner, "{frames:x?}");
}

#[test]
fn a_stack_pointer_outside_the_stack_ends_the_walk() {
    set_up();
    let stack = StackBounds { low: 0x1000, high: 0x2000 };
    // SAFETY: the stack pointer is zero, so there is nothing above it on the stack that the walker could read.
    let mut walker = unsafe { Walker::from_interrupted(Registers::ZERO, stack) };
    assert!(matches!(walker.next(), Some(Err(_))));
    assert!(walker.next().is_none());
}

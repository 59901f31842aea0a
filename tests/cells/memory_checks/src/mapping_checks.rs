//! Mappings do what their types say.

use addresses::{PAGE_SIZE, Page, PageRange};
use cpu_local::PreemptGuard;
use frames::Purpose;
use mapping::{Executable, MapPages, ReadOnly, Rights, ViewError, Writable};
use pages::Region;
use self_check::{CheckError, Outcome, expect};
use stacks::Stack;
use x86_64::instructions::{interrupts, tlb};

use crate::refused;

fn rights_of(page: Page) -> u64 {
    match mapping::translate(page.start()).map(|(_, rights)| rights) {
        None => 0,
        Some(Rights::ReadOnly) => 1,
        Some(Rights::Writable) => 2,
        Some(Rights::Executable) => 3,
        Some(Rights::Device) => 4,
    }
}

pub(crate) fn rights() -> Outcome {
    let mut writable = mapping::allocate_zeroed(2, Purpose::Other)?;
    writable.bytes_mut()[PAGE_SIZE] = 7;
    let page = writable.pages().first();
    expect("rights when writable", rights_of(page), 2)?;
    let read_only = writable.into_read_only()?;
    expect("rights when read-only", rights_of(page), 1)?;
    expect("byte kept", read_only.bytes()[PAGE_SIZE].into(), 7)?;
    let executable = read_only.into_writable()?.into_executable()?;
    expect("rights when executable", rights_of(page), 3)?;
    expect("byte kept", executable.bytes()[PAGE_SIZE].into(), 7)
}

pub(crate) fn unmapped() -> Outcome {
    let pages = pages::allocate(1)?;
    let range = pages.range();
    let mapping = pages.map(frames::allocate(1, Purpose::Other)?, ReadOnly)?;
    expect("rights while mapped", rights_of(range.first()), 1)?;
    let pages = mapping.unmap()?;
    expect("rights after unmapping", rights_of(range.first()), 0)?;
    expect("pages after unmapping", pages.count() as u64, 1)
}

/// Writes a function through an alias, moves it to where it runs, and runs it.
pub(crate) fn code_moves() -> Outcome {
    // mov eax, 42; ret
    const FUNCTION: [u8; 6] = [0xb8, 42, 0, 0, 0, 0xc3];
    let mut alias = mapping::allocate(1, Writable, Purpose::CellText)?;
    alias.bytes_mut()[..FUNCTION.len()].copy_from_slice(&FUNCTION);
    let old = alias.pages().first();
    let code = alias.move_to(pages::allocate_in(Region::Cells, 1)?, Executable)?;
    expect("rights at the alias", rights_of(old), 0)?;
    expect("rights at the place", rights_of(code.pages().first()), 3)?;
    // SAFETY: the page is executable and holds a function of this type, which outlives the call.
    let function: extern "C" fn() -> u32 = unsafe { core::mem::transmute(code.start().as_ptr::<u8>()) };
    expect("result of the function", function().into(), 42)
}

pub(crate) fn views() -> Outcome {
    let mut mapping = mapping::allocate_zeroed(1, Purpose::Other)?;
    *mapping.as_type_mut::<u32>(8)? = 0x0102_0304;
    expect("value written", (*mapping.as_type::<u32>(8)?).into(), 0x0102_0304)?;
    expect("last byte", (*mapping.as_type::<u8>(PAGE_SIZE - 1)?).into(), 0)?;
    let beyond = refused("a view beyond the end", mapping.as_type::<u64>(PAGE_SIZE - 4))?;
    expect("out of bounds", u64::from(matches!(beyond, ViewError::OutOfBounds { .. })), 1)?;
    let skewed = refused("a misaligned view", mapping.as_type::<u32>(6))?;
    expect("misaligned", u64::from(matches!(skewed, ViewError::Misaligned { .. })), 1)?;
    let invalid = refused("a view of 4 as a bool", mapping.as_type::<bool>(8))?;
    expect("invalid", u64::from(matches!(invalid, ViewError::Invalid { .. })), 1)?;
    let long = refused("a slice that overflows", mapping.as_slice::<u64>(0, usize::MAX))?;
    expect("out of bounds", u64::from(matches!(long, ViewError::OutOfBounds { .. })), 1)
}

/// Does the pivot's work, with a page that no CPU executes.
pub(crate) fn replacement() -> Outcome {
    let mut original = mapping::allocate_zeroed(2, Purpose::CellText)?;
    original.bytes_mut()[PAGE_SIZE] = 1;
    let original = original.into_executable()?;
    let mut copy = mapping::allocate_zeroed(1, Purpose::CellText)?;
    copy.bytes_mut()[0] = 2;
    let page = original.exchangeable(1).ok_or(CheckError::Missing("the page"))?;
    let mut prepared = None;
    // SAFETY: this function plays the pivot, and `replacement` is dropped before `original`.
    unsafe { mapping::prepare_pages(&[page], copy, &mut |page| prepared = Some(page))? };
    let replacement = prepared.ok_or(CheckError::Missing("the replacement"))?;
    // No other CPU is to see the page, with either frame.
    let _here = PreemptGuard::new();
    expect("byte before", original.bytes()[PAGE_SIZE].into(), 1)?;
    let value = || {
        tlb::flush(replacement.page().start());
        // SAFETY: the page is mapped, with either frame; volatile, because the mapping changes under the compiler.
        unsafe { replacement.page().start().as_ptr::<u8>().read_volatile() }.into()
    };
    let (mut forth, mut back) = (0, 0);
    interrupts::without_interrupts(|| {
        // SAFETY: the entry and its values are as prepared.
        unsafe { replacement.entry().write_volatile(replacement.new_bits()) };
        forth = value();
        // SAFETY: as above.
        unsafe { replacement.entry().write_volatile(replacement.old_bits()) };
        back = value();
        // SAFETY: as above.
        unsafe { replacement.entry().write_volatile(replacement.new_bits()) };
        value();
    });
    expect("byte of the copy", forth, 2)?;
    expect("byte after going back", back, 1)?;
    expect("shows the copy", u64::from(replacement.is_replaced()), 1)
}

/// Words on a stack that are not 0; afterwards none is.
fn fill(stack: &Stack) -> u64 {
    let words = stack.size() / size_of::<u64>();
    // SAFETY: the stack is mapped, and no task runs on it. A task may have run on it.
    let words = unsafe { core::slice::from_raw_parts_mut(stack.bottom().as_mut_ptr::<u64>(), words) };
    let used = words.iter().filter(|&&word| word != 0).count();
    words.fill(u64::MAX);
    used as u64
}

/// The words on the stack of an ended task are not on that of the next one. The next stack may be a kept one, as those of
/// the usual size are, or made of frames that others had.
pub(crate) fn stack_begins_empty() -> Outcome {
    for pages in [stacks::DEFAULT_SIZE / PAGE_SIZE, 3] {
        for _ in 0..3 {
            let stacks = [Stack::new(pages * PAGE_SIZE)?, Stack::new(pages * PAGE_SIZE)?];
            expect("words in use at the beginning", stacks.iter().map(fill).sum(), 0)?;
        }
    }
    Ok(())
}

pub(crate) fn stack() -> Outcome {
    let stack = Stack::new(3 * PAGE_SIZE)?;
    let mapped = |range: PageRange| range.iter().filter(|page| rights_of(*page) != 0).count() as u64;
    let reserve = stack.reserve().pages();
    expect("guard pages mapped", mapped(stack.guard()), 0)?;
    expect("reserve pages mapped", mapped(reserve), 0)?;
    expect("guard lies below the reserve", stack.guard().end_number(), reserve.first().number())?;
    expect("reserve lies below the stack", reserve.end_number(), Page::containing(stack.bottom()).number())?;
    stack.reveal_reserve();
    expect("reserve pages mapped when revealed", mapped(reserve), reserve.count() as u64)?;
    stack.hide_reserve()?;
    expect("reserve pages mapped when hidden", mapped(reserve), 0)?;
    // SAFETY: the word at the thread pointer is mapped and written when the stack is made.
    let word = unsafe { stack.thread_pointer().as_ptr::<u64>().read() };
    expect("word at the thread pointer", word, stack.thread_pointer().as_u64())?;
    stack.grow_tls(3 * PAGE_SIZE)?;
    let lowest = stack.thread_pointer() - 3 * PAGE_SIZE as u64;
    expect("grown thread locals are mapped", rights_of(Page::containing(lowest)), 2)?;
    refused("more thread locals than there is room", stack.grow_tls(stacks::TLS_SIZE + 1))?;
    Ok(())
}

//! The way of a CPU from its reset to the kernel: 16-bit code at a fixed page, and beside it a page of values for it.
//!
//! The code goes from real mode to 64-bit mode in one step: with physical address extension and long mode enabled
//! first, switching on protection and paging together is allowed. Both pages are mapped at their physical addresses,
//! since paging begins in the middle of the code.

use core::arch::naked_asm;
use core::mem::{offset_of, size_of};
use core::slice;

use addresses::{Frame, PAGE_SIZE, Page, PageRange, PhysAddr, VirtAddr};
use cpu_local::CpuId;
use mapping::{Executable, MappedPages, Writable, map_physical, map_physical_at};
use x86_64::registers::control::{Cr0, Cr3, Cr4, Efer, EferFlags};

use crate::StartError;

/// Where the code goes: below 1 MiB, and not used by any firmware once it has started the kernel.
const CODE: u16 = 0x8000;
/// Where the values go.
const VALUES: u16 = 0x9000;

/// The data that the code reads.
#[repr(C, align(16))]
struct Values {
    cr3: u64,
    cr4: u64,
    cr0: u64,
    efer: u64,
    stack_end: u64,
    cpu: u64,
    first_code: u64,
    /// For loading the segment table: its size less one and its address.
    table_limit: u16,
    table_address: [u16; 2],
    /// Nothing, 64-bit code, data.
    table: [u64; 3],
}

const _: () = assert!(size_of::<Values>() <= PAGE_SIZE);

#[expect(clippy::cast_possible_truncation, reason = "the values fit a page")]
const TABLE_OFFSET: u16 = offset_of!(Values, table) as u16;
const TABLE_SIZE: u16 = 3 * 8;

/// The first and the next-to-last byte of a piece of code.
#[repr(C)]
struct Extent {
    start: *const u8,
    end: *const u8,
}

/// Tells where the code is that starting CPUs run, which is the rest of this function. It finds out by itself,
/// since a function's address as seen elsewhere is that of its stub.
///
/// # Safety
/// None is needed by the caller: the part that is called returns at once.
#[unsafe(naked)]
unsafe extern "C" fn code() -> Extent {
    naked_asm!(
        ".cfi_startproc",
        "leaq 2f(%rip), %rax",
        "leaq 4f(%rip), %rdx",
        "retq",
        ".code16",
        "2:",
        "cli",
        "cld",
        "xorw %ax, %ax",
        "movw %ax, %ds",
        "lgdtl {values} + {table_limit}",
        "movl {values} + {cr4}, %eax",
        "movl %eax, %cr4",
        "movl {values} + {cr3}, %eax",
        "movl %eax, %cr3",
        "movl $0xc0000080, %ecx",
        "movl {values} + {efer}, %eax",
        "xorl %edx, %edx",
        "wrmsr",
        "movl {values} + {cr0}, %eax",
        "movl %eax, %cr0",
        "ljmpl $0x08, $({code} + 3f - 2b)",
        ".code64",
        "3:",
        "movw $0x10, %ax",
        "movw %ax, %ds",
        "movw %ax, %es",
        "movw %ax, %ss",
        "movq {values} + {stack_end}, %rsp",
        "movq {values} + {cpu}, %rdi",
        "movq {values} + {first_code}, %rax",
        "pushq $0",
        "jmpq *%rax",
        "4:",
        ".cfi_endproc",
        code = const CODE,
        values = const VALUES,
        table_limit = const offset_of!(Values, table_limit),
        cr4 = const offset_of!(Values, cr4),
        cr3 = const offset_of!(Values, cr3),
        efer = const offset_of!(Values, efer),
        cr0 = const offset_of!(Values, cr0),
        stack_end = const offset_of!(Values, stack_end),
        cpu = const offset_of!(Values, cpu),
        first_code = const offset_of!(Values, first_code),
        options(att_syntax),
    )
}

/// The two pages, in place as long as this lives.
pub(crate) struct Trampoline {
    values: MappedPages<Writable>,
    _code: MappedPages<Executable>,
}

impl Trampoline {
    /// The page that the startup message names.
    pub(crate) const PAGE: u8 = CODE.to_be_bytes()[0] >> 4;

    /// Puts the code in place; it will bring CPUs to `first_code`.
    pub(crate) fn new(first_code: extern "C" fn(u64) -> !) -> Result<Self, StartError> {
        // SAFETY: the called part only loads two addresses.
        let Extent { start, end } = unsafe { code() };
        // SAFETY: both are labels in the same function, which stays.
        let code = unsafe { slice::from_raw_parts(start, end.offset_from_unsigned(start)) };
        if code.len() > PAGE_SIZE {
            return Err(StartError::TooLong(code.len()));
        }
        // SAFETY: the page is memory that no other code uses, and this mapping is gone before the next is made.
        let mut alias = unsafe { map_physical(PhysAddr::new(u64::from(CODE)), PAGE_SIZE, Writable)? };
        alias.bytes_mut()[..code.len()].copy_from_slice(code);
        drop(alias);
        let mut trampoline =
            Self { values: at_its_own_address(VALUES, Writable)?, _code: at_its_own_address(CODE, Executable)? };
        trampoline.set(Values {
            cr3: Cr3::read().0.start_address().as_u64(),
            cr4: Cr4::read_raw(),
            cr0: Cr0::read_raw(),
            // The processor sets the bit for active long mode by itself.
            efer: Efer::read_raw() & !EferFlags::LONG_MODE_ACTIVE.bits(),
            stack_end: 0,
            cpu: 0,
            first_code: first_code as *const () as u64,
            table_limit: TABLE_SIZE - 1,
            table_address: [VALUES + TABLE_OFFSET, 0],
            table: [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff],
        });
        Ok(trampoline)
    }

    /// Sets the number and the stack of the next CPU.
    pub(crate) fn prepare(&mut self, cpu: CpuId, stack_end: VirtAddr) {
        let values = self.values();
        // SAFETY: `values` points to the values, which no CPU reads before the startup message that follows.
        unsafe {
            (&raw mut (*values).cpu).write_volatile(u64::from(cpu.number()));
            (&raw mut (*values).stack_end).write_volatile(stack_end.as_u64());
        }
    }

    fn set(&mut self, new: Values) {
        // SAFETY: as in `prepare`.
        unsafe { self.values().write_volatile(new) };
    }

    fn values(&mut self) -> *mut Values {
        self.values.start().as_mut_ptr()
    }
}

/// Maps a page of low memory at its physical address.
fn at_its_own_address<R: mapping::Permission>(address: u16, rights: R) -> Result<MappedPages<R>, StartError> {
    let address = u64::from(address);
    let pages = pages::allocate_at(PageRange::single(Page::containing(VirtAddr::new(address))))
        .map_err(mapping::MapError::from)?;
    // SAFETY: the page is memory that no other code uses.
    Ok(unsafe { map_physical_at(pages, Frame::containing(PhysAddr::new(address)).as_range(), rights)? })
}

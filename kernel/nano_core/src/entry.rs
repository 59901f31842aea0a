//! From the boot loader's 32-bit mode to Rust in the top 2 GiB.
//!
//! All of it is in the section `.boot`, which the host puts at physical address 1 MiB: so addresses are constants and
//! nothing here needs a relocation before paging works. The tables made here map the first GiB twice, at 0 and at the
//! top 2 GiB, writable and executable; they and this section are gone as soon as the final tables are in place.
//!
//! The first instructions look whether the processor has all that the rest depends on. One that lacks something is named in
//! one line on the first serial port, and the processor halts.
//!
//! Sources: PVH (Xen's `docs/misc/pvh.pandoc`), Multiboot2 specification 2.0 (3.1.2 and 3.3), Intel SDM volume 2, CPUID
//! (leaves 1 and 80000001h), volume 3, 11.8.5 (entering IA-32e mode), PC16550D datasheet, table II (serial port).

use core::{arch::global_asm, cell::UnsafeCell};

use boot_information::Region;

/// Stack of the boot CPU until it runs its first task. The deepest path is linking a cell: about 20 KiB.
const BOOT_STACK_SIZE: usize = 128 * 1024;

#[repr(C, align(4096))]
struct BootStack(UnsafeCell<[u8; BOOT_STACK_SIZE]>);

// SAFETY: only the boot CPU uses it, as its stack; no Rust code reads or writes the field.
unsafe impl Sync for BootStack {}

static BOOT_STACK: BootStack = BootStack(UnsafeCell::new([0; BOOT_STACK_SIZE]));

/// Where the boot stack is.
pub(crate) fn boot_stack() -> Region {
    Region { start: BOOT_STACK.0.get().addr() as u64, bytes: BOOT_STACK_SIZE as u64 }
}

global_asm!(
    r#"
    .section .boot, "awx", @progbits
    .set PHYSICAL, 0x100000
    .balign 4096
boot_start:
    # Multiboot2 header: must lie in the first 32 KiB of the file, aligned to 8 bytes.
multiboot_header:
    .long 0xe85250d6, 0, multiboot_end - multiboot_header
    .long -(0xe85250d6 + (multiboot_end - multiboot_header))
    # Entry address tag.
    .short 3, 0
    .long 12, multiboot_entry - boot_start + PHYSICAL
    .balign 8
    # Module alignment tag: modules start on page boundaries.
    .short 6, 0
    .long 8
    # End tag.
    .short 0, 0
    .long 8
multiboot_end:

    # Start and end of text, constants, data and section map: the host writes them.
    .balign 8
    .global seed_image
seed_image:
    .fill 8, 8, 0
    .set SEED_IMAGE, seed_image - boot_start + PHYSICAL

entry_ticks:
    .quad 0
descriptors:
    .quad 0
    .quad 0x00af9a000000ffff
    .quad 0x00cf92000000ffff
descriptors_pointer:
    .short descriptors_pointer - descriptors - 1
    .long descriptors - boot_start + PHYSICAL

    .code32
    .global pvh_entry
pvh_entry:
    mov $0x336ec578, %edi
    mov %ebx, %esi
    jmp common_entry
multiboot_entry:
    mov %eax, %edi
    mov %ebx, %esi
common_entry:
    cli
    cld
    rdtsc
    mov %eax, (entry_ticks - boot_start + PHYSICAL)
    mov %edx, (entry_ticks - boot_start + PHYSICAL + 4)

    # CPUID leaves the registers of the loader alone, %esi and %edi. Each text is chosen before its test is made.
    mov $0x80000000, %eax
    cpuid
    mov $(no_long_mode - boot_start + PHYSICAL), %ebx
    cmp $0x80000001, %eax
    jb refuse
    mov $0x80000001, %eax
    cpuid
    mov $(no_long_mode - boot_start + PHYSICAL), %ebx
    bt $29, %edx
    jnc refuse
    mov $(no_execute - boot_start + PHYSICAL), %ebx
    bt $20, %edx
    jnc refuse
    mov $1, %eax
    cpuid
    mov $(no_global_pages - boot_start + PHYSICAL), %ebx
    bt $13, %edx
    jnc refuse

    # The first GiB in pages of 2 MiB: present, writable, large.
    mov $(directory - boot_start + PHYSICAL), %ebx
    mov $0x83, %eax
    mov $512, %ecx
1:  mov %eax, (%ebx)
    add $0x200000, %eax
    add $8, %ebx
    loop 1b

    # At address 0, at the top 2 GiB (entry 510 of the last table), and the tables themselves in slot 510.
    movl $(directory - boot_start + PHYSICAL + 3), (low_pointers - boot_start + PHYSICAL)
    movl $(directory - boot_start + PHYSICAL + 3), (high_pointers - boot_start + PHYSICAL + 510 * 8)
    movl $(low_pointers - boot_start + PHYSICAL + 3), (level_4 - boot_start + PHYSICAL)
    movl $(level_4 - boot_start + PHYSICAL + 3), (level_4 - boot_start + PHYSICAL + 510 * 8)
    movl $(high_pointers - boot_start + PHYSICAL + 3), (level_4 - boot_start + PHYSICAL + 511 * 8)

    # Physical address extension and global pages.
    mov %cr4, %eax
    or $0xa0, %eax
    mov %eax, %cr4
    mov $(level_4 - boot_start + PHYSICAL), %eax
    mov %eax, %cr3
    # Long mode and no-execute.
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax
    wrmsr
    # Paging, write protection for the kernel too, protected mode.
    mov %cr0, %eax
    or $0x80010001, %eax
    mov %eax, %cr0
    lgdt (descriptors_pointer - boot_start + PHYSICAL)
    ljmp $0x08, $(long_mode - boot_start + PHYSICAL)

    # Sends the text at %ebx, with the port at 115,200 baud, 8 bits, no parity, and halts.
refuse:
    mov $0x3fb, %edx
    mov $0x80, %al
    out %al, (%dx)
    mov $0x3f8, %edx
    mov $1, %al
    out %al, (%dx)
    inc %edx
    xor %eax, %eax
    out %al, (%dx)
    mov $0x3fb, %edx
    mov $3, %al
    out %al, (%dx)
2:  mov $0x3fd, %edx
    in (%dx), %al
    test $0x20, %al
    jz 2b
    mov (%ebx), %al
    test %al, %al
    jz 3f
    mov $0x3f8, %edx
    out %al, (%dx)
    inc %ebx
    jmp 2b
3:  hlt
    jmp 3b

no_long_mode:
    .asciz "boot failed: this processor has no 64-bit mode (CPUID 80000001h, EDX bit 29)\r\n"
no_execute:
    .asciz "boot failed: this processor has no pages that are not executable (NX: CPUID 80000001h, EDX bit 20)\r\n"
no_global_pages:
    .asciz "boot failed: this processor has no global pages (PGE: CPUID 1, EDX bit 13)\r\n"

    .code64
long_mode:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    movabs ${stack} + {stack_size}, %rsp
    xor %ebp, %ebp
    mov %edi, %edi
    mov %esi, %esi
    mov (entry_ticks - boot_start + PHYSICAL), %rdx
    mov $(seed_image - boot_start + PHYSICAL), %ecx
    movabs ${start}, %rax
    # A return address of 0 ends every walk of this stack.
    push $0
    jmp *%rax

    .balign 4096
level_4:
    .fill 512, 8, 0
low_pointers:
    .fill 512, 8, 0
high_pointers:
    .fill 512, 8, 0
directory:
    .fill 512, 8, 0
    .text
    "#,
    stack = sym BOOT_STACK,
    stack_size = const BOOT_STACK_SIZE,
    start = sym crate::start,
    options(att_syntax)
);

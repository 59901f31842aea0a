//! The bounded search that needs no nightly compiler: sound inputs, damaged at random from a fixed seed.

use std::path::PathBuf;
use std::process::Command;

use manifest::{Alternate, CellDetails, CellEntry, Manifest, Role};
use xorshift::Random;

/// A run takes a few seconds; the coverage-guided engine is for more.
const ROUNDS: usize = 200_000;

/// Values that break sums and bounds rather than only look odd.
const NASTY: [u64; 8] = [0, 1, 0x7fff_ffff, 0xffff_ffff, 0x8000_0000, u64::MAX, i64::MAX.cast_unsigned(), 0xff00];

fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(3) {
        // Half of the damage in the headers at both ends, where the structure is.
        let length = bytes.len();
        let at = match random.below(4) {
            0 => random.below(64.min(length)),
            1 => length - 1 - random.below((length / 8).max(1)),
            _ => random.below(length),
        };
        match random.below(5) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            2 | 3 => {
                let value = NASTY[random.below(NASTY.len())].to_le_bytes();
                let width = [2, 4, 8][random.below(3)].min(length - at);
                bytes[at..at + width].copy_from_slice(&value[..width]);
            }
            _ if length > 64 => bytes.truncate(64.max(length - random.below(length / 4 + 1))),
            _ => {}
        }
    }
}

fn search(sound: &[u8], seed: u64, target: fn(&[u8])) {
    target(sound);
    let mut random = Random::new(seed);
    for _ in 0..ROUNDS {
        let mut bytes = sound.to_vec();
        damage(&mut bytes, &mut random);
        target(&bytes);
    }
}

/// An object with every kind of section and relocation that cells have.
fn sample() -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{:?}", std::thread::current().id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, object) = (folder.join("sample.rs"), folder.join("sample.o"));
    std::fs::write(
        &source,
        "#![no_std]
        use core::sync::atomic::{AtomicU64, Ordering};
        pub static COUNT: AtomicU64 = AtomicU64::new(0);
        pub static NAMES: [&str; 2] = [\"one\", \"another\"];
        pub trait Speak { fn speak(&self) -> &'static str; }
        impl Speak for u8 { fn speak(&self) -> &'static str { NAMES[usize::from(*self)] } }
        pub fn voice() -> &'static dyn Speak { COUNT.fetch_add(1, Ordering::Relaxed); &1_u8 }",
    )
    .unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--edition=2024", "--crate-name=sample", "--crate-type=lib", "--emit=obj", "-Copt-level=2"])
        .args(["-Ccodegen-units=1", "-Csymbol-mangling-version=v0", "-Ccode-model=kernel", "-Crelocation-model=static"])
        .args(["-Cforce-unwind-tables=yes", "-o"])
        .args([&object, &source])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(object).unwrap()
}

#[test]
fn the_sample_is_sound() {
    object::Object::parse(&sample()).unwrap();
}

#[test]
fn damaged_objects_are_refused_or_keep_the_promises() {
    search(&sample(), 0x1234_5678_9abc_def1, fuzz::object);
}

#[test]
fn noise_is_refused() {
    let mut random = Random::new(77);
    for _ in 0..ROUNDS {
        let length = random.below(300);
        let mut bytes: Vec<u8> = (0..length).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
        if bytes.len() > 4 {
            bytes[..4].copy_from_slice(b"\x7fELF");
        }
        fuzz::object(&bytes);
        fuzz::archive(&bytes);
    }
}

#[test]
fn damaged_archives_are_refused_or_keep_the_promises() {
    let object = sample();
    let mut packer = archive::Packer::new();
    let entry = CellEntry {
        name: "sample".into(),
        version: "0.1".into(),
        group: "tests".into(),
        role: Role::Kernel,
        object: packer.add(&object).unwrap(),
        details: packer.add(&details()).unwrap(),
        dependencies: vec!["core".into()],
        forbids_unsafe: true,
        unsafe_blocks: 0,
        isolated_functions: vec![1, 4],
        entry: None,
        state_transfer: None,
        entry_points: vec![],
        expected: vec![],
        stack_size: None,
        license: "MIT".into(),
    };
    let manifest =
        Manifest { compiler: "rustc".into(), entry: "main".into(), cells: vec![entry], alternates: Vec::new() };
    let (bytes, _) = packer.finish(&manifest).unwrap();
    search(&bytes, 0x0fed_cba9_8765_4321, fuzz::archive);
}

#[test]
fn damaged_manifests_are_refused_or_read() {
    let mut packer = archive::Packer::new();
    let blob = packer.add(&details()).unwrap();
    let cell = |name: &str| CellEntry {
        name: name.into(),
        version: "0.1".into(),
        group: "tests".into(),
        role: Role::Application,
        object: blob,
        details: blob,
        dependencies: vec!["core".into(), "alloc".into()],
        forbids_unsafe: false,
        unsafe_blocks: 3,
        isolated_functions: vec![1, 4],
        entry: Some("main".into()),
        state_transfer: Some(("export_state".into(), "import_state".into())),
        entry_points: vec![],
        expected: vec![],
        stack_size: None,
        license: "MIT".into(),
    };
    let cells = vec![cell("one"), cell("two")];
    let alternate = Alternate {
        name: "other".into(),
        description: "Another one.".into(),
        refused: false,
        edited: "one".into(),
        cells: vec![cell("one")],
    };
    let manifest = Manifest { compiler: "rustc".into(), entry: "main".into(), cells, alternates: vec![alternate] };
    search(&postcard::to_stdvec(&manifest).unwrap(), 0x0bad_5eed_0bad_5eed, fuzz::manifest);
}

fn details() -> Vec<u8> {
    postcard::to_stdvec(&CellDetails::default()).unwrap()
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

/// A table with its signature and length.
fn put_table(image: &mut [u8], at: usize, signature: &[u8], body: &[u8]) {
    put(image, at, signature);
    put(image, at + 4, &u32::try_from(36 + body.len()).unwrap().to_le_bytes());
    image[at + 8] = 6;
    put(image, at + 36, body);
}

/// ACPI tables with every kind of entry that is read: two CPUs, an I/O APIC, an override, power-off and reset.
fn acpi_tables() -> Vec<u8> {
    let mut image = vec![0; 0x480];
    let address = |table: usize| fuzz::BASE + table as u64;
    let [list, controllers, power, code] = fuzz::TABLES;
    put(&mut image, fuzz::ROOT, b"RSD PTR ");
    image[fuzz::ROOT + 15] = 2;
    put(&mut image, fuzz::ROOT + 20, &36_u32.to_le_bytes());
    put(&mut image, fuzz::ROOT + 24, &address(list).to_le_bytes());
    put_table(&mut image, list, b"XSDT", &[address(controllers), address(power)].map(u64::to_le_bytes).concat());
    let mut entries = vec![0, 0, 0xe0, 0xfe, 1, 0, 0, 0];
    entries.extend([0, 8, 0, 0, 1, 0, 0, 0]);
    entries.extend([9, 16, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    entries.extend([1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
    entries.extend([2, 10, 0, 0, 2, 0, 0, 0, 0xd, 0]);
    entries.extend([5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0]);
    // Of a kind that is passed over.
    entries.extend([0x80, 4, 0, 0]);
    put_table(&mut image, controllers, b"APIC", &entries);
    let mut fields = vec![0; 276 - 36];
    put(&mut fields, 40 - 36, &u32::try_from(address(code)).unwrap().to_le_bytes());
    put(&mut fields, 64 - 36, &0x604_u32.to_le_bytes());
    fields[89 - 36] = 2;
    put(&mut fields, 112 - 36, &(1_u32 << 10).to_le_bytes());
    put(&mut fields, 116 - 36, &[1, 8, 0, 1, 0xf9, 0xc, 0, 0, 0, 0, 0, 0]);
    fields[128 - 36] = 6;
    put_table(&mut image, power, b"FACP", &fields);
    put_table(&mut image, code, b"DSDT", b"\x10\x20\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00");
    image
}

#[test]
fn the_acpi_tables_are_sound() {
    let platform = fuzz::platform(&acpi_tables()).unwrap();
    assert_eq!((platform.cpus.len(), platform.io_apics.len(), platform.overrides.len()), (2, 1, 1));
    assert_eq!(platform.local_apic.as_u64(), 0xfee0_0000);
    assert_eq!(platform.power.map(|power| (power.control_a, power.sleep_type_a)), Some((0x604, 5)));
    assert!(platform.reset.is_some());
}

#[test]
fn damaged_acpi_tables_are_refused_or_keep_the_promises() {
    search(&acpi_tables(), 0x0ac1_0ac1_0ac1_0ac1, fuzz::acpi);
}

#[test]
fn damaged_boot_tables_are_refused_or_keep_the_promises() {
    let mut image = vec![0; 0x400];
    let at = |offset: u64| (fuzz::BASE + offset).to_le_bytes();
    put(&mut image, 0, &boot_information::pvh::MAGIC.to_le_bytes());
    put(&mut image, 12, &1_u32.to_le_bytes());
    put(&mut image, 16, &at(0x40));
    put(&mut image, 24, &at(0x80));
    put(&mut image, 40, &at(0x300));
    put(&mut image, 48, &2_u32.to_le_bytes());
    put(&mut image, 0x48, &0x1234_u64.to_le_bytes());
    put(&mut image, 0x80, b"log=info exit=debug");
    for entry in [0x300, 0x318] {
        put(&mut image, entry + 8, &0x10_0000_u64.to_le_bytes());
        image[entry + 16] = 1;
    }
    search(&image, 0xb007_b007_b007_b007, fuzz::boot);
}

/// A tag of the Multiboot2 protocol, with the padding after it.
fn tag(kind: u32, content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(8 + content.len()).unwrap();
    let mut bytes = [kind.to_le_bytes(), size.to_le_bytes()].concat();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Tables with every kind of tag that is read, and one that is passed over, as GRUB orders them.
fn multiboot_tables() -> Vec<u8> {
    let usable = [0x10_0000, 0, 0x700_0000, 0, 1, 0];
    let reserved = [0xfee0_0000, 0, 0x1000, 0, 2, 0];
    let tags = [
        tag(1, b"log=info exit=debug\0"),
        tag(2, b"GRUB 2.06\0"),
        tag(3, &[words(&[0x20_0000, 0x28_0000]), b"cells\0".to_vec()].concat()),
        tag(6, &[words(&[24, 0]), words(&usable), words(&reserved)].concat()),
        tag(14, &[0; 20]),
        tag(15, &[0; 36]),
        tag(0, &[]),
    ]
    .concat();
    let size = u32::try_from(8 + tags.len()).unwrap();
    [words(&[size, 0]), tags].concat()
}

#[test]
fn the_multiboot_tables_are_sound() {
    let information = fuzz::multiboot_information(&multiboot_tables()).unwrap();
    assert_eq!((information.command_line(), information.usable().len()), ("log=info exit=debug", 1));
    assert!(information.archive.is_some() && information.acpi_root.is_some());
}

#[test]
fn damaged_multiboot_tables_are_refused_or_keep_the_promises() {
    search(&multiboot_tables(), 0x36d7_6289_36d7_6289, fuzz::multiboot);
}

#[test]
fn damaged_lists_of_files_are_refused_or_keep_the_promises() {
    let mut list = vec![0; 4 + 3 * firmware_directory::ENTRY_SIZE];
    put(&mut list, 0, &3_u32.to_be_bytes());
    for (index, name) in [&b"etc/e820"[..], b"opt/mitos/greeting", b"bootorder"].into_iter().enumerate() {
        let entry = 4 + index * firmware_directory::ENTRY_SIZE;
        put(&mut list, entry, &0x20_u32.to_be_bytes());
        put(&mut list, entry + 8, name);
    }
    search(&list, 0x0f11_e5f1_1e50_f11e, fuzz::firmware);
}

#[test]
fn any_bytes_may_be_typed() {
    let keys = "echo 'one  two' | cat > /tmp/a ; ls \"\u{e4}\u{20ac}\" &\t\u{1b}[A\u{1b}[1;5D\u{1b}[3~\u{8}\u{17}\u{c}\u{1}\u{b}\r";
    search(keys.as_bytes(), 0x7e1e_7e1e_7e1e_7e1e, fuzz::typed);
}

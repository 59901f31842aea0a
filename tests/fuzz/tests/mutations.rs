//! The bounded search that needs no nightly compiler: sound inputs, damaged at random from a fixed seed.

use std::path::PathBuf;
use std::process::Command;

use manifest::{Alternate, CellDetails, CellEntry, Manifest, Role};

/// A run takes a few seconds; the coverage-guided engine is for more.
const ROUNDS: usize = 200_000;

/// Xorshift: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit.max(1)
    }
}

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
    let mut random = Random(seed);
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
    let mut random = Random(77);
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
        entry: None,
        hand_over: None,
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
        entry: Some("main".into()),
        hand_over: Some(("surrender".into(), "adopt".into())),
        license: "MIT".into(),
    };
    let cells = vec![cell("one"), cell("two")];
    let alternate = Alternate {
        name: "other".into(),
        description: "Another one.".into(),
        overlaid: "one".into(),
        cells: vec![cell("one")],
    };
    let manifest = Manifest { compiler: "rustc".into(), entry: "main".into(), cells, alternates: vec![alternate] };
    search(&postcard::to_stdvec(&manifest).unwrap(), 0x0bad_5eed_0bad_5eed, fuzz::manifest);
}

fn details() -> Vec<u8> {
    postcard::to_stdvec(&CellDetails::default()).unwrap()
}

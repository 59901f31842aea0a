use alloc::{string::String, vec, vec::Vec};

use manifest::{CellEntry, Manifest, Role};

use super::*;

fn packed(object: &[u8]) -> (Vec<u8>, Digest) {
    let mut packer = Packer::new();
    packer.add(b"something before it").unwrap();
    let cell = CellEntry {
        name: String::from("sample"),
        version: String::from("1"),
        group: String::from("tests"),
        role: Role::Kernel,
        object: packer.add(object).unwrap(),
        details: packer.add(&postcard::to_allocvec(&CellDetails::default()).unwrap()).unwrap(),
        dependencies: vec![],
        forbids_unsafe: true,
        unsafe_blocks: 0,
        isolated_functions: vec![1, 4],
        entry: None,
        state_transfer: None,
        entry_points: vec![],
        expected: vec![],
        stack_size: None,
        license: String::from("MIT"),
    };
    let manifest = Manifest { compiler: String::new(), entry: String::new(), cells: vec![cell], alternates: vec![] };
    packer.finish(&manifest).unwrap()
}

#[test]
fn what_was_packed_comes_back() {
    let object: Vec<u8> = (0..10_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    let (bytes, build) = packed(&object);
    let archive = Archive::parse(bytes).unwrap();
    assert_eq!(*archive.build(), build);
    let cell = archive.manifest().cell("sample").unwrap();
    assert_eq!(archive.object(cell).unwrap(), object);
    assert_eq!(archive.details(cell).unwrap(), CellDetails::default());
}

#[test]
fn every_truncation_is_refused() {
    let (bytes, _) = packed(&[7; 300]);
    for size in 0..bytes.len() {
        let whole = Archive::parse(&bytes[..size]).is_ok_and(|archive| {
            let cell = archive.manifest().cell("sample").unwrap();
            archive.object(cell).is_ok() && archive.details(cell).is_ok()
        });
        assert!(!whole, "an archive cut off after {size} bytes was accepted");
    }
}

#[test]
fn no_flipped_bit_gives_another_object() {
    let (bytes, _) = packed(&[7; 300]);
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        let other = Archive::parse(&damaged).is_ok_and(|archive| {
            let cell = archive.manifest().cell("sample").unwrap();
            archive.object(cell).is_ok_and(|object| object != [7; 300])
        });
        assert!(!other, "byte {position} was flipped unseen");
    }
}

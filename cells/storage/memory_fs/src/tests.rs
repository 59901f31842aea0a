extern crate std;

use super::*;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::vec;
use file_system::{Mounts, OpenOptions};
use std::format;
use xorshift::Random;

const CAPACITY: u64 = 10_000;
const CREATE: OpenOptions = OpenOptions { create: true, exclusive: false, truncate: false };
const OPEN: OpenOptions = OpenOptions { create: false, exclusive: false, truncate: false };

fn tree() -> Mounts {
    let mut tree = Mounts::new();
    tree.mount("/", Box::new(MemoryFs::new(CAPACITY).unwrap())).unwrap();
    tree
}

fn put(tree: &mut Mounts, path: &str, bytes: &[u8]) -> Result<(), FsError> {
    let handle = tree.open(path, OpenOptions { truncate: true, ..CREATE })?;
    let result = tree.write(&handle, 0, bytes);
    tree.close(&handle)?;
    result
}

fn get(tree: &mut Mounts, path: &str) -> Result<Vec<u8>, FsError> {
    let handle = tree.open(path, OPEN)?;
    let mut bytes = vec![0; usize::try_from(tree.size(&handle)?).unwrap() + 5];
    let count = tree.read(&handle, 0, &mut bytes)?;
    bytes.truncate(count);
    tree.close(&handle)?;
    Ok(bytes)
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let mut tree = tree();
    put(&mut tree, "/a", b"hello").unwrap();
    let handle = tree.open("a", OPEN).unwrap();
    tree.write(&handle, 3, b"LONG").unwrap();
    tree.write(&handle, 10, b"!").unwrap();
    let mut buffer = [9; 4];
    assert_eq!(tree.read(&handle, 8, &mut buffer), Ok(3));
    assert_eq!(buffer, [0, 0, b'!', 9]);
    assert_eq!(tree.read(&handle, u64::MAX, &mut buffer), Ok(0));
    tree.close(&handle).unwrap();
    assert_eq!(get(&mut tree, "//a").unwrap(), b"helLONG\0\0\0!");
    assert_eq!(tree.metadata("/a"), Ok(Metadata { kind: Kind::File, size: 11 }));
    put(&mut tree, "/a", b"x").unwrap();
    assert_eq!(get(&mut tree, "/a").unwrap(), b"x");
}

#[test]
fn refusals_say_why() {
    let mut tree = tree();
    tree.create_directory("/d").unwrap();
    put(&mut tree, "/d/f", b"").unwrap();
    assert_eq!(get(&mut tree, "/none"), Err(FsError::NotFound));
    assert_eq!(get(&mut tree, "/d"), Err(FsError::IsADirectory));
    assert_eq!(get(&mut tree, "/"), Err(FsError::IsADirectory));
    assert_eq!(get(&mut tree, "/d/f/g"), Err(FsError::NotADirectory));
    assert_eq!(put(&mut tree, "/d/..", b""), Err(FsError::InvalidName));
    assert_eq!(tree.open("/d/f", OpenOptions { exclusive: true, ..CREATE }), Err(FsError::Exists));
    assert_eq!(tree.create_directory("/d"), Err(FsError::Exists));
    assert_eq!(tree.create_directory("/"), Err(FsError::Exists));
    assert_eq!(tree.remove("/d"), Err(FsError::NotEmpty));
    assert_eq!(tree.remove("/x"), Err(FsError::NotFound));
    assert_eq!(tree.list("/d/f"), Err(FsError::NotADirectory));
    assert_eq!(tree.mount("/", Box::new(MemoryFs::new(1).unwrap())), Err(FsError::Mounted));
    tree.remove("/d/f").unwrap();
    tree.remove("/d/").unwrap();
    assert_eq!(tree.list("/"), Ok(vec![]));
}

#[test]
fn a_node_moves_whole_or_stays() {
    let mut tree = tree();
    tree.create_directory("/d").unwrap();
    tree.create_directory("/d/e").unwrap();
    put(&mut tree, "/a", b"a").unwrap();
    put(&mut tree, "/d/b", b"longer").unwrap();
    let open = tree.open("/d/b", OPEN).unwrap();
    tree.rename("/a", "/a").unwrap();
    tree.rename("/a", "/d/b").unwrap();
    tree.check().unwrap();
    assert_eq!(get(&mut tree, "/d/b").unwrap(), b"a");
    assert_eq!(get(&mut tree, "/a"), Err(FsError::NotFound));
    // The file that was replaced lives on until it is closed.
    assert_eq!(tree.size(&open), Ok(6));
    tree.close(&open).unwrap();
    assert_eq!(tree.usage().next().unwrap().1.used, 1);
    for (from, to, error) in [
        ("/none", "/x", FsError::NotFound),
        ("/d", "/d/e/f", FsError::IntoItself),
        ("/d", "/d/d", FsError::IntoItself),
        ("/d/b", "/d/e", FsError::Exists),
        ("/d/e", "/d/b", FsError::Exists),
        ("/d/b", "/none/b", FsError::NotFound),
        ("/d/b", "/d/b/c", FsError::NotADirectory),
        ("/", "/x", FsError::IsRoot),
    ] {
        assert_eq!(tree.rename(from, to), Err(error), "{from} {to}");
        tree.check().unwrap();
    }
    tree.rename("/d", "/moved").unwrap();
    assert_eq!(get(&mut tree, "/moved/b").unwrap(), b"a");
    tree.mount("/m", Box::new(MemoryFs::new(10).unwrap())).unwrap();
    assert_eq!(tree.rename("/moved/b", "/m/b"), Err(FsError::OtherFileSystem));
    assert_eq!(tree.rename("/m", "/n"), Err(FsError::Mounted));
    tree.check().unwrap();
}

#[test]
fn an_open_file_outlives_its_name() {
    let mut tree = tree();
    put(&mut tree, "/a", b"text").unwrap();
    let handle = tree.open("/a", OPEN).unwrap();
    tree.remove("/a").unwrap();
    tree.check().unwrap();
    put(&mut tree, "/a", b"other").unwrap();
    let mut buffer = [0; 4];
    assert_eq!(tree.read(&handle, 0, &mut buffer), Ok(4));
    assert_eq!(&buffer, b"text");
    assert_eq!(tree.usage().next().unwrap().1.used, 9);
    tree.close(&handle).unwrap();
    assert_eq!(tree.usage().next().unwrap().1.used, 5);
    assert_eq!(tree.read(&handle, 0, &mut buffer), Err(FsError::Stale));
    assert_eq!(tree.close(&handle), Err(FsError::Stale));
    tree.check().unwrap();
}

#[test]
fn capacity_is_a_refusal_that_changes_nothing() {
    let mut tree = tree();
    put(&mut tree, "/a", &[1; 9_999]).unwrap();
    let handle = tree.open("/a", OPEN).unwrap();
    assert_eq!(tree.write(&handle, 9_999, b"xy"), Err(FsError::NoSpace));
    assert_eq!(tree.write(&handle, u64::MAX, b"xy"), Err(FsError::TooLarge));
    assert_eq!(tree.write(&handle, 1 << 62, b"x"), Err(FsError::NoSpace));
    assert_eq!(tree.size(&handle), Ok(9_999));
    tree.write(&handle, 9_999, b"x").unwrap();
    tree.close(&handle).unwrap();
    put(&mut tree, "/a", b"").unwrap();
    assert_eq!(tree.usage().next().unwrap().1.used, 0);
}

#[test]
fn mounts_cover_what_is_below() {
    let mut tree = tree();
    tree.create_directory("/m").unwrap();
    put(&mut tree, "/m/hidden", b"").unwrap();
    tree.mount("/m/", Box::new(MemoryFs::new(10).unwrap())).unwrap();
    tree.mount("/m/n", Box::new(MemoryFs::new(10).unwrap())).unwrap();
    put(&mut tree, "/m/a", b"m").unwrap();
    put(&mut tree, "/m/n/b", b"n").unwrap();
    put(&mut tree, "/mm", b"root").unwrap();
    let names =
        |tree: &mut Mounts, path| tree.list(path).unwrap().into_iter().map(|entry| entry.name).collect::<Vec<_>>();
    assert_eq!(names(&mut tree, "/"), ["m", "mm"]);
    assert_eq!(names(&mut tree, "/m"), ["a"]);
    assert_eq!(names(&mut tree, "m//n/"), ["b"]);
    assert_eq!(tree.remove("/m"), Err(FsError::Mounted));
    assert_eq!(get(&mut tree, "/m"), Err(FsError::IsADirectory));
    let usage: Vec<_> = tree.usage().map(|(at, usage)| (at.to_string(), usage.used)).collect();
    assert_eq!(usage, [("/".into(), 4), ("/m".into(), 1), ("/m/n".into(), 1)]);
}

/// Random operations, compared with a model that is too simple to be wrong.
#[test]
fn behaves_like_a_map_of_vectors() {
    let mut random = Random::new(42);
    for _ in 0..50 {
        let mut tree = tree();
        let mut model: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        tree.create_directory("/d").unwrap();
        for step in 0..200 {
            let directory = if random.below(2) == 0 { "" } else { "/d" };
            let path = format!("{directory}/{}", random.below(6));
            match random.below(5) {
                0 => {
                    let expected = model.remove(&path).map(|_| ()).ok_or(FsError::NotFound);
                    assert_eq!(tree.remove(&path), expected);
                }
                1 => {
                    let bytes = vec![step; random.below(300)];
                    put(&mut tree, &path, &bytes).unwrap();
                    model.insert(path, bytes);
                }
                2 => {
                    let (start, length) = (random.below(400), random.below(200));
                    let Ok(handle) = tree.open(&path, OPEN) else {
                        assert!(!model.contains_key(&path));
                        continue;
                    };
                    tree.write(&handle, start as u64, &vec![step; length]).unwrap();
                    tree.close(&handle).unwrap();
                    let bytes = model.get_mut(&path).unwrap();
                    if length > 0 {
                        bytes.resize(bytes.len().max(start + length), 0);
                        bytes[start..start + length].fill(step);
                    }
                }
                3 => {
                    let to = format!("{}/{}", if random.below(2) == 0 { "" } else { "/d" }, random.below(6));
                    let moved = model.remove(&path);
                    assert_eq!(tree.rename(&path, &to), moved.as_ref().map(|_| ()).ok_or(FsError::NotFound));
                    model.extend(moved.map(|bytes| (to, bytes)));
                }
                _ => assert_eq!(get(&mut tree, &path).ok().as_ref(), model.get(&path)),
            }
            tree.check().unwrap();
            let used: usize = model.values().map(Vec::len).sum();
            assert_eq!(tree.usage().next().unwrap().1.used, used as u64);
        }
    }
}

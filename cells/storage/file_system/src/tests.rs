extern crate std;

use super::*;
use alloc::vec;

#[test]
fn names() {
    for name in ["a", "a.b", "größe", " ", "..."] {
        assert!(is_name(name), "{name:?}");
    }
    let long = "x".repeat(MAX_NAME + 1);
    for name in ["", ".", "..", "a/b", "a\0", "a\n", "\x1b[A", &long] {
        assert!(!is_name(name), "{name:?}");
    }
    assert!(is_name(&long[1..]));
}

#[test]
fn paths() {
    let names = |path| components(path).collect::<Result<Vec<_>, _>>();
    assert_eq!(names("/"), Ok(vec![]));
    assert_eq!(names("//a/./b/"), Ok(vec!["a", "b"]));
    assert_eq!(names("a"), Ok(vec!["a"]));
    assert_eq!(names("/a/../b"), Err(FsError::InvalidName));
}

#[test]
fn relative_paths() {
    for (base, path, expected) in [
        ("/a/b", "c", "/a/b/c"),
        ("/a/b", "./c/.", "/a/b/c"),
        ("/a/b", "..", "/a"),
        ("/a/b", "../../..", "/"),
        ("/a/b", "/c//d/", "/c/d"),
        ("/a/b", "/x/../y", "/y"),
        ("/", "c", "/c"),
        ("/", ".", "/"),
    ] {
        assert_eq!(absolute(base, path).as_deref(), Ok(expected), "{base} {path}");
    }
    assert_eq!(absolute("/a", ""), Err(FsError::EmptyPath));
    assert_eq!(absolute("/a", "b\n"), Err(FsError::InvalidName));
}

#[test]
fn an_empty_tree_has_nothing() {
    let mut tree = Mounts::new();
    assert_eq!(tree.metadata("/"), Err(FsError::NotFound));
    assert_eq!(tree.open("/a", OpenOptions { create: true, ..OpenOptions::default() }), Err(FsError::NotFound));
    assert_eq!(tree.remove("/"), Err(FsError::IsRoot));
    assert_eq!(tree.check(), Ok(()));
}

//! Structural digests: collection, and the order they come out in.

use std::collections::BTreeMap;

use manifest::{ShortDigest as Digest, StructuralDigest, Structure};

use crate::hash::Hasher;

/// Collects digests by kind and name. The same name can come with different digests (a path does not tell two
/// instantiations apart in every case): then the digest of all of them together stands for the name, in any order.
#[derive(Default)]
pub(crate) struct Collector {
    found: BTreeMap<(Structure, String), Vec<Digest>>,
}

impl Collector {
    pub(crate) fn add(&mut self, kind: Structure, name: String, digest: Digest) {
        let digests = self.found.entry((kind, name)).or_default();
        if let Err(at) = digests.binary_search(&digest) {
            digests.insert(at, digest);
        }
    }

    pub(crate) fn finish(self) -> Vec<StructuralDigest> {
        self.found
            .into_iter()
            .map(|((kind, name), digests)| {
                let digest = match digests.as_slice() {
                    [only] => *only,
                    several => {
                        let mut hasher = Hasher::new("several");
                        for digest in several {
                            hasher.digest(digest);
                        }
                        hasher.finish()
                    }
                };
                StructuralDigest { name, kind, digest }
            })
            .collect()
    }
}

/// True when only the toolchain's own crates have a say in this path. The manifest requires one compiler version for all
/// that runs together, so such a type cannot change and is left out.
pub(crate) fn belongs_to_toolchain(path: &str) -> bool {
    const TOOLCHAIN: [&str; 4] = ["core", "alloc", "compiler_builtins", "std"];
    let mut start = None;
    let mut after_separator = false;
    let mut bytes = path.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'{' || byte == b'}' || byte == b'#' {
            start.get_or_insert(at);
            continue;
        }
        let separator = byte == b':' && matches!(bytes.peek(), Some((_, b':')));
        if separator
            && let Some(start) = start
            && !after_separator
            && !TOOLCHAIN.contains(&&path[start..at])
        {
            return false;
        }
        start = None;
        after_separator = separator;
        if separator {
            bytes.next();
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_in_a_name_counts() {
        assert!(belongs_to_toolchain("alloc::vec::Vec<u8, alloc::alloc::Global>"));
        assert!(belongs_to_toolchain("(u32, &core::fmt::Arguments)"));
        assert!(!belongs_to_toolchain("alloc::vec::Vec<shell::Job>"));
        assert!(!belongs_to_toolchain("shell::Job"));
        assert!(!belongs_to_toolchain("core::option::Option<(u8, &dyn vfs::File)>"));
        assert!(!belongs_to_toolchain("shell::{impl#3}::run::{closure_env#0}"));
    }

    #[test]
    fn one_name_with_two_layouts_has_one_digest_in_any_order() {
        let of = |order: [u8; 2]| {
            let mut collector = Collector::default();
            for byte in order {
                collector.add(Structure::Type, "a::T".into(), [byte; 16]);
            }
            collector.finish()
        };
        assert_eq!(of([1, 2]), of([2, 1]));
        assert_ne!(of([1, 2]), of([1, 1]));
    }
}

//! The digest function: BLAKE3 over length-delimited parts, cut to 16 bytes. It guards against accidents of a trusted
//! build, not against an attacker: 128 bits do.

use manifest::ShortDigest as Digest;

/// Hashes parts one after the other, so that no two different sequences of parts look alike.
pub(crate) struct Hasher(blake3::Hasher);

impl Hasher {
    /// `domain` keeps digests of different kinds of things apart.
    pub(crate) fn new(domain: &str) -> Self {
        let mut hasher = Self(blake3::Hasher::new());
        hasher.text(domain);
        hasher
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    pub(crate) fn digest(&mut self, digest: &Digest) -> &mut Self {
        self.0.update(digest);
        self
    }

    pub(crate) fn finish(self) -> Digest {
        let full = self.0.finalize();
        let mut digest = Digest::default();
        let length = digest.len();
        digest.copy_from_slice(&full.as_bytes()[..length]);
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::Hasher;

    #[test]
    fn parts_do_not_run_together() {
        let of = |parts: &[&str]| {
            let mut hasher = Hasher::new("test");
            for part in parts {
                hasher.text(part);
            }
            hasher.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
    }
}

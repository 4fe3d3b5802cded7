//! The digest by which versions of rules and signed contents are told apart.

use sha2::{Digest, Sha256};

/// SHA-256 of `parts` in order, each preceded by its length so that no two lists share a digest; hexadecimal.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

//! Look-ups by telephone number or call: members and index names hold keyed hashes, never the number.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The key of the look-up hashes. Without it a stored hash says nothing about a number.
#[derive(Clone)]
pub struct LookupKey(Vec<u8>);

impl LookupKey {
    /// From secret bytes (at least 16 are wise).
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(secret.into())
    }

    /// The keyed hash of a text, 32 hexadecimal digits.
    pub fn hash(&self, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(text.as_bytes());
        mac.finalize().into_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey(…)")
    }
}

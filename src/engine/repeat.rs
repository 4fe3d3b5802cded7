//! Look-ups by telephone number or call: members and index names hold keyed hashes, never the number.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::store::txn::digits;

/// The key of the look-up hashes. Without it a stored hash says nothing about a number.
#[derive(Clone)]
pub struct LookupKey(Hmac<Sha256>);

impl LookupKey {
    /// From secret bytes (at least 16 are wise).
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(Hmac::new_from_slice(&secret.into()).expect("HMAC takes a key of any length"))
    }

    /// The keyed hash of a text, 32 hexadecimal digits.
    pub fn hash(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        digits(&mac.finalize().into_bytes()[..16])
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey(…)")
    }
}

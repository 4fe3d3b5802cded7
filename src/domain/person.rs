//! What is personal: kept apart from what may be shown, logged or indexed.
//!
//! [`Private`] values print as `…` whatever formats them; only the sealed part of a record and a reply to an entitled
//! console ever hold their content (design.md §3, invariant 11).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value about a person. `Debug` and `Display` never show it.
#[derive(Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Marks `value` as personal.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The content, for storage in a sealed part or for an entitled reader.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl<T> fmt::Display for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// True for a value that says nothing: the stored form leaves it out, since it is read as its default.
pub fn unsaid<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

//! What is wrong with a message, and the bounds a message must keep.

use std::fmt;

/// One reason why a message is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: a JSON path such as `createCaseHealth.location.city.inseeCode`; empty for the whole document.
    pub path: String,
    /// The shape or the code list that was expected.
    pub expected: String,
    /// The shape that was found: a type and a size, never the value.
    pub found: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the message" } else { &self.path };
        write!(f, "{path}: expected {}, found {}", self.expected, self.found)
    }
}

/// Something odd that does not stop the case from being opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where: a JSON path.
    pub path: String,
    /// What is odd and what was done about it; never the value, except a motive's code.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.text)
    }
}

/// The bounds of what is read from outside; a message beyond one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one message, in bytes of JSON.
    pub max_message_bytes: usize,
    /// Of one file of messages, in bytes.
    pub max_file_bytes: usize,
    /// Objects and lists within each other.
    pub max_depth: usize,
    /// Entries of one list of a message (patients, notes, decisions …).
    pub max_list: usize,
    /// Characters of one text.
    pub max_text_chars: usize,
    /// Faults told of one message; what follows is only counted as "more".
    pub max_faults: usize,
}

impl Limits {
    /// What the service starts with. A national message is 3 to 4 kB, has six objects within each other and one
    /// patient; the bounds leave ample room above that.
    pub const DEFAULT: Self = Self {
        max_message_bytes: 1 << 20,
        max_file_bytes: 256 << 20,
        max_depth: 24,
        max_list: 200,
        max_text_chars: 20_000,
        max_faults: 50,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

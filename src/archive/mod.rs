//! A territory's rows as files: what `export` writes and `import` and `check` read, and the archive's days.
//!
//! A file is one section after another, each of one territory: JSON lines that begin with a header and end with a count
//! and a checksum. An export of several territories has a section for each; a day of the archive has one for each time
//! something was appended, and is a sequence of gzip members. Everything a person said is in these files: they are
//! readable by their owner alone.
//!
//! | line | holds |
//! |---|---|
//! | `header` | format, version, territory, content, epoch, schema, first and last seq, where the head stood |
//! | `record` | key, version, the day's number when it has one, bytes |
//! | `entry` | index, score, member |
//! | `counter` | name, value |
//! | `receipt` | command, digest of its request, seq, instants, counts, outcome |
//! | `log` | seq, command, instant, counts, event |
//! | `end` | how many lines stand between header and end, and their SHA-256 with the header's |
//!
//! Bytes are base64, versions and digests hexadecimal, instants milliseconds since 1970.

pub mod days;
pub mod folder;
pub mod history;
mod line;
mod reader;
mod writer;

pub use line::{Content, Header};
pub use reader::{Fault, Item, Sections, open};
pub use writer::{Section, begin};

/// The name in every header.
pub const FORMAT: &str = "sas-dispatch rows";
/// The version of the format that this binary writes and reads.
pub const VERSION: u32 = 1;

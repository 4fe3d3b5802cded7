//! The token a watch is resumed with.

use std::fmt;

use crate::{engine::tail::Mark, store::Version};

/// Given out while no place can be resumed from: it begins again with a reset.
const ANEW: &[u8] = b"anew";

/// Where a watcher stands: epoch, seq and the hash of the command at that seq, so that a log which was rolled back and
/// went on differently is not taken for the one that was read. Opaque to clients.
#[derive(Clone, PartialEq, Eq)]
pub struct WatchToken(pub Vec<u8>);

impl WatchToken {
    pub(super) fn at(mark: Mark) -> Self {
        Self([&mark.epoch.to_be_bytes()[..], &mark.version.to_bytes()].concat())
    }

    /// What a message says that cannot be resumed from.
    pub(super) fn anew() -> Self {
        Self(ANEW.to_vec())
    }

    /// The place in the log that it stands for; 0 when it stands for none.
    pub fn seq(&self) -> u64 {
        self.place().map_or(0, Mark::seq)
    }

    pub(super) fn place(&self) -> Option<Mark> {
        let (epoch, version) = self.0.split_first_chunk::<8>()?;
        Some(Mark { epoch: u64::from_be_bytes(*epoch), version: Version::from_bytes(version)? })
    }
}

impl fmt::Debug for WatchToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            Some(mark) => write!(f, "WatchToken({} {:?})", mark.epoch, mark.version),
            None => f.write_str("WatchToken(no place)"),
        }
    }
}

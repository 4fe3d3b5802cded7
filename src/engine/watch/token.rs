//! The token a watch is resumed with.

use std::fmt;

use crate::{engine::tail::Mark, store::Version};

/// Given out while no place can be resumed from: it begins again with a reset.
const ANEW: &[u8] = b"anew";

/// What a token says of the list that is watched. A place in the log is one of the territory's, but what a console shows at it
/// is a list's: with another's token it would wait for changes of cases that it was never shown.
pub(super) type Watched = [u8; 6];

/// Where a watcher stands: what is watched, epoch, seq and the hash of the command at that seq, so that a log which was rolled
/// back and went on differently is not taken for the one that was read. Opaque to clients.
#[derive(Clone, PartialEq, Eq)]
pub struct WatchToken(pub Vec<u8>);

impl WatchToken {
    pub(super) fn at(watched: Watched, mark: Mark) -> Self {
        Self([&watched[..], &mark.epoch.to_be_bytes()[..], &mark.version.to_bytes()].concat())
    }

    /// What a message says that cannot be resumed from.
    pub(super) fn anew() -> Self {
        Self(ANEW.to_vec())
    }

    /// The place in the log that it stands for; 0 when it stands for none.
    pub fn seq(&self) -> u64 {
        self.parts().map_or(0, |(_, mark)| mark.seq())
    }

    /// The place in the log, when the token is of what is watched.
    pub(super) fn place(&self, watched: Watched) -> Option<Mark> {
        self.parts().filter(|(of, _)| *of == watched).map(|(_, mark)| mark)
    }

    fn parts(&self) -> Option<(Watched, Mark)> {
        let (watched, place) = self.0.split_first_chunk::<6>()?;
        let (epoch, version) = place.split_first_chunk::<8>()?;
        Some((*watched, Mark { epoch: u64::from_be_bytes(*epoch), version: Version::from_bytes(version)? }))
    }
}

impl fmt::Debug for WatchToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            Some((_, mark)) => write!(f, "WatchToken({} {:?})", mark.epoch, mark.version),
            None => f.write_str("WatchToken(no place)"),
        }
    }
}

//! Watching: a snapshot, then changes from the territory's log, then bookmarks; resumed from a token, or told to start
//! again (invariant 12: a console misses or repeats nothing without being told).
//!
//! Every watch of an instance is served from the one tail of the territory's log: a change is read once, however many
//! consoles show it. A console that falls behind gets the latest state of each case, then is dropped with its token.

mod filter;
mod resume;
mod token;
mod watcher;

use std::sync::Arc;

use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use crate::domain::{actor::Actor, ids::TerritoryId};

use super::{CaseView, Engine, Failure, tail::Watching};

pub use filter::WatchFilter;
pub use token::WatchToken;
use watcher::Watcher;

/// Messages made for a console that has not read the last ones yet. What changes meanwhile waits in the tail's window.
const QUEUE: usize = 32;

/// One message to a watcher.
#[derive(Debug, Clone)]
pub enum Change {
    /// A case as it is now; `gone` when it left what is watched.
    Case {
        /// The case.
        view: Arc<CaseView>,
        /// It left the filter.
        gone: bool,
        /// Resume after this change; inside a snapshot, a token that begins again and says so.
        token: WatchToken,
    },
    /// Everything was sent: what is shown is the state at this place; changes follow.
    SnapshotDone(WatchToken),
    /// What is shown is the state at this place, and the log held nothing more just now.
    Bookmark(WatchToken),
    /// The log cannot be read at present: what is shown may be old, until the next change or bookmark.
    Stale(WatchToken),
    /// The token is too old or of another history: forget everything, a snapshot follows.
    Reset(WatchToken),
}

impl Engine {
    /// Watches a territory's cases.
    ///
    /// # Errors
    /// When the log cannot be read at the beginning, or the service is stopping.
    pub async fn watch(
        &self,
        actor: &Actor,
        resume: Option<WatchToken>,
        filter: WatchFilter,
    ) -> Result<impl Stream<Item = Result<Change, Failure>> + Send + 'static, Failure> {
        if *self.0.closing.borrow() {
            return Err(stopping());
        }
        let place = self.territory(&actor.territory)?;
        let tail = Watching::begin(self.tail(&actor.territory).await?);
        let (sender, receiver) = mpsc::channel(QUEUE);
        // The reason of an end waits beside the queue: a console that does not read still finds it behind what it has.
        let (end, ended) = oneshot::channel();
        let watcher = Watcher::new(self.clone(), actor.clone(), place, filter, tail, sender);
        self.0.tasks.spawn(watcher.run(resume, end, self.0.closing.subscribe()));
        let last = stream::once(ended.map(Result::ok)).filter_map(|end| async move { end.map(Err) });
        Ok(ReceiverStream::new(receiver).map(Ok).chain(last))
    }

    /// How many watches of a territory this instance serves.
    pub fn watching(&self, territory: &TerritoryId) -> usize {
        self.begin_tail(territory).watchers()
    }

    /// Ends every watch, and each that begins from now on: the service stops, and a console resumes elsewhere. An open
    /// watch would otherwise hold the stop up for the whole grace.
    pub fn end_watches(&self) {
        self.0.closing.send_replace(true);
    }
}

fn stopping() -> Failure {
    Failure::Unavailable("the service is stopping: watch again with the last token".to_owned())
}

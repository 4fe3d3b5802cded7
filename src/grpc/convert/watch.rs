//! A watch on the wire: which messages carry a token, and how a change is told.

use std::sync::Arc;

use crate::{
    domain::actor::Actor,
    engine::{Change, Place, WatchToken},
    grpc::pb,
};

use super::case;

/// Turns the changes of one watch into its messages, in order.
#[derive(Debug, Clone)]
pub struct Messages {
    reader: Actor,
    ground: Arc<Place>,
}

impl Messages {
    /// For a reader of a territory.
    pub fn new(reader: Actor, ground: Arc<Place>) -> Self {
        Self { reader, ground }
    }

    /// The token to resume from, as the caller gave it back; `None` when it is the first time.
    pub fn resume(token: &[u8]) -> Option<WatchToken> {
        (!token.is_empty()).then(|| WatchToken(token.to_vec()))
    }

    /// The message of a change.
    pub fn message(&self, change: Change) -> pb::WatchEvent {
        use pb::watch_event::Event;
        let mark = pb::WatchMark {};
        let (event, token) = match change {
            Change::Case { view, gone: true, token } => (Event::GoneCaseId(view.case.id.to_string()), token),
            Change::Case { view, gone: false, token } => {
                (Event::Changed(case::view(&self.reader, &self.ground, &view)), token)
            }
            Change::SnapshotDone(token) => (Event::SnapshotDone(mark), token),
            Change::Bookmark(token) => (Event::Bookmark(mark), token),
            Change::Stale(token) => (Event::Stale(mark), token),
            Change::Reset(token) => (Event::Reset(mark), token),
        };
        pb::WatchEvent { seq: token.seq(), token: token.0, event: Some(event) }
    }
}

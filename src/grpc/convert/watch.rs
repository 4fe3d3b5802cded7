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
    in_snapshot: bool,
}

impl Messages {
    /// For a watch that begins with a snapshot, or one that resumes.
    pub fn new(reader: Actor, ground: Arc<Place>, resumed: bool) -> Self {
        Self { reader, ground, in_snapshot: !resumed }
    }

    /// The token to resume from, as the caller gave it back; `None` when it is the first time.
    pub fn resume(token: &[u8]) -> Option<WatchToken> {
        (!token.is_empty()).then(|| WatchToken(token.to_vec()))
    }

    /// The message of a change. Inside a snapshot none has a token: what is still to come would be missed.
    pub fn message(&mut self, change: Change) -> pb::WatchEvent {
        use pb::watch_event::Event;
        let mark = pb::WatchMark {};
        let (event, token) = match change {
            Change::Case { view, gone: true, token } => (Event::GoneCaseId(view.case.id.to_string()), Some(token)),
            Change::Case { view, gone: false, token } => {
                (Event::Changed(case::view(&self.reader, &self.ground, &view)), Some(token))
            }
            Change::SnapshotDone(token) => {
                self.in_snapshot = false;
                (Event::SnapshotDone(mark), Some(token))
            }
            Change::Bookmark(token) => (Event::Bookmark(mark), Some(token)),
            Change::Reset => {
                self.in_snapshot = true;
                (Event::Reset(mark), None)
            }
        };
        let seq = token.as_ref().map_or(0, WatchToken::seq);
        let token = token.filter(|_| !self.in_snapshot).map(|token| token.0).unwrap_or_default();
        pb::WatchEvent { token, seq, event: Some(event) }
    }
}

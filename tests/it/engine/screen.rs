//! A console's screen in these stories: it keeps what the messages of a watch say, and holds them against what the lists
//! said at the same place of the log.

use std::{collections::BTreeMap, pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt};
use sas_dispatch::{
    domain::{case::ActionKind, ids::CaseId, regulation::qualification::Stream as Regulation},
    engine::{CaseView, Change, Engine, Failure, List, PageRequest, WatchFilter, WatchToken},
    store::Version,
};

use super::desk::{Desk, regulator};

type Changes = Pin<Box<dyn Stream<Item = Result<Change, Failure>> + Send>>;

/// What a screen shows.
pub type Picture = BTreeMap<CaseId, Version>;

/// What the lists showed after each event, by its place in the log.
#[derive(Debug, Default)]
pub struct History(BTreeMap<u64, Vec<CaseView>>);

impl History {
    /// Notes what the list of open cases shows now.
    pub async fn note(&mut self, desk: &Desk) {
        let (mut views, mut page) = (Vec::new(), PageRequest { size: 200, ..PageRequest::default() });
        loop {
            let listing = desk.a.list(&regulator(1), List::Open, page.clone()).await.unwrap();
            views.extend(listing.items);
            match listing.next {
                Some(next) => page.token = Some(next),
                None => {
                    self.0.insert(listing.seq, views);
                    return;
                }
            }
        }
    }

    pub fn head(&self) -> u64 {
        self.0.keys().next_back().copied().unwrap_or_default()
    }

    /// What a screen with this filter should show at `seq`.
    pub fn at(&self, seq: u64, filter: &WatchFilter) -> Picture {
        let waits = |view: &&CaseView| match filter {
            WatchFilter::Queue(Regulation::Snp) => {
                let stream = view.case.qualification.as_ref().map(|known| known.stream);
                stream == Some(Regulation::Snp) && view.case.open_action(ActionKind::Regulate).is_some()
            }
            _ => true,
        };
        let views = self.0.get(&seq).map(Vec::as_slice).unwrap_or_default();
        views.iter().filter(waits).map(|view| (view.case.id, view.version)).collect()
    }
}

pub struct Screen {
    changes: Changes,
    pub filter: WatchFilter,
    pub shown: Picture,
    pub token: Option<WatchToken>,
    pub resets: usize,
    pub stale: usize,
    /// Messages about cases.
    pub told: usize,
    /// The place of the last mark.
    pub seq: u64,
}

impl Screen {
    pub async fn new(engine: &Engine, filter: WatchFilter) -> Self {
        let changes = Self::watch(engine, None, &filter).await;
        let (shown, token) = (Picture::new(), None);
        Self { changes, filter, shown, token, resets: 0, stale: 0, told: 0, seq: 0 }
    }

    async fn watch(engine: &Engine, resume: Option<WatchToken>, filter: &WatchFilter) -> Changes {
        Box::pin(engine.watch(&regulator(1), resume, filter.clone()).await.unwrap())
    }

    /// The connection breaks and another instance takes the watch up.
    pub async fn reconnects(&mut self, engine: &Engine) {
        self.changes = Box::pin(futures_util::stream::empty());
        self.changes = Self::watch(engine, self.token.clone(), &self.filter).await;
    }

    /// The next message; one that does not come ends the test.
    pub async fn next(&mut self) -> Result<Change, Failure> {
        let next = tokio::time::timeout(Duration::from_secs(60), self.changes.next()).await;
        next.expect("a message was to come").expect("a watch does not end without saying why")
    }

    /// Reads one message and keeps what it says. True for a mark.
    pub async fn reads(&mut self) -> bool {
        let change = self.next().await.expect("the watch goes on");
        self.keeps(change)
    }

    pub fn keeps(&mut self, change: Change) -> bool {
        let (token, mark) = match change {
            Change::Case { view, gone, token } => {
                self.told += 1;
                let (id, version) = (view.case.id, view.version);
                if gone {
                    self.shown.remove(&id);
                } else {
                    let before = self.shown.insert(id, version);
                    assert_ne!(before, Some(version), "{id} at {version:?} was told twice in silence");
                }
                (token, false)
            }
            Change::SnapshotDone(token) | Change::Bookmark(token) => (token, true),
            Change::Stale(token) => {
                self.stale += 1;
                (token, false)
            }
            Change::Reset(token) => {
                self.resets += 1;
                self.shown.clear();
                (token, false)
            }
        };
        if mark {
            self.seq = token.seq();
        }
        self.token = Some(token);
        mark
    }

    /// Reads at most `messages`, and no further than a mark at the head: at each mark the screen shows what the list did.
    pub async fn reads_some(&mut self, messages: usize, history: &History) {
        for _ in 0..messages {
            if self.reads().await {
                assert_eq!(self.shown, history.at(self.seq, &self.filter), "at seq {}", self.seq);
                if self.seq == history.head() {
                    return;
                }
            }
        }
    }

    /// Reads until the screen stands at the head, whatever it passes on the way.
    pub async fn reaches(&mut self, history: &History) {
        while self.seq < history.head() {
            self.reads().await;
        }
        assert_eq!(self.shown, history.at(self.seq, &self.filter), "at seq {}", self.seq);
    }

    /// Reads until the screen stands at the head, and holds every mark on the way against the lists.
    pub async fn catches_up(&mut self, history: &History) {
        self.reads_some(usize::MAX, history).await;
    }
}

//! Watching: a snapshot, then changes from the territory's log, then bookmarks; resumed from a token, or told to start
//! again. A console that falls behind gets the latest state of each case, never a silent gap (invariant 12).

use std::{collections::BTreeSet, sync::Arc};

use futures_util::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    domain::{
        actor::Actor,
        case::{ActionKind, Case, Owner},
        ids::{CaseId, ResponderId},
        regulation::qualification::Stream as RegulationStream,
    },
    store::Key,
};

use super::{CaseView, Engine, Failure, List, PageRequest, Place, act, read::shown_to};

/// Changes waiting for a slow console before it is held back.
const BUFFER: usize = 64;
/// Log entries read at once.
const BATCH: usize = 256;

/// Where a watcher stands: epoch and seq. Opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchToken(pub Vec<u8>);

impl WatchToken {
    fn new(epoch: u64, seq: u64) -> Self {
        Self([epoch.to_be_bytes(), seq.to_be_bytes()].concat())
    }

    /// The token of a message that cannot be resumed from: given back, it begins anew.
    fn none() -> Self {
        Self(Vec::new())
    }

    /// The place in the log that it stands for; 0 for a token of no watch.
    pub fn seq(&self) -> u64 {
        self.parse().map_or(0, |(_, seq)| seq)
    }

    fn parse(&self) -> Option<(u64, u64)> {
        let (epoch, seq) = self.0.split_at_checked(8)?;
        Some((u64::from_be_bytes(epoch.try_into().ok()?), u64::from_be_bytes(seq.try_into().ok()?)))
    }
}

/// What a watcher wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchFilter {
    /// A stream's queue and the cases regulated from it.
    Queue(RegulationStream),
    /// A responder's offers and missions.
    Missions(ResponderId),
    /// Everything.
    All,
}

impl WatchFilter {
    fn list(&self) -> List {
        match self {
            // A claimed case has left the queue and is still shown, with its holder.
            Self::Queue(_) | Self::All => List::Open,
            Self::Missions(responder) => List::Missions(responder.clone()),
        }
    }

    fn shows(&self, case: &Case) -> bool {
        match self {
            Self::All => case.open_actions().next().is_some(),
            Self::Queue(stream) => {
                let here = case.qualification.as_ref().is_some_and(|known| known.stream == *stream);
                here && case.open_action(ActionKind::Regulate).is_some()
            }
            Self::Missions(responder) => case.open_actions().any(|action| {
                let offer = action.about.offer.and_then(|offer| case.offer(offer));
                action.owner == Owner::Responder(responder.clone())
                    || offer.is_some_and(|offer| offer.responder == *responder)
            }),
        }
    }
}

/// One message to a watcher.
#[derive(Debug, Clone)]
pub enum Change {
    /// A case as it is now; `gone` when it left what is watched.
    Case {
        /// The case.
        view: Box<CaseView>,
        /// It left the filter.
        gone: bool,
        /// Resume after this change.
        token: WatchToken,
    },
    /// The snapshot is complete; changes follow.
    SnapshotDone(WatchToken),
    /// Nothing was missed up to here.
    Bookmark(WatchToken),
    /// The token is too old or of another history: forget everything, a snapshot follows.
    Reset,
}

type Sender = mpsc::Sender<Result<Change, Failure>>;

impl Engine {
    /// Watches a territory's cases.
    ///
    /// # Errors
    /// When the store does not answer at the beginning.
    pub async fn watch(
        &self,
        actor: &Actor,
        resume: Option<WatchToken>,
        filter: WatchFilter,
    ) -> Result<impl Stream<Item = Result<Change, Failure>> + Send + 'static, Failure> {
        let place = self.territory(&actor.territory)?;
        let head = self.0.store.read(&actor.territory, &[], None).await?;
        let resume = resume.filter(|token| *token != WatchToken::none());
        let at = resume.as_ref().and_then(WatchToken::parse);
        let resumed = at.filter(|(epoch, seq)| *epoch == head.epoch && *seq <= head.seq).map(|(_, seq)| seq);
        let reset = resume.is_some() && resumed.is_none();
        let (sender, receiver) = mpsc::channel(BUFFER);
        let (engine, actor, shown) = (self.clone(), actor.clone(), BTreeSet::new());
        let watcher = Watcher { engine, actor, place, filter, shown, resumed: resumed.is_some() };
        tokio::spawn(watcher.run(sender, head.epoch, resumed, reset));
        Ok(ReceiverStream::new(receiver))
    }

    /// Ends every watch, and each that begins from now on: the service stops, and a console resumes elsewhere. An open
    /// watch would otherwise hold the stop up for the whole grace.
    pub fn end_watches(&self) {
        self.0.closing.send_replace(true);
    }
}

struct Watcher {
    engine: Engine,
    actor: Actor,
    place: Arc<Place>,
    filter: WatchFilter,
    shown: BTreeSet<CaseId>,
    /// A resumed watcher does not say what it had been shown: it is told of every case that left.
    resumed: bool,
}

/// The client went away.
struct Gone;

impl Watcher {
    async fn run(mut self, sender: Sender, epoch: u64, resumed: Option<u64>, reset: bool) {
        let mut closing = self.engine.0.closing.subscribe();
        let ended = tokio::select! {
            ended = self.follow(&sender, epoch, resumed, reset) => ended,
            // The sender lives as long as the engine, which this task holds.
            _ = closing.wait_for(|closing| *closing) => {
                Err(Ok(Failure::Unavailable("the service is stopping: watch again with the last token".to_owned())))
            }
        };
        if let Err(Ok(failure)) = ended {
            // A client that is gone cannot be told either.
            sender.send(Err(failure)).await.ok();
        }
    }

    async fn follow(
        &mut self,
        sender: &Sender,
        epoch: u64,
        resumed: Option<u64>,
        reset: bool,
    ) -> Result<(), Result<Failure, Gone>> {
        if reset {
            send(sender, Change::Reset).await?;
        }
        let mut seq = match resumed {
            Some(seq) => seq,
            None => self.snapshot(sender, epoch).await?,
        };
        loop {
            let entries = self.engine.0.store.log(&self.actor.territory, seq, BATCH).await.map_err(|e| Ok(e.into()))?;
            let Some(last) = entries.last().map(|entry| entry.seq) else {
                send(sender, Change::Bookmark(WatchToken::new(epoch, seq))).await?;
                tokio::select! {
                    waited = self.engine.0.store.wait(&self.actor.territory, seq) => waited.map_err(|e| Ok(e.into()))?,
                    () = sender.closed() => return Err(Err(Gone)),
                }
                continue;
            };
            // Of a batch, each changed case is sent once, as it is now.
            let mut changed = Vec::new();
            for entry in &entries {
                let case = act::event(entry).map_err(|e| Ok(e.into()))?.case;
                changed.extend(case.filter(|case| !changed.contains(case)));
            }
            let (before, after) = (WatchToken::new(epoch, seq), WatchToken::new(epoch, last));
            self.changes(sender, &changed, before, after).await?;
            seq = last;
        }
    }

    /// Every page of what is watched. The seq of the first page is where changes begin: none can be missed.
    async fn snapshot(&mut self, sender: &Sender, epoch: u64) -> Result<u64, Result<Failure, Gone>> {
        let mut page = PageRequest { size: super::read::MAX_PAGE_SIZE, ..PageRequest::default() };
        let mut from = None;
        loop {
            let listing = self.engine.list(&self.actor, self.filter.list(), page.clone()).await.map_err(Ok)?;
            let seq = *from.get_or_insert(listing.seq);
            for view in listing.items.into_iter().filter(|view| self.filter.shows(&view.case)) {
                self.shown.insert(view.case.id);
                // Whoever is cut off inside a snapshot begins a new one: the rest of it is in no log.
                let token = WatchToken::none();
                send(sender, Change::Case { view: Box::new(view), gone: false, token }).await?;
            }
            match listing.next {
                Some(next) => page.token = Some(next),
                None => {
                    send(sender, Change::SnapshotDone(WatchToken::new(epoch, seq))).await?;
                    return Ok(seq);
                }
            }
        }
    }

    /// Sends the cases of a batch. Only the last carries the place after the batch: whoever is cut off before it is given
    /// the batch again rather than miss its rest.
    async fn changes(
        &mut self,
        sender: &Sender,
        changed: &[CaseId],
        before: WatchToken,
        after: WatchToken,
    ) -> Result<(), Result<Failure, Gone>> {
        let mut last: Option<(Box<CaseView>, bool)> = None;
        for chunk in changed.chunks(crate::store::MAX_READ) {
            let keys: Vec<Key> = chunk.iter().map(|id| Key::case(*id)).collect();
            let territory = &self.actor.territory;
            let snapshot = self.engine.0.store.read(territory, &keys, None).await.map_err(|e| Ok(e.into()))?;
            let loaded = self.engine.remember(&self.actor, &snapshot).map_err(Ok)?;
            for known in keys.iter().filter_map(|key| loaded.get(key).cloned().flatten()) {
                let Some(view) = CaseView::new(&self.place, &known, self.engine.now()) else { continue };
                let Some(view) = shown_to(&self.actor, &self.place, view) else { continue };
                let shows = self.filter.shows(&view.case);
                let id = view.case.id;
                let known = if shows { !self.shown.insert(id) } else { self.shown.remove(&id) };
                if !shows && !known && !self.resumed {
                    continue;
                }
                if let Some((view, gone)) = last.replace((Box::new(view), !shows)) {
                    send(sender, Change::Case { view, gone, token: before.clone() }).await?;
                }
            }
        }
        match last {
            Some((view, gone)) => send(sender, Change::Case { view, gone, token: after }).await,
            None => Ok(()),
        }
    }
}

async fn send(sender: &Sender, change: Change) -> Result<(), Result<Failure, Gone>> {
    sender.send(Ok(change)).await.map_err(|_| Err(Gone))
}

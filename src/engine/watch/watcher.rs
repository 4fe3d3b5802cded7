//! One watch: where it stands, what it has shown, and how it ends.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    domain::{actor::Actor, ids::CaseId},
    engine::{
        CaseView, Engine, Failure, PageRequest, Place, WatchLimits,
        tail::{Beat, Latest, Look, Mark, Watching},
    },
    store::{MAX_READ, Version},
};

use super::{Change, WatchFilter, WatchToken, filter::seen_by, resume::Resumed, stopping, token::Watched};

/// Changes taken from the window at once: what waits longer is the later state of its case.
const CHUNK: usize = 32;
/// Snapshots begun before the caller is told to try again: each was overtaken by more changes than the window holds.
const SNAPSHOTS: usize = 3;

/// How a watch ends.
pub(super) enum End {
    /// The client went away.
    Gone,
    /// It is told why.
    Failed(Failure),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What the window had for the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Everything up to what may be shown was told.
    Reached,
    /// More had changed than the window holds.
    Behind,
    /// Another history began.
    Reset,
}

pub(super) struct Watcher {
    pub(super) engine: Engine,
    pub(super) actor: Actor,
    place: Arc<Place>,
    filter: WatchFilter,
    pub(super) watched: Watched,
    pub(super) tail: Watching,
    beats: watch::Receiver<Beat>,
    sender: mpsc::Sender<Change>,
    pub(super) limits: WatchLimits,
    /// The cases shown, and at which version.
    shown: BTreeMap<CaseId, Version>,
    /// A resumed watcher does not say what it had been shown: it is told of every case that left.
    pub(super) resumed: bool,
    in_snapshot: bool,
    stale: bool,
    pub(super) resets: u64,
    pub(super) cursor: Mark,
}

impl Watcher {
    pub(super) fn new(
        engine: Engine,
        actor: Actor,
        place: Arc<Place>,
        filter: WatchFilter,
        tail: Watching,
        sender: mpsc::Sender<Change>,
    ) -> Self {
        let (beats, limits) = (tail.beats(), engine.0.options.watch);
        let (cursor, _, resets) = tail.place();
        let (shown, watched) = (BTreeMap::new(), filter.watched(&actor.territory));
        let (resumed, in_snapshot, stale) = (false, false, false);
        Self {
            engine,
            actor,
            place,
            filter,
            watched,
            tail,
            beats,
            sender,
            limits,
            shown,
            resumed,
            in_snapshot,
            stale,
            resets,
            cursor,
        }
    }

    pub(super) async fn run(
        mut self,
        resume: Option<WatchToken>,
        end: oneshot::Sender<Failure>,
        mut closing: watch::Receiver<bool>,
    ) {
        let ended = tokio::select! {
            biased;
            Err(ended) = self.follow(resume) => ended,
            // The sender lives as long as the engine, which this task holds.
            _ = closing.wait_for(|closing| *closing) => End::Failed(stopping()),
        };
        if let End::Failed(failure) = ended {
            // A client that is gone cannot be told either.
            end.send(failure).ok();
        }
    }

    async fn follow(&mut self, resume: Option<WatchToken>) -> Result<std::convert::Infallible, End> {
        match resume {
            None => self.snapshot().await?,
            Some(token) => match self.resume(&token).await? {
                Resumed::Here => {}
                Resumed::Lost => self.begin_again().await?,
            },
        }
        loop {
            let beat = *self.beats.borrow_and_update();
            if !beat.live {
                self.silence().await?;
                continue;
            }
            match self.changes().await? {
                Level::Reached => self.bookmark(),
                Level::Behind => return Err(self.too_slow()),
                Level::Reset => self.begin_again().await?,
            }
            tokio::select! {
                biased;
                beaten = self.beats.changed() => beaten.map_err(|_| stopping())?,
                () = self.sender.closed() => return Err(End::Gone),
            }
        }
    }

    /// Another history, or a place too long ago: everything is told anew.
    async fn begin_again(&mut self) -> Result<(), End> {
        self.say(Change::Reset(WatchToken::anew())).await?;
        self.snapshot().await
    }

    /// Every page of what is watched, then what changed meanwhile: at the end what is shown is the state at one place.
    async fn snapshot(&mut self) -> Result<(), End> {
        self.in_snapshot = true;
        for again in 0..SNAPSHOTS {
            if again > 0 {
                self.say(Change::Reset(WatchToken::anew())).await?;
            }
            (self.cursor, _, self.resets) = self.tail.place();
            (self.shown, self.resumed) = (BTreeMap::new(), false);
            if self.pages().await? == Level::Reached && self.changes().await? == Level::Reached {
                self.in_snapshot = false;
                return self.say(Change::SnapshotDone(self.token())).await;
            }
        }
        let why = "more changes than a snapshot can be sent beside: watch again, or a smaller part";
        Err(Failure::Unavailable(why.to_owned()).into())
    }

    async fn pages(&mut self) -> Result<Level, End> {
        // As many as one read brings: all of a page are then of one history, and its newest speaks for the others.
        let mut page = PageRequest { size: MAX_READ, ..PageRequest::default() };
        loop {
            let listing = self.engine.list(&self.actor, self.filter.list(), page.clone()).await?;
            let newest = listing.items.iter().map(|view| view.version).max_by_key(|version| version.seq());
            // A record may be ahead of the log that is safe everywhere: it is not shown before.
            let seq = newest.map_or(0, Version::seq);
            self.tail.shows(seq, self.resets, self.limits.silence).await?;
            // What was read from an old primary may be of a history that was lost.
            let lost = |view: &CaseView| self.tail.has(view.version) == Some(false);
            if self.tail.place().2 != self.resets || listing.items.iter().any(lost) || !self.stands(newest).await? {
                return Ok(Level::Reset);
            }
            for view in listing.items {
                if !self.filter.shows(&view.case) {
                    continue;
                }
                self.shown.insert(view.case.id, view.version);
                self.say(Change::Case { view: Arc::new(view), gone: false, token: WatchToken::anew() }).await?;
            }
            match listing.next {
                Some(next) => page.token = Some(next),
                None => return Ok(Level::Reached),
            }
        }
    }

    /// Whether what a state was written by is of this history. What was trimmed since has been safe for hours.
    async fn stands(&self, version: Option<Version>) -> Result<bool, Failure> {
        let Some(version) = version else { return Ok(true) };
        Ok(self.logged(version).await? != Some(false))
    }

    /// Tells every case that changed after the cursor, each once, as its last change left it.
    pub(super) async fn changes(&mut self) -> Result<Level, End> {
        loop {
            match self.tail.after(self.resets, self.cursor.seq(), CHUNK) {
                Look::Reset => return Ok(Level::Reset),
                Look::Behind => return Ok(Level::Behind),
                Look::Changes(changes, level) => {
                    for latest in &changes {
                        self.tell(latest).await?;
                    }
                    if let Some(mark) = level {
                        self.cursor = mark;
                        return Ok(Level::Reached);
                    }
                }
            }
        }
    }

    /// Tells a case as it is now. Once it is told the cursor stands at its last change: a watch that is cut off before or
    /// after misses and repeats nothing.
    pub(super) async fn tell(&mut self, latest: &Latest) -> Result<(), End> {
        let here = Mark { version: self.cursor.version.max(latest.known.version), ..self.cursor };
        let id = latest.view.case.id;
        let seen = seen_by(&self.actor, &self.place, &latest.view);
        let shows = seen.as_ref().is_some_and(|view| self.filter.shows(&view.case));
        let before = if shows { self.shown.insert(id, latest.known.version) } else { self.shown.remove(&id) };
        let told: Option<Arc<CaseView>> = match (shows, before) {
            (true, Some(version)) if version == latest.known.version => None,
            (true, _) => seen,
            (false, Some(_)) => Some(latest.view.clone()),
            // What he may not see he was never shown.
            (false, None) => seen.filter(|_| self.resumed),
        };
        if let Some(view) = told {
            self.say(Change::Case { view, gone: !shows, token: self.token_at(here) }).await?;
        }
        self.cursor = here;
        Ok(())
    }

    /// The log cannot be read: said once, and borne for a while.
    async fn silence(&mut self) -> Result<(), End> {
        if !std::mem::replace(&mut self.stale, true) {
            self.say(Change::Stale(self.token())).await?;
        }
        let back = self.engine.0.clock.within(self.limits.silence, self.beats.wait_for(|beat| beat.live));
        tokio::select! {
            biased;
            back = back => match back {
                Some(Ok(_)) => {
                    self.stale = false;
                    Ok(())
                }
                _ => Err(Failure::Unavailable("the log cannot be read: watch again with the last token".to_owned()).into()),
            },
            () = self.sender.closed() => Err(End::Gone),
        }
    }

    /// Says that nothing is missing; a console that has not read the last ones needs no more of them.
    fn bookmark(&mut self) {
        let read = self.sender.capacity() > self.sender.max_capacity() / 2;
        if let (true, Ok(free)) = (read, self.sender.try_reserve()) {
            free.send(Change::Bookmark(self.token()));
        }
    }

    fn token(&self) -> WatchToken {
        self.token_at(self.cursor)
    }

    fn token_at(&self, place: Mark) -> WatchToken {
        if self.in_snapshot { WatchToken::anew() } else { WatchToken::at(self.watched, place) }
    }

    fn too_slow(&self) -> End {
        End::Failed(Failure::TooSlow(self.token()))
    }

    async fn say(&mut self, change: Change) -> Result<(), End> {
        match self.engine.0.clock.within(self.limits.stall, self.sender.send(change)).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(End::Gone),
            None => Err(self.too_slow()),
        }
    }
}

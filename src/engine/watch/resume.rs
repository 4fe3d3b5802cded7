//! Going on from a token: is its place in this history, and what has changed since.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    domain::ids::CaseId,
    engine::{
        CaseView, Failure, act,
        memory::Known,
        tail::{BATCH, Latest, Mark},
    },
    store::{Key, MAX_READ, StoreError, Version},
};

use super::{
    WatchToken,
    watcher::{End, Level, Watcher},
};

/// Entries read for one token, for each case that the window may hold. A longer absence begins again with a snapshot,
/// which is then the shorter way.
const ENTRIES_PER_CASE: usize = 8;
/// How often a catch-up may be overtaken by the window before a snapshot is the shorter way.
const TRIES: usize = 4;

/// What became of a token.
pub(super) enum Resumed {
    /// The watch stands where the token stood, or further.
    Here,
    /// Its place is not in this history, or too long ago.
    Lost,
}

/// Changed cases in the part of the log that the window no longer holds, and where that part ends.
type Changed = (BTreeMap<CaseId, u64>, Version);

impl Watcher {
    pub(super) async fn resume(&mut self, token: &WatchToken) -> Result<Resumed, End> {
        let Some(place) = token.place(self.watched) else { return Ok(Resumed::Lost) };
        if !self.is_ours(place).await? {
            return Ok(Resumed::Lost);
        }
        self.cursor = Mark { epoch: self.tail.place().0.epoch, version: place.version };
        self.resumed = true;
        for _ in 0..TRIES {
            match self.changes().await? {
                Level::Reached => return Ok(Resumed::Here),
                Level::Reset => return Ok(Resumed::Lost),
                Level::Behind => {
                    if !self.catch_up().await? {
                        return Ok(Resumed::Lost);
                    }
                }
            }
        }
        Ok(Resumed::Lost)
    }

    /// Whether this history has the place. Nothing was shown at seq 0: whatever came since, all of it follows.
    async fn is_ours(&self, place: Mark) -> Result<bool, Failure> {
        if place.seq() == 0 {
            return Ok(place.version == Version::NONE);
        }
        if place.seq() > self.tail.place().0.seq() {
            // Another instance was ahead of this one, or the log was rolled back.
            let head = self.engine.0.store.read(&self.actor.territory, &[], None).await?;
            if head.seq < place.seq() {
                return Ok(false);
            }
            self.tail.shows(place.seq(), self.resets, self.limits.silence).await?;
        }
        if place.epoch != self.tail.place().0.epoch {
            return Ok(false);
        }
        Ok(self.logged(place.version).await? == Some(true))
    }

    /// Whether the log has what was written under this version, also where that was read too long ago for the tail to know;
    /// `None` when it was trimmed since.
    pub(super) async fn logged(&self, version: Version) -> Result<Option<bool>, Failure> {
        let known = self.tail.has(version);
        if known.is_some() {
            return Ok(known);
        }
        let before = version.seq().saturating_sub(1);
        let entries = self.engine.0.store.log(&self.actor.territory, before, 1).await?;
        let trimmed = entries.first().is_some_and(|entry| entry.seq > version.seq());
        Ok((!trimmed).then(|| entries.first().is_some_and(|entry| entry.version() == version)))
    }

    /// Tells what changed between the cursor and the window, from the log; false when that is too much or gone, or a case that
    /// it names has left for the archive: what the console shows of it would stay there.
    async fn catch_up(&mut self) -> Result<bool, End> {
        let (_, floor, _) = self.tail.place();
        let Some((changed, end)) = self.changed_until(floor).await? else { return Ok(false) };
        let cases: Vec<CaseId> = changed.into_keys().collect();
        let mut states = Vec::new();
        for chunk in cases.chunks(MAX_READ) {
            let keys: Vec<Key> = chunk.iter().map(|case| Key::case(*case)).collect();
            let snapshot = self.engine.0.store.read(&self.actor.territory, &keys, None).await.map_err(Failure::from)?;
            for (key, record) in &snapshot.records {
                match record.as_ref().map(|record| Known::from_record(key, record)) {
                    Some(Ok(known)) => states.push(known),
                    // The console goes on with the others; the shift sheet names it.
                    Some(Err(error)) => tracing::error!(%key, %error, "a record cannot be read: not shown"),
                    None => return Ok(false),
                }
            }
        }
        // A state that is ahead of the log may be an old primary's, of a tail that was lost: what came before it would be
        // told by nobody.
        let newest = states.iter().map(|known| known.version.seq()).max();
        self.tail.shows(newest.unwrap_or_default(), self.resets, self.limits.silence).await?;
        let lost = |known: &Known| self.tail.has(known.version) == Some(false);
        if self.tail.place().2 != self.resets || states.iter().any(lost) {
            return Ok(false);
        }
        // What changed after the floor stands in the window, and is told from there. An event may leave its case as it was:
        // then it was told before the cursor.
        states.retain(|known| (self.cursor.seq() + 1..=floor).contains(&known.version.seq()));
        states.sort_by_key(|known| known.version.seq());
        let place = self.engine.territory(&self.actor.territory)?;
        for known in states {
            let Some(view) = CaseView::new(&place, &known, self.engine.now()) else { continue };
            self.tell(&Latest { known, view: Arc::new(view) }).await?;
        }
        self.cursor.version = end;
        Ok(true)
    }

    /// The cases that the log names between the cursor and `floor`; none when it does not reach back so far.
    async fn changed_until(&self, floor: u64) -> Result<Option<Changed>, Failure> {
        let (mut changed, mut last) = (BTreeMap::new(), self.cursor.version);
        let most = self.limits.buffer * ENTRIES_PER_CASE;
        while last.seq() < floor {
            if floor - self.cursor.seq() > most as u64 {
                return Ok(None);
            }
            let entries = self.engine.0.store.log(&self.actor.territory, last.seq(), BATCH).await?;
            if entries.first().is_none_or(|entry| entry.seq != last.seq() + 1) {
                return Ok(None);
            }
            for entry in entries.iter().take_while(|entry| entry.seq <= floor) {
                let event = act::event(entry).map_err(|_| StoreError::Corrupt("an event of the log".to_owned()))?;
                if let Some(case) = event.case {
                    changed.insert(case, entry.seq);
                }
                last = entry.version();
            }
        }
        Ok(Some((changed, last)))
    }
}

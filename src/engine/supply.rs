//! Slots and shifts in memory, fed by the tail of each territory's log.
//!
//! Loaded once while the tail runs, then kept up to date by what it tells: a "none" is only said with the tail at the head.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    domain::{
        case::{Event, Fact, Records, apply},
        ids::TerritoryId,
        routing::Supply,
        time::{Instant, Span},
    },
    store::{Index, Key, MAX_READ, Member, Score},
};

use super::{
    Engine, Failure, Place,
    codec::Entity,
    memory::Known,
    tail::{Follower, Told},
};

/// Slots that began longer ago than this are no longer loaded; they still count for the week until then.
const SLOTS_BACK: Span = Span::from_hours(8 * 24);

/// Fills of one shelf before the caller is told to try again: each was overtaken by another history.
const FILLS: usize = 3;

#[derive(Debug, Default)]
struct Shelf {
    records: Records,
    loaded: bool,
    /// Events told since a fill began; applied when it ends.
    meanwhile: Option<Vec<Event>>,
}

/// The supply of every territory this instance has planned for.
#[derive(Debug, Default)]
pub(super) struct SupplyMemory {
    shelves: Mutex<HashMap<TerritoryId, Shelf>>,
    /// One fill at a time: those who wait for it find it done.
    filling: tokio::sync::Mutex<()>,
}

impl SupplyMemory {
    fn shelves(&self) -> MutexGuard<'_, HashMap<TerritoryId, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loaded(&self, territory: &TerritoryId) -> bool {
        self.shelves().get(territory).is_some_and(|shelf| shelf.loaded)
    }

    /// What `look` finds among what is remembered already; none where nothing was asked of it yet.
    pub(super) fn glance<T>(&self, territory: &TerritoryId, look: impl FnOnce(&Records) -> T) -> Option<T> {
        let shelves = self.shelves();
        shelves.get(territory).filter(|shelf| shelf.loaded).map(|shelf| look(&shelf.records))
    }

    /// From now on what the tail tells is kept for the end of the fill.
    fn begin(&self, territory: &TerritoryId) {
        let shelf = Shelf { meanwhile: Some(Vec::new()), ..Shelf::default() };
        self.shelves().insert(territory.clone(), shelf);
    }

    /// Keeps what was read, unless a reset came in between.
    fn end(&self, territory: &TerritoryId, records: Records) {
        let mut shelves = self.shelves();
        let Some(meanwhile) = shelves.get_mut(territory).and_then(|shelf| shelf.meanwhile.take()) else { return };
        let mut shelf = Shelf { records, loaded: true, meanwhile: None };
        meanwhile.iter().for_each(|event| apply(&mut shelf.records, event));
        shelves.insert(territory.clone(), shelf);
    }
}

impl Follower for SupplyMemory {
    fn follow(&self, territory: &TerritoryId, told: &[Told]) {
        let mut shelves = self.shelves();
        let Some(shelf) = shelves.get_mut(territory) else { return };
        for told in told.iter().filter(|told| told.event.facts.iter().any(of_supply)) {
            let mut event = Event::clone(&told.event);
            event.facts.retain(of_supply);
            event.words.clear();
            match &mut shelf.meanwhile {
                Some(meanwhile) => meanwhile.push(event),
                None => apply(&mut shelf.records, &event),
            }
        }
    }

    fn reset(&self, territory: &TerritoryId) {
        self.shelves().remove(territory);
    }
}

impl Engine {
    /// The supply of a territory as its log told it up to `at_least` or further. Who says "none" asks with the head of
    /// the log; who only proposes may ask with what he has seen, since the commit decides.
    pub(super) async fn supply(&self, place: &Place, at_least: u64) -> Result<Supply, Failure> {
        let now = self.now();
        self.in_supply(place, at_least, |known| supply(place, known, now)).await
    }

    /// What `look` finds among the slots and shifts that this instance has followed up to `at_least` or further.
    pub(super) async fn in_supply<T>(
        &self,
        place: &Place,
        at_least: u64,
        look: impl FnOnce(&Records) -> T,
    ) -> Result<T, Failure> {
        let territory = &place.territory.id;
        let patience = self.0.options.watch.silence;
        let tail = self.tail(territory).await?;
        for _ in 0..FILLS {
            if !self.0.supply.loaded(territory) {
                let _alone = self.0.supply.filling.lock().await;
                if !self.0.supply.loaded(territory) {
                    self.0.supply.begin(territory);
                    let (records, newest) = self.read_supply(territory).await?;
                    // Older events over newer records: right again only once all of them were told.
                    tail.follows(newest, patience).await?;
                    self.0.supply.end(territory, records);
                }
            }
            tail.follows(at_least, patience).await?;
            if let Some(shelf) = self.0.supply.shelves().get(territory).filter(|shelf| shelf.loaded) {
                return Ok(look(&shelf.records));
            }
        }
        Err(Failure::Busy)
    }

    /// Reads what the indexes list, and how far the log had come by then. Telling the events until then again is
    /// harmless: every fact about a slot or a shift says its whole new state.
    async fn read_supply(&self, territory: &TerritoryId) -> Result<(Records, u64), Failure> {
        let (mut records, mut newest) = (Records::default(), 0);
        let since = (self.now() - SLOTS_BACK).unix_ms();
        for (index, prefix) in [(Index::supply(), "slot/"), (Index::shifts(), "shift/")] {
            let mut after: Option<(Score, Member)> = Some((since, Member(String::new())));
            loop {
                let page = self.0.store.range(territory, &index, after.take(), crate::store::MAX_PAGE).await?;
                let keys: Vec<Key> =
                    page.entries.iter().map(|(_, member)| Key::from_stored(format!("{prefix}{}", member.0))).collect();
                for chunk in keys.chunks(MAX_READ) {
                    let snapshot = self.0.store.read(territory, chunk, None).await?;
                    newest = newest.max(snapshot.seq);
                    for (key, record) in &snapshot.records {
                        let Some(record) = record else { continue };
                        match Known::from_record(key, record) {
                            Ok(known) => keep(&mut records, &known),
                            // One slot or shift less, and the others can be planned with.
                            Err(error) => {
                                tracing::error!(%territory, %key, %error, "a record of the supply cannot be read");
                            }
                        }
                    }
                }
                match page.entries.into_iter().last() {
                    Some(last) if keys.len() == crate::store::MAX_PAGE => after = Some(last),
                    _ => break,
                }
            }
        }
        Ok((records, newest))
    }
}

fn keep(records: &mut Records, known: &Known) {
    match known.entity.as_ref() {
        Entity::Slot(slot) => {
            records.slots.insert(slot.id, slot.clone());
        }
        Entity::Shift(shift) => {
            records.shifts.insert(shift.id, shift.clone());
        }
        Entity::Case(_) | Entity::Room(_) | Entity::Sheet(_) => {}
    }
}

fn of_supply(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::SlotPublished(_)
            | Fact::SlotHeld { .. }
            | Fact::SlotBooked { .. }
            | Fact::SlotFreed { .. }
            | Fact::SlotWithdrawn { .. }
            | Fact::ShiftOpened(_)
            | Fact::ShiftBusy { .. }
            | Fact::ShiftEnded { .. }
            | Fact::SlotArchived { .. }
            | Fact::ShiftArchived { .. }
    )
}

fn supply(place: &Place, records: &Records, now: Instant) -> Supply {
    let mut supply = Supply::default();
    for slot in records.slots.values() {
        supply.add_slot(slot, now);
    }
    for shift in records.shifts.values() {
        supply.add_shift(shift, now);
    }
    supply.hear(&place.directory);
    let zone = place.territory.calendar.zone();
    records.slots.values().for_each(|slot| supply.count_snp(slot, zone));
    supply
}

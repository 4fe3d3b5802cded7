//! Slots and shifts in memory, fed by the tail of each territory's log.
//!
//! Loaded once at a seq S, then brought to the head before every use: a "none" is only said with the tail at the head.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::{Datelike, Days, NaiveTime};
use tokio::sync::Mutex;

use crate::{
    domain::{
        calendar::{local_date, to_instant},
        case::{Fact, Records, apply},
        directory::{Connection, Directory, ResponderKind},
        ids::TerritoryId,
        routing::{Category, SourceState, Supply},
        slots::{SlotKind, SlotState},
        time::{Instant, Span},
    },
    store::{Index, Key, MAX_READ, Member, Score},
};

use super::{Engine, Failure, Place, act, codec::Entity, memory::Known};

/// Slots that began longer ago than this are no longer loaded; they still count for the week until then.
const SLOTS_BACK: Span = Span::from_hours(8 * 24);

#[derive(Default)]
struct Shelf {
    epoch: u64,
    seq: u64,
    loaded: bool,
    records: Records,
}

/// The supply of every territory this instance has planned for.
#[derive(Default)]
pub(super) struct SupplyMemory {
    shelves: Mutex<HashMap<TerritoryId, Arc<Mutex<Shelf>>>>,
}

impl Engine {
    /// The supply of a territory as its log told it up to `at_least` or further. Who says "none" asks with the head of
    /// the log; who only proposes may ask with what he has seen, since the commit decides.
    pub(super) async fn supply(&self, place: &Place, at_least: u64) -> Result<Supply, Failure> {
        let territory = &place.territory.id;
        let shelf = self.0.supply.shelves.lock().await.entry(territory.clone()).or_default().clone();
        let mut shelf = shelf.lock().await;
        if !shelf.loaded || shelf.seq < at_least {
            self.catch_up(territory, &mut shelf).await?;
        }
        Ok(supply(place, &shelf.records, self.now()))
    }

    async fn catch_up(&self, territory: &TerritoryId, shelf: &mut Shelf) -> Result<(), Failure> {
        if !shelf.loaded || self.0.memory.epoch(territory) != Some(shelf.epoch) {
            let head = self.0.store.read(territory, &[], None).await?;
            *shelf = Shelf { epoch: head.epoch, seq: head.seq, loaded: false, records: Records::default() };
            self.fill(territory, shelf).await?;
            shelf.loaded = true;
        }
        loop {
            let entries = self.0.store.log(territory, shelf.seq, crate::store::MAX_PAGE).await?;
            let Some(last) = entries.last().map(|entry| entry.seq) else { return Ok(()) };
            for entry in &entries {
                let mut event = act::event(entry)?;
                event.facts.retain(of_supply);
                apply(&mut shelf.records, &event);
            }
            shelf.seq = last;
        }
    }

    /// Reads what the indexes list. Records read later than `shelf.seq` are newer: applying the log again is harmless,
    /// since every fact about a slot or a shift says its whole new state.
    async fn fill(&self, territory: &TerritoryId, shelf: &mut Shelf) -> Result<(), Failure> {
        let since = (self.now() - SLOTS_BACK).unix_ms();
        for (index, prefix) in [(Index::supply(), "slot/"), (Index::shifts(), "shift/")] {
            let mut after: Option<(Score, Member)> = Some((since, Member(String::new())));
            loop {
                let page = self.0.store.range(territory, &index, after.take(), crate::store::MAX_PAGE).await?;
                let keys: Vec<Key> =
                    page.entries.iter().map(|(_, member)| Key::from_stored(format!("{prefix}{}", member.0))).collect();
                for chunk in keys.chunks(MAX_READ) {
                    let snapshot = self.0.store.read(territory, chunk, None).await?;
                    for (key, record) in &snapshot.records {
                        let Some(record) = record else { continue };
                        keep(&mut shelf.records, &Known::from_record(key, record)?);
                    }
                }
                match page.entries.into_iter().last() {
                    Some(last) if keys.len() == crate::store::MAX_PAGE => after = Some(last),
                    _ => break,
                }
            }
        }
        Ok(())
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
        Entity::Case(_) => {}
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
    )
}

fn supply(place: &Place, records: &Records, now: Instant) -> Supply {
    let mut supply = Supply { sources: sources(&place.directory), ..Supply::default() };
    for slot in records.slots.values() {
        supply.add_slot(slot, now);
    }
    for shift in records.shifts.values() {
        supply.add_shift(shift, now);
    }
    let (from, until) = local_week(place, now);
    for slot in records.slots.values().filter(|slot| from <= slot.start && slot.start < until) {
        if matches!(slot.state, SlotState::Booked { .. }) && slot.kind != SlotKind::FixedPoint {
            *supply.snp_this_week.entry(slot.responder.clone()).or_default() += 1;
        }
    }
    supply
}

/// A category is connected when a responder of its kind is.
fn sources(directory: &Directory) -> BTreeMap<Category, SourceState> {
    let connected = |kinds: &[ResponderKind]| {
        directory.iter().any(|known| kinds.contains(&known.kind) && known.connection == Connection::Connected)
    };
    let state = |kinds: &[ResponderKind]| match connected(kinds) {
        true => SourceState::Connected,
        false => SourceState::NotConnected,
    };
    BTreeMap::from([
        (Category::SasSlot, state(&[ResponderKind::SasProfessional, ResponderKind::Gp])),
        (Category::FixedPoint, state(&[ResponderKind::FixedPoint])),
        (Category::HomeVisit, state(&[ResponderKind::SosMedecins])),
        (Category::Teleconsultation, SourceState::NotConnected),
    ])
}

/// Monday 00:00 to the next, on the territory's wall clock.
fn local_week(place: &Place, now: Instant) -> (Instant, Instant) {
    let zone = place.territory.calendar.zone();
    let today = local_date(zone, now);
    let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    let midnight = |date: chrono::NaiveDate| to_instant(zone, date.and_time(NaiveTime::MIN));
    (midnight(monday), midnight(monday + Days::new(7)))
}

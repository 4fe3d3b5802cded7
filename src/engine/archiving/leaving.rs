//! Records that leave: each is in the archive, on disk, before a guarded commit takes it and its entries away.

use std::sync::Arc;

use crate::{
    domain::{
        case::{Event, Fact, leaving, state::SCHEMA},
        ids::CaseId,
        slots::SlotState,
        time::Instant,
    },
    store::{
        Digest, Guard, Index, Key, MAX_PAGE, MAX_READ, Member, Op, Policy, Score, Snapshot, Txn, due_command, dump::Row,
    },
};

use super::{
    super::{
        Engine, Failure, Place,
        codec::{self, Entity},
        indexes::{self, Basis},
        memory::Known,
        upkeep::upkeep,
    },
    Archive,
};

/// Most slots or shifts that leave in one event: each has a handful of index entries.
const TOGETHER: usize = 8;

/// A record that may leave.
struct Leaver {
    key: Key,
    known: Known,
    row: Row,
}

impl Engine {
    /// Lets everything go that is over for long enough. Answers how many records left.
    pub(super) async fn let_go(&self, place: &Place, archive: &Arc<Archive>) -> Result<u64, Failure> {
        let until = (self.now() - archive.keep_closed).unix_ms();
        let (mut left, mut after): (u64, Option<(Score, Member)>) = (0, None);
        loop {
            let page = self.0.store.range(&place.territory.id, &Index::over(), after.take(), MAX_PAGE).await?;
            let full = page.entries.len() == MAX_PAGE;
            let ripe: Vec<_> = page.entries.into_iter().take_while(|(score, _)| *score <= until).collect();
            let more = full && ripe.len() == MAX_PAGE;
            after = ripe.last().cloned();
            let keys: Vec<Key> = ripe.into_iter().map(|(_, member)| Key::from_stored(member.0)).collect();
            for chunk in keys.chunks(MAX_READ) {
                left += self.let_go_of(place, archive, chunk).await?;
            }
            if !more {
                return Ok(left);
            }
        }
    }

    async fn let_go_of(&self, place: &Place, archive: &Arc<Archive>, keys: &[Key]) -> Result<u64, Failure> {
        let snapshot = self.0.store.read(&place.territory.id, keys, None).await?;
        let leavers = self.leavers(place, archive, &snapshot).await?;
        if leavers.is_empty() || !self.is_believed(&place.territory.id, &snapshot).await? {
            return Ok(0);
        }
        let rows = leavers.iter().map(|leaver| (day_of(&leaver.known.entity), leaver.row.clone())).collect();
        self.append(place, archive, &snapshot, rows).await?;
        let (cases, others): (Vec<Leaver>, Vec<Leaver>) =
            leavers.into_iter().partition(|leaver| matches!(leaver.known.entity.as_ref(), Entity::Case(_)));
        let mut left = 0;
        let groups = cases.chunks(1).chain(others.chunks(TOGETHER));
        for group in groups {
            left += self.take_away(place, &snapshot, group).await?;
        }
        Ok(left)
    }

    /// Those of the records read that may leave. A slot leaves after its case.
    async fn leavers(&self, place: &Place, archive: &Archive, snapshot: &Snapshot) -> Result<Vec<Leaver>, Failure> {
        let (now, mut leavers, mut bound) = (self.now(), Vec::new(), Vec::new());
        for (key, record) in &snapshot.records {
            let Some(record) = record else { continue };
            let known = match Known::from_record(key, record) {
                Ok(known) => known,
                // It stays where it is, for a binary that reads it; the others leave.
                Err(error) => {
                    tracing::error!(territory = %place.territory.id, %key, %error, "a record that is over cannot be read");
                    continue;
                }
            };
            let leaves = match known.entity.as_ref() {
                Entity::Case(case) => leaving::case(case, now, archive.keep_closed),
                Entity::Slot(slot) => leaving::slot(slot, now, archive.keep_closed),
                Entity::Shift(shift) => leaving::shift(shift, now, archive.keep_closed),
                Entity::Room(_) => false,
                Entity::Sheet(sheet) => leaving::sheet(sheet, now, archive.keep_closed),
            };
            if leaves {
                bound.extend(bound_to(&known.entity).map(Key::case));
                leavers.push(Leaver { key: key.clone(), known, row: Row::Record(key.clone(), record.clone()) });
            }
        }
        bound.sort_unstable();
        bound.dedup();
        let still = self.0.store.read(&place.territory.id, &bound, None).await?;
        let here = |id: CaseId| still.records.get(&Key::case(id)).is_some_and(Option::is_some);
        leavers.retain(|leaver| !bound_to(&leaver.known.entity).is_some_and(here));
        Ok(leavers)
    }

    async fn take_away(&self, place: &Place, snapshot: &Snapshot, group: &[Leaver]) -> Result<u64, Failure> {
        let territory = &place.territory.id;
        let basis = Basis { lookup: &self.0.lookup, lease: place.territory.regulation.lease };
        let at = self.now().max(snapshot.at);
        let causes: Vec<String> =
            group.iter().map(|leaver| format!("{} {:?}", leaver.key, leaver.known.version)).collect();
        let cause = format!("archive {}", causes.join(" "));
        let command_id = due_command(&cause, at);
        let (mut guards, mut ops, mut facts, mut case) = (Vec::new(), Vec::new(), Vec::new(), None);
        for Leaver { key, known, .. } in group {
            guards.push(Guard::Version(key.clone(), known.version));
            ops.extend(indexes::difference(Some(&known.entity), None, basis));
            ops.push(Op::Delete(key.clone()));
            facts.push(match known.entity.as_ref() {
                Entity::Case(left) => {
                    case = Some(left.id);
                    Fact::CaseArchived
                }
                Entity::Slot(slot) => Fact::SlotArchived { slot: slot.id },
                Entity::Shift(shift) => Fact::ShiftArchived { shift: shift.id },
                Entity::Room(_) => continue,
                Entity::Sheet(sheet) => Fact::SheetArchived { sheet: sheet.id },
            });
        }
        let (schema, command, actor) = (SCHEMA, "Archive".to_owned(), upkeep(territory));
        let event = Event { schema, command, command_id, actor, at, case, facts, words: Vec::new() };
        let touch = Txn::touch(territory.clone(), snapshot.epoch, at);
        let command = Some((command_id, Digest::of(cause.as_bytes())));
        let event = Some(codec::encode_event(&event));
        let txn = Txn { command, schema: SCHEMA, guards, ops, event, policy: Policy::Strict, ..touch };
        if !self.settled(&txn).await? {
            return Ok(0);
        }
        group.iter().for_each(|leaver| self.0.memory.put(territory, &leaver.key, None));
        Ok(group.len() as u64)
    }
}

fn bound_to(entity: &Entity) -> Option<CaseId> {
    match entity {
        Entity::Slot(slot) => match slot.state {
            SlotState::Held { case, .. } | SlotState::Booked { case, .. } => Some(case),
            SlotState::Free | SlotState::Withdrawn { .. } => None,
        },
        Entity::Case(_) | Entity::Shift(_) | Entity::Room(_) | Entity::Sheet(_) => None,
    }
}

/// The day whose file a record goes to: always the same one, so that what is appended twice stands in one file.
fn day_of(entity: &Entity) -> Instant {
    match entity {
        Entity::Case(case) => case.entered,
        Entity::Slot(slot) => slot.start,
        Entity::Shift(shift) => shift.start,
        // It never leaves.
        Entity::Room(_) => Instant::from_unix_ms(0),
        Entity::Sheet(sheet) => sheet.entered,
    }
}

//! What is stored against what the log tells: records by content, indexes entry by entry.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    domain::{
        case::{Case, Records},
        ids::TerritoryId,
        regulation::qualification::Stream,
    },
    store::{Index, Key, MAX_PAGE, MAX_READ, Member, Score},
};

use super::{
    super::{
        Engine, Failure,
        codec::{self, Entity},
        indexes,
    },
    Telling,
};

/// The names of the parts in which two records of one key differ; never what they hold.
fn differing(stored: &Entity, told: &Entity) -> Vec<String> {
    let parts = |entity: &Entity| {
        let value = match entity {
            Entity::Case(case) => serde_json::to_value(case.as_ref()),
            Entity::Slot(slot) => serde_json::to_value(slot),
            Entity::Shift(shift) => serde_json::to_value(shift),
            Entity::Room(room) => serde_json::to_value(room),
            Entity::Sheet(sheet) => serde_json::to_value(sheet),
        };
        value.ok().and_then(|value| value.as_object().cloned()).unwrap_or_default()
    };
    let (stored, told) = (parts(stored), parts(told));
    let names: BTreeSet<&String> = stored.keys().chain(told.keys()).collect();
    let differ = names.into_iter().filter(|name| stored.get(*name) != told.get(*name));
    let mut names: Vec<String> = differ.cloned().collect();
    if names.is_empty() {
        names.push("its sealed part".to_owned());
    }
    names
}

/// Records written after the head that was replayed: neither they nor their entries are judged.
#[derive(Default)]
struct Newer(BTreeSet<String>);

impl Newer {
    fn note(&mut self, key: &Key) {
        self.0.extend(key.as_str().split('/').nth(1).map(str::to_owned));
    }

    fn concerns(&self, member: &Member) -> bool {
        member.0.split('/').any(|part| self.0.contains(part))
    }
}

impl Engine {
    pub(super) async fn compare(
        &self,
        territory: &TerritoryId,
        head: u64,
        replay: &mut Telling,
        basis: indexes::Basis<'_>,
    ) -> Result<(), Failure> {
        let told = entities(&replay.told.records);
        let keys: Vec<Key> = told.keys().cloned().collect();
        let mut newer = Newer::default();
        for chunk in keys.chunks(MAX_READ) {
            let snapshot = self.0.store.read(territory, chunk, None).await?;
            for (key, record) in &snapshot.records {
                let Some(record) = record else {
                    replay.report.add(format!("{key}: rule 1: the log tells of it and it is not stored"));
                    continue;
                };
                if record.version.seq() > head {
                    newer.note(key);
                    continue;
                }
                match codec::decode(key.as_str(), &record.value) {
                    Ok(stored) if stored.clone().comparable() == told[key].clone().comparable() => {}
                    Ok(stored) => {
                        let parts = differing(&stored, &told[key]).join(", ");
                        replay.report.add(format!("{key}: rule 1: what is stored is not what the log tells: {parts}"));
                    }
                    Err(error) => replay.report.add(format!("{key}: {error}")),
                }
            }
        }
        self.compare_indexes(territory, head, replay, (&told, &newer), basis).await
    }

    async fn compare_indexes(
        &self,
        territory: &TerritoryId,
        head: u64,
        replay: &mut Telling,
        (told, newer): (&BTreeMap<Key, Entity>, &Newer),
        basis: indexes::Basis<'_>,
    ) -> Result<(), Failure> {
        let mut expected: BTreeMap<(Index, Member), Score> = BTreeMap::new();
        for entity in told.values() {
            expected.extend(indexes::entries(entity, basis));
        }
        let mut names: BTreeSet<Index> = replay.indexes.clone();
        names.extend(expected.keys().map(|(index, _)| index.clone()));
        names.extend(always());
        for index in names {
            for (member, score) in self.whole(territory, &index).await? {
                let known = expected.remove(&(index.clone(), member.clone()));
                replay.report.entries += 1;
                let older = known.is_none() && !replay.complete();
                if known != Some(score) && !older && !newer.concerns(&member) && self.unchanged(territory, head).await?
                {
                    let problem = if known.is_some() { "has another place than" } else { "is not in" };
                    replay.report.add(format!("index {index}: entry {} {problem} what the log tells", member.0));
                }
            }
        }
        self.compare_leases(territory, replay, newer).await?;
        for (index, member) in expected.into_keys().filter(|(_, member)| !newer.concerns(member)) {
            if self.unchanged(territory, head).await? {
                replay.report.add(format!("index {index}: entry {} is missing", member.0));
            }
        }
        Ok(())
    }

    /// A difference counts only while nothing was written since: else it may be the newer state of a record.
    async fn unchanged(&self, territory: &TerritoryId, head: u64) -> Result<bool, Failure> {
        Ok(self.0.store.read(territory, &[], None).await?.seq == head)
    }

    /// Renewals move a lease without an event: only who has one is compared.
    async fn compare_leases(
        &self,
        territory: &TerritoryId,
        replay: &mut Telling,
        newer: &Newer,
    ) -> Result<(), Failure> {
        let live = |case: &&Arc<Case>| case.claim.as_ref().is_some_and(|claim| claim.suspect.is_none());
        let mut held: BTreeSet<Member> =
            replay.told.records.cases.values().filter(live).map(|case| Member::from(&case.id)).collect();
        for (member, _) in self.whole(territory, &Index::leases()).await? {
            if !held.remove(&member) && replay.complete() && !newer.concerns(&member) {
                replay.report.add(format!("index leases: entry {} without a claim", member.0));
            }
        }
        for member in held.into_iter().filter(|member| !newer.concerns(member)) {
            replay.report.add(format!("index leases: entry {} is missing: its claim would never end", member.0));
        }
        Ok(())
    }

    async fn whole(&self, territory: &TerritoryId, index: &Index) -> Result<Vec<(Member, Score)>, Failure> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.0.store.range(territory, index, after.take(), MAX_PAGE).await?;
            let full = page.entries.len() == MAX_PAGE;
            after = page.entries.last().cloned();
            found.extend(page.entries.into_iter().map(|(score, member)| (member, score)));
            if !full {
                return Ok(found);
            }
        }
    }
}

/// Indexes that are read even if the log never told of an entry.
fn always() -> Vec<Index> {
    let mut names = vec![
        Index::open(),
        Index::unanswered(),
        Index::handovers(),
        Index::transfers(),
        Index::alarms(),
        Index::offers(),
        Index::timers(),
        Index::shifts(),
        Index::supply(),
        Index::sheets(),
    ];
    names.extend(Stream::ALL.iter().map(|stream| Index::queue(stream.code())));
    names
}

fn entities(records: &Records) -> BTreeMap<Key, Entity> {
    let cases = records.cases.values().map(|case| (Key::case(case.id), Entity::Case(case.clone())));
    let slots = records.slots.values().map(|slot| (Key::slot(slot.id), Entity::Slot(slot.clone())));
    let shifts = records.shifts.values().map(|shift| (Key::shift(shift.id), Entity::Shift(shift.clone())));
    let room = records.room.iter().map(|room| (Key::room(), Entity::Room(room.clone())));
    let sheets = records.sheets.values().map(|sheet| (Key::sheet(sheet.id), Entity::Sheet(Box::new(sheet.clone()))));
    cases.chain(slots).chain(shifts).chain(room).chain(sheets).collect()
}

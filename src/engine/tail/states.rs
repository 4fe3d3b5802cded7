//! The state of each changed case, once per instance: from memory when this instance wrote it, folded from the event when
//! the state before it is known, else read.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    domain::{
        case::{Case, Fact, Records, apply},
        ids::CaseId,
    },
    engine::{CaseView, Engine, codec::Entity, memory::Known},
    store::{Key, MAX_READ, StoreError},
};

use super::{Latest, Reader, Told};

/// The states after a batch, and those that must be read.
#[derive(Default)]
struct Changed {
    known: BTreeMap<CaseId, Known>,
    wanted: Vec<CaseId>,
}

impl Reader {
    /// Puts the cases that `told` changed into the window. Nothing is done while nobody watches.
    pub(super) async fn resolve(&mut self, engine: &Engine, told: &[Told]) -> Result<(), StoreError> {
        if self.tail.watchers() == 0 {
            self.resolved = false;
            return Ok(());
        }
        let mut changed = Changed::default();
        for told in told {
            if let Some(case) = told.event.case {
                self.state_after(engine, told, case, &mut changed);
            }
        }
        self.read_wanted(&mut changed, told.last().map_or(0, Told::seq)).await?;
        let Ok(place) = engine.territory(&self.territory) else { return Ok(()) };
        for (case, known) in changed.known {
            self.ahead = self.ahead.max(known.version.seq());
            if let Some(view) = CaseView::new(&place, &known, engine.now()) {
                self.tail.put(case, Latest { known, view: Arc::new(view) });
            }
        }
        Ok(())
    }

    fn state_after(&self, engine: &Engine, told: &Told, case: CaseId, changed: &mut Changed) {
        if changed.wanted.contains(&case) {
            return;
        }
        let before = changed.known.get(&case).cloned().or_else(|| self.tail.latest(case));
        let after = match before {
            // It was read after this event.
            Some(known) if known.version.seq() > told.seq() || known.version == told.version => return,
            Some(known) if known.version.seq() < told.seq() && !self.is_lost(&known) => {
                folded(Some(&known), told, case)
            }
            Some(_) => None,
            None => engine.0.memory.get(&self.territory, &Key::case(case)).filter(|known| covers(known, told)),
        };
        let opens = || told.event.facts.iter().any(|fact| matches!(fact, Fact::Opened(_)));
        match after.or_else(|| opens().then(|| folded(None, told, case)).flatten()) {
            Some(known) => {
                changed.known.insert(case, known);
            }
            None => {
                changed.known.remove(&case);
                changed.wanted.push(case);
            }
        }
    }

    /// A state that was ahead of the log when it was read, and the log has come by its place with another entry there: it
    /// is of a history that was lost, and nothing may be folded onto it.
    fn is_lost(&self, known: &Known) -> bool {
        self.tail.has(known.version) == Some(false)
    }

    /// Reads what could not be told from memory, as it stands at `seq` or later.
    async fn read_wanted(&self, changed: &mut Changed, seq: u64) -> Result<(), StoreError> {
        for chunk in changed.wanted.chunks(MAX_READ) {
            let keys: Vec<Key> = chunk.iter().map(|case| Key::case(*case)).collect();
            let snapshot = self.store.read(&self.territory, &keys, None).await?;
            if snapshot.seq < seq {
                return Err(StoreError::Unavailable("the records were read behind the log".to_owned()));
            }
            for (case, key) in chunk.iter().zip(&keys) {
                let Some(Some(record)) = snapshot.records.get(key) else { continue };
                match Known::from_record(key, record) {
                    Ok(known) => {
                        changed.known.insert(*case, known);
                    }
                    // The tail of the whole territory does not stand still for one record.
                    Err(error) => tracing::error!(%key, %error, "a record cannot be read: its change is not shown"),
                }
            }
        }
        Ok(())
    }
}

/// Memory holds what this commit wrote, or something later.
fn covers(known: &Known, told: &Told) -> bool {
    known.version == told.version || known.version.seq() > told.seq()
}

/// The case after an event; as before when the event left it as it was.
fn folded(before: Option<&Known>, told: &Told, id: CaseId) -> Option<Known> {
    let mut records = Records::default();
    let old: Option<&Arc<Case>> = match before.map(|known| known.entity.as_ref()) {
        Some(Entity::Case(case)) => Some(case),
        Some(_) => return None,
        None => None,
    };
    if let Some(case) = old {
        records.cases.insert(id, case.clone());
    }
    apply(&mut records, &told.event);
    let case = records.cases.remove(&id)?;
    if old == Some(&case) {
        return before.cloned();
    }
    let number = before.map_or_else(|| told.counts.first().copied(), |known| known.number);
    Some(Known { version: told.version, number, entity: Arc::new(Entity::Case(case)) })
}

//! Touches: short writes without event or receipt, guarded on the version this instance remembers.

use crate::{
    domain::{
        actor::Actor,
        case::{Refusal, state::SCHEMA},
        ids::ShiftId,
        place::Position,
        time::Instant,
        visits::ShiftState,
    },
    store::{Committed, Guard, Key, Op, Policy, Receipt, Txn},
};

use super::{
    Engine, Failure,
    codec::{self, Entity},
    memory::Known,
};

/// A touch that was written.
pub(super) struct Touched<T> {
    /// The store's answer.
    pub(super) receipt: Receipt,
    /// The record it was guarded on.
    pub(super) known: Known,
    /// What was made of it.
    pub(super) made: T,
}

impl Engine {
    /// Keeps a doctor's position: a touch, without event or receipt.
    ///
    /// # Errors
    /// `NotFound`, `Role` when the shift is another doctor's, `State` when it has ended.
    pub async fn report_position(&self, actor: &Actor, shift: ShiftId, position: Position) -> Result<u64, Failure> {
        let key = Key::shift(shift);
        let touched = self.touch(actor, &key, |known, at| {
            let record = known.shift().ok_or_else(|| Refusal::NotFound("shift".to_owned()))?;
            if record.doctor != actor.person {
                let needed = "the doctor of the shift".to_owned();
                return Err(Refusal::Role { role: actor.role.code().to_owned(), needed });
            }
            let over = record.state == ShiftState::Free && record.end <= at;
            if over || !record.working() {
                return Err(Refusal::state("shift", "it has ended: go on duty first (OpenShift)"));
            }
            let mut moved = record.clone();
            moved.position = Some((position, at));
            let moved = Entity::Shift(moved);
            let mut txn = Txn::touch(actor.territory.clone(), 0, at);
            txn.schema = SCHEMA;
            txn.policy = Policy::Degraded;
            txn.ops = vec![Op::Put { key: key.clone(), value: codec::encode(&moved), number: None }];
            Ok((txn, moved))
        });
        let Touched { receipt, known, made } = touched.await?;
        let moved = Known { version: receipt.version, number: known.number, entity: made.into() };
        self.0.memory.put(&actor.territory, &key, Some(moved));
        Ok(receipt.seq)
    }

    /// Writes what `make` makes of a record, guarded on its version. It is refused only on what the store has.
    pub(super) async fn touch<T>(
        &self,
        actor: &Actor,
        key: &Key,
        make: impl Fn(&Known, Instant) -> Result<(Txn, T), Refusal>,
    ) -> Result<Touched<T>, Failure> {
        let place = self.territory(&actor.territory)?;
        let mut remembered = self.0.memory.get(&actor.territory, key);
        for _ in 0..self.0.options.attempts {
            let (known, fresh) = match remembered.take() {
                Some(known) => (known, false),
                None => (self.read_one(actor, key).await?.ok_or_else(|| missing(key))?, true),
            };
            let (mut txn, made) = match make(&known, self.not_before(known.last_instant())) {
                Ok(made) => made,
                Err(_) if !fresh => continue,
                Err(refusal) => return Err(refusal.into()),
            };
            txn.epoch = self.epoch(actor).await?;
            txn.guards = vec![Guard::Version(key.clone(), known.version)];
            match self.send(&txn).await? {
                Some(Committed::Done(receipt)) => return Ok(Touched { receipt, known, made }),
                Some(Committed::Clock(now)) => self.set_store_time(now),
                Some(Committed::Conflict(conflict)) => self.corrected(actor, &place, &conflict),
                None => self.0.memory.forget(&actor.territory),
            }
            // A conflict that comes again with the same record is not its version's: it is read.
            remembered = self.0.memory.get(&actor.territory, key).filter(|now| now.version != known.version);
        }
        Err(Failure::Busy)
    }

    /// A record as the store has it now.
    pub(super) async fn read_one(&self, actor: &Actor, key: &Key) -> Result<Option<Known>, Failure> {
        let snapshot = self.read_store(&actor.territory, std::slice::from_ref(key), None).await?;
        Ok(self.remember(actor, &snapshot)?.remove(key).flatten())
    }
}

fn missing(key: &Key) -> Failure {
    let kind = key.as_str().split('/').next().unwrap_or_default();
    Refusal::NotFound(kind.to_owned()).into()
}

//! Comparing what is remembered of a territory with what the store holds, and what follows from it.

use std::time::Duration;

use crate::{
    domain::{case::state::SCHEMA, ids::TerritoryId, time::Instant},
    store::{Committed, Key, Op, Policy, StoreError, Txn},
};

use super::{
    ATTEMPTS, Fenced, Ground, gone,
    past::{Look, Mark, Past, Verdict},
    restore,
};

/// How often a server is asked whether it is still the primary, while writes are refused by what it shows.
const ASK_EVERY: Duration = Duration::from_secs(1);

impl Fenced {
    /// The engine's generation in which the history of `territory` was compared; compares it first where that is due.
    pub(super) async fn checked(&self, territory: &TerritoryId) -> Result<u64, StoreError> {
        let ground = self.ground(territory);
        if let Some(generation) = self.is_checked(territory, &ground) {
            return Ok(generation);
        }
        let _one = ground.checking.lock().await;
        // Who waited finds the work done.
        match self.is_checked(territory, &ground) {
            Some(generation) => Ok(generation),
            None => self.compare(territory, &ground).await,
        }
    }

    fn is_checked(&self, territory: &TerritoryId, ground: &Ground) -> Option<u64> {
        let generation = self.inner.generation(territory);
        let mut past = ground.past();
        if past.knows_nothing() {
            past.verified = Some(generation);
        }
        past.verified.filter(|verified| *verified == generation)
    }

    /// As [`Fenced::checked`], before a write: refused while what was acknowledged is missing, save a call that comes in.
    pub(super) async fn may_write(&self, txn: &Txn) -> Result<u64, StoreError> {
        let territory = &txn.territory;
        let generation = self.checked(territory).await?;
        let ground = self.ground(territory);
        let (behind, untold) = {
            let past = ground.past();
            (past.behind, past.untold)
        };
        let Some(missing) = behind else {
            return if untold && txn.policy == Policy::Strict { Err(not_told()) } else { Ok(generation) };
        };
        // The operator may have been here meanwhile.
        let _one = ground.checking.lock().await;
        let mut asked = false;
        loop {
            let generation = self.compare(territory, &ground).await?;
            let (refused, epoch) = {
                let past = ground.past();
                (past.refused(territory), past.epoch)
            };
            match refused {
                // Whatever was decided meanwhile was decided on the other history.
                Ok(()) => return Err(StoreError::Fenced { current: epoch }),
                Err(_) if txn.even_behind => return self.may_write_behind(txn, &ground, (missing, generation)).await,
                Err(refused) if asked => return Err(refused),
                Err(refused) => {
                    self.leave_an_old_primary(territory, &ground, epoch).await;
                    asked = true;
                    if self.inner.generation(territory) == generation {
                        return Err(refused);
                    }
                }
            }
        }
    }

    /// A call that comes in, while what was acknowledged is `missing`: in an epoch of its own.
    async fn may_write_behind(
        &self,
        txn: &Txn,
        ground: &Ground,
        (missing, generation): (Mark, u64),
    ) -> Result<u64, StoreError> {
        let (territory, epoch) = (&txn.territory, ground.past().epoch);
        if txn.epoch > missing.epoch && txn.epoch == epoch {
            tracing::warn!(%territory, "a call is taken although the store has gone back behind what was acknowledged");
            return Ok(generation);
        }
        Err(StoreError::Fenced { current: self.set_apart(territory, ground, missing).await? })
    }

    /// Raises the epoch beyond that of what is `missing`, unless that was done; answers the epoch there is now. The caller
    /// holds the lock of the comparison.
    pub(super) async fn set_apart(
        &self,
        territory: &TerritoryId,
        ground: &Ground,
        missing: Mark,
    ) -> Result<u64, StoreError> {
        if ground.past().epoch <= missing.epoch {
            let found = self.look(territory, ground).await?;
            let (highest, reached) = {
                let past = ground.past();
                (past.highest_epoch(), past.reached)
            };
            let apart = gone::set_apart(&found, highest, reached);
            self.raise(territory, &found, apart).await?;
            self.compare(territory, ground).await?;
        }
        let current = ground.past().epoch;
        Ok(current)
    }

    /// A server that is the primary no longer, and to which nobody has said so, goes on answering whoever reads: an instance
    /// that is refused by what it reads there would never write, never fail, and never hear of the operator's word, which
    /// the new primary has. So the shortest write is made that waits for what the site promises: where that fails, the
    /// engine looks for the primary anew, and its generation tells. Not more often than others can bear to wait for it.
    async fn leave_an_old_primary(&self, territory: &TerritoryId, ground: &Ground, epoch: u64) {
        let now = self.clock.uptime();
        let lately = ground.past().asked.is_some_and(|asked| now.saturating_sub(asked) < ASK_EVERY);
        // In an empty place it would be the first of all writes.
        if lately || epoch == 0 {
            return;
        }
        ground.past().asked = Some(now);
        let mut at = self.clock.now();
        for _ in 0..ATTEMPTS {
            match self.inner.commit(&Txn::touch(territory.clone(), epoch, at)).await {
                Ok(Committed::Clock(now)) => at = now,
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Looks, judges, and raises the epoch where the history is another that nobody has fenced yet.
    async fn compare(&self, territory: &TerritoryId, ground: &Ground) -> Result<u64, StoreError> {
        for _ in 0..ATTEMPTS {
            let generation = self.inner.generation(territory);
            let found = self.look(territory, ground).await?;
            if self.inner.generation(territory) != generation {
                continue;
            }
            self.metrics.clock_gap(territory, found.at.since(self.clock.now()));
            let verdict = ground.past().judge(&found);
            ground.past().untold = verdict == Verdict::Untold;
            match verdict {
                Verdict::Same => {
                    self.adopt(territory, ground, &found, true, generation);
                    return Ok(generation);
                }
                // Compared again at the next call: the commit itself still waits for its replicas.
                Verdict::Unsure | Verdict::Untold => return Ok(generation),
                Verdict::Behind(missing) => {
                    self.fall_behind(territory, &mut ground.past(), &found, missing, generation);
                    return Ok(generation);
                }
                Verdict::Other => {
                    let highest = ground.past().highest_epoch();
                    if found.epoch > highest {
                        self.adopt(territory, ground, &found, false, generation);
                        return Ok(generation);
                    }
                    tracing::error!(%territory, head = found.seq, "the store has another history: the epoch is raised");
                    self.raise(territory, &found, vec![Op::RaiseEpoch { beyond: highest }]).await?;
                }
            }
        }
        Err(StoreError::Unavailable("the connection to the store keeps changing".to_owned()))
    }

    fn adopt(&self, territory: &TerritoryId, ground: &Ground, found: &Look, same: bool, generation: u64) {
        let mut past = ground.past();
        let settled = past.behind;
        let same = same && settled.is_none();
        past.adopt(found, same, generation);
        if let Some(missing) = settled {
            self.metrics.store_behind(territory, false);
            tracing::warn!(%territory, seq = missing.seq, command = %missing.command, epoch = found.epoch,
                "writing goes on: what was acknowledged is there again, or an operator has settled that it is lost");
        }
    }

    fn fall_behind(&self, territory: &TerritoryId, past: &mut Past, found: &Look, missing: Mark, generation: u64) {
        if past.behind != Some(missing) {
            self.metrics.store_behind(territory, true);
            tracing::error!(%territory, acknowledged = missing.seq, command = %missing.command, at = %missing.at,
                head = found.seq, "acknowledged commands are not in the store: writes are refused until the right data \
                are back or `sas-dispatch restore` has been run");
        }
        past.fall_behind(found, missing, generation);
    }

    /// One read and, where something is remembered, one page of the log (one more for a mark far from the others).
    async fn look(&self, territory: &TerritoryId, ground: &Ground) -> Result<Look, StoreError> {
        let pages = ground.past().pages();
        let key = Key::restored();
        let head = self.inner.read(territory, std::slice::from_ref(&key), None).await?;
        let restored = restore::epoch_of(head.records.get(&key).and_then(Option::as_ref))?;
        let mut found = Look { epoch: head.epoch, seq: head.seq, at: head.at, restored, entries: Default::default() };
        for (after, limit) in pages {
            let entries = self.inner.log(territory, after, limit).await?;
            found.entries.extend(entries.into_iter().map(|entry| (entry.seq, entry.command_id)));
        }
        Ok(found)
    }

    /// Raises the epoch by these ops where nobody has meanwhile. The caller looks again either way.
    async fn raise(&self, territory: &TerritoryId, found: &Look, ops: Vec<Op>) -> Result<(), StoreError> {
        let mut txn = raising(territory, found.epoch, found.at, ops);
        for _ in 0..ATTEMPTS {
            match self.inner.commit(&txn).await {
                Ok(Committed::Done(_)) => {
                    self.metrics.epoch_raised(territory);
                    return Ok(());
                }
                Ok(Committed::Clock(now)) => txn.at = now,
                // A raise without guards has none that could fail; another instance won.
                Ok(Committed::Conflict(_)) | Err(StoreError::Fenced { .. }) => return Ok(()),
                // A raise that was lost on the way back is found by the next look.
                Err(StoreError::Unknown(_)) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Unavailable("the store's clock keeps moving".to_owned()))
    }
}

/// What is answered while nobody can tell whether what was acknowledged is in the log: were it gone, another acknowledgement
/// would take its place in what is remembered.
fn not_told() -> StoreError {
    StoreError::Unavailable("its replicas have not confirmed yet what was acknowledged before".to_owned())
}

/// What is answered when another server may have answered.
pub(super) fn now_elsewhere() -> StoreError {
    StoreError::Unknown("the connection to the store changed under the commit".to_owned())
}

fn raising(territory: &TerritoryId, epoch: u64, at: Instant, ops: Vec<Op>) -> Txn {
    // Until it is raised nobody reads or writes here, a vital emergency neither: it waits for no level.
    Txn { ops, schema: SCHEMA, policy: Policy::Vital, ..Txn::touch(territory.clone(), epoch, at) }
}

//! A command that comes again: answered from its receipt, also while writes are refused, and remembered like any other
//! that was acknowledged.
//!
//! Refused, its caller would believe that it did not happen. Answered, it is acknowledged by this instance, perhaps by this
//! one alone: if a history comes back that lacks it, that must not go unnoticed.

use crate::{
    domain::ids::CommandId,
    store::{Committed, Guard, Index, Member, Receipt, StoreError, Txn},
};

use super::{Fenced, check::now_elsewhere};

impl Fenced {
    /// What to answer instead of `refused` to a command that may have taken effect before, through whichever instance, in
    /// the history that is there now. It is told of in an epoch of its own, as a call that comes in is written in one.
    pub(super) async fn known_behind(&self, txn: &Txn, refused: StoreError) -> Result<Committed, StoreError> {
        let territory = &txn.territory;
        let ground = self.ground(territory);
        let _one = ground.checking.lock().await;
        let Some(missing) = ground.past().behind.filter(|_| txn.command.is_some()) else { return Err(refused) };
        let generation = self.inner.generation(territory);
        // It also waits for the replicas, behind a write: what an old primary has taken alone is not answered as safe.
        let receipt = match self.inner.commit(&asking(txn)).await {
            Ok(Committed::Done(receipt)) => receipt,
            Err(error @ (StoreError::Unknown(_) | StoreError::Unavailable(_) | StoreError::OtherPayload(_))) => {
                return Err(error);
            }
            Ok(_) | Err(_) => return Err(refused),
        };
        let current = self.set_apart(territory, &ground, missing).await?;
        if ground.past().behind.is_none() {
            return Err(StoreError::Fenced { current });
        }
        let stands = self.stands(txn, &receipt).await?;
        if self.inner.generation(territory) != generation {
            return Err(now_elsewhere());
        }
        stands.into_iter().for_each(|command| ground.past().acknowledge_again(command, &receipt));
        Ok(Committed::Done(receipt))
    }

    /// The command of an answer from a receipt, where it is to be remembered. A receipt does not say whether its command
    /// left an event: the log does. What is remembered already needs no look.
    pub(super) async fn stands(&self, txn: &Txn, receipt: &Receipt) -> Result<Option<CommandId>, StoreError> {
        let again = receipt.replayed && receipt.durability >= self.promised;
        let Some((command, _)) = txn.command.filter(|_| again) else { return Ok(None) };
        if self.ground(&txn.territory).past().remembers(receipt.seq) {
            return Ok(None);
        }
        let entries = self.inner.log(&txn.territory, receipt.seq.saturating_sub(1), 1).await?;
        let there = entries.first().is_some_and(|entry| (entry.seq, entry.command_id) == (receipt.seq, command));
        Ok(there.then_some(command))
    }
}

/// The same command with a guard that never holds: its receipt or nothing.
fn asking(txn: &Txn) -> Txn {
    let never = Guard::Due(Index::timers(), Member("never".to_owned()));
    Txn {
        command: txn.command,
        guards: vec![never],
        policy: txn.policy,
        ..Txn::touch(txn.territory.clone(), txn.epoch, txn.at)
    }
}

//! The agenda of a doctor of his own: of his slots no two share time, whichever instance publishes them.
//!
//! Which other slots he has is found in memory, which another instance may be ahead of. Every record that is looked at is
//! guarded, and a new slot also on the one that was published last in each hour in which it lies: of two published at once
//! the later sees the earlier, and slots of other hours do not stand in its way. Where that guard fails, the store's own
//! lists are looked at.

use crate::{
    domain::{
        actor::Actor,
        case::{Command, Records},
        directory::Responder,
        ids::{ResponderId, SlotId},
        slots::{Slot, hours},
        time::{Instant, Span},
    },
    store::{Guard, Index, Key, MAX_READ, Member},
};

use super::{Done, Engine, Failure, Mutation, Target, act::Extra, codec::Entity};

/// Looks at an agenda before the caller is told to try again: each was overtaken by another slot of the same hour.
const LOOKS: usize = 6;
/// Attempts on one look: a guard that failed once will not hold again, and one of them may be for the store's clock.
const ATTEMPTS: u32 = 2;
/// No slot that begins longer ago still runs.
const LONGEST: Span = Span::from_hours(4);

/// The time of a slot to publish, and whose it is.
pub(super) struct Period {
    responder: ResponderId,
    /// The slot itself, when it is published again.
    own: Option<SlotId>,
    start: Instant,
    end: Instant,
}

impl Period {
    fn shares(&self, slot: &Slot) -> bool {
        slot.responder == self.responder && Some(slot.id) != self.own && slot.shares((self.start, self.end))
    }

    /// What a commit rests on: the slot that was published last in each hour, and one that shares the time.
    fn extra(&self, newest: Vec<(i64, Option<Member>)>, other: Option<SlotId>) -> Extra {
        let known = newest.iter().filter_map(|(_, member)| member.as_ref()?.0.parse().ok());
        let mut slots: Vec<SlotId> = known.chain(other).collect();
        slots.sort_unstable();
        slots.dedup();
        let first = |(hour, member)| Guard::First(Index::published(&self.responder, hour), member);
        Extra { guards: newest.into_iter().map(first).collect(), slots, attempts: Some(ATTEMPTS), ..Extra::default() }
    }

    /// The same, as memory has it.
    fn beside(&self, known: &Records) -> Extra {
        let own: Vec<&Slot> = known.slots.values().filter(|slot| slot.responder == self.responder).collect();
        let newest = |hour: i64| {
            let listed = own.iter().filter(|slot| slot.listed() && slot.hours().any(|one| one == hour));
            let newest = listed.filter_map(|slot| Some((slot.turn?, slot.id))).max();
            newest.map(|(_, slot)| Member::from(&slot))
        };
        let newest = hours(self.start, self.end).map(|hour| (hour, newest(hour))).collect();
        self.extra(newest, own.iter().find(|slot| self.shares(slot)).map(|slot| slot.id))
    }
}

impl Engine {
    /// The period of a slot to publish whose doctor sees one patient at a time; none for what is compared with nothing.
    pub(super) fn booked_singly(&self, actor: &Actor, command: &Command) -> Result<Option<Period>, Failure> {
        let Command::PublishSlot { slot, responder, start, end, .. } = command else { return Ok(None) };
        let place = self.territory(&actor.territory)?;
        let alone = place.directory.get(responder).is_some_and(Responder::is_one_doctor) && start < end;
        let (responder, own, start, end) = (responder.clone(), *slot, *start, *end);
        Ok(alone.then_some(Period { responder, own, start, end }))
    }

    /// Publishes a slot beside those that its doctor has in the same hours.
    pub(super) async fn publish_slot(
        &self,
        actor: &Actor,
        mutation: Mutation,
        period: &Period,
        command: &Command,
    ) -> Result<Done, Failure> {
        let place = self.territory(&actor.territory)?;
        let at_least = self.own_place(&actor.territory);
        let mut extra = self.in_supply(&place, at_least, |known| period.beside(known)).await?;
        for _ in 0..LOOKS {
            match self.act_guarded(actor, mutation, Target::default(), command, extra).await {
                Err(Failure::Busy) => extra = self.stored_agenda(actor, period).await?,
                done => return done,
            }
        }
        Err(Failure::Busy)
    }

    /// What memory proposes, as the store has it now. What was published last is asked first: whatever comes after that fails
    /// the guard.
    async fn stored_agenda(&self, actor: &Actor, period: &Period) -> Result<Extra, Failure> {
        let mut newest = Vec::new();
        for hour in hours(period.start, period.end) {
            let index = Index::published(&period.responder, hour);
            let first = self.0.store.range(&actor.territory, &index, None, 1).await?.entries.into_iter().next();
            newest.push((hour, first.map(|(_, member)| member)));
        }
        let index = Index::slots(&period.responder);
        let mut after = Some(((period.start - LONGEST).unix_ms() - 1, Member(String::new())));
        loop {
            let listed = self.0.store.range(&actor.territory, &index, after.take(), MAX_READ).await?.entries;
            let within = listed.iter().filter(|(start, _)| *start < period.end.unix_ms());
            let keys: Vec<Key> = within.filter_map(|(_, member)| Some(Key::slot(member.0.parse().ok()?))).collect();
            let snapshot = self.read_store(&actor.territory, &keys, None).await?;
            let (read, _) = self.remember_readable(actor, &snapshot);
            let other = read.values().flatten().find_map(|known| match known.entity.as_ref() {
                Entity::Slot(slot) if period.shares(slot) => Some(slot.id),
                _ => None,
            });
            if other.is_some() || keys.len() < MAX_READ {
                return Ok(period.extra(newest, other));
            }
            after = listed.last().cloned();
        }
    }
}

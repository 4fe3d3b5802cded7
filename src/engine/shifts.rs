//! A doctor's shifts: he is on duty once at a time and on one visit at a time, whichever instance is asked.
//!
//! Which other shifts he has is found in memory, which another instance may be ahead of. Every record that is looked at is
//! guarded, and a new shift also on the one that he entered last: of two entered at once the later sees the earlier. Where
//! that guard fails, the store's own list of his shifts is looked at: it may hold what no memory has, such as one of long ago
//! or one that an older binary ended.

use std::cmp::Reverse;

use crate::{
    domain::{
        actor::Actor,
        case::{Command, Records},
        ids::{PersonId, ShiftId},
        time::Instant,
        visits::{Shift, ShiftState},
    },
    store::{Guard, Index, Key, MAX_READ, Member},
};

use super::{Done, Engine, Failure, Mutation, Place, Target, act::Extra, codec::Entity};

/// Most shifts of one person that are looked at together.
const MOST_SHIFTS: usize = 8;

/// Looks at a doctor's shifts before the caller is told to try again: each was overtaken by another shift of his.
const LOOKS: usize = 3;

impl Engine {
    /// Opens a shift of `actor` for the time from `start` to `end`.
    pub(super) async fn open_shift(
        &self,
        actor: &Actor,
        mutation: Mutation,
        command: &Command,
        (start, end): (Instant, Instant),
    ) -> Result<Done, Failure> {
        let place = self.territory(&actor.territory)?;
        let at_least = self.own_place(&actor.territory);
        let mut extra = self.in_supply(&place, at_least, |known| beside(known, &actor.person, (start, end))).await?;
        for _ in 0..LOOKS {
            match self.act_guarded(actor, mutation, Target::default(), command, extra).await {
                Err(Failure::Busy) => extra = self.stored_beside(actor, (start, end)).await?,
                done => return done,
            }
        }
        Err(Failure::Busy)
    }

    /// The same as [`beside`], as the store has it now.
    async fn stored_beside(&self, actor: &Actor, (start, end): (Instant, Instant)) -> Result<Extra, Failure> {
        let index = Index::shifts_of(&actor.person);
        let (mut shifts, mut newest, mut after) = (Vec::new(), None, None);
        loop {
            let listed = self.0.store.range(&actor.territory, &index, after, MAX_READ).await?.entries;
            let key = |member: &Member| Some(Key::shift(member.0.parse().ok()?));
            let keys: Vec<Key> = listed.iter().filter_map(|(_, member)| key(member)).collect();
            let snapshot = self.read_store(&actor.territory, &keys, None).await?;
            let (read, _) = self.remember_readable(actor, &snapshot);
            let entered = read.values().flatten().filter_map(|known| match known.entity.as_ref() {
                Entity::Shift(shift) => Some(shift),
                _ => None,
            });
            let beside = entered.filter(|shift| own(shift, &actor.person) && overlaps(shift, (start, end)));
            shifts.extend(beside.map(|shift| shift.id));
            newest = newest.or_else(|| listed.first().map(|(_, member)| member.clone()));
            after = listed.last().filter(|_| listed.len() == MAX_READ).cloned();
            if after.is_none() || shifts.len() >= MOST_SHIFTS {
                break;
            }
        }
        shifts.truncate(MOST_SHIFTS);
        Ok(Extra { guards: vec![Guard::First(index, newest)], shifts, ..Extra::default() })
    }

    /// The other shifts of the doctor of `shift`: he may still be on a visit in one that has run out.
    pub(super) async fn other_shifts(&self, actor: &Actor, shift: ShiftId) -> Result<Vec<ShiftId>, Failure> {
        let place = self.territory(&actor.territory)?;
        let look = |known: &Records| {
            let doctor = &known.shifts.get(&shift)?.doctor;
            Some(picked(known, |other| own(other, doctor) && other.id != shift))
        };
        if let Some(others) = self.in_supply(&place, self.own_place(&actor.territory), look).await? {
            return Ok(others);
        }
        // Entered a moment ago at another instance.
        let head = self.read_store(&actor.territory, &[], None).await?.seq;
        Ok(self.in_supply(&place, head, look).await?.unwrap_or_default())
    }

    /// The shifts that `which` picks, as this instance has followed them: at least as far as it has committed itself.
    pub(super) async fn shifts_in_memory(
        &self,
        place: &Place,
        which: impl Fn(&Shift) -> bool,
    ) -> Result<Vec<ShiftId>, Failure> {
        self.in_supply(place, self.own_place(&place.territory.id), |known| picked(known, which)).await
    }
}

/// Those on a visit first, then those that begin last.
fn picked(known: &Records, which: impl Fn(&Shift) -> bool) -> Vec<ShiftId> {
    let mut picked: Vec<&Shift> = known.shifts.values().filter(|shift| which(shift)).collect();
    let on_visit = |shift: &Shift| matches!(shift.state, ShiftState::OnVisit { .. });
    picked.sort_by_key(|shift| (!on_visit(shift), Reverse(shift.start)));
    picked.into_iter().map(|shift| shift.id).take(MOST_SHIFTS).collect()
}

fn own(shift: &Shift, doctor: &PersonId) -> bool {
    shift.doctor == *doctor && shift.working()
}

fn overlaps(shift: &Shift, (start, end): (Instant, Instant)) -> bool {
    shift.start < end && start < shift.end
}

/// The shifts of `doctor` that share time with one from `start` to `end`, and that no other has been entered meanwhile.
fn beside(known: &Records, doctor: &PersonId, (start, end): (Instant, Instant)) -> Extra {
    let entered = known.shifts.values().filter(|shift| own(shift, doctor));
    let entered = entered.filter_map(|shift| Some((-shift.opened?.unix_ms(), Member::from(&shift.id))));
    let newest = entered.min_by(|one, other| (one.0, &one.1.0).cmp(&(other.0, &other.1.0)));
    Extra {
        guards: vec![Guard::First(Index::shifts_of(doctor), newest.map(|(_, shift)| shift))],
        shifts: picked(known, |shift| own(shift, doctor) && overlaps(shift, (start, end))),
        ..Extra::default()
    }
}

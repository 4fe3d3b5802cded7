//! A doctor's shifts: he is on duty once at a time and on one visit at a time, whichever instance is asked.
//!
//! Which other shifts he has is found in memory, which another instance may be ahead of. Every record that is looked at is
//! guarded, and a new shift also on the one that he entered last: of two entered at once the later sees the earlier.

use crate::{
    domain::{
        actor::Actor,
        case::{Command, Records},
        ids::{PersonId, ShiftId},
        time::Instant,
        visits::Shift,
    },
    store::{Guard, Index, Member},
};

use super::{Done, Engine, Failure, Mutation, Place, Target, act::Extra};

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
        let mut at_least = self.own_place(&actor.territory);
        for _ in 0..LOOKS {
            let extra = self.in_supply(&place, at_least, |known| beside(known, &actor.person, (start, end))).await?;
            match self.act_guarded(actor, mutation, Target::default(), command, extra).await {
                Err(Failure::Busy) => at_least = self.read_store(&actor.territory, &[], None).await?.seq,
                done => return done,
            }
        }
        Err(Failure::Busy)
    }

    /// The other shifts of the doctor of `shift`: he may still be on a visit in one that has run out.
    pub(super) async fn other_shifts(&self, actor: &Actor, shift: ShiftId) -> Result<Vec<ShiftId>, Failure> {
        let place = self.territory(&actor.territory)?;
        let look = |known: &Records| {
            let Some(own) = known.shifts.get(&shift) else { return Vec::new() };
            picked(known, |other| other.doctor == own.doctor && other.id != shift && other.working())
        };
        self.in_supply(&place, self.own_place(&actor.territory), look).await
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

fn picked(known: &Records, which: impl Fn(&Shift) -> bool) -> Vec<ShiftId> {
    known.shifts.values().filter(|shift| which(shift)).map(|shift| shift.id).take(MOST_SHIFTS).collect()
}

/// The shifts of `doctor` that share time with one from `start` to `end`, and that no other has been entered meanwhile.
fn beside(known: &Records, doctor: &PersonId, (start, end): (Instant, Instant)) -> Extra {
    let own = |shift: &Shift| shift.doctor == *doctor && shift.working();
    let entered = known.shifts.values().filter(|shift| own(shift));
    let entered = entered.filter_map(|shift| Some((-shift.opened?.unix_ms(), Member::from(&shift.id))));
    let newest = entered.min_by(|one, other| (one.0, &one.1.0).cmp(&(other.0, &other.1.0)));
    Extra {
        guards: vec![Guard::First(Index::shifts_of(doctor), newest.map(|(_, shift)| shift))],
        shifts: picked(known, |shift| own(shift) && shift.start < end && start < shift.end),
        ..Extra::default()
    }
}

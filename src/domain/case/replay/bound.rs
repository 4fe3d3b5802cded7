//! Who is bound to a slot, fact by fact, whatever its own record says.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::domain::{
    case::fact::Fact,
    ids::{CaseId, OfferId},
    time::Instant,
};

/// Later than any instant of a log: what nothing ends by itself.
const NEVER: Instant = Instant::from_unix_ms(i64::MAX);

/// The cases that have a slot: booked, or held for one of their offers until an instant.
#[derive(Debug, Default)]
pub(super) struct Bound {
    booked: Vec<(CaseId, OfferId)>,
    held: BTreeMap<CaseId, Instant>,
}

impl Bound {
    /// Tells a fact of `case` at `at`; false when it freed what another case had booked.
    pub fn tell(&mut self, case: CaseId, fact: &Fact, at: Instant) -> bool {
        // A hold that ran out blocks nobody.
        self.held.retain(|_, until| *until > at);
        match fact {
            Fact::SlotHeld { until, .. } => {
                self.held.insert(case, *until);
            }
            Fact::SlotBooked { offer, .. } => {
                self.held.remove(&case);
                self.booked.push((case, *offer));
            }
            Fact::SlotFreed { .. } => {
                self.held.remove(&case);
                let mine = self.booked.iter().any(|(holder, _)| *holder == case);
                let others = std::mem::take(&mut self.booked);
                if !mine {
                    return others.is_empty();
                }
                self.booked.extend(others.into_iter().filter(|(holder, _)| *holder != case));
            }
            _ => {}
        }
        true
    }

    /// Until when two have it; none when at most one does.
    pub fn twice_until(&self) -> Option<Instant> {
        if self.booked.len() > 1 {
            return Some(NEVER);
        }
        let booked = |case: &CaseId| self.booked.iter().any(|(holder, _)| holder == case);
        let mut holds: Vec<Instant> =
            self.held.iter().filter(|(case, _)| !booked(case)).map(|(_, until)| *until).collect();
        holds.sort_unstable_by_key(|until| Reverse(*until));
        // Beside a booking the last of the holds; without one, the last but one.
        holds.get(1 - self.booked.len()).copied()
    }

    /// The cases.
    pub fn cases(&self) -> impl Iterator<Item = CaseId> {
        self.booked.iter().map(|(case, _)| *case).chain(self.held.keys().copied())
    }
}

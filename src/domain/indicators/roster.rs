//! On whose account regulators were on duty, as the log of the territory says: what a decision is counted under.

use crate::domain::{
    case::{Event, Fact},
    ids::PersonId,
    regulation::room::{self, Duty},
    time::{Instant, Span},
};

use super::codes::Affiliation;

/// How long a duty is remembered after its end: a decision on paper may be entered so much later.
const KEPT: Span = Span::from_hours(48);

/// The duties of late.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster(Vec<Duty>);

impl Roster {
    /// Takes in who goes on and off duty.
    pub fn tell(&mut self, event: &Event) {
        for fact in &event.facts {
            match fact {
                Fact::DutyStarted(duty) => {
                    self.0.retain(|known| known.id != duty.id && event.at < known.end() + KEPT);
                    self.0.push(duty.clone());
                }
                Fact::DutyEnded { duty } => {
                    let ended = self.0.iter_mut().filter(|known| known.id == *duty);
                    ended.for_each(|known| known.ended = Some(event.at));
                }
                _ => {}
            }
        }
    }

    /// On whose account a person was on duty at an instant; none when he was not.
    pub fn affiliation(&self, person: &PersonId, at: Instant) -> Option<Affiliation> {
        let duty = self.0.iter().rev().find(|duty| duty.person == *person && duty.covers(at))?;
        Some(duty.affiliation.into())
    }
}

impl From<room::Affiliation> for Affiliation {
    fn from(affiliation: room::Affiliation) -> Self {
        match affiliation {
            room::Affiliation::Hospital => Self::Hospital,
            room::Affiliation::Liberal => Self::Liberal,
            room::Affiliation::Association => Self::Association,
        }
    }
}

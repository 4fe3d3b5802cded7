//! Which stream answers for another that has no regulator, and the national code that says so (HubSante.attribution).
//!
//! R6315-1 and the regional rules let the liberal regulation stop in deep night: the doctors of the Centre 15 then
//! regulate (domain.md §1.1). A stop that the territory has scheduled is known without a roster; that nobody came is known
//! only where a roster is kept, which is when somebody of another stream is on it.

use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use crate::{
    coded_enum,
    domain::{calendar::local, time::Instant},
};

use super::{qualification::Stream, room::Room};

coded_enum! {
    /// Why a regulator of another stream answers (HubSante.attribution).
    Fallback {
        /// A liberal file regulated by an emergency doctor: there is no liberal regulation at this hour.
        NoLiberal = "DRM.MRL.ABSML", "Régulation MU par absence de régulation ML";
        /// A liberal file regulated by an emergency doctor: no liberal regulator is available.
        LiberalUnavailable = "DRM.MRL.INDISPMG", "Régulation MU par indisponibilité ML";
        /// An emergency file regulated by a liberal doctor: no emergency doctor is available.
        EmergencyUnavailable = "DRM.MRU.INDISPMU", "Régulation ML par indisponibilité MU";
        /// A file of another stream regulated by an emergency doctor.
        Emergency = "DRM.MRU.MU", "Régulation par un médecin urgentiste";
    }
}

/// A daily span of the wall clock in which a stream has no regulation, between two local dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Which stream stops.
    pub stream: Stream,
    /// From this time of day.
    pub from: NaiveTime,
    /// Until this one (not included); when it is not later than `from`, of the next day.
    pub to: NaiveTime,
    /// The first local date on which a stop begins.
    pub first: NaiveDate,
    /// The last one, included; `None` while no end is known.
    pub last: Option<NaiveDate>,
}

impl Stop {
    /// Whether `stream` is stopped at `at`, on the wall clock of `zone`.
    pub fn covers(&self, stream: Stream, zone: Tz, at: Instant) -> bool {
        let wall = local(zone, at).naive_local();
        let (date, time) = (wall.date(), wall.time());
        let over_midnight = self.to <= self.from;
        let began = match (over_midnight, time < self.to, self.from <= time) {
            (false, true, true) | (true, _, true) => Some(date),
            (true, true, false) => date.checked_sub_days(Days::new(1)),
            _ => None,
        };
        let in_force = |began: NaiveDate| self.first <= began && self.last.is_none_or(|last| began <= last);
        self.stream == stream && began.is_some_and(in_force)
    }
}

/// Who answers for `stream` at `at` when its own regulators do not, and under which code. `stopped`: the territory has
/// scheduled no regulation of this stream at that instant; whoever is on duty for it all the same answers himself.
pub fn fallback(stream: Stream, stopped: bool, room: &Room, at: Instant) -> Option<(Stream, Fallback)> {
    let absent = !room.staffed(stream, at);
    let there = |other: Stream| absent && room.staffed(other, at);
    match stream {
        Stream::Snp if stopped && absent => Some((Stream::Amu, Fallback::NoLiberal)),
        Stream::Snp if there(Stream::Amu) => Some((Stream::Amu, Fallback::LiberalUnavailable)),
        Stream::Amu if there(Stream::Snp) => Some((Stream::Snp, Fallback::EmergencyUnavailable)),
        Stream::Psy | Stream::Neonat if absent && (stopped || there(Stream::Amu)) => {
            Some((Stream::Amu, Fallback::Emergency))
        }
        Stream::Amu | Stream::Snp | Stream::Psy | Stream::Neonat => None,
    }
}

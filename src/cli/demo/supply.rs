//! What doctors and their agendas offer on the day: slots inside their own hours, and shifts.

use std::collections::BTreeMap;

use crate::{
    config::Ground,
    domain::{
        directory::{Connection, Responder, ResponderKind},
        time::{Instant, Span},
    },
    grpc::pb::SlotKind,
};

use super::{
    acts::Act,
    agenda::{ActorId, Agenda, Post},
    dice::Dice,
    staff::{COUNTRY_SHIFT, SOS_SHIFTS},
};

/// How far beyond the last call agendas are published.
const AHEAD: Span = Span::from_hours(12);
/// Of a SAS doctor's agenda, the part that is not taken by his own patients; of a GP's, the part he opens to the SAS.
const SAS_FREE_PERCENT: f64 = 55.0;
const GP_FREE_PERCENT: f64 = 12.0;

/// The structures that visit, each with the doctor whose terminal is watched.
pub(super) fn visiting((_, directory): &Ground) -> Vec<(String, String)> {
    let all = directory.iter().filter(|who| visits(who));
    all.filter_map(|who| Some((who.id.to_string(), who.doctors.first()?.to_string()))).collect()
}

/// The doctor who writes for each responder with a terminal or an agenda of its own.
pub(super) fn speaking((_, directory): &Ground) -> BTreeMap<String, String> {
    let connected = directory.iter().filter(|who| who.connection == Connection::Connected);
    connected.filter_map(|who| Some((who.id.to_string(), who.doctors.first()?.to_string()))).collect()
}

fn visits(who: &Responder) -> bool {
    let kind = matches!(who.kind, ResponderKind::SosMedecins | ResponderKind::Gp);
    kind && !who.visit_sectors.is_empty() && who.connection == Connection::Connected && !who.doctors.is_empty()
}

/// Publishes agendas from `from` on: each slot is an act of its own.
pub(super) fn publish((_, directory): &Ground, agenda: &mut Agenda, (from, until): (Instant, Instant), seed: u64) {
    let mut seat = 0;
    for who in directory.iter().filter(|who| who.connection == Connection::Connected) {
        let Some((kind, step, width, percent)) = agenda_of(who) else { continue };
        let mut dice = Dice::new(seed, &format!("agenda/{}", who.id));
        let responder = who.id.to_string();
        let end = until + AHEAD;
        let mut at = next_quarter(from);
        while at < end {
            for _ in 0..width {
                // The whole slot lies inside the hours.
                if who.open_at(at) && who.open_at(at + step - Span::from_mins(1)) && dice.percent(percent) {
                    let (kind, responder) = (kind.into(), responder.clone());
                    let act = Act::Publish { responder, kind, start: at, end: at + step };
                    agenda.put(from, ActorId(Post::Office, seat), act);
                }
            }
            at = at + step;
        }
        seat += 1;
    }
}

/// For whom slots are, how long one is, how many doctors see patients at once, and how much of the agenda is free.
fn agenda_of(who: &Responder) -> Option<(SlotKind, Span, usize, f64)> {
    let quarter = Span::from_mins(15);
    match who.kind {
        // A consultation point of SOS Médecins, and the maison médicale of the largest town, have three doctors at once.
        ResponderKind::FixedPoint if who.doctors.len() > 1 || who.commune.as_str() == "67482" => {
            Some((SlotKind::FixedPoint, quarter, 3, 100.0))
        }
        ResponderKind::FixedPoint => Some((SlotKind::FixedPoint, quarter, 1, 100.0)),
        ResponderKind::SasProfessional => Some((SlotKind::Snp, Span::from_mins(20), 1, SAS_FREE_PERCENT)),
        ResponderKind::Gp if who.conventions.sas => Some((SlotKind::Snp, Span::from_mins(20), 1, GP_FREE_PERCENT)),
        _ => None,
    }
}

/// Shifts of those who visit that begin before `until` and have not ended at `from`.
pub(super) fn shifts(
    (_, directory): &Ground,
    agenda: &mut Agenda,
    midnight: Instant,
    (from, until): (Instant, Instant),
    on_duty: bool,
) {
    for who in directory.iter().filter(|who| visits(who)) {
        let sectors: Vec<_> = who.visit_sectors.iter().map(ToString::to_string).collect();
        let mut go = |first: u32, last: u32, doctor: &str| {
            let (start, end) = (hour(midnight, first), hour(midnight, last));
            if end <= from || until <= start {
                return;
            }
            let (responder, doctor, sectors) = (who.id.to_string(), doctor.to_owned(), sectors.clone());
            let act = Act::OnDuty { responder, doctor, sectors, end };
            agenda.put(start.max(from), ActorId(Post::Visitor, 1), act);
        };
        if who.kind == ResponderKind::SosMedecins {
            let mut doctors = who.doctors.iter();
            for (first, last, count) in SOS_SHIFTS {
                doctors.by_ref().take(count).for_each(|doctor| go(first, last, doctor.as_str()));
            }
            // The night that follows has the doctors of the night before.
            let (first, last, count) = SOS_SHIFTS[0];
            who.doctors.iter().take(count).for_each(|doctor| go(first + 24, last + 24, doctor.as_str()));
        } else if on_duty && let Some(doctor) = who.doctors.first() {
            go(COUNTRY_SHIFT.0, COUNTRY_SHIFT.1, doctor.as_str());
        }
    }
}

fn hour(midnight: Instant, hour: u32) -> Instant {
    midnight + Span::from_hours(i64::from(hour))
}

fn next_quarter(from: Instant) -> Instant {
    const QUARTER_MS: i64 = 15 * 60_000;
    Instant::from_unix_ms((from.unix_ms() / QUARTER_MS + 1) * QUARTER_MS)
}

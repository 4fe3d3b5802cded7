//! Sums over cases: what indicators are computed from. Sums of several days, streams or priorities are added up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{
    ids::{PersonId, ResponderId, SectorId},
    regulation::{
        decision::SupplyReason,
        need::{CareLevel, CareType},
        qualification::{Priority, Stream},
    },
    time::Span,
};

use super::{
    codes::{Affiliation, Stage},
    histogram::Histogram,
    rules::{Rules, Who},
    trace::{Decided, Trace},
};

/// The longest delay of unscheduled care (domain.md §3.1).
const UNSCHEDULED: Span = Span::from_hours(48);
/// Within which a case of the same episode counts as a repeat call.
const AGAIN: [Span; 2] = [Span::from_hours(24), Span::from_hours(72)];

/// What cases are told apart by: as they were when a doctor took them, or are while none has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Class {
    /// None before the qualification.
    pub stream: Option<Stream>,
    /// None before the qualification.
    pub priority: Option<Priority>,
}

/// Where and when an answer was signed, and whether the supply forced it to differ from its need.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AnswerKey {
    /// Sector of permanence; none where the patient's place has none.
    pub sector: Option<SectorId>,
    /// Local hour of the signature, 0 to 23.
    pub hour: u8,
    /// The need asked for a responder.
    pub needs_supply: bool,
    /// Why the answer differs; none when it is the need.
    pub supply: Option<SupplyReason>,
}

/// Which affiliation of responders took a need that a regulator had signed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReceivedKey {
    /// The regulator, by the staff's id.
    pub regulator: PersonId,
    /// What was needed.
    pub care: CareType,
    /// Who took it: the association of the responder, or the kind of responder; none when nobody did or none was asked for.
    pub receiver: Option<String>,
}

/// Sums over some cases.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Calls that came over the telephone exchange.
    pub offered: u64,
    /// Of those, answered by the front line.
    pub answered: u64,
    /// Of those, given up by the caller before an answer.
    pub abandoned: u64,
    /// Of the abandoned, given up before the configured time, by its seconds: a day keeps what it was counted by.
    #[serde(rename = "abandoned_before_s")]
    pub abandoned_before: BTreeMap<i64, u64>,
    /// Of the answered whose ringing was measured, within each configured threshold, by its seconds.
    #[serde(rename = "answered_within_s")]
    pub answered_within: BTreeMap<i64, u64>,
    /// Cases opened (DR).
    pub cases: u64,
    /// Cases in which a doctor has signed a decision (DRM).
    pub regulated: u64,
    /// Cases sent to a coordinator by a protocol and by no doctor.
    pub by_protocol: u64,
    /// Cases ended by the ARM without a doctor.
    pub dismissed: u64,
    /// Regulated cases, by the affiliation of the doctor who signed first.
    pub regulators: BTreeMap<Affiliation, u64>,
    /// Doctors' answers, by what is done and at which level.
    #[serde(with = "super::pairs")]
    pub decisions: BTreeMap<(CareType, CareLevel), u64>,
    /// Doctors' answers that a responder changed (counter-regulation).
    pub counter_regulated: u64,
    /// Cases followed by a case of the same episode within 24 h and within 72 h of their arrival.
    pub called_again: [u64; 2],
    /// Times an own GP was rung and is known to have been reached or not.
    pub gp_rung: u64,
    /// Of those, spoken to.
    pub gp_reached: u64,
    /// Appointments accepted.
    pub appointments: u64,
    /// Of those, beginning within 48 h of the need.
    pub appointments_in_time: u64,
    /// Appointments at which the patient was seen.
    pub seen: u64,
    /// Appointments at which the patient did not come.
    pub no_shows: u64,
    /// Regulated cases with an answer that makes a patient and a doctor meet: consultation or visit.
    pub face_to_face: u64,
    /// The same with teleconsultation, emergency department, ambulance and AMU.
    pub face_to_face_or_hospital: u64,
    /// Waits, by stage.
    pub waits: BTreeMap<Stage, Histogram>,
    /// Doctors' answers, for the report on unmet needs.
    #[serde(with = "super::pairs")]
    pub answers: BTreeMap<AnswerKey, u64>,
}

impl Counts {
    pub(super) fn add(&mut self, trace: &Trace, rules: &Rules, who: &dyn Who) {
        self.cases += 1;
        self.call(trace, rules);
        let decided: Vec<_> = trace.decided.iter().filter(|known| known.by.is_some()).collect();
        match decided.first() {
            Some(first) => self.regulated_by(first, who),
            None if !trace.decided.is_empty() => self.by_protocol += 1,
            None => self.dismissed += u64::from(trace.dismissed),
        }
        let answers = decided.iter().filter_map(|known| Some(known.answer.as_ref()?.0));
        let met = |care: &CareType| matches!(care, CareType::Consultation | CareType::HomeVisit);
        let hospital = |care: &CareType| {
            let other = [CareType::Teleconsultation, CareType::EmergencyDepartment, CareType::Ambulance, CareType::Amu];
            met(care) || other.contains(care)
        };
        self.face_to_face += u64::from(answers.clone().any(|care| met(&care)));
        self.face_to_face_or_hospital += u64::from(answers.clone().any(|care| hospital(&care)));
        self.counter_regulated += decided.iter().filter(|known| known.countered).count() as u64;
        decided.iter().for_each(|known| self.answer(trace, known, rules));
        trace.decided.iter().for_each(|known| self.appointment(known));
        for (count, within) in self.called_again.iter_mut().zip(AGAIN) {
            *count += u64::from(trace.called_again.is_some_and(|after| after <= within));
        }
        self.gp_rung += trace.gp.iter().filter(|rung| rung.reached.is_some()).count() as u64;
        self.gp_reached += trace.gp.iter().filter(|rung| rung.reached == Some(true)).count() as u64;
        self.seen += trace.appointments.iter().filter(|known| known.seen == Some(true)).count() as u64;
        self.no_shows += trace.appointments.iter().filter(|known| known.seen == Some(false)).count() as u64;
        if !trace.paper {
            self.waits(trace);
        }
    }

    fn call(&mut self, trace: &Trace, rules: &Rules) {
        let early = self.abandoned_before.entry(rules.early.secs()).or_default();
        for threshold in &rules.thresholds {
            self.answered_within.entry(threshold.secs()).or_default();
        }
        if !trace.call {
            return;
        }
        self.offered += 1;
        if let Some(given_up) = trace.given_up {
            self.abandoned += 1;
            *early += u64::from(given_up.since(trace.arrived) < rules.early);
        } else if let Some(answered) = trace.answered {
            self.answered += 1;
            if trace.rang {
                let rang = answered.since(trace.arrived);
                for threshold in rules.thresholds.iter().filter(|threshold| rang <= **threshold) {
                    *self.answered_within.entry(threshold.secs()).or_default() += 1;
                }
            }
        }
    }

    fn regulated_by(&mut self, first: &Decided, who: &dyn Who) {
        self.regulated += 1;
        let affiliation = first
            .by
            .as_ref()
            .map_or(Affiliation::Unknown, |by| first.duty.unwrap_or_else(|| who.regulator(by, first.at)));
        *self.regulators.entry(affiliation).or_default() += 1;
    }

    fn answer(&mut self, trace: &Trace, decided: &Decided, rules: &Rules) {
        let Some((care, supply, at)) = &decided.answer else { return };
        *self.decisions.entry((*care, decided.level)).or_default() += 1;
        let key = AnswerKey {
            sector: trace.sector.clone(),
            hour: rules.hour(*at),
            needs_supply: decided.need.needs_supply(),
            supply: *supply,
        };
        *self.answers.entry(key).or_default() += 1;
    }

    fn appointment(&mut self, decided: &Decided) {
        if let Some(appointment) = decided.appointment {
            self.appointments += 1;
            self.appointments_in_time += u64::from(appointment.since(decided.at) <= UNSCHEDULED);
        }
    }

    fn waits(&mut self, trace: &Trace) {
        let mut wait = |stage, span| self.waits.entry(stage).or_default().add(span);
        if let Some(answered) = trace.answered.filter(|_| trace.rang && trace.given_up.is_none()) {
            wait(Stage::Answer, answered.since(trace.arrived));
        }
        // Whoever gave up was not being qualified: what follows is another call.
        if let Some((answered, qualified)) = trace.answered.zip(trace.qualified).filter(|_| trace.given_up.is_none()) {
            wait(Stage::Qualification, qualified.since(answered));
        }
        if let Some((qualified, claimed)) = trace.qualified.zip(trace.claimed) {
            wait(Stage::Regulation, claimed.since(qualified));
        }
        trace.to_decision.iter().for_each(|span| wait(Stage::Decision, *span));
        for known in &trace.decided {
            if let Some((_, _, at)) = known.answer.as_ref().filter(|_| known.need.needs_supply() && known.by.is_some())
            {
                wait(Stage::Response, at.since(known.at));
            }
            if let Some(care) = trace.care_of(known) {
                wait(Stage::Care, care.since(known.at));
            }
        }
    }

    /// Adds up.
    pub fn merge(&mut self, other: &Counts) {
        if self.cases == 0 {
            self.answered_within.clone_from(&other.answered_within);
            self.abandoned_before.clone_from(&other.abandoned_before);
        } else if other.cases > 0 {
            sum_of_both(&mut self.answered_within, &other.answered_within);
            sum_of_both(&mut self.abandoned_before, &other.abandoned_before);
        }
        self.called_again.iter_mut().zip(&other.called_again).for_each(|(mine, theirs)| *mine += theirs);
        for (mine, theirs) in self.plain().into_iter().zip(other.clone().plain()) {
            *mine += *theirs;
        }
        sum(&mut self.regulators, &other.regulators);
        sum(&mut self.decisions, &other.decisions);
        sum(&mut self.answers, &other.answers);
        for (stage, waits) in &other.waits {
            self.waits.entry(*stage).or_default().merge(waits);
        }
    }

    fn plain(&mut self) -> [&mut u64; 16] {
        [
            &mut self.offered,
            &mut self.answered,
            &mut self.abandoned,
            &mut self.cases,
            &mut self.regulated,
            &mut self.by_protocol,
            &mut self.dismissed,
            &mut self.counter_regulated,
            &mut self.gp_rung,
            &mut self.gp_reached,
            &mut self.appointments,
            &mut self.appointments_in_time,
            &mut self.seen,
            &mut self.no_shows,
            &mut self.face_to_face,
            &mut self.face_to_face_or_hospital,
        ]
    }
}

/// Adds the counts of `from` to those of `to`.
pub(super) fn sum<K: Ord + Clone>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(key.clone()).or_default() += count;
    }
}

/// Adds the counts of `from`; a threshold by which only one side was counted goes: the calls of the other would be missing.
fn sum_of_both(to: &mut BTreeMap<i64, u64>, from: &BTreeMap<i64, u64>) {
    to.retain(|seconds, count| from.get(seconds).map(|more| *count += more).is_some());
}

/// Who took what a regulator had signed a need for, one by one.
pub(super) fn received(trace: &Trace, who: &dyn Who, into: &mut BTreeMap<ReceivedKey, u64>) {
    for decided in &trace.decided {
        let Some(regulator) = decided.by.clone() else { continue };
        let receiver = decided.received.as_ref().map(|(_, responder): &(_, ResponderId)| who.receiver(responder));
        *into.entry(ReceivedKey { regulator, care: decided.need, receiver }).or_default() += 1;
    }
}

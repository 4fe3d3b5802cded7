//! A plain count of a log: the records as they are at its end, and lists of instants; no sum is kept on the way.

use std::collections::{BTreeMap, BTreeSet};

use sas_dispatch::domain::{
    case::{ActionKind, ActionState, Case, End, Event, Fact, OfferState, Records, apply, state::Channel},
    ids::CaseId,
    regulation::need::CareType,
    routing::{Category, Means, WhyNot},
    time::Instant,
    visits::VisitStatus,
};

/// What it comes to.
#[derive(Debug, Default)]
pub struct Oracle {
    pub counts: BTreeMap<(String, String), u64>,
    /// Waits in seconds, by stage and priority (and `ALL`).
    pub waits: BTreeMap<(String, String), Vec<f64>>,
}

struct Moments {
    qualified: Instant,
    claimed: Option<Instant>,
    /// Priority at the first claim, or the last.
    priority: String,
}

pub fn count(events: &[Event]) -> Oracle {
    let mut records = Records::default();
    let (mut moments, mut oracle) = (BTreeMap::new(), Oracle::default());
    let mut claims: BTreeMap<CaseId, Instant> = BTreeMap::new();
    let mut talks: Vec<(CaseId, f64)> = Vec::new();
    for event in events {
        apply(&mut records, event);
        for fact in &event.facts {
            told(fact, event, &records, &mut moments);
            match (fact, event.case) {
                (Fact::Claimed { .. }, Some(case)) => drop(claims.insert(case, event.at)),
                (Fact::ClaimEnded { .. }, Some(case)) => drop(claims.remove(&case)),
                (Fact::NeedSigned(decision), Some(case)) if decision.protocol.is_none() => {
                    talks.extend(claims.remove(&case).map(|since| (case, seconds(since, event.at))));
                }
                _ => {}
            }
        }
    }
    let class = |case: CaseId| moments.get(&case).map(|known: &Moments| known.priority.clone());
    for (case, talk) in talks {
        oracle.wait("DECISION", class(case), talk);
    }
    for case in records.cases.values() {
        oracle.case(case, moments.get(&case.id));
    }
    oracle
}

fn told(fact: &Fact, event: &Event, records: &Records, moments: &mut BTreeMap<CaseId, Moments>) {
    let Some(case) = event.case.and_then(|id| records.cases.get(&id)) else { return };
    let priority = case.qualification.as_ref().map(|known| known.priority.code().to_owned()).unwrap_or_default();
    if let Fact::Qualified(known) = fact {
        let first = Moments { qualified: known.at, claimed: None, priority: priority.clone() };
        moments.entry(case.id).or_insert(first);
    }
    let Some(known) = moments.get_mut(&case.id) else { return };
    // A file may be raised or sent elsewhere while it waits: it counts as the doctor found it.
    if known.claimed.is_none() {
        known.priority = priority;
    }
    if matches!(fact, Fact::Claimed { .. }) {
        known.claimed = known.claimed.or(Some(event.at));
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.since(from).ms() as f64 / 1_000.0
}

impl Oracle {
    fn one(&mut self, indicator: &str, detail: &str) {
        *self.counts.entry((indicator.to_owned(), detail.to_owned())).or_default() += 1;
    }

    fn wait(&mut self, stage: &str, priority: Option<String>, seconds: f64) {
        let all = Some("ALL".to_owned());
        for priority in [priority.filter(|known| !known.is_empty()), all].into_iter().flatten() {
            self.waits.entry((stage.to_owned(), priority)).or_default().push(seconds);
        }
    }

    fn case(&mut self, case: &Case, moments: Option<&Moments>) {
        self.one("cases", "");
        let priority = moments.map(|known| known.priority.clone());
        let answered = self.call(case, priority.clone());
        if let Some(known) = moments {
            if let Some(answered) = answered {
                self.wait("QUALIFICATION", priority.clone(), seconds(answered, known.qualified));
            }
            if let Some(claimed) = known.claimed {
                self.wait("REGULATION", priority.clone(), seconds(known.qualified, claimed));
            }
        }
        let doctors: Vec<_> = case.decisions.iter().filter(|known| known.protocol.is_none()).collect();
        match (doctors.is_empty(), case.decisions.is_empty()) {
            (false, _) => self.one("regulated", ""),
            (true, false) => self.one("by_protocol", ""),
            (true, true) if case.dismissed.is_some() => self.one("dismissed", ""),
            (true, true) => {}
        }
        for decision in doctors {
            let Some(answer) = &decision.answer else { continue };
            self.one("decisions", &format!("{} {}", answer.care.code(), decision.need.level.code()));
            if decision.need.care.needs_supply() {
                self.wait("RESPONSE", priority.clone(), seconds(decision.signed.at, answer.signed.at));
            }
        }
        self.care(case, priority);
    }

    /// Since when somebody spoke with the caller; none when he gave up.
    fn call(&mut self, case: &Case, priority: Option<String>) -> Option<Instant> {
        let ringing = case.actions.iter().find(|action| action.kind == ActionKind::AnswerCall);
        if case.channel == Channel::Telephony {
            self.one("offered", "");
        }
        match ringing.map(|action| action.state.clone()) {
            Some(ActionState::Ended { at, end: End::Done | End::Replaced }) => {
                self.one("answered", "");
                let rang = seconds(case.opened, at);
                self.wait("ANSWER", priority, rang);
                for threshold in [15, 30, 60] {
                    if rang <= f64::from(threshold) {
                        self.one("answered_within", &format!("{threshold}s"));
                    }
                }
                Some(at)
            }
            Some(ActionState::Ended { at, .. }) => {
                self.one("abandoned", "");
                if seconds(case.opened, at) >= 15.0 {
                    self.one("abandoned_without_early", "15s");
                }
                None
            }
            Some(ActionState::Open { .. }) => None,
            None => {
                if case.channel == Channel::Telephony {
                    self.one("answered", "");
                }
                Some(case.opened)
            }
        }
    }

    fn care(&mut self, case: &Case, priority: Option<String>) {
        let ended = |wanted: End| {
            let appointments = case.actions.iter().filter(|action| action.kind == ActionKind::Appointment);
            appointments.filter(move |action| matches!(action.state, ActionState::Ended { end, .. } if end == wanted))
        };
        ended(End::Done).for_each(|_| self.one("seen", ""));
        let missed: BTreeSet<_> = ended(End::NoShow).filter_map(|action| action.about.decision).collect();
        ended(End::NoShow).for_each(|_| self.one("no_shows", ""));
        for decision in &case.decisions {
            let accepted = case.offers.iter().filter(|offer| offer.decision == decision.id).find_map(|offer| {
                let OfferState::Accepted { appointment, .. } = offer.state else { return None };
                Some((matches!(offer.means, Means::Visit { .. }), appointment))
            });
            let visits = case.visits.iter().filter(|visit| visit.decision == decision.id);
            let there = |status: &VisitStatus| {
                matches!(status, VisitStatus::Arrived | VisitStatus::WithPatient | VisitStatus::Finished)
            };
            let arrived = visits.flat_map(|visit| &visit.history).find(|(status, _)| there(status)).map(|(_, at)| *at);
            let mut begins = arrived;
            if let Some((false, appointment)) = accepted {
                self.one("appointments", "");
                if seconds(decision.signed.at, appointment) <= 48.0 * 3_600.0 {
                    self.one("appointments_within_48h", "");
                }
                begins = begins.or((!missed.contains(&decision.id)).then_some(appointment));
            }
            if let Some(begins) = begins {
                self.wait("CARE", priority.clone(), seconds(decision.signed.at, begins));
            }
        }
        for offer in case.offers.iter().filter(|o| o.category == Category::OwnGp && o.means == Means::Ring) {
            let reached = match offer.state {
                OfferState::Accepted { .. } | OfferState::Closed { why: WhyNot::Declined, .. } => true,
                OfferState::Closed { why: WhyNot::Unreachable | WhyNot::Expired, .. } => false,
                _ => continue,
            };
            self.one("own_gp_rung", "");
            if reached {
                self.one("own_gp_reached", "");
            }
        }
    }

    /// Face-to-face answers for 100 regulated cases, and with the hospital's.
    pub fn met(events: &[Event]) -> (f64, f64) {
        let mut records = Records::default();
        events.iter().for_each(|event| apply(&mut records, event));
        let doctors = |case: &Case| -> Vec<CareType> {
            let decided = case.decisions.iter().filter(|known| known.protocol.is_none());
            decided.filter_map(|known| known.answer.as_ref()).map(|answer| answer.care).collect()
        };
        let regulated = records.cases.values().filter(|case| case.decisions.iter().any(|d| d.protocol.is_none()));
        let regulated: Vec<_> = regulated.map(|case| doctors(case)).collect();
        let by_phone = |care: &CareType| {
            let phone = [CareType::Advice, CareType::PhonePrescription, CareType::OtherResource, CareType::NoFurther];
            phone.contains(care)
        };
        let here = |care: &CareType| matches!(care, CareType::Consultation | CareType::HomeVisit);
        let per_100 = |hit: &dyn Fn(&CareType) -> bool| {
            let cases = regulated.iter().filter(|cares| cares.iter().any(hit)).count();
            cases as f64 * 100.0 / regulated.len() as f64
        };
        (per_100(&here), per_100(&|care| !by_phone(care)))
    }
}

//! What the cases themselves say at the end of the day.

use std::collections::BTreeMap;

use crate::{
    domain::time::{Instant, Span},
    grpc::pb::{self, ActionKind, CareType, OfferStatus, VisitStatus, means::Way},
};

use super::{
    figures::{Offers, Visits, add, category_code, code},
    quantiles::quantiles,
};

/// Counts over all cases.
#[derive(Debug, Default)]
pub(super) struct Cases {
    pub(super) count: u64,
    pub(super) regulated: u64,
    pub(super) regulated_snp: u64,
    pub(super) by_protocol: u64,
    pub(super) dismissed: BTreeMap<String, u64>,
    pub(super) needs: BTreeMap<String, u64>,
    pub(super) answers: BTreeMap<String, u64>,
    /// Cases for which a doctor needed, and in which he answered, a consultation or a visit.
    pub(super) face_to_face: (u64, u64),
    pub(super) changed: BTreeMap<String, u64>,
    pub(super) destinations: BTreeMap<String, u64>,
    pub(super) offers: BTreeMap<String, Offers>,
    pub(super) held: u64,
    pub(super) booked: u64,
    pub(super) visits: Visits,
    pub(super) unanswered_ever: u64,
    pub(super) unanswered_now: u64,
    pub(super) still_open: BTreeMap<String, u64>,
    to_acceptance: BTreeMap<String, Vec<Span>>,
    to_care: BTreeMap<String, Vec<Span>>,
    to_door: Vec<Span>,
}

impl Cases {
    pub(super) fn of(cases: &[pb::CaseView]) -> Self {
        let mut all = Self { count: cases.len() as u64, ..Self::default() };
        for case in cases {
            all.regulation(case);
            all.offers(case);
            all.visits(case);
            all.actions(case);
            add(&mut all.destinations, destination(case));
        }
        for (category, offers) in &mut all.offers {
            offers.to_acceptance = quantiles(all.to_acceptance.remove(category).unwrap_or_default());
            offers.to_care = quantiles(all.to_care.remove(category).unwrap_or_default());
        }
        all.visits.to_door = quantiles(std::mem::take(&mut all.to_door));
        all
    }

    fn regulation(&mut self, case: &pb::CaseView) {
        let doctors = case.decisions.iter().filter(|decision| decision.protocol.is_empty());
        let met = |care: CareType| matches!(care, CareType::Consultation | CareType::HomeVisit);
        let needed = doctors.clone().filter_map(|decision| decision.need.as_ref()).any(|need| met(need.care()));
        let answered = doctors.clone().filter_map(|decision| decision.answer.as_ref()).any(|answer| met(answer.care()));
        self.face_to_face.0 += u64::from(needed);
        self.face_to_face.1 += u64::from(answered);
        if doctors.count() > 0 {
            self.regulated += 1;
            let snp = case.qualification.as_ref().is_some_and(|known| known.stream() == pb::Stream::Snp);
            self.regulated_snp += u64::from(snp);
        } else if !case.decisions.is_empty() {
            self.by_protocol += 1;
        }
        if case.dismissed() != pb::Attribution::Unspecified {
            add(&mut self.dismissed, code(case.dismissed().as_str_name(), "ATTRIBUTION_"));
        }
        for decision in &case.decisions {
            add(&mut self.needs, care_code(decision.need.as_ref().map_or(CareType::Unspecified, pb::Need::care)));
            let Some(answer) = &decision.answer else { continue };
            add(&mut self.answers, care_code(answer.care()));
            if answer.supply_reason() != pb::SupplyReason::Unspecified {
                add(&mut self.changed, code(answer.supply_reason().as_str_name(), "SUPPLY_REASON_"));
            }
        }
    }

    fn offers(&mut self, case: &pb::CaseView) {
        for offer in &case.offers {
            let category = category_code(offer.category);
            let slot = matches!(offer.means.as_ref().and_then(|means| means.way.as_ref()), Some(Way::Slot(_)));
            self.held += u64::from(slot);
            let row = self.offers.entry(category.clone()).or_default();
            row.made += 1;
            match offer.status() {
                OfferStatus::Accepted => {
                    row.accepted += 1;
                    self.booked += u64::from(slot);
                    self.since_the_answer(case, offer, &category);
                }
                OfferStatus::Closed => add(&mut row.closed, code(offer.why_not().as_str_name(), "WHY_NOT_")),
                OfferStatus::Withdrawn => add(&mut row.closed, "WITHDRAWN".to_owned()),
                OfferStatus::Open | OfferStatus::Unspecified => {}
            }
        }
    }

    fn since_the_answer(&mut self, case: &pb::CaseView, offer: &pb::Offer, category: &str) {
        let decision = case.decisions.iter().find(|known| known.decision_id == offer.decision_id);
        let answer = decision.and_then(|known| known.answer.as_ref()).and_then(|answer| answer.signed.as_ref());
        let Some(signed) = answer.map(|signed| signed.at_unix_ms) else { return };
        let since = |at: i64| Instant::from_unix_ms(at).since(Instant::from_unix_ms(signed));
        self.to_acceptance.entry(category.to_owned()).or_default().push(since(offer.ended_unix_ms));
        if offer.category() != pb::RouteCategory::HomeVisit {
            self.to_care.entry(category.to_owned()).or_default().push(since(offer.appointment_unix_ms));
        }
    }

    fn visits(&mut self, case: &pb::CaseView) {
        for visit in &case.visits {
            self.visits.decided += 1;
            self.visits.accepted += u64::from(!visit.doctor.is_empty());
            self.visits.finished += u64::from(visit.status() == VisitStatus::Finished);
            let arrived = visit.history.iter().find(|step| step.status() == VisitStatus::Arrived);
            let Some(arrived) = arrived else { continue };
            self.visits.arrived += 1;
            self.visits.within_longest_delay += u64::from(arrived.at_unix_ms <= visit.due_unix_ms);
            let decision = case.decisions.iter().find(|known| known.decision_id == visit.decision_id);
            let signed = decision.and_then(|known| known.signed.as_ref()).map_or(0, |signed| signed.at_unix_ms);
            let door = Instant::from_unix_ms(arrived.at_unix_ms).since(Instant::from_unix_ms(signed));
            self.to_door.push(door);
            self.to_care.entry(category_code(pb::RouteCategory::HomeVisit.into())).or_default().push(door);
        }
    }

    fn actions(&mut self, case: &pb::CaseView) {
        let lane = case.actions.iter().filter(|action| action.kind() == ActionKind::Unanswered);
        self.unanswered_ever += u64::from(lane.clone().count() > 0);
        self.unanswered_now += u64::from(lane.clone().any(|action| action.ended_unix_ms == 0));
        for action in case.actions.iter().filter(|action| action.ended_unix_ms == 0) {
            add(&mut self.still_open, code(action.kind().as_str_name(), "ACTION_KIND_"));
        }
    }
}

fn care_code(care: CareType) -> String {
    code(care.as_str_name(), "CARE_TYPE_")
}

/// Where a case went: the last answer, or the responder who accepted it.
fn destination(case: &pb::CaseView) -> String {
    if case.dismissed() != pb::Attribution::Unspecified {
        return "DISMISSED".to_owned();
    }
    let answered = case.decisions.iter().rev().find_map(|known| Some((known, known.answer.as_ref()?)));
    let Some((decision, answer)) = answered else { return "NOT_DECIDED".to_owned() };
    let supply = matches!(answer.care(), CareType::Consultation | CareType::HomeVisit | CareType::Teleconsultation);
    if !supply {
        return care_code(answer.care());
    }
    let of_decision = |offer: &&pb::Offer| offer.decision_id == decision.decision_id;
    let accepted = case.offers.iter().filter(of_decision).find(|offer| offer.status() == OfferStatus::Accepted);
    accepted.map_or_else(|| "SEARCHING".to_owned(), |offer| category_code(offer.category))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(care: CareType, protocol: &str) -> pb::Decision {
        let need = Some(pb::Need { care: care.into(), ..Default::default() });
        let answer = Some(pb::Answer { care: care.into(), ..Default::default() });
        pb::Decision { need, answer, protocol: protocol.to_owned(), ..Default::default() }
    }

    fn case(decisions: Vec<pb::Decision>) -> pb::CaseView {
        pb::CaseView { decisions, ..Default::default() }
    }

    #[test]
    fn cases_of_the_doctors_are_compared_once_each_and_without_those_of_a_protocol() {
        let (visit, advice) = (CareType::HomeVisit, CareType::Advice);
        let cases = Cases::of(&[
            case(vec![decided(CareType::Consultation, "RENOUVELLEMENT")]),
            case(vec![decided(advice, ""), decided(visit, ""), decided(visit, "")]),
            case(vec![decided(advice, "")]),
        ]);
        assert_eq!((cases.regulated, cases.face_to_face), (2, (1, 1)));
    }
}

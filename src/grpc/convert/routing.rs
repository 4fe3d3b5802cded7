//! Plans, offers and their answers, to and from the wire.

use crate::{
    domain::{
        actor::Role,
        case::{
            ActionKind, Offer, OfferState,
            command::{Command, OfferAnswer},
        },
        ids::{CaseId, DecisionId, OfferId, ResponderId},
        routing::{Plan, explain_french},
        time::Instant,
    },
    engine::{CaseView, Failure, Mutation, PageRequest, Place, Target},
    grpc::pb,
};

use super::{
    case, directory,
    fields::{Act, Fields, LONGEST_WORDS},
};

/// Who reads, and what names mean there.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Names of responders and communes.
    pub place: &'a Place,
    /// The reader's role: it decides whether telephone numbers are shown.
    pub role: Role,
}

/// A plan that was asked for, with the case as it was read.
pub fn explained(place: &Place, plan: &Plan, view: &CaseView, seq: u64) -> pb::ExplainPlanResponse {
    pb::ExplainPlanResponse {
        plan: Some(case::plan(place, plan)),
        explanation: explain_french(plan, &place.directory),
        version: view.version.to_bytes().to_vec(),
        seq,
    }
}

/// What was put to whom, with the plan it was taken from.
pub fn advanced(
    place: &Place,
    view: &CaseView,
    decision: DecisionId,
    offer: Option<pb::CaseOffer>,
    receipt: pb::Receipt,
) -> pb::AdvanceResponse {
    let route = view.case.routes.iter().rev().find(|route| route.decision == decision);
    pb::AdvanceResponse {
        unanswered: offer.is_none(),
        offer,
        plan: route.map(|route| case::plan(place, &route.plan)),
        version: view.version.to_bytes().to_vec(),
        receipt: Some(receipt),
    }
}

/// An offer with the case it belongs to, and the line to ring for those who ring it.
pub fn case_offer(reader: &Reader<'_>, view: &CaseView, known: &Offer) -> pb::CaseOffer {
    let conditions = case::conditions_for(reader.role, reader.place, &view.case, known);
    pb::CaseOffer {
        case_id: view.case.id.to_string(),
        case_number: view.case_number.clone(),
        version: view.version.to_bytes().to_vec(),
        offer: Some(pb::Offer { conditions: conditions.clone(), ..case::offer(reader.place, known) }),
        responder_phone: directory::phone(reader, &known.responder),
        conditions,
    }
}

/// An offer of a case if it waits for an answer, and, where one is named, if it was put to `responder`.
pub fn open_offer(
    reader: &Reader<'_>,
    view: &CaseView,
    offer: OfferId,
    responder: Option<&ResponderId>,
) -> Option<pb::CaseOffer> {
    let known = view.case.offer(offer).filter(|known| known.state == OfferState::Open)?;
    responder.is_none_or(|responder| known.responder == *responder).then(|| case_offer(reader, view, known))
}

/// What nobody was left for in a case: one entry for each open action of the lane.
pub fn unanswered(place: &Place, view: &CaseView) -> Vec<pb::UnansweredCase> {
    let known = &view.case;
    let lane = known.open_actions().filter(|action| action.kind == ActionKind::Unanswered);
    lane.map(|action| {
        let decision = action.about.decision.and_then(|id| known.decision(id));
        let tried = decision.iter().flat_map(|decision| known.tried(decision.id));
        pb::UnansweredCase {
            case_id: known.id.to_string(),
            case_number: view.case_number.clone(),
            version: view.version.to_bytes().to_vec(),
            decision_id: case::text(decision.map(|decision| &decision.id)),
            since_unix_ms: action.opened.unix_ms(),
            deadline_unix_ms: case::ms(decision.map(|decision| decision.deadline())),
            tried: tried.map(|(offer, _)| case::offer(place, offer)).collect(),
        }
    })
    .collect()
}

/// The case and decision of an `ExplainPlan`.
///
/// # Errors
/// Every wrong field at once.
pub fn explain(request: &pb::ExplainPlanRequest) -> Result<(CaseId, DecisionId), Failure> {
    let mut fields = Fields::default();
    let case = fields.id("case_id", &request.case_id);
    let decision = fields.id("decision_id", &request.decision_id);
    fields.done(case.zip(decision))
}

/// What an `Advance` carries out.
///
/// # Errors
/// Every wrong field at once.
pub fn advance(request: &pb::AdvanceRequest) -> Result<(Mutation, Target, DecisionId), Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("Advance", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let decision = fields.id("decision_id", &request.decision_id);
    fields.done(mutation.zip(target).zip(decision).map(|((mutation, target), decision)| (mutation, target, decision)))
}

/// A responder's answer, given at `now`.
///
/// # Errors
/// Every wrong field at once.
pub fn answer(request: &pb::AnswerOfferRequest, now: Instant) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("AnswerOffer", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let offer = fields.id("offer_id", &request.offer_id);
    let answer = said(&mut fields, request.answer.as_ref(), now);
    let command = offer.zip(answer).map(|(offer, answer)| Command::AnswerOffer { offer, answer });
    fields.act(mutation, target, command)
}

fn said(fields: &mut Fields, answer: Option<&pb::answer_offer_request::Answer>, now: Instant) -> Option<OfferAnswer> {
    use pb::answer_offer_request::Answer;
    match answer {
        Some(Answer::Accepted(accepted)) => {
            let field = "accepted.appointment_unix_ms";
            let appointment = fields.optional_instant(field, accepted.appointment_unix_ms);
            Some(OfferAnswer::Accepted { appointment })
        }
        Some(Answer::Declined(_)) => Some(OfferAnswer::Declined),
        Some(Answer::Unreachable(_)) => Some(OfferAnswer::Unreachable),
        Some(Answer::Digit(1)) => Some(OfferAnswer::Accepted { appointment: Some(now) }),
        Some(Answer::Digit(2)) => Some(OfferAnswer::Declined),
        Some(Answer::Digit(_)) => fields.fault("digit", "press 1 for yes, 2 for no"),
        None => fields.fault("answer", "set one of accepted, declined, unreachable and digit"),
    }
}

/// Takes an offer back.
///
/// # Errors
/// Every wrong field at once.
pub fn cancel(request: &pb::CancelOfferRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("CancelOffer", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let offer = fields.id("offer_id", &request.offer_id);
    let reason = fields.words("reason", &request.reason, LONGEST_WORDS);
    let command = offer.zip(reason).map(|(offer, reason)| Command::Cancel { offer, reason });
    fields.act(mutation, target, command)
}

/// Which page of open offers, and whose.
///
/// # Errors
/// Every wrong field at once.
pub fn list_offers(request: &pb::ListOffersRequest) -> Result<(Option<ResponderId>, PageRequest), Failure> {
    let mut fields = Fields::default();
    let responder = fields.optional("responder_id", &request.responder_id);
    let page = fields.page(request.page_size, &request.page_token, request.at_least_seq);
    fields.done(page.map(|page| (responder, page)))
}

/// Which page of the UNANSWERED lane.
///
/// # Errors
/// Every wrong field at once.
pub fn list_unanswered(request: &pb::ListUnansweredRequest) -> Result<PageRequest, Failure> {
    let mut fields = Fields::default();
    let page = fields.page(request.page_size, &request.page_token, request.at_least_seq);
    fields.done(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::Refusal;

    const NOW: Instant = Instant::from_unix_ms(1_735_200_000_000);

    fn asked(answer: Option<pb::answer_offer_request::Answer>) -> pb::AnswerOfferRequest {
        pb::AnswerOfferRequest {
            command_id: "0193ff2a-1c00-7000-8000-000000000001".into(),
            case_id: "0193ff2a-1c00-7000-8000-000000000002".into(),
            offer_id: "0193ff2a-1c00-5000-8000-000000000003".into(),
            answer,
            ..pb::AnswerOfferRequest::default()
        }
    }

    #[test]
    fn a_doctor_answers_with_one_digit() {
        use pb::answer_offer_request::Answer::Digit;
        let said = |digit| match answer(&asked(Some(Digit(digit))), NOW).map(|act| act.command) {
            Ok(Command::AnswerOffer { answer, .. }) => Ok(answer),
            Ok(other) => panic!("{other:?}"),
            Err(failure) => Err(failure.to_string()),
        };
        assert_eq!(said(1), Ok(OfferAnswer::Accepted { appointment: Some(NOW) }));
        assert_eq!(said(2), Ok(OfferAnswer::Declined));
        assert_eq!(said(7), Err("1 wrong field(s): digit: press 1 for yes, 2 for no".into()));
    }

    #[test]
    fn every_wrong_field_is_named_at_once_and_none_is_quoted() {
        let request = pb::AnswerOfferRequest {
            command_id: "Jean Dupont".into(),
            case_id: "0612345678".into(),
            version: vec![1, 2, 3],
            ..pb::AnswerOfferRequest::default()
        };
        let failure = answer(&request, NOW).expect_err("everything is wrong");
        let Failure::Refused(Refusal::Fields(faults)) = &failure else { panic!("{failure:?}") };
        let named: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(named, ["command_id", "case_id", "version", "offer_id", "answer"]);
        assert!(!failure.to_string().contains("Dupont") && !failure.to_string().contains("0612345678"), "{failure}");
    }
}

//! What ARM, regulators and coordinators do at their consoles.

use std::time::Duration;

use sas_dispatch::grpc::{
    client::{Status, Streaming},
    pb::{self, ActionEnd, ActionKind, Attendance, CareType, Stream, SupplyReason},
};

use super::{
    Seen,
    person::{Person, ask},
    words::prescription,
};

/// A telephone number of the range that is kept for works of fiction.
const CALLER: &str = "06 39 98 00 01";

/// The ARM's acts.
impl Person {
    /// Answers a call and writes down where and who.
    pub async fn opens(&self, commune: &str, patient: pb::Patient) -> Result<pb::CaseView, Status> {
        self.opens_from(CALLER, commune, patient).await
    }

    /// The same, for somebody who calls from a number of his own.
    pub async fn opens_from(&self, number: &str, commune: &str, patient: pb::Patient) -> Result<pb::CaseView, Status> {
        let place =
            pb::Place { commune: commune.to_owned(), street: "3 rue Inventée".to_owned(), ..Default::default() };
        let caller = pb::Caller { phone: number.to_owned(), ..Default::default() };
        let request = pb::OpenCaseRequest {
            command_id: self.act(),
            origin: "15".to_owned(),
            caller: Some(caller),
            place: Some(place),
            patients: vec![patient],
            ..Default::default()
        };
        Ok(ask!(self, intake, open_case, request)?.case.unwrap())
    }

    /// Qualifies a case as `what` says.
    pub async fn qualifies(&self, case: &pb::CaseView, what: pb::QualifyRequest) -> Result<pb::CaseView, Status> {
        Ok(self.qualifies_with_receipt(case, what).await?.case.unwrap())
    }

    /// The same, with the receipt.
    pub async fn qualifies_with_receipt(
        &self,
        case: &pb::CaseView,
        what: pb::QualifyRequest,
    ) -> Result<pb::QualifyResponse, Status> {
        let request = pb::QualifyRequest { command_id: self.act(), case_id: case.case_id.clone(), ..what };
        ask!(self, regulation, qualify, request)
    }

    /// Reads a case again.
    pub async fn reads(&self, case: &pb::CaseView) -> Result<pb::CaseView, Status> {
        self.reads_id(&case.case_id).await
    }

    /// Reads a case by its id.
    pub async fn reads_id(&self, case_id: &str) -> Result<pb::CaseView, Status> {
        let request = pb::GetCaseRequest { case_id: case_id.to_owned(), at_least_seq: 0 };
        Ok(ask!(self, intake, get_case, request)?.case.unwrap())
    }

    /// Says that a case repeats an earlier one.
    pub async fn links(&self, case: &pb::CaseView, earlier: &pb::CaseView) -> Result<pb::CaseView, Status> {
        let request = pb::LinkRepeatCallRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            earlier_case_id: earlier.case_id.clone(),
            ..Default::default()
        };
        Ok(ask!(self, intake, link_repeat_call, request)?.case.unwrap())
    }

    /// Completes a case.
    pub async fn amends(&self, case: &pb::CaseView, what: pb::AmendCaseRequest) -> Result<pb::CaseView, Status> {
        let request = pb::AmendCaseRequest { command_id: self.act(), case_id: case.case_id.clone(), ..what };
        Ok(ask!(self, intake, amend_case, request)?.case.unwrap())
    }

    /// Writes a note.
    pub async fn notes(&self, case: &pb::CaseView, text: &str) -> Result<pb::CaseView, Status> {
        let request =
            pb::AddNoteRequest { command_id: self.act(), case_id: case.case_id.clone(), text: text.to_owned() };
        Ok(ask!(self, intake, add_note, request)?.case.unwrap())
    }

    /// The same, with the receipt.
    pub async fn notes_with_receipt(&self, case: &pb::CaseView, text: &str) -> Result<pb::Receipt, Status> {
        let request =
            pb::AddNoteRequest { command_id: self.act(), case_id: case.case_id.clone(), text: text.to_owned() };
        Ok(ask!(self, intake, add_note, request)?.receipt.unwrap())
    }

    /// Ends the open action of a kind.
    pub async fn ends(&self, case: &pb::CaseView, kind: ActionKind, end: ActionEnd) -> Result<pb::CaseView, Status> {
        let request = pb::EndActionRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            action_id: case.action(kind).action_id.clone(),
            end: end.into(),
            note: "dit au téléphone".to_owned(),
            ..Default::default()
        };
        Ok(ask!(self, regulation, end_action, request)?.case.unwrap())
    }
}

/// The regulator's acts. The console sends the fencing number it was given.
impl Person {
    /// Takes the next case of a stream, if one waits.
    pub async fn claims_next(&self, stream: Stream) -> Result<Option<pb::CaseView>, Status> {
        let request = pb::ClaimNextRequest { command_id: self.act(), stream: stream.into(), skills: Vec::new() };
        let claimed = ask!(self, regulation, claim_next, request)?;
        if let Some(case) = &claimed.case {
            self.holds(case, claimed.claim_no);
        }
        Ok(claimed.case)
    }

    /// Takes one case.
    pub async fn claims(&self, case: &pb::CaseView) -> Result<pb::CaseView, Status> {
        let request = pb::ClaimRequest { command_id: self.act(), case_id: case.case_id.clone(), ..Default::default() };
        let claimed = ask!(self, regulation, claim, request)?;
        self.holds(case, claimed.claim_no);
        Ok(claimed.case.unwrap())
    }

    /// Renews the lease of a case; answers its end.
    pub async fn renews(&self, case: &pb::CaseView) -> Result<i64, Status> {
        let request = pb::RenewClaimRequest { case_id: case.case_id.clone(), claim_no: self.claim_no(case) };
        Ok(ask!(self, regulation, renew_claim, request)?.lease_until_unix_ms)
    }

    /// Takes up a claim that the console was silent about.
    pub async fn resumes(&self, case: &pb::CaseView) -> Result<pb::CaseView, Status> {
        let (command_id, case_id, claim_no) = (self.act(), case.case_id.clone(), self.claim_no(case));
        let request = pb::ResumeClaimRequest { command_id, case_id, claim_no };
        Ok(ask!(self, regulation, resume_claim, request)?.case.unwrap())
    }

    /// Gives a case back.
    pub async fn releases(&self, case: &pb::CaseView) -> Result<pb::CaseView, Status> {
        self.releases_until(case, 0).await
    }

    /// Gives a case back, saying that it may wait until then.
    pub async fn releases_until(
        &self,
        case: &pb::CaseView,
        may_wait_until_unix_ms: i64,
    ) -> Result<pb::CaseView, Status> {
        let (command_id, case_id, claim_no) = (self.act(), case.case_id.clone(), self.claim_no(case));
        let request = pb::ReleaseClaimRequest { command_id, case_id, claim_no, may_wait_until_unix_ms };
        Ok(ask!(self, regulation, release_claim, request)?.case.unwrap())
    }

    /// Accepts a P0 in so many words.
    pub async fn accepts_hand_over(&self, case: &pb::CaseView) -> Result<pb::CaseView, Status> {
        let request = pb::AcceptHandOverRequest { command_id: self.act(), case_id: case.case_id.clone() };
        let accepted = ask!(self, regulation, accept_hand_over, request)?;
        self.holds(case, accepted.claim_no);
        Ok(accepted.case.unwrap())
    }

    /// Signs a need.
    pub async fn signs_need(&self, case: &pb::CaseView, need: pb::Need) -> Result<pb::CaseView, Status> {
        self.signs_need_saying(case, need, "").await
    }

    /// Signs a need with advice.
    pub async fn signs_need_saying(
        &self,
        case: &pb::CaseView,
        need: pb::Need,
        note: &str,
    ) -> Result<pb::CaseView, Status> {
        let request = pb::SignNeedRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            claim_no: self.claim_no(case),
            prescription: (need.care() == CareType::PhonePrescription).then(prescription),
            need: Some(need),
            note: note.to_owned(),
            ..Default::default()
        };
        Ok(ask!(self, regulation, sign_need, request)?.case.unwrap())
    }

    /// Signs a need with everything that `what` says beside it.
    pub async fn signs(&self, case: &pb::CaseView, what: pb::SignNeedRequest) -> Result<pb::CaseView, Status> {
        let (command_id, case_id, claim_no) = (self.act(), case.case_id.clone(), self.claim_no(case));
        let request = pb::SignNeedRequest { command_id, case_id, claim_no, ..what };
        Ok(ask!(self, regulation, sign_need, request)?.case.unwrap())
    }

    /// Signs the answer of the last decision with everything that `what` says.
    pub async fn signs_answer(&self, case: &pb::CaseView, what: pb::SignAnswerRequest) -> Result<pb::CaseView, Status> {
        let (command_id, case_id, claim_no) = (self.act(), case.case_id.clone(), self.claim_no(case));
        let decision_id = case.decision().decision_id.clone();
        let request = pb::SignAnswerRequest { command_id, case_id, claim_no, decision_id, ..what };
        Ok(ask!(self, regulation, sign_answer, request)?.case.unwrap())
    }

    /// Signs the answer of the last decision: what was needed is what is done.
    pub async fn answers(&self, case: &pb::CaseView, care: CareType) -> Result<pb::CaseView, Status> {
        self.answers_because(case, care, SupplyReason::Unspecified).await
    }

    /// Signs an answer that differs from the need.
    pub async fn answers_because(
        &self,
        case: &pb::CaseView,
        care: CareType,
        reason: SupplyReason,
    ) -> Result<pb::CaseView, Status> {
        let request = pb::SignAnswerRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            claim_no: self.claim_no(case),
            decision_id: case.decision().decision_id.clone(),
            care: care.into(),
            supply_reason: reason.into(),
            ..Default::default()
        };
        Ok(ask!(self, regulation, sign_answer, request)?.case.unwrap())
    }

    /// Sends a case to another stream.
    pub async fn reorients(&self, case: &pb::CaseView, stream: Stream, why: &str) -> Result<pb::CaseView, Status> {
        let request = pb::ReorientRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            claim_no: self.claim_no(case),
            stream: stream.into(),
            reason: why.to_owned(),
        };
        Ok(ask!(self, regulation, reorient, request)?.case.unwrap())
    }

    /// Sees where the last decision could go; nothing changes.
    pub async fn sees_plan(&self, case: &pb::CaseView) -> Result<pb::Plan, Status> {
        let request = pb::ExplainPlanRequest {
            case_id: case.case_id.clone(),
            decision_id: case.decision().decision_id.clone(),
            at_least_seq: 0,
        };
        Ok(ask!(self, routing, explain_plan, request)?.plan.unwrap())
    }

    /// The cases that wait in a stream, in order.
    pub async fn queue(&self, stream: Stream) -> Result<Vec<pb::CaseView>, Status> {
        let request = pb::ListQueueRequest { stream: stream.into(), ..Default::default() };
        Ok(ask!(self, regulation, list_queue, request)?.cases)
    }

    /// The P0 cases that wait for the AMU.
    pub async fn hand_overs(&self) -> Result<Vec<pb::CaseView>, Status> {
        Ok(ask!(self, regulation, list_hand_overs, pb::ListHandOversRequest::default())?.cases)
    }

    /// Watches a queue, from a token or from the beginning.
    pub async fn watches(&self, stream: Stream, resume_token: &[u8]) -> Result<Console, Status> {
        let request = pb::WatchQueueRequest { stream: stream.into(), resume_token: resume_token.to_vec() };
        ask!(self, regulation, watch_queue, request)
    }
}

/// A console that watches a queue.
pub type Console = Streaming<pb::WatchQueueResponse>;

/// The next message of a watch; one that does not come ends the test.
pub async fn next(console: &mut Console) -> pb::WatchEvent {
    let message = tokio::time::timeout(Duration::from_secs(20), console.message()).await;
    message.expect("a change was to come").unwrap().expect("the watch goes on").event.unwrap()
}

/// The coordinator's acts.
impl Person {
    /// Puts the first option of the last decision to its responder.
    pub async fn advances(&self, case: &pb::CaseView) -> Result<pb::AdvanceResponse, Status> {
        let request = pb::AdvanceRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            decision_id: case.decision().decision_id.clone(),
            ..Default::default()
        };
        ask!(self, routing, advance, request)
    }

    /// Writes down that the responder receives the patient at an hour.
    pub async fn hears_yes(&self, offer: &pb::CaseOffer, at_unix_ms: i64) -> Result<pb::CaseOffer, Status> {
        let accepted = pb::answer_offer_request::Accepted { appointment_unix_ms: at_unix_ms };
        self.hears(offer, pb::answer_offer_request::Answer::Accepted(accepted)).await
    }

    /// Writes down that nobody lifted.
    pub async fn hears_nobody(&self, offer: &pb::CaseOffer) -> Result<pb::CaseOffer, Status> {
        let unreachable = pb::answer_offer_request::Unreachable {};
        self.hears(offer, pb::answer_offer_request::Answer::Unreachable(unreachable)).await
    }

    /// Writes down one digit of a telephone.
    pub async fn hears_digit(&self, offer: &pb::CaseOffer, digit: u32) -> Result<pb::CaseOffer, Status> {
        self.hears(offer, pb::answer_offer_request::Answer::Digit(digit)).await
    }

    async fn hears(
        &self,
        offer: &pb::CaseOffer,
        answer: pb::answer_offer_request::Answer,
    ) -> Result<pb::CaseOffer, Status> {
        let request = pb::AnswerOfferRequest {
            command_id: self.act(),
            case_id: offer.case_id.clone(),
            offer_id: offer.offer.as_ref().unwrap().offer_id.clone(),
            answer: Some(answer),
            ..Default::default()
        };
        Ok(ask!(self, routing, answer_offer, request)?.offer.unwrap())
    }

    /// Turns a held slot into an appointment.
    pub async fn confirms(&self, offer: &pb::CaseOffer) -> Result<pb::Offer, Status> {
        let request = pb::ConfirmSlotRequest {
            command_id: self.act(),
            case_id: offer.case_id.clone(),
            offer_id: offer.offer.as_ref().unwrap().offer_id.clone(),
            ..Default::default()
        };
        Ok(ask!(self, slots, confirm_slot, request)?.offer.unwrap())
    }

    /// Holds a slot longer; answers until when.
    pub async fn holds_longer(&self, offer: &pb::CaseOffer) -> Result<i64, Status> {
        let request = pb::RenewHoldRequest {
            command_id: self.act(),
            case_id: offer.case_id.clone(),
            offer_id: offer.offer.as_ref().unwrap().offer_id.clone(),
            ..Default::default()
        };
        Ok(ask!(self, slots, renew_hold, request)?.held_until_unix_ms)
    }

    /// Takes an appointment or a hold back.
    pub async fn cancels(&self, case: &pb::CaseView, why: &str) -> Result<(), Status> {
        let request = pb::CancelAppointmentRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            offer_id: case.offer().offer_id.clone(),
            reason: why.to_owned(),
            ..Default::default()
        };
        ask!(self, slots, cancel_appointment, request).map(|_| ())
    }

    /// Writes down whether the patient came.
    pub async fn records(&self, case: &pb::CaseView, attendance: Attendance) -> Result<(), Status> {
        let request = pb::RecordAttendanceRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            offer_id: case.offer().offer_id.clone(),
            attendance: attendance.into(),
            ..Default::default()
        };
        ask!(self, slots, record_attendance, request).map(|_| ())
    }

    /// The offers that wait for an answer.
    pub async fn open_offers(&self) -> Result<Vec<pb::CaseOffer>, Status> {
        Ok(ask!(self, routing, list_offers, pb::ListOffersRequest::default())?.offers)
    }

    /// The UNANSWERED lane.
    pub async fn unanswered(&self) -> Result<Vec<pb::UnansweredCase>, Status> {
        Ok(ask!(self, routing, list_unanswered, pb::ListUnansweredRequest::default())?.cases)
    }
}

//! Coordinators and the secretary: answers are carried out, practices rung, slots confirmed, what came of it written down.

use crate::{
    domain::{
        actor::Role,
        time::{Instant, Span},
    },
    grpc::pb::{self, ActionEnd, ActionKind, Attendance, RouteCategory, answer_offer_request::Answer, means::Way},
};

use super::{
    acts::{Act, CaseId},
    agenda::ActorId,
    room::Room,
    wire::{Fault, call},
};

/// A rung practice answers the telephone while it is open, and hardly ever when it is closed.
const ANSWERS_OPEN_PERCENT: f64 = 85.0;
const ANSWERS_CLOSED_PERCENT: f64 = 4.0;
/// An own GP takes his patient; a colleague another's.
const OWN_GP_YES_PERCENT: f64 = 72.0;
const COLLEAGUE_YES_PERCENT: f64 = 40.0;
/// The hour of a slot suits.
const SUITS_PERCENT: f64 = 94.0;
/// What is written where something ends.
const NOTE: &str = "Noté au téléphone.";
/// Patients who do not come.
const NO_SHOW_PERCENT: f64 = 6.0;

impl Room {
    pub(super) async fn advance(&mut self, who: ActorId, case: CaseId, decision: String) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(who));
        let request = pb::AdvanceRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            version: Vec::new(),
            decision_id: decision,
        };
        let reply = call!(self.wire, "Advance", &name, Role::Coordinator, routing.advance(request))?;
        let Some(reply) = reply else {
            self.leave(who, &case);
            return Ok(());
        };
        self.wire.kept(command_id, reply.receipt.as_ref())?;
        if reply.unanswered {
            self.tally.unanswered.insert(case.clone());
        }
        let plan = reply.plan.unwrap_or_default();
        match reply.offer.and_then(|offer| offer.offer) {
            Some(offer) => self.follow(who, case, &offer, &plan),
            None => self.leave(who, &case),
        }
        Ok(())
    }

    /// Goes on with an offer that the service made after another one had failed.
    pub(super) fn follow_offer(&mut self, who: ActorId, case: CaseId, offer: &str) {
        let view = self.view(&case);
        let known = view.and_then(|view| view.offers.iter().find(|known| known.offer_id == offer)).cloned();
        let plan = view.and_then(|view| view.routes.last()).and_then(|route| route.plan.clone()).unwrap_or_default();
        match known {
            Some(offer) => self.follow(who, case, &offer, &plan),
            None => self.leave(who, &case),
        }
    }

    fn follow(&mut self, who: ActorId, case: CaseId, offer: &pb::Offer, plan: &pb::Plan) {
        match offer.means.as_ref().and_then(|means| means.way.as_ref()) {
            Some(Way::Ring(_)) => {
                let row = plan.rows.iter().find(|row| row.responder_id == offer.responder_id);
                let soon = (self.now + Span::from_mins(1)).unix_ms();
                let open = row.is_some_and(|row| row.earliest_unix_ms > 0 && row.earliest_unix_ms <= soon);
                let call = self.dice.seconds(35, 140);
                self.then(call, who, Act::Rung(case, offer.offer_id.clone(), open));
            }
            Some(Way::Slot(_)) => {
                let call = self.dice.seconds(30, 100);
                self.then(call, who, Act::Told(case, offer.offer_id.clone()));
            }
            // A visit is the structure's to accept; the coordinator is free.
            Some(Way::Visit(_)) | None => self.leave(who, &case),
        }
    }

    fn leave(&mut self, who: ActorId, case: &str) {
        self.routing.remove(case);
        self.free(who);
    }

    pub(super) async fn rung(&mut self, who: ActorId, case: CaseId, offer: String, open: bool) -> Result<(), Fault> {
        let own = self.category(&case, &offer) == RouteCategory::OwnGp;
        let answers = self.dice.percent(if open { ANSWERS_OPEN_PERCENT } else { ANSWERS_CLOSED_PERCENT });
        let takes = answers && self.dice.percent(if own { OWN_GP_YES_PERCENT } else { COLLEAGUE_YES_PERCENT });
        let answer = match (answers, takes) {
            (_, true) => {
                let hour = self.now + self.dice.seconds(30 * 60, 4 * 3_600);
                // Nobody offers an hour that is too late for what the doctor decided.
                let latest = self.latest(&case, &offer).max((self.now + Span::from_mins(30)).unix_ms());
                let appointment_unix_ms = hour.unix_ms().min(latest);
                Answer::Accepted(pb::answer_offer_request::Accepted { appointment_unix_ms })
            }
            // The doctor says no with one digit.
            (true, false) => Answer::Digit(2),
            (false, false) => Answer::Unreachable(pb::answer_offer_request::Unreachable {}),
        };
        self.answer(who, case, offer, answer, takes).await
    }

    pub(super) async fn told(&mut self, who: ActorId, case: CaseId, offer: String) -> Result<(), Fault> {
        if !self.dice.percent(SUITS_PERCENT) {
            let declined = Answer::Declined(pb::answer_offer_request::Declined {});
            return self.answer(who, case, offer, declined, false).await;
        }
        let (command_id, name) = (self.command(), self.name(who));
        let request = pb::ConfirmSlotRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            version: Vec::new(),
            offer_id: offer.clone(),
        };
        let reply = call!(self.wire, "ConfirmSlot", &name, Role::Coordinator, slots.confirm_slot(request))?;
        let Some(reply) = reply else {
            // The slot has begun while the patient was being told: the next one.
            let declined = Answer::Declined(pb::answer_offer_request::Declined {});
            return self.answer(who, case, offer, declined, false).await;
        };
        self.wire.kept(command_id, reply.receipt.as_ref())?;
        self.leave(who, &case);
        Ok(())
    }

    /// Writes an answer down; after a no the same coordinator goes on with the next option.
    async fn answer(
        &mut self,
        who: ActorId,
        case: CaseId,
        offer: String,
        answer: Answer,
        taken: bool,
    ) -> Result<(), Fault> {
        let decision = self.decision(&case, &offer);
        let (command_id, name) = (self.command(), self.name(who));
        let request = pb::AnswerOfferRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            version: Vec::new(),
            offer_id: offer,
            answer: Some(answer),
        };
        let reply = call!(self.wire, "AnswerOffer", &name, Role::Coordinator, routing.answer_offer(request))?;
        let Some(reply) = reply else {
            self.leave(who, &case);
            return Ok(());
        };
        self.wire.kept(command_id, reply.receipt.as_ref())?;
        match decision {
            Some(decision) if !taken => {
                let next = self.dice.seconds(5, 15);
                self.then(next, who, Act::Advance(case, decision));
            }
            _ => self.leave(who, &case),
        }
        Ok(())
    }

    fn offer(&self, case: &str, offer: &str) -> Option<&pb::Offer> {
        self.view(case)?.offers.iter().find(|known| known.offer_id == offer)
    }

    fn decision(&self, case: &str, offer: &str) -> Option<String> {
        self.offer(case, offer).map(|known| known.decision_id.clone())
    }

    /// By when the care that the offer is for must have begun, Unix milliseconds.
    fn latest(&self, case: &str, offer: &str) -> i64 {
        let decision = self.decision(case, offer).zip(self.view(case)).and_then(|(id, view)| {
            let of_offer = view.decisions.iter().find(|known| known.decision_id == id);
            of_offer.map(|known| known.deadline_unix_ms)
        });
        decision.unwrap_or_default()
    }

    fn category(&self, case: &str, offer: &str) -> RouteCategory {
        self.offer(case, offer).map_or(RouteCategory::Unspecified, pb::Offer::category)
    }

    /// Something to be done is done, by whoever's act it was.
    pub(super) async fn done(&mut self, who: ActorId, case: CaseId, action: String) -> Result<(), Fault> {
        let known = self.view(&case).and_then(|view| view.actions.iter().find(|known| known.action_id == action));
        let Some(known) = known.filter(|known| known.ended_unix_ms == 0) else {
            self.free(who);
            return Ok(());
        };
        let (name, role) = match known.kind() {
            ActionKind::AwaitReport | ActionKind::SeeCounterRegulation => ("regul-bilans".to_owned(), Role::Regulator),
            _ => (self.name(who), Role::Coordinator),
        };
        self.end_action(&name, role, case, action, ActionEnd::Done).await?;
        self.free(who);
        Ok(())
    }

    /// Somebody completes a file that nobody had time for: what is not known by now is stated unknown.
    pub(super) async fn complete(&mut self, who: ActorId, case: CaseId) -> Result<(), Fault> {
        let Some(view) = self.view(&case).filter(|view| !view.missing_for_validation.is_empty()) else { return Ok(()) };
        let lacks = |item: pb::MissingItem| view.missing_for_validation.contains(&item.into());
        let motive = if lacks(pb::MissingItem::Motive) { "M06.04".to_owned() } else { String::new() };
        let mut patients = if lacks(pb::MissingItem::Identity) { view.patients.clone() } else { Vec::new() };
        if patients.is_empty() && lacks(pb::MissingItem::Identity) {
            patients.push(pb::Patient { number: 1, ..Default::default() });
        }
        patients.iter_mut().filter(|known| known.name.is_empty()).for_each(|known| known.identity_unknown = true);
        let (command_id, name) = (self.command(), self.name(who));
        let request = pb::AmendCaseRequest {
            command_id: command_id.clone(),
            case_id: case,
            patients,
            motive,
            ..Default::default()
        };
        let reply = call!(self.wire, "AmendCase", &name, Role::Arm, intake.amend_case(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
        }
        Ok(())
    }

    pub(super) async fn end_action(
        &mut self,
        name: &str,
        role: Role,
        case: CaseId,
        action: String,
        end: ActionEnd,
    ) -> Result<(), Fault> {
        let command_id = self.command();
        let request = pb::EndActionRequest {
            command_id: command_id.clone(),
            case_id: case,
            version: Vec::new(),
            action_id: action,
            end: end.into(),
            note: NOTE.to_owned(),
        };
        let reply = call!(self.wire, "EndAction", name, role, regulation.end_action(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
        }
        Ok(())
    }

    /// Whether the patient came: the doctor's own terminal says so, or the secretary of a fixed point.
    pub(super) async fn attended(&mut self, who: ActorId, case: CaseId, offer: String) -> Result<(), Fault> {
        let Some(known) = self.offer(&case, &offer) else { return Ok(()) };
        if known.appointment_unix_ms == 0 || Instant::from_unix_ms(known.appointment_unix_ms) > self.now {
            return Ok(());
        }
        let doctor = self.visitors.doctor_of(&known.responder_id);
        let came = !self.dice.percent(NO_SHOW_PERCENT);
        let attendance = if came { Attendance::Seen } else { Attendance::NoShow };
        let (name, role) = match doctor {
            Some(doctor) => (doctor, Role::Responder),
            None => (self.name(who), Role::Coordinator),
        };
        let command_id = self.command();
        let request = pb::RecordAttendanceRequest {
            command_id: command_id.clone(),
            case_id: case,
            version: Vec::new(),
            offer_id: offer,
            attendance: attendance.into(),
            counter_regulation: None,
        };
        let reply = call!(self.wire, "RecordAttendance", &name, role, slots.record_attendance(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
            *if came { &mut self.tally.seen } else { &mut self.tally.no_shows } += 1;
        }
        Ok(())
    }
}

//! Bringing every case to its end with what stands on people's screens: no case may be stuck.

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{
        Action, ActionKind, Case, Command, End, OfferState,
        command::{CallEvent, OfferAnswer, Qualify, SignAnswer},
        transfer::{TransferAct, TransferWord},
    },
    ids::CaseId,
    regulation::{need::CareType, qualification::Priority},
    visits::VisitStatus,
};

use super::{
    super::stage::{arm, complete, coordinator, qualify, sign, someone, supervisor, text, upkeep},
    room::Room,
};

/// More acts than the longest path needs.
const ENOUGH: usize = 60;

pub fn everything(room: &mut Room) {
    for case in room.cases() {
        let mut acts = 0;
        while let Some(action) = next(room.stage.case(case)) {
            acts += 1;
            let what = action.kind;
            assert!(acts < ENOUGH, "stuck at {what}: {:#?}", room.stage.case(case).actions);
            wait_for_it(room, case, &action);
            let (actor, command) = answer(room, case, &action);
            let name = command.name();
            let open = room.stage.case(case).open_actions().count();
            assert!(room.give((actor, Some(case), command)), "{name} for {what} was refused with {open} open actions");
        }
    }
}

/// Nobody was seen at an appointment before its hour has come.
fn wait_for_it(room: &mut Room, case: CaseId, action: &Action) {
    let offer = action.about.offer.and_then(|offer| room.stage.case(case).offer(offer));
    let Some(OfferState::Accepted { appointment, .. }) = offer.map(|offer| offer.state.clone()) else { return };
    if action.kind == ActionKind::Appointment && room.stage.now < appointment {
        room.pass(appointment.since(room.stage.now));
    }
}

/// What is next: the doctor late, so that nothing opens again behind him, and the file last: what it lacks may be his answer.
fn next(case: &Case) -> Option<Action> {
    let rank = |action: &&Action| match action.kind {
        ActionKind::HandOver => 0,
        ActionKind::CompleteFile => 10,
        ActionKind::Unanswered => 9,
        ActionKind::Regulate => 8,
        _ => 1,
    };
    case.open_actions().min_by_key(rank).cloned()
}

/// What the owner of an action can do about it.
fn answer(room: &Room, id: CaseId, action: &Action) -> (Actor, Command) {
    let case = room.stage.case(id);
    let end = |end| Command::EndAction { action: action.id, end, note: Some(text("dit au téléphone")) };
    let garde = someone("dr-de-garde", Role::Regulator);
    match action.kind {
        ActionKind::AnswerCall => (arm(), Command::Call(CallEvent::Answered.into())),
        ActionKind::Qualify => {
            let why = Some(text("rassuré"));
            // What the AMU has accepted is lowered by a regulator alone.
            let vital = case.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0);
            (
                if vital { garde } else { arm() },
                Command::Qualify(Box::new(Qualify { lower_reason: why, ..qualify(Priority::P2) })),
            )
        }
        ActionKind::HandOver => (garde, Command::AcceptHandOver),
        ActionKind::Regulate | ActionKind::Unanswered => regulate(case, garde),
        ActionKind::CompleteFile => (arm(), complete(case)),
        ActionKind::SeeCounterRegulation => (garde, end(End::Done)),
        ActionKind::Transfer => {
            let reason = text("repris pour conclure");
            (garde, Command::Transfer(Box::new(TransferAct::TakeBack { reason })))
        }
        ActionKind::Reorient => (garde, Command::AnswerReorientation { refused: None }),
        ActionKind::CallBack
        | ActionKind::TelephoneAppointment
        | ActionKind::AnnouncePatient
        | ActionKind::ReEvaluate
        | ActionKind::Interpreter
        | ActionKind::Refer
        | ActionKind::ReferCcas
        | ActionKind::DepositDocument
        | ActionKind::ArrangeTransport
        | ActionKind::FollowUp
        | ActionKind::DeliverPrescription
        | ActionKind::ReturnOfInformation => (coordinator(), end(End::Done)),
        ActionKind::Route | ActionKind::AskConsent | ActionKind::AskConsentCcas => (coordinator(), end(End::Refused)),
        ActionKind::RingGp | ActionKind::ConfirmSlot | ActionKind::AcceptVisit => {
            let offer = action.about.offer.unwrap();
            (coordinator(), Command::AnswerOffer { offer, answer: OfferAnswer::Declined })
        }
        ActionKind::Appointment => {
            let offer = action.about.offer.unwrap();
            (coordinator(), Command::Attend { offer, seen: true, counter: None })
        }
        ActionKind::Visit => {
            let visit = action.about.visit.unwrap();
            let desk = someone("repartition", Role::Dispatcher);
            (desk, Command::MoveVisit { visit, status: VisitStatus::Finished, happened: None })
        }
        ActionKind::AwaitReport => match action.about.visit {
            Some(visit) => {
                let (person, _) = case.visit(visit).unwrap().doctor.clone().unwrap();
                let driver = someone(person.as_str(), Role::Responder);
                (driver, Command::ReportVisit { visit, text: text("compte rendu"), counter: None })
            }
            None => (coordinator(), end(End::Done)),
        },
    }
}

/// Takes the case from whoever holds it, signs what is unsigned, and ends with advice.
fn regulate(case: &Case, garde: Actor) -> (Actor, Command) {
    if case.received.as_ref().is_some_and(|received| received.open()) {
        return (upkeep(), Command::Transfer(Box::new(TransferAct::Tell(TransferWord::Confirmed))));
    }
    let Some(claim) = &case.claim else { return (garde, Command::Claim) };
    if claim.by != garde.person {
        return (supervisor(), Command::ForceRelease { reason: text("fin de garde") });
    }
    let claim_no = claim.no;
    if let Some(unsigned) = case.decisions.iter().find(|decision| decision.answer.is_none()) {
        let (decision, care) = (unsigned.id, unsigned.need.care);
        let sign =
            SignAnswer { claim_no, decision, care, supply: None, note: None, keep: false, beside: Default::default() };
        return (garde, Command::SignAnswer(Box::new(sign)));
    }
    let mut advice = sign(claim_no, CareType::Advice);
    advice.need.patient = left_out(case);
    (garde, Command::SignNeed(Box::new(advice)))
}

/// For whom a decision is missing: for nobody yet, or for whom nobody was left to carry one out.
fn left_out(case: &Case) -> u32 {
    let decided = |number| case.decisions.iter().any(|known| known.need.patient == number && known.protocol.is_none());
    let undecided = case.patients.iter().map(|patient| patient.number).find(|number| !decided(*number));
    let alone = case.open_actions().filter(|action| action.kind == ActionKind::Unanswered);
    let mut alone = alone.filter_map(|action| Some(case.decision(action.about.decision?)?.need.patient));
    let lane = |patient: &u32| {
        let last = case.decisions.iter().rfind(|known| known.need.patient == *patient).unwrap().id;
        case.open_actions().any(|a| a.kind == ActionKind::Unanswered && a.about.decision == Some(last))
    };
    undecided.or_else(|| alone.find(lane)).unwrap_or(1)
}

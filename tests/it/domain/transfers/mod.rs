//! Hand-overs between territories: what people do on either side, and what becomes of it whatever crosses whatever.

pub mod border;
mod brought;
mod crossing;
mod search;

use sas_dispatch::domain::{
    actor::Role,
    case::{
        Action, ActionKind, ActionState, Command, End, Refusal,
        command::{CallEvent, Particulars, Qualify, Timer},
        sealed::{Address, NoteKind},
        state::{Channel, ContactSafety, Line},
        status::{Status, status},
        transfer::{Step, TransferAct, TransferEnd},
    },
    ids::CaseId,
    regulation::{
        need::CareType,
        qualification::{Attribution, Priority, Stream},
    },
    time::Span,
};

use super::stage::{
    GP, SAS, SAS_DOCTOR, SOS, SOS_DOCTOR, Stage, arm, coordinator, doctor, other_regulator, qualify, regulator, sign,
    someone, text, upkeep, visit_means,
};
use border::{Border, accept, receiver, refuse, take_back, transfer, yonne_of};

fn send(claim_no: Option<u64>, to: &str, reason: &str) -> Command {
    transfer(TransferAct::Send { claim_no, to: to.parse().unwrap(), reason: text(reason) })
}

fn last(stage: &Stage, case: CaseId, kind: ActionKind) -> Action {
    stage.case(case).actions.iter().rev().find(|action| action.kind == kind).unwrap().clone()
}

fn ended(stage: &Stage, case: CaseId, kind: ActionKind) -> End {
    match last(stage, case, kind).state {
        ActionState::Ended { end, .. } => end,
        ActionState::Open { .. } => panic!("{kind} is open"),
    }
}

fn how(border: &Border, case: CaseId) -> Option<TransferEnd> {
    border.transfer(case).ended.as_ref().map(|ended| ended.how)
}

fn notes(stage: &Stage, case: CaseId) -> Vec<String> {
    stage.case(case).sealed.notes.iter().map(|note| note.text.reveal().clone()).collect()
}

#[test]
fn the_sender_stays_responsible_until_a_doctor_there_has_taken_the_case() {
    let (mut border, case) = Border::sent(Priority::P2);
    assert!(border.here.waits(case, ActionKind::Regulate) && border.here.waits(case, ActionKind::Transfer));
    assert_eq!(border.carry(case), 1, "the copy is opened, and then an answer is awaited");
    let copy = border.copy(case).clone();
    let (sender, known) = (border.here.case(case), copy.qualification.as_ref().unwrap());
    assert_eq!((copy.channel, copy.line, copy.territory.as_str()), (Channel::Transfer, Line::CallBack, "fr-89"));
    assert_eq!(copy.sealed.caller, sender.sealed.caller, "whom to ring");
    let mut identities = sender.sealed.identities.clone();
    identities[0].gp_name = text(&border.here.directory.get(&GP.parse().unwrap()).unwrap().name);
    assert_eq!(copy.sealed.identities, identities, "with the name of a GP whom only the sender's directory knows");
    assert_eq!(copy.place.commune, sender.place.commune, "a commune that is not of this territory is no obstacle");
    assert_eq!((known.priority, known.stream), (Priority::P2, Stream::Snp));
    assert!(known.due <= sender.qualification.as_ref().unwrap().due, "it waits no longer than it would have");
    let received = copy.received.as_ref().unwrap();
    assert_eq!((received.from.as_str(), received.case, received.number.len()), ("fr-67", case, 19));
    assert!(notes(&border.there, copy.id).iter().any(|words| words.contains("antenne")), "they read why");
    let claim_no = border.accept(case);
    assert!(border.here.waits(case, ActionKind::Regulate), "an acceptance on the way is none yet");
    let early = Command::SignNeed(Box::new(sign(claim_no, CareType::Advice)));
    let refused = border.there.refused(&receiver(), copy.id, early.clone());
    assert!(refused.to_string().contains("in some seconds"), "{refused}");
    assert_eq!(border.carry(case), 2, "recorded by the sender, confirmed to the receiver");
    assert_eq!(how(&border, case), Some(TransferEnd::Accepted));
    assert!(border.here.case(case).open_actions().next().is_none());
    assert_eq!(ended(&border.here, case, ActionKind::Transfer), End::Done);
    let kept = border.transfer(case).ended.clone().unwrap();
    assert_eq!((kept.by.unwrap(), kept.number.as_str()), (receiver().person, "DRFR158924354000007"));
    border.there.done(&receiver(), copy.id, early);
    assert!(border.there.case(copy.id).open_actions().next().is_none(), "one decision ends it");
    let day = border.here.now + Span::from_hours(25);
    assert_eq!(status(border.here.case(case), border.here.now), Status::Valid);
    assert_eq!(status(border.here.case(case), day), Status::Closed, "closing is derived, as ever");
}

#[test]
fn a_regulator_sends_what_he_holds_an_arm_what_nobody_holds_and_both_say_why() {
    let mut border = Border::new();
    let (case, claim_no) = border.held();
    let here = &mut border.here;
    let held = here.refused(&arm(), case, send(None, "fr-89", "à Sens"));
    assert!(held.to_string().contains("ReleaseClaim"), "{held}");
    let wordless = here.refused(&regulator(), case, send(Some(claim_no), "fr-89", " "));
    let unnamed = here.refused(&regulator(), case, send(None, "fr-89", "à Sens"));
    let home = here.refused(&regulator(), case, send(Some(claim_no), "fr-67", "à Sens"));
    for (refusal, field) in [(wordless, "reason"), (unnamed, "claim_no"), (home, "territory")] {
        assert!(matches!(&refusal, Refusal::Fields(faults) if faults[0].field == field), "{refusal}");
    }
    // The words of whoever no longer holds it are kept, and nothing is sent.
    let stale = here.give(&other_regulator(), Some(case), &send(Some(claim_no), "fr-89", "à Sens")).unwrap();
    assert_eq!(stale.refused, Some(Refusal::NotHolder));
    assert!(here.case(case).transfers.is_empty());
    here.done(&regulator(), case, send(Some(claim_no), "fr-89", "à Sens"));
    assert!(here.case(case).claim.is_none());
    let again = here.refused(&arm(), case, send(None, "fr-89", "à Sens"));
    assert!(again.to_string().contains("WithdrawTransfer"), "{again}");
    let unqualified = here.called();
    assert!(here.refused(&arm(), unqualified, send(None, "fr-89", "à Sens")).to_string().contains("qualify"));
}

#[test]
fn a_vital_emergency_is_never_sent_and_says_what_to_do_instead() {
    let mut border = Border::new();
    let case = border.here.qualified(Priority::P0);
    let refused = border.here.refused(&arm(), case, send(None, "fr-89", "à Sens"));
    assert!(refused.to_string().contains("AcceptHandOver"), "{refused}");
    border.here.done(&regulator(), case, Command::AcceptHandOver);
    let claim_no = border.here.case(case).claim.as_ref().unwrap().no;
    border.here.refused(&regulator(), case, send(Some(claim_no), "fr-89", "à Sens"));
}

#[test]
fn nobody_here_takes_what_waits_for_another_territory_until_it_is_taken_back() {
    let (mut border, case) = Border::sent(Priority::P2);
    let refused = border.here.refused(&regulator(), case, Command::Claim);
    assert!(refused.to_string().contains("WithdrawTransfer"), "{refused}");
    let action = border.here.action(case, ActionKind::Transfer).id;
    let end = Command::EndAction { action, end: End::Done, note: None };
    assert!(border.here.refused(&regulator(), case, end).to_string().contains("WithdrawTransfer"));
    border.carry(case);
    border.here.done(&arm(), case, take_back());
    assert_eq!(how(&border, case), Some(TransferEnd::TakenBack));
    assert!(border.here.action(case, ActionKind::Regulate).alarmed().is_none(), "it waits as before");
    border.here.claim(&regulator(), case);
    assert_eq!(border.carry(case), 1);
    let copy = border.copy(case);
    assert!(copy.with_sender() && copy.open_actions().next().is_none());
    assert_eq!(copy.received.as_ref().unwrap().settled.unwrap().1, TransferEnd::TakenBack, "it says why it ended");
    let late = border.here.refused(&arm(), case, take_back());
    assert!(matches!(late, Refusal::State { .. }));
}

#[test]
fn refused_or_not_answered_it_is_late_from_now_with_its_sender_and_rings() {
    for silent in [false, true] {
        let (mut border, case) = Border::sent(Priority::P2);
        border.carry(case);
        let copy = border.copy_id(case);
        if silent {
            border.expire(case);
        } else {
            let wordless = transfer(TransferAct::Answer { refused: Some(text(" ")) });
            assert!(matches!(border.there.refused(&receiver(), copy, wordless), Refusal::Fields(_)));
            border.there.done(&receiver(), copy, refuse());
        }
        border.carry(case);
        let expected = if silent { TransferEnd::Expired } else { TransferEnd::Refused };
        assert_eq!(how(&border, case), Some(expected));
        let waits = border.here.action(case, ActionKind::Regulate);
        assert_eq!((waits.alarmed(), waits.deadline), (Some(border.here.now), border.here.now));
        assert!(border.here.waits(case, ActionKind::ReEvaluate), "and the caller is asked how the patient is");
        assert!(border.copy(case).with_sender() && border.copy(case).open_actions().next().is_none());
        if !silent {
            for stage in [(&border.here, case), (&border.there, copy)] {
                let why = stage.0.case(stage.1).sealed.notes.last().unwrap().clone();
                assert_eq!((why.kind, why.by), (NoteKind::Reason, receiver().person), "both sides keep the reason");
                assert!(why.text.reveal().contains("Aube"));
            }
        }
        border.here.claim(&regulator(), case);
        let refused = border.there.refused(&receiver(), copy, Command::Claim);
        assert!(matches!(refused, Refusal::State { .. }), "the copy is over: {refused}");
    }
}

#[test]
fn a_p1_waits_for_another_territory_no_longer_than_for_another_stream() {
    let (border, case) = Border::sent(Priority::P1);
    let left = border.here.action(case, ActionKind::Transfer).deadline.since(border.here.now);
    assert_eq!(left, Span::from_secs(60));
    let (border, case) = Border::sent(Priority::P2);
    assert_eq!(border.here.action(case, ActionKind::Transfer).deadline.since(border.here.now), Span::from_mins(5));
}

#[test]
fn the_hour_that_was_agreed_with_the_caller_holds_there() {
    let (mut border, case) = Border::sent(Priority::P3);
    let agreed = border.here.action(case, ActionKind::TelephoneAppointment).deadline;
    border.carry(case);
    let copy = border.copy_id(case);
    assert_eq!(border.there.action(copy, ActionKind::TelephoneAppointment).deadline, agreed);
    border.accept(case);
    border.carry(case);
    assert!(!border.here.waits(case, ActionKind::TelephoneAppointment), "one of the two rings");
    assert!(border.there.waits(copy, ActionKind::TelephoneAppointment));
}

#[test]
fn what_is_added_while_the_answer_is_awaited_follows_the_copy() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let copy = border.copy_id(case);
    border.here.done(&arm(), case, Command::AddNote(text("le code de la porte a changé")));
    let address = Some(Address { street: text("4 rue Rouget-de-l'Isle"), ..Address::default() });
    let safety = ContactSafety { may_ring: true, may_text: false, may_leave_message: false, risk: None };
    let known = Particulars { address, safety: Some(safety), ..Particulars::default() };
    border.here.done(&arm(), case, Command::Amend(Box::new(known)));
    assert_eq!(border.carry(case), 1);
    assert!(notes(&border.there, copy).iter().any(|words| words.contains("porte")));
    assert!(border.copy(case).sealed.address.street.reveal().starts_with("4 rue"));
    assert_eq!(border.copy(case).safety, safety, "nothing is announced there either");
    // Between the acceptance and its confirmation as well.
    border.accept(case);
    border.here.done(&arm(), case, Command::AddNote(text("le chien est enfermé")));
    border.carry(case);
    assert!(notes(&border.there, copy).iter().any(|words| words.contains("chien")));
    let told = border.here.done(&arm(), case, Command::AddNote(text("il rappelle")));
    assert!(told.warnings[0].starts_with("WITH_ANOTHER_TERRITORY: fr-89"), "{:?}", told.warnings);
    assert_eq!(border.carry(case), 0, "what comes later is told by telephone");
}

/// The log tells the words of a command after its facts: told again it must come to what is stored all the same.
#[test]
fn words_of_the_command_that_ends_or_begins_a_sending_count_alike_in_record_and_log() {
    let (mut border, case) = Border::sent(Priority::P2);
    let address = Some(Address { street: text("4 rue Rouget-de-l'Isle"), ..Address::default() });
    let particulars = Particulars { address, ..Particulars::default() };
    let anew = Qualify { particulars, ..qualify(Priority::P2) };
    border.here.done(&arm(), case, Command::Qualify(Box::new(anew)));
    assert_eq!(how(&border, case), Some(TransferEnd::Requalified));
    assert_eq!(border.transfer(case).changed, 1);
    border.send(case);
    assert_eq!(border.transfer(case).changed, 0, "what is sent is told whole");
}

#[test]
fn notes_that_one_event_cannot_hold_follow_in_several() {
    let mut border = Border::new();
    let case = border.here.qualified(Priority::P2);
    for n in 0..12 {
        border.here.done(&arm(), case, Command::AddNote(text(&format!("{n} {}", "é".repeat(3_900)))));
    }
    border.send(case);
    let steps = border.carry(case);
    assert!(steps > 3, "{steps} steps");
    assert_eq!(border.copy(case).sealed.notes.len(), border.here.case(case).sealed.notes.len());
}

#[test]
fn an_acceptance_and_an_end_that_cross_are_decided_by_the_senders_log() {
    type Ended = (fn(&mut Border, CaseId), TransferEnd);
    let ends: [Ended; 4] = [
        (|border, case| drop(border.here.done(&regulator(), case, take_back())), TransferEnd::TakenBack),
        (|border, case| border.expire(case), TransferEnd::Expired),
        (|border, case| border.requalify(case, Priority::P1), TransferEnd::Requalified),
        (|border, case| border.requalify(case, Priority::P0), TransferEnd::Vital),
    ];
    for (end, expected) in ends {
        let (mut border, case) = Border::sent(Priority::P2);
        border.carry(case);
        border.accept(case);
        let accepting = border.read(case).unwrap();
        assert_eq!(accepting.step, Step::Accept);
        end(&mut border, case);
        // Whoever had read the acceptance before comes too late.
        assert!(matches!(border.take(case, &accepting), Err(Refusal::State { .. })));
        border.carry(case);
        let copy = border.copy(case);
        assert_eq!(how(&border, case), Some(expected));
        assert_eq!(copy.received.as_ref().unwrap().settled.unwrap().1, expected, "its holder reads why");
        assert!(copy.claim.is_none() && copy.decisions.is_empty() && copy.open_actions().next().is_none());
    }
}

#[test]
fn a_new_qualification_after_the_acceptance_opens_the_case_again_and_the_receiver_is_told() {
    for priority in [Priority::P0, Priority::P1] {
        let (mut border, case) = Border::sent(Priority::P2);
        border.carry(case);
        border.accept(case);
        border.carry(case);
        border.requalify(case, priority);
        let doctor = [ActionKind::Regulate, ActionKind::HandOver];
        assert!(doctor.into_iter().any(|kind| border.here.waits(case, kind)), "never refused");
        assert_eq!(border.carry(case), 1);
        let received = border.copy(case).received.as_ref().unwrap();
        assert_eq!(received.again, border.transfer(case).again);
        assert!(notes(&border.there, border.copy_id(case)).last().unwrap().contains("fr-67"), "they are to ring");
        assert!(border.copy(case).claim.is_some(), "the case there is still its regulator's");
    }
}

#[test]
fn found_vital_there_it_is_their_amus_and_is_not_ended_from_afar() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let copy = border.copy_id(case);
    border.vital_there(case);
    let back = border.there.refused(&receiver(), copy, refuse());
    assert!(back.to_string().contains("AcceptHandOver"), "{back}");
    border.expire(case);
    assert_eq!(border.carry(case), 2, "they are told that it is back, the sender that it goes on");
    assert!(border.there.waits(copy, ActionKind::HandOver) && border.copy(case).received.as_ref().unwrap().goes_on);
    assert!(border.transfer(case).goes_on.is_some());
    assert!(notes(&border.here, case).last().unwrap().contains("fr-89"));
    let amu = yonne_of(someone("dr-mru-sens", Role::Regulator));
    border.there.done(&amu, copy, Command::AcceptHandOver);
    let claim_no = border.copy(case).claim.as_ref().unwrap().no;
    border.there.done(&amu, copy, Command::SignNeed(Box::new(sign(claim_no, CareType::Amu))));
}

#[test]
fn the_amu_that_accepts_there_has_accepted_for_its_territory() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let copy = border.copy_id(case);
    border.vital_there(case);
    border.there.done(&receiver(), copy, Command::AcceptHandOver);
    let claim_no = border.copy(case).claim.as_ref().unwrap().no;
    // A P0 waits for nobody's word.
    border.there.done(&receiver(), copy, Command::SignNeed(Box::new(sign(claim_no, CareType::Amu))));
    border.carry(case);
    assert_eq!(how(&border, case), Some(TransferEnd::Accepted));
}

#[test]
fn a_copy_that_was_opened_after_the_end_is_ended() {
    let (mut border, case) = Border::sent(Priority::P2);
    let opening = border.read(case).unwrap();
    border.here.done(&arm(), case, take_back());
    assert_eq!(border.carry(case), 0);
    // An instance that had stood still takes the step it had read.
    border.take(case, &opening).unwrap();
    assert!(matches!(border.take(case, &opening), Err(Refusal::State { .. })), "and not twice");
    assert_eq!(border.carry(case), 1);
    assert!(border.copy(case).with_sender());
}

#[test]
fn a_case_may_be_sent_again_after_a_refusal_and_from_the_receiver_on_to_a_third() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let first = border.copy_id(case);
    let waiting = border.there.refused(&yonne_of(arm()), first, send(None, "fr-67", "à Strasbourg"));
    assert!(waiting.to_string().contains("AnswerTransfer"), "{waiting}");
    border.there.done(&receiver(), first, refuse());
    border.carry(case);
    border.pass(Span::from_secs(30));
    border.send(case);
    border.carry(case);
    let second = border.copy_id(case);
    assert_ne!(first, second);
    let claim_no = border.accept(case);
    border.carry(case);
    border.there.done(&receiver(), second, send(Some(claim_no), "fr-67", "rentré à Strasbourg"));
    assert!(border.there.waits(second, ActionKind::Transfer) && border.there.waits(second, ActionKind::Regulate));
}

#[test]
fn regulator_and_responder_stay_two_across_the_border() {
    let mut border = Border::new();
    // Whoever drove to the patient here does not regulate the next case of it there.
    let (case, decision) = border.here.decided(CareType::HomeVisit);
    let offer = border.here.offered(case, decision, SOS, visit_means());
    let shift = border.here.on_duty(SOS_DOCTOR);
    border.here.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
    border.requalify(case, Priority::P2);
    border.send(case);
    border.carry(case);
    let copy = border.copy_id(case);
    let driver = yonne_of(someone(SOS_DOCTOR, Role::Regulator));
    assert_eq!(border.there.refused(&driver, copy, accept()), Refusal::Independence);
    // Nor does one of several who saw the patient.
    border.here.sas_of_two();
    let (seen, decision) = border.here.decided(CareType::Consultation);
    let (_, means) = border.here.slot(Span::from_hours(1));
    let offer = border.here.offered(seen, decision, SAS, means);
    border.here.accepted(&doctor(SAS_DOCTOR), seen, offer);
    border.here.done(&coordinator(), seen, Command::Attend { offer, seen: true, counter: None });
    border.requalify(seen, Priority::P2);
    border.send(seen);
    border.carry(seen);
    let known = border.copy(seen).received.as_ref().unwrap().responders.clone();
    assert!(known.contains(&SAS_DOCTOR.parse().unwrap()), "{known:?}");
    assert!(border.copy(case).regulators.contains(&regulator().person), "who regulated here responds nowhere");
    border.accept(case);
    border.carry(case);
    assert!(border.here.case(case).regulators.contains(&receiver().person));
}

#[test]
fn a_copy_is_a_doctors_no_arm_ends_it_and_no_protocol_stands_in() {
    let mut border = Border::new();
    let case = border.here.called();
    let mut front = qualify(Priority::P2);
    (front.symptoms, front.motive) = (false, Some("M06.02".to_owned()));
    border.here.done(&arm(), case, Command::Qualify(Box::new(front)));
    border.send(case);
    border.carry(case);
    let copy = border.copy_id(case);
    let mut nothing = qualify(Priority::NotRegulated);
    nothing.symptoms = false;
    border.there.done(&yonne_of(arm()), copy, Command::Qualify(Box::new(nothing)));
    let dismiss = Command::Dismiss { attribution: Attribution::Administrative, possible_repeat: false };
    assert!(matches!(border.there.refused(&yonne_of(arm()), copy, dismiss), Refusal::State { .. }));
    assert!(border.there.waits(copy, ActionKind::Regulate));
}

#[test]
fn a_call_that_breaks_off_here_is_rung_back_by_whoever_has_the_case() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    border.here.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(border.here.waits(case, ActionKind::CallBack), "until they accept it is ours");
    border.accept(case);
    border.carry(case);
    assert!(!border.here.waits(case, ActionKind::CallBack));
    border.here.done(&arm(), case, Command::Call(CallEvent::Reconnected.into()));
    border.here.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(border.here.case(case).open_actions().next().is_none(), "they ring");
    let flagged = border.copy(case).qualification.as_ref().unwrap().flags.clone();
    assert!(!flagged.is_empty(), "a lost call after a symptom went with it: {flagged:?}");
}

#[test]
fn the_late_regulation_of_a_case_that_waits_elsewhere_rings_here() {
    let (mut border, case) = Border::sent(Priority::P1);
    border.carry(case);
    let waits = border.here.action(case, ActionKind::Regulate);
    border.pass(waits.deadline.since(border.here.now));
    border.here.done(&upkeep(), case, Command::Fire(Timer::Action(waits.id)));
    assert!(border.here.action(case, ActionKind::Regulate).alarmed().is_some());
    border.expire(case);
    assert!(border.here.action(case, ActionKind::Regulate).alarmed().is_some(), "it rings on");
}

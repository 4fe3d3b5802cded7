//! Intake and qualification: a vital emergency is never refused, a call that is lost is never forgotten.

use sas_dispatch::domain::{
    case::{
        Action, ActionKind, Command, End, Owner, Refusal,
        command::{CallEvent, Particulars},
        state::{Channel, ContactSafety, Line, Patient},
        status::{Status, status},
    },
    ids::CaseId,
    regulation::{
        need::CareType,
        qualification::{Attribution, Flag, Priority, Stream},
    },
    time::{Instant, Span},
};

use super::stage::{Stage, arm, call, coordinator, qualify, regulator, someone, text};

fn p0() -> Command {
    let mut vital = qualify(Priority::P0);
    vital.motive = None;
    Command::Qualify(Box::new(vital))
}

#[test]
fn a_p0_is_taken_whatever_is_missing_or_unknown() {
    let mut stage = Stage::new();
    let mut nothing = call(stage.now);
    (nothing.vital, nothing.particulars) = (true, Particulars::default());
    let case = stage.opened(&arm(), nothing);
    assert_eq!(stage.action(case, ActionKind::HandOver).owner, Owner::Person("arm-lea".parse().unwrap()));
    let mut nonsense = qualify(Priority::P0);
    nonsense.motive = Some("M99.99".to_owned());
    nonsense.protocol = Some("no such protocol".to_owned());
    stage.done(&arm(), case, Command::Qualify(Box::new(nonsense)));
    assert!(stage.waits(case, ActionKind::HandOver));
}

#[test]
fn a_p0_is_taken_in_every_state_of_a_case_even_a_closed_one() {
    let mut stage = Stage::new();
    let unanswered = stage.called();
    let waiting = stage.qualified(Priority::P3);
    let (held, _) = stage.held_by(&regulator());
    let (routed, _) = stage.decided(CareType::Consultation);
    let (over, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), over, claim, CareType::Advice);
    let wrong_number = stage.called();
    stage.done(
        &arm(),
        wrong_number,
        Command::Dismiss { attribution: Attribution::WrongNumber, possible_repeat: false },
    );
    stage.pass(Span::from_hours(25));
    assert_eq!(status(stage.case(over), stage.now), Status::Closed);
    for case in [unanswered, waiting, held, routed, over, wrong_number] {
        stage.done(&arm(), case, p0());
        assert!(stage.waits(case, ActionKind::HandOver));
        assert_eq!(stage.case(case).qualification.as_ref().unwrap().stream, Stream::Amu);
    }
}

#[test]
fn the_arm_keeps_a_p0_until_the_amu_has_accepted_it_in_so_many_words() {
    let mut stage = Stage::new();
    let case = stage.called();
    stage.done(&arm(), case, p0());
    let hand_over = stage.action(case, ActionKind::HandOver).id;
    let over = Command::EndAction { action: hand_over, end: End::Done, note: None };
    assert!(stage.refused(&arm(), case, over).to_string().contains("AMU accepts"));
    let downgrade = Command::Qualify(Box::new(qualify(Priority::P3)));
    assert!(matches!(stage.refused(&arm(), case, downgrade), Refusal::State { .. }));
    stage.late(case, ActionKind::HandOver);
    assert_eq!(stage.action(case, ActionKind::HandOver).alarmed(), Some(stage.now));
    stage.done(&regulator(), case, Command::AcceptHandOver);
    assert!(!stage.waits(case, ActionKind::HandOver));
    assert_eq!(stage.case(case).claim.as_ref().unwrap().by, regulator().person);
}

/// Found by reading: the second P0 took the case out of the hands of the AMU doctor who was treating it.
#[test]
fn a_p0_that_the_amu_has_accepted_stays_with_its_doctor_when_the_arm_adds_to_it() {
    let mut stage = Stage::new();
    let case = stage.called();
    stage.done(&arm(), case, p0());
    stage.done(&regulator(), case, Command::AcceptHandOver);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P0))));
    assert!(stage.waits(case, ActionKind::Regulate) && !stage.waits(case, ActionKind::HandOver));
    assert_eq!(stage.case(case).qualification.as_ref().unwrap().motive.as_deref(), Some("M03.14"));
}

/// Found by reading: a second qualification erased what the first had noted, and the ARM could then end the file.
#[test]
fn a_symptom_or_flag_once_heard_is_not_taken_back_by_a_second_qualification() {
    let mut stage = Stage::new();
    let case = stage.called();
    let mut first = qualify(Priority::P2);
    first.flags = vec![Flag::CommunicationBarrier];
    stage.done(&arm(), case, Command::Qualify(Box::new(first)));
    let mut harmless = qualify(Priority::NotRegulated);
    harmless.symptoms = false;
    let refusal = stage.refused(&arm(), case, Command::Qualify(Box::new(harmless)));
    assert!(refusal.to_string().contains("ever noted"), "{refusal}");
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P3))));
    let known = stage.case(case).qualification.clone().unwrap();
    assert!(known.symptoms && known.flags == [Flag::CommunicationBarrier]);
}

/// Found by reading: the action stayed with the regulators of the first stream.
#[test]
fn a_case_qualified_into_another_stream_changes_hands_with_its_action() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let mut psychiatry = qualify(Priority::P2);
    psychiatry.stream = Stream::Psy;
    stage.done(&arm(), case, Command::Qualify(Box::new(psychiatry)));
    let owner = stage.action(case, ActionKind::Regulate).owner;
    assert_eq!(owner, Owner::Desk(sas_dispatch::domain::actor::Role::Regulator, Some(Stream::Psy)));
}

#[test]
fn hanging_up_never_ends_a_case_and_after_a_symptom_it_goes_to_a_doctor() {
    let mut stage = Stage::new();
    let mut ringing = call(stage.now);
    (ringing.opened.channel, ringing.answered) = (Channel::Telephony, false);
    let exchange = someone("pbx", sas_dispatch::domain::actor::Role::Telephony);
    let unanswered = stage.opened(&exchange, ringing);
    stage.done(&exchange, unanswered, Command::Call(CallEvent::HungUp.into()));
    assert!(stage.waits(unanswered, ActionKind::CallBack));
    assert_eq!(stage.case(unanswered).line, Line::CallBack);

    let symptom = stage.qualified(Priority::P2);
    stage.done(&exchange, symptom, Command::Call(CallEvent::HungUp.into()));
    let known = stage.case(symptom).qualification.clone().unwrap();
    assert_eq!((known.priority, known.flags), (Priority::P2, vec![Flag::LostCall]));
    assert!(stage.waits(symptom, ActionKind::CallBack) && stage.waits(symptom, ActionKind::Regulate));
    assert!(stage.action(symptom, ActionKind::Regulate).deadline <= stage.now + Span::from_mins(15));
    let back = stage.action(symptom, ActionKind::CallBack).id;
    stage.done(&arm(), symptom, Command::EndAction { action: back, end: End::Unreachable, note: None });
    assert!(stage.waits(symptom, ActionKind::Regulate), "a doctor decides all the same");
    assert!(matches!(
        stage.refused(&arm(), symptom, Command::Dismiss { attribution: Attribution::Silent, possible_repeat: false }),
        Refusal::State { .. }
    ));
}

/// Found by an integrator: the normal end of a call cancelled the hour that was agreed in it.
#[test]
fn who_was_told_until_when_he_waits_hangs_up_as_agreed() {
    let mut stage = Stage::new();
    let deferred = stage.qualified(Priority::P3);
    let waiting = stage.qualified(Priority::P2);
    let claim_no = stage.claim(&regulator(), waiting);
    let may_wait = Some(stage.now + Span::from_hours(1));
    stage.done(&regulator(), waiting, Command::Release { claim_no, may_wait });
    for case in [deferred, waiting] {
        let before = stage.case(case).clone();
        stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
        let after = stage.case(case);
        assert_eq!(after.line, Line::CallBack);
        assert_eq!((&after.qualification, &after.may_wait), (&before.qualification, &before.may_wait));
        assert_eq!(after.actions, before.actions, "the agreed hour stands, and its alarm");
    }
    stage.claim(&regulator(), waiting);
    stage.done(&arm(), waiting, Command::Call(CallEvent::HungUp.into()));
    assert!(stage.waits(waiting, ActionKind::CallBack), "a doctor was speaking with him");
    // Who rings again is news.
    stage.done(&arm(), deferred, Command::Call(CallEvent::Reconnected.into()));
    let known = stage.case(deferred).qualification.clone().unwrap();
    assert_eq!((known.priority, known.flags), (Priority::P2, vec![Flag::RepeatCall]));
    assert!(stage.waits(deferred, ActionKind::Qualify) && !stage.waits(deferred, ActionKind::TelephoneAppointment));
}

/// Found by reading: a doctor's word that no longer held let the line break without anybody ringing back.
#[test]
fn a_call_that_breaks_after_something_new_was_heard_is_rung_back_whatever_was_said_before() {
    let mut stage = Stage::new();
    let earlier = stage.called();
    let case = stage.qualified(Priority::P2);
    linked(&mut stage, case, earlier);
    let claim_no = stage.claim(&regulator(), case);
    let may_wait = Some(stage.now + Span::from_hours(1));
    stage.done(&regulator(), case, Command::Release { claim_no, may_wait });
    linked(&mut stage, case, earlier);
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(stage.waits(case, ActionKind::CallBack));
    // Late, he is asked how he is: that call breaking off is none that was agreed.
    let late = stage.qualified(Priority::P2);
    let claim_no = stage.claim(&regulator(), late);
    let may_wait = Some(stage.now + Span::from_mins(30));
    stage.done(&regulator(), late, Command::Release { claim_no, may_wait });
    stage.late(late, ActionKind::Regulate);
    assert!(stage.waits(late, ActionKind::ReEvaluate));
    stage.done(&arm(), late, Command::Call(CallEvent::HungUp.into()));
    assert!(stage.waits(late, ActionKind::CallBack));
}

#[test]
fn a_caller_who_is_reached_again_goes_on_where_the_call_broke() {
    let mut stage = Stage::new();
    let case = stage.called();
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    let back = stage.action(case, ActionKind::CallBack).id;
    stage.done(&arm(), case, Command::EndAction { action: back, end: End::Done, note: Some(text("jointe")) });
    assert!(stage.waits(case, ActionKind::Qualify));
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    stage.done(&arm(), case, Command::Call(CallEvent::Reconnected.into()));
    assert_eq!(stage.case(case).line, Line::OnLine);
    assert!(!stage.waits(case, ActionKind::CallBack) && stage.waits(case, ActionKind::Qualify));
}

/// Found by reading: a contact marked unsafe got a call-back.
#[test]
fn an_unsafe_contact_is_never_rung_back() {
    let mut stage = Stage::new();
    let unsafe_contact = || {
        let safety = Some(ContactSafety { may_ring: false, may_text: false, may_leave_message: false, risk: None });
        Command::Amend(Box::new(Particulars { safety, ..Particulars::default() }))
    };
    let told_first = stage.qualified(Priority::P2);
    stage.done(&arm(), told_first, unsafe_contact());
    stage.done(&arm(), told_first, Command::Call(CallEvent::HungUp.into()));
    stage.late(told_first, ActionKind::Regulate);
    assert!(!stage.waits(told_first, ActionKind::CallBack) && stage.waits(told_first, ActionKind::Regulate));
    let told_later = stage.called();
    stage.done(&arm(), told_later, Command::Call(CallEvent::HungUp.into()));
    stage.done(&coordinator(), told_later, unsafe_contact());
    assert!(!stage.waits(told_later, ActionKind::CallBack) && stage.waits(told_later, ActionKind::Qualify));
}

fn linked(stage: &mut Stage, case: CaseId, earlier: CaseId) {
    stage.done(&arm(), case, Command::LinkRepeat(earlier));
}

#[test]
fn a_repeat_call_or_an_infant_makes_a_doctor_compulsory_and_lifts_a_deferred_case() {
    let mut stage = Stage::new();
    let earlier = stage.called();
    let case = stage.qualified(Priority::P3);
    linked(&mut stage, case, earlier);
    let known = stage.case(case).qualification.clone().unwrap();
    assert_eq!((known.priority, known.flags), (Priority::P2, vec![Flag::RepeatCall]));
    let regulate = stage.action(case, ActionKind::Regulate);
    assert_eq!(regulate.deadline, stage.now + Span::from_mins(15), "its alarm rings as early as its new place asks");
    let infant = Patient { number: 2, infant: true, ..Patient::default() };
    let particulars = Particulars { patients: vec![(infant, Default::default())], ..Particulars::default() };
    stage.done(&arm(), case, Command::Amend(Box::new(particulars)));
    assert!(stage.case(case).qualification.as_ref().unwrap().flags.contains(&Flag::Infant));
    // Found by reading: only the first of several calls ended a doctor's word that it may wait.
    let claim_no = stage.claim(&regulator(), case);
    let may_wait = Some(stage.now + Span::from_hours(1));
    stage.done(&regulator(), case, Command::Release { claim_no, may_wait });
    linked(&mut stage, case, earlier);
    assert!(
        stage.action(case, ActionKind::Regulate).deadline <= stage.now + Span::from_mins(15),
        "a call is news each time"
    );
    let itself = stage.refused(&arm(), case, Command::LinkRepeat(case));
    assert!(itself.to_string().contains("repeat itself"));
}

/// A case was linked to one that came an hour later, and two to each other.
#[test]
fn a_case_repeats_only_one_that_came_before_it() {
    let mut stage = Stage::new();
    let (first, second) = (stage.called(), stage.called());
    linked(&mut stage, second, first);
    stage.pass(Span::from_mins(1));
    let third = stage.called();
    for (case, later) in [(first, second), (first, third)] {
        let refusal = stage.refused(&arm(), case, Command::LinkRepeat(later));
        assert!(matches!(&refusal, Refusal::Fields(faults) if faults[0].field == "earlier_case_id"), "{refusal}");
    }
    linked(&mut stage, third, first);
}

/// A clock that is an hour behind says of the second call that it came before the first.
#[test]
fn a_call_of_an_exchange_whose_clock_is_behind_repeats_the_one_before_it() {
    let mut stage = Stage::new();
    let first = stage.called();
    stage.pass(Span::from_mins(5));
    let mut behind = call(stage.now);
    behind.opened.arrived = Instant::from_unix_ms(stage.now.unix_ms() - Span::from_hours(1).ms());
    let second = stage.opened(&arm(), behind);
    linked(&mut stage, second, first);
}

/// It read as if somebody had rung.
#[test]
fn a_call_back_that_nobody_made_does_not_end_as_made() {
    let ended = |stage: &Stage, case: CaseId| {
        let mut known = stage.case(case).actions.iter().filter(|action| action.kind == ActionKind::CallBack);
        known.next_back().and_then(Action::ended_as)
    };
    let broken_off = |stage: &mut Stage| {
        let case = stage.called();
        stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
        case
    };
    let mut stage = Stage::new();
    let dismissed = broken_off(&mut stage);
    let silent = Command::Dismiss { attribution: Attribution::Silent, possible_repeat: false };
    stage.done(&arm(), dismissed, silent);
    assert_eq!(ended(&stage, dismissed), Some(End::Replaced));
    let qualified = broken_off(&mut stage);
    stage.done(&arm(), qualified, Command::Qualify(Box::new(qualify(Priority::P2))));
    assert_eq!(ended(&stage, qualified), Some(End::Replaced));
    stage.done(&arm(), qualified, Command::Call(CallEvent::HungUp.into()));
    let claim = stage.claim(&regulator(), qualified);
    stage.need(&regulator(), qualified, claim, CareType::Advice);
    assert_eq!(ended(&stage, qualified), Some(End::Replaced), "a signature is no call");
    let reached = broken_off(&mut stage);
    stage.done(&arm(), reached, Command::Call(CallEvent::Reconnected.into()));
    assert_eq!(ended(&stage, reached), Some(End::Done));
}

/// Found by reading: who had been told to wait for an hour waited on, and nobody who heard the second call knew.
#[test]
fn whoever_links_a_call_to_a_deferred_case_is_told_that_it_still_waits() {
    let mut stage = Stage::new();
    let deferred = stage.qualified(Priority::P3);
    let again = stage.qualified(Priority::P2);
    let told = stage.done(&arm(), again, Command::LinkRepeat(deferred)).warnings;
    assert!(told.iter().any(|warning| warning.starts_with("EARLIER_DEFERRED")), "{told:?}");
    stage.done(&arm(), deferred, Command::Qualify(Box::new(qualify(Priority::P2))));
    let third = stage.qualified(Priority::P2);
    assert!(stage.done(&arm(), third, Command::LinkRepeat(deferred)).warnings.is_empty());
}

/// A caller whose number nobody knows cannot be rung at an hour.
#[test]
fn nobody_without_a_number_is_given_an_hour() {
    let mut stage = Stage::new();
    let case = stage.called();
    stage.records.case_mut(case).unwrap().sealed.caller = Default::default();
    let reply = stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P3))));
    assert!(reply.warnings.iter().any(|warning| warning.starts_with("P3_LIFTED")), "{:?}", reply.warnings);
    assert!(stage.waits(case, ActionKind::Regulate) && !stage.waits(case, ActionKind::TelephoneAppointment));
}

#[test]
fn a_wrong_qualification_is_told_every_fault_at_once() {
    let mut stage = Stage::new();
    let case = stage.called();
    let mut wrong = qualify(Priority::NotRegulated);
    (wrong.motive, wrong.symptoms) = (Some("Z1".to_owned()), true);
    let Refusal::Fields(faults) = stage.refused(&arm(), case, Command::Qualify(Box::new(wrong))) else { panic!() };
    assert_eq!(faults.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["motive", "priority"]);
}

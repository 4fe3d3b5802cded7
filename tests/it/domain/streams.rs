//! Streams: who answers for whom, what is sent from one to the other, and who is on duty.

use std::collections::BTreeSet;

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{
        Action, ActionKind, Command, End, Refusal, Reply,
        command::{CallEvent, Particulars, Qualify, StartDuty, Timer},
        sealed::Caller,
        state::Channel,
    },
    ids::{CaseId, DutyId},
    regulation::{
        fallback::{Fallback, Stop},
        need::CareType,
        qualification::{Flag, Priority, Stream},
        room::{Affiliation, SurgeReason},
        split::SplitRules,
    },
    territory::Unrostered,
    time::{Instant, Span},
    visits::VisitStatus,
};

use super::stage::{
    SECTOR, SOS, SOS_DOCTOR, Stage, arm, call, doctor, other_regulator, qualify, regulator, someone, supervisor, text,
    upkeep, visit_means,
};

pub(super) fn duty(stream: Stream, from: Instant, hours: i64) -> Command {
    Command::StartDuty(Box::new(StartDuty {
        person: None,
        stream,
        skills: BTreeSet::new(),
        affiliation: Affiliation::Hospital,
        from,
        until: from + Span::from_hours(hours),
        shifts: Vec::new(),
    }))
}

impl Stage {
    pub(super) fn rostered(&mut self, who: &Actor, stream: Stream) -> DutyId {
        let start = duty(stream, self.now, 12);
        self.give(who, None, &start).unwrap().duty.unwrap()
    }

    /// A call that an exchange reports on.
    fn telephoned(&mut self, priority: Priority) -> CaseId {
        let mut open = call(self.now);
        open.opened.channel = Channel::Telephony;
        let case = self.opened(&arm(), open);
        self.records.case_mut(case).unwrap().call = Some("call-1".to_owned());
        self.done(&arm(), case, Command::Qualify(Box::new(qualify(priority))));
        case
    }

    fn sent(&mut self, to: Stream) -> CaseId {
        let (case, claim_no) = self.held_by(&regulator());
        self.done(&regulator(), case, Command::Reorient { claim_no, stream: to, reason: text("douleur thoracique") });
        case
    }

    fn ended(&self, case: CaseId, kind: ActionKind) -> Option<End> {
        let action = self.case(case).actions.iter().rev().find(|action| action.kind == kind)?;
        match action.state {
            sas_dispatch::domain::case::ActionState::Ended { end, .. } => Some(end),
            _ => None,
        }
    }

    fn next(&mut self, who: &Actor, case: CaseId, stream: Stream) -> Result<Reply, Refusal> {
        self.give(who, Some(case), &Command::ClaimNext(stream))
    }

    fn stream(&self, case: CaseId) -> Stream {
        self.case(case).qualification.as_ref().unwrap().stream
    }
}

#[test]
fn a_case_that_was_sent_belongs_to_its_sender_until_the_others_take_it() {
    let mut stage = Stage::new();
    let case = stage.sent(Stream::Amu);
    let owner = |stage: &Stage| format!("{:?}", stage.action(case, ActionKind::Regulate).owner);
    assert!(owner(&stage).contains("Snp") && stage.waits(case, ActionKind::Reorient));
    let refused = stage.next(&other_regulator(), case, Stream::Snp).unwrap_err();
    assert!(matches!(refused, Refusal::State { .. }), "it does not wait before the senders: {refused}");
    stage.next(&other_regulator(), case, Stream::Amu).unwrap();
    assert_eq!((stage.stream(case), stage.ended(case, ActionKind::Reorient)), (Stream::Amu, Some(End::Done)));
    assert!(owner(&stage).contains("Amu"));
    let claim_no = stage.case(case).claim.as_ref().unwrap().no;
    stage.need(&other_regulator(), case, claim_no, CareType::Advice);
    assert!(!stage.waits(case, ActionKind::Regulate), "one decision ends it");
}

/// Found by reading: the sender accepted what he had sent, and the file said that the AMU had.
#[test]
fn whoever_sent_a_case_takes_it_back_and_never_accepts_it_for_the_others() {
    let mut stage = Stage::new();
    stage.rostered(&regulator(), Stream::Snp);
    stage.rostered(&other_regulator(), Stream::Amu);
    let case = stage.sent(Stream::Amu);
    let refused = stage.refused(&regulator(), case, Command::AnswerReorientation { refused: None });
    assert!(refused.to_string().contains("your own stream sent it"), "{refused}");
    stage.claim(&regulator(), case);
    assert_eq!((stage.stream(case), stage.ended(case, ActionKind::Reorient)), (Stream::Snp, Some(End::Replaced)));
    let case = stage.sent(Stream::Amu);
    stage.done(&other_regulator(), case, Command::AnswerReorientation { refused: None });
    assert_eq!((stage.stream(case), stage.ended(case, ActionKind::Reorient)), (Stream::Amu, Some(End::Done)));
}

/// Found by reading: only ClaimNext noted who answered for a stream that had nobody.
#[test]
fn whoever_stands_in_is_noted_however_he_takes_the_case() {
    let mut stage = Stage::new();
    stage.rostered(&regulator(), Stream::Snp);
    let vital = stage.called();
    stage.done(&arm(), vital, Command::Qualify(Box::new(qualify(Priority::P0))));
    let reply = stage.done(&regulator(), vital, Command::AcceptHandOver);
    assert!(reply.warnings.iter().any(|warning| warning.starts_with("FALLBACK")), "{:?}", reply.warnings);
    assert_eq!(stage.case(vital).claim.as_ref().unwrap().fallback, Some(Fallback::EmergencyUnavailable));

    let mut stage = Stage::new();
    let (from, to) = ("00:00".parse().unwrap(), "08:00".parse().unwrap());
    let first = "2024-01-01".parse().unwrap();
    stage.territory.regulation.stops = vec![Stop { stream: Stream::Snp, from, to, first, last: None }];
    let case = stage.qualified(Priority::P2);
    stage.pass(Span::from_hours(16));
    stage.claim(&other_regulator(), case);
    assert_eq!(stage.case(case).claim.as_ref().unwrap().fallback, Some(Fallback::NoLiberal));
}

/// A liberal doctor who asked for the AMU accepted it himself while its regulators were there.
#[test]
fn what_is_handed_over_to_the_amu_is_accepted_by_the_amu_while_it_is_there() {
    let mut stage = Stage::new();
    stage.rostered(&regulator(), Stream::Snp);
    let (case, claim_no) = stage.held_by(&regulator());
    stage.need(&regulator(), case, claim_no, CareType::Amu);
    let psychiatrist = someone("dr-reg-psy", Role::Regulator);
    stage.rostered(&psychiatrist, Stream::Psy);
    let hospital = stage.rostered(&other_regulator(), Stream::Amu);
    for foreign in [regulator(), psychiatrist] {
        let refused = stage.refused(&foreign, case, Command::AcceptHandOver);
        assert!(refused.to_string().contains("dr-reg-bruno"), "{refused}");
        assert!(stage.waits(case, ActionKind::HandOver), "it rings on");
    }
    // Nobody knows whose a doctor is who is on no roster: he is told; not whoever asked for the AMU.
    let unlisted = someone("dr-reg-hors-liste", Role::Regulator);
    let mut other = stage.clone();
    let told = other.done(&unlisted, case, Command::AcceptHandOver).warnings;
    assert!(told.iter().any(|warning| warning.starts_with("NOT_ON_ROSTER")), "{told:?}");
    let (own, claim_no) = stage.held_by(&unlisted);
    stage.need(&unlisted, own, claim_no, CareType::Amu);
    assert!(matches!(stage.refused(&unlisted, own, Command::AcceptHandOver), Refusal::State { .. }));
    // A doctor of the AMU who asked for it himself has it, whoever else is there.
    let mut other = stage.clone();
    let second = someone("dr-reg-samu", Role::Regulator);
    other.rostered(&second, Stream::Amu);
    let (his, claim_no) = other.held_by(&second);
    other.need(&second, his, claim_no, CareType::Amu);
    other.done(&second, his, Command::AcceptHandOver);
    let mut other = stage.clone();
    other.done(&other_regulator(), case, Command::AcceptHandOver);
    assert_eq!(other.case(case).claim.as_ref().unwrap().fallback, None);
    // Suspended rules, or nobody there: whoever asked for it may have it.
    let mut other = stage.clone();
    let until = stage.now + Span::from_hours(2);
    other.give(&supervisor(), None, &Command::StartSurge { reason: SurgeReason::Epidemic, until }).unwrap();
    other.done(&regulator(), case, Command::AcceptHandOver);
    stage.give(&other_regulator(), None, &Command::EndDuty(hospital)).unwrap();
    stage.done(&regulator(), case, Command::AcceptHandOver);
    assert_eq!(stage.case(case).claim.as_ref().unwrap().fallback, Some(Fallback::EmergencyUnavailable));
}

#[test]
fn a_case_sent_back_or_not_answered_is_with_its_sender_again_and_rings() {
    for silent in [false, true] {
        let mut stage = Stage::new();
        let case = stage.sent(Stream::Psy);
        if silent {
            let action: Action = stage.action(case, ActionKind::Reorient);
            stage.pass(Span::from_mins(5));
            stage.done(&upkeep(), case, Command::Fire(Timer::Action(action.id)));
        } else {
            let wordless = Command::AnswerReorientation { refused: Some(text(" ")) };
            assert!(matches!(stage.refused(&other_regulator(), case, wordless), Refusal::Fields(_)));
            let refused = Some(text("relève de la médecine générale"));
            stage.done(&other_regulator(), case, Command::AnswerReorientation { refused });
        }
        let end = if silent { End::Expired } else { End::Refused };
        assert_eq!((stage.stream(case), stage.ended(case, ActionKind::Reorient)), (Stream::Snp, Some(end)));
        let waits = stage.action(case, ActionKind::Regulate);
        assert_eq!(waits.alarmed(), Some(stage.now), "whoever sent it is told");
        assert!(stage.waits(case, ActionKind::ReEvaluate), "and the caller is asked how the patient is");
        stage.next(&regulator(), case, Stream::Snp).unwrap();
    }
}

#[test]
fn a_vital_emergency_is_not_passed_on_and_one_found_on_the_way_goes_to_the_amu() {
    let mut stage = Stage::new();
    let case = stage.sent(Stream::Psy);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P0))));
    assert!(stage.waits(case, ActionKind::HandOver) && !stage.waits(case, ActionKind::Reorient));
    stage.done(&other_regulator(), case, Command::AcceptHandOver);
    let claim_no = stage.case(case).claim.as_ref().unwrap().no;
    let send = Command::Reorient { claim_no, stream: Stream::Snp, reason: text("non vital") };
    assert!(matches!(stage.refused(&other_regulator(), case, send), Refusal::State { .. }));
}

/// Found by the room played by chance: the hour agreed with the caller stood on although no regulator waited any more.
#[test]
fn who_was_deferred_and_is_handed_over_to_the_amu_has_no_appointment_left() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P3);
    assert!(stage.waits(case, ActionKind::TelephoneAppointment));
    let claim_no = stage.claim(&regulator(), case);
    stage.need(&regulator(), case, claim_no, CareType::Amu);
    assert!(stage.waits(case, ActionKind::HandOver));
    assert_eq!(stage.ended(case, ActionKind::TelephoneAppointment), Some(End::Replaced));
}

#[test]
fn a_p1_waits_for_the_others_no_longer_than_its_own_deadline() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P1);
    let claim_no = stage.claim(&regulator(), case);
    stage.done(&regulator(), case, Command::Reorient { claim_no, stream: Stream::Amu, reason: text("avis") });
    assert_eq!(stage.action(case, ActionKind::Reorient).deadline, stage.now + Span::from_secs(60));
}

#[test]
fn a_new_qualification_takes_back_what_was_sent() {
    let mut stage = Stage::new();
    let case = stage.sent(Stream::Amu);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P1))));
    assert_eq!(stage.ended(case, ActionKind::Reorient), Some(End::Replaced));
    stage.next(&regulator(), case, Stream::Snp).unwrap();
}

#[test]
fn a_late_p2_rings_and_the_arm_asks_again_and_may_only_raise_it() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let waits = stage.action(case, ActionKind::Regulate).id;
    stage.pass(Span::from_mins(15));
    stage.done(&upkeep(), case, Command::Fire(Timer::Action(waits)));
    let ask = stage.action(case, ActionKind::ReEvaluate);
    assert_eq!(ask.deadline, stage.now + Span::from_mins(5), "asking has its own deadline");
    assert!(stage.action(case, ActionKind::Regulate).alarmed().is_some());
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P1))));
    assert!(!stage.waits(case, ActionKind::ReEvaluate));
    assert_eq!(stage.case(case).qualification.as_ref().unwrap().priority, Priority::P1);
    stage.pass(Span::from_secs(60));
    let again = stage.action(case, ActionKind::Regulate).id;
    stage.done(&upkeep(), case, Command::Fire(Timer::Action(again)));
    let ask = stage.action(case, ActionKind::ReEvaluate).id;
    stage.pass(Span::from_mins(5));
    stage.done(&upkeep(), case, Command::Fire(Timer::Action(ask)));
    assert!(stage.action(case, ActionKind::ReEvaluate).alarmed().is_some(), "an unasked caller rings too");
}

#[test]
fn in_the_scheduled_stop_the_emergency_doctor_answers_and_signs_under_its_code() {
    let mut stage = Stage::new();
    let (from, to) = ("00:00".parse().unwrap(), "08:00".parse().unwrap());
    let first = "2024-01-01".parse().unwrap();
    stage.territory.regulation.stops = vec![Stop { stream: Stream::Snp, from, to, first, last: None }];
    let case = stage.qualified(Priority::P2);
    let by_day = stage.next(&other_regulator(), case, Stream::Amu).unwrap_err();
    assert!(matches!(by_day, Refusal::State { .. }), "by day it waits for the liberal regulator: {by_day}");
    // 02:00 the next morning.
    stage.pass(Span::from_hours(16));
    let reply = stage.next(&other_regulator(), case, Stream::Amu).unwrap();
    assert!(reply.warnings.iter().any(|warning| warning.contains("DRM.MRL.ABSML")), "{:?}", reply.warnings);
    let decision = stage.need(&other_regulator(), case, reply.claim_no.unwrap(), CareType::Advice);
    let signed = stage.case(case).decision(decision).unwrap().signed.clone();
    assert_eq!((signed.fallback, stage.stream(case)), (Some(Fallback::NoLiberal), Stream::Snp));
}

#[test]
fn who_is_missing_from_a_roster_that_is_kept_is_answered_for() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    assert!(
        stage.next(&other_regulator(), case, Stream::Amu).is_err(),
        "without a roster nobody is known to be missing"
    );
    let hospital = stage.rostered(&other_regulator(), Stream::Amu);
    let reply = stage.next(&other_regulator(), case, Stream::Amu).unwrap();
    assert_eq!(stage.case(case).claim.as_ref().unwrap().fallback, Some(Fallback::LiberalUnavailable));
    stage.done(&other_regulator(), case, Command::Release { claim_no: reply.claim_no.unwrap(), may_wait: None });
    stage.rostered(&regulator(), Stream::Snp);
    assert!(stage.next(&other_regulator(), case, Stream::Amu).is_err(), "the liberal regulator is there");
    stage.give(&other_regulator(), None, &Command::EndDuty(hospital)).unwrap();
    let mut heart = qualify(Priority::P1);
    heart.stream = Stream::Amu;
    let urgent = stage.called();
    stage.done(&arm(), urgent, Command::Qualify(Box::new(heart)));
    stage.next(&regulator(), urgent, Stream::Snp).unwrap();
    assert_eq!(stage.case(urgent).claim.as_ref().unwrap().fallback, Some(Fallback::EmergencyUnavailable));
}

#[test]
fn a_surge_is_the_supervisors_bounded_and_ends_by_itself() {
    let mut stage = Stage::new();
    let until = stage.now + Span::from_hours(2);
    let start = |until| Command::StartSurge { reason: SurgeReason::Epidemic, until };
    assert!(matches!(stage.give(&regulator(), None, &start(until)), Err(Refusal::Role { .. })));
    let endless = start(stage.now + Span::from_hours(13));
    assert!(matches!(stage.give(&supervisor(), None, &endless), Err(Refusal::Fields(_))));
    stage.give(&supervisor(), None, &start(until)).unwrap();
    let case = stage.qualified(Priority::P2);
    let reply = stage.next(&other_regulator(), case, Stream::Amu).unwrap();
    assert_eq!(stage.case(case).claim.as_ref().unwrap().fallback, None, "nobody is missing: the split is suspended");
    stage.done(&other_regulator(), case, Command::Release { claim_no: reply.claim_no.unwrap(), may_wait: None });
    stage.pass(Span::from_hours(2));
    assert!(stage.next(&other_regulator(), case, Stream::Amu).is_err(), "it ended by itself");
    assert!(stage.give(&supervisor(), None, &Command::EndSurge).is_err());
}

/// Found by reading: its AMU-stream case was looked at, and not the liberal doctor who signed that the AMU is needed.
#[test]
fn in_a_surge_what_a_liberal_doctor_finds_to_be_the_amus_is_handed_over() {
    let mut stage = Stage::new();
    stage.rostered(&regulator(), Stream::Snp);
    stage.rostered(&other_regulator(), Stream::Amu);
    let until = stage.now + Span::from_hours(2);
    stage.give(&supervisor(), None, &Command::StartSurge { reason: SurgeReason::Epidemic, until }).unwrap();
    for (who, handed_over) in [(regulator(), true), (other_regulator(), false)] {
        let case = stage.called();
        let heart = Qualify { stream: Stream::Amu, ..qualify(Priority::P1) };
        stage.done(&arm(), case, Command::Qualify(Box::new(heart)));
        let claim_no = stage.claim(&who, case);
        stage.need(&who, case, claim_no, CareType::Amu);
        assert_eq!(stage.waits(case, ActionKind::HandOver), handed_over, "{}", who.person);
        assert_eq!(stage.waits(case, ActionKind::AwaitReport), !handed_over, "{}", who.person);
        let priority = stage.case(case).qualification.as_ref().unwrap().priority;
        assert_eq!(priority == Priority::P0, handed_over, "a vital need is a P0");
    }
}

/// Found by reading: accepting was answered with an internal error.
#[test]
fn the_amu_accepts_what_was_sent_to_others_meanwhile() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::HomeVisit);
    let visitor = super::stage::doctor(SOS_DOCTOR);
    let (offer, shift) = (stage.offered(case, decision, SOS, visit_means()), stage.on_duty(SOS_DOCTOR));
    stage.done(&visitor, case, Command::TakeVisit { offer, shift });
    let visit = stage.case(case).visits[0].id;
    stage.done(&visitor, case, Command::MoveVisit { visit, status: VisitStatus::Finished, happened: None });
    let report = stage.action(case, ActionKind::AwaitReport).id;
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    let claim_no = stage.claim(&regulator(), case);
    let mut heart = super::stage::sign(claim_no, CareType::Amu);
    heart.need.level = sas_dispatch::domain::regulation::need::CareLevel::R2;
    stage.done(&regulator(), case, Command::SignNeed(Box::new(heart)));
    stage.done(&visitor, case, Command::EndAction { action: report, end: End::Undelivered, note: None });
    assert!(stage.waits(case, ActionKind::HandOver) && stage.waits(case, ActionKind::Regulate));
    let claim_no = stage.claim(&regulator(), case);
    stage.done(&regulator(), case, Command::Reorient { claim_no, stream: Stream::Psy, reason: text("avis") });
    stage.done(&other_regulator(), case, Command::AcceptHandOver);
    assert_eq!(stage.ended(case, ActionKind::Reorient), Some(End::Replaced));
    assert!(stage.case(case).claim.is_some() && !stage.waits(case, ActionKind::HandOver));
}

#[test]
fn the_split_lifts_to_the_hospital_and_never_the_other_way() {
    let mut stage = Stage::new();
    let (places, motives) = (vec!["L02".to_owned()], Vec::new());
    stage.territory.regulation.split = SplitRules { places, motives, flags: vec![Flag::CommunicationBarrier] };
    let on_the_road = |stage: &mut Stage| {
        let case = stage.called();
        let mut known: Qualify = qualify(Priority::P2);
        let kind = Some("L02.01.00".to_owned());
        let place = stage.case(case).place.clone();
        known.particulars.place = Some(sas_dispatch::domain::case::state::Whereabouts { kind, ..place });
        (case, stage.done(&arm(), case, Command::Qualify(Box::new(known))))
    };
    let (road, reply) = on_the_road(&mut stage);
    assert_eq!(stage.stream(road), Stream::Amu);
    assert!(reply.warnings[0].contains("place L02"), "the front line is told why: {:?}", reply.warnings);
    let complex = stage.called();
    stage.done(
        &arm(),
        complex,
        Command::Qualify(Box::new(Qualify { flags: vec![Flag::CommunicationBarrier], ..qualify(Priority::P2) })),
    );
    assert_eq!(stage.stream(complex), Stream::Amu);
    let home = stage.called();
    stage.done(&arm(), home, Command::Qualify(Box::new(Qualify { stream: Stream::Amu, ..qualify(Priority::P2) })));
    assert_eq!(stage.stream(home), Stream::Amu, "what the front line gave to the AMU stays there");
    let until = stage.now + Span::from_hours(1);
    stage.give(&supervisor(), None, &Command::StartSurge { reason: SurgeReason::CallLoad, until }).unwrap();
    let (road, reply) = on_the_road(&mut stage);
    assert_eq!(stage.stream(road), Stream::Snp);
    assert!(reply.warnings[0].contains("SPLIT_SUSPENDED"), "{:?}", reply.warnings);
}

#[test]
fn nobody_regulates_and_visits_in_the_same_hours_unless_a_convention_excepts_him() {
    let mut stage = Stage::new();
    let driver = someone(SOS_DOCTOR, Role::Regulator);
    stage.rostered(&driver, Stream::Snp);
    let (start, end) = (stage.now + Span::from_hours(11), stage.now + Span::from_hours(20));
    let (responder, sectors) = (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()]);
    let open = |start, end| Command::OpenShift { responder, sectors, start, end, position: None, doctor: None };
    let shift = open(start, end);
    assert!(matches!(stage.give(&doctor(SOS_DOCTOR), None, &shift), Err(Refusal::State { .. })));
    stage.territory.regulation.independence_exceptions =
        vec![sas_dispatch::domain::regulation::independence::Exception {
            person: SOS_DOCTOR.parse().unwrap(),
            convention: "Convention 2024-03".to_owned(),
            from: stage.now,
            until: stage.now + Span::from_hours(48),
        }];
    stage.give(&doctor(SOS_DOCTOR), None, &shift).unwrap();
    let told = stage.log.last().unwrap();
    assert!(format!("{:?}", told.facts).contains("Convention 2024-03"), "the exception is in the log");
}

#[test]
fn a_duty_is_refused_while_its_doctor_makes_visits() {
    let mut stage = Stage::new();
    let (responder, sectors) = (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()]);
    let (start, end) = (stage.now, stage.now + Span::from_hours(8));
    let open = Command::OpenShift { responder, sectors, start, end, position: None, doctor: None };
    let shift = stage.give(&doctor(SOS_DOCTOR), None, &open).unwrap().shift.unwrap();
    let Command::StartDuty(mut during) = duty(Stream::Snp, stage.now + Span::from_hours(7), 4) else { unreachable!() };
    during.shifts = vec![shift];
    let who = someone(SOS_DOCTOR, Role::Regulator);
    assert!(matches!(stage.give(&who, None, &Command::StartDuty(during.clone())), Err(Refusal::State { .. })));
    stage.give(&doctor(SOS_DOCTOR), None, &Command::EndShift(shift)).unwrap();
    stage.give(&who, None, &Command::StartDuty(during)).unwrap();
}

#[test]
fn who_is_not_on_a_kept_roster_is_told_or_refused_what_is_not_urgent() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    stage.rostered(&regulator(), Stream::Snp);
    let reply = stage.next(&other_regulator(), case, Stream::Snp).unwrap();
    assert!(reply.warnings.iter().any(|warning| warning.starts_with("NOT_ON_ROSTER")));
    stage.territory.regulation.unrostered = Unrostered::Refuse;
    stage.done(&other_regulator(), case, Command::Release { claim_no: reply.claim_no.unwrap(), may_wait: None });
    assert!(matches!(stage.next(&other_regulator(), case, Stream::Snp), Err(Refusal::State { .. })));
    let urgent = stage.qualified(Priority::P1);
    stage.next(&other_regulator(), urgent, Stream::Snp).expect("a P1 is never refused for a roster");
}

#[test]
fn a_suspect_holder_who_is_known_to_be_on_the_telephone_keeps_the_case_longer() {
    let mut stage = Stage::new();
    let case = stage.telephoned(Priority::P2);
    stage.claim(&regulator(), case);
    stage.done(&upkeep(), case, Command::Fire(Timer::Lease));
    stage.pass(Span::from_secs(90));
    assert!(stage.give(&upkeep(), Some(case), &Command::Fire(Timer::Suspect)).is_err(), "the caller is on the line");
    let telephony = someone("pbx", Role::Telephony);
    stage.done(&telephony, case, Command::Call(CallEvent::HungUp.into()));
    stage.done(&upkeep(), case, Command::Fire(Timer::Suspect));
    assert!(stage.case(case).claim.is_none());
}

/// A doctor who was taken for a neighbour until the ARM asked again stood behind the ordinary P2 to the end.
#[test]
fn a_professional_who_is_named_late_has_the_lane_of_one_from_then_on() {
    let mut stage = Stage::new();
    let (case, ordinary) = (stage.qualified(Priority::P2), stage.qualified(Priority::P2));
    let due = |stage: &Stage, case: CaseId| stage.case(case).qualification.as_ref().unwrap().due;
    stage.pass(Span::from_mins(1));
    let named = |kind: &str| {
        let caller = Caller { kind: Some(kind.to_owned()), ..Caller::default() };
        Command::Amend(Box::new(Particulars { caller: Some(caller), ..Particulars::default() }))
    };
    stage.done(&arm(), case, named("FAMILLE"));
    assert_eq!(due(&stage, case), due(&stage, ordinary));
    stage.done(&arm(), case, named("MED"));
    let lane = stage.territory.regulation.professional_p2;
    assert_eq!(due(&stage, case), stage.now + lane);
    assert_eq!(stage.case(case).open_action(ActionKind::Regulate).unwrap().deadline, stage.now + lane);

    let first = due(&stage, case);
    stage.pass(Span::from_mins(1));
    stage.done(&arm(), case, named("MED"));
    assert_eq!(due(&stage, case), first, "naming him again moves nothing");
}

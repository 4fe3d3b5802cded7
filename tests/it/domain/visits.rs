//! Home visits: the national statuses, one visit for one doctor, an absent patient, the report that is awaited.

use sas_dispatch::domain::{
    actor::Role,
    case::{
        ActionKind, Case, Command, End, Fact, OfferState, Refusal,
        command::{OfferAnswer, Particulars, SignAnswer},
        sealed::NoteKind,
        state::Patient,
    },
    ids::{CaseId, OfferId, ShiftId, VisitId},
    regulation::need::{CareType, LongestDelay},
    routing::{Problem, Supply, WhyNot, plan},
    time::Span,
    visits::{ShiftState, VisitStatus},
};

use super::stage::{
    SECTOR, SOS, SOS_DOCTOR, Stage, arm, coordinator, doctor, regulator, sign, someone, text, visit_means,
};

const OTHER: &str = "dr-67-sos-brume";

fn offered(stage: &mut Stage) -> (CaseId, OfferId) {
    let (case, decision) = stage.decided(CareType::HomeVisit);
    (case, stage.offered(case, decision, SOS, visit_means()))
}

struct Taken {
    case: CaseId,
    offer: OfferId,
    visit: VisitId,
    shift: ShiftId,
}

fn taken(stage: &mut Stage) -> Taken {
    let shift = stage.on_duty(SOS_DOCTOR);
    let (case, offer) = offered(stage);
    stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
    Taken { case, offer, visit: stage.case(case).visits[0].id, shift }
}

fn step(visit: VisitId, status: VisitStatus) -> Command {
    Command::MoveVisit { visit, status, happened: None }
}

#[test]
fn a_visit_follows_the_national_statuses_to_its_report() {
    let mut stage = Stage::new();
    let Taken { case, visit, shift, .. } = taken(&mut stage);
    assert!(stage.waits(case, ActionKind::Visit) && !stage.waits(case, ActionKind::AcceptVisit));
    for status in [VisitStatus::EnRoute, VisitStatus::Arrived, VisitStatus::WithPatient, VisitStatus::Finished] {
        let early = Command::ReportVisit { visit, text: text("vu"), counter: None };
        assert!(matches!(stage.refused(&doctor(SOS_DOCTOR), case, early), Refusal::State { .. }));
        stage.pass(Span::from_mins(10));
        stage.done(&doctor(SOS_DOCTOR), case, step(visit, status));
    }
    assert_eq!(stage.records.shifts[&shift].state, ShiftState::Free);
    assert!(stage.waits(case, ActionKind::AwaitReport), "the case waits for the report");
    let wait = stage.action(case, ActionKind::AwaitReport).id;
    let wordless = Command::EndAction { action: wait, end: End::Done, note: None };
    assert!(stage.refused(&doctor(SOS_DOCTOR), case, wordless).to_string().contains("report"));
    stage.done(&doctor(SOS_DOCTOR), case, Command::ReportVisit { visit, text: text("otite, traitée"), counter: None });
    assert!(!stage.waits(case, ActionKind::AwaitReport) && stage.waits(case, ActionKind::ReturnOfInformation));
    assert_eq!(stage.case(case).sealed.notes.last().unwrap().kind, NoteKind::Report);
}

/// A quarter of an hour after both doctors left on visits one is back: three hours of the delay are left, and he takes it.
#[test]
fn a_visit_waits_for_a_doctor_to_come_back_as_long_as_the_delay_allows() {
    let mut stage = Stage::new();
    let first = taken(&mut stage);
    let (case, decision) = stage.decided_within(CareType::HomeVisit, LongestDelay::H4);
    let deadline = stage.case(case).decision(decision).unwrap().deadline();
    let mut plan = stage.plan(Some((SOS, visit_means())));
    plan.rows[0].busy_until = Some(stage.records.shifts[&first.shift].end);
    stage.done(&coordinator(), case, Command::Advance { decision, plan: Box::new(plan) });
    let until = stage.action(case, ActionKind::AcceptVisit).deadline;
    assert_eq!(until, deadline - Span::from_mins(10), "another can still be asked when nobody has come back");
    let offer = stage.case(case).offers.last().unwrap().id;
    stage.pass(Span::from_mins(15));
    let take = Command::TakeVisit { offer, shift: first.shift };
    assert!(matches!(stage.refused(&doctor(SOS_DOCTOR), case, take.clone()), Refusal::State { .. }));
    stage.done(&doctor(SOS_DOCTOR), first.case, step(first.visit, VisitStatus::Finished));
    stage.done(&doctor(SOS_DOCTOR), case, take);
    assert!(stage.waits(case, ActionKind::Visit));
}

#[test]
fn a_visit_waits_no_longer_than_somebody_is_on_duty_nor_less_than_an_offer_lasts() {
    for (on_duty, waited) in [(60, 60), (2, 5)] {
        let mut stage = Stage::new();
        let (case, decision) = stage.decided_within(CareType::HomeVisit, LongestDelay::H4);
        let mut plan = stage.plan(Some((SOS, visit_means())));
        plan.rows[0].busy_until = Some(stage.now + Span::from_mins(on_duty));
        let started = stage.now;
        stage.done(&coordinator(), case, Command::Advance { decision, plan: Box::new(plan) });
        assert_eq!(stage.action(case, ActionKind::AcceptVisit).deadline, started + Span::from_mins(waited));
    }
}

/// Every pair of statuses, against the table written down in the oracle, which sees each accepted step.
#[test]
fn a_visit_never_goes_back_nor_repeats_a_step() {
    let reached = |from: &[VisitStatus], to: VisitStatus| {
        let mut stage = Stage::new();
        let Taken { case, visit, .. } = taken(&mut stage);
        for status in from {
            stage.done(&doctor(SOS_DOCTOR), case, step(visit, *status));
        }
        stage.give(&doctor(SOS_DOCTOR), Some(case), &step(visit, to)).is_ok()
    };
    use VisitStatus::{Arrived, CalledOff, Dispatched, EnRoute, Finished, WithPatient};
    assert!(reached(&[], Finished), "a terminal without network reports late");
    assert!(reached(&[EnRoute], CalledOff) && !reached(&[Arrived], CalledOff) && !reached(&[WithPatient], CalledOff));
    assert!(!reached(&[EnRoute], EnRoute) && !reached(&[Arrived], EnRoute) && !reached(&[Arrived], Dispatched));
    assert!(!reached(&[Finished], Arrived) && !reached(&[CalledOff], EnRoute));
}

/// A terminal was told that ARRIVEE cannot become ANNULE, and not what to do for a patient who is away.
#[test]
fn a_step_that_is_not_to_be_had_is_refused_with_the_way_that_is() {
    use VisitStatus::{Arrived, CalledOff, EnRoute, Finished, WithPatient};
    for (reached, wanted, told) in [
        (Arrived, CalledOff, "the doctor is there: end the visit's action as ABSENT"),
        (WithPatient, CalledOff, "report FINPEC when it ends"),
        (Arrived, EnRoute, "report a later status"),
        (Finished, Arrived, "it has ended"),
    ] {
        let mut stage = Stage::new();
        let Taken { case, visit, .. } = taken(&mut stage);
        stage.done(&doctor(SOS_DOCTOR), case, step(visit, reached));
        let refused = stage.refused(&doctor(SOS_DOCTOR), case, step(visit, wanted)).to_string();
        assert!(refused.contains(told), "{refused}");
    }
}

#[test]
fn a_step_happened_between_the_last_one_and_now() {
    let mut stage = Stage::new();
    let Taken { case, visit, .. } = taken(&mut stage);
    stage.pass(Span::from_mins(10));
    for happened in [stage.now + Span::from_secs(1), stage.now - Span::from_mins(11)] {
        let wrong = Command::MoveVisit { visit, status: VisitStatus::EnRoute, happened: Some(happened) };
        assert!(matches!(stage.refused(&doctor(SOS_DOCTOR), case, wrong), Refusal::Fields(_)));
    }
    let happened = Some(stage.now - Span::from_mins(5));
    stage.done(&doctor(SOS_DOCTOR), case, Command::MoveVisit { visit, status: VisitStatus::EnRoute, happened });
}

#[test]
fn a_doctor_makes_one_visit_at_a_time() {
    let mut stage = Stage::new();
    let first = taken(&mut stage);
    let (case, offer) = offered(&mut stage);
    let second = Command::TakeVisit { offer, shift: first.shift };
    assert!(stage.refused(&doctor(SOS_DOCTOR), case, second).to_string().contains("still on a visit"));
    let off_duty = stage.give(&doctor(SOS_DOCTOR), None, &Command::EndShift(first.shift)).unwrap_err();
    assert!(off_duty.to_string().contains("under way"));
    stage.done(&doctor(SOS_DOCTOR), first.case, step(first.visit, VisitStatus::Finished));
    stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift: first.shift });
}

#[test]
fn one_visit_is_taken_by_one_doctor() {
    let mut stage = Stage::new();
    let first = taken(&mut stage);
    let other = "dr-67-sos-brume";
    let shift = stage.on_duty(other);
    let again = Command::TakeVisit { offer: first.offer, shift };
    assert!(matches!(stage.refused(&doctor(other), first.case, again), Refusal::State { .. }));
    let not_his = stage.refused(&doctor(other), first.case, step(first.visit, VisitStatus::EnRoute));
    assert!(matches!(not_his, Refusal::Role { .. }));
}

#[test]
fn an_absent_patient_comes_to_a_doctor_and_the_visiting_one_is_free() {
    for arrived in [false, true] {
        let mut stage = Stage::new();
        let Taken { case, visit, shift, offer } = taken(&mut stage);
        if arrived {
            stage.done(&doctor(SOS_DOCTOR), case, step(visit, VisitStatus::Arrived));
        }
        let action = stage.action(case, ActionKind::Visit).id;
        stage.done(&doctor(SOS_DOCTOR), case, Command::EndAction { action, end: End::Absent, note: None });
        assert!(stage.waits(case, ActionKind::Regulate), "a doctor decides what it means");
        assert_eq!(stage.records.shifts[&shift].state, ShiftState::Free);
        // Found by reading: a visit was called off although its doctor had arrived.
        let expected = if arrived { VisitStatus::Finished } else { VisitStatus::CalledOff };
        assert_eq!(stage.case(case).visit(visit).unwrap().status, expected);
        assert!(matches!(stage.case(case).offer(offer).unwrap().state, OfferState::Closed { .. }));
    }
}

/// Found by reading: the doctor stayed on a visit that nobody followed any more.
#[test]
fn a_visit_is_not_done_by_saying_so() {
    let mut stage = Stage::new();
    let Taken { case, .. } = taken(&mut stage);
    let action = stage.action(case, ActionKind::Visit).id;
    let done = Command::EndAction { action, end: End::Done, note: None };
    assert!(stage.refused(&doctor(SOS_DOCTOR), case, done).to_string().contains("FINPEC"));
}

#[test]
fn a_visit_is_called_off_until_the_doctor_is_there() {
    let mut stage = Stage::new();
    let Taken { case, visit, shift, offer } = taken(&mut stage);
    let cancel = || Command::Cancel { offer, reason: text("le patient va mieux") };
    stage.done(&doctor(SOS_DOCTOR), case, step(visit, VisitStatus::Arrived));
    assert!(stage.refused(&coordinator(), case, cancel()).to_string().contains("the doctor is there"));
    let other = "dr-67-sos-brume";
    let second = stage.on_duty(other);
    let (case, offer) = offered(&mut stage);
    stage.done(&doctor(other), case, Command::TakeVisit { offer, shift: second });
    stage.done(&coordinator(), case, Command::Cancel { offer, reason: text("le patient va mieux") });
    assert_eq!(stage.case(case).visits[0].status, VisitStatus::CalledOff);
    assert_eq!(stage.records.shifts[&second].state, ShiftState::Free);
    assert!(matches!(stage.records.shifts[&shift].state, ShiftState::OnVisit { .. }), "the other doctor goes on");
    assert!(stage.waits(case, ActionKind::Route));
}

#[test]
fn nobody_taking_a_visit_in_time_leads_to_the_next_option() {
    let mut stage = Stage::new();
    let (case, _) = offered(&mut stage);
    stage.late(case, ActionKind::AcceptVisit);
    assert!(stage.waits(case, ActionKind::Route));
    assert_eq!(stage.case(case).visits[0].status, VisitStatus::CalledOff);
}

/// Found by reading: a second report, days later, opened a closed file again.
#[test]
fn a_second_report_adds_its_words_and_nothing_else() {
    let mut stage = Stage::new();
    let Taken { case, visit, .. } = taken(&mut stage);
    stage.done(&doctor(SOS_DOCTOR), case, step(visit, VisitStatus::Finished));
    stage.done(&doctor(SOS_DOCTOR), case, Command::ReportVisit { visit, text: text("otite"), counter: None });
    let told = stage.action(case, ActionKind::ReturnOfInformation).id;
    stage.done(&doctor(SOS_DOCTOR), case, Command::EndAction { action: told, end: End::Done, note: None });
    assert!(stage.case(case).idle_since.is_some());
    stage.pass(Span::from_hours(48));
    stage.done(&doctor(SOS_DOCTOR), case, Command::ReportVisit { visit, text: text("allergie notée"), counter: None });
    assert!(stage.case(case).idle_since.is_some(), "the closed file stays closed");
}

#[test]
fn a_late_visit_alarms_and_goes_on() {
    let mut stage = Stage::new();
    let Taken { case, visit, .. } = taken(&mut stage);
    stage.late(case, ActionKind::Visit);
    assert!(stage.action(case, ActionKind::Visit).alarmed().is_some());
    stage.done(&doctor(SOS_DOCTOR), case, step(visit, VisitStatus::WithPatient));
    assert!(!stage.waits(case, ActionKind::Regulate));
    assert!(matches!(stage.refused(&regulator(), case, Command::Claim), Refusal::State { .. }));
}

/// Found by reading: a doctor who accepted and never left raised the first alarm two hours after the delay had passed.
#[test]
fn a_doctor_who_does_not_leave_alarms_when_the_signed_delay_is_over() {
    let mut stage = Stage::new();
    let Taken { case, .. } = taken(&mut stage);
    let due = stage.case(case).visits[0].due;
    stage.late(case, ActionKind::Visit);
    assert_eq!(stage.action(case, ActionKind::Visit).alarmed(), Some(due));
    // Offered so late that the delay is over: he has as long as he had to answer.
    let (case, offer) = offered(&mut stage);
    let other = stage.on_duty(OTHER);
    stage.now = stage.action(case, ActionKind::AcceptVisit).deadline;
    let started = stage.now.max(stage.case(case).visits[0].due - Span::from_mins(1));
    stage.now = started;
    stage.done(&doctor(OTHER), case, Command::TakeVisit { offer, shift: other });
    let least = stage.territory.regulation.deadlines.visit_offer;
    assert_eq!(stage.action(case, ActionKind::Visit).deadline, started + least);
}

#[test]
fn a_doctor_who_is_there_in_time_alarms_only_when_the_visit_should_have_ended() {
    for there in [VisitStatus::Arrived, VisitStatus::WithPatient] {
        let mut stage = Stage::new();
        let Taken { case, visit, .. } = taken(&mut stage);
        let (due, lasts) = (stage.case(case).visits[0].due, stage.territory.regulation.deadlines.visit);
        stage.done(&doctor(SOS_DOCTOR), case, step(visit, VisitStatus::EnRoute));
        assert_eq!(stage.action(case, ActionKind::Visit).deadline, due, "on the way is not there");
        stage.now = due - Span::from_mins(1);
        stage.done(&doctor(SOS_DOCTOR), case, step(visit, there));
        stage.late(case, ActionKind::Visit);
        assert_eq!(stage.action(case, ActionKind::Visit).alarmed(), Some(due - Span::from_mins(1) + lasts));
    }
}

/// When a visit is SOS Médecins' before it is the own GP's.
fn on_sunday_night() -> Stage {
    let mut stage = Stage::new();
    stage.pass(Span::from_hours(84));
    stage
}

/// The next plan by the planner itself, from the shifts as they are; whom it puts the visit to.
fn planned(stage: &mut Stage, case: CaseId) -> Option<OfferId> {
    let decision = stage.case(case).decisions[0].clone();
    let mut supply = Supply::default();
    stage.records.shifts.values().for_each(|shift| supply.add_shift(shift, stage.now));
    supply.hear(&stage.directory);
    let ground = (&stage.territory, &stage.directory);
    let plan = plan(&Problem::of_case(stage.now, ground, stage.case(case), &decision, &supply).unwrap());
    let visit = plan.first().filter(|row| row.responder.as_ref().is_some_and(|who| who.as_str() == SOS)).is_some();
    let advance = Command::Advance { decision: decision.id, plan: Box::new(plan) };
    stage.done(&coordinator(), case, advance).offer.filter(|_| visit)
}

fn out(case: &Case, offer: OfferId) -> Option<&str> {
    let state = &case.offer(offer).unwrap().state;
    assert!(matches!(state, OfferState::Closed { .. }), "{state:?}");
    case.offer(offer).unwrap().refused_by().map(|doctor| doctor.as_str())
}

/// Found by reading: a breakdown on the way ruled all twelve doctors of the association out.
#[test]
fn a_visit_called_off_goes_to_another_doctor_of_the_structure() {
    let mut stage = on_sunday_night();
    let first = taken(&mut stage);
    let case = first.case;
    let second = stage.on_duty(OTHER);
    stage.done(&doctor(SOS_DOCTOR), case, step(first.visit, VisitStatus::EnRoute));
    stage.done(&doctor(SOS_DOCTOR), case, step(first.visit, VisitStatus::CalledOff));
    assert!(stage.waits(case, ActionKind::Route) && !stage.waits(case, ActionKind::Visit));
    assert_eq!(out(stage.case(case), first.offer), Some(SOS_DOCTOR));
    assert_eq!(stage.records.shifts[&first.shift].state, ShiftState::Free);
    let offer = planned(&mut stage, case).expect("his colleague is on duty");
    let again = Command::TakeVisit { offer, shift: first.shift };
    assert!(stage.refused(&doctor(SOS_DOCTOR), case, again).to_string().contains("another doctor takes it"));
    stage.done(&doctor(OTHER), case, Command::TakeVisit { offer, shift: second });
}

/// Found by reading: one doctor who declined spoke for the association.
#[test]
fn a_doctor_declines_for_himself_and_a_dispatcher_for_the_structure() {
    let mut stage = on_sunday_night();
    let (own, other) = (stage.on_duty(SOS_DOCTOR), stage.on_duty(OTHER));
    let (case, offer) = offered(&mut stage);
    let no = |offer| Command::AnswerOffer { offer, answer: OfferAnswer::Declined };
    stage.done(&doctor(SOS_DOCTOR), case, no(offer));
    assert_eq!(out(stage.case(case), offer), Some(SOS_DOCTOR));
    let offer = planned(&mut stage, case).expect("a colleague is on duty");
    let twice = stage.refused(&doctor(SOS_DOCTOR), case, no(offer));
    assert!(twice.to_string().contains("your colleagues'"), "his no is not said twice over their heads: {twice}");
    assert!(matches!(
        stage.refused(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift: own }),
        Refusal::State { .. }
    ));
    let desk = someone("repartition", Role::Dispatcher);
    let mut all = stage.clone();
    all.done(&desk, case, no(offer));
    assert_eq!(out(all.case(case), offer), None);
    assert_eq!(planned(&mut all, case), None, "the desk said no for everybody");
    let mut both = stage.clone();
    both.done(&doctor(OTHER), case, no(offer));
    assert_eq!(planned(&mut both, case), None, "all who are on duty have said no");
    stage.done(&doctor(OTHER), case, Command::TakeVisit { offer, shift: other });
}

/// As an older binary wrote it: the no of that time was the structure's, and stays so.
#[test]
fn a_no_of_an_older_binary_is_the_structures() {
    let old = r#"{"state":"CLOSED","at":1734598800000,"why":"DECLINED"}"#;
    let state: OfferState = serde_json::from_str(old).unwrap();
    assert!(matches!(state, OfferState::Closed { doctor: None, .. }));
    assert_eq!(serde_json::to_string(&state).unwrap(), old);
    let id = uuid::Uuid::nil();
    let old = format!(r#"{{"OFFER_CLOSED":{{"offer":"{id}","why":"DECLINED"}}}}"#);
    let fact: Fact = serde_json::from_str(&old).unwrap();
    assert_eq!(fact, Fact::OfferClosed { offer: OfferId(id), why: WhyNot::Declined, doctor: None });
    assert_eq!(serde_json::to_string(&fact).unwrap(), old);
}

/// Found by reading: nobody told the own GP of a report that came after it had been given up.
#[test]
fn a_report_that_comes_late_is_told_to_the_own_gp() {
    let mut stage = Stage::new();
    let Taken { case, visit, .. } = taken(&mut stage);
    stage.done(&doctor(SOS_DOCTOR), case, step(visit, VisitStatus::Finished));
    let action = stage.action(case, ActionKind::AwaitReport).id;
    stage.done(&coordinator(), case, Command::EndAction { action, end: End::Unreachable, note: None });
    let report = |words| Command::ReportVisit { visit, text: text(words), counter: None };
    stage.done(&doctor(SOS_DOCTOR), case, report("otite"));
    let told = stage.action(case, ActionKind::ReturnOfInformation).id;
    stage.done(&doctor(SOS_DOCTOR), case, Command::EndAction { action: told, end: End::Done, note: None });
    stage.done(&doctor(SOS_DOCTOR), case, report("allergie notée"));
    assert!(!stage.waits(case, ActionKind::ReturnOfInformation), "he is told once");
}

/// Found by reading: with two shifts in the same hours one doctor was sent on two visits.
#[test]
fn a_doctor_has_one_shift_at_a_time_and_is_on_one_visit() {
    let mut stage = Stage::new();
    taken(&mut stage);
    let open = |start, end| {
        let (responder, sectors) = (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()]);
        Command::OpenShift { responder, sectors, start, end, position: None, doctor: None }
    };
    let both = open(stage.now + Span::from_hours(7), stage.now + Span::from_hours(12));
    assert!(matches!(stage.give(&doctor(SOS_DOCTOR), None, &both), Err(Refusal::State { .. })));
    let after = open(stage.now + Span::from_hours(8), stage.now + Span::from_hours(12));
    stage.give(&doctor(SOS_DOCTOR), None, &after).unwrap();
}

/// As an older binary left it.
#[test]
fn who_has_two_shifts_all_the_same_takes_no_second_visit() {
    let mut stage = Stage::new();
    let Taken { shift, .. } = taken(&mut stage);
    let mut twin = stage.records.shifts[&shift].clone();
    (twin.id, twin.state) = (ShiftId(uuid::Uuid::from_u128(7)), ShiftState::Free);
    let id = twin.id;
    stage.records.shifts.insert(id, twin);
    let (case, offer) = offered(&mut stage);
    let refusal = stage.refused(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift: id });
    assert!(refusal.to_string().contains("another shift"), "{refusal}");
}

/// A couple is ill: the doctor who drives to one of them was refused the visit of the other.
#[test]
fn who_drives_to_one_patient_of_a_case_takes_the_other_at_the_same_address() {
    let mut stage = Stage::new();
    let (case, claim_no) = stage.held_by(&regulator());
    let more = Patient { number: 2, identity_unknown: true, ..Patient::default() };
    let patients = vec![(more, Default::default())];
    let joined = Particulars { patients, ..Particulars::default() };
    stage.done(&arm(), case, Command::Amend(Box::new(joined)));
    let shift = stage.on_duty(SOS_DOCTOR);
    let mut put = Vec::new();
    for patient in [1, 2] {
        let mut need = sign(claim_no, CareType::HomeVisit);
        (need.need.patient, need.keep) = (patient, true);
        let decision = stage.done(&regulator(), case, Command::SignNeed(Box::new(need))).decision.unwrap();
        let (care, supply, note, keep) = (CareType::HomeVisit, None, None, patient == 1);
        let answer = SignAnswer { claim_no, decision, care, supply, note, keep, beside: Default::default() };
        stage.done(&regulator(), case, Command::SignAnswer(Box::new(answer)));
        put.push(stage.offered(case, decision, SOS, visit_means()));
    }
    for offer in put {
        stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
    }
    let visits: Vec<VisitId> = stage.case(case).visits.iter().map(|visit| visit.id).collect();
    let (other, offer) = offered(&mut stage);
    let elsewhere = Command::TakeVisit { offer, shift };
    assert!(matches!(stage.refused(&doctor(SOS_DOCTOR), other, elsewhere.clone()), Refusal::State { .. }));
    stage.done(&doctor(SOS_DOCTOR), case, step(visits[1], VisitStatus::Finished));
    let still = ShiftState::OnVisit { case, visit: visits[0] };
    assert_eq!(stage.records.shifts[&shift].state, still, "the first patient is still to be seen");
    stage.done(&doctor(SOS_DOCTOR), case, step(visits[0], VisitStatus::Finished));
    assert_eq!(stage.records.shifts[&shift].state, ShiftState::Free);
    stage.done(&doctor(SOS_DOCTOR), other, elsewhere);
}

/// A colleague at home said no, and the offer that the doctor on duty was about to take was gone.
#[test]
fn the_no_of_a_doctor_who_is_not_on_duty_leaves_the_offer_to_those_who_are() {
    let mut stage = Stage::new();
    let shift = stage.on_duty(SOS_DOCTOR);
    let (case, offer) = offered(&mut stage);
    let no = Command::AnswerOffer { offer, answer: OfferAnswer::Declined };
    let refused = stage.refused(&doctor(OTHER), case, no.clone());
    assert!(refused.to_string().contains("a colleague is"), "{refused}");
    stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
    let (case, offer) = offered(&mut stage);
    stage.now = stage.records.shifts[&shift].end;
    let no = Command::AnswerOffer { offer, answer: OfferAnswer::Declined };
    stage.done(&doctor(OTHER), case, no);
    assert_eq!(out(stage.case(case), offer), Some(OTHER), "nobody is on duty: it is his to say");
}

/// At the change of shifts the visit in hand hangs on the old one: the plan took the doctor of the new one to be free.
#[test]
fn a_doctor_still_on_a_visit_of_a_shift_that_ran_out_counts_as_driving() {
    let mut stage = on_sunday_night();
    let first = taken(&mut stage);
    stage.now = stage.records.shifts[&first.shift].end - Span::from_mins(10);
    let (start, end) = (stage.records.shifts[&first.shift].end, stage.now + Span::from_hours(8));
    let (responder, sectors) = (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()]);
    let open = Command::OpenShift { responder, sectors, start, end, position: None, doctor: None };
    stage.give(&doctor(SOS_DOCTOR), None, &open).unwrap();
    stage.now = start;
    let (case, _) = stage.decided(CareType::HomeVisit);
    let offer = planned(&mut stage, case).expect("he is waited for");
    let waited = stage.case(case).offer(offer).unwrap().until;
    assert!(waited > stage.now + Span::from_hours(3), "as for one who is on a visit: {waited}");
}

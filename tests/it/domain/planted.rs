//! Proof that the checks see: each rule is broken on purpose in a record, and named by its number.

use sas_dispatch::domain::{
    actor::Role,
    case::{
        Action, ActionKind, ActionState, Case, Command, OfferState, Owner, Records,
        action::About,
        command::Qualify,
        invariants,
        patient::{Consent, Patient, Recipient, Wish},
        status::{Status, status},
        transfer::{Answered, TransferEnd},
    },
    ids::{ActionId, CaseId, ShiftId, SlotId},
    regulation::{
        need::CareType,
        qualification::{Attribution, Flag, Priority, Stream},
    },
    slots::SlotState,
    time::Span,
    visits::{ShiftState, VisitStatus},
};
use uuid::Uuid;

use super::{
    stage::{SAS, SAS_DOCTOR, SOS, SOS_DOCTOR, Stage, arm, doctor, qualify, regulator, sign, visit_means},
    transfers::border::{Border, receiver},
};

/// A room in which much has happened: a waiting, a held, a booked, a visited, a finished and a dismissed case.
struct Room {
    stage: Stage,
    waiting: CaseId,
    held: CaseId,
    booked: CaseId,
    visited: CaseId,
    finished: CaseId,
    dismissed: CaseId,
    slot: SlotId,
}

fn room() -> Room {
    let mut stage = Stage::new();
    let waiting = stage.qualified(Priority::P1);
    let (finished, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), finished, claim, CareType::Advice);
    let (booked, decision) = stage.decided(CareType::Consultation);
    let (slot, means) = stage.slot(Span::from_hours(1));
    let offer = stage.offered(booked, decision, SAS, means);
    stage.accepted(&doctor(SAS_DOCTOR), booked, offer);
    let (visited, decision) = stage.decided(CareType::HomeVisit);
    let offer = stage.offered(visited, decision, SOS, visit_means());
    let shift = stage.on_duty(SOS_DOCTOR);
    stage.done(&doctor(SOS_DOCTOR), visited, Command::TakeVisit { offer, shift });
    let dismissed = stage.called();
    stage.done(&arm(), dismissed, Command::Dismiss { attribution: Attribution::WrongNumber, possible_repeat: false });
    let (held, _) = stage.held_by(&regulator());
    Room { stage, waiting, held, booked, visited, finished, dismissed, slot }
}

/// Spoils one case and tells which rules the state and the step to it break.
fn spoil(case: impl Fn(&Room) -> CaseId, spoil: impl Fn(&mut Case)) -> Vec<String> {
    let room = room();
    let id = case(&room);
    let old = room.stage.case(id).clone();
    let mut records = room.stage.records.clone();
    assert_eq!(invariants::violations(&records), []);
    spoil(records.case_mut(id).unwrap());
    let mut found: Vec<String> = invariants::violations(&records).iter().map(ToString::to_string).collect();
    found.extend(invariants::broken_history(&old, &records.cases[&id]).iter().map(ToString::to_string));
    found
}

fn spoil_records(spoil: impl Fn(&Room, &mut Records)) -> Vec<String> {
    let room = room();
    let mut records = room.stage.records.clone();
    spoil(&room, &mut records);
    invariants::violations(&records).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn names(found: &[String], rule: &str) {
    assert!(found.iter().any(|line| line.contains(rule)), "expected '{rule}' among {found:#?}");
}

fn end(case: &mut Case, kind: ActionKind) {
    let at = case.entered;
    for action in case.actions.iter_mut().filter(|action| action.kind == kind && action.open()) {
        action.state = ActionState::Ended { at, end: sas_dispatch::domain::case::End::Done };
    }
    let idle = case.open_actions().next().is_none();
    case.idle_since = idle.then_some(at);
}

fn regulate(case: &mut Case) -> &mut Action {
    case.actions.iter_mut().find(|action| action.kind == ActionKind::Regulate && action.open()).unwrap()
}

#[test]
fn rule_2_an_open_case_with_nothing_to_be_done() {
    let found = spoil(|room| room.waiting, |case| end(case, ActionKind::Regulate));
    names(&found, "rule 2: an unfinished case has no open action");
    names(&found, "rule 5: a regulation ended without a doctor's answer");
    let found = spoil(|room| room.waiting, |case| case.idle_since = Some(case.entered));
    names(&found, "rule 2: the instant since when");
    let found = spoil(|room| room.finished, |case| case.decisions[0].answer = None);
    names(&found, "rule 2: a need waits for its answer");
    names(&found, "rule 13: a signed need or answer was overwritten");
    assert_eq!(status(&spoiled_finished(), room().stage.now), Status::Achieved);
}

fn spoiled_finished() -> Case {
    let room = room();
    let mut case = room.stage.case(room.finished).clone();
    case.decisions[0].answer = None;
    case
}

#[test]
fn rule_2_an_action_without_owner_deadline_or_past() {
    let found = spoil(
        |room| room.waiting,
        |case| {
            regulate(case).owner = Owner::Desk(Role::Regulator, Some(Stream::Psy));
        },
    );
    names(&found, "rule 2: the regulators who own the action");
    let found = spoil(
        |room| room.waiting,
        |case| {
            regulate(case).state = ActionState::Open { alarmed: Some(case.entered) };
        },
    );
    names(&found, "rule 2: an alarm was raised before its deadline");
    names(&found, "rule 8: a late regulation has no re-evaluation call");
    let found = spoil(
        |room| room.waiting,
        |case| {
            let mut again = regulate(case).clone();
            again.id = ActionId(Uuid::from_u128(9));
            case.actions.push(again);
        },
    );
    names(&found, "rule 2: the same thing is to be done twice");
    names(&spoil(|room| room.waiting, |case| case.actions.clear()), "rule 2: an action disappeared");
    let found = spoil(
        |room| room.finished,
        |case| {
            case.actions[0].state = ActionState::Open { alarmed: None };
        },
    );
    names(&found, "rule 2: an action that had ended was changed");
    let found = spoil(
        |room| room.booked,
        |case| {
            let at = case.entered;
            let known = case.actions.iter_mut().find(|action| action.kind == ActionKind::Appointment).unwrap();
            known.state = ActionState::Ended { at, end: sas_dispatch::domain::case::End::NoShow };
        },
    );
    names(&found, "rule 2: a bad end opened nothing");
}

#[test]
fn rule_2_an_offer_or_a_visit_that_nobody_follows() {
    let found = spoil(|room| room.booked, |case| case.offers[0].state = OfferState::Open);
    names(&found, "rule 2: an open offer has nobody who waits");
    names(&found, "rule 4: booked without an accepted offer");
    names(&spoil(|room| room.visited, |case| end(case, ActionKind::Visit)), "rule 2: nobody follows a visit");
}

#[test]
fn rule_3_two_hands_on_one_case() {
    let found = spoil(|room| room.held, |case| case.claim.as_mut().unwrap().by = "dr-reg-bruno".parse().unwrap());
    names(&found, "rule 3: the holder is not among the regulators");
    names(&found, "rule 3: two regulators hold one case under one number");
    let found = spoil(|room| room.held, |case| (case.last_claim, case.claim.as_mut().unwrap().no) = (0, 0));
    names(&found, "rule 3: a fencing number went back");
    names(&found, "rule 3: a later holder has an earlier number");
    names(&spoil(|room| room.held, |case| case.last_claim = 9), "rule 3: the holder's number is not the last");
    let found = spoil(|room| room.held, |case| end(case, ActionKind::Regulate));
    names(&found, "rule 3: a case is held in which nothing is to be regulated");
    let room = room();
    let signed = room.stage.case(room.finished).decisions[0].clone();
    let found = spoil(|room| room.waiting, |case| case.decisions.push(signed.clone()));
    names(&found, "rule 3: somebody signed who did not hold the case");
    let claim = room.stage.case(room.held).claim.clone();
    let found = spoil(|room| room.waiting, |case| case.claim = claim.clone());
    names(&found, "rule 3: a number was given out twice");
}

#[test]
fn rule_4_a_slot_for_two() {
    let found = spoil_records(|room, records| {
        let offer = records.cases[&room.booked].offers[0].clone();
        records.case_mut(room.waiting).unwrap().offers.push(offer);
    });
    names(&found, "rule 4: accepted by two cases");
    let free = |room: &Room, records: &mut Records| {
        records.slots.get_mut(&room.slot).unwrap().state = SlotState::Free;
    };
    names(&spoil_records(free), "rule 4: an accepted slot is not booked for it");
    let blocked = |room: &Room, records: &mut Records| {
        let (case, offer) = (room.booked, records.cases[&room.booked].offers[0].id);
        let until = room.stage.now + Span::from_hours(1);
        records.slots.get_mut(&room.slot).unwrap().state = SlotState::Held { case, offer, until };
    };
    names(&spoil_records(blocked), "rule 4: held for an offer that is over");
    let twice = |room: &Room, records: &mut Records| {
        let case = records.case_mut(room.booked).unwrap();
        case.offers[0].state = OfferState::Open;
        case.offers.push(case.offers[0].clone());
    };
    names(&spoil_records(twice), "rule 4: two offers of one decision are open");
}

#[test]
fn rule_4_a_doctor_on_two_visits() {
    let free = |_: &Room, records: &mut Records| {
        records.shifts.values_mut().for_each(|shift| shift.state = ShiftState::Free);
    };
    names(&spoil_records(free), "rule 4: the doctor of a visit under way is not on it");
    let over = |room: &Room, records: &mut Records| {
        let case = records.case_mut(room.visited).unwrap();
        case.visits[0].status = VisitStatus::Finished;
    };
    names(&spoil_records(over), "rule 4: on a visit that is over");
    let twice = |_: &Room, records: &mut Records| {
        let mut twin = records.shifts.values().next().unwrap().clone();
        twin.id = ShiftId(Uuid::from_u128(9));
        records.shifts.insert(twin.id, twin);
    };
    names(&spoil_records(twice), "rule 4: its doctor is on another visit too");
}

#[test]
fn rule_5_a_medical_request_without_a_doctor() {
    let undecided = |case: &mut Case| {
        case.decisions.clear();
        case.qualification.as_mut().unwrap().flags = vec![Flag::RedFlag];
    };
    let found = spoil(|room| room.finished, undecided);
    names(&found, "rule 5: ended without a doctor's decision");
    names(&found, "rule 5: a doctor was compulsory and none decided");
    let by_protocol = |case: &mut Case| {
        case.decisions[0].protocol = Some("certificat".to_owned());
        case.qualification.as_mut().unwrap().priority = Priority::P1;
    };
    names(&spoil(|room| room.finished, by_protocol), "rule 5: a doctor was compulsory and none decided");
    let infant = |case: &mut Case| case.patients[0].infant = true;
    names(&spoil(|room| room.dismissed, infant), "rule 5: the ARM ended the file of an infant");
    let room = room();
    let known = room.stage.case(room.waiting).qualification.clone();
    let heard = |case: &mut Case| case.qualification.clone_from(&known);
    names(&spoil(|room| room.dismissed, heard), "rule 5: the ARM ended a file with symptoms");
    let decision = room.stage.case(room.finished).decisions[0].clone();
    let decided = |case: &mut Case| case.decisions.push(decision.clone());
    names(&spoil(|room| room.dismissed, decided), "rule 5: the ARM ended a file that was decided");
    let forgets = |case: &mut Case| case.qualification.as_mut().unwrap().symptoms = false;
    names(&spoil(|room| room.waiting, forgets), "rule 5: a symptom that was heard was taken back");
    let sent = |case: &mut Case| {
        let mut decision = decision.clone();
        decision.protocol = Some("certificat".to_owned());
        case.decisions.push(decision);
    };
    names(&spoil(|room| room.waiting, sent), "rule 5: a protocol stood in where a doctor is compulsory");
}

#[test]
fn rule_5_a_patient_for_whom_nobody_decided() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    let held = stage.case(case).clone();
    stage.need(&regulator(), case, claim, CareType::Advice);
    let decided = stage.case(case).clone();
    let second = |case: &mut Case| {
        let more = Patient { number: 2, ..case.patients[0].clone() };
        *case = decided.clone();
        case.patients.push(more);
    };
    let found = spoil_of(&held, second);
    names(&found, "rule 5: a regulation ended and nobody had decided for one of the patients");
    names(&found, "rule 5: ended with a patient for whom nobody decided");
    assert_eq!(spoil_of(&held, |case| *case = decided.clone()), [""; 0]);
}

/// A protocol does not send on what a doctor has seen and given back.
#[test]
fn rule_5_a_protocol_after_a_doctor() {
    let mut stage = Stage::new();
    let case = stage.called();
    let certificate = Qualify {
        motive: Some("M06.02".to_owned()),
        protocol: Some("certificat-ou-ordonnance".to_owned()),
        symptoms: false,
        ..qualify(Priority::P3)
    };
    stage.done(&arm(), case, Command::Qualify(Box::new(certificate)));
    let sent = stage.case(case).clone();
    let (mut before, mut after) = (sent.clone(), sent);
    before.decisions.clear();
    for seen in [false, true] {
        let doctor = seen.then(|| regulator().person);
        (before.regulators, after.regulators) = (doctor.clone().into_iter().collect(), doctor.into_iter().collect());
        let found = invariants::broken_history(&before, &after);
        let named = found.iter().any(|found| found.to_string().contains("rule 5: a protocol stood in"));
        assert_eq!(named, seen, "{found:?}");
    }
}

#[test]
fn rule_6_the_regulator_is_the_responder() {
    let both = |case: &mut Case| {
        case.regulators.insert(SOS_DOCTOR.parse().unwrap());
    };
    names(&spoil(|room| room.visited, both), "rule 6: a regulator is its responder");
    names(&spoil(|room| room.finished, |case| case.regulators.clear()), "rule 6: somebody who regulated");
    let accepted = |case: &mut Case| case.regulators.extend([SAS_DOCTOR.parse().unwrap()]);
    names(&spoil(|room| room.booked, accepted), "rule 6: a regulator is its responder");
    names(&spoil(|room| room.booked, |case| case.responders.clear()), "rule 6: somebody who gave care");
}

#[test]
fn rule_7_a_p0_that_nobody_owns() {
    let vital = |case: &mut Case| case.qualification.as_mut().unwrap().priority = Priority::P0;
    names(&spoil(|room| room.waiting, vital), "rule 7: a P0 is handed over to nobody");
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P0);
    let old = stage.case(case).clone();
    let mut new = old.clone();
    end(&mut new, ActionKind::HandOver);
    let found: Vec<_> = invariants::broken_history(&old, &new).iter().map(ToString::to_string).collect();
    names(&found, "rule 7: a hand-over ended and the AMU had not accepted");
}

#[test]
fn rule_11_an_unsafe_contact_that_is_rung() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    stage.late(case, ActionKind::Regulate);
    stage.records.case_mut(case).unwrap().safety.may_ring = false;
    let found: Vec<_> = invariants::violations(&stage.records).iter().map(ToString::to_string).collect();
    names(&found, "rule 11: an unsafe contact is to be rung back");
    stage.records.case_mut(case).unwrap().safety.may_ring = true;
    let (followed, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), followed, claim, CareType::OtherResource);
    let found = spoil_of(stage.case(followed), |case| case.safety.may_ring = false);
    names(&found, "rule 11: an unsafe contact is to be asked how the patient is");
}

#[test]
fn rule_13_words_reasons_and_steps_that_changed() {
    let unreasoned = |case: &mut Case| case.decisions[0].signed.rules.clear();
    names(&spoil(|room| room.finished, unreasoned), "rule 13: a signature lacks its reasons");
    let differs = |case: &mut Case| case.decisions[0].answer.as_mut().unwrap().care = CareType::HomeVisit;
    names(&spoil(|room| room.finished, differs), "rule 13: a signature lacks its reasons");
    names(&spoil(|room| room.booked, |case| case.routes.clear()), "rule 13: an offer lacks the plan");
    let back = |case: &mut Case| {
        let visit = &mut case.visits[0];
        let at = visit.history[0].1;
        visit.history.push((VisitStatus::Decided, at));
        visit.status = VisitStatus::Decided;
    };
    names(&spoil(|room| room.visited, back), "rule 13: a visit took a step");
    let mut stage = Stage::new();
    let case = stage.called();
    stage.done(&arm(), case, Command::AddNote(super::stage::text("première version")));
    let old = stage.case(case).clone();
    let mut new = old.clone();
    new.sealed.notes.clear();
    let found: Vec<_> = invariants::broken_history(&old, &new).iter().map(ToString::to_string).collect();
    names(&found, "rule 13: a note was changed");
    let (case, offer) = {
        let (case, decision) = stage.decided(CareType::HomeVisit);
        (case, stage.offered(case, decision, SOS, visit_means()))
    };
    stage.late(case, ActionKind::AcceptVisit);
    let old = stage.case(case).clone();
    let mut new = old.clone();
    new.offers.iter_mut().find(|known| known.id == offer).unwrap().state = OfferState::Open;
    let found: Vec<_> = invariants::broken_history(&old, &new).iter().map(ToString::to_string).collect();
    names(&found, "rule 13: an offer that had ended was changed");
}

/// A hand-over on its way, with its copy.
fn border() -> (Border, CaseId) {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    (border, case)
}

fn spoil_of(old: &Case, spoil: impl Fn(&mut Case)) -> Vec<String> {
    let mut new = old.clone();
    spoil(&mut new);
    let found = invariants::of_one_case(&new).into_iter().chain(invariants::broken_history(old, &new));
    found.map(|violation| violation.to_string()).collect()
}

#[test]
fn rule_2_a_hand_over_that_nobody_watches() {
    let (border, case) = border();
    let sent = border.here.case(case);
    names(
        &spoil_of(sent, |case| end(case, ActionKind::Transfer)),
        "rule 2: nobody watches the deadline of a hand-over",
    );
    names(&spoil_of(sent, |case| end(case, ActionKind::Regulate)), "rule 2: a case was sent on and nobody stays");
    let forgotten = spoil_of(sent, |case| case.transfers.clear());
    names(&forgotten, "rule 13: the end of a hand-over was changed");
}

#[test]
fn rule_3_a_copy_that_is_worked_on_twice_or_signed_too_early() {
    let (mut border, case) = border();
    let copy = border.copy_id(case);
    let refused = |case: &mut Case| {
        let (at, by) = (case.entered, "dr-reg-sens".parse().unwrap());
        let note = case.sealed.notes.last().map(|note| note.id);
        case.received.as_mut().unwrap().answered = Some(Answered { at, by, refused: note });
    };
    let found = spoil_of(border.there.case(copy), refused);
    names(&found, "rule 3: a copy is worked on whose request is with its sender");
    let claim_no = border.accept(case);
    let before = border.copy(case).clone();
    border.carry(case);
    border.there.done(&receiver(), copy, Command::SignNeed(Box::new(sign(claim_no, CareType::Advice))));
    let decided = border.copy(case).decisions.clone();
    let found = spoil_of(&before, |case| case.decisions.clone_from(&decided));
    names(&found, "rule 3: signed before the sender had recorded that the case is taken");
    let found = spoil_of(border.copy(case), |case| case.received = None);
    names(&found, "rule 13: where a case came from was forgotten");
    let unsettled = |case: &mut Case| case.received.as_mut().unwrap().settled = None;
    names(&spoil_of(border.copy(case), unsettled), "rule 13: the answer to a hand-over was changed");
}

#[test]
fn rule_5_a_request_that_ends_between_two_territories() {
    let (mut border, case) = border();
    border.accept(case);
    border.carry(case);
    let sender = border.here.case(case);
    let nobody = |case: &mut Case| case.transfers[0].ended.as_mut().unwrap().by = None;
    names(&spoil_of(sender, nobody), "rule 5: ended because another territory has it, and no doctor there accepted it");
    let expired = |case: &mut Case| case.transfers[0].ended.as_mut().unwrap().how = TransferEnd::Expired;
    names(&spoil_of(sender, expired), "rule 5: ended without a doctor's decision");
    let found = spoil_of(border.copy(case), |case| {
        case.claim = None;
        end(case, ActionKind::Regulate);
    });
    names(&found, "rule 5: taken over from another territory and ended without a doctor's decision");
    names(&found, "rule 5: a regulation ended without a doctor's answer");
}

#[test]
fn rules_6_and_7_across_the_border() {
    let (border, case) = border();
    let strangers = |case: &mut Case| {
        case.received.as_mut().unwrap().regulators.insert("dr-reg-anne".parse().unwrap());
    };
    let found = spoil_of(border.copy(case), strangers);
    names(&found, "rule 6: who regulated the case at its sender is not known for it");
    let vital = |case: &mut Case| case.qualification.as_mut().unwrap().priority = Priority::P0;
    names(&spoil_of(border.here.case(case), vital), "rule 7: a P0 waits for the answer of another territory");
}

#[test]
fn rule_11_somebody_is_to_be_told_who_must_not_be() {
    let told = [
        (ActionKind::ReturnOfInformation, Recipient::Gp),
        (ActionKind::Refer, Recipient::Cpam),
        (ActionKind::ReferCcas, Recipient::Ccas),
        (ActionKind::DepositDocument, Recipient::MonEspaceSante),
    ];
    for (kind, recipient) in told {
        let spoilt = |wish: Option<Wish>| {
            let open = move |case: &mut Case| {
                let (at, decision) = (case.entered, Some(case.decisions[0].id));
                let (owner, about) = (Owner::Desk(Role::Coordinator, None), About { decision, ..About::default() });
                let (id, state) = (ActionId(Uuid::from_u128(11)), ActionState::Open { alarmed: None });
                case.actions.push(Action { id, kind, owner, opened: at, deadline: at, about, state });
                case.idle_since = None;
                let consent = |wish| Consent { recipient, wish, form: None, at: None, noted_by: None };
                case.patients[0].consents = wish.map(consent).into_iter().collect();
            };
            spoil(|room| room.finished, open)
        };
        let rule = "rule 11: somebody is to be told who must not be";
        names(&spoilt(Some(Wish::Opposes)), rule);
        let silent = spoilt(None).iter().any(|line| line.contains(rule));
        assert_eq!(silent, recipient.needs_consent(), "{kind}");
        assert!(!spoilt(Some(Wish::Consents)).iter().any(|line| line.contains(rule)), "{kind}");
    }
}

//! What may be sent, and to whom: one rule, which everything outgoing asks.

use std::{fs, path::Path};

use proptest::prelude::*;
use sas_dispatch::{
    domain::{
        case::{
            ActionKind, Case, Command, Reply,
            command::{CallEvent, Particulars},
            outgoing::{Outgoing, Withheld, may_send, withheld},
            patient::{Consent, ConsentForm, Recipient, Wish},
            safety::{ContactRisk, ContactSafety},
            sealed::Caller,
            state::{OfferState, Patient},
        },
        ids::{CaseId, SlotId},
        regulation::{
            dialogue::{Dialogue, Understanding},
            need::CareType,
            qualification::Priority,
        },
        routing::{Means, WhyNot},
        slots::{SlotKind, SlotState},
        time::Span,
    },
    engine::{Place, Sight, sight},
};

use super::stage::{GP, GP_DOCTOR, SAS, SAS_DOCTOR, Stage, arm, coordinator, doctor, qualify, regulator, sign};

fn consent(recipient: Recipient, wish: Wish) -> Consent {
    Consent { recipient, wish, form: None, at: None, noted_by: None }
}

fn wishes() -> impl Strategy<Value = Vec<Consent>> {
    let wish = prop_oneof![Just(None), Just(Some(Wish::Consents)), Just(Some(Wish::Opposes))];
    let form = prop::option::of(prop::sample::select(ConsentForm::ALL));
    prop::collection::vec((wish, form), Recipient::ALL.len()).prop_map(|wishes| {
        let said = Recipient::ALL.iter().zip(wishes);
        said.filter_map(|(recipient, (wish, form))| Some(Consent { form, ..consent(*recipient, wish?) })).collect()
    })
}

fn patients() -> impl Strategy<Value = Vec<Patient>> {
    let patient =
        (any::<bool>(), wishes()).prop_map(|(secrecy, consents)| Patient { secrecy, consents, ..Patient::default() });
    prop::collection::vec(patient, 0..3).prop_map(|mut patients| {
        patients.iter_mut().zip(1..).for_each(|(patient, number)| patient.number = number);
        patients
    })
}

fn safety() -> impl Strategy<Value = ContactSafety> {
    let risk = prop_oneof![Just(None), Just(Some(ContactRisk::Violence)), Just(Some(ContactRisk::Maltreatment))];
    (any::<bool>(), any::<bool>(), any::<bool>(), risk).prop_map(|(may_ring, may_text, may_leave_message, risk)| {
        ContactSafety { may_ring, may_text, may_leave_message, risk }
    })
}

fn case(safety: ContactSafety, patients: Vec<Patient>, own_line: bool) -> Case {
    let mut stage = Stage::new();
    let id = stage.called();
    let mut case = stage.case(id).clone();
    let kind = own_line.then(|| "SUJET".to_owned());
    (case.safety, case.patients, case.sealed.caller) = (safety, patients, Caller { kind, ..Caller::default() });
    case
}

/// What is withheld from whom, in one place.
fn refused(case: &Case) -> Vec<(Outgoing, u32)> {
    withheld(case).into_iter().map(|(what, number, _)| (what, number)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn under_violence_or_secrecy_nothing_leaves_but_what_the_patient_agreed_to(
        safety in safety(), patients in patients(), own_line in any::<bool>(),
    ) {
        let case = case(safety, patients, own_line);
        for what in Outgoing::ALL {
            for number in 0..=2 {
                let sent = may_send(&case, number, *what).is_ok();
                let patient = case.patient(number);
                let secret = match what.recipient() {
                    Some(_) => patient.is_some_and(|patient| patient.secrecy),
                    None => case.patients.iter().any(|patient| patient.secrecy),
                };
                let said = what.recipient().and_then(|recipient| patient?.said(recipient));
                let own_word = |said: &Consent| matches!(said.form, Some(ConsentForm::Oral | ConsentForm::Written));
                let agreed = said.is_some_and(|said| said.wish == Wish::Consents && own_word(said));
                let silent = case.safety.risk.is_some() || secret;
                prop_assert!(!(sent && silent && !agreed && *what != Outgoing::CallBack), "{what} is sent in silence");
            }
        }
        prop_assert!(safety.may_ring || may_send(&case, 0, Outgoing::CallBack) == Err(Withheld::Contact));
    }

    #[test]
    fn an_opposition_holds_and_a_referral_needs_a_consent(safety in safety(), patients in patients()) {
        let case = case(safety, patients, true);
        for patient in &case.patients {
            for what in Outgoing::ALL {
                let Some(recipient) = what.recipient() else { continue };
                let sent = may_send(&case, patient.number, *what);
                match patient.wish(recipient) {
                    Some(Wish::Opposes) => prop_assert_eq!(sent, Err(Withheld::Opposed)),
                    Some(Wish::Consents) if patient.secrecy || safety.risk.is_some() => {}
                    Some(Wish::Consents) => prop_assert_eq!(sent, Ok(())),
                    None => prop_assert!(sent.is_err() || !matches!(recipient, Recipient::Cpam | Recipient::Ccas)),
                }
            }
        }
    }

    #[test]
    fn more_caution_never_opens_a_way(
        safety in safety(), patients in patients(), own_line in any::<bool>(), step in 0..6_usize,
    ) {
        let before = case(safety, patients.clone(), own_line);
        let (mut careful, mut secret) = (safety, patients);
        match step {
            0 => careful.may_ring = false,
            1 => careful.may_text = false,
            2 => careful.may_leave_message = false,
            3 => careful.risk = Some(ContactRisk::Violence),
            4 => secret.iter_mut().for_each(|patient| patient.secrecy = true),
            _ => secret.iter_mut().for_each(|patient| {
                patient.consents.retain(|known| known.recipient != Recipient::Gp);
                patient.consents.push(consent(Recipient::Gp, Wish::Opposes));
            }),
        }
        let after = case(careful, secret, own_line);
        let (before, after) = (refused(&before), refused(&after));
        prop_assert!(before.iter().all(|known| after.contains(known)), "{before:?} became {after:?}");
    }
}

fn amended(stage: &mut Stage, case: CaseId, particulars: Particulars) {
    stage.done(&arm(), case, Command::Amend(Box::new(particulars)));
}

fn in_danger() -> Particulars {
    let safety = Some(ContactSafety { risk: Some(ContactRisk::Maltreatment), ..ContactSafety::default() });
    Particulars { safety, ..Particulars::default() }
}

/// A case whose appointment is over, and whether the own GP is to be told.
fn seen(before: impl Fn(&mut Stage, CaseId), after: impl Fn(&mut Stage, CaseId)) -> bool {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    before(&mut stage, case);
    let (_, means) = stage.slot(Span::from_hours(1));
    let offer = stage.offered(case, decision, SAS, means);
    stage.accepted(&doctor(SAS_DOCTOR), case, offer);
    stage.done(&doctor(SAS_DOCTOR), case, Command::Attend { offer, seen: true, counter: None });
    after(&mut stage, case);
    stage.waits(case, ActionKind::ReturnOfInformation)
}

#[test]
fn the_return_to_the_gp_asks_before_it_is_begun_and_again_when_more_is_known() {
    let nothing = |_: &mut Stage, _: CaseId| {};
    let danger = |stage: &mut Stage, case: CaseId| amended(stage, case, in_danger());
    assert!(seen(nothing, nothing));
    assert!(!seen(danger, nothing), "maltreatment known before");
    assert!(!seen(nothing, danger), "maltreatment known afterwards: what was to be done is taken back");
    let secret = |stage: &mut Stage, case: CaseId| {
        let (patient, identity) = (stage.case(case).patients[0].clone(), stage.case(case).sealed.identities[0].clone());
        let patients = vec![(Patient { secrecy: true, ..patient }, identity)];
        amended(stage, case, Particulars { patients, ..Particulars::default() });
    };
    assert!(!seen(secret, nothing) && !seen(nothing, secret), "a minor's secrecy");
}

fn opposed(stage: &mut Stage, case: CaseId) {
    let (patient, identity) = (stage.case(case).patients[0].clone(), stage.case(case).sealed.identities[0].clone());
    let patients = vec![(Patient { consents: vec![consent(Recipient::Gp, Wish::Opposes)], ..patient }, identity)];
    amended(stage, case, Particulars { patients, ..Particulars::default() });
}

#[test]
fn the_own_gp_is_not_rung_any_longer_once_the_patient_opposes_that_he_is_told() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    opposed(&mut stage, case);
    let closed = stage.case(case).offer(offer).unwrap().state.clone();
    assert!(matches!(closed, OfferState::Closed { why: WhyNot::PatientOpposes, .. }), "{closed:?}");
    assert!(!stage.waits(case, ActionKind::RingGp));
    assert!(stage.waits(case, ActionKind::Route), "a coordinator goes on with the next");
}

/// A slot that a GP publishes himself for the SAS.
fn slot_of_gp(stage: &mut Stage, gp: &str, person: &str) -> (SlotId, Means) {
    let (start, end) = (stage.now + Span::from_hours(1), stage.now + Span::from_mins(80));
    let (responder, kind) = (gp.parse().unwrap(), SlotKind::Snp);
    let publish = Command::PublishSlot { slot: None, responder, kind, start, end };
    let slot = stage.give(&doctor(person), None, &publish).unwrap().slot.unwrap();
    (slot, Means::Slot { slot, start, end })
}

#[test]
fn a_slot_held_at_the_own_gp_or_in_his_practice_is_free_again_once_the_patient_opposes_that_he_is_told() {
    for (who, person, near) in
        [(GP, GP_DOCTOR, true), ("gp-67-sarment", "dr-67-sarment", true), (SAS, SAS_DOCTOR, false)]
    {
        let mut stage = Stage::new();
        let (case, decision) = stage.decided(CareType::Consultation);
        let (slot, means) = slot_of_gp(&mut stage, who, person);
        let offer = stage.offered(case, decision, who, means);
        let held = matches!(stage.records.slots[&slot].state, SlotState::Held { .. });
        assert!(held && stage.waits(case, ActionKind::ConfirmSlot), "{who}");
        opposed(&mut stage, case);
        let known = stage.case(case).offer(offer).unwrap().state.clone();
        let closed = matches!(known, OfferState::Closed { why: WhyNot::PatientOpposes, .. });
        assert_eq!((closed, stage.records.slots[&slot].state == SlotState::Free), (near, near), "{who}: {known:?}");
        assert_eq!((stage.waits(case, ActionKind::Route), stage.waits(case, ActionKind::ConfirmSlot)), (near, !near));
    }
}

#[test]
fn a_gp_whom_the_patient_would_not_have_know_does_not_see_the_case_he_was_asked_for() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::Consultation);
    stage.offered(case, decision, GP, Means::Ring);
    let place = Place { territory: stage.territory.clone(), directory: stage.directory.clone() };
    let seen = |stage: &Stage| sight(&doctor(GP_DOCTOR), &place, stage.case(case));
    assert_eq!(seen(&stage), Sight::WithoutPersons);
    opposed(&mut stage, case);
    assert_eq!(seen(&stage), Sight::Nothing);
}

#[test]
fn under_violence_the_patient_is_asked_before_the_own_gp_is_in_whatever_way() {
    for by_slot in [false, true] {
        let mut stage = Stage::new();
        let (case, decision) = stage.decided(CareType::Consultation);
        amended(&mut stage, case, in_danger());
        let means = if by_slot { slot_of_gp(&mut stage, GP, GP_DOCTOR).1 } else { Means::Ring };
        let plan = Box::new(stage.plan(Some((GP, means))));
        let reply = stage.done(&coordinator(), case, Command::Advance { decision, plan });
        let asked = reply.warnings.iter().any(|told| told.starts_with("ASK_PATIENT_FIRST: RISK: "));
        assert!(asked, "{by_slot}: {:?}", reply.warnings);
        let waits = if by_slot { ActionKind::ConfirmSlot } else { ActionKind::RingGp };
        assert!(stage.waits(case, waits), "the choice stays the coordinator's");
    }
}

#[test]
fn a_call_back_asks_before_it_is_begun_and_again_when_more_is_known() {
    let minor = |stage: &Stage, case: CaseId| {
        let (patient, identity) = (stage.case(case).patients[0].clone(), stage.case(case).sealed.identities[0].clone());
        Particulars { patients: vec![(Patient { secrecy: true, ..patient }, identity)], ..Particulars::default() }
    };
    let mut stage = Stage::new();
    let case = stage.called();
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(stage.waits(case, ActionKind::CallBack));
    let secret = minor(&stage, case);
    amended(&mut stage, case, secret);
    assert!(
        !stage.waits(case, ActionKind::CallBack),
        "somebody else's line is not rung for a minor who asks for secrecy"
    );
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    assert!(!stage.waits(case, ActionKind::CallBack));
    assert!(stage.waits(case, ActionKind::Qualify), "and the front line goes on with the case");
}

#[test]
fn nobody_is_given_an_hour_who_must_not_be_rung() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P3);
    assert!(stage.waits(case, ActionKind::TelephoneAppointment));
    let safety = Some(ContactSafety { may_ring: false, ..ContactSafety::default() });
    amended(&mut stage, case, Particulars { safety, ..Particulars::default() });
    for _ in 0..2 {
        assert!(!stage.waits(case, ActionKind::TelephoneAppointment) && stage.waits(case, ActionKind::Regulate));
        assert_eq!(stage.case(case).qualification.as_ref().unwrap().priority, Priority::P2);
        stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P3))));
    }
}

/// A follow-up in a day's time, of which the words were not understood.
fn social_help(stage: &mut Stage, case: CaseId, understood: Option<Understanding>) -> Reply {
    let claim_no = stage.claim(&regulator(), case);
    let mut signed = sign(claim_no, CareType::OtherResource);
    signed.beside.dialogue = Some(Dialogue { understood, ..Dialogue::default() });
    stage.done(&regulator(), case, Command::SignNeed(Box::new(signed)))
}

#[test]
fn whom_the_words_did_not_reach_is_asked_again_no_later_for_being_followed_up_anyway() {
    let mut stage = Stage::new();
    let deadlines = stage.territory.regulation.deadlines;
    assert!(deadlines.ask_again < deadlines.follow_up);
    for (understood, span) in [(None, deadlines.follow_up), (Some(Understanding::Barrier), deadlines.ask_again)] {
        let case = stage.qualified(Priority::P2);
        social_help(&mut stage, case, understood);
        assert_eq!(stage.action(case, ActionKind::FollowUp).deadline, stage.now + span, "{understood:?}");
    }
}

#[test]
fn nobody_asks_how_the_patient_is_where_the_contact_must_not_be_rung() {
    let unsafe_contact = || {
        let safety = Some(ContactSafety { may_ring: false, ..ContactSafety::default() });
        Particulars { safety, ..Particulars::default() }
    };
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    amended(&mut stage, case, unsafe_contact());
    let reply = social_help(&mut stage, case, None);
    assert!(!stage.waits(case, ActionKind::FollowUp));
    assert!(reply.warnings.iter().any(|told| told.starts_with("FOLLOW_UP_WITHHELD")), "{:?}", reply.warnings);
    let later = stage.qualified(Priority::P2);
    social_help(&mut stage, later, None);
    assert!(stage.waits(later, ActionKind::FollowUp));
    amended(&mut stage, later, unsafe_contact());
    assert!(!stage.waits(later, ActionKind::FollowUp), "known afterwards: it is taken back");
    assert!(stage.waits(later, ActionKind::Regulate), "and a regulator finds another way");
}

/// The words by which somebody would judge for himself whether something may be sent.
const JUDGING: [&str; 7] = [".may_ring", ".may_text", ".may_leave_message", ".risk", ".secrecy", ".wish(", ".consents"];
/// The rule itself, the wish it reads, and the two that carry the values from the wire and to it.
const ALLOWED: [&str; 5] = [
    "domain/case/outgoing.rs",
    "domain/case/patient.rs",
    "grpc/convert/case/people.rs",
    "grpc/convert/particulars.rs",
    "grpc/convert/patient.rs",
];

#[test]
fn nobody_else_judges_what_may_be_sent() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut judging) = (vec![src.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !ALLOWED.contains(&name.as_str()) {
                let text = fs::read_to_string(&path).unwrap();
                judging.extend(JUDGING.iter().filter(|word| stands(&text, word)).map(|word| format!("{name}: {word}")));
            }
        }
    }
    assert_eq!(judging, [""; 0], "ask domain::case::outgoing::may_send");
}

/// Whether a word stands in a text, and not as the beginning of a longer one.
fn stands(text: &str, word: &str) -> bool {
    let after = |at: usize| text[at + word.len()..].chars().next();
    let longer = |c: char| word.ends_with(char::is_alphabetic) && (c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| !after(at).is_some_and(longer))
}

//! What is done beside the care once a patient is answered: who has no GP and needs one is referred to the health insurance's
//! mission, who lives alone without help to the CCAS, each if he agrees; and the document goes to his record unless he opposes.

use sas_dispatch::domain::{
    actor::Role,
    case::{
        ActionKind, Command, End,
        command::Particulars,
        patient::{Consent, Recipient, Wish},
        safety::{ContactRisk, ContactSafety},
        sealed::Identity,
        state::Patient,
        status::{Status, status},
    },
    ids::CaseId,
    person::Private,
    regulation::{need::CareType, qualification::Priority},
    territory::NationalRecord,
    time::Span,
};

use super::stage::{Stage, arm, call, coordinator, qualify, regulator, text};

/// A patient with a long-term condition and no GP, with what he wants of the CPAM.
fn without_gp(wish: Option<Wish>) -> Patient {
    let consent = |wish| Consent { recipient: Recipient::Cpam, wish, form: None, at: None, noted_by: None };
    let consents = wish.map(consent).into_iter().collect();
    Patient { number: 1, no_gp: true, ald: true, consents, ..Patient::default() }
}

fn amended(patient: Patient) -> Command {
    let identity = Identity { number: 1, name: text("Personne Fictive"), ..Identity::default() };
    Command::Amend(Box::new(Particulars { patients: vec![(patient, identity)], ..Particulars::default() }))
}

/// A case of this patient, decided and answered with advice.
fn advised(stage: &mut Stage, patient: Patient) -> CaseId {
    let mut open = call(stage.now);
    open.particulars.patients[0].0 = patient;
    let case = stage.opened(&arm(), open);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    let claim = stage.claim(&regulator(), case);
    assert!(stage.case(case).open_actions().all(|action| !action.kind.administrative()), "the care comes first");
    stage.need(&regulator(), case, claim, CareType::Advice);
    case
}

fn to_do(stage: &Stage, case: CaseId) -> Vec<ActionKind> {
    stage.case(case).open_actions().map(|action| action.kind).collect()
}

#[test]
fn who_agreed_is_referred_once_he_is_answered() {
    let mut stage = Stage::new();
    let case = advised(&mut stage, without_gp(Some(Wish::Consents)));
    assert_eq!(to_do(&stage, case), [ActionKind::Refer]);
    let refer = stage.action(case, ActionKind::Refer);
    assert_eq!(refer.deadline, stage.now + stage.territory.regulation.deadlines.referral);
    assert_eq!(status(stage.case(case), stage.now), Status::Achieved, "the care itself is over");
    stage.late(case, ActionKind::Refer);
    assert!(stage.action(case, ActionKind::Refer).alarmed().is_some(), "it is not forgotten");
    stage.done(&coordinator(), case, Command::EndAction { action: refer.id, end: End::Done, note: None });
    assert_eq!(status(stage.case(case), stage.now), Status::Valid);
    // Nobody is referred twice.
    stage.done(&arm(), case, amended(without_gp(Some(Wish::Consents))));
    assert_eq!(to_do(&stage, case), []);
}

#[test]
fn who_was_not_asked_is_asked_and_then_referred_or_left_alone() {
    for (wish, then) in [(Wish::Consents, vec![ActionKind::Refer]), (Wish::Opposes, vec![])] {
        let mut stage = Stage::new();
        let case = advised(&mut stage, without_gp(None));
        assert_eq!(to_do(&stage, case), [ActionKind::AskConsent]);
        let action = stage.action(case, ActionKind::AskConsent).id;
        let refusal = stage.refused(&coordinator(), case, Command::EndAction { action, end: End::Done, note: None });
        assert!(refusal.to_string().contains("wish"), "{refusal}");
        stage.done(&coordinator(), case, amended(without_gp(Some(wish))));
        assert_eq!(to_do(&stage, case), then, "{wish}");
    }
}

/// Found by trying: a P0 in which the consent was not repeated was answered INTERNAL.
#[test]
fn a_consent_that_is_not_repeated_is_asked_for_again_and_no_p0_is_refused_for_it() {
    for priority in [Priority::P0, Priority::P2] {
        let mut stage = Stage::new();
        let case = advised(&mut stage, without_gp(Some(Wish::Consents)));
        assert_eq!(to_do(&stage, case), [ActionKind::Refer]);
        let mut again = qualify(priority);
        again.particulars.patients = vec![(without_gp(None), Identity { number: 1, ..Identity::default() })];
        again.lower_reason = Some(text("même appel"));
        stage.done(&arm(), case, Command::Qualify(Box::new(again)));
        assert!(stage.waits(case, ActionKind::AskConsent) && !stage.waits(case, ActionKind::Refer));
        stage.done(&coordinator(), case, amended(without_gp(Some(Wish::Consents))));
        assert!(stage.waits(case, ActionKind::Refer) && !stage.waits(case, ActionKind::AskConsent));
        let action = stage.action(case, ActionKind::Refer).id;
        stage.done(&coordinator(), case, Command::EndAction { action, end: End::Done, note: None });
        stage.done(&coordinator(), case, amended(without_gp(None)));
        assert!(!stage.waits(case, ActionKind::AskConsent), "what was done is done");
    }
}

#[test]
fn a_failed_referral_calls_no_regulator() {
    for (wish, kind) in [(None, ActionKind::AskConsent), (Some(Wish::Consents), ActionKind::Refer)] {
        for end in [End::Refused, End::Unreachable, End::Undelivered] {
            let mut stage = Stage::new();
            let case = advised(&mut stage, without_gp(wish));
            let action = stage.action(case, kind).id;
            stage.done(&coordinator(), case, Command::EndAction { action, end, note: None });
            assert_eq!(to_do(&stage, case), [], "{kind} {end}");
            assert_eq!(status(stage.case(case), stage.now), Status::Valid);
        }
    }
}

#[test]
fn whoever_opposes_it_or_must_be_protected_is_not_referred() {
    let mut stage = Stage::new();
    let case = advised(&mut stage, without_gp(Some(Wish::Opposes)));
    assert_eq!(to_do(&stage, case), []);

    // He takes his word back: what was open ends, and nothing is sent.
    let case = advised(&mut stage, without_gp(Some(Wish::Consents)));
    stage.done(&coordinator(), case, amended(without_gp(Some(Wish::Opposes))));
    assert_eq!(to_do(&stage, case), []);
    stage.done(&coordinator(), case, amended(without_gp(Some(Wish::Consents))));
    assert_eq!(to_do(&stage, case), [ActionKind::Refer], "and gives it again");

    // Violence at home, heard of before anybody asked: nobody asks.
    let case = advised(&mut stage, without_gp(None));
    let safety = ContactSafety { risk: Some(ContactRisk::Violence), ..stage.case(case).safety };
    let told = Particulars { safety: Some(safety), ..Particulars::default() };
    stage.done(&arm(), case, Command::Amend(Box::new(told)));
    assert_eq!(to_do(&stage, case), []);
}

#[test]
fn whoever_has_a_gp_or_can_do_without_is_not_referred() {
    let consent = without_gp(Some(Wish::Consents));
    let others = [
        Patient { no_gp: false, ..consent.clone() },
        Patient { ald: false, ..consent.clone() },
        Patient { no_gp: false, own_gp: Some("gp-67-colombage".parse().unwrap()), ..consent.clone() },
    ];
    for patient in others {
        let mut stage = Stage::new();
        let case = advised(&mut stage, patient);
        assert_eq!(to_do(&stage, case), []);
    }
    for (ehpad, reduced_mobility) in [(true, false), (false, true)] {
        let mut stage = Stage::new();
        let case = advised(&mut stage, Patient { ald: false, ehpad, reduced_mobility, ..consent.clone() });
        assert_eq!(to_do(&stage, case), [ActionKind::Refer]);
    }
}

#[test]
fn whoever_is_decided_about_twice_is_referred_once_whichever_is_answered_first() {
    let mut stage = Stage::new();
    let mut open = call(stage.now);
    open.particulars.patients[0].0 = without_gp(Some(Wish::Consents));
    let case = stage.opened(&arm(), open);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    let claim = stage.claim(&regulator(), case);
    let visit = stage.need(&regulator(), case, claim, CareType::HomeVisit);
    // Advice is need and answer in one act, and answered while the visit's answer is still to come.
    stage.need(&regulator(), case, claim, CareType::Advice);
    stage.answer(&regulator(), case, claim, visit, CareType::HomeVisit);
    let referrals = |stage: &Stage| to_do(stage, case).iter().filter(|kind| **kind == ActionKind::Refer).count();
    assert_eq!(referrals(&stage), 1);
    // What he opposes is not done, and neither his word nor a P0 that carries it is refused.
    let mut vital = qualify(Priority::P0);
    let identity = Identity { number: 1, ..Identity::default() };
    vital.particulars.patients = vec![(without_gp(Some(Wish::Opposes)), identity)];
    let mut other = stage.clone();
    other.done(&arm(), case, Command::Qualify(Box::new(vital)));
    stage.done(&coordinator(), case, amended(without_gp(Some(Wish::Opposes))));
    assert_eq!((referrals(&stage), referrals(&other)), (0, 0));
}

#[test]
fn the_next_call_about_the_same_file_is_a_repeat_call_although_a_referral_is_open() {
    let mut stage = Stage::new();
    let case = advised(&mut stage, without_gp(Some(Wish::Consents)));
    stage.pass(Span::from_hours(2));
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    let flags = &stage.case(case).qualification.as_ref().unwrap().flags;
    assert!(flags.contains(&sas_dispatch::domain::regulation::qualification::Flag::RepeatCall), "{flags:?}");
    assert!(stage.waits(case, ActionKind::Regulate));
}

fn wishes(recipient: Recipient, wish: Option<Wish>) -> Vec<Consent> {
    let consent = |wish| Consent { recipient, wish, form: None, at: None, noted_by: None };
    wish.map(consent).into_iter().collect()
}

/// Lives alone without help, with what he wants of the CCAS.
fn alone(wish: Option<Wish>) -> Patient {
    Patient { number: 1, isolated: true, consents: wishes(Recipient::Ccas, wish), ..Patient::default() }
}

/// The same as [`advised`], of somebody so old.
fn advised_at(stage: &mut Stage, patient: Patient, years: Option<u32>) -> CaseId {
    let mut open = call(stage.now);
    let (known, identity) = &mut open.particulars.patients[0];
    (*known, identity.age_years, identity.birth_date) = (patient, Private::new(years), text(""));
    let case = stage.opened(&arm(), open);
    stage.done(&arm(), case, Command::Qualify(Box::new(qualify(Priority::P2))));
    let claim = stage.claim(&regulator(), case);
    stage.need(&regulator(), case, claim, CareType::Advice);
    case
}

fn amended_at(patient: Patient, years: u32) -> Command {
    let (name, age_years) = (text("Personne Fictive"), Private::new(Some(years)));
    let identity = Identity { number: 1, name, age_years, ..Identity::default() };
    Command::Amend(Box::new(Particulars { patients: vec![(patient, identity)], ..Particulars::default() }))
}

#[test]
fn who_is_old_and_alone_is_asked_and_then_referred_to_the_ccas() {
    for (wish, then) in [(Wish::Consents, vec![ActionKind::ReferCcas]), (Wish::Opposes, vec![])] {
        let mut stage = Stage::new();
        let case = advised_at(&mut stage, alone(None), Some(84));
        assert_eq!(to_do(&stage, case), [ActionKind::AskConsentCcas]);
        let action = stage.action(case, ActionKind::AskConsentCcas).id;
        let refusal = stage.refused(&coordinator(), case, Command::EndAction { action, end: End::Done, note: None });
        assert!(refusal.to_string().contains("CCAS"), "{refusal}");
        stage.done(&coordinator(), case, amended_at(alone(Some(wish)), 84));
        assert_eq!(to_do(&stage, case), then, "{wish}");
    }
    // The consent to the one is none to the other.
    let mut stage = Stage::new();
    let both = Patient { no_gp: true, reduced_mobility: true, ..alone(Some(Wish::Consents)) };
    let case = advised_at(&mut stage, both, Some(84));
    assert_eq!(to_do(&stage, case), [ActionKind::AskConsent, ActionKind::ReferCcas]);
}

#[test]
fn whoever_is_younger_or_not_alone_is_not_the_ccas_matter() {
    let agreed = alone(Some(Wish::Consents));
    let others = [
        (agreed.clone(), Some(59), vec![]),
        (agreed.clone(), Some(60), vec![ActionKind::ReferCcas]),
        (agreed.clone(), None, vec![ActionKind::ReferCcas]),
        (Patient { ehpad: true, ..agreed.clone() }, Some(84), vec![]),
        (Patient { minor: true, ..agreed.clone() }, None, vec![]),
        (Patient { isolated: false, ..agreed.clone() }, Some(84), vec![]),
    ];
    for (patient, years, then) in others {
        let mut stage = Stage::new();
        let case = advised_at(&mut stage, patient, years);
        assert_eq!(to_do(&stage, case), then, "{years:?}");
    }
    // Where the territory sets another age, from that on.
    let mut stage = Stage::new();
    stage.territory.regulation.referral.ccas_from = "P31Y".parse().unwrap();
    let case = advised_at(&mut stage, agreed, Some(31));
    assert_eq!(to_do(&stage, case), [ActionKind::ReferCcas]);
}

#[test]
fn the_document_goes_to_the_record_of_whoever_does_not_oppose_it_where_the_territory_does_so() {
    let known = |wish| Patient { number: 1, consents: wishes(Recipient::MonEspaceSante, wish), ..Patient::default() };
    let mut stage = Stage::new();
    let case = advised(&mut stage, known(None));
    assert_eq!(to_do(&stage, case), [], "off unless it is configured");
    let record = NationalRecord { owner: Role::Arm, deadline: Span::from_hours(36) };
    stage.territory.regulation.referral.national_record = Some(record);
    let case = advised(&mut stage, known(None));
    let deposit = stage.action(case, ActionKind::DepositDocument);
    assert_eq!(deposit.deadline, stage.now + record.deadline);
    assert_eq!(deposit.owner, sas_dispatch::domain::case::Owner::Desk(Role::Arm, None), "whoever the territory names");
    stage.late(case, ActionKind::DepositDocument);
    assert!(stage.action(case, ActionKind::DepositDocument).alarmed().is_some(), "it is not forgotten");
    let failed = Command::EndAction { action: deposit.id, end: End::Undelivered, note: None };
    stage.done(&coordinator(), case, failed);
    assert_eq!((to_do(&stage, case), status(stage.case(case), stage.now)), (vec![], Status::Valid));

    let case = advised(&mut stage, known(Some(Wish::Opposes)));
    assert_eq!(to_do(&stage, case), []);
    // He says so before it was laid there.
    let case = advised(&mut stage, known(None));
    stage.done(&arm(), case, amended(known(Some(Wish::Opposes))));
    assert_eq!(to_do(&stage, case), []);
    let case = advised(&mut stage, Patient { identity_unknown: true, ..known(None) });
    assert_eq!(to_do(&stage, case), [], "nobody knows whose record it would be");
}

#[test]
fn a_failed_word_to_the_ccas_calls_no_regulator() {
    for (wish, kind) in [(None, ActionKind::AskConsentCcas), (Some(Wish::Consents), ActionKind::ReferCcas)] {
        let mut stage = Stage::new();
        let case = advised_at(&mut stage, alone(wish), Some(84));
        let action = stage.action(case, kind).id;
        stage.done(&coordinator(), case, Command::EndAction { action, end: End::Unreachable, note: None });
        assert_eq!((to_do(&stage, case), status(stage.case(case), stage.now)), (vec![], Status::Valid), "{kind}");
    }
}

//! The front line: who calls and for whom, what may be sent and to whom, interpreters, calls that come again.

use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{
        self, ActionEnd, ActionKind, Attribution, ContactRisk, Flag, OutgoingKind, Priority, Recipient, RepeatReason,
        Stream, Wish, WithheldReason,
    },
};

use crate::support::room::{Patient, Person, Refused, Room, Seen, Story, ask, ill, qualified};

const STRASBOURG: &str = "67482";

fn caller(kind: &str, phone: &str) -> pb::Caller {
    pb::Caller { kind: kind.to_owned(), phone: phone.to_owned(), ..Default::default() }
}

/// Opens a case for somebody who calls from a number of his own.
async fn open(
    arm: &Person,
    caller: pb::Caller,
    street: &str,
    patient: pb::Patient,
) -> Result<pb::OpenCaseResponse, sas_dispatch::grpc::client::Status> {
    let place = pb::Place { commune: STRASBOURG.to_owned(), street: street.to_owned(), ..Default::default() };
    let request = pb::OpenCaseRequest {
        command_id: arm.act(),
        caller: Some(caller),
        place: Some(place),
        patients: vec![patient],
        ..Default::default()
    };
    ask!(arm, intake, open_case, request)
}

async fn resembling(
    arm: &Person,
    case: &pb::CaseView,
) -> Result<Vec<pb::PossibleRepeat>, sas_dispatch::grpc::client::Status> {
    let request = pb::GetCaseRequest { case_id: case.case_id.clone(), at_least_seq: 0 };
    Ok(ask!(arm, intake, get_case, request)?.possible_repeats)
}

fn withheld(case: &pb::CaseView) -> Vec<(OutgoingKind, u32, WithheldReason)> {
    case.withheld.iter().map(|told| (told.kind(), told.patient, told.reason())).collect()
}

fn wish(recipient: Recipient, wish: Wish) -> pb::Consent {
    pb::Consent { recipient: recipient.into(), wish: wish.into(), ..Default::default() }
}

fn somebody(name: &str, birth_date: &str) -> pb::Patient {
    pb::Patient { number: 1, name: name.to_owned(), birth_date: birth_date.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn a_nurse_is_regulated_before_others_who_may_wait_and_never_before_the_urgent() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let mut waiting = Vec::new();
    for (kind, phone, priority) in [
        ("FAMILLE", "06 39 98 00 11", Priority::P2),
        ("SANTE.INF", "06 39 98 00 12", Priority::P2),
        ("SUJET", "06 39 98 00 13", Priority::P1),
    ] {
        let case = open(&arm, caller(kind, phone), "", pb::Patient::default()).await?.case.unwrap();
        waiting.push(arm.qualifies(&case, qualified(priority, "M03.14")).await?);
        room.wait(Span::from_secs(5)).await;
    }
    let due = |case: &pb::CaseView| case.qualification.as_ref().unwrap().due_unix_ms - case.opened_unix_ms;
    assert_eq!((due(&waiting[0]), due(&waiting[1])), (900_000, 300_000));
    assert_eq!(waiting[1].caller.as_ref().unwrap().kind_label, "Infirmier");
    let queue = reg.queue(Stream::Snp).await?;
    let order: Vec<_> = queue.iter().map(|case| case.caller.as_ref().unwrap().kind.as_str()).collect();
    assert_eq!(order, ["SUJET", "SANTE.INF", "FAMILLE"]);
    room.closes().await
}

#[tokio::test]
async fn violence_keeps_everything_from_the_household_and_the_patient_may_still_say_otherwise() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let case = arm.opens(STRASBOURG, ill().of("gp-67-colombage")).await?;
    assert_eq!(
        withheld(&case),
        [(OutgoingKind::Cpam, 1, WithheldReason::NoConsent), (OutgoingKind::Ccas, 1, WithheldReason::NoConsent)],
        "a referral needs a consent; nothing else is withheld"
    );
    let safety = pb::ContactSafety {
        may_ring: true,
        may_text: true,
        may_leave_message: true,
        risk: ContactRisk::Violence.into(),
    };
    let amend = |safety, patients| pb::AmendCaseRequest {
        command_id: arm.act(),
        case_id: case.case_id.clone(),
        safety,
        patients,
        ..Default::default()
    };
    let told = ask!(arm, intake, amend_case, amend(Some(safety), Vec::new()))?.case.unwrap();
    let all = [
        (OutgoingKind::VoiceMessage, 0),
        (OutgoingKind::Text, 0),
        (OutgoingKind::ArrivalNotice, 0),
        (OutgoingKind::Household, 0),
        (OutgoingKind::Gp, 1),
        (OutgoingKind::MonEspaceSante, 1),
        (OutgoingKind::Cpam, 1),
        (OutgoingKind::Ccas, 1),
    ];
    assert_eq!(withheld(&told), all.map(|(kind, patient)| (kind, patient, WithheldReason::Risk)));
    assert_eq!(
        told.withheld[2].label,
        "Avis d'arrivée de la visite : Violences ou maltraitance : rien ne doit se savoir au domicile"
    );
    // What the patient agrees to in so many words goes to whom it was said of, and nowhere else.
    let agreed = pb::Patient { consents: vec![wish(Recipient::Gp, Wish::Consents)], ..ill().of("gp-67-colombage") };
    let told = ask!(arm, intake, amend_case, amend(None, vec![agreed]))?.case.unwrap();
    let kept: Vec<_> = withheld(&told).into_iter().map(|(kind, ..)| kind).collect();
    assert!(!kept.contains(&OutgoingKind::Gp) && kept.contains(&OutgoingKind::MonEspaceSante), "{kept:?}");
    let noted = &told.patients[0].consents[0];
    assert_eq!((noted.form(), noted.at_unix_ms), (pb::ConsentForm::Oral, room.now().unix_ms()));
    room.closes().await
}

#[tokio::test]
async fn a_minor_who_asks_for_secrecy_is_called_on_her_own_line_only() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, pbx) = (room.arm("arm-1"), room.telephony());
    let girl = pb::Patient { secrecy: true, birth_date: "2009-05-02".to_owned(), ..ill() };
    for (kind, rung) in [("SUJET", true), ("TIERS", false)] {
        let call = format!("call-{kind}");
        let opened = pbx.call(&call, pb::CallEventKind::Answered).await?;
        let request = pb::AmendCaseRequest {
            command_id: arm.act(),
            case_id: opened.case_id.clone(),
            caller: Some(caller(kind, "06 39 98 00 21")),
            patients: vec![girl.clone()],
            ..Default::default()
        };
        let case = ask!(arm, intake, amend_case, request)?.case.unwrap();
        assert_eq!(case.patients[0].minor, Some(true), "by her age");
        let kept = withheld(&case);
        assert!(kept.contains(&(OutgoingKind::Text, 0, WithheldReason::Secrecy)), "{kept:?}");
        assert!(kept.contains(&(OutgoingKind::Gp, 1, WithheldReason::Secrecy)), "{kept:?}");
        assert_eq!(kept.contains(&(OutgoingKind::CallBack, 0, WithheldReason::Secrecy)), !rung, "{kept:?}");
        pbx.call(&call, pb::CallEventKind::HungUp).await?;
        assert_eq!(arm.reads(&case).await?.to_do().contains(&ActionKind::CallBack), rung, "{kind}");
    }
    room.closes().await
}

#[tokio::test]
async fn an_interpreter_joins_or_a_doctor_goes_on_without() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let ask_for = |case: &pb::CaseView, language: &str| pb::CallInterpreterRequest {
        command_id: arm.act(),
        case_id: case.case_id.clone(),
        language: language.to_owned(),
        ..Default::default()
    };
    let case = arm.opens(STRASBOURG, ill()).await?;
    let refusal = ask!(arm, intake, call_interpreter, ask_for(&case, "")).refused();
    assert_eq!(refusal.fields, ["language"]);
    let case = arm.qualifies(&case, qualified(Priority::P3, "M03.14")).await?;
    let called = ask!(arm, intake, call_interpreter, ask_for(&case, "ar"))?.case.unwrap();
    let action = called.action(ActionKind::Interpreter);
    assert_eq!(
        (action.label.as_str(), action.deadline_unix_ms - action.opened_unix_ms),
        ("Joindre un interprète", 300_000)
    );
    let known = called.qualification.as_ref().unwrap();
    assert!(known.flags().any(|flag| flag == Flag::CommunicationBarrier));
    assert_eq!(known.priority(), Priority::P2, "who is hard to understand is not deferred");
    let spoken = called.caller.as_ref().unwrap();
    assert_eq!((spoken.language.as_str(), spoken.difficulty.as_str()), ("ar", "LANGUE"));
    // Nobody joins within the time: an alarm, and the doctor is called for.
    room.wait(Span::from_secs(310)).await;
    let late = arm.reads(&called).await?;
    assert!(late.action(ActionKind::Interpreter).alarmed_unix_ms > 0);
    assert!(late.to_do().contains(&ActionKind::Regulate));
    let ended = arm.ends(&late, ActionKind::Interpreter, ActionEnd::Unreachable).await?;
    assert!(!ended.to_do().contains(&ActionKind::Interpreter));

    // Before anything is qualified, the front line goes on; and one who joins ends it.
    let other = open(&arm, caller("SUJET", "06 39 98 00 31"), "", pb::Patient::default()).await?.case.unwrap();
    let other = ask!(arm, intake, call_interpreter, ask_for(&other, "uk"))?.case.unwrap();
    let other = arm.ends(&other, ActionKind::Interpreter, ActionEnd::Done).await?;
    assert_eq!(other.to_do(), [ActionKind::Qualify]);
    room.closes().await
}

#[tokio::test]
async fn a_barrier_always_reaches_a_doctor() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    for (number, (language, difficulty, barrier)) in
        [("", "PANIQUE", true), ("ti", "", true), ("de", "AUCUNE", false)].into_iter().enumerate()
    {
        let phone = format!("06 39 98 00 4{number}");
        let who =
            pb::Caller { language: language.to_owned(), difficulty: difficulty.to_owned(), ..caller("SUJET", &phone) };
        let case = open(&arm, who, "", pb::Patient::default()).await?.case.unwrap();
        let dismiss = pb::DismissCaseRequest {
            command_id: arm.act(),
            case_id: case.case_id.clone(),
            attribution: Attribution::GeneralInformation.into(),
            ..Default::default()
        };
        let dismissed = ask!(arm, intake, dismiss_case, dismiss);
        assert_eq!(dismissed.is_err(), barrier, "{language} {difficulty}");
        let flags = match dismissed {
            Ok(_) => Vec::new(),
            Err(_) => arm.qualifies(&case, qualified(Priority::P2, "M06.02")).await?.qualification.unwrap().flags,
        };
        assert_eq!(flags.contains(&Flag::CommunicationBarrier.into()), barrier);
    }
    room.closes().await
}

#[tokio::test]
async fn a_call_that_comes_again_is_proposed_with_its_reasons_and_not_deferred() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let first =
        open(&arm, caller("SUJET", "06 39 98 00 51"), "3 rue Inventée", somebody("Élise Bœuf", "1960-02-01")).await?;
    let first = first.case.unwrap();
    room.wait(Span::from_mins(30)).await;

    // A neighbour calls for the same patient, whose name is said the other way round.
    let again =
        open(&arm, caller("TIERS", "06 39 98 00 52"), "3, Rue inventee", somebody("BOEUF Elise", "1960-02-01")).await?;
    let again = again.case.unwrap();
    let [repeat] = resembling(&arm, &again).await?.try_into().unwrap();
    assert_eq!((&*repeat.case_id, &*repeat.case_number, repeat.score), (&*first.case_id, &*first.case_number, 7));
    let reasons: Vec<_> = repeat.reasons().collect();
    assert_eq!(reasons, [RepeatReason::SamePatient, RepeatReason::SamePlace, RepeatReason::Recent]);
    assert_eq!(repeat.why, "Même patient, même adresse — appel du 19/12 à 10:00");
    let answer = arm.qualifies_with_receipt(&again, qualified(Priority::P3, "M03.14")).await?;
    let known = answer.case.as_ref().unwrap().qualification.clone().unwrap();
    assert_eq!((known.priority(), known.flags().collect::<Vec<_>>()), (Priority::P2, vec![Flag::PossibleRepeat]));
    assert_eq!(answer.receipt.unwrap().warnings[0].code, "P3_LIFTED");
    // Nothing was merged: a person links, and then it is proposed no more.
    assert!(arm.reads(&again).await?.repeat_of_case_id.is_empty());
    arm.links(&again, &first).await?;
    assert!(resembling(&arm, &again).await?.is_empty());

    // From the same number for somebody else: shown, and left to the ARM.
    let other =
        open(&arm, caller("SUJET", "06 39 98 00 51"), "9 quai Autre", somebody("Ada Autre", "1999-01-01")).await?;
    let other = other.case.unwrap();
    let shown = resembling(&arm, &other).await?;
    assert_eq!(shown.iter().map(|repeat| repeat.score).collect::<Vec<_>>(), [0]);
    assert!(shown[0].reasons().any(|reason| reason == RepeatReason::OtherPatient));
    let other = arm.qualifies(&other, qualified(Priority::P3, "M03.14")).await?;
    assert_eq!(other.qualification.unwrap().priority(), Priority::P3);

    // A nurse's telephone serves many patients.
    let nurse = || caller("SANTE.INF", "06 39 98 00 53");
    open(&arm, nurse(), "", pb::Patient::default()).await?;
    let next = open(&arm, nurse(), "", pb::Patient::default()).await?.case.unwrap();
    let [repeat] = resembling(&arm, &next).await?.try_into().unwrap();
    assert_eq!(repeat.score, 2);
    room.closes().await
}

#[tokio::test]
async fn a_second_look_is_for_what_was_medical_and_lately() -> Story {
    let room = Room::at("fr-67", "2024-12-16 10:00").await;
    let arm = room.arm("arm-1");
    let who = || caller("SUJET", "06 39 98 00 61");
    let nobody = pb::Patient::default;
    let asked = open(&arm, who(), "", nobody()).await?.case.unwrap();
    let dismiss = pb::DismissCaseRequest {
        command_id: arm.act(),
        case_id: asked.case_id.clone(),
        attribution: Attribution::PharmacyInformation.into(),
        ..Default::default()
    };
    ask!(arm, intake, dismiss_case, dismiss)?;
    let deferred = open(&arm, who(), "", nobody()).await?.case.unwrap();
    let deferred = arm.qualifies(&deferred, qualified(Priority::P3, "M03.14")).await?;
    assert_eq!(
        deferred.qualification.as_ref().unwrap().priority(),
        Priority::P3,
        "only a pharmacy was asked for before"
    );
    // Now a symptom was told from this number: what comes next is not ended by the ARM alone.
    let again = open(&arm, who(), "", nobody()).await?.case.unwrap();
    let ended = qualified(Priority::NotRegulated, "M06.02");
    let refusal = arm.qualifies(&again, pb::QualifyRequest { symptoms: false, ..ended }).await.refused();
    assert_eq!(refusal.fields, ["priority"]);
    // Nor without being qualified at all.
    let dismiss = pb::DismissCaseRequest {
        command_id: arm.act(),
        case_id: again.case_id.clone(),
        attribution: Attribution::Silent.into(),
        ..Default::default()
    };
    let refusal = ask!(arm, intake, dismiss_case, dismiss).refused();
    assert_eq!(refusal.reason, "WRONG_STATE");
    // Beyond the window nothing is proposed.
    room.wait(Span::from_hours(73)).await;
    let later = open(&arm, who(), "", nobody()).await?.case.unwrap();
    assert!(resembling(&arm, &later).await?.is_empty());
    room.closes().await
}

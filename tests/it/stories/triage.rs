//! The ARM asks what the protocols ask. They advise; a red flag is not argued with, and who can wait is rung at an hour.

use std::sync::Arc;

use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{
        self, ActionEnd, ActionKind, CallEventKind, Flag, NoteKind, Priority, ProposeQualificationRequest,
        ProtocolAnswer, Stream, protocol_answer::Value, protocol_question::Type,
    },
};

use crate::support::room::{Ground, Person, Refused, Room, Seen, Story, ask, ill, qualified, shipped};

/// A room in which the protocols propose, as after their signature.
async fn room() -> Room {
    Room::configured(shipped().with_unsigned_protocols(), Ground::Embedded, "fr-67", "2024-12-19 10:00").await
}

fn yes(question: &str) -> ProtocolAnswer {
    ProtocolAnswer { question: question.to_owned(), value: Some(Value::Yes(true)) }
}

fn choice(question: &str, code: &str) -> ProtocolAnswer {
    ProtocolAnswer { question: question.to_owned(), value: Some(Value::Choice(code.to_owned())) }
}

async fn proposes(
    arm: &Person,
    motive: &str,
    answers: &[ProtocolAnswer],
) -> Result<pb::ProposeQualificationResponse, sas_dispatch::grpc::client::Status> {
    let request = ProposeQualificationRequest {
        motive: motive.to_owned(),
        age: "P40Y".to_owned(),
        answers: answers.to_vec(),
        ..Default::default()
    };
    ask!(arm, regulation, propose_qualification, request)
}

/// Everything that is asked about a complaint, each answered as it worries least.
async fn nothing_worries(
    arm: &Person,
    motive: &str,
    complaint: &str,
) -> Result<Vec<ProtocolAnswer>, sas_dispatch::grpc::client::Status> {
    let mut answers = vec![choice("PLAINTE", complaint)];
    for question in proposes(arm, motive, &answers).await?.questions {
        let value = match question.r#type.unwrap() {
            Type::YesNo(_) => Value::Yes(false),
            Type::Choices(choices) => Value::Choice(choices.choices[0].code.clone()),
            Type::Number(number) => Value::Number(number.reassuring),
        };
        answers.push(ProtocolAnswer { question: question.code, value: Some(value) });
    }
    Ok(answers)
}

#[tokio::test]
async fn a_red_flag_is_gone_below_by_a_regulator_and_by_nobody_else() -> Story {
    let room = room().await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    // Step by step: nothing answered yet, then what the caller says.
    let asked = proposes(&arm, "M03.14", &[choice("PLAINTE", "FIEVRE")]).await?;
    assert_eq!(asked.proposal.as_ref().unwrap().priority(), Priority::P2);
    assert!(asked.questions.iter().any(|question| question.code == "FIA.CONFUSION" && question.red_flag));
    let heard = vec![choice("PLAINTE", "FIEVRE"), yes("FIA.CONFUSION")];
    let proposal = proposes(&arm, "M03.14", &heard).await?.proposal.unwrap();
    assert_eq!((proposal.priority(), proposal.stream()), (Priority::P1, Stream::Amu));
    assert_eq!(proposal.rule.unwrap().reason, "Confusion fébrile : sepsis possible");

    let case = arm.opens("67482", ill()).await?;
    let below = pb::QualifyRequest {
        answers: heard.clone(),
        lower_reason: "elle va mieux".to_owned(),
        ..qualified(Priority::P2, "M03.14")
    };
    let refusal = arm.qualifies(&case, below.clone()).await.refused();
    assert_eq!(refusal.fields, ["priority"]);
    assert!(refusal.message.contains("FIA.CONFUSION of FIEVRE_ADULTE"), "{}", refusal.message);

    let up = pb::QualifyRequest { answers: heard, ..qualified(Priority::P1, "M03.14") };
    let case = arm.qualifies(&case, up).await?;
    let known = case.qualification.as_ref().unwrap();
    assert_eq!(known.flags().collect::<Vec<_>>(), [Flag::RedFlag], "noted without the ARM saying so");
    assert_eq!(known.proposal.as_ref().unwrap().red_flags[0].rule, "FIA.CONFUSION");
    assert_eq!(case.answers.len(), 2);
    // What was heard stays heard: the same without the answers is refused as well.
    let again = pb::QualifyRequest { answers: Vec::new(), ..below.clone() };
    assert_eq!(arm.qualifies(&case, again).await.refused().fields, ["priority"]);
    let case = reg.qualifies(&case, below).await?;
    let known = case.qualification.as_ref().unwrap();
    assert_eq!((known.priority(), known.lowered), (Priority::P2, true));
    assert_eq!(case.notes_of(NoteKind::Reason), ["elle va mieux"]);
    room.closes().await
}

/// Found by reading: the answer taken back, or another motive, made a red flag unheard.
#[tokio::test]
async fn a_red_flag_stays_heard_when_the_answer_or_the_motive_is_changed() -> Story {
    let room = room().await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill()).await?;
    let heard = vec![choice("PLAINTE", "FIEVRE"), yes("FIA.CONFUSION")];
    let case = arm.qualifies(&case, pb::QualifyRequest { answers: heard, ..qualified(Priority::P1, "M03.14") }).await?;
    let unsaid = ProtocolAnswer { question: "FIA.CONFUSION".to_owned(), value: Some(Value::Yes(false)) };
    let taken_back = pb::QualifyRequest { answers: vec![unsaid], ..qualified(Priority::P2, "M03.14") };
    let refusal = arm.qualifies(&case, taken_back.clone()).await.refused();
    assert_eq!(refusal.fields, ["priority"]);
    assert!(refusal.message.contains("FIA.CONFUSION of FIEVRE_ADULTE"), "{}", refusal.message);
    let other = pb::QualifyRequest { lower_reason: "conseil".to_owned(), ..qualified(Priority::P2, "M06.02") };
    assert_eq!(arm.qualifies(&case, other).await.refused().fields, ["priority"]);

    // A regulator may, and from then on the front line too.
    let case = reg.qualifies(&case, taken_back.clone()).await?;
    assert_eq!(case.qualification.as_ref().unwrap().priority(), Priority::P2);
    let case = arm.qualifies(&case, taken_back).await?;
    assert_eq!(case.qualification.as_ref().unwrap().priority(), Priority::P2);
    room.closes().await
}

#[tokio::test]
async fn down_from_a_default_takes_a_reason_and_up_takes_none() -> Story {
    let room = room().await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let down = qualified(Priority::P2, "M03.06");
    let refusal = arm.qualifies(&case, down.clone()).await.refused();
    assert_eq!(refusal.fields, ["lower_reason"], "a chest pain is P1 until asked: {}", refusal.message);
    let case = arm.qualifies(&case, pb::QualifyRequest { lower_reason: "DOULEUR_ANCIENNE".to_owned(), ..down }).await?;
    assert!(case.qualification.as_ref().unwrap().lowered);
    assert_eq!(case.notes_of(NoteKind::Reason), ["DOULEUR_ANCIENNE"]);
    let other = arm.opens("67482", ill()).await?;
    let other = arm.qualifies(&other, qualified(Priority::P1, "M03.14")).await?;
    assert!(!other.qualification.as_ref().unwrap().lowered);
    room.closes().await
}

#[tokio::test]
async fn a_wrong_answer_is_named_and_a_p0_goes_through_with_it() -> Story {
    let room = room().await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let number = ProtocolAnswer { question: "TEMP".to_owned(), value: Some(Value::Number(390.0)) };
    let wrong = pb::QualifyRequest {
        answers: vec![yes("FIE.INVENTEE"), number, yes("VIT.RESPIRATION")],
        ..qualified(Priority::P2, "M03.14")
    };
    let refusal = arm.qualifies(&case, wrong.clone()).await.refused();
    assert_eq!(refusal.fields, ["answers[0].question", "answers[1].value", "answers[2].value"]);
    let vital = pb::QualifyRequest { priority: Priority::P0.into(), ..wrong };
    let told = arm.qualifies_with_receipt(&case, vital).await?;
    let codes: Vec<_> = told.receipt.unwrap().warnings.into_iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["ANSWER_DROPPED"; 3]);
    assert_eq!(told.case.unwrap().to_do(), [ActionKind::HandOver]);
    room.closes().await
}

#[tokio::test]
async fn who_can_wait_is_rung_at_an_agreed_hour_and_who_does_not_answer_is_regulated() -> Story {
    let room = room().await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill()).await?;
    let unasked = arm.qualifies(&case, qualified(Priority::P3, "M03.14")).await.refused();
    assert_eq!(unasked.fields, ["priority"], "signs of gravity were not asked");
    let answers = nothing_worries(&arm, "M03.14", "GORGE").await?;
    let deferred = pb::QualifyRequest { answers, ..qualified(Priority::P3, "M03.14") };
    let late = pb::QualifyRequest { appointment_unix_ms: room.today("19:00"), ..deferred.clone() };
    assert_eq!(arm.qualifies(&case, late).await.refused().fields, ["appointment_unix_ms"]);
    let agreed = pb::QualifyRequest { appointment_unix_ms: room.today("12:00"), ..deferred };
    let case = arm.qualifies(&case, agreed).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate, ActionKind::TelephoneAppointment]);
    assert_eq!(room.clock_at(case.action(ActionKind::TelephoneAppointment).deadline_unix_ms), "12:00");

    // Noon: nobody lifts the telephone.
    let case = reg.ends(&case, ActionKind::TelephoneAppointment, ActionEnd::Unreachable).await?;
    let known = case.qualification.as_ref().unwrap();
    assert_eq!((known.priority(), known.flags().collect::<Vec<_>>()), (Priority::P2, vec![Flag::LostCall]));
    assert_eq!(case.to_do(), [ActionKind::Regulate]);
    assert_eq!(reg.claims_next(Stream::Snp).await?.unwrap().case_id, case.case_id);
    room.closes().await
}

/// Somebody calls whom nobody has heard of before.
async fn stranger(arm: &Person, number: u8) -> Result<pb::CaseView, sas_dispatch::grpc::client::Status> {
    let who = pb::Patient { name: format!("Personne {number}"), birth_date: format!("1980-01-{number:02}"), ..ill() };
    arm.opens_from(&format!("06 39 98 02 {number:02}"), "67482", who).await
}

#[tokio::test]
async fn who_calls_in_a_quiet_hour_is_regulated_in_his_turn_and_in_a_busy_one_is_rung_later() -> Story {
    let mut config = shipped().with_unsigned_protocols();
    config.territories.values_mut().for_each(|ground| Arc::make_mut(ground).0.regulation.p3.waiting_from = 2);
    let room = Room::configured(config, Ground::Embedded, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let answers = nothing_worries(&arm, "M03.14", "GORGE").await?;
    let deferred = pb::QualifyRequest { answers: answers.clone(), ..qualified(Priority::P3, "M03.14") };

    // Nobody waits: what is proposed is what becomes of it.
    let proposal = proposes(&arm, "M03.14", &answers).await?.proposal.unwrap();
    assert_eq!((proposal.priority(), proposal.window_ms), (Priority::P2, 0));
    let rule = proposal.rule.unwrap();
    assert_eq!((rule.protocol.as_str(), rule.rule.as_str()), ("SERVICE", "SALLE_CALME"));
    assert!(rule.reason.starts_with("P3 possible, mais trop peu"), "{}", rule.reason);
    let first = stranger(&arm, 1).await?;
    let told = arm.qualifies_with_receipt(&first, deferred.clone()).await?;
    let codes: Vec<_> = told.receipt.unwrap().warnings.into_iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["P3_LIFTED"]);
    let first = told.case.unwrap();
    let known = first.qualification.as_ref().unwrap();
    assert_eq!((known.priority(), known.waiting, known.quiet, known.lowered), (Priority::P2, Some(0), true, false));
    assert_eq!(known.proposal.as_ref().unwrap().rule.as_ref().unwrap().rule, "SALLE_CALME");
    assert_eq!(first.to_do(), [ActionKind::Regulate]);

    // With one more who waits the room is busy; who is deferred already does not count, nor does the case itself.
    arm.qualifies(&stranger(&arm, 2).await?, qualified(Priority::P2, "M03.14")).await?;
    assert_eq!(proposes(&arm, "M03.14", &answers).await?.proposal.unwrap().priority(), Priority::P3);
    let third = arm.qualifies(&stranger(&arm, 3).await?, deferred.clone()).await?;
    let known = third.qualification.as_ref().unwrap();
    assert_eq!((known.priority(), known.waiting, known.quiet), (Priority::P3, Some(2), false));
    assert_eq!(third.to_do(), [ActionKind::Regulate, ActionKind::TelephoneAppointment]);
    reg.claims_next(Stream::Snp).await?.unwrap();
    let known = arm.qualifies(&stranger(&arm, 4).await?, deferred.clone()).await?.qualification.unwrap();
    assert_eq!((known.priority(), known.waiting), (Priority::P2, Some(1)), "one waits, and one is deferred");
    reg.claims_next(Stream::Snp).await?.unwrap();
    reg.claims_next(Stream::Snp).await?.unwrap();
    let third = arm.qualifies(&third, deferred.clone()).await?;
    assert_eq!(third.qualification.as_ref().unwrap().waiting, Some(0), "deferred before, and now there is time");
    assert_eq!(third.to_do(), [ActionKind::Regulate]);

    // How long somebody may wait is the regulator's to say.
    let fifth = reg.qualifies(&stranger(&arm, 5).await?, deferred).await?;
    assert_eq!(fifth.qualification.unwrap().priority(), Priority::P3);
    room.closes().await
}

#[tokio::test]
async fn the_hour_of_an_appointment_raises_an_alarm() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, chief) = (room.arm("arm-1"), room.supervisor("chief-1"));
    let case = arm.opens("67482", ill()).await?;
    let agreed = pb::QualifyRequest {
        appointment_unix_ms: room.today("10:30"),
        symptoms: true,
        ..qualified(Priority::P3, "M06.02")
    };
    arm.qualifies(&case, agreed).await?;
    room.wait(Span::from_mins(31)).await;
    let rung: Vec<_> = chief.alarms().await?.iter().map(|alarm| alarm.action.as_ref().unwrap().kind()).collect();
    assert!(rung.contains(&ActionKind::TelephoneAppointment), "{rung:?}");
    room.closes().await
}

#[tokio::test]
async fn a_motive_that_the_territory_does_not_defer_is_not_deferred() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    for (motive, why) in [("M03.06", "regulation.p3.motives"), ("M03.16", "psychiatric"), ("M04.01", "psychiatric")] {
        let refusal = arm.qualifies(&case, qualified(Priority::P3, motive)).await.refused();
        assert_eq!(refusal.fields, ["priority"]);
        assert!(refusal.message.contains(why), "{}", refusal.message);
    }
    let psychiatric = pb::QualifyRequest { stream: Stream::Psy.into(), ..qualified(Priority::P3, "M03.14") };
    assert_eq!(arm.qualifies(&case, psychiatric).await.refused().fields, ["priority"]);
    room.closes().await
}

#[tokio::test]
async fn a_suicidal_call_that_breaks_off_alarms_at_once() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (pbx, arm, chief) = (room.telephony(), room.arm("arm-1"), room.supervisor("chief-1"));
    let rang = pbx.call("call-1", CallEventKind::Ringing).await?;
    pbx.call("call-1", CallEventKind::Answered).await?;
    let case = arm.reads_id(&rang.case_id).await?;
    let said = pb::QualifyRequest { stream: Stream::Psy.into(), symptoms: false, ..qualified(Priority::P2, "M03.16") };
    arm.qualifies(&case, said).await?;
    assert_eq!(chief.alarms().await?, []);
    pbx.call("call-1", CallEventKind::HungUp).await?;
    let alarms = chief.alarms().await?;
    assert_eq!(alarms[0].action.as_ref().unwrap().kind(), ActionKind::CallBack, "not in ten minutes: now");
    let case = arm.reads_id(&rang.case_id).await?;
    let known = case.qualification.as_ref().unwrap();
    assert_eq!((known.priority(), known.stream()), (Priority::P1, Stream::Psy));
    assert!(known.flags().any(|flag| flag == Flag::LostCall));
    room.closes().await
}

#[tokio::test]
async fn a_protocol_that_nobody_has_signed_is_off_and_says_so() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let proposal = proposes(&arm, "M03.06", &[]).await?.proposal.unwrap();
    assert_eq!((proposal.priority(), proposal.off_protocols), (Priority::P2, vec!["THORAX".to_owned()]));
    let listed =
        ask!(arm, regulation, list_protocols, pb::ListProtocolsRequest { page_size: 200, ..Default::default() })?;
    assert!(listed.protocols.iter().all(|known| !known.in_force && known.committee.is_empty()));
    let sources = listed.protocols.iter().flat_map(|known| &known.sources);
    let opened: Vec<_> = sources.map(|source| source.opened.as_str()).collect();
    let dates = opened.iter().filter(|date| date.parse::<chrono::NaiveDate>().is_ok()).count();
    let never = opened.iter().filter(|date| date.is_empty()).count();
    assert!(dates > 0 && dates + never == opened.len(), "{opened:?}");
    let shipped = crate::support::room::shipped();
    let book = shipped.territories[&"fr-67".parse().unwrap()].0.book.clone();
    let told =
        book.protocols().iter().flat_map(|known| &known.sources).filter(|source| source.opened.is_some()).count();
    assert_eq!(dates, told, "as the files say");
    // The ARM's own judgement stands.
    let case = arm.opens("67482", ill()).await?;
    let case = arm.qualifies(&case, qualified(Priority::P2, "M03.06")).await?;
    assert_eq!(case.qualification.as_ref().unwrap().proposal, None);

    let demo = self::room().await;
    let proposal = proposes(&demo.arm("arm-1"), "M03.06", &[]).await?.proposal.unwrap();
    assert_eq!((proposal.priority(), proposal.unsigned_protocols), (Priority::P1, vec!["THORAX".to_owned()]));
    demo.closes().await?;
    room.closes().await
}

//! Hanging up never ends a case.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::Code,
        pb::{
            ActionEnd, ActionKind, Attribution, CallEventKind, CaseStatus, DismissCaseRequest, Flag,
            GetIndicatorsRequest, LineState, Priority, ReportCallEventRequest, Stream,
        },
    },
};

use crate::support::room::{Ground, Person, Refused, Room, Seen, Story, ask, qualified};

#[rstest]
#[tokio::test]
async fn a_caller_who_hangs_up_before_the_answer_is_rung_back(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (pbx, arm, chief) = (room.telephony(), room.arm("arm-1"), room.supervisor("chief-1"));
    let rang = pbx.call("call-1", CallEventKind::Ringing).await?;
    assert_eq!(arm.reads_id(&rang.case_id).await?.to_do(), [ActionKind::AnswerCall]);
    room.wait(Span::from_secs(40)).await;
    let gone = pbx.call("call-1", CallEventKind::HungUp).await?;
    assert_eq!(gone.case_id, rang.case_id, "one call, one case");

    let case = arm.reads_id(&rang.case_id).await?;
    assert_eq!((case.to_do(), case.line()), (vec![ActionKind::CallBack], LineState::CallBack));
    assert_eq!(case.status(), CaseStatus::Active);
    // Nobody rings back in ten minutes: an alarm.
    room.wait(Span::from_mins(11)).await;
    assert_eq!(chief.alarms().await?[0].action.as_ref().unwrap().kind(), ActionKind::CallBack);

    // The caller is reached and tells what it was.
    let case = arm.ends(&case, ActionKind::CallBack, ActionEnd::Done).await?;
    assert_eq!(case.status(), CaseStatus::Active, "reached is not yet qualified: {:?}", case.to_do());
    let case = arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate]);
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn a_call_lost_after_a_symptom_goes_to_a_doctor(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (pbx, arm, reg) = (room.telephony(), room.arm("arm-1"), room.regulator("reg-1"));
    let call = pbx.call("call-7", CallEventKind::Ringing).await?;
    pbx.call("call-7", CallEventKind::Answered).await?;
    let case = arm.reads_id(&call.case_id).await?;
    assert_eq!(case.to_do(), [ActionKind::Qualify]);
    arm.qualifies(&case, qualified(Priority::P2, "M03.21")).await?;
    pbx.call("call-7", CallEventKind::HungUp).await?;

    let case = arm.reads(&case).await?;
    let qualification = case.qualification.as_ref().unwrap();
    assert!(qualification.flags().any(|flag| flag == Flag::LostCall));
    assert_eq!(case.to_do(), [ActionKind::Regulate, ActionKind::CallBack]);
    // Nobody ends it without a doctor, and a failed call-back does not either.
    let dismiss = DismissCaseRequest {
        command_id: arm.act(),
        case_id: case.case_id.clone(),
        attribution: Attribution::Silent.into(),
        ..Default::default()
    };
    assert_eq!(ask!(arm, intake, dismiss_case, dismiss).refused().reason, "WRONG_STATE");
    let case = arm.ends(&case, ActionKind::CallBack, ActionEnd::Unreachable).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate]);
    assert_eq!(reg.claims_next(Stream::Snp).await?.unwrap().case_id, case.case_id);
    room.closes().await
}

#[tokio::test]
async fn a_caller_who_is_back_on_the_line_goes_on_where_he_was() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (pbx, arm) = (room.telephony(), room.arm("arm-1"));
    let call = pbx.call("call-3", CallEventKind::Ringing).await?;
    pbx.call("call-3", CallEventKind::HungUp).await?;
    pbx.call("call-3", CallEventKind::Reconnected).await?;
    let case = arm.reads_id(&call.case_id).await?;
    assert_eq!((case.line(), case.to_do()), (LineState::OnLine, vec![ActionKind::Qualify]));

    // An event of a call nobody had reported still makes a case; nothing is lost.
    let late = pbx.call("call-4", CallEventKind::HungUp).await?;
    assert!(late.receipt.unwrap().warnings.iter().any(|warning| warning.code == "CALL_OPENED_LATE"));
    assert_eq!(arm.reads_id(&late.case_id).await?.to_do(), [ActionKind::CallBack]);
    // A call reported twice is one case.
    let twice = pbx.call("call-3", CallEventKind::Ringing).await?;
    assert_eq!(twice.case_id, call.case_id);
    room.closes().await
}

/// Found by an integrator: with an exchange connected no agreed hour outlived the end of the call in which it was agreed.
#[tokio::test]
async fn who_was_told_when_he_will_be_rung_hangs_up_and_is_rung_then() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (pbx, arm, reg) = (room.telephony(), room.arm("arm-1"), room.regulator("reg-1"));
    let call = pbx.call("call-5", CallEventKind::Ringing).await?;
    pbx.call("call-5", CallEventKind::Answered).await?;
    let case = arm.reads_id(&call.case_id).await?;
    let agreed = qualified(Priority::P3, "M03.21");
    let case = arm.qualifies(&case, agreed).await?;
    let told = case.to_do();
    assert!(told.contains(&ActionKind::TelephoneAppointment));
    pbx.call("call-5", CallEventKind::HungUp).await?;
    let case = arm.reads(&case).await?;
    assert_eq!((case.to_do(), case.line()), (told, LineState::CallBack), "his call ended as agreed");
    assert_eq!(case.qualification.as_ref().unwrap().priority(), Priority::P3);
    let case = reg.claims(&case).await?;
    pbx.call("call-5", CallEventKind::HungUp).await?;
    assert!(arm.reads(&case).await?.to_do().contains(&ActionKind::CallBack), "the line broke while a doctor spoke");
    room.closes().await
}

/// Found by an integrator: he was on the line, and nobody was asked but to ring him back.
#[tokio::test]
async fn a_caller_who_is_answered_after_all_is_qualified_and_not_rung_back() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (pbx, arm) = (room.telephony(), room.arm("arm-1"));
    let call = pbx.call("call-8", CallEventKind::Ringing).await?;
    pbx.call("call-8", CallEventKind::HungUp).await?;
    pbx.call("call-8", CallEventKind::Answered).await?;
    let case = arm.reads_id(&call.case_id).await?;
    assert_eq!((case.line(), case.to_do()), (LineState::OnLine, vec![ActionKind::Qualify]));
    room.closes().await
}

/// Found by an integrator: it was refused, and its case stood there with a caller on the line.
#[tokio::test]
async fn a_supervisor_who_reports_a_lost_call_opens_a_case_whose_caller_is_gone() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (chief, arm) = (room.supervisor("chief-1"), room.arm("arm-1"));
    let told = at(&chief, "call-9", CallEventKind::HungUp, 0);
    let gone = ask!(chief, telephony, report_call_event, told.clone())?;
    let repeated = ask!(chief, telephony, report_call_event, told)?;
    assert!(repeated.receipt.unwrap().replayed && repeated.case_id == gone.case_id, "the answer was lost");
    let case = arm.reads_id(&gone.case_id).await?;
    assert_eq!((case.line(), case.to_do()), (LineState::CallBack, vec![ActionKind::CallBack]));
    let again = chief.call("call-9", CallEventKind::Answered).await.refused();
    assert_eq!(again.code, Code::PermissionDenied, "what follows is for the room");
    room.closes().await
}

fn at(pbx: &Person, call: &str, event: CallEventKind, happened_unix_ms: i64) -> ReportCallEventRequest {
    ReportCallEventRequest {
        command_id: pbx.act(),
        call_id: call.to_owned(),
        event: event.into(),
        caller_number: "06 39 98 00 02".to_owned(),
        happened_unix_ms,
        ..Default::default()
    }
}

/// Found by an integrator: a short call told twice was two, and who had hung up was on the line.
#[tokio::test]
async fn the_events_of_one_call_keep_their_order_where_the_exchange_is_a_little_ahead() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (pbx, arm) = (room.telephony(), room.arm("arm-1"));
    let rings = room.now().unix_ms() + 1_500;
    let tell = async |event, happened| ask!(pbx, telephony, report_call_event, at(&pbx, "call-10", event, happened));
    let call = tell(CallEventKind::Ringing, rings).await?;
    tell(CallEventKind::HungUp, rings + 300).await?;
    for (event, told, code) in
        [(CallEventKind::Ringing, rings, "CALL_KNOWN"), (CallEventKind::Answered, rings + 100, "OUT_OF_ORDER")]
    {
        let again = tell(event, told).await?;
        assert_eq!((&again.case_id, &*again.receipt.unwrap().warnings[0].code), (&call.case_id, code));
    }
    let case = arm.reads_id(&call.case_id).await?;
    assert_eq!((case.line(), case.to_do()), (LineState::CallBack, vec![ActionKind::CallBack]));
    room.closes().await
}

/// Found by an integrator: an exchange that told of two calls two minutes later had kept both callers waiting for as long.
#[tokio::test]
async fn how_long_a_caller_waited_is_told_by_the_clock_that_saw_him_wait() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (pbx, chief) = (room.telephony(), room.supervisor("chief-1"));
    let began = room.now().unix_ms() - 120_000;
    for (call, event, waited) in
        [("call-11", CallEventKind::Answered, 5_000), ("call-12", CallEventKind::HungUp, 2_000)]
    {
        ask!(pbx, telephony, report_call_event, at(&pbx, call, CallEventKind::Ringing, began))?;
        ask!(pbx, telephony, report_call_event, at(&pbx, call, event, began + waited))?;
    }
    let mut days = ask!(chief, supervision, get_indicators, GetIndicatorsRequest::default())?.days;
    let known = days.remove(0).indicators.unwrap();
    let within: Vec<_> = known.answered_within.iter().map(|row| row.calls).collect();
    assert_eq!((known.answered, within), (1, vec![1, 1, 1]));
    assert_eq!((known.abandoned, known.abandoned_without_early), (1, 0));
    room.closes().await
}

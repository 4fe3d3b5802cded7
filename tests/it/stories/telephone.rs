//! Hanging up never ends a case.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{
        ActionEnd, ActionKind, Attribution, CallEventKind, CaseStatus, DismissCaseRequest, Flag, LineState, Priority,
        Stream,
    },
};

use crate::support::room::{Ground, Refused, Room, Seen, Story, ask, qualified};

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
    arm.qualifies(&case, qualified(Priority::P3, "M03.21")).await?;
    pbx.call("call-7", CallEventKind::HungUp).await?;

    let case = arm.reads(&case).await?;
    let qualification = case.qualification.as_ref().unwrap();
    assert!(qualification.flags().any(|flag| flag == Flag::LostCall));
    assert_eq!(qualification.priority(), Priority::P2, "it may no longer be deferred");
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

//! When there is nobody in time: the doctor answers otherwise and says why, or the case is called out as unanswered.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::{Code, Status},
        pb::{
            self, ActionKind, CareLevel, CareType, CaseStatus, LongestDelay, Priority, RouteCategory, Stream,
            SupplyReason, WhyNot,
        },
    },
};

use crate::support::room::{Ground, Person, Refused, Room, Route, Seen, Story, ill, need, qualified};

const AUXERRE: &str = "89024";
const ABDOMINAL_PAIN: &str = "M03.20";

/// Auxerre at lunch time: every practice is closed until two o'clock.
async fn a_case_that_must_be_seen_within_the_hour(reg: &Person, room: &Room) -> Result<pb::CaseView, Status> {
    let arm = room.arm("arm-1");
    let case = arm.opens(AUXERRE, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, ABDOMINAL_PAIN)).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H1)).await
}

#[rstest]
#[tokio::test]
async fn no_slot_before_the_deadline_so_the_doctor_answers_otherwise_and_says_why(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-89", "2024-12-19 12:35").await;
    let tomorrow = room.wall("2024-12-20 09:00");
    room.back_office().publishes("gp-89-etang", tomorrow).await?;
    let reg = room.regulator("reg-1");
    let case = a_case_that_must_be_seen_within_the_hour(&reg, &room).await?;

    let plan = reg.sees_plan(&case).await?;
    assert_eq!(plan.kept(), []);
    assert_eq!(plan.why_not(RouteCategory::SasSlot, "gp-89-etang"), WhyNot::SlotAfterDeadline);
    assert_eq!(plan.why_not(RouteCategory::OwnGp, ""), WhyNot::NoOwnGp);

    // Another answer than the need wants a reason, and the reason is always the supply.
    let refusal = reg.answers(&case, CareType::EmergencyDepartment).await.refused();
    assert_eq!((refusal.code, refusal.fields), (Code::InvalidArgument, vec!["supply_reason".to_owned()]));
    let reason = SupplyReason::NoneBeforeDeadline;
    let case = reg.answers_because(&case, CareType::EmergencyDepartment, reason).await?;
    let decision = case.decision();
    let need = decision.need.as_ref().unwrap();
    assert_eq!(need.care(), CareType::Consultation, "what was needed is never overwritten");
    assert_eq!(decision.answer.as_ref().unwrap().supply_reason(), reason);
    assert_eq!(case.to_do(), [ActionKind::AnnouncePatient], "the department's word is awaited");
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn nobody_is_left_so_an_alarm_sounds_and_a_regulator_decides_again(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-89", "2024-12-19 12:35").await;
    let (reg, osnp, chief) = (room.regulator("reg-1"), room.coordinator("osnp-1"), room.supervisor("chief-1"));
    let case = a_case_that_must_be_seen_within_the_hour(&reg, &room).await?;
    let case = reg.answers(&case, CareType::Consultation).await?;

    let advanced = osnp.advances(&case).await?;
    assert!(advanced.unanswered && advanced.offer.is_none());
    let lane = osnp.unanswered().await?;
    assert_eq!(lane.iter().map(|case| &case.case_id).collect::<Vec<_>>(), [&case.case_id]);
    let alarms = chief.alarms().await?;
    let alarmed = alarms.iter().map(|alarm| alarm.action.as_ref().unwrap().kind()).collect::<Vec<_>>();
    assert_eq!(alarmed, [ActionKind::Unanswered], "the alarm sounds at once");

    // The case is not over: it waits for a regulator again, in the queue, ahead of nobody it should not overtake.
    let case = osnp.reads(&case).await?;
    assert_eq!((case.status(), case.to_do()), (CaseStatus::Active, vec![ActionKind::Unanswered, ActionKind::Regulate]));
    let case = reg.claims_next(Stream::Snp).await?.expect("it came back");
    let ambulance = need(CareType::Ambulance, CareLevel::R2, LongestDelay::H1);
    let case = reg.signs_need_saying(&case, ambulance, "Personne avant 14 h, douleur croissante").await?;
    assert_eq!(case.to_do(), [ActionKind::AwaitReport]);
    assert_eq!(osnp.unanswered().await?, []);
    assert_eq!(case.decisions.len(), 2, "both decisions stay");
    room.wait(Span::from_mins(5)).await;
    room.closes().await
}

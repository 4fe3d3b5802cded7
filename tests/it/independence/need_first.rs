//! The need comes first, and stays: no plan before it, and no supply, however bad, takes it back.

use sas_dispatch::grpc::pb::{
    self, ActionKind, CareLevel, CareType, LongestDelay, Priority, RouteCategory, Stream, SupplyReason,
};

use crate::support::room::{Patient, Refused, Room, Route, Seen, Story, ask, ill, need, qualified};

const MORNING: &str = "2024-12-19 10:00";

#[tokio::test]
async fn there_is_no_plan_before_the_need_is_signed() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let (arm, doctor) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill().of("gp-67-houblon")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = doctor.claims(&case).await?;
    // No decision exists, so there is none to name: neither the case's own id nor an invented one is taken for one.
    for decision_id in ["", &case.case_id, "01940000-0000-7000-8000-000000000000"] {
        let asked = pb::ExplainPlanRequest {
            case_id: case.case_id.clone(),
            decision_id: decision_id.to_owned(),
            at_least_seq: 0,
        };
        let refusal = ask!(doctor, routing, explain_plan, asked).refused();
        assert!(["NOT_FOUND", "WRONG_FIELDS"].contains(&refusal.reason.as_str()), "{refusal:?}");
        let advance = pb::AdvanceRequest {
            command_id: doctor.act(),
            case_id: case.case_id.clone(),
            decision_id: decision_id.to_owned(),
            ..Default::default()
        };
        ask!(doctor, routing, advance, advance).refused();
    }
    let seen = doctor.reads(&case).await?;
    assert!(seen.routes.is_empty() && seen.offers.is_empty() && seen.decisions.is_empty());
    let signed = doctor.signs_need(&seen, need(CareType::Consultation, CareLevel::R3, LongestDelay::H24)).await?;
    assert!(!doctor.sees_plan(&signed).await?.rows.is_empty());
    room.closes().await
}

#[tokio::test]
async fn no_supply_takes_a_signed_need_back() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let (arm, doctor, coordinator) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let slot = room.back_office().publishes("gp-67-houblon", room.today("14:00")).await?;
    let case = arm.opens("67482", ill().of("gp-67-houblon")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = doctor.claims_next(Stream::Snp).await?.unwrap();
    let case = doctor.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    let (wanted, signature) = (case.decision().need.clone(), case.decision().signed.clone());
    let unchanged = |case: &pb::CaseView| {
        let decision = &case.decisions[0];
        assert_eq!((&decision.need, &decision.signed), (&wanted, &signature));
    };
    // Another care than was needed is done only for a reason of supply.
    let refusal = doctor.answers(&case, CareType::HomeVisit).await.refused();
    assert_eq!(refusal.fields, ["supply_reason"], "{refusal:?}");
    let case = doctor.answers_because(&case, CareType::Consultation, SupplyReason::Unspecified).await?;
    unchanged(&case);
    room.back_office().withdraws(&slot).await?;
    let mut refused = 0;
    loop {
        let put = coordinator.advances(&case).await?;
        unchanged(&coordinator.reads(&case).await?);
        match put.offer {
            Some(offer) if refused % 2 == 0 => drop(coordinator.hears_digit(&offer, 2).await?),
            Some(offer) => drop(coordinator.hears_nobody(&offer).await?),
            None => break,
        }
        refused += 1;
        assert!(refused < 200, "responders without end");
    }
    assert!(refused >= 3, "only {refused} responders were asked");
    let seen = coordinator.reads(&case).await?;
    unchanged(&seen);
    assert!(seen.to_do().contains(&ActionKind::Unanswered));
    assert!(seen.routes[0].plan.as_ref().unwrap().kept().is_empty());
    // Deciding otherwise is another decision beside the first.
    let again = doctor.claims(&seen).await?;
    let visit = need(CareType::HomeVisit, CareLevel::R3, LongestDelay::H8);
    let again = doctor.signs_need(&again, visit).await?;
    unchanged(&again);
    assert_eq!(again.decisions.len(), 2);
    assert!(seen.offers.iter().all(|offer| offer.category() != RouteCategory::HomeVisit));
    room.closes().await
}

//! A responder gives other care than was decided: written beside the decision, seen by a regulator.

use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::Status,
        pb::{
            self, ActionEnd, ActionKind, CareLevel, CareType, CounterReason, LongestDelay, NoteKind, Priority, Stream,
            VisitStatus,
        },
    },
};

use crate::support::room::{Person, Refused, Room, Seen, Story, ill, need, qualified};

const SOS: &str = "sos-medecins-strasbourg";

/// A visit that has ended and whose report is to come.
async fn visited(room: &Room, doctor: &Person) -> Result<(pb::CaseView, pb::Mission), Status> {
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let shift = doctor.goes_on_duty(SOS, "strasbourg-centre", room.wall("2024-12-23 08:00")).await?;
    doctor.is_at(&shift, 48.58, 7.75).await?;
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.12")).await?;
    let case = reg.claims(&case).await?;
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    osnp.advances(&case).await?;
    let [mission] = doctor.missions(SOS).await?.try_into().unwrap();
    let mission = doctor.takes(&mission, &shift).await?;
    for step in [VisitStatus::EnRoute, VisitStatus::Arrived, VisitStatus::WithPatient, VisitStatus::Finished] {
        room.wait(Span::from_mins(5)).await;
        doctor.moves(&mission, step).await?;
    }
    Ok((case, mission))
}

fn otherwise(care: CareType, reason: CounterReason) -> Option<pb::CounterRegulation> {
    let words = "Examen rassurant, conseils seulement".to_owned();
    Some(pb::CounterRegulation { care: care.into(), reasons: vec![reason.into()], words, ..Default::default() })
}

#[tokio::test]
async fn a_visiting_doctor_who_only_advises_is_seen_by_a_regulator() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let doctor = room.responder("dr-67-sos-aurore");
    let (reg, osnp) = (room.regulator("reg-2"), room.coordinator("osnp-1"));
    let (case, mission) = visited(&room, &doctor).await?;
    let same = doctor.reports_otherwise(&mission, "Vu.", otherwise(CareType::HomeVisit, CounterReason::Better)).await;
    assert_eq!(same.refused().fields, ["counter_regulation.care"]);
    let unsaid = Some(pb::CounterRegulation { care: CareType::Advice.into(), ..Default::default() });
    let unsaid = doctor.reports_otherwise(&mission, "Vu.", unsaid).await.refused();
    assert_eq!(unsaid.fields, ["counter_regulation.reasons"]);
    doctor.reports_otherwise(&mission, "Vu.", otherwise(CareType::Advice, CounterReason::Better)).await?;

    let case = osnp.reads(&case).await?;
    assert_eq!(case.to_do(), [ActionKind::SeeCounterRegulation]);
    let decision = case.decision();
    assert_eq!(decision.answer.as_ref().unwrap().care(), CareType::HomeVisit, "what was signed stays");
    let counter = decision.counter_regulation.as_ref().unwrap();
    assert_eq!((counter.care(), counter.by.as_str()), (CareType::Advice, "dr-67-sos-aurore"));
    assert_eq!(case.notes_of(NoteKind::CounterRegulation), ["Examen rassurant, conseils seulement"]);
    let not_hers = osnp.ends(&case, ActionKind::SeeCounterRegulation, ActionEnd::Done).await.refused();
    assert_eq!(not_hers.reason, "WRONG_ROLE");
    let case = reg.ends(&case, ActionKind::SeeCounterRegulation, ActionEnd::Done).await?;
    assert_eq!(case.to_do(), []);
    room.closes().await
}

#[tokio::test]
async fn a_visiting_doctor_who_needs_an_ambulance_gets_a_regulators_decision_ahead_of_what_may_wait() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let doctor = room.responder("dr-67-sos-aurore");
    let reg = room.regulator("reg-2");
    let (case, mission) = visited(&room, &doctor).await?;
    doctor.reports_otherwise(&mission, "Grave.", otherwise(CareType::Ambulance, CounterReason::Worse)).await?;
    let case = reg.reads(&case).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate]);
    assert_eq!(case.qualification.as_ref().unwrap().priority(), Priority::P1);
    let case = reg.claims_next(Stream::Snp).await?.expect("it waits for a doctor");
    let case = reg.signs_need(&case, need(CareType::Ambulance, CareLevel::R2, LongestDelay::M30)).await?;
    assert_eq!(case.decisions.len(), 2);
    room.closes().await
}

#[tokio::test]
async fn an_ambulance_that_is_needed_comes_first_also_where_a_regulation_waits_already() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let doctor = room.responder("dr-67-sos-aurore");
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-2"));
    let (case, mission) = visited(&room, &doctor).await?;
    let other = arm.opens("67482", ill()).await?;
    arm.qualifies(&other, qualified(Priority::P2, "M03.12")).await?;
    // The family rings again, and it waits for a regulator behind the other.
    let again = arm.qualifies(&case, qualified(Priority::P2, "M03.12")).await?;
    assert!(again.to_do().contains(&ActionKind::Regulate));
    doctor.reports_otherwise(&mission, "Grave.", otherwise(CareType::Ambulance, CounterReason::Worse)).await?;
    let raised = reg.reads(&case).await?;
    let known = raised.qualification.as_ref().unwrap();
    assert_eq!(known.priority(), Priority::P1);
    assert!(known.due_unix_ms < again.qualification.as_ref().unwrap().due_unix_ms);
    let first = reg.claims_next(Stream::Snp).await?.expect("they wait for a doctor");
    assert_eq!(first.case_id, case.case_id, "not behind what may wait");
    room.closes().await
}

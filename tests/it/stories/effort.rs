//! What the service asks of a doctor's time: at most four fields an act, one call an act, nothing asked twice.

use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{
        self, ActionEnd, ActionKind, Attendance, CareLevel, CareType, LongestDelay, Priority, Stream, VisitStatus,
    },
};

use crate::support::room::{Patient, Person, Refused, Room, Seen, Story, ask, ill, need, qualified};

/// What a console knows by itself and no doctor types.
const FILLED_BY_THE_CONSOLE: [&str; 9] =
    ["command_id", "case_id", "version", "claim_no", "decision_id", "offer_id", "visit_id", "shift_id", "action_id"];

/// The fields somebody must fill in, as the service says when all are empty.
fn typed(refused: Vec<String>) -> Vec<String> {
    refused.into_iter().filter(|field| !FILLED_BY_THE_CONSOLE.contains(&field.as_str())).collect()
}

macro_rules! asked {
    ($person:expr, $service:ident, $rpc:ident, $request:expr) => {
        (stringify!($rpc), typed(ask!($person, $service, $rpc, $request).refused().fields))
    };
}

async fn asked_of_regulators(reg: &Person) -> Vec<(&'static str, Vec<String>)> {
    let empty_need = pb::SignNeedRequest { need: Some(pb::Need::default()), ..Default::default() };
    vec![
        asked!(reg, regulation, qualify, pb::QualifyRequest::default()),
        asked!(reg, regulation, claim_next, pb::ClaimNextRequest::default()),
        asked!(reg, regulation, claim, pb::ClaimRequest::default()),
        asked!(reg, regulation, release_claim, pb::ReleaseClaimRequest::default()),
        asked!(reg, regulation, accept_hand_over, pb::AcceptHandOverRequest::default()),
        asked!(reg, regulation, sign_need, empty_need),
        asked!(reg, regulation, sign_answer, pb::SignAnswerRequest::default()),
        asked!(reg, regulation, reorient, pb::ReorientRequest::default()),
        asked!(reg, regulation, transfer_case, pb::TransferCaseRequest::default()),
        asked!(reg, regulation, withdraw_transfer, pb::WithdrawTransferRequest::default()),
        asked!(reg, regulation, answer_transfer, pb::AnswerTransferRequest::default()),
        asked!(reg, regulation, end_action, pb::EndActionRequest::default()),
        asked!(reg, routing, explain_plan, pb::ExplainPlanRequest::default()),
    ]
}

async fn asked_of_responders(doctor: &Person) -> Vec<(&'static str, Vec<String>)> {
    vec![
        asked!(doctor, visits, open_shift, pb::OpenShiftRequest::default()),
        asked!(doctor, visits, accept_visit, pb::AcceptVisitRequest::default()),
        asked!(doctor, visits, decline_visit, pb::DeclineVisitRequest::default()),
        asked!(doctor, visits, progress_visit, pb::ProgressVisitRequest::default()),
        asked!(doctor, visits, report_visit, pb::ReportVisitRequest::default()),
        asked!(doctor, routing, answer_offer, pb::AnswerOfferRequest::default()),
        asked!(doctor, slots, publish_slot, pb::PublishSlotRequest::default()),
    ]
}

#[tokio::test]
async fn no_act_of_a_doctor_asks_for_more_than_four_fields() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let mut asked = asked_of_regulators(&room.regulator("reg-1")).await;
    asked.extend(asked_of_responders(&room.responder("dr-67-sos-aurore")).await);
    for (act, fields) in &asked {
        assert!(fields.len() <= 4, "{act} asks for {}: {fields:?}", fields.len());
    }
    let of = |act: &str| asked.iter().find(|(name, _)| *name == act).unwrap().1.clone();
    assert_eq!(of("sign_need"), ["need.care", "need.level", "need.longest_delay"]);
    assert_eq!(of("sign_answer"), ["care"]);
    assert_eq!(of("claim"), [""; 0]);
    assert_eq!(of("accept_visit"), [""; 0]);
    room.closes().await
}

/// The calls of a role between two moments.
fn since(room: &Room, before: &std::collections::BTreeMap<String, u32>) -> Vec<(String, u32)> {
    let less = |(role, count): (String, u32)| {
        let spent = count - before.get(&role).copied().unwrap_or_default();
        (role, spent)
    };
    room.calls().into_iter().map(less).filter(|(_, count)| *count > 0).collect()
}

fn spent(by: &[(&str, u32)]) -> Vec<(String, u32)> {
    by.iter().map(|(role, count)| ((*role).to_owned(), *count)).collect()
}

#[tokio::test]
async fn each_story_costs_few_calls() -> Story {
    let room = Room::at("fr-67", "2024-12-22 21:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let doctor = room.responder("dr-67-sos-aurore");
    let sos = "sos-medecins-strasbourg";

    // Advice: the ARM opens and qualifies; the doctor claims and signs.
    let before = room.calls();
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    reg.signs_need_saying(&case, need(CareType::Advice, CareLevel::R4, LongestDelay::H24), "Repos").await?;
    assert_eq!(since(&room, &before), spent(&[("Arm", 2), ("Regulator", 2)]));

    // A visit: the doctor at the desk claims, signs the need, sees the plan, signs the answer; the one on the road has
    // one call for each thing he says.
    let shift = doctor.goes_on_duty(sos, "strasbourg-centre", room.wall("2024-12-23 08:00")).await?;
    let before = room.calls();
    let case = arm.opens("67482", ill().of("gp-67-colombage")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    reg.sees_plan(&case).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    osnp.advances(&case).await?;
    let [mission] = doctor.missions(sos).await?.try_into().unwrap();
    doctor.takes(&mission, &shift).await?;
    for step in [VisitStatus::EnRoute, VisitStatus::Arrived, VisitStatus::WithPatient, VisitStatus::Finished] {
        room.wait(Span::from_mins(5)).await;
        doctor.moves(&mission, step).await?;
    }
    doctor.reports(&mission, "Vu, traité.").await?;
    let case = osnp.reads(&case).await?;
    osnp.ends(&case, ActionKind::ReturnOfInformation, ActionEnd::Done).await?;
    let costs = [("Arm", 2), ("Coordinator", 3), ("Regulator", 4), ("Responder", 7)];
    assert_eq!(since(&room, &before), spent(&costs));
    room.closes().await
}

#[tokio::test]
async fn an_appointment_with_the_own_gp_costs_nine_calls_in_all() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens("67482", ill().of("gp-67-colombage")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    reg.sees_plan(&case).await?;
    let case = reg.answers(&case, CareType::Consultation).await?;
    let ringing = osnp.advances(&case).await?.offer.unwrap();
    osnp.hears_digit(&ringing, 1).await?;
    let case = osnp.reads(&case).await?;
    osnp.records(&case, Attendance::Seen).await?;
    assert_eq!(osnp.reads(&case).await?.to_do(), []);
    assert_eq!(room.calls(), spent(&[("Arm", 2), ("Coordinator", 5), ("Regulator", 4)]).into_iter().collect());
    room.closes().await
}

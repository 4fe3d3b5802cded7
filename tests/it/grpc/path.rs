//! From the call to the doctor's decision.

use sas_dispatch::{domain::time::Span, grpc::pb};

use super::desk::{Desk, arm, person, reason, regulator};

fn advice(desk: &Desk, case: &pb::CaseView, claim_no: u64) -> pb::SignNeedRequest {
    pb::SignNeedRequest {
        command_id: desk.command(),
        case_id: case.case_id.clone(),
        version: case.version.clone(),
        claim_no,
        need: Some(pb::Need {
            care: pb::CareType::Advice as i32,
            level: pb::CareLevel::R4 as i32,
            longest_delay: pb::LongestDelay::Immediate as i32,
            ..pb::Need::default()
        }),
        note: "Paracétamol, rappeler si la fièvre dure.".to_owned(),
        ..pb::SignNeedRequest::default()
    }
}

#[tokio::test]
async fn a_call_ends_with_a_doctors_advice_in_four_calls() {
    let desk = Desk::start().await;
    let waiting = desk.waiting().await;
    assert_eq!(waiting.status(), pb::CaseStatus::Active);
    assert!(waiting.case_number.starts_with("DRFR15670"), "{}", waiting.case_number);
    let claimed = desk.claimed("regulator-1").await;
    let held = claimed.case.unwrap();
    assert_eq!(held.case_id, waiting.case_id);
    assert_eq!(claimed.lease_until_unix_ms, desk.clock.now().unix_ms() + 30_000);
    let signed =
        desk.regulation().sign_need(regulator(advice(&desk, &held, claimed.claim_no))).await.unwrap().into_inner();
    let case = signed.case.unwrap();
    assert_eq!(case.status(), pb::CaseStatus::Valid);
    assert!(case.claim.is_none());
    assert_eq!(case.decisions[0].decision_id, signed.decision_id);
    assert_eq!(case.decisions[0].answer.as_ref().unwrap().care(), pb::CareType::Advice);
    assert_eq!(case.notes[0].kind(), pb::NoteKind::Advice);
    let receipt = signed.receipt.unwrap();
    assert_eq!((receipt.seq, receipt.durability(), receipt.replayed), (4, pb::Durability::D1, false));
}

#[tokio::test]
async fn a_repeated_command_answers_the_same_receipt_and_another_request_under_it_is_refused() {
    let desk = Desk::start().await;
    let request = pb::OpenCaseRequest { command_id: desk.command(), vital: false, ..pb::OpenCaseRequest::default() };
    let first = desk.intake().open_case(arm(request.clone())).await.unwrap().into_inner();
    desk.pass(Span::from_mins(30));
    let again = desk.intake().open_case(arm(request.clone())).await.unwrap().into_inner();
    assert_eq!(again.case.unwrap().case_id, first.case.unwrap().case_id);
    let (first, again) = (first.receipt.unwrap(), again.receipt.unwrap());
    assert_eq!((again.seq, again.at_unix_ms, again.replayed), (first.seq, first.at_unix_ms, true));
    let other = pb::OpenCaseRequest { vital: true, ..request };
    let refused = desk.intake().open_case(arm(other)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (tonic::Code::InvalidArgument, "COMMAND_ID_REUSED"));
}

#[tokio::test]
async fn two_regulators_and_one_case() {
    let desk = Desk::start().await;
    let case = desk.waiting().await;
    let claim = |who| {
        let request =
            pb::ClaimRequest { command_id: desk.command(), case_id: case.case_id.clone(), version: Vec::new() };
        let mut regulation = desk.regulation();
        async move { regulation.claim(person(who, "REGULATOR", "fr-67", request)).await }
    };
    let (one, two) = tokio::join!(claim("regulator-1"), claim("regulator-2"));
    let refused = [one.err(), two.err()].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(refused.len(), 1, "one of them has it");
    assert_eq!(refused[0].code(), tonic::Code::FailedPrecondition);
    assert!(refused[0].message().contains("claim the next one"), "{}", refused[0].message());
    assert!(desk.claimed("regulator-3").await.case.is_none(), "nobody else waits");
}

#[tokio::test]
async fn a_lease_that_ended_is_told_and_the_words_are_kept() {
    let desk = Desk::start().await;
    desk.waiting().await;
    let claimed = desk.claimed("regulator-1").await;
    let held = claimed.case.unwrap();
    for _ in 0..2 {
        desk.pass(Span::from_secs(120));
        desk.engine.upkeep_once().await.unwrap();
    }
    let mut request = advice(&desk, &held, claimed.claim_no);
    request.version.clear();
    let refused = desk.regulation().sign_need(regulator(request)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (tonic::Code::FailedPrecondition, "NOT_HOLDER"));
    assert!(refused.message().contains("claim the case again"), "{}", refused.message());
    let get = pb::GetCaseRequest { case_id: held.case_id, at_least_seq: 0 };
    let case = desk.intake().get_case(regulator(get)).await.unwrap().into_inner().case.unwrap();
    assert!(case.decisions.is_empty());
    assert_eq!(case.notes[0].kind(), pb::NoteKind::Late);
    let renew = pb::RenewClaimRequest { case_id: case.case_id, claim_no: claimed.claim_no };
    let refused = desk.regulation().renew_claim(regulator(renew)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
}

#[tokio::test]
async fn a_message_of_the_hub_opens_a_case_and_its_foreign_motive_is_kept() {
    let desk = Desk::start().await;
    let message = std::fs::read("tests/data/hub/strasbourg-fever.json").unwrap();
    let text = String::from_utf8(message).unwrap().replace("M03.14", "M17.03.01");
    let request = pb::OpenCaseFromHubRequest { command_id: desk.command(), message: text.into_bytes() };
    let opened = desk.intake().open_case_from_hub(arm(request)).await.unwrap().into_inner();
    let (case, proposal) = (opened.case.unwrap(), opened.proposal.unwrap());
    assert_eq!(
        (case.channel(), case.opened_unix_ms),
        (pb::Channel::Hub, 1_735_203_660_000.min(desk.clock.now().unix_ms()))
    );
    let warnings = opened.receipt.unwrap().warnings;
    assert!(
        warnings.iter().any(|warning| warning.text.contains("M17.03.01 is not in the national list")),
        "{warnings:?}"
    );
    let request = pb::QualifyRequest { motive: proposal.motive, ..desk.qualification(&case.case_id) };
    let qualified = desk.regulation().qualify(arm(request)).await.unwrap().into_inner().case.unwrap();
    assert_eq!(qualified.qualification.unwrap().motive, "M17.03.01");
}

/// A message of our own with another priority, for another place and with so many patients.
fn foreign(name: &str, at: &str, priority: &str, patients: usize) -> serde_json::Value {
    let mut message: serde_json::Value =
        serde_json::from_slice(&std::fs::read(format!("tests/data/hub/{name}")).unwrap()).unwrap();
    let case = message.pointer_mut(at).unwrap();
    case["qualification"]["details"]["priority"] = priority.into();
    case["location"]["city"]["inseeCode"] = "89387".into();
    let patient = case["patient"][0].clone();
    case["patient"] = vec![patient; patients].into();
    message
}

#[tokio::test]
async fn a_vital_message_of_the_hub_is_opened_whatever_its_place_and_the_number_of_its_patients() {
    let desk = Desk::start().await;
    let give = |message: &serde_json::Value| pb::OpenCaseFromHubRequest {
        command_id: desk.command(),
        message: message.to_string().into_bytes(),
    };
    let whole = "/createCaseHealth";
    let urgent = give(&foreign("strasbourg-fever.json", whole, "P1", 21));
    let refused = desk.intake().open_case_from_hub(arm(urgent)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "where there is time, it is opened in its own territory");

    let vital = give(&foreign("strasbourg-fever.json", whole, "P0", 21));
    let opened = desk.intake().open_case_from_hub(arm(vital)).await.unwrap().into_inner();
    let (case, warnings) = (opened.case.unwrap(), opened.receipt.unwrap().warnings);
    assert_eq!((case.patients.len(), case.place.unwrap().commune), (20, String::new()));
    assert_eq!(case.qualification.unwrap().priority(), pb::Priority::P0);
    let left_out = warnings.iter().filter(|warning| warning.text.starts_with("left out, nothing was refused: "));
    assert_eq!(left_out.count(), 2, "{warnings:?}");
    let told = &case.notes[0].text;
    assert!(told.contains("Lieu hors de fr-67 : Strasbourg (89387)"), "the place is not lost: {told}");

    let exercise = "/content/0/jsonContent/embeddedJsonContent/message/createCaseHealth";
    let exercise = give(&foreign("sens-in-envelope.json", exercise, "P0", 1));
    let refused = desk.intake().open_case_from_hub(arm(exercise)).await.unwrap_err();
    assert!(refused.message().contains("Exercise"), "nobody is ill: {}", refused.message());
}

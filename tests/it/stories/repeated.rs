//! A reply that was lost: the console sends the same command again, and it takes effect once.

use rstest::rstest;
use sas_dispatch::grpc::{
    client::Code,
    pb::{self, CareLevel, CareType, LongestDelay, Priority, Stream},
};

use crate::support::room::{Ground, Refused, Room, Story, ask, ill, need, qualified};

#[rstest]
#[tokio::test]
async fn a_repeated_command_answers_its_first_receipt_and_changes_nothing(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let open = pb::OpenCaseRequest { command_id: arm.act(), patients: vec![ill()], ..Default::default() };
    let once = ask!(arm, intake, open_case, open.clone())?;
    let again = ask!(arm, intake, open_case, open.clone())?;
    let (first, second) = (once.receipt.unwrap(), again.receipt.unwrap());
    assert!(!first.replayed && second.replayed);
    assert_eq!((first.seq, first.at_unix_ms), (second.seq, second.at_unix_ms));
    let case = once.case.unwrap();
    assert_eq!(again.case.unwrap().case_id, case.case_id);
    let listed = ask!(arm, intake, list_cases, pb::ListCasesRequest::default())?;
    assert_eq!(listed.cases.len(), 1, "one call, one case");

    // The same id for something else is a mistake of the console, and told as one.
    let other = pb::OpenCaseRequest { note: "autre chose".to_owned(), ..open };
    let refusal = ask!(arm, intake, open_case, other).refused();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::InvalidArgument, "COMMAND_ID_REUSED"));
    assert_eq!(refusal.fields, ["command_id"]);

    // A claim and a signature, repeated after their case has moved on.
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let claim = pb::ClaimNextRequest { command_id: reg.act(), stream: Stream::Snp.into(), skills: Vec::new() };
    let claimed = ask!(reg, regulation, claim_next, claim.clone())?;
    let repeated = ask!(reg, regulation, claim_next, claim.clone())?;
    assert_eq!(
        (claimed.claim_no, claimed.case.as_ref().unwrap()),
        (repeated.claim_no, repeated.case.as_ref().unwrap())
    );
    let sign = pb::SignNeedRequest {
        command_id: reg.act(),
        case_id: case.case_id.clone(),
        claim_no: claimed.claim_no,
        need: Some(need(CareType::Advice, CareLevel::R4, LongestDelay::H24)),
        note: "Repos".to_owned(),
        ..Default::default()
    };
    let signed = ask!(reg, regulation, sign_need, sign.clone())?;
    let resigned = ask!(reg, regulation, sign_need, sign)?;
    assert_eq!(signed.decision_id, resigned.decision_id);
    assert!(resigned.receipt.unwrap().replayed);
    assert_eq!(reg.reads(&case).await?.decisions.len(), 1);

    // And the claim once more, now that nothing is held: still the first answer, never a second case.
    let late = ask!(reg, regulation, claim_next, claim)?;
    assert!(late.receipt.unwrap().replayed);
    assert_eq!(late.claim_no, claimed.claim_no);
    room.closes().await
}

#[tokio::test]
async fn a_screen_that_shows_an_older_case_is_told_to_read_again() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let shown = arm.opens("67482", ill()).await?;
    arm.notes(&shown, "L'appelant est le voisin").await?;
    let late = pb::QualifyRequest { version: shown.version.clone(), ..qualified(Priority::P2, "M03.14") };
    let refusal = arm.qualifies(&shown, late.clone()).await.refused();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::Aborted, "STALE"));
    assert!(refusal.french.contains("relisez"), "{}", refusal.french);
    let read = arm.reads(&shown).await?;
    arm.qualifies(&read, pb::QualifyRequest { version: read.version.clone(), ..late }).await?;
    room.closes().await
}

#[tokio::test]
async fn an_overseas_caller_is_one_person_whichever_way_his_number_is_written() -> Story {
    let room = Room::at("fr-974", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let mut cases: Vec<String> = Vec::new();
    for written in ["0692 12 34 56", "+262692123456", "+33 692 12 34 56"] {
        let caller = Some(pb::Caller { phone: written.to_owned(), ..Default::default() });
        let open = pb::OpenCaseRequest { command_id: arm.act(), caller, ..Default::default() };
        let case = ask!(arm, intake, open_case, open)?.case.unwrap();
        assert_eq!(case.caller.as_ref().unwrap().phone, "+262692123456", "{written}");
        let read = pb::GetCaseRequest { case_id: case.case_id.clone(), at_least_seq: 0 };
        let repeats = ask!(arm, intake, get_case, read)?.possible_repeats;
        let mut found: Vec<String> = repeats.into_iter().map(|known| known.case_id).collect();
        found.sort_unstable();
        assert_eq!(found, cases, "{written}");
        cases.push(case.case_id);
        cases.sort_unstable();
    }
    room.closes().await
}

//! After an outage the paper sheets are entered: each act keeps the time it had on paper.

use rstest::rstest;
use sas_dispatch::grpc::{
    client::Code,
    pb::{
        self, ActionEnd, ActionKind, CareLevel, CareType, CaseStatus, Channel, LongestDelay, PaperDecision,
        PaperQualification, Priority, Stream,
    },
};

use crate::support::room::{Ground, Person, Refused, Room, Seen, Story, ask, ill, need, qualified};

fn sheet(room: &Room, who: &Person, arrived: &str) -> pb::BackfillCaseRequest {
    let patients = vec![pb::Patient { age_years: Some(70), birth_date: String::new(), ..ill() }];
    pb::BackfillCaseRequest {
        command_id: who.act(),
        arrived_unix_ms: room.today(arrived),
        patients,
        note: "Fiche papier n° 12".to_owned(),
        ..Default::default()
    }
}

fn heard(room: &Room, at: &str, priority: Priority) -> Option<PaperQualification> {
    let (priority, stream) = (priority.into(), Stream::Snp.into());
    let at_unix_ms = room.today(at);
    let (motive, by) = ("M03.14".to_owned(), "arm-7".to_owned());
    Some(PaperQualification { priority, stream, motive, symptoms: true, at_unix_ms, by, flags: Vec::new() })
}

fn decided(room: &Room, at: &str, care: CareType, level: CareLevel) -> Option<PaperDecision> {
    let need = Some(need(care, level, LongestDelay::H8));
    Some(PaperDecision { need, at_unix_ms: room.today(at), note: "Vu au téléphone".to_owned(), ..Default::default() })
}

#[rstest]
#[tokio::test]
async fn who_waited_on_paper_is_regulated_before_who_called_since(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 12:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let fresh = arm.opens("67482", ill()).await?;
    arm.qualifies(&fresh, qualified(Priority::P2, "M03.14")).await?;

    let qualification = heard(&room, "10:05", Priority::P2);
    let paper = pb::BackfillCaseRequest { qualification, ..sheet(&room, &arm, "10:00") };
    let entered = ask!(arm, intake, backfill_case, paper.clone())?.case.unwrap();
    assert_eq!((entered.channel(), entered.opened_unix_ms), (Channel::Paper, room.today("10:00")));
    assert_eq!(entered.entered_unix_ms, room.now().unix_ms());
    let known = entered.qualification.as_ref().unwrap();
    assert_eq!((known.at_unix_ms, known.by.as_str()), (room.today("10:05"), "arm-7"));
    // The reply was lost: entering the same sheet again enters nothing twice.
    let again = ask!(arm, intake, backfill_case, paper)?.case.unwrap();
    assert_eq!(again.case_id, entered.case_id);

    let next = reg.claims_next(Stream::Snp).await?.expect("two wait");
    assert_eq!(next.case_id, entered.case_id, "due since this morning");
    room.closes().await
}

#[tokio::test]
async fn a_doctor_enters_the_advice_he_gave_by_candle_light() -> Story {
    let room = Room::at("fr-67", "2024-12-19 12:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let paper = |who: &Person| pb::BackfillCaseRequest {
        qualification: heard(&room, "10:05", Priority::P2),
        decision: decided(&room, "10:20", CareType::Advice, CareLevel::R4),
        ..sheet(&room, who, "10:00")
    };
    // A transcription is no signature.
    let refused = ask!(arm, intake, backfill_case, paper(&arm)).refused();
    assert_eq!((refused.code, refused.fields), (Code::InvalidArgument, vec!["decision".to_owned()]));

    let case = ask!(reg, intake, backfill_case, paper(&reg))?.case.unwrap();
    let decision = case.decision();
    let signed = |signature: &Option<pb::Signature>| {
        signature
            .as_ref()
            .map(|signed| (signed.by.clone(), signed.at_unix_ms))
            .expect("every signature says who and when")
    };
    assert_eq!(signed(&decision.signed), ("reg-1".to_owned(), room.today("10:20")));
    assert_eq!(signed(&decision.answer.as_ref().unwrap().signed), ("reg-1".to_owned(), room.today("10:20")));
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    assert!(reg.queue(Stream::Snp).await?.is_empty());
    room.closes().await
}

#[tokio::test]
async fn care_that_was_arranged_by_telephone_is_followed_and_never_offered_again() -> Story {
    let room = Room::at("fr-67", "2024-12-19 12:00").await;
    let (reg, osnp) = (room.regulator("reg-1"), room.coordinator("osnp-1"));
    let enter = |arranged| {
        let decision = decided(&room, "10:20", CareType::HomeVisit, CareLevel::R3);
        let decision = decision.map(|decision| PaperDecision { arranged, ..decision });
        let qualification = heard(&room, "10:05", Priority::P1);
        pb::BackfillCaseRequest { qualification, decision, ..sheet(&room, &reg, "10:00") }
    };
    let case = ask!(reg, intake, backfill_case, enter(true))?.case.unwrap();
    assert_eq!(case.to_do(), [ActionKind::AwaitReport]);
    let case = osnp.ends(&case, ActionKind::AwaitReport, ActionEnd::Done).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    // What was decided and not arranged takes the ordinary way from there.
    let case = ask!(reg, intake, backfill_case, enter(false))?.case.unwrap();
    assert_eq!(case.to_do(), [ActionKind::Route]);
    room.closes().await
}

#[tokio::test]
async fn a_sheet_whose_times_cannot_be_is_sent_back_with_every_wrong_field() -> Story {
    let room = Room::at("fr-67", "2024-12-19 12:00").await;
    let reg = room.regulator("reg-1");
    let paper = pb::BackfillCaseRequest {
        qualification: heard(&room, "09:50", Priority::P2),
        decision: decided(&room, "12:30", CareType::Advice, CareLevel::R2),
        ..sheet(&room, &reg, "10:00")
    };
    let refused = ask!(reg, intake, backfill_case, paper).refused();
    assert_eq!(refused.fields, ["qualification.at_unix_ms", "decision.at_unix_ms"]);

    let unqualified = pb::BackfillCaseRequest {
        decision: decided(&room, "10:20", CareType::Advice, CareLevel::R4),
        ..sheet(&room, &reg, "10:00")
    };
    assert_eq!(ask!(reg, intake, backfill_case, unqualified).refused().fields, ["qualification"]);
    room.closes().await
}

#[tokio::test]
async fn a_p0_that_waited_on_paper_is_handed_over_whatever_the_sheet_says() -> Story {
    let room = Room::at("fr-67", "2024-12-19 12:00").await;
    let arm = room.arm("arm-1");
    let vital = pb::BackfillCaseRequest {
        vital: true,
        qualification: heard(&room, "13:30", Priority::P2),
        ..sheet(&room, &arm, "10:00")
    };
    let answered = ask!(arm, intake, backfill_case, vital)?;
    assert_eq!(answered.case.unwrap().to_do(), [ActionKind::HandOver]);
    let warned = answered.receipt.unwrap().warnings;
    assert_eq!(warned[0].code, "PAPER_NOT_ENTERED");

    let written =
        pb::BackfillCaseRequest { qualification: heard(&room, "10:05", Priority::P0), ..sheet(&room, &arm, "10:00") };
    assert_eq!(ask!(arm, intake, backfill_case, written)?.case.unwrap().to_do(), [ActionKind::HandOver]);
    room.closes().await
}

/// Found by reading: what was written down as nobody's matter, for a body or a mind, was not entered at all.
#[tokio::test]
async fn a_medical_request_that_was_written_down_without_a_priority_has_a_doctor_next() -> Story {
    let room = Room::at("fr-67", "2024-12-19 12:00").await;
    let arm = room.arm("arm-1");
    let written = heard(&room, "10:05", Priority::NotRegulated).map(|said| PaperQualification {
        motive: "M04.01".to_owned(),
        symptoms: false,
        ..said
    });
    let entered = pb::BackfillCaseRequest { qualification: written, ..sheet(&room, &arm, "10:00") };
    let case = ask!(arm, intake, backfill_case, entered)?.case.unwrap();
    assert_eq!(case.qualification.as_ref().unwrap().priority(), Priority::P2);
    assert!(case.to_do().contains(&ActionKind::Regulate));
    room.closes().await
}

//! One case, one doctor at a time: claims, fencing numbers, leases.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::Code,
        pb::{CareLevel, CareType, CaseStatus, LongestDelay, NoteKind, Priority, Stream},
    },
};

use crate::support::room::{Ground, Refused, Room, Seen, Story, ill, need, qualified};

const STRASBOURG: &str = "67482";

#[rstest]
#[tokio::test]
async fn two_regulators_and_one_case(#[values(Ground::Embedded, Ground::Redis)] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, first, second) = (room.arm("arm-1"), room.regulator("reg-1"), room.regulator("reg-2"));
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.20")).await?;

    // Both reach for it at the same moment: one has it, the other is told.
    let (one, other) = tokio::join!(first.claims(&case), second.claims(&case));
    assert!(one.is_ok() != other.is_ok(), "exactly one holds it");
    let (holder, late) = if one.is_ok() { (&first, &second) } else { (&second, &first) };
    let refusal = late.claims(&case).await.refused();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    assert!(refusal.message.contains("another regulator holds it"), "{}", refusal.message);
    assert_eq!(late.claims_next(Stream::Snp).await?, None, "a held case is in no queue");

    // The holder gives it back and the other takes it. What the first one still signs is refused, and his words are kept.
    holder.releases(&case).await?;
    let case = late.claims(&case).await?;
    assert!(late.claim_no(&case) > holder.claim_no(&case), "each claim has a higher number");
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    let refusal = holder.signs_need_saying(&case, advice.clone(), "Repos, paracétamol").await.refused();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "NOT_HOLDER"));
    assert!(refusal.french.contains("note tardive"), "{}", refusal.french);
    let now = late.reads(&case).await?;
    assert_eq!(now.decisions, [], "nothing was decided by it");
    assert_eq!(now.notes_of(NoteKind::Late), ["Repos, paracétamol"]);
    assert_eq!(now.claim.as_ref().unwrap().by, late.name);

    let case = late.signs_need_saying(&case, advice, "Rappeler si la douleur augmente").await?;
    assert_eq!((case.status(), case.decisions.len()), (CaseStatus::Valid, 1));
    room.closes().await
}

#[tokio::test]
async fn an_old_number_of_the_same_regulator_is_refused_too() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, console, other_console) = (room.arm("arm-1"), room.regulator("reg-1"), room.regulator("reg-1"));
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.20")).await?;
    console.claims(&case).await?;
    console.releases(&case).await?;
    let case = other_console.claims(&case).await?;
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    assert_eq!(console.signs_need(&case, advice).await.refused().reason, "NOT_HOLDER");
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn a_silent_console_loses_a_p1_at_once_and_a_p2_after_a_while(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, silent, other) = (room.arm("arm-1"), room.regulator("reg-1"), room.regulator("reg-2"));
    let urgent = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&urgent, qualified(Priority::P1, "M03.06")).await?;
    let ordinary = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&ordinary, qualified(Priority::P2, "M03.20")).await?;
    silent.claims(&urgent).await?;
    silent.claims(&ordinary).await?;

    // A console that renews keeps what it holds.
    for _ in 0..4 {
        room.wait(Span::from_secs(20)).await;
        silent.renews(&urgent).await?;
        silent.renews(&ordinary).await?;
    }
    assert_eq!(silent.reads(&urgent).await?.claim.unwrap().suspect_since_unix_ms, 0);

    // Then it is silent for the length of its lease: both claims are suspect, and shown so.
    room.wait(Span::from_secs(35)).await;
    for case in [&urgent, &ordinary] {
        let claim = other.reads(case).await?.claim.unwrap();
        assert!(claim.suspect_since_unix_ms > 0 && claim.by == silent.name);
    }
    // The urgent one is taken over; the other may still have its doctor on the line.
    let taken = other.claims(&urgent).await?;
    assert_eq!(taken.claim.unwrap().by, "reg-2");
    let refusal = other.claims(&ordinary).await.refused();
    assert!(refusal.message.contains("console is silent"), "{}", refusal.message);
    assert_eq!(other.claims_next(Stream::Snp).await?, None);
    assert_eq!(silent.renews(&urgent).await.refused().reason, "NOT_HOLDER");

    // Nobody comes back: it waits in the queue again, with what was known.
    room.wait(Span::from_secs(95)).await;
    let back = other.claims_next(Stream::Snp).await?.expect("it came back to the queue");
    assert_eq!(back.case_id, ordinary.case_id);
    room.closes().await
}

#[tokio::test]
async fn a_regulator_whose_console_was_silent_takes_up_where_he_was() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.20")).await?;
    let case = reg.claims(&case).await?;
    room.wait(Span::from_secs(45)).await;
    assert!(reg.reads(&case).await?.claim.unwrap().suspect_since_unix_ms > 0);
    let case = reg.resumes(&case).await?;
    assert_eq!(case.claim.as_ref().unwrap().suspect_since_unix_ms, 0);
    room.wait(Span::from_secs(20)).await;
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    reg.signs_need_saying(&case, advice, "Repos").await?;
    room.closes().await
}

#[tokio::test]
async fn a_supervisor_takes_a_case_back_with_a_reason() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg, chief) = (room.arm("arm-1"), room.regulator("reg-1"), room.supervisor("chief-1"));
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.20")).await?;
    reg.claims(&case).await?;
    assert_eq!(chief.takes_back(&case, "").await.refused().fields, ["reason"]);
    chief.takes_back(&case, "Régulateur appelé en salle de crise").await?;
    let case = reg.reads(&case).await?;
    assert!(case.claim.is_none());
    assert_eq!(case.notes_of(NoteKind::Reason), ["Régulateur appelé en salle de crise"]);
    assert_eq!(reg.queue(Stream::Snp).await?.len(), 1);
    room.closes().await
}

#[tokio::test]
async fn a_case_is_sent_to_another_stream_with_nothing_lost() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg, amu) = (room.arm("arm-1"), room.regulator("reg-1"), room.regulator("amu-1"));
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P1, "M03.06")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    reg.reorients(&case, Stream::Amu, "Douleur thoracique typique").await?;
    assert_eq!(reg.queue(Stream::Snp).await?, []);
    let case = amu.claims_next(Stream::Amu).await?.expect("it waits for the AMU");
    assert_eq!(case.notes_of(NoteKind::Reason), ["Douleur thoracique typique"]);
    assert_eq!(case.qualification.as_ref().unwrap().priority(), Priority::P1, "as urgent as before");
    room.closes().await
}

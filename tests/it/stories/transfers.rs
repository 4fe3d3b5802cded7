//! A call that was routed by the wrong antenna: handed over to the territory where the patient is, or back again.

use rstest::rstest;
use sas_dispatch::{
    domain::{actor::Role, time::Span},
    grpc::{
        client::{Code, Status},
        pb::{
            self, ActionKind, CareLevel, CareType, Channel, LongestDelay, NoteKind, Priority, Stream, TransferEnd,
            TransferState,
        },
    },
};

use crate::support::room::{Ground, Person, Refused, Room, Seen, Story, ask, ill, need, qualified};

const WHY: &str = "Appelle pour son père, qui vit à Sens";

pub async fn sends(who: &Person, case: &pb::CaseView, to: &str, claim_no: u64) -> Result<pb::CaseView, Status> {
    let request = pb::TransferCaseRequest {
        command_id: who.act(),
        case_id: case.case_id.clone(),
        claim_no,
        territory: to.to_owned(),
        reason: WHY.to_owned(),
        ..Default::default()
    };
    Ok(ask!(who, regulation, transfer_case, request)?.case.unwrap())
}

pub async fn takes_back(who: &Person, case: &pb::CaseView) -> Result<pb::CaseView, Status> {
    let (command_id, case_id) = (who.act(), case.case_id.clone());
    let reason = "Le père est hospitalisé ici".to_owned();
    let request = pb::WithdrawTransferRequest { command_id, case_id, reason, ..Default::default() };
    Ok(ask!(who, regulation, withdraw_transfer, request)?.case.unwrap())
}

pub async fn answers(who: &Person, case: &pb::CaseView, refused: &str) -> Result<pb::CaseView, Status> {
    let request = pb::AnswerTransferRequest {
        command_id: who.act(),
        case_id: case.case_id.clone(),
        refused_reason: refused.to_owned(),
        ..Default::default()
    };
    let answered = ask!(who, regulation, answer_transfer, request)?;
    let case = answered.case.unwrap();
    if refused.is_empty() {
        who.holds(&case, answered.claim_no);
    }
    Ok(case)
}

/// A qualified P2 in Bas-Rhin.
async fn waiting(arm: &Person) -> Result<pb::CaseView, Status> {
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await
}

/// The copy, once the saga has opened it.
async fn arrives(room: &Room, sens: &Person) -> Result<pb::CaseView, Status> {
    room.wait(Span::from_secs(1)).await;
    let [copy] = sens.queue(Stream::Snp).await?.try_into().expect("it waits in their queue");
    Ok(copy)
}

#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn a_case_goes_where_the_patient_is_and_is_the_senders_until_they_have_it(#[case] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let (sens, chief) = (room.elsewhere("reg-sens", Role::Regulator, "fr-89"), room.supervisor("chief-1"));
    let case = waiting(&arm).await?;
    let held = reg.claims(&case).await?;
    let sent = sends(&reg, &held, "fr-89", reg.claim_no(&held)).await?;
    assert_eq!(sent.to_do(), [ActionKind::Regulate, ActionKind::Transfer]);
    assert_eq!((sent.transfers[0].territory.as_str(), &*sent.transfers[0].label), ("fr-89", "Réponse attendue"));
    let copy = arrives(&room, &sens).await?;
    assert_eq!((copy.case_id.as_str(), copy.channel()), (&*sent.transfers[0].there_case_id, Channel::Transfer));
    let received = copy.received.clone().unwrap();
    assert_eq!((received.territory.as_str(), &*received.there_case_number), ("fr-67", &*case.case_number));
    assert_ne!(copy.case_number, case.case_number, "it has a number of its own there");
    assert_eq!(copy.patients[0].name, sent.patients[0].name);
    assert_eq!(copy.caller, sent.caller);
    assert_eq!(copy.notes_of(NoteKind::Reason), [WHY]);
    assert!(copy.qualification.as_ref().unwrap().due_unix_ms <= sent.qualification.as_ref().unwrap().due_unix_ms);
    let relay = ask!(chief, supervision, get_relay, pb::GetRelayRequest::default())?;
    assert!(relay.next.iter().any(|due| due.action.as_ref().unwrap().kind() == ActionKind::Transfer));
    let taken = answers(&sens, &copy, "").await?;
    assert_eq!(taken.received.as_ref().unwrap().label, "Accepté, à confirmer par l'expéditeur");
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    let early = sens.signs_need_saying(&taken, advice.clone(), "Repos").await.refused();
    assert_eq!(early.code, Code::FailedPrecondition, "{}", early.message);
    assert!(reg.reads(&case).await?.to_do().contains(&ActionKind::Regulate), "until then it is the sender's");
    room.wait(Span::from_secs(1)).await;
    let there = sens.reads(&taken).await?;
    assert_eq!(there.received.as_ref().unwrap().end(), TransferEnd::Accepted);
    let here = reg.reads(&case).await?;
    assert_eq!((here.to_do(), here.transfers[0].end()), (vec![], TransferEnd::Accepted));
    assert_eq!(here.transfers[0].there_case_number, there.case_number);
    assert_eq!(here.transfers[0].answered_by, "reg-sens");
    assert_eq!(here.missing_for_validation, [0; 0], "what another territory has lacks nothing here");
    let signed = sens.signs_need_saying(&there, advice, "Repos").await?;
    assert_eq!(signed.to_do(), []);
    room.closes().await
}

#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn refused_or_unanswered_it_is_back_with_an_alarm_and_both_sides_know_why(#[case] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg, chief) = (room.arm("arm-1"), room.regulator("reg-1"), room.supervisor("chief-1"));
    let sens = room.elsewhere("reg-sens", Role::Regulator, "fr-89");
    for silent in [false, true] {
        let case = waiting(&arm).await?;
        sends(&arm, &case, "fr-89", 0).await?;
        let copy = arrives(&room, &sens).await?;
        if silent {
            room.wait(Span::from_mins(5)).await;
        } else {
            answers(&sens, &copy, "Le père est à Troyes").await?;
            room.wait(Span::from_secs(1)).await;
        }
        let back = reg.reads(&case).await?;
        let expected = if silent { TransferEnd::Expired } else { TransferEnd::Refused };
        assert_eq!(
            (back.to_do(), back.transfers[0].end()),
            (vec![ActionKind::Regulate, ActionKind::ReEvaluate], expected)
        );
        assert!(chief.alarms().await?.iter().any(|alarm| alarm.case_id == case.case_id));
        assert!(sens.queue(Stream::Snp).await?.is_empty());
        let over = sens.reads(&copy).await?;
        assert_eq!(over.to_do(), []);
        if silent {
            assert_eq!(over.received.as_ref().unwrap().label, "Sans réponse à l'échéance");
            let late = answers(&sens, &copy, "").await.refused();
            assert_eq!(late.code, Code::FailedPrecondition, "{}", late.message);
        } else {
            for known in [&back, &over] {
                assert!(known.notes_of(NoteKind::Reason).contains(&"Le père est à Troyes"));
            }
        }
        let next = reg.claims_next(Stream::Snp).await?.expect("it waits here again");
        assert_eq!(next.case_id, case.case_id);
        let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
        reg.signs_need_saying(&next, advice, "Repos").await?;
    }
    room.closes().await
}

#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn what_is_taken_back_or_found_vital_stays_and_whoever_had_accepted_is_told(#[case] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let sens = room.elsewhere("reg-sens", Role::Regulator, "fr-89");
    for vital in [false, true] {
        let case = waiting(&arm).await?;
        sends(&arm, &case, "fr-89", 0).await?;
        let refused = reg.claims(&case).await.refused();
        assert!(refused.message.contains("WithdrawTransfer"), "{}", refused.message);
        let copy = arrives(&room, &sens).await?;
        let taken = answers(&sens, &copy, "").await?;
        // Before the acceptance is recorded.
        if vital {
            let amu = arm.qualifies(&case, qualified(Priority::P0, "M01.01")).await?;
            assert_eq!(amu.to_do(), [ActionKind::HandOver]);
        } else {
            takes_back(&arm, &case).await?;
        }
        room.wait(Span::from_secs(1)).await;
        let told = sens.reads(&taken).await?;
        let expected = if vital { TransferEnd::Vital } else { TransferEnd::TakenBack };
        assert_eq!((told.to_do(), told.received.unwrap().end()), (vec![], expected));
        assert!(told.claim.is_none());
        if !vital {
            let mine = reg.claims(&case).await?;
            reg.releases(&mine).await?;
            arm.qualifies(&case, qualified(Priority::P0, "M01.01")).await?;
        }
        reg.accepts_hand_over(&case).await?;
    }
    room.closes().await
}

#[tokio::test]
async fn only_a_territory_that_somebody_sits_in_is_sent_to() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let case = waiting(&arm).await?;
    for (unknown, shape) in [("fr-10", "fr-89"), ("fr-68", "fr-89"), ("Aube", "lower-case"), ("", "must be set")] {
        let refused = sends(&arm, &case, unknown, 0).await.refused();
        assert_eq!((refused.code, &refused.fields[..]), (Code::InvalidArgument, &["territory".to_owned()][..]));
        assert!(refused.message.contains(shape), "{unknown}: {}", refused.message);
    }
    assert!(sends(&arm, &case, "fr-10", 0).await.refused().french.contains("fr-89"));
    let own = sends(&arm, &case, "fr-67", 0).await.refused();
    assert_eq!(own.fields, ["territory"]);
    let vital = arm.opens("67482", ill()).await?;
    let vital = arm.qualifies(&vital, qualified(Priority::P0, "M01.01")).await?;
    let refused = sends(&arm, &vital, "fr-89", 0).await.refused();
    assert!(refused.message.contains("AcceptHandOver"), "{}", refused.message);
    room.closes().await
}

#[tokio::test]
async fn a_repeated_request_sends_once_and_answers_the_same() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let sens = room.elsewhere("reg-sens", Role::Regulator, "fr-89");
    let case = waiting(&arm).await?;
    let request = pb::TransferCaseRequest {
        command_id: arm.act(),
        case_id: case.case_id.clone(),
        territory: "fr-89".to_owned(),
        reason: WHY.to_owned(),
        ..Default::default()
    };
    let first = ask!(arm, regulation, transfer_case, request.clone())?;
    let copy = arrives(&room, &sens).await?;
    let again = ask!(arm, regulation, transfer_case, request)?;
    assert_eq!(again.case.unwrap().transfers, first.case.unwrap().transfers);
    assert_eq!(arrives(&room, &sens).await?.case_id, copy.case_id, "one copy");
    takes_back(&arm, &case).await?;
    room.wait(Span::from_secs(1)).await;
    room.closes().await
}

async fn under_way(who: &Person, page_size: u32, page_token: &str) -> Result<pb::ListTransfersResponse, Status> {
    let page_token = page_token.to_owned();
    ask!(who, regulation, list_transfers, pb::ListTransfersRequest { page_size, page_token, ..Default::default() })
}

fn stands(listed: &pb::ListTransfersResponse) -> Vec<(bool, &str, TransferState)> {
    listed.transfers.iter().map(|open| (open.sent, open.territory.as_str(), open.state())).collect()
}

#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn coordinators_on_both_sides_see_what_is_under_way_until_it_is_over(#[case] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, osnp) = (room.arm("arm-1"), room.coordinator("osnp-1"));
    let (sens, there) =
        (room.elsewhere("reg-sens", Role::Regulator, "fr-89"), room.elsewhere("osnp-sens", Role::Coordinator, "fr-89"));
    let since = room.now().unix_ms();
    let case = waiting(&arm).await?;
    sends(&arm, &case, "fr-89", 0).await?;
    let listed = under_way(&osnp, 0, "").await?;
    let [sent] = &listed.transfers[..] else { panic!("{listed:?}") };
    assert_eq!(stands(&listed), [(true, "fr-89", TransferState::Awaited)]);
    assert_eq!((sent.case_id.as_str(), sent.case_number.as_str()), (&*case.case_id, &*case.case_number));
    assert_eq!((sent.by.as_str(), sent.priority()), ("arm-1", Priority::P2));
    assert_eq!((sent.since_unix_ms, sent.answer_until_unix_ms), (since, since + 300_000));
    let copy = arrives(&room, &sens).await?;
    let listed = under_way(&there, 0, "").await?;
    assert_eq!(stands(&listed), [(false, "fr-67", TransferState::ToAnswer)]);
    let received = &listed.transfers[0];
    assert_eq!((&received.case_id, &received.there_case_number), (&copy.case_id, &case.case_number));
    assert_eq!(received.answer_until_unix_ms, since + 300_000, "they know until when they are waited for");
    assert_eq!(copy.received.as_ref().unwrap().answer_until_unix_ms, since + 300_000);
    answers(&sens, &copy, "").await?;
    assert_eq!(stands(&under_way(&there, 0, "").await?), [(false, "fr-67", TransferState::ToConfirm)]);
    room.wait(Span::from_secs(1)).await;
    assert_eq!(under_way(&osnp, 0, "").await?.transfers, [], "recorded here");
    assert_eq!(under_way(&there, 0, "").await?.transfers, [], "confirmed there, where it is worked on");
    // The sender takes its case up again: whoever works on it there sees that he is to ring.
    arm.qualifies(&case, qualified(Priority::P1, "M03.14")).await?;
    room.wait(Span::from_secs(1)).await;
    assert_eq!(stands(&under_way(&there, 0, "").await?), [(false, "fr-67", TransferState::SenderAgain)]);
    room.closes().await
}

#[tokio::test]
async fn hand_overs_are_listed_page_by_page_the_oldest_first() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, osnp) = (room.arm("arm-1"), room.coordinator("osnp-1"));
    let mut sent = Vec::new();
    for _ in 0..3 {
        let case = waiting(&arm).await?;
        sends(&arm, &case, "fr-89", 0).await?;
        sent.push(case.case_id);
        room.wait(Span::from_secs(2)).await;
    }
    let first = under_way(&osnp, 2, "").await?;
    let second = under_way(&osnp, 2, &first.next_page_token).await?;
    let listed: Vec<_> = first.transfers.iter().chain(&second.transfers).map(|open| open.case_id.clone()).collect();
    assert_eq!((listed, second.next_page_token.as_str()), (sent, ""));
    let ahead = pb::ListTransfersRequest { at_least_seq: first.seq + 1_000, ..Default::default() };
    assert_eq!(ask!(osnp, regulation, list_transfers, ahead).refused().code, Code::Unavailable);
    for (size, token, field) in [(201, "", "page_size"), (2, "zqcanari", "page_token"), (2, "1", "page_token")] {
        let refused = under_way(&osnp, size, token).await.refused();
        assert_eq!((refused.code, &refused.fields[..]), (Code::InvalidArgument, &[field.to_owned()][..]));
    }
    room.closes().await
}

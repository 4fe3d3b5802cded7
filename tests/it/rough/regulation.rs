//! What is wrong at the regulator's and the coordinator's desk.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{self, CareLevel, CareType, LongestDelay, NoteKind, Priority, Stream, watch_event::Event},
};

use super::{CANARY, read, wrong};
use crate::support::room::{Person, Room, Seen, Story, ask, ill, need, next, qualified};

const MORNING: &str = "2024-12-19 10:00";

async fn waiting(arm: &Person) -> Result<pb::CaseView, sas_dispatch::grpc::client::Status> {
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await
}

#[rstest]
#[case::unknown("Z99.99", "not a code of HubSante.motif (such as M03.14): choose one of the list")]
#[case::none("", "must be set unless P0: a code of HubSante.motif such as M03.14")]
#[case::words(
    "fièvre Zqcanari",
    "motive: expected a code such as M03.14 (at most 16 capitals, digits and dots), got 15 characters"
)]
#[tokio::test]
async fn an_unknown_motive_is_refused_by_the_console(#[case] motive: &str, #[case] problem: &str) -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let told = read(arm.qualifies(&case, qualified(Priority::P2, motive)).await);
    assert_eq!(told, wrong(&[("motive", problem)]));
    assert!(arm.reads(&case).await?.qualification.is_none());
    room.closes().await
}

#[tokio::test]
async fn a_stale_version_is_told_to_read_again_and_changes_nothing() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let read_first = arm.opens("67482", ill()).await?;
    arm.notes(&read_first, "entre-temps").await?;
    let late = pb::QualifyRequest { version: read_first.version.clone(), ..qualified(Priority::P2, "M03.14") };
    assert_eq!(
        read(arm.qualifies(&read_first, late).await),
        "Aborted STALE\nthe case has changed since it was read: read it again and decide on what is there now\n\
         Le dossier a changé depuis sa lecture : relisez-le avant de décider."
    );
    let now = arm.reads(&read_first).await?;
    assert!(now.qualification.is_none());
    let again = pb::QualifyRequest { version: now.version.clone(), ..qualified(Priority::P2, "M03.14") };
    arm.qualifies(&now, again).await?;
    let garbled = pb::QualifyRequest { version: CANARY.into(), ..qualified(Priority::P2, "M03.14") };
    let told = read(arm.qualifies(&now, garbled).await);
    assert_eq!(told, wrong(&[("version", "8 bytes: give it back as it was read")]));
    room.closes().await
}

#[tokio::test]
async fn a_lease_that_ended_keeps_the_doctors_words_and_says_so() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let (arm, doctor) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = doctor.claims(&waiting(&arm).await?).await?;
    room.wait(Span::from_mins(5)).await;
    let not_holder = "FailedPrecondition NOT_HOLDER\nthe claim is not yours, or its lease has ended: claim the case again; \
                      your words were kept as a late note\nVous ne tenez plus ce dossier : reprenez-le ; votre texte est \
                      gardé en note tardive.\nNOT_HOLDER claim";
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    assert_eq!(read(doctor.signs_need_saying(&case, advice, "boire, Zqcanari").await), not_holder);
    // Words that nobody had said were kept as well.
    let wordless = "FailedPrecondition NOT_HOLDER\nthe claim is not yours, or its lease has ended: claim the case again\n\
                    Vous ne tenez plus ce dossier : reprenez-le.\nNOT_HOLDER claim";
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    assert_eq!(read(doctor.signs_need(&case, advice).await), wordless);
    assert_eq!(read(doctor.releases(&case).await), wordless);
    assert_eq!(read(doctor.renews(&case).await), wordless);
    let after = arm.reads(&case).await?;
    assert!(after.decisions.is_empty() && after.claim.is_none());
    assert_eq!(after.notes_of(NoteKind::Late), ["boire, Zqcanari"]);
    room.closes().await
}

#[tokio::test]
async fn a_claim_number_of_0_and_a_need_without_its_three_fields_are_told_together() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let (arm, doctor) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = doctor.claims(&waiting(&arm).await?).await?;
    let request = pb::SignNeedRequest {
        command_id: doctor.act(),
        case_id: case.case_id.clone(),
        need: Some(pb::Need { reasons: vec!["douleur Zqcanari".to_owned()], ..Default::default() }),
        ..Default::default()
    };
    let told = read(ask!(doctor, regulation, sign_need, request));
    let fields: Vec<_> = told.lines().skip(3).map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(fields, ["claim_no", "need.care", "need.level", "need.longest_delay", "need.reasons[0]"], "{told}");
    assert!(told.contains("claim_no: must be set: the number your claim was answered with"), "{told}");
    assert!(
        told.contains("need.longest_delay: must be set to one of LONGEST_DELAY_IMMEDIATE, LONGEST_DELAY_ASAP, "),
        "{told}"
    );
    assert!(told.contains("words go to note"), "{told}");
    room.closes().await
}

#[tokio::test]
async fn numbers_outside_a_list_are_told_with_the_list() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let odd = pb::QualifyRequest { priority: 77, stream: -1, flags: vec![3, 99], ..qualified(Priority::P2, "M03.14") };
    let told = read(arm.qualifies(&case, odd).await);
    let lists = told.lines().skip(3).collect::<Vec<_>>();
    assert_eq!(lists.len(), 3, "{told}");
    assert!(lists[0].starts_with("priority: must be set to one of PRIORITY_P0, PRIORITY_P1, "), "{told}");
    assert!(lists[1].starts_with("stream: must be set to one of STREAM_AMU, STREAM_SNP, "), "{told}");
    assert!(lists[2].starts_with("flags[1]: must be set to one of FLAG_RED_FLAG, "), "{told}");
    room.closes().await
}

#[tokio::test]
async fn an_offer_answered_with_nothing_stays_open() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let coordinator = room.coordinator("osnp-1");
    let case = waiting(&room.arm("arm-1")).await?;
    let request = pb::AnswerOfferRequest {
        command_id: coordinator.act(),
        case_id: case.case_id.clone(),
        offer_id: case.case_id.clone(),
        ..Default::default()
    };
    let told = read(ask!(coordinator, routing, answer_offer, request.clone()));
    assert_eq!(told, wrong(&[("answer", "set one of accepted, declined, unreachable and digit")]));
    let digit = Some(pb::answer_offer_request::Answer::Digit(7));
    let request = pb::AnswerOfferRequest { command_id: coordinator.act(), answer: digit, ..request };
    let told = read(ask!(coordinator, routing, answer_offer, request));
    assert!(told.lines().skip(3).any(|line| line.starts_with("digit: ")), "{told}");
    room.closes().await
}

#[tokio::test]
async fn a_queue_is_paged_by_1_to_200_and_by_its_own_tokens() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let list = |page_size, token: &str| pb::ListQueueRequest {
        stream: Stream::Snp.into(),
        page_size,
        page_token: token.to_owned(),
        ..Default::default()
    };
    for (size, shown) in [(201, "201"), (u32::MAX, "4294967295")] {
        let told = read(ask!(arm, regulation, list_queue, list(size, "")));
        assert_eq!(told, wrong(&[("page_size", &format!("{shown}: at most 200"))]));
    }
    for token in [CANARY, "Zqcanari:case", "\0", "99999999999999999999:x"] {
        let told = read(ask!(arm, regulation, list_queue, list(2, token)));
        assert_eq!(told, wrong(&[("page_token", "give back the token of the last page as it was")]), "{token:?}");
    }
    // The page sizes that are legal, on a queue of three.
    for _ in 0..3 {
        waiting(&arm).await?;
    }
    let first = ask!(arm, regulation, list_queue, list(2, ""))?;
    let second = ask!(arm, regulation, list_queue, list(200, &first.next_page_token))?;
    assert_eq!((first.cases.len(), second.cases.len(), second.next_page_token.as_str()), (2, 1, ""));
    room.closes().await
}

/// Found with a console that kept one token for two lists: cases waited, and the page was empty without an error.
#[tokio::test]
async fn a_page_token_of_another_list_is_refused_and_not_answered_with_an_empty_page() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    for _ in 0..3 {
        waiting(&arm).await?;
    }
    let queue = |stream: Stream, token: &str| pb::ListQueueRequest {
        stream: stream.into(),
        page_size: 2,
        page_token: token.to_owned(),
        ..Default::default()
    };
    let token = ask!(arm, regulation, list_queue, queue(Stream::Snp, ""))?.next_page_token;
    let foreign = wrong(&[("page_token", "a token of another list or filter: begin again without it")]);
    assert_eq!(read(ask!(arm, regulation, list_queue, queue(Stream::Amu, &token))), foreign, "another stream");
    let page_token = token.clone();
    let asked = pb::ListHandOversRequest { page_token, ..Default::default() };
    assert_eq!(read(ask!(arm, regulation, list_hand_overs, asked)), foreign, "another list");
    let asked = pb::ListCasesRequest { page_token: token.clone(), ..Default::default() };
    assert_eq!(read(ask!(arm, intake, list_cases, asked)), foreign, "another service");
    let asked = pb::ListRespondersRequest { page_size: 1, ..Default::default() };
    let page_token = ask!(arm, directory, list_responders, asked)?.next_page_token;
    let kind = pb::ResponderKind::Gp.into();
    let asked = pb::ListRespondersRequest { page_size: 1, kind, page_token, ..Default::default() };
    assert_eq!(read(ask!(arm, directory, list_responders, asked)), foreign, "another filter");
    assert_eq!(ask!(arm, regulation, list_queue, queue(Stream::Snp, &token))?.cases.len(), 1, "its own");
    room.closes().await
}

#[tokio::test]
async fn a_watch_with_a_nonsense_token_begins_again_and_says_so() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let case = waiting(&arm).await?;
    let mut console = arm.watches(Stream::Snp, CANARY.as_bytes()).await?;
    assert!(matches!(next(&mut console).await.event, Some(Event::Reset(_))));
    match next(&mut console).await.event {
        Some(Event::Changed(shown)) => assert_eq!(shown.case_id, case.case_id),
        other => panic!("the snapshot was to follow, not {other:?}"),
    }
    drop(console);
    room.closes().await
}

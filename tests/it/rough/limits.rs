//! Messages that are too long, garbled or strange.

use rstest::rstest;
use sas_dispatch::grpc::pb::{self, ActionKind, Priority};
use tonic::{Request, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

use super::{CANARY, read, wrong};
use crate::support::room::{Ground, Room, Seen, Story, ask, ill, qualified, shipped};

const MORNING: &str = "2024-12-19 10:00";

#[tokio::test]
async fn a_message_over_the_size_limit_says_the_limit() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let request = pb::OpenCaseRequest { command_id: arm.act(), note: CANARY.repeat(150_000), ..Default::default() };
    let told = read(ask!(arm, intake, open_case, request));
    assert!(told.starts_with("OutOfRange MESSAGE_TOO_LONG\nthe message is too long: shorten its texts "), "{told}");
    assert!(told.contains("the limit is: 1048576 bytes"), "{told}");
    assert!(
        told.ends_with("\nMessage trop long : raccourcissez les textes ou envoyez-le en plusieurs fois."),
        "{told}"
    );
    room.closes().await
}

#[tokio::test]
async fn a_text_of_a_million_characters_below_the_limit_names_its_field() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let request = pb::OpenCaseRequest { command_id: arm.act(), note: "z".repeat(1_000_000), ..Default::default() };
    let told = read(ask!(arm, intake, open_case, request));
    assert_eq!(told, wrong(&[("note", "1000000 characters: at most 4000")]));
    room.closes().await
}

/// Where a case has grown as large as people may make it, what keeps it safe still has room.
#[tokio::test]
async fn a_case_that_is_full_says_so_and_takes_a_vital_emergency_all_the_same() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let twenty = |round: u32| -> Vec<pb::Patient> {
        let patient = |place| pb::Patient { number: round * 20 + place, name: "z".repeat(300), ..ill() };
        (1..=20).map(patient).collect()
    };
    let (mut told, mut rounds) = (String::new(), 0..50);
    for round in &mut rounds {
        let more = pb::AmendCaseRequest { patients: twenty(round), ..Default::default() };
        if let Err(refused) = arm.amends(&case, more).await {
            told = read::<()>(Err(refused));
            break;
        }
    }
    assert!(told.starts_with("FailedPrecondition WRONG_STATE\nrecord of the case: "), "{told}");
    assert!(told.contains("open a case for what is new and link it"), "{told}");
    let grown = |priority| pb::QualifyRequest { patients: twenty(rounds.start), ..qualified(priority, "M03.14") };
    let as_before = read(arm.qualifies(&case, grown(Priority::P2)).await);
    assert!(as_before.contains("record of the case: "), "{as_before}");
    let case = arm.qualifies(&case, grown(Priority::P1)).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate], "that it has become worse is heard");
    let case = arm.qualifies(&case, qualified(Priority::P0, "M03.14")).await?;
    assert_eq!(case.to_do(), [ActionKind::HandOver]);
    room.regulator("reg-1").accepts_hand_over(&case).await?;
    room.closes().await
}

#[tokio::test]
async fn bytes_that_are_no_such_message_are_described() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let channel = Channel::from_shared(format!("http://{}", room.address())).unwrap().connect().await.unwrap();
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    // Its first field is a text of another message; here it is a number.
    let mut request = Request::new(pb::Receipt { seq: 7, at_unix_ms: 7, ..Default::default() });
    for (name, value) in [("x-sas-person", "arm-1"), ("x-sas-role", "ARM"), ("x-sas-territory", "fr-67")] {
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    let path = http::uri::PathAndQuery::from_static("/sas.dispatch.v1.IntakeService/OpenCase");
    let codec = ProstCodec::<pb::Receipt, pb::OpenCaseResponse>::default();
    let told = read(client.unary(request, path, codec).await);
    assert!(told.starts_with("InvalidArgument UNREADABLE_MESSAGE\n"), "{told}");
    room.closes().await
}

/// What people paste: kept as it came, in the sealed part, and given back the same.
#[rstest]
#[case::nul("avant\0après")]
#[case::lone_combining_character("\u{301}\u{301}e")]
#[case::right_to_left("\u{202e}erusi\u{202c}")]
#[case::line_breaks("un\r\ndeux\u{2028}trois")]
#[case::zero_width("\u{200b}\u{feff}x")]
#[tokio::test]
async fn strange_characters_are_kept_as_they_came(#[case] text: &str) -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let place = pb::Place { commune: "67482".to_owned(), street: text.to_owned(), ..Default::default() };
    let request = pb::OpenCaseRequest {
        command_id: arm.act(),
        place: Some(place),
        patients: vec![pb::Patient { name: text.to_owned(), ..ill() }],
        note: text.to_owned(),
        ..Default::default()
    };
    let opened = ask!(arm, intake, open_case, request)?.case.unwrap();
    let kept = arm.reads(&opened).await?;
    let texts = [&kept.patients[0].name, &kept.notes[0].text, &kept.place.as_ref().unwrap().street];
    assert_eq!(texts, [text; 3]);
    room.closes().await
}

/// The same characters where an id, a code or a reference is asked for.
#[tokio::test]
async fn strange_characters_are_no_id() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    for text in ["\0", "\u{301}", "../../case", "%00", "case/\u{202e}"] {
        let request = pb::GetCaseRequest { case_id: text.to_owned(), at_least_seq: 0 };
        let told = read(ask!(arm, intake, get_case, request));
        let problem = format!("case id: expected a UUID of 36 characters, got {} characters", text.chars().count());
        assert_eq!(told, wrong(&[("case_id", &problem)]));
    }
    room.closes().await
}

#[tokio::test]
async fn a_state_that_is_not_there_yet_is_to_be_asked_for_again() -> Story {
    let room = Room::at("fr-67", MORNING).await;
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    let request = pb::GetCaseRequest { case_id: case.case_id, at_least_seq: u64::MAX };
    let told = read(ask!(arm, intake, get_case, request));
    assert!(told.starts_with("Unavailable UNAVAILABLE\nthe store is at seq 1, "), "{told}");
    room.closes().await
}

/// Found by reading: the limit of a site was checked, and no list kept to it.
#[tokio::test]
async fn pages_are_no_longer_than_the_site_has_them() -> Story {
    let mut config = shipped();
    config.settings.server.max_page_rows = 20;
    let room = Room::configured(config, Ground::Embedded, "fr-67", MORNING).await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    for number in 0..45 {
        arm.opens_from(&format!("06399800{number:02}"), "67482", ill()).await?;
    }
    for page_size in [0, 200] {
        let (mut lengths, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListCasesRequest { page_size, page_token, ..Default::default() };
            let page = ask!(arm, intake, list_cases, request)?;
            lengths.push(page.cases.len());
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(lengths, [20, 20, 5], "{page_size} asked for");
    }
    let page = ask!(reg, regulation, list_protocols, pb::ListProtocolsRequest::default())?;
    assert!(page.protocols.len() == 20 && page.next_page_token.ends_with("~20"), "{}", page.next_page_token);
    let page = ask!(reg, regulation, list_advice, pb::ListAdviceRequest { page_size: 200, ..Default::default() })?;
    assert!(page.sentences.len() == 20 && page.next_page_token.ends_with("~20"), "{}", page.next_page_token);
    let asked = pb::ListRespondersRequest { page_size: 50, ..Default::default() };
    let page = ask!(arm, directory, list_responders, asked)?;
    assert!(page.responders.len() == 20 && !page.next_page_token.is_empty());
    room.closes().await
}

//! A console that watches, loses its connection and comes back.

use sas_dispatch::grpc::pb::{self, watch_event::Event};
use tonic::Streaming;

use super::desk::{Desk, regulator};

async fn watch(desk: &Desk, resume_token: Vec<u8>) -> Streaming<pb::WatchQueueResponse> {
    let request = pb::WatchQueueRequest { stream: pb::Stream::Snp as i32, resume_token };
    desk.regulation().watch_queue(regulator(request)).await.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<pb::WatchQueueResponse>) -> pb::WatchEvent {
    loop {
        let event = stream.message().await.unwrap().unwrap().event.unwrap();
        if !matches!(event.event, Some(Event::Bookmark(_))) {
            return event;
        }
    }
}

fn changed(event: &pb::WatchEvent) -> &str {
    match &event.event {
        Some(Event::Changed(case)) => &case.case_id,
        other => panic!("a change was expected, not {other:?}"),
    }
}

#[tokio::test]
async fn a_console_that_reconnects_misses_nothing_and_repeats_nothing() {
    let desk = Desk::start().await;
    let first = desk.waiting().await;
    let mut stream = watch(&desk, Vec::new()).await;
    let event = next(&mut stream).await;
    assert_eq!(changed(&event), first.case_id);
    assert_eq!(event.seq, 0, "what is still to come of a snapshot must not be skipped");
    let done = next(&mut stream).await;
    assert!(matches!(done.event, Some(Event::SnapshotDone(_))) && !done.token.is_empty());
    let second = desk.waiting().await;
    let event = next(&mut stream).await;
    assert_eq!(changed(&event), second.case_id);
    drop(stream);

    let third = desk.waiting().await;
    let mut stream = watch(&desk, event.token).await;
    let event = next(&mut stream).await;
    assert_eq!(changed(&event), third.case_id, "the first change after the token, without a snapshot");
    assert!(event.seq > done.seq);
}

#[tokio::test]
async fn a_cut_in_the_middle_of_what_came_meanwhile_loses_nothing() {
    let desk = Desk::start().await;
    desk.opened().await;
    let mut stream = watch(&desk, Vec::new()).await;
    let token = next(&mut stream).await.token;
    drop(stream);
    let mut came = [desk.waiting().await.case_id, desk.waiting().await.case_id, desk.waiting().await.case_id];
    came.sort();
    // The connection is cut after the first of the three.
    let mut stream = watch(&desk, token).await;
    let cut = next(&mut stream).await;
    drop(stream);
    let mut seen = vec![changed(&cut).to_owned()];
    let mut stream = watch(&desk, cut.token).await;
    while seen.len() < 3 {
        let event = next(&mut stream).await;
        if !seen.iter().any(|id| id == changed(&event)) {
            seen.push(changed(&event).to_owned());
        }
    }
    seen.sort();
    assert_eq!(seen, came);
}

#[tokio::test]
async fn a_token_of_nowhere_is_told_and_a_snapshot_follows() {
    let desk = Desk::start().await;
    let case = desk.waiting().await;
    let mut stream = watch(&desk, vec![9; 16]).await;
    assert!(matches!(next(&mut stream).await.event, Some(Event::Reset(_))));
    assert_eq!(changed(&next(&mut stream).await), case.case_id);
    assert!(matches!(next(&mut stream).await.event, Some(Event::SnapshotDone(_))));
}

#[tokio::test]
async fn a_queue_is_listed_in_order_and_by_pages() {
    let desk = Desk::start().await;
    let (first, second) = (desk.waiting().await, desk.waiting().await);
    let urgent = desk.opened().await;
    let request = pb::QualifyRequest { priority: pb::Priority::P1 as i32, ..desk.qualification(&urgent.case_id) };
    desk.regulation().qualify(super::desk::arm(request)).await.unwrap();
    let mut token = String::new();
    let mut seen = Vec::new();
    loop {
        let request =
            pb::ListQueueRequest { stream: pb::Stream::Snp as i32, page_size: 2, page_token: token, at_least_seq: 6 };
        let page = desk.regulation().list_queue(regulator(request)).await.unwrap().into_inner();
        seen.extend(page.cases.into_iter().map(|case| case.case_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen[0], urgent.case_id, "P1 before P2");
    let mut others = [first.case_id, second.case_id];
    others.sort();
    let mut listed = seen[1..].to_vec();
    listed.sort();
    assert_eq!(listed, others);
}

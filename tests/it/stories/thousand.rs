//! A thousand consoles at one instance: all show the same in the end, and the store is not asked once more for each.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use rstest::rstest;
use sas_dispatch::grpc::{
    client::Status,
    pb::{Priority, Stream, watch_event::Event},
};

use crate::support::room::{Console, Ground, Room, Story, ill, next, qualified};

/// Consoles on one connection: HTTP/2 lets no more streams through than about two hundred.
const PER_LINE: usize = 125;
/// Lines of consoles that read; one more line has the slow ones.
const LINES: usize = 8;

/// What one console shows, by case: the version it is at.
type Picture = BTreeMap<String, Vec<u8>>;

/// Reads until the mark that says that everything up to `seq` is shown.
async fn until(console: &mut Console, shown: &mut Picture, seq: u64) {
    loop {
        let message = next(console).await;
        match message.event.unwrap() {
            Event::Changed(case) => {
                shown.insert(case.case_id, case.version);
            }
            Event::GoneCaseId(id) => {
                shown.remove(&id);
            }
            Event::SnapshotDone(_) | Event::Bookmark(_) if message.seq >= seq => return,
            Event::SnapshotDone(_) | Event::Bookmark(_) | Event::Stale(_) => {}
            Event::Reset(_) => panic!("nothing was lost"),
        }
    }
}

async fn opened(room: &Room, consoles: usize) -> Result<Vec<(Console, Picture)>, Status> {
    let person = room.on_another_line("reg-2").await;
    let consoles = try_join_all((0..consoles).map(|_| person.watches(Stream::Snp, &[]))).await?;
    Ok(consoles.into_iter().map(|console| (console, Picture::new())).collect())
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_consoles_show_the_same(#[values(Ground::Embedded, Ground::Redis)] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let mut cases = Vec::new();
    for _ in 0..3 {
        let case = arm.opens("67482", ill()).await?;
        cases.push(arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?);
    }
    let mut consoles = Vec::new();
    for _ in 0..LINES {
        consoles.extend(opened(&room, PER_LINE).await?);
    }
    for (console, shown) in &mut consoles {
        until(console, shown, 1).await;
        assert_eq!(shown.len(), cases.len());
    }
    // A handful that will not read until everybody else has.
    let mut slow = opened(&room, 5).await?;
    assert_eq!(room.watching(), LINES * PER_LINE + 5);

    let before = room.redis_reads().await;
    for _ in 0..4 {
        for case in &cases {
            arm.notes(case, "rappel").await?;
        }
    }
    let mut expected = Picture::new();
    let mut seq = 0;
    for case in &cases {
        let receipt = arm.notes_with_receipt(case, "dernier mot").await?;
        seq = receipt.seq;
        expected.insert(case.case_id.clone(), arm.reads(case).await?.version);
    }
    for (console, shown) in &mut consoles {
        until(console, shown, seq).await;
        assert_eq!(*shown, expected);
    }
    let asked = room.redis_reads().await - before;
    assert!(asked < 500, "{asked} reads of the store for fifteen changes and a thousand consoles");
    for (console, shown) in &mut slow {
        until(console, shown, seq).await;
        assert_eq!(*shown, expected);
    }
    drop((consoles, slow));
    room.closes().await
}

//! The log is trimmed, and never so far that a reader would miss an entry without seeing that it did.

use super::stand::{Stand, add, remove};

super::on_every_engine! {
    trimming_stops_at_the_least_cursor_and_keeps_the_newest_entry
    whatever_the_cursors_are_trimming_never_passes_one
    a_trimmed_log_goes_on_without_a_gap
}

async fn logged(stand: &Stand, entries: u64) {
    for n in 0..entries {
        stand.done(&stand.txn(&format!("entry {n}")).await).await;
    }
}

/// A cursor is moved as readers do: in a commit.
async fn cursor(stand: &Stand, reader: &str, seq: u64) {
    let mut touch = stand.touch().await;
    touch.ops = vec![add("cursors", i64::try_from(seq).unwrap(), reader)];
    stand.done(&touch).await;
}

async fn trimmed(stand: &Stand, through: u64) -> u64 {
    stand.store.trim(&stand.territory, through).await.unwrap()
}

async fn seqs(stand: &Stand) -> Vec<u64> {
    stand.log().await.into_iter().map(|(seq, _)| seq).collect()
}

async fn trimming_stops_at_the_least_cursor_and_keeps_the_newest_entry(stand: Stand) {
    assert_eq!(trimmed(&stand, 9).await, 1, "an empty territory has nothing to trim");
    logged(&stand, 10).await;
    cursor(&stand, "slow", 3).await;
    cursor(&stand, "fast", 8).await;
    assert_eq!(trimmed(&stand, 0).await, 1);
    assert_eq!(trimmed(&stand, 2).await, 3);
    assert_eq!(trimmed(&stand, 9).await, 4);
    assert_eq!(seqs(&stand).await, (4..=10).collect::<Vec<_>>());
    let mut gone = stand.touch().await;
    gone.ops = vec![remove("cursors", "slow")];
    stand.done(&gone).await;
    assert_eq!(trimmed(&stand, u64::MAX).await, 9);
    cursor(&stand, "fast", 10).await;
    assert_eq!(trimmed(&stand, u64::MAX).await, 10, "without the newest entry a reader could not see its gap");
    assert_eq!(seqs(&stand).await, [10]);
    assert_eq!(trimmed(&stand, u64::MAX).await, 10);
}

/// The oracle: the first kept entry is the least of what was asked for, the cursors and the newest, never less than before.
async fn whatever_the_cursors_are_trimming_never_passes_one(stand: Stand) {
    let mut seed = 67_u64;
    let mut below = move |bound: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % bound
    };
    let (mut head, mut first, mut cursors) = (0, 1, [0; 3]);
    for round in 0..60 {
        for _ in 0..below(4) {
            stand.done(&stand.txn(&format!("{round} {head}")).await).await;
            head += 1;
        }
        let reader = below(3) as usize;
        cursors[reader] = below(head + 2);
        for (reader, seq) in cursors.iter().enumerate() {
            cursor(&stand, &format!("reader {reader}"), *seq).await;
        }
        let through = below(head + 5);
        let least = cursors.iter().copied().min().unwrap();
        let end = through.min(least).min(head.saturating_sub(1));
        first = first.max(end + 1);
        let kept = trimmed(&stand, through).await;
        assert_eq!(kept, if head == 0 { 1 } else { first }, "round {round}: {cursors:?}, through {through} of {head}");
        assert_eq!(seqs(&stand).await, (first..=head).collect::<Vec<_>>(), "round {round}");
    }
    assert!(first > 5, "the property was never put to work");
}

async fn a_trimmed_log_goes_on_without_a_gap(stand: Stand) {
    logged(&stand, 5).await;
    assert_eq!(trimmed(&stand, 4).await, 5);
    assert_eq!(stand.done(&stand.txn("next").await).await.seq, 6);
    let page = stand.store.log(&stand.territory, 2, 1).await.unwrap();
    assert_eq!(page[0].seq, 5, "a reader that stood at 2 sees the gap");
    assert_eq!(seqs(&stand).await, [5, 6]);
}

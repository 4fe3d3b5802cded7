//! A territory moves as a whole: read out of one engine, put into an empty place of another, and nothing is different.

use sas_dispatch::{
    domain::time::Span,
    store::{
        Guard, StoreError,
        dump::{Broken, Head, Page, Portable, Row},
    },
};

use super::stand::{Stand, add, command, index, key, member, put, put_numbered, remove};

super::on_every_engine! {
    a_dump_has_every_row_and_the_head
    an_unknown_territory_has_no_dump
    a_place_with_state_takes_nothing_in
    a_load_that_is_broken_off_is_never_half_a_territory
    receipts_that_have_outlived_their_life_stay_behind
}

/// Head and rows; panics when the territory moved meanwhile.
pub async fn dumped(store: &dyn Portable, territory: &str) -> (Head, Vec<Row>) {
    let mut dump = store.dump(&territory.parse().unwrap()).await.unwrap().expect("the territory should have state");
    let (head, mut rows) = (dump.head(), Vec::new());
    loop {
        match dump.next().await.unwrap() {
            Page::Rows(page) => rows.extend(page),
            Page::End => return (head, rows),
            Page::Moved => panic!("nobody writes here"),
        }
    }
}

async fn load(store: &dyn Portable, head: Head, rows: Vec<Row>) -> Result<(), StoreError> {
    let mut load = store.load(&"fr-67".parse().unwrap(), head, Broken::Refuse).await?;
    for page in rows.chunks(7) {
        load.add(page.to_vec()).await?;
    }
    load.finish().await
}

/// A few records, with all that a record can have; entries of equal score; a touch; a log of 1,205 entries.
async fn furnished(stand: &Stand) {
    let mut first = stand.txn("first").await;
    first.ops = vec![
        put_numbered("case/b", "opened", "number/2024-12-26"),
        put("case/a", "\u{0}bytes\n\"of any kind\""),
        add("open", 5, "b"),
        add("open", 5, "a/1"),
        add("queue/SNP", -7, "a"),
        add("gone", 1, "a"),
    ];
    stand.done(&first).await;
    stand.pass(Span::from_secs(2));
    let mut second = stand.txn("second").await;
    second.ops = vec![put_numbered("case/c", "", "number/2024-12-26"), remove("gone", "a")];
    second.outcome = vec![0, 159, 146, 150];
    stand.done(&second).await;
    let mut touch = stand.touch().await;
    touch.ops = vec![put("shift/x", "position"), add("leases", 9, "b")];
    stand.done(&touch).await;
    for n in 0..1_203 {
        let mut txn = stand.txn(&format!("n {n}")).await;
        txn.ops = vec![add("many", n / 3, &format!("{n:04}"))];
        stand.done(&txn).await;
    }
}

async fn a_dump_has_every_row_and_the_head(stand: Stand) {
    furnished(&stand).await;
    let (head, rows) = dumped(&*stand.whole, "fr-67").await;
    assert_eq!((head.epoch, head.seq, head.schema, head.touches), (1, 1_205, 1, 1));
    assert_eq!(head.last, stand.clock.now());
    let names = rows.iter().filter_map(|row| match row {
        Row::Record(key, record) => Some(format!("{key} {:?}", record.number)),
        Row::Counter(counter, value) => Some(format!("{counter} {value}")),
        _ => None,
    });
    let names: Vec<String> = names.collect();
    assert_eq!(names, ["case/a None", "case/b Some(1)", "case/c Some(2)", "shift/x None", "number/2024-12-26 2"]);
    let entries = rows.iter().filter(|row| matches!(row, Row::Entry(..))).count();
    let receipts = rows.iter().filter(|row| matches!(row, Row::Receipt(_))).count();
    let log = rows.iter().filter_map(|row| if let Row::Log(entry) = row { Some(entry.seq) } else { None });
    assert_eq!((entries, receipts), (4 + 1_203, 1_205));
    assert!(log.eq(1..=1_205));
}

async fn an_unknown_territory_has_no_dump(stand: Stand) {
    assert!(stand.whole.dump(&stand.territory).await.unwrap().is_none());
}

async fn a_place_with_state_takes_nothing_in(stand: Stand) {
    stand.done(&stand.txn("first").await).await;
    let (head, rows) = dumped(&*stand.whole, "fr-67").await;
    let refused = load(&*stand.whole, head, rows.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("has state here already"), "{refused}");
    assert_eq!(dumped(&*stand.whole, "fr-67").await, (head, rows));
}

async fn a_load_that_is_broken_off_is_never_half_a_territory(stand: Stand) {
    let source = Stand::embedded().await;
    furnished(&source).await;
    let (head, rows) = dumped(&*source.whole, "fr-67").await;
    let mut begun = stand.whole.load(&stand.territory, head, Broken::Refuse).await.unwrap();
    begun.add(rows[..3].to_vec()).await.unwrap();
    begun.add(rows[rows.len() - 5..].to_vec()).await.unwrap();
    drop(begun);
    // Either nothing is there, or everybody is told; nobody sees a part.
    let seen = stand.store.read(&stand.territory, &[key("case/a")], None).await;
    assert!(
        matches!(&seen, Ok(snapshot) if snapshot.epoch == 0 && snapshot.records[&key("case/a")].is_none())
            || matches!(&seen, Err(StoreError::Corrupt(_))),
        "{seen:?}"
    );
    if seen.is_err() {
        let mut txn = source.txn("new").await;
        txn.epoch = 0;
        assert!(matches!(stand.store.commit(&txn).await, Err(StoreError::Corrupt(_))));
        let told = stand.whole.dump(&stand.territory).await.err().expect("half a territory has no dump");
        assert!(told.to_string().contains("begun here and has not ended"), "{told}");
        assert!(load(&*stand.whole, head, rows.clone()).await.is_err());
    }
    let mut again = stand.whole.load(&stand.territory, head, Broken::Replace).await.unwrap();
    again.add(rows.clone()).await.unwrap();
    again.finish().await.unwrap();
    assert_eq!(dumped(&*stand.whole, "fr-67").await, (head, rows));
}

async fn receipts_that_have_outlived_their_life_stay_behind(stand: Stand) {
    stand.done(&stand.txn("first").await).await;
    stand.pass(Span::from_hours(72));
    let receipts = |rows: Vec<Row>| rows.iter().filter(|row| matches!(row, Row::Receipt(_))).count();
    assert_eq!(receipts(dumped(&*stand.whole, "fr-67").await.1), 1);
    stand.pass(Span::from_ms(1));
    let mut touch = stand.touch().await;
    touch.ops = vec![put("shift/x", "position")];
    stand.done(&touch).await;
    let kept = receipts(dumped(&*stand.whole, "fr-67").await.1);
    assert_eq!(kept, 0);
}

/// Embedded → Redis → embedded: every row and the head are the same, and the territory works on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_territory_moves_there_and_back_without_a_difference() {
    let (old, middle, new) = (Stand::embedded().await, Stand::redis().await, Stand::embedded().await);
    furnished(&old).await;
    let (head, rows) = dumped(&*old.whole, "fr-67").await;
    for stand in [&middle, &new] {
        stand.clock.advance_to(old.clock.now());
    }
    load(&*middle.whole, head, rows.clone()).await.unwrap();
    assert_eq!(dumped(&*middle.whole, "fr-67").await, (head, rows.clone()));
    works_on(&middle).await;
    let (after, more) = dumped(&*middle.whole, "fr-67").await;
    load(&*new.whole, Head { epoch: after.epoch + 1, ..after }, more.clone()).await.unwrap();
    assert_eq!(dumped(&*new.whole, "fr-67").await, (Head { epoch: after.epoch + 1, ..after }, more));
    // Who still believes in the old place is fenced.
    let mut late = middle.txn("late").await;
    late.at = new.clock.now();
    assert_eq!(new.refused(&late).await, StoreError::Fenced { current: 2 });
    assert_eq!(new.store.read(&new.territory, &[], Some(command("first"))).await.unwrap().receipt.unwrap().seq, 1);
}

async fn works_on(stand: &Stand) {
    let again = stand.done(&stand.txn("first").await).await;
    assert_eq!((again.seq, again.counts.as_slice(), again.replayed), (1, &[1][..], true));
    let mut next = stand.txn("next").await;
    next.guards = vec![Guard::Version(key("case/c"), stand.version("case/c").await)];
    next.guards.push(Guard::First(index("open"), Some(member("a/1"))));
    next.ops = vec![put("case/c", "changed"), put_numbered("case/d", "opened", "number/2024-12-26")];
    let next = stand.done(&next).await;
    assert_eq!((next.seq, next.counts), (1_206, vec![3]));
}

/// On Redis others may write while a dump is read: then it is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_a_live_redis_says_that_it_moved() {
    let stand = Stand::redis().await;
    stand.done(&stand.txn("first").await).await;
    let mut dump = stand.whole.dump(&stand.territory).await.unwrap().unwrap();
    assert!(matches!(dump.next().await.unwrap(), Page::Rows(_)));
    stand.done(&stand.touch().await).await;
    while let Page::Rows(_) = dump.next().await.unwrap() {}
    let mut dump = stand.whole.dump(&stand.territory).await.unwrap().unwrap();
    stand.done(&stand.txn("second").await).await;
    let mut last = dump.next().await.unwrap();
    while let Page::Rows(_) = last {
        last = dump.next().await.unwrap();
    }
    assert_eq!(last, Page::Moved);
}

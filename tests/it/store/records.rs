//! Records, their numbers and versions; touches; limits.

use sas_dispatch::store::{Counter, Guard, Op, Receipt, StoreError, Txn};

use super::stand::{START, Stand, add, command, key, put, put_numbered};

super::on_every_engine! {
    a_record_keeps_the_number_it_was_created_with
    numbers_that_were_given_elsewhere_are_left_out
    a_record_that_exists_cannot_be_numbered
    ops_are_applied_in_order
    bytes_of_every_kind_come_back_as_they_were
    a_touch_changes_a_record_and_its_version_without_a_trace_in_the_log
    every_limit_is_checked_and_every_fault_is_named_at_once
    the_largest_transaction_that_is_allowed_is_applied
    an_older_schema_does_not_write_over_a_newer_one
    an_unknown_territory_is_empty
    territories_do_not_see_each_other
    what_was_acknowledged_is_there_after_reopening
}

async fn a_record_keeps_the_number_it_was_created_with(stand: Stand) {
    let mut open = stand.txn("open").await;
    open.ops =
        vec![put_numbered("case/1", "a", "number/d"), put_numbered("case/2", "b", "number/d"), put("case/3", "c")];
    assert_eq!(stand.done(&open).await.counts, [1, 2]);
    let mut amend = stand.txn("amend").await;
    amend.ops = vec![put("case/2", "amended"), put_numbered("case/4", "d", "number/other day")];
    assert_eq!(stand.done(&amend).await.counts, [1]);
    let mut numbers = Vec::new();
    for name in ["case/1", "case/2", "case/3", "case/4"] {
        numbers.push(stand.record(name).await.unwrap().number);
    }
    assert_eq!(numbers, [Some(1), Some(2), None, Some(1)]);
    let logged = stand.store.log(&stand.territory, 0, 2).await.unwrap();
    assert_eq!(logged.iter().map(|e| e.counts.clone()).collect::<Vec<_>>(), [vec![1, 2], vec![1]]);
}

async fn numbers_that_were_given_elsewhere_are_left_out(stand: Stand) {
    let mut first = stand.txn("first").await;
    first.ops = vec![put_numbered("case/1", "a", "number/2024-12-26")];
    stand.done(&first).await;
    let mut skip = stand.touch().await;
    let skipped = |date: &str, numbers| Op::Skip { counter: Counter::case_number(date.parse().unwrap()), numbers };
    skip.ops = vec![skipped("2024-12-26", 7), skipped("2024-12-27", 3)];
    stand.done(&skip).await;
    let mut next = stand.txn("next").await;
    next.ops = ["26", "27", "28"]
        .map(|day| put_numbered(&format!("case/of-{day}"), "b", &format!("number/2024-12-{day}")))
        .to_vec();
    stand.done(&next).await;
    let mut numbers = Vec::new();
    for day in ["26", "27", "28"] {
        numbers.push(stand.record(&format!("case/of-{day}")).await.unwrap().number);
    }
    assert_eq!(numbers, [Some(9), Some(4), Some(1)]);
    skip.ops = vec![skipped("2024-12-26", 1 << 53)];
    assert!(matches!(stand.refused(&skip).await, StoreError::Malformed(_)));
    let mut beyond = stand.touch().await;
    beyond.ops = vec![skipped("2024-12-26", (1 << 53) - 1)];
    assert!(matches!(stand.refused(&beyond).await, StoreError::Corrupt(_)), "no number is lost to rounding");
}

async fn a_record_that_exists_cannot_be_numbered(stand: Stand) {
    let mut open = stand.txn("open").await;
    open.ops = vec![put("case/1", "a")];
    stand.done(&open).await;
    let mut again = stand.txn("again").await;
    again.ops = vec![add("open", 1, "1"), put_numbered("case/1", "b", "number/d")];
    let error = stand.refused(&again).await;
    assert_eq!(error, StoreError::Malformed("a record that exists cannot be numbered".to_owned()));
    assert_eq!(stand.index("open").await, [], "nothing of it was applied");
    again.ops = vec![put("case/2", "a"), put_numbered("case/2", "b", "number/d")];
    assert!(matches!(stand.refused(&again).await, StoreError::Malformed(_)));
}

async fn ops_are_applied_in_order(stand: Stand) {
    let mut txn = stand.txn("open").await;
    txn.ops = vec![
        put_numbered("case/1", "a", "number/d"),
        put("case/1", "b"),
        put_numbered("case/2", "a", "number/d"),
        Op::Delete(key("case/2")),
        put("case/2", "c"),
        Op::Delete(key("case/3")),
        add("open", 1, "1"),
        add("open", 2, "1"),
        add("open", 3, "2"),
        super::stand::remove("open", "2"),
        super::stand::remove("open", "3"),
    ];
    stand.done(&txn).await;
    let one = stand.record("case/1").await.unwrap();
    assert_eq!((one.value.as_slice(), one.number), (b"b".as_slice(), Some(1)));
    let two = stand.record("case/2").await.unwrap();
    assert_eq!((two.value.as_slice(), two.number), (b"c".as_slice(), None));
    assert_eq!(stand.index("open").await, [(2, "1".to_owned())]);
}

async fn bytes_of_every_kind_come_back_as_they_were(stand: Stand) {
    let every: Vec<u8> = (0..=255).chain([0, 13, 10, 0]).collect();
    let mut txn = stand.txn("open").await;
    txn.ops = vec![
        Op::Put { key: key("case/1"), value: every.clone(), number: None },
        Op::Put { key: key("case/2"), value: Vec::new(), number: None },
    ];
    txn.event = Some(every.clone());
    txn.outcome = every.clone();
    stand.done(&txn).await;
    assert_eq!(stand.record("case/1").await.unwrap().value, every);
    assert_eq!(stand.record("case/2").await.unwrap().value, b"");
    let entry = stand.store.log(&stand.territory, 0, 1).await.unwrap().remove(0);
    assert_eq!((entry.event, entry.command_id, entry.at), (every.clone(), command("open"), START));
    assert_eq!(stand.done(&txn).await.outcome, every);
}

async fn a_touch_changes_a_record_and_its_version_without_a_trace_in_the_log(stand: Stand) {
    let mut open = stand.txn("open").await;
    open.ops = vec![put("shift/1", "on duty")];
    stand.done(&open).await;
    let mut seen = vec![stand.version("shift/1").await];
    for _ in 0..3 {
        let mut touch = stand.touch().await;
        touch.guards = vec![Guard::Version(key("shift/1"), seen[seen.len() - 1])];
        touch.ops = vec![put("shift/1", "on duty"), add("shifts", 9, "1")];
        let receipt = stand.done(&touch).await;
        let (seq, at) = (receipt.seq, receipt.at);
        let (counts, outcome, durability) = (Vec::new(), Vec::new(), receipt.durability);
        let version = stand.version("shift/1").await;
        assert_eq!(receipt, Receipt { seq, at, counts, outcome, version, durability, replayed: false });
        assert_eq!(seq, 1);
        assert!(!seen.contains(&version), "two touches of the same content at one seq and instant gave one version");
        seen.push(version);
    }
    assert_eq!(stand.log().await.len(), 1);

    let mut silent = Txn { event: None, ..stand.txn("silent").await };
    silent.ops = vec![put("shift/1", "off duty")];
    assert_eq!(stand.done(&silent).await.seq, 1, "a command without an event leaves the log as it is");
    assert!(stand.done(&silent).await.replayed, "and has a receipt all the same");
}

async fn every_limit_is_checked_and_every_fault_is_named_at_once(stand: Stand) {
    let mut txn = stand.txn("too much").await;
    txn.guards = (0..33).map(|n| Guard::Absent(key(&format!("case/{n}")))).collect();
    txn.ops = (0..64).map(|n| put(&format!("case/{n}"), "x")).collect();
    txn.ops.push(add("open", (1 << 53) + 1, "1"));
    txn.event = Some(vec![0; 64 * 1024 + 1]);
    txn.outcome = vec![0; 4 * 1024 + 1];
    let StoreError::Malformed(faults) = stand.refused(&txn).await else { panic!("expected Malformed") };
    let faults: Vec<&str> = faults.split("; ").collect();
    assert_eq!(
        faults,
        [
            "guards: 33, at most 32",
            "ops: 65, at most 64",
            "event bytes: 65537, at most 65536",
            "outcome bytes: 4097, at most 4096",
            "score: expected -2^53 to 2^53",
        ]
    );
    let mut txn = stand.touch().await;
    txn.event = Some(Vec::new());
    txn.ops = vec![Op::Put { key: key("case/1"), value: vec![0; 256 * 1024 + 1], number: None }, put("", "x")];
    let error = stand.refused(&txn).await.to_string();
    for fault in ["record bytes: 262145", "a name of 0 bytes", "an event without a command"] {
        assert!(error.contains(fault), "{fault} is missing from: {error}");
    }
    let keys: Vec<_> = (0..65).map(|n| key(&format!("case/{n}"))).collect();
    assert!(matches!(stand.store.read(&stand.territory, &keys, None).await, Err(StoreError::Malformed(_))));
    for limit in [0, 1_001] {
        assert!(matches!(stand.store.log(&stand.territory, 0, limit).await, Err(StoreError::Malformed(_))));
        let index = super::stand::index("open");
        let page = stand.store.range(&stand.territory, &index, None, limit).await;
        assert!(matches!(page, Err(StoreError::Malformed(_))));
    }
}

async fn the_largest_transaction_that_is_allowed_is_applied(stand: Stand) {
    let mut txn = stand.txn("much").await;
    txn.guards = (0..32).map(|n| Guard::Absent(key(&format!("case/{n}")))).collect();
    let large = "x".repeat(16 * 1024);
    txn.ops = (0..62).map(|n| put(&format!("case/{n}"), &large)).collect();
    txn.ops.push(add("open", 1 << 53, "last"));
    txn.ops.push(add("open", -(1 << 53), "first"));
    txn.event = Some(vec![7; 64 * 1024]);
    txn.outcome = vec![7; 4 * 1024];
    stand.done(&txn).await;
    assert_eq!(stand.index("open").await, [(-(1 << 53), "first".to_owned()), (1 << 53, "last".to_owned())]);
    let keys: Vec<_> = (0..64).map(|n| key(&format!("case/{n}"))).collect();
    let read = stand.store.read(&stand.territory, &keys, None).await.unwrap();
    assert_eq!(read.records.values().flatten().count(), 62);
    txn.command = stand.txn("again").await.command;
    txn.epoch = 1;
    assert_eq!(stand.conflict(&txn).await.snapshot.records.len(), 32);
}

async fn an_older_schema_does_not_write_over_a_newer_one(stand: Stand) {
    for (name, schema, written) in [("one", 1, true), ("raised", 2, true), ("older", 1, false), ("newer", 2, true)] {
        let mut txn = stand.txn(name).await;
        txn.schema = schema;
        txn.ops = vec![put("case/1", name)];
        match stand.store.commit(&txn).await {
            Ok(_) => assert!(written, "{name}"),
            Err(error) => {
                assert!(!written, "{name}");
                assert_eq!(error, StoreError::Newer { found: 2, known: 1 });
            }
        }
    }
}

async fn an_unknown_territory_is_empty(stand: Stand) {
    let read = stand.store.read(&stand.territory, &[key("case/1")], Some(command("x"))).await.unwrap();
    assert_eq!((read.seq, read.epoch, read.at, read.receipt), (0, 0, START, None));
    assert_eq!(read.records[&key("case/1")], None);
    assert_eq!(stand.index("open").await, []);
    assert_eq!(stand.log().await, []);
    assert_eq!(stand.store.territories().await.unwrap(), []);
}

async fn territories_do_not_see_each_other(mut stand: Stand) {
    for territory in ["fr-67", "fr-89", "fr-6"] {
        stand.territory = territory.parse().unwrap();
        let mut txn = stand.txn("open").await;
        txn.ops = vec![put_numbered("case/1", territory, "number/d"), add("open", 1, territory)];
        let receipt = stand.done(&txn).await;
        assert_eq!((receipt.seq, receipt.counts, receipt.replayed), (1, vec![1], false));
    }
    let mut known = stand.store.territories().await.unwrap();
    known.sort();
    assert_eq!(known.iter().map(|t| t.as_str()).collect::<Vec<_>>(), ["fr-6", "fr-67", "fr-89"]);
    stand.territory = "fr-67".parse().unwrap();
    assert_eq!(stand.record("case/1").await.unwrap().value, b"fr-67");
    assert_eq!(stand.index("open").await, [(1, "fr-67".to_owned())]);
}

async fn what_was_acknowledged_is_there_after_reopening(stand: Stand) {
    let mut txn = stand.txn("open").await;
    txn.ops = vec![put_numbered("case/1", "opened", "number/d"), add("open", 1, "1")];
    stand.done(&txn).await;
    let before = (stand.record("case/1").await, stand.log().await, stand.index("open").await);
    let clock = stand.clock.clone();
    let stand = stand.reopen(clock).await;
    assert_eq!((stand.record("case/1").await, stand.log().await, stand.index("open").await), before);
    assert!(stand.done(&txn).await.replayed);
    let mut next = stand.txn("next").await;
    next.ops = vec![put_numbered("case/2", "opened", "number/d")];
    let receipt = stand.done(&next).await;
    assert_eq!((receipt.seq, receipt.counts), (2, vec![2]));
}

//! A transaction is applied when everything it expects is so, and else answers what is so.

use std::collections::BTreeMap;

use sas_dispatch::{
    domain::time::Span,
    store::{Guard, Op, StoreError},
};

use super::stand::{START, Stand, add, first, index, key, member, put, remove};

super::on_every_engine! {
    a_version_guard_holds_until_the_record_is_written_again
    an_absent_record_may_be_created_once
    a_record_written_anew_after_a_delete_has_another_version
    the_head_of_a_queue_is_the_least_score_and_then_the_least_bytes
    an_empty_index_can_be_guarded
    a_timer_is_due_from_its_instant_on_and_runs_before_it
    a_conflict_returns_every_guarded_record_and_the_heads_with_theirs
    a_failing_guard_leaves_everything_as_it_was
    an_unknown_epoch_is_fenced_and_the_current_one_is_named
    a_raised_epoch_fences_every_earlier_one_and_two_that_raise_it_raise_it_once
    an_epoch_is_raised_beyond_one_that_is_known_from_elsewhere
    two_claims_of_one_head_give_it_to_one
}

async fn a_version_guard_holds_until_the_record_is_written_again(stand: Stand) {
    let mut txn = stand.txn("open").await;
    txn.ops = vec![put("case/1", "opened")];
    stand.done(&txn).await;
    let seen = stand.version("case/1").await;

    let mut amend = stand.txn("amend").await;
    amend.guards = vec![Guard::Version(key("case/1"), seen)];
    amend.ops = vec![put("case/1", "amended")];
    stand.done(&amend).await;
    assert_ne!(stand.version("case/1").await, seen);

    let mut late = stand.txn("late").await;
    late.guards = vec![Guard::Version(key("case/1"), seen)];
    let conflict = stand.conflict(&late).await;
    let current = conflict.snapshot.records[&key("case/1")].clone().unwrap();
    assert_eq!(current.value, b"amended");
    assert_eq!((conflict.snapshot.seq, conflict.snapshot.epoch, conflict.snapshot.at), (2, 1, START));

    let mut right = stand.txn("right").await;
    right.guards = vec![Guard::Version(key("case/1"), current.version)];
    stand.done(&right).await;
}

async fn an_absent_record_may_be_created_once(stand: Stand) {
    for (name, free) in [("first", true), ("second", false)] {
        let mut txn = stand.txn(name).await;
        txn.guards = vec![Guard::Absent(key("case/1"))];
        txn.ops = vec![put("case/1", name)];
        if free {
            stand.done(&txn).await;
        } else {
            let records = stand.conflict(&txn).await.snapshot.records;
            assert_eq!(records[&key("case/1")].as_ref().unwrap().value, b"first");
        }
    }
    let mut never = stand.txn("never").await;
    never.guards = vec![Guard::Version(key("case/2"), stand.version("case/1").await)];
    assert_eq!(stand.conflict(&never).await.snapshot.records, BTreeMap::from([(key("case/2"), None)]));
}

async fn a_record_written_anew_after_a_delete_has_another_version(stand: Stand) {
    let mut versions = Vec::new();
    for name in ["one", "two"] {
        let mut txn = stand.txn(name).await;
        txn.ops = vec![sas_dispatch::store::Op::Delete(key("case/1")), put("case/1", "the same")];
        stand.done(&txn).await;
        versions.push(stand.version("case/1").await);
    }
    assert_ne!(versions[0], versions[1]);
}

async fn the_head_of_a_queue_is_the_least_score_and_then_the_least_bytes(stand: Stand) {
    let mut txn = stand.txn("fill").await;
    // Equal scores order by bytes: "B" before "a", "a" before "aa", all ASCII before "é".
    txn.ops = ["é", "aa", "a", "B"].map(|name| add("queue/amu", 7, name)).to_vec();
    txn.ops.push(add("queue/amu", 8, "A"));
    stand.done(&txn).await;
    for (n, head) in ["B", "a", "aa", "é", "A"].into_iter().enumerate() {
        let mut wrong = stand.txn(&format!("wrong {n}")).await;
        wrong.guards = vec![first("queue/amu", Some("other"))];
        assert_eq!(stand.conflict(&wrong).await.heads, BTreeMap::from([(index("queue/amu"), Some(member(head)))]));
        let mut claim = stand.txn(&format!("claim {n}")).await;
        claim.guards = vec![first("queue/amu", Some(head))];
        claim.ops = vec![remove("queue/amu", head)];
        stand.done(&claim).await;
    }
    let mut empty = stand.txn("empty").await;
    empty.guards = vec![first("queue/amu", Some("A"))];
    assert_eq!(stand.conflict(&empty).await.heads, BTreeMap::from([(index("queue/amu"), None)]));
}

async fn an_empty_index_can_be_guarded(stand: Stand) {
    let mut txn = stand.txn("none waits").await;
    txn.guards = vec![first("queue/amu", None)];
    txn.ops = vec![add("queue/amu", 1, "one")];
    stand.done(&txn).await;
    let mut again = stand.txn("one waits").await;
    again.guards = vec![first("queue/amu", None)];
    stand.conflict(&again).await;
}

async fn a_timer_is_due_from_its_instant_on_and_runs_before_it(stand: Stand) {
    let due = START + Span::from_secs(30);
    let mut txn = stand.txn("start").await;
    txn.ops = vec![add("timers", due.unix_ms(), "lease/1/1")];
    stand.done(&txn).await;
    for (n, (wait, is_due)) in [(29_999, false), (1, true), (1, true)].into_iter().enumerate() {
        stand.pass(Span::from_ms(wait));
        let mut fire = stand.txn(&format!("fire {n}")).await;
        fire.guards = vec![Guard::Due(index("timers"), member("lease/1/1"))];
        let mut renew = stand.txn(&format!("renew {n}")).await;
        renew.guards = vec![Guard::Running(index("timers"), member("lease/1/1"))];
        let (holds, fails) = if is_due { (fire, renew) } else { (renew, fire) };
        stand.conflict(&fails).await;
        stand.done(&holds).await;
    }
    for guard in [Guard::Due, Guard::Running] {
        let mut gone = stand.txn("gone").await;
        gone.guards = vec![guard(index("timers"), member("lease/1/2"))];
        stand.conflict(&gone).await;
    }
}

async fn a_conflict_returns_every_guarded_record_and_the_heads_with_theirs(stand: Stand) {
    let mut txn = stand.txn("fill").await;
    txn.ops = vec![
        put("case/1", "one"),
        put("case/2", "two"),
        add("queue/amu", 1, "2"),
        add("free/dr-a", 1, "s1"),
        put("slot/s1", "free"),
        add("timers", 1, "lease/1/1"),
    ];
    stand.done(&txn).await;
    let mut late = stand.txn("late").await;
    late.guards = vec![
        Guard::Version(key("case/1"), stand.version("case/1").await),
        Guard::Absent(key("case/3")),
        first("queue/amu", Some("2")),
        first("free/dr-a", None),
        first("timers", Some("lease/1/1")),
        Guard::Due(index("timers"), member("lease/1/1")),
    ];
    let conflict = stand.conflict(&late).await;
    let values: BTreeMap<_, _> =
        conflict.snapshot.records.iter().map(|(k, r)| (k.as_str(), r.as_ref().map(|r| r.value.as_slice()))).collect();
    assert_eq!(
        values,
        BTreeMap::from([
            ("case/1", Some(b"one".as_slice())),
            ("case/2", Some(b"two")),
            ("case/3", None),
            ("slot/s1", Some(b"free")),
        ])
    );
    assert_eq!(conflict.heads[&index("timers")], Some(member("lease/1/1")));
    assert_eq!(conflict.heads[&index("free/dr-a")], Some(member("s1")));
    assert_eq!(conflict.snapshot.receipt, None);
}

async fn a_failing_guard_leaves_everything_as_it_was(stand: Stand) {
    let mut txn = stand.txn("open").await;
    txn.ops = vec![put("case/1", "opened"), add("open", 1, "1")];
    stand.done(&txn).await;
    let mut half = stand.txn("half").await;
    half.guards = vec![Guard::Absent(key("case/2")), Guard::Absent(key("case/1"))];
    half.ops = vec![
        super::stand::put_numbered("case/2", "x", "number/1"),
        add("open", 9, "1"),
        sas_dispatch::store::Op::Delete(key("case/1")),
    ];
    stand.conflict(&half).await;
    assert_eq!(stand.record("case/1").await.unwrap().value, b"opened");
    assert_eq!(stand.record("case/2").await, None);
    assert_eq!(stand.index("open").await, [(1, "1".to_owned())]);
    assert_eq!(stand.log().await.len(), 1);
    half.guards.clear();
    half.command = stand.txn("whole").await.command;
    assert_eq!(stand.done(&half).await.counts, [1], "the counter did not move either");
}

async fn an_unknown_epoch_is_fenced_and_the_current_one_is_named(stand: Stand) {
    let mut txn = stand.txn("too early").await;
    assert_eq!(txn.epoch, 0);
    txn.epoch = 1;
    assert_eq!(stand.refused(&txn).await, StoreError::Fenced { current: 0 });
    txn.epoch = 0;
    stand.done(&txn).await;
    let mut late = stand.txn("late").await;
    late.epoch = 0;
    assert_eq!(stand.refused(&late).await, StoreError::Fenced { current: 1 });
    assert_eq!(stand.store.read(&stand.territory, &[], None).await.unwrap().epoch, 1);
}

async fn a_raised_epoch_fences_every_earlier_one_and_two_that_raise_it_raise_it_once(stand: Stand) {
    stand.done(&stand.txn("begin").await).await;
    let (mut one, mut other) = (stand.touch().await, stand.touch().await);
    let mut late = stand.txn("late").await;
    for raise in [&mut one, &mut other] {
        raise.ops = vec![Op::RaiseEpoch { beyond: 0 }, put("restored", "epoch 2")];
    }
    let before = stand.log().await;
    assert_eq!(stand.done(&one).await.seq, 1);
    assert_eq!(stand.refused(&other).await, StoreError::Fenced { current: 2 });
    late.ops = vec![put("case/1", "late")];
    assert_eq!(stand.refused(&late).await, StoreError::Fenced { current: 2 });
    assert_eq!(stand.log().await, before, "the epoch itself is no event");
    late.epoch = 2;
    assert_eq!(stand.done(&late).await.seq, 2);
    assert_eq!(stand.store.read(&stand.territory, &[], None).await.unwrap().epoch, 2);
}

async fn an_epoch_is_raised_beyond_one_that_is_known_from_elsewhere(stand: Stand) {
    let mut raise = stand.touch().await;
    raise.ops = vec![Op::RaiseEpoch { beyond: 0 }];
    stand.done(&raise).await;
    assert_eq!(stand.txn("unknown before").await.epoch, 1, "an unknown territory begins with epoch 1");
    for (beyond, epoch) in [(7, 8), (3, 9), (9, 10)] {
        let mut raise = stand.touch().await;
        raise.ops = vec![Op::RaiseEpoch { beyond }];
        stand.done(&raise).await;
        assert_eq!(stand.touch().await.epoch, epoch, "beyond {beyond}");
    }
    raise.ops = vec![Op::RaiseEpoch { beyond: 1 << 53 }];
    assert!(matches!(stand.refused(&raise).await, StoreError::Malformed(_)));
}

async fn two_claims_of_one_head_give_it_to_one(stand: Stand) {
    let mut fill = stand.txn("fill").await;
    fill.ops = (0..8).map(|n| add("queue/amu", n, &n.to_string())).collect();
    stand.done(&fill).await;
    let mut claims = Vec::new();
    for n in 0..16 {
        let mut claim = stand.txn(&format!("claim {n}")).await;
        claim.guards = vec![first("queue/amu", Some("0"))];
        claim.ops = vec![remove("queue/amu", "0")];
        claims.push(claim);
    }
    let answers = futures_util::future::join_all(claims.iter().map(|claim| stand.store.commit(claim))).await;
    let won = answers.iter().filter(|a| matches!(a, Ok(sas_dispatch::store::Committed::Done(_)))).count();
    assert_eq!(won, 1);
    assert_eq!(stand.index("queue/amu").await.len(), 7);
}

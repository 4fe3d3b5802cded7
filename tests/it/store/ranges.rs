//! An index is read page by page, in (score, member bytes) order, while others change it.

use sas_dispatch::store::{Member, Score};

use super::stand::{Stand, add, index, remove};

super::on_every_engine! {
    pages_of_any_size_give_the_whole_index_in_order
    a_page_goes_on_after_an_entry_that_has_gone
    a_member_has_one_score
}

fn text(n: usize) -> String {
    format!("{n:03}")
}

async fn fill(stand: &Stand) {
    // Three scores, thirty members of each; added last first.
    for part in [2, 1, 0] {
        let mut txn = stand.txn(&format!("fill {part}")).await;
        txn.ops = (0..30).rev().map(|n| add("open", part, &text(n))).map(|op| shift(op, part)).collect();
        stand.done(&txn).await;
    }
}

/// Members differ between scores, else the last score would win.
fn shift(op: sas_dispatch::store::Op, part: Score) -> sas_dispatch::store::Op {
    match op {
        sas_dispatch::store::Op::IndexAdd(index, score, Member(name)) => {
            sas_dispatch::store::Op::IndexAdd(index, score, Member(format!("{name}/{part}")))
        }
        other => other,
    }
}

async fn pages_of_any_size_give_the_whole_index_in_order(stand: Stand) {
    fill(&stand).await;
    let mut expected: Vec<(Score, Member)> =
        (0..3).flat_map(|part| (0..30).map(move |n| (part, Member(format!("{}/{part}", text(n)))))).collect();
    expected.sort();
    for size in [1, 7, 30, 89, 90, 91] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = stand.store.range(&stand.territory, &index("open"), after.clone(), size).await.unwrap();
            assert_eq!(page.seq, 3);
            seen.extend(page.entries.iter().cloned());
            after = page.entries.last().cloned();
            if page.entries.len() < size {
                break;
            }
        }
        assert_eq!(seen, expected, "pages of {size}");
    }
}

async fn a_page_goes_on_after_an_entry_that_has_gone(stand: Stand) {
    fill(&stand).await;
    let page = stand.store.range(&stand.territory, &index("open"), None, 35).await.unwrap();
    let last = page.entries.last().cloned().unwrap();
    assert_eq!(last, (1, Member("004/1".to_owned())));
    let mut gone = stand.txn("gone").await;
    gone.ops = vec![remove("open", "004/1"), remove("open", "005/1"), add("open", 1, "0045/1")];
    stand.done(&gone).await;
    let page = stand.store.range(&stand.territory, &index("open"), Some(last), 2).await.unwrap();
    assert_eq!(page.entries, [(1, Member("0045/1".to_owned())), (1, Member("006/1".to_owned()))]);
    for (after, next) in [((0, "zzz"), "000/1"), ((1, ""), "000/1"), ((-5, "x"), "000/0"), ((2, "028/3"), "029/2")] {
        let after = Some((after.0, Member(after.1.to_owned())));
        let page = stand.store.range(&stand.territory, &index("open"), after, 1).await.unwrap();
        assert_eq!(page.entries[0].1, Member(next.to_owned()));
    }
    let beyond = Some((2, Member("030".to_owned())));
    let page = stand.store.range(&stand.territory, &index("open"), beyond, 1).await.unwrap();
    assert_eq!(page.entries, []);
}

async fn a_member_has_one_score(stand: Stand) {
    for (name, score) in [("early", 1), ("late", 50), ("again", 50), ("class 2", 2 * (1 << 42) + 1_735_196_400_000)] {
        let mut txn = stand.txn(name).await;
        txn.ops = vec![add("queue/amu", score, "1")];
        stand.done(&txn).await;
        assert_eq!(stand.index("queue/amu").await, [(score, "1".to_owned())]);
    }
}

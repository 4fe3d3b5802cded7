//! What is written where a store was found to have gone back behind what was acknowledged: from where on it is another
//! history, and numbers that nobody was given in the one that is gone.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    domain::time::Instant,
    store::{Counter, Key, Op},
};

use super::past::{Look, WINDOW};

/// The record `apart`; it holds nothing about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Apart {
    /// The epoch that began there.
    pub epoch: u64,
    /// The head of the log then: the last that is left of the history before.
    pub seq: u64,
}

/// The ops that begin an epoch beyond `highest` and set it apart from a history that had `reached` further than `found`.
pub(super) fn set_apart(found: &Look, highest: u64, reached: u64) -> Vec<Op> {
    let apart = Apart { epoch: found.epoch.max(highest) + 1, seq: found.seq };
    let value = serde_json::to_vec(&apart).expect("two numbers have a JSON form");
    let mut ops = vec![Op::RaiseEpoch { beyond: highest }, Op::Put { key: Key::apart(), value, number: None }];
    ops.extend(skipped(found.at, reached.saturating_sub(found.seq)));
    ops
}

/// Leaves out the case numbers that may have been given in so many events that are `gone`, and in as many as an instance may
/// not have heard of: of today, wherever it is today. Nobody is numbered on another day any more.
pub(super) fn skipped(at: Instant, gone: u64) -> impl Iterator<Item = Op> {
    let numbers = gone.saturating_add(WINDOW);
    around(at).into_iter().map(move |date| Op::Skip { counter: Counter::case_number(date), numbers })
}

/// The date of an instant, in whatever zone.
fn around(at: Instant) -> Vec<NaiveDate> {
    let date = chrono::DateTime::from_timestamp_millis(at.unix_ms()).map(|at| at.date_naive());
    date.into_iter().flat_map(|date| [date.pred_opt(), Some(date), date.succ_opt()]).flatten().collect()
}

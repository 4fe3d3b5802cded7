//! What must never happen to records (design.md §3), checked after every decision and after every event of a log.
//!
//! Each rule stands here once, under the number it has there. The rules of one state look at records alone; those of
//! history compare a case before and after one event. They read stored records only and call no rule of `decide`, so
//! that a fault there is seen here. What no record shows is checked elsewhere: 1, 9, 10 and 12 by the engine, the
//! calendar, the planner and the watch.

mod claims;
mod decisions;
mod supply;
mod tasks;

use std::fmt;

use crate::domain::ids::CaseId;

use super::{decide::Outcome, fact::Records, state::Case};

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its number in design.md §3.
    pub rule: u8,
    /// What it concerns: a kind and an id.
    pub what: String,
    /// What is wrong.
    pub problem: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: rule {}: {}", self.what, self.rule, self.problem)
    }
}

/// What a rule finds: its number and the words.
type Found = (u8, &'static str);

/// The first rule that `outcome` would break, beginning from `before`; `None` when it may be committed.
pub fn broken(before: &Records, outcome: &Outcome) -> Option<Violation> {
    let new = outcome.event.case.and_then(|id| outcome.after.cases.get(&id));
    let old = outcome.event.case.and_then(|id| before.cases.get(&id));
    let of_case = new.into_iter().flat_map(|new| {
        let history = old.map(|old| history(old, new)).unwrap_or_default();
        state(new).into_iter().chain(history).map(|found| of_case(new.id, found))
    });
    of_case.chain(supply::rules(&outcome.after)).next()
}

/// Every rule that one event broke in the history of its case.
pub fn broken_history(old: &Case, new: &Case) -> Vec<Violation> {
    history(old, new).into_iter().map(|found| of_case(new.id, found)).collect()
}

/// Every broken rule of a territory's records, each named with what it concerns.
pub fn violations(records: &Records) -> Vec<Violation> {
    let cases = records.cases.values().flat_map(|case| of_one_case(case));
    cases.chain(supply::rules(records)).collect()
}

/// Every rule a case breaks by itself.
pub fn of_one_case(case: &Case) -> Vec<Violation> {
    state(case).into_iter().map(|found| of_case(case.id, found)).collect()
}

fn of_case(id: CaseId, (rule, problem): Found) -> Violation {
    Violation { rule, what: format!("case {id}"), problem }
}

fn state(case: &Case) -> Vec<Found> {
    let mut found = Vec::new();
    tasks::state(case, &mut found);
    claims::state(case, &mut found);
    decisions::state(case, &mut found);
    found
}

fn history(old: &Case, new: &Case) -> Vec<Found> {
    let mut found = Vec::new();
    tasks::history(old, new, &mut found);
    claims::history(old, new, &mut found);
    decisions::history(old, new, &mut found);
    found
}

/// Adds a finding when `broken`.
fn note(found: &mut Vec<Found>, broken: bool, rule: u8, problem: &'static str) {
    if broken {
        found.push((rule, problem));
    }
}

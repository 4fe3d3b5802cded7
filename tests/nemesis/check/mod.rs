//! The checker: pure functions over what the clients saw and what the log says at the end.
//!
//! The log gives one total order per territory. That each case and each slot was linearizable is shown by it: the order
//! keeps real time (what was acknowledged before another call began stands before it), and every reply is what the fold of
//! the log gives at its place.

mod fold;
mod handovers;
mod order;
mod queues;
mod replies;
pub mod selftest;
mod slots;
mod watchers;

use std::collections::{BTreeMap, BTreeSet};

use sas_dispatch::domain::case::Event;

use crate::history::{History, Op, Outcome};

pub use fold::Model;

/// One entry of a log.
#[derive(Debug, Clone)]
pub struct Entry {
    pub seq: u64,
    pub command_id: String,
    pub at_ms: i64,
    pub event: Event,
}

/// What is stored at the end.
#[derive(Debug, Default, Clone)]
pub struct Stored {
    pub logs: BTreeMap<String, Vec<Entry>>,
    /// Receipts of acknowledged commands that changed nothing and so have no entry: command and place.
    pub receipts: BTreeMap<String, u64>,
    /// What the service's own checker finds wrong: log against records and indexes.
    pub broken: Vec<String>,
    /// When the last instance was asked to stop, milliseconds since 1970; 0 when that is not known.
    pub stopped_ms: i64,
}

/// What a run came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub acknowledged: usize,
    pub unknown: usize,
    pub lost: usize,
    pub duplicated: usize,
    pub longest_unavailability_ms: u64,
    pub violations: Vec<String>,
    /// What is no violation and yet worth knowing.
    pub notes: Vec<String>,
}

/// Judges a run whose load lasted from 0 to `load_us`, at the durability `level`.
pub fn judge(history: &History, stored: &Stored, level: &str, load_us: u64) -> Judgement {
    let mut judged = Judgement {
        acknowledged: history.ops.iter().filter(|op| op.told().is_some()).count(),
        unknown: history.ops.iter().filter(|op| matches!(op.outcome, Outcome::Unknown { .. })).count(),
        ..Judgement::default()
    };
    let mut territories: BTreeSet<&String> = stored.logs.keys().collect();
    territories.extend(history.ops.iter().map(|op| &op.territory));
    let empty = Vec::new();
    let mut models: BTreeMap<&str, Model<'_>> = BTreeMap::new();
    let (mut below_level, mut seen_and_gone, mut taken_back) = (0, 0, 0);
    for territory in territories {
        let log = stored.logs.get(territory).unwrap_or(&empty);
        let ops: Vec<&Op> = history.ops.iter().filter(|op| op.territory == *territory).collect();
        let silence_ms = order::longest_silence_us(&ops, load_us) / 1_000;
        judged.longest_unavailability_ms = judged.longest_unavailability_ms.max(silence_ms);
        let said = |text: String| format!("{territory}: {text}");
        let model = Model::of(log);
        judged.duplicated += model.repeated;
        judged.violations.extend(model.broken.iter().cloned().map(said));
        let acknowledged = replies::acknowledged(&ops, &model, stored, level);
        judged.lost += acknowledged.lost;
        below_level += acknowledged.gone.len();
        // What was lost at a level that promised no more is no part of any order.
        let gone = &acknowledged.gone;
        let ops: Vec<&Op> = ops.into_iter().filter(|op| !gone.contains(op.command_id.as_str())).collect();
        judged.violations.extend(acknowledged.broken.iter().cloned().map(said));
        judged.violations.extend(below(&ops, &model, level).into_iter().map(said));
        judged.violations.extend(order::real_time(&ops, &model).into_iter().map(said));
        judged.violations.extend(replies::agree(&ops, &model).into_iter().map(said));
        let reads = history.reads.iter().filter(|read| read.territory == *territory);
        let (wrong, vanished) = replies::reads(reads, &ops, &model, level);
        if level == "D2" {
            seen_and_gone += vanished.len();
        } else {
            judged.violations.extend(vanished.into_iter().map(said));
        }
        judged.violations.extend(wrong.into_iter().map(said));
        for queued in history.queued.iter().filter(|queued| queued.territory == *territory) {
            judged.violations.extend(queues::served(queued, &model).into_iter().map(said));
        }
        for watched in history.watched.iter().filter(|watched| watched.territory == *territory) {
            let (wrong, void) = watchers::missed(watched, &model, level);
            judged.violations.extend(wrong.into_iter().map(said));
            taken_back += void;
        }
        models.insert(territory, model);
    }
    judged.violations.extend(handovers::wrong(&models, stored.stopped_ms));
    if below_level > 0 {
        judged.notes.push(format!(
            "{below_level} about vital emergencies, acknowledged at D1 while no replica followed, went with the primary"
        ));
    }
    if seen_and_gone > 0 {
        judged.notes.push(format!(
            "{seen_and_gone} reads showed what was never promised and went with its primary, or did not show what only it had"
        ));
    }
    if taken_back > 0 {
        judged.notes.push(format!(
            "{taken_back} changes were shown to watchers while no replica followed, and taken back by a reset"
        ));
    }
    judged.violations.extend(stored.broken.iter().cloned());
    judged
}

/// Below the site's level an acknowledgement may only be given for a vital emergency and its hand-over, which never wait; for
/// what binds a slot or a visit never.
fn below(ops: &[&Op], model: &Model<'_>, level: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for (op, told) in ops.iter().filter_map(|op| Some((op, op.told()?))) {
        let case = told.case.as_ref().or(op.case.as_ref());
        let at = |seq| case.and_then(|case| model.at(case, seq)).is_some_and(|step| step.vital);
        let excused = level == "D2"
            && told.durability == "D1"
            && !replies::BINDING.contains(&op.kind)
            && (op.kind == "AcceptHandOver" || at(told.seq) || at(told.seq.saturating_sub(1)));
        if told.durability != level && !excused {
            let (kind, id, said) = (op.kind, &op.command_id, &told.durability);
            broken.push(format!("{kind} {id} was acknowledged at {said}, the site promises {level}"));
        }
    }
    broken
}

//! Every reply against the log: acknowledged means logged once, at that place, with that content; refused means not done.

use std::collections::{BTreeMap, BTreeSet};

use sas_dispatch::domain::case::Fact;

use super::{Model, Stored, slots};
use crate::history::{Op, Outcome, Read, Renewed, Told};

/// Acts that only the holder of the claim they name may do.
const FENCED: [&str; 5] = ["SignNeed", "SignAnswer", "ReleaseClaim", "Reorient", "ResumeClaim"];

/// Acts that bind a slot or a visit: strict whatever the case is.
pub(super) const BINDING: [&str; 6] =
    ["Advance", "AnswerOffer", "ConfirmSlot", "RenewHold", "AcceptVisit", "DeclineVisit"];

/// What became of the acknowledged commands.
pub(super) struct Acknowledged<'a> {
    pub lost: usize,
    /// Commands about vital emergencies that are not there any more and whose receipts promised less than the site does.
    pub gone: BTreeSet<&'a str>,
    pub broken: Vec<String>,
}

/// Every acknowledged command is in the log; one that changed nothing has at least its receipt.
pub(super) fn acknowledged<'a>(ops: &[&'a Op], model: &Model<'_>, stored: &Stored, level: &str) -> Acknowledged<'a> {
    let (mut lost, mut gone, mut broken) = (0, BTreeSet::new(), Vec::new());
    let vital = vital_cases(ops);
    let invoked: BTreeMap<&str, u64> = ops.iter().map(|op| (op.command_id.as_str(), op.invoked_us)).collect();
    for op in ops {
        let entry = model.by_command.get(op.command_id.as_str());
        match (&op.outcome, entry) {
            (Outcome::Done(told), None) => {
                // A command that changed nothing names the place that the log had reached: not one that came later.
                let at = model.by_seq.get(&told.seq);
                let later = at.and_then(|entry| invoked.get(entry.command_id.as_str()));
                let silent = stored.receipts.get(&op.command_id) == Some(&told.seq)
                    && (told.seq == 0 || at.is_some() && later.is_none_or(|began| *began <= op.completed_us));
                let case = told.case.as_ref().or(op.case.as_ref());
                let vital = op.vital || told.vital || case.is_some_and(|case| vital.contains(case.as_str()));
                let may_wait_for_nobody = vital && !BINDING.contains(&op.kind);
                if !silent && level == "D2" && told.durability == "D1" && may_wait_for_nobody {
                    gone.insert(op.command_id.as_str());
                } else if !silent {
                    lost += 1;
                    let (kind, id, seq, at) = (op.kind, &op.command_id, told.seq, &told.durability);
                    broken
                        .push(format!("LOST: {kind} {id} was acknowledged at seq {seq} ({at}) and is not in the log"));
                }
            }
            // Words of a holder who came too late are kept; nothing else of a refused command may be there.
            (Outcome::Refused { code, .. }, Some(entry)) if !entry.event.facts.is_empty() => {
                let (kind, id, seq) = (op.kind, &op.command_id, entry.seq);
                broken.push(format!("{kind} {id} was refused ({code}) and took effect at seq {seq}"));
            }
            (Outcome::Nothing, Some(entry)) => {
                let (kind, id, seq) = (op.kind, &op.command_id, entry.seq);
                broken.push(format!("{kind} {id} was answered that there is nothing, and took effect at seq {seq}"));
            }
            _ => {}
        }
    }
    Acknowledged { lost, gone, broken }
}

/// The cases that somebody acted on as a vital emergency, whatever is left of it: what has become a P0 at D1 may be gone
/// with its primary, and everything about it that was acknowledged meanwhile.
fn vital_cases<'a>(ops: &[&'a Op]) -> BTreeSet<&'a str> {
    let may_have_been = ops.iter().filter(|op| !matches!(op.outcome, Outcome::Refused { .. }));
    let vital = may_have_been.filter(|op| op.vital || op.told().is_some_and(|told| told.vital));
    vital.filter_map(|op| op.told().and_then(|told| told.case.as_deref()).or(op.case.as_deref())).collect()
}

/// Every reply says what the log gives at its place.
pub(super) fn agree(ops: &[&Op], model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut numbers: BTreeMap<(&str, u64), &str> = BTreeMap::new();
    for (op, told) in ops.iter().filter_map(|op| Some((*op, op.told()?))) {
        let mut wrong = |what: String| broken.push(format!("{} {}: {what}", op.kind, op.command_id));
        if let (Some(case), Some(no)) = (&told.case, told.claim_no) {
            let other = numbers.insert((case, no), &op.command_id);
            if other.is_some_and(|other| other != op.command_id) {
                wrong(format!("claim {no} of case {case} was given twice"));
            }
        }
        reply_wrong(op, told, model).into_iter().for_each(&mut wrong);
    }
    broken
}

fn reply_wrong(op: &Op, told: &Told, model: &Model<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(entry) = model.by_command.get(op.command_id.as_str()) {
        if (told.seq, told.at_ms) != (entry.seq, entry.at_ms) {
            let (seq, at) = (entry.seq, entry.at_ms);
            wrong.push(format!("acknowledged at seq {} ({}), it stands at {seq} ({at})", told.seq, told.at_ms));
        }
        let case = entry.event.case.map(|case| case.to_string());
        if told.case.is_some() && told.case != case {
            wrong.push(format!("the reply shows case {:?}, the log {case:?}", told.case));
        }
        let facts = &entry.event.facts;
        let claimed = |no| facts.iter().any(|fact| matches!(fact, Fact::Claimed { no: given, .. } if *given == no));
        if told.claim_no.is_some_and(|no| no > 0 && !claimed(no)) {
            wrong.push(format!("the reply gives claim {:?}, the log does not", told.claim_no));
        }
        let published =
            |id: &str| facts.iter().any(|fact| matches!(fact, Fact::SlotPublished(slot) if slot.id.to_string() == id));
        if told.slot.as_deref().is_some_and(|id| !published(id)) {
            wrong.push(format!("the reply gives slot {:?}, the log does not", told.slot));
        }
        if FENCED.contains(&op.kind) && !facts.is_empty() {
            let held = case.and_then(|case| model.at(&case, entry.seq - 1)?.shape.claim.clone()).map(|claim| claim.0);
            if held != op.under_claim {
                wrong.push(format!("done under claim {:?} while {held:?} held the case", op.under_claim));
            }
        }
    }
    if let (Some(case), Some(version)) = (told.case.as_ref().or(op.case.as_ref()), &told.version) {
        wrong.extend(shown_wrong(model, case, version, told.shape.as_ref()));
    }
    wrong
}

fn shown_wrong(model: &Model<'_>, case: &str, version: &str, shape: Option<&crate::history::Shape>) -> Option<String> {
    let Some(step) = model.version(case, version) else {
        return Some(format!("version {version} of case {case} is in no place of the log"));
    };
    let differs = shape.is_some_and(|shape| *shape != step.shape);
    differs.then(|| format!("case {case} at {} was shown as {shape:?}, the log gives {:?}", step.seq, step.shape))
}

/// Every read shows what the log gives at its place, and never less than was asked for or acknowledged before it began.
/// Apart: reads of a state that is in no place of the log, and those that do not show what was acknowledged below the
/// promised level.
pub(super) fn reads<'a>(
    reads: impl Iterator<Item = &'a Read>,
    ops: &[&Op],
    model: &Model<'_>,
    level: &str,
) -> (Vec<String>, Vec<String>) {
    let vital = vital_cases(ops);
    let (promised, any) = (Known::of(ops, |told| told.durability == level), Known::of(ops, |_| true));
    let acknowledged: BTreeMap<&str, u64> =
        ops.iter().filter(|op| op.told().is_some()).map(|op| (op.command_id.as_str(), op.completed_us)).collect();
    // What stands at a place now may have taken the place of a tail that went with its primary after the read.
    let known_before = |seq: u64, read: &Read| {
        let entry = model.by_seq.get(&seq);
        let done = entry.and_then(|entry| acknowledged.get(entry.command_id.as_str()));
        done.is_some_and(|at| *at < read.invoked_us)
    };
    let invoked: BTreeMap<&str, u64> = ops.iter().map(|op| (op.command_id.as_str(), op.invoked_us)).collect();
    // Upkeep does its own work without being called.
    let begun_by = |seq: u64, us: u64| {
        let entry = model.by_seq.get(&seq);
        entry.and_then(|entry| invoked.get(entry.command_id.as_str())).is_none_or(|began| *began <= us)
    };
    let (mut broken, mut vanished) = (Vec::new(), Vec::new());
    for read in reads {
        let said = |what: String| format!("{} on instance {}: {what}", read.kind, read.instance);
        let stale = |before| said(format!("answered at seq {}, {before} was acknowledged before it began", read.seq));
        let (kept, before) = (promised.before(read.invoked_us), any.before(read.invoked_us));
        if read.seq < read.at_least_seq.max(kept) {
            broken.push(stale(kept));
        } else if read.seq < before {
            // Where a replica is elected that has not followed, what no replica had is not to be seen there, even when
            // another election brings it back.
            vanished.push(stale(before));
        }
        for shown in &read.cases {
            if model.version(&shown.case, &shown.version).is_none() {
                vanished.push(said(format!("case {} at {} is in no place of the log", shown.case, shown.version)));
                continue;
            }
            broken.extend(shown_wrong(model, &shown.case, &shown.version, shown.shape.as_ref()).map(said));
            let there = model.at(&shown.case, read.seq).filter(|step| step.version != shown.version);
            if let Some(step) = there.filter(|_| read.kind == "GetCase") {
                let what = said(format!("at seq {} case {} was another version than shown", read.seq, shown.case));
                if known_before(step.seq, read) { &mut broken } else { &mut vanished }.push(what);
            }
        }
        if let Some(agenda) = &read.agenda {
            let list = slots::another_list(agenda, read.seq, model).map(said);
            if known_before(read.seq, read) { &mut broken } else { &mut vanished }.extend(list);
            let had_begun = |seq| begun_by(seq, read.completed_us);
            vanished.extend(slots::another_state(agenda, read.seq, model, had_begun).map(said));
        }
        if let Some(renewed) = &read.renewed {
            let below = renewed.durability != level;
            let excused = level == "D2"
                && renewed.durability == "D1"
                && (model.ever_vital(&renewed.case) || vital.contains(renewed.case.as_str()));
            if below && !excused {
                let (case, at) = (&renewed.case, &renewed.durability);
                broken.push(said(format!("a claim of case {case} was renewed at {at}, the site promises {level}")));
            }
            // A renewal at the promised level stands on a log that is kept.
            let wrong = renewed_wrong(renewed, read.seq, model).map(said);
            if below { &mut vanished } else { &mut broken }.extend(wrong);
        }
    }
    (broken, vanished)
}

/// How far the log was known to reach, by when.
struct Known(Vec<(u64, u64)>);

impl Known {
    /// From what was acknowledged and is `counted`.
    fn of(ops: &[&Op], counted: impl Fn(&Told) -> bool) -> Self {
        let told = ops.iter().filter_map(|op| Some((op.completed_us, op.told().filter(|told| counted(told))?.seq)));
        let mut done: Vec<(u64, u64)> = told.collect();
        done.sort_unstable();
        let mut most = 0;
        Self(done.iter().map(|(at, seq)| (*at, (most = most.max(*seq), most).1)).collect())
    }

    fn before(&self, us: u64) -> u64 {
        self.0[..self.0.partition_point(|(at, _)| *at < us)].last().map_or(0, |known| known.1)
    }
}

/// A renewal by somebody who did not hold the case.
fn renewed_wrong(renewed: &Renewed, seq: u64, model: &Model<'_>) -> Option<String> {
    let Renewed { person, case, claim_no, .. } = renewed;
    let held = model.at(case, seq).and_then(|step| step.shape.claim.clone());
    let theirs = held.as_ref().is_some_and(|claim| (claim.0, &claim.1) == (*claim_no, person));
    (!theirs).then(|| format!("claim {claim_no} of case {case} was renewed at seq {seq} while {held:?} held it"))
}

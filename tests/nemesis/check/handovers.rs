//! Hand-overs between territories, by the logs of both sides: what was accepted is opened once at its receiver, nobody signs
//! for a case that is not his territory's, no case is owned by both or by neither, and none is left half-way.

use std::collections::BTreeMap;

use sas_dispatch::domain::{
    case::{
        Case, Fact,
        transfer::{Transfer, TransferEnd, next},
    },
    ids::{CaseId, CommandId},
};

use super::Model;

/// One sending, and what both logs say of it.
struct HandOver<'a> {
    from: &'a str,
    case: CaseId,
    sent: Transfer,
    /// How it ended in its sender's log, each time that stands there.
    ends: Vec<TransferEnd>,
}

/// How long upkeep may take for a step, milliseconds: many of its rounds, on a busy machine.
const STEP_MS: i64 = 3_000;

/// What is wrong with the hand-overs between these territories, whose service ran until `stopped_ms`.
pub(super) fn wrong(models: &BTreeMap<&str, Model<'_>>, stopped_ms: i64) -> Vec<String> {
    let mut broken = opened_again(models);
    for (territory, model) in models {
        broken.extend(signed_elsewhere(model).into_iter().map(|text| format!("{territory}: {text}")));
    }
    for known in models.iter().flat_map(|(from, model)| sent(from, model)) {
        let (from, to, there) = (known.from, known.sent.to.as_str(), known.sent.there);
        let said = |what: &str| format!("{from}: the hand-over of case {} to {to} as {there} {what}", known.case);
        let case = |territory: &str, id: CaseId| models.get(territory)?.records.cases.get(&id).map(|case| &**case);
        let (sender, copy) = (case(from, known.case), case(to, there));
        broken.extend(owners(&known, copy).into_iter().map(said));
        let changed = changed_ms(models, from, known.case).max(changed_ms(models, to, there));
        if let Some(step) = next(there, sender, copy).filter(|_| stopped_ms - changed > STEP_MS) {
            broken.push(said(&format!("was left half-way: {} was still to be done", step.name())));
        }
        if known.ends.len() > 1 {
            broken.push(said(&format!("ended {} times: {:?}", known.ends.len(), known.ends)));
        }
    }
    broken.extend(models.iter().flat_map(|(territory, model)| never_sent(territory, model, models)));
    broken
}

fn sent<'a>(from: &'a str, model: &Model<'_>) -> Vec<HandOver<'a>> {
    let mut all: Vec<HandOver<'a>> = Vec::new();
    for entry in model.by_seq.values() {
        for fact in &entry.event.facts {
            match (fact, entry.event.case) {
                (Fact::TransferSent(sent), Some(case)) => {
                    all.push(HandOver { from, case, sent: (**sent).clone(), ends: Vec::new() });
                }
                (Fact::TransferEnded { there, ended }, _) => {
                    let theirs = all.iter_mut().filter(|known| known.sent.there == *there);
                    theirs.for_each(|known| known.ends.push(ended.how));
                }
                _ => {}
            }
        }
    }
    all
}

/// Copies of one sending that were opened more than once, wherever and under whatever id.
fn opened_again(models: &BTreeMap<&str, Model<'_>>) -> Vec<String> {
    let mut opened: BTreeMap<CommandId, Vec<String>> = BTreeMap::new();
    for (territory, model) in models {
        for entry in model.by_seq.values() {
            for fact in &entry.event.facts {
                if let Fact::TransferReceived(received) = fact {
                    let place = format!("{territory} at seq {}", entry.seq);
                    opened.entry(received.command).or_default().push(place);
                }
            }
        }
    }
    let twice = opened.into_iter().filter(|(_, places)| places.len() > 1);
    twice.map(|(command, places)| format!("what {command} sent was opened {}", places.join(" and "))).collect()
}

/// Needs that were signed where the case was not, or where its sender had not said yet that it was.
fn signed_elsewhere(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for entry in model.by_seq.values() {
        let signs = entry.event.facts.iter().any(|fact| matches!(fact, Fact::NeedSigned(_)));
        let Some(case) = entry.event.case.filter(|_| signs).map(|case| case.to_string()) else { continue };
        if model.at(&case, entry.seq - 1).is_some_and(|step| step.elsewhere) {
            broken.push(format!("seq {}: a need was signed for case {case}, which was another territory's", entry.seq));
        }
    }
    broken
}

/// When something last happened to a case.
fn changed_ms(models: &BTreeMap<&str, Model<'_>>, territory: &str, case: CaseId) -> i64 {
    let entries = models.get(territory).into_iter().flat_map(|model| model.by_seq.values());
    entries.filter(|entry| entry.event.case == Some(case)).map(|entry| entry.at_ms).max().unwrap_or(0)
}

/// Whose the case is at the end: not both sides', nor neither's.
fn owners(known: &HandOver<'_>, copy: Option<&Case>) -> Option<&'static str> {
    let accepted = known.ends.contains(&TransferEnd::Accepted);
    let received = copy.and_then(|copy| copy.received.as_deref());
    let theirs = received.is_some_and(|received| received.settled.is_some_and(|(_, how)| how == TransferEnd::Accepted));
    if theirs && !accepted {
        return Some("is owned by both: it is settled as accepted there, and the log here never accepted it");
    }
    let nobody = received.is_none_or(|received| received.with_sender() || received.answered.is_none());
    (accepted && nobody).then_some("is owned by neither: it was accepted by the log here, and nobody there has it")
}

/// Copies that go on although their sender's log knows of no sending.
fn never_sent(territory: &str, model: &Model<'_>, models: &BTreeMap<&str, Model<'_>>) -> Vec<String> {
    let mut broken = Vec::new();
    for case in model.records.cases.values() {
        let Some(received) = case.received.as_deref().filter(|received| !received.with_sender()) else { continue };
        let sender = models.get(received.from.as_str()).and_then(|model| model.records.cases.get(&received.case));
        if !received.goes_on && sender.is_none_or(|sender| sender.transfer(case.id).is_none()) {
            let (id, from) = (case.id, &received.from);
            broken.push(format!("{territory}: case {id} came from {from}, whose log knows nothing of its sending"));
        }
    }
    broken
}

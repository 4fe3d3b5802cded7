//! The log told again with the domain's own [`Replay`]: what every case was at every place, and whether the log itself is
//! sound.

use std::collections::BTreeMap;

use sas_dispatch::{
    domain::{
        case::{
            ActionKind, Case, Fact, OfferState, Records,
            replay::{Kind, Replay},
            transfer::{Received, TransferEnd},
        },
        ids::{CommandId, SlotId},
        regulation::{
            qualification::{Priority, Stream},
            queue::Waiting,
        },
        slots::Slot,
        time::Instant,
    },
    store::Version,
};

use super::Entry;
use crate::history::{Shape, hex};

/// A case after one entry of the log.
#[derive(Debug, Clone)]
pub struct Step {
    pub seq: u64,
    pub version: String,
    pub shape: Shape,
    /// A vital emergency: nothing about it waits for a replica.
    pub vital: bool,
    /// It is another territory's, or whose it is has not been said: nothing is signed here.
    pub elsewhere: bool,
    /// In whose queue it waits, and its turn.
    pub waits: Option<(Stream, Waiting)>,
}

/// What the log tells.
#[derive(Debug, Default)]
pub struct Model<'a> {
    /// Entries by command; the first of a command that stands twice.
    pub by_command: BTreeMap<&'a str, &'a Entry>,
    /// Entries by place.
    pub by_seq: BTreeMap<u64, &'a Entry>,
    /// How many commands stand more than once.
    pub repeated: usize,
    /// Every state of every case, in order.
    pub cases: BTreeMap<String, Vec<Step>>,
    /// Every state of every slot with its place, in order.
    pub slots: BTreeMap<String, Vec<(u64, Slot)>>,
    /// What is wrong with the log itself. Whatever else its events may break, the service's own check says of the stored
    /// state.
    pub broken: Vec<String>,
    /// What the log makes of everything.
    pub records: Records,
}

impl<'a> Model<'a> {
    pub fn of(log: &'a [Entry]) -> Self {
        let (mut model, mut told) = (Self::default(), Replay::from_seq(1));
        for entry in log {
            model.by_seq.insert(entry.seq, entry);
            model.by_command.entry(&entry.command_id).or_insert(entry);
            model.step(&mut told, entry);
        }
        told.end(told.last_at().unwrap_or(Instant::from_unix_ms(0)));
        for finding in &told.findings {
            if matches!(finding.kind, Kind::Gap | Kind::Repeated | Kind::Holders | Kind::Slot) {
                model.broken.push(format!("seq {}: {}: {}", finding.seqs.0, finding.what, finding.problem));
            }
            model.repeated += usize::from(finding.kind == Kind::Repeated);
        }
        model.records = told.records;
        model
    }

    fn step(&mut self, told: &mut Replay, entry: &Entry) {
        let Ok(command) = entry.command_id.parse::<CommandId>() else {
            return self.broken.push(format!("seq {}: a command id that is none", entry.seq));
        };
        let (id, at) = (entry.event.case, Instant::from_unix_ms(entry.at_ms));
        let before = id.and_then(|id| told.records.cases.get(&id)).cloned();
        told.entry(entry.seq, command, at, Ok(&entry.event));
        let after = id.and_then(|id| told.records.cases.get(&id));
        if let Some(after) = after.filter(|after| before.as_ref() != Some(*after)) {
            let version = hex(&Version::new(entry.seq, command, at).to_bytes());
            let vital = after.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0);
            let open = after.received.as_deref().is_some_and(Received::open);
            let elsewhere = open && !vital || after.handed_on().is_some();
            let step = Step { seq: entry.seq, version, shape: shape(after), vital, elsewhere, waits: waits(after) };
            self.cases.entry(after.id.to_string()).or_default().push(step);
        }
        for slot in entry.event.facts.iter().filter_map(changed).filter_map(|id| told.records.slots.get(&id)) {
            self.slots.entry(slot.id.to_string()).or_default().push((entry.seq, slot.clone()));
        }
    }

    /// The case as it was at a place of the log.
    pub fn at(&self, case: &str, seq: u64) -> Option<&Step> {
        let steps = self.cases.get(case)?;
        steps[..steps.partition_point(|step| step.seq <= seq)].last()
    }

    /// The slot as it was at a place of the log.
    pub fn slot(&self, slot: &str, seq: u64) -> Option<&Slot> {
        let steps = self.slots.get(slot)?;
        steps[..steps.partition_point(|(at, _)| *at <= seq)].last().map(|(_, slot)| slot)
    }

    /// The state that had this version.
    pub fn version(&self, case: &str, version: &str) -> Option<&Step> {
        self.cases.get(case)?.iter().find(|step| step.version == version)
    }

    /// Whether the log ever shows a case as a vital emergency.
    pub fn ever_vital(&self, case: &str) -> bool {
        self.cases.get(case).is_some_and(|steps| steps.iter().any(|step| step.vital))
    }
}

/// The slot that a fact changes.
fn changed(fact: &Fact) -> Option<SlotId> {
    match fact {
        Fact::SlotPublished(slot) => Some(slot.id),
        Fact::SlotHeld { slot, .. }
        | Fact::SlotBooked { slot, .. }
        | Fact::SlotFreed { slot }
        | Fact::SlotWithdrawn { slot } => Some(*slot),
        _ => None,
    }
}

fn shape(case: &Case) -> Shape {
    let offers = |wanted: fn(&OfferState) -> bool| case.offers.iter().filter(|offer| wanted(&offer.state)).count();
    Shape {
        claim: case.claim.as_ref().map(|claim| (claim.no, claim.by.to_string(), claim.suspect.is_some())),
        decisions: case.decisions.len(),
        answered: case.decisions.iter().filter(|decision| decision.answer.is_some()).count(),
        offers: (
            case.offers.len(),
            offers(|state| *state == OfferState::Open),
            offers(|state| matches!(state, OfferState::Accepted { .. })),
        ),
        visits: case.visits.len(),
        actions: (case.actions.len(), case.open_actions().count()),
        notes: case.sealed.notes.len(),
        sent: (
            case.transfers.len(),
            case.transfers.last().map(|sent| ended(sent.ended.as_ref().map(|ended| ended.how))),
        ),
        received: case
            .received
            .as_ref()
            .map(|known| (known.answered.is_some(), ended(known.settled.map(|(_, how)| how)))),
    }
}

fn ended(how: Option<TransferEnd>) -> String {
    how.map(|how| how.code().to_owned()).unwrap_or_default()
}

/// Whoever is to be regulated, held by nobody and sent to no other territory waits in the queue of his stream, or of the one whose answer to a
/// re-orientation is awaited.
fn waits(case: &Case) -> Option<(Stream, Waiting)> {
    let known = case.qualification.as_ref()?;
    let free = case.claim.is_none()
        && case.open_action(ActionKind::Regulate).is_some()
        && case.open_action(ActionKind::Transfer).is_none();
    let stream = case.before()?;
    free.then_some((stream, Waiting { priority: known.priority, due: known.due, case: case.id }))
}

//! The log folded with the domain's own `evolve`: what every case was at every place, and whether the log itself is sound.

use std::collections::BTreeMap;

use sas_dispatch::{
    domain::{
        case::{Case, Event, Fact, OfferState, Records, apply},
        ids::{CaseId, CommandId, SlotId},
        regulation::qualification::Priority,
        slots::SlotState,
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
}

/// What the log tells.
#[derive(Debug, Default)]
pub struct Model<'a> {
    /// Entries by command; the first of a command that stands twice.
    pub by_command: BTreeMap<&'a str, &'a Entry>,
    /// Entries by place.
    pub by_seq: BTreeMap<u64, &'a Entry>,
    /// Commands that stand more than once.
    pub repeated: Vec<String>,
    /// Every state of every case, in order.
    pub cases: BTreeMap<String, Vec<Step>>,
    /// What is wrong with the log itself.
    pub broken: Vec<String>,
}

impl<'a> Model<'a> {
    pub fn of(log: &'a [Entry]) -> Self {
        let mut model = Self::default();
        let mut records = Records::default();
        for (expected, entry) in (1..).zip(log) {
            if entry.seq != expected {
                model.broken.push(format!("seq {expected}: the log goes on with {}: entries are missing", entry.seq));
                return model;
            }
            model.by_seq.insert(entry.seq, entry);
            if model.by_command.insert(&entry.command_id, entry).is_some() {
                model.repeated.push(entry.command_id.clone());
                model.broken.push(format!("seq {}: command {} took effect twice", entry.seq, entry.command_id));
            }
            model.step(&mut records, entry);
        }
        model
    }

    fn step(&mut self, records: &mut Records, entry: &Entry) {
        let event = &entry.event;
        self.broken.extend(wrong_binding(records, event).map(|wrong| format!("seq {}: {wrong}", entry.seq)));
        let before = event.case.and_then(|id| records.cases.get(&id)).cloned();
        self.broken.extend(two_holders(before.as_deref(), event).map(|wrong| format!("seq {}: {wrong}", entry.seq)));
        apply(records, event);
        let after = event.case.and_then(|id| records.cases.get(&id));
        if let Some(after) = after.filter(|after| before.as_ref() != Some(*after)) {
            let command: Result<CommandId, _> = entry.command_id.parse();
            let version = command
                .map(|id| hex(&Version::new(entry.seq, id, Instant::from_unix_ms(entry.at_ms)).to_bytes()))
                .unwrap_or_default();
            let vital = after.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0);
            let step = Step { seq: entry.seq, version, shape: shape(after), vital };
            self.cases.entry(after.id.to_string()).or_default().push(step);
        }
    }

    /// The case as it was at a place of the log.
    pub fn at(&self, case: &str, seq: u64) -> Option<&Step> {
        let steps = self.cases.get(case)?;
        steps[..steps.partition_point(|step| step.seq <= seq)].last()
    }

    /// The state that had this version.
    pub fn version(&self, case: &str, version: &str) -> Option<&Step> {
        self.cases.get(case)?.iter().find(|step| step.version == version)
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
    }
}

/// A slot that another case has may be neither held nor booked.
fn wrong_binding(records: &Records, event: &Event) -> Option<String> {
    let free_for = |slot: &SlotId, case: CaseId| match records.slots.get(slot).map(|slot| &slot.state) {
        Some(SlotState::Booked { case: other, .. }) => *other == case,
        Some(SlotState::Held { case: other, until, .. }) => *other == case || *until <= event.at,
        Some(SlotState::Free) => true,
        Some(SlotState::Withdrawn { .. }) | None => false,
    };
    event.facts.iter().find_map(|fact| match (fact, event.case) {
        (Fact::SlotHeld { slot, .. } | Fact::SlotBooked { slot, .. }, Some(case)) if !free_for(slot, case) => {
            Some(format!("slot {slot} was bound to case {case} while another had it"))
        }
        _ => None,
    })
}

/// A case that a regulator holds is given to no other before the first has it no more.
fn two_holders(before: Option<&Case>, event: &Event) -> Option<String> {
    let mut held = before.and_then(|case| case.claim.as_ref()).map(|claim| claim.no);
    for fact in &event.facts {
        match fact {
            Fact::ClaimEnded { .. } => held = None,
            Fact::Claimed { no, .. } => {
                if let Some(other) = held.replace(*no) {
                    return Some(format!("claim {no} began while claim {other} still held the case"));
                }
            }
            _ => {}
        }
    }
    None
}

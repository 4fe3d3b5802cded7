//! Every list of slots against the log: which slots stand on it, and what each of them is.
//!
//! The service reads the list first and what stands on it a moment later, in one read of the store. So the list is that of
//! the reply's place, and its slots are what they were at one place, that one or a later one that had begun by then.

use std::{collections::BTreeSet, iter::once};

use sas_dispatch::domain::{
    slots::{Slot, SlotState},
    time::Instant,
};

use super::Model;
use crate::history::{Agenda, ShownSlot};

/// Another list than at the place `seq`.
pub(super) fn another_list(agenda: &Agenda, seq: u64, model: &Model<'_>) -> Option<String> {
    let of_his = |slot: &&Slot| slot.listed() && slot.responder.to_string() == agenda.responder;
    let mut listed: Vec<(Instant, String)> = model
        .slots
        .keys()
        .filter_map(|id| model.slot(id, seq))
        .filter(of_his)
        .map(|slot| (slot.start, slot.id.to_string()))
        .collect();
    listed.sort_unstable();
    if agenda.more {
        listed.truncate(agenda.slots.len());
    }
    let listed: Vec<&str> = listed.iter().map(|(_, id)| id.as_str()).collect();
    let shown: Vec<&str> = agenda.slots.iter().map(|slot| slot.slot.as_str()).collect();
    let whose = &agenda.responder;
    (listed != shown).then(|| format!("at seq {seq} the slots of {whose} were {listed:?}, shown were {shown:?}"))
}

/// Slots that were what is shown at no place from `seq` on, as long as what stands there `had_begun` when the reply came.
pub(super) fn another_state(
    agenda: &Agenda,
    seq: u64,
    model: &Model<'_>,
    had_begun: impl Fn(u64) -> bool,
) -> Option<String> {
    let steps = agenda.slots.iter().filter_map(|slot| model.slots.get(&slot.slot)).flatten();
    let later: BTreeSet<u64> = steps.map(|(at, _)| *at).filter(|at| *at > seq).collect();
    let differs = |place: u64| agenda.slots.iter().find(|shown| !is(shown, agenda, model.slot(&shown.slot, place)));
    let mut places = once(seq).chain(later.into_iter().take_while(|place| had_begun(*place)));
    if places.any(|place| differs(place).is_none()) {
        return None;
    }
    let shown = differs(seq)?;
    let there = model.slot(&shown.slot, seq);
    Some(format!(
        "slot {} was shown as {shown:?}, at seq {seq} the log gives {there:?}, and nothing else later",
        shown.slot
    ))
}

/// Whether this is what a reply shows of that slot. When it was worked out is known as well as the reply's beginning and end.
fn is(shown: &ShownSlot, agenda: &Agenda, slot: Option<&Slot>) -> bool {
    let at = |ms| slot.is_some_and(|slot| *shown == seen(slot, Instant::from_unix_ms(ms)));
    at(agenda.asked_ms) || at(agenda.answered_ms)
}

/// A slot as it is seen at an instant: a hold that has run out holds nothing.
fn seen(slot: &Slot, now: Instant) -> ShownSlot {
    let (status, whose, held_until_ms) = match &slot.state {
        SlotState::Held { case, offer, until } if *until > now => ("HELD", Some((case, offer)), until.unix_ms()),
        SlotState::Free | SlotState::Held { .. } => ("FREE", None, 0),
        SlotState::Booked { case, offer, .. } => ("BOOKED", Some((case, offer)), 0),
        SlotState::Withdrawn { .. } => ("WITHDRAWN", None, 0),
    };
    let (case, offer) = whose.map(|(case, offer)| (case.to_string(), offer.to_string())).unwrap_or_default();
    ShownSlot {
        slot: slot.id.to_string(),
        responder: slot.responder.to_string(),
        kind: slot.kind.code().to_owned(),
        start_ms: slot.start.unix_ms(),
        end_ms: slot.end.unix_ms(),
        status: status.to_owned(),
        case,
        offer,
        held_until_ms,
    }
}

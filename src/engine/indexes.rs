//! Index entries are a pure function of a record; a commit writes the difference between before and after, so that no
//! index can be forgotten.

use std::collections::BTreeMap;

use crate::{
    domain::{
        case::{Action, ActionKind, Case, OfferState, Owner, leaving, transfer::Received},
        regulation::queue,
        remarkable::Sheet,
        slots::{Slot, SlotState},
        territory::LeaseSpans,
        visits::Shift,
    },
    store::{Index, Key, Member, Op, Score},
};

use super::{
    codec::Entity,
    repeat::{LookupKey, sheet_traces, traces},
};

/// The entries of a record: (index, member) → score.
pub(super) type Entries = BTreeMap<(Index, Member), Score>;

/// What the entries of a case depend on beside the case.
#[derive(Clone, Copy)]
pub(super) struct Basis<'a> {
    pub(super) lookup: &'a LookupKey,
    /// How long a suspect claim is left to its holder.
    pub(super) lease: LeaseSpans,
}

/// The ops that turn the entries of `before` into those of `after`.
pub(super) fn difference(before: Option<&Entity>, after: Option<&Entity>, basis: Basis<'_>) -> Vec<Op> {
    let (old, new) = match (before, after) {
        // Nothing it can be looked up by has changed: the costly hashes are left out on both sides.
        (Some(Entity::Case(old)), Some(Entity::Case(new))) if found_alike(old, new) => {
            (of_work(old, basis), of_work(new, basis))
        }
        _ => {
            let of = |entity: Option<&Entity>| entity.map(|entity| entries(entity, basis)).unwrap_or_default();
            (of(before), of(after))
        }
    };
    let mut ops: Vec<Op> = Vec::new();
    for ((index, member), _) in old.iter().filter(|(place, _)| !new.contains_key(*place)) {
        ops.push(Op::IndexRemove(index.clone(), member.clone()));
    }
    for ((index, member), score) in new {
        let place = (index, member);
        if old.get(&place) != Some(&score) {
            ops.push(Op::IndexAdd(place.0, score, place.1));
        }
    }
    ops
}

/// Every entry of a record, save the lease of a claim, which renewals move without touching the record.
pub(super) fn entries(entity: &Entity, basis: Basis<'_>) -> Entries {
    match entity {
        Entity::Case(case) => of_case(case, basis),
        Entity::Slot(slot) => of_slot(slot),
        Entity::Shift(shift) => of_shift(shift),
        Entity::Room(_) => Entries::new(),
        Entity::Sheet(sheet) => of_sheet(sheet, basis),
    }
}

/// Where a record stands in one index; `None` when it is not in it.
pub(super) fn place(entity: &Entity, index: &Index, basis: Basis<'_>) -> Option<(Score, Member)> {
    let of_index = entries(entity, basis).into_iter().find(|((known, _), _)| known == index);
    of_index.map(|((_, member), score)| (score, member))
}

fn of_case(case: &Case, basis: Basis<'_>) -> Entries {
    let (mut entries, id) = (of_work(case, basis), Member::from(&case.id));
    let mut add = |index: Index| entries.insert((index, id.clone()), case.opened.unix_ms());
    for trace in traces(case) {
        add(Index::repeat(&basis.lookup.hash(&trace.text())));
    }
    if let Some(call) = &case.call {
        // The newest stands first: an exchange uses its names of calls again. The newest is what was entered last by our own
        // clock: when a call came in is told by that of the exchange, which may be behind.
        entries.insert((Index::call(&basis.lookup.hash(call)), id), -case.entered.unix_ms());
    }
    entries
}

/// Whether everything a case is found by, and the instants that order it, are the same.
fn found_alike(old: &Case, new: &Case) -> bool {
    let (a, b) = (&old.sealed, &new.sealed);
    let place = |case: &Case| case.place.commune;
    old.call == new.call
        && (old.opened, old.entered) == (new.opened, new.entered)
        && a.caller == b.caller
        && a.identities == b.identities
        && a.address.street == b.address.street
        && place(old) == place(new)
}

/// The entries by which the work is found.
fn of_work(case: &Case, basis: Basis<'_>) -> Entries {
    let mut entries = Entries::new();
    let id = Member::from(&case.id);
    let mut add = |index: Index, member: &Member, score: Score| {
        entries.insert((index, member.clone()), score);
    };
    if case.open_actions().next().is_some() {
        add(Index::open(), &id, case.opened.unix_ms());
    }
    if let Some((index, score)) = waits_in(case) {
        add(index, &id, score);
    }
    for (kind, index) in [(ActionKind::HandOver, Index::handovers()), (ActionKind::Unanswered, Index::unanswered())] {
        if let Some(action) = case.open_action(kind) {
            add(index, &id, action.opened.unix_ms());
        }
    }
    if let Some(score) = carried(case) {
        add(Index::transfers(), &id, score);
    }
    if let Some(first) = case.open_actions().filter_map(Action::alarmed).min() {
        add(Index::alarms(), &id, first.unix_ms());
    }
    if let Some(claim) = &case.claim {
        add(Index::claims(&claim.by), &id, claim.at.unix_ms());
        if let Some(since) = claim.suspect {
            let timer = Member(format!("suspect/{}/{}", case.id, claim.no));
            add(Index::timers(), &timer, (since + case.left_to_holder(basis.lease)).unix_ms());
        }
    }
    for (action, due) in case.open_actions().filter_map(|action| Some((action, case.due(action)?))) {
        let mut timer = String::with_capacity(80);
        timer.push_str("action/");
        case.id.append_to(&mut timer);
        timer.push('/');
        action.id.append_to(&mut timer);
        let timer = Member(timer);
        add(Index::timers(), &timer, due.unix_ms());
    }
    if let Some(closed) = leaving::closed_at(case) {
        add(Index::over(), &Member(Key::case(case.id).to_string()), closed.unix_ms());
    }
    entries.extend(of_missions(case));
    entries
}

/// Hand-overs whose outcome is known on this side stand from here on, after those that wait.
pub(super) const CARRIED_LATER: Score = 1 << 42;

/// Where a hand-over of the case that is carried stands, by when it was sent: until its sender has the answer, and at the
/// receiver as long as the case is worked on, since the sender may take his up again.
fn carried(case: &Case) -> Option<Score> {
    let sent = case.sent().map(|transfer| transfer.at.unix_ms());
    let here = |received: &Received| {
        let worked_on = !received.with_sender() && case.open_actions().next().is_some();
        let later = if received.open() { 0 } else { CARRIED_LATER };
        (received.open() || worked_on).then_some(later + received.sent.unix_ms())
    };
    sent.or(case.received.as_deref().and_then(here))
}

/// The queue a case waits in, and where: while it waits for another stream's answer, theirs; while it asks for a skill
/// and is not late, that skill's. What waits for another territory's answer waits in none.
fn waits_in(case: &Case) -> Option<(Index, Score)> {
    let (known, action) = (case.qualification.as_ref()?, case.open_action(ActionKind::Regulate)?);
    if case.claim.is_some() || case.open_action(ActionKind::Transfer).is_some() {
        return None;
    }
    let stream = case.before()?.code();
    let index = match &known.skill {
        Some(skill) if action.alarmed().is_none() => Index::queue_for(stream, skill),
        _ => Index::queue(stream),
    };
    Some((index, queue::score(known.priority, known.due)))
}

/// Offers, visits that wait or are under way, and what responders still have to do for the case.
fn of_missions(case: &Case) -> Entries {
    let mut entries = Entries::new();
    let id = Member::from(&case.id);
    let mut add = |index: Index, member: Member, score: Score| {
        let kept = entries.entry((index, member)).or_insert(score);
        *kept = score.min(*kept);
    };
    for offer in case.offers.iter().filter(|offer| matches!(offer.state, OfferState::Open)) {
        add(Index::offers(), Member(format!("{}/{}", case.id, offer.id)), offer.until.unix_ms());
        add(Index::missions(&offer.responder), id.clone(), offer.at.unix_ms());
    }
    for visit in case.visits.iter().filter(|visit| !visit.status.ended()) {
        add(Index::visits(&visit.sector), id.clone(), visit.due.unix_ms());
        add(Index::missions(&visit.responder), id.clone(), visit.due.unix_ms());
    }
    for action in case.open_actions() {
        if let Owner::Responder(responder) = &action.owner {
            add(Index::missions(responder), id.clone(), action.opened.unix_ms());
        }
        let offer = action.about.offer.and_then(|offer| case.offer(offer));
        if let (ActionKind::Appointment | ActionKind::AwaitReport, Some(offer)) = (action.kind, offer) {
            add(Index::missions(&offer.responder), id.clone(), action.opened.unix_ms());
        }
    }
    entries
}

fn of_slot(slot: &Slot) -> Entries {
    let id = Member::from(&slot.id);
    let score = slot.start.unix_ms();
    let mut entries = Entries::new();
    // A held slot stays listed as free: whether its hold has run out is judged when it is looked at.
    if matches!(slot.state, SlotState::Free | SlotState::Held { .. }) {
        entries.insert((Index::free(&slot.responder), id.clone()), score);
    }
    if slot.listed() {
        entries.insert((Index::slots(&slot.responder), id.clone()), score);
        entries.insert((Index::supply(), id.clone()), score);
        for (turn, hour) in slot.turn.iter().flat_map(|turn| slot.hours().map(move |hour| (turn, hour))) {
            entries.insert((Index::published(&slot.responder, hour), id.clone()), -Score::from(*turn));
        }
    }
    entries.insert((Index::over(), Member(Key::slot(slot.id).to_string())), slot.end.unix_ms());
    entries
}

fn of_shift(shift: &Shift) -> Entries {
    let mut entries = Entries::new();
    if shift.working() {
        entries.insert((Index::shifts(), Member::from(&shift.id)), shift.end.unix_ms());
        if let Some(opened) = shift.opened {
            entries.insert((Index::shifts_of(&shift.doctor), Member::from(&shift.id)), -opened.unix_ms());
        }
    }
    entries.insert((Index::over(), Member(Key::shift(shift.id).to_string())), shift.end.unix_ms());
    entries
}

fn of_sheet(sheet: &Sheet, basis: Basis<'_>) -> Entries {
    let (id, over) = (Member::from(&sheet.id), sheet.over().unix_ms());
    let mut entries = Entries::new();
    entries.insert((Index::sheets(), id.clone()), over);
    for (_, text) in sheet_traces(sheet) {
        entries.insert((Index::sheet_of(&basis.lookup.hash(&text)), id.clone()), over);
    }
    entries.insert((Index::over(), Member(Key::sheet(sheet.id).to_string())), over);
    entries
}

//! Index entries are a pure function of a record; a commit writes the difference between before and after, so that no
//! index can be forgotten.

use std::collections::BTreeMap;

use crate::{
    domain::{
        case::{Action, ActionKind, Case, OfferState, Owner, leaving, transfer::Received},
        ids::{ActionId, Canonical, CaseId, OfferId, SheetId, ShiftId, SlotId},
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

/// Who stands in an index. It becomes a [`Member`] where an entry is written: most are the same before and after a command.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Case(CaseId),
    /// The claim of this number, while nobody is heard of its holder.
    Claim(CaseId, u64),
    Action(CaseId, ActionId),
    Offer(CaseId, OfferId),
    Slot(SlotId),
    Shift(ShiftId),
    Sheet(SheetId),
    Record(Key),
}

impl Who {
    fn member(&self) -> Member {
        Member(match self {
            Self::Case(id) => id.text(),
            Self::Claim(case, no) => format!("suspect/{case}/{no}"),
            Self::Action(case, action) => {
                let mut text = String::with_capacity(80);
                text.push_str("action/");
                case.append_to(&mut text);
                text.push('/');
                action.append_to(&mut text);
                text
            }
            Self::Offer(case, offer) => format!("{case}/{offer}"),
            Self::Slot(id) => id.text(),
            Self::Shift(id) => id.text(),
            Self::Sheet(id) => id.text(),
            Self::Record(key) => key.as_str().to_owned(),
        })
    }
}

/// The entries of a record before they are written out. They are few: a list is looked through faster than a map is made.
#[derive(Debug, Default)]
struct Places(Vec<(Index, Who, Score)>);

impl Places {
    /// Puts an entry, in the stead of one at the same place.
    fn put(&mut self, index: Index, who: Who, score: Score) {
        match self.0.iter_mut().find(|(known, other, _)| *other == who && *known == index) {
            Some((_, _, kept)) => *kept = score,
            None => self.0.push((index, who, score)),
        }
    }

    /// The same, unless the one at that place comes earlier.
    fn put_earliest(&mut self, index: Index, who: Who, score: Score) {
        let earliest = self.score(&index, &who).map_or(score, |kept| kept.min(score));
        self.put(index, who, earliest);
    }

    fn score(&self, index: &Index, who: &Who) -> Option<Score> {
        self.0.iter().find(|(known, other, _)| other == who && known == index).map(|(_, _, score)| *score)
    }
}

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
            let of = |entity: Option<&Entity>| entity.map(|entity| places(entity, basis)).unwrap_or_default();
            (of(before), of(after))
        }
    };
    let gone = old.0.iter().filter(|(index, who, _)| new.score(index, who).is_none());
    let mut ops: Vec<Op> = gone.map(|(index, who, _)| Op::IndexRemove(index.clone(), who.member())).collect();
    for (index, who, score) in new.0 {
        if old.score(&index, &who) != Some(score) {
            ops.push(Op::IndexAdd(index, score, who.member()));
        }
    }
    ops
}

/// Every entry of a record, save the lease of a claim, which renewals move without touching the record.
pub(super) fn entries(entity: &Entity, basis: Basis<'_>) -> Entries {
    places(entity, basis).0.into_iter().map(|(index, who, score)| ((index, who.member()), score)).collect()
}

fn places(entity: &Entity, basis: Basis<'_>) -> Places {
    match entity {
        Entity::Case(case) => of_case(case, basis),
        Entity::Slot(slot) => of_slot(slot),
        Entity::Shift(shift) => of_shift(shift),
        Entity::Room(_) => Places::default(),
        Entity::Sheet(sheet) => of_sheet(sheet, basis),
    }
}

/// Where a record stands in one index; `None` when it is not in it.
pub(super) fn place(entity: &Entity, index: &Index, basis: Basis<'_>) -> Option<(Score, Member)> {
    let mut of_index = places(entity, basis).0.into_iter().filter(|(known, _, _)| known == index);
    of_index.next().map(|(_, who, score)| (score, who.member()))
}

fn of_case(case: &Case, basis: Basis<'_>) -> Places {
    let mut places = of_work(case, basis);
    for trace in traces(case) {
        let index = Index::repeat(&basis.lookup.hash(&trace.text()));
        places.put(index, Who::Case(case.id), case.opened.unix_ms());
    }
    if let Some(call) = &case.call {
        // The newest stands first: an exchange uses its names of calls again. The newest is what was entered last by our own
        // clock: when a call came in is told by that of the exchange, which may be behind.
        let index = Index::call(&basis.lookup.hash(call));
        places.put(index, Who::Case(case.id), -case.entered.unix_ms());
    }
    places
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
fn of_work(case: &Case, basis: Basis<'_>) -> Places {
    let mut places = Places::default();
    let mut add = |index: Index, who: Who, score: Score| places.put(index, who, score);
    let itself = || Who::Case(case.id);
    if case.open_actions().next().is_some() {
        add(Index::open(), itself(), case.opened.unix_ms());
    }
    if let Some((index, score)) = waits_in(case) {
        add(index, itself(), score);
    }
    for (kind, index) in [(ActionKind::HandOver, Index::handovers()), (ActionKind::Unanswered, Index::unanswered())] {
        if let Some(action) = case.open_action(kind) {
            add(index, itself(), action.opened.unix_ms());
        }
    }
    if let Some(score) = carried(case) {
        add(Index::transfers(), itself(), score);
    }
    if let Some(first) = case.open_actions().filter_map(Action::alarmed).min() {
        add(Index::alarms(), itself(), first.unix_ms());
    }
    if let Some(claim) = &case.claim {
        add(Index::claims(&claim.by), itself(), claim.at.unix_ms());
        if let Some(since) = claim.suspect {
            let left = since + case.left_to_holder(basis.lease);
            add(Index::timers(), Who::Claim(case.id, claim.no), left.unix_ms());
        }
    }
    for (action, due) in case.open_actions().filter_map(|action| Some((action, case.due(action)?))) {
        add(Index::timers(), Who::Action(case.id, action.id), due.unix_ms());
    }
    if let Some(closed) = leaving::closed_at(case) {
        add(Index::over(), Who::Record(Key::case(case.id)), closed.unix_ms());
    }
    of_missions(case, &mut places);
    places
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
fn of_missions(case: &Case, places: &mut Places) {
    let mut add = |index: Index, who: Who, score: Score| places.put_earliest(index, who, score);
    let itself = || Who::Case(case.id);
    for offer in case.offers.iter().filter(|offer| matches!(offer.state, OfferState::Open)) {
        add(Index::offers(), Who::Offer(case.id, offer.id), offer.until.unix_ms());
        add(Index::missions(&offer.responder), itself(), offer.at.unix_ms());
    }
    for visit in case.visits.iter().filter(|visit| !visit.status.ended()) {
        add(Index::visits(&visit.sector), itself(), visit.due.unix_ms());
        add(Index::missions(&visit.responder), itself(), visit.due.unix_ms());
    }
    for action in case.open_actions() {
        if let Owner::Responder(responder) = &action.owner {
            add(Index::missions(responder), itself(), action.opened.unix_ms());
        }
        let offer = action.about.offer.and_then(|offer| case.offer(offer));
        if let (ActionKind::Appointment | ActionKind::AwaitReport, Some(offer)) = (action.kind, offer) {
            add(Index::missions(&offer.responder), itself(), action.opened.unix_ms());
        }
    }
}

fn of_slot(slot: &Slot) -> Places {
    let id = || Who::Slot(slot.id);
    let score = slot.start.unix_ms();
    let mut places = Places::default();
    // A held slot stays listed as free: whether its hold has run out is judged when it is looked at.
    if matches!(slot.state, SlotState::Free | SlotState::Held { .. }) {
        places.put(Index::free(&slot.responder), id(), score);
    }
    if slot.listed() {
        places.put(Index::slots(&slot.responder), id(), score);
        places.put(Index::supply(), id(), score);
        for (turn, hour) in slot.turn.iter().flat_map(|turn| slot.hours().map(move |hour| (turn, hour))) {
            places.put(Index::published(&slot.responder, hour), id(), -Score::from(*turn));
        }
    }
    places.put(Index::over(), Who::Record(Key::slot(slot.id)), slot.end.unix_ms());
    places
}

fn of_shift(shift: &Shift) -> Places {
    let mut places = Places::default();
    if shift.working() {
        places.put(Index::shifts(), Who::Shift(shift.id), shift.end.unix_ms());
        if let Some(opened) = shift.opened {
            places.put(Index::shifts_of(&shift.doctor), Who::Shift(shift.id), -opened.unix_ms());
        }
    }
    places.put(Index::over(), Who::Record(Key::shift(shift.id)), shift.end.unix_ms());
    places
}

fn of_sheet(sheet: &Sheet, basis: Basis<'_>) -> Places {
    let (id, over) = (|| Who::Sheet(sheet.id), sheet.over().unix_ms());
    let mut places = Places::default();
    places.put(Index::sheets(), id(), over);
    for (_, text) in sheet_traces(sheet) {
        places.put(Index::sheet_of(&basis.lookup.hash(&text)), id(), over);
    }
    places.put(Index::over(), Who::Record(Key::sheet(sheet.id)), over);
    places
}

//! Lists of slots: one that shows what the log gives passes, and each way to show something else is named.

use std::slice::from_ref;

use sas_dispatch::domain::{
    case::Fact,
    ids::{OfferId, SlotId},
    time::Instant,
};

use super::{AT_MS, Day, TERRITORY, bookable, case, id, sound};
use crate::history::{Agenda, Op, Outcome, Read, ShownSlot, Told};

/// The first slot by its start, and the other one.
const FIRST: usize = 500;
const OTHER: usize = 501;
/// When the hold of the first runs out.
const UNTIL_MS: i64 = AT_MS + 60_000;

/// Two slots are published at 6 and 7; the first is held at 8 for the first case, and booked at 9.
fn booked() -> Day {
    let (slot, offer) = (SlotId(id(FIRST)), OfferId(id(600)));
    let published = |n, after_ms| vec![Fact::SlotPublished(bookable(n, after_ms))];
    let mut day = sound()
        .does("PublishSlot", "agenda-1", 1, published(OTHER, 2_000_000))
        .does("PublishSlot", "agenda-1", 1, published(FIRST, 1_000_000))
        .does("Advance", "osnp-1", 1, vec![Fact::SlotHeld { slot, offer, until: Instant::from_unix_ms(UNTIL_MS) }])
        .does("ConfirmSlot", "osnp-1", 1, vec![Fact::SlotBooked { slot, offer, own_patient: false }]);
    for op in &mut day.history.ops[5..] {
        // The case stays as it is.
        told(op).version = None;
    }
    day
}

/// What is wrong with that day itself, whose case knows no such offer.
fn unread() -> Vec<String> {
    booked().judged().violations
}

fn told(op: &mut Op) -> &mut Told {
    let Outcome::Done(told) = &mut op.outcome else { panic!("the test has made it so") };
    told
}

fn free(n: usize) -> ShownSlot {
    let start_ms = AT_MS + if n == FIRST { 1_000_000 } else { 2_000_000 };
    ShownSlot {
        slot: id(n).to_string(),
        responder: "gp-1".to_owned(),
        kind: "SNP".to_owned(),
        start_ms,
        end_ms: start_ms + 900_000,
        status: "FREE".to_owned(),
        case: String::new(),
        offer: String::new(),
        held_until_ms: 0,
    }
}

fn taken(status: &str, held_until_ms: i64) -> ShownSlot {
    let (case, offer) = (case(1).to_string(), id(600).to_string());
    ShownSlot { status: status.to_owned(), case, offer, held_until_ms, ..free(FIRST) }
}

/// A list that was asked for when the first slot was held already, and answered at `seq`.
fn listed(seq: u64, slots: &[ShownSlot]) -> Read {
    let (responder, slots, more) = ("gp-1".to_owned(), slots.to_vec(), false);
    let agenda = Agenda { responder, slots, more, asked_ms: AT_MS, answered_ms: AT_MS + 50 };
    let (territory, agenda) = (TERRITORY.to_owned(), Some(agenda));
    Read { kind: "ListSlots", territory, invoked_us: 10, completed_us: 2_000, seq, agenda, ..Read::default() }
}

fn with(read: Read) -> Day {
    let mut day = booked();
    day.history.reads.push(read);
    day
}

/// The same list, looked at from `asked_ms` to `answered_ms` of the day.
fn between(mut read: Read, asked_ms: i64, answered_ms: i64) -> Read {
    if let Some(agenda) = &mut read.agenda {
        (agenda.asked_ms, agenda.answered_ms) = (asked_ms, answered_ms);
    }
    read
}

pub(super) fn read() {
    let passes = |read: Read| assert_eq!(with(read).judged().violations, unread());
    let (held, booked) = (taken("HELD", UNTIL_MS), taken("BOOKED", 0));
    passes(listed(5, &[]));
    passes(listed(6, &[free(OTHER)]));
    passes(listed(8, &[held.clone(), free(OTHER)]));
    // What stands on the list is read a moment after the list.
    passes(listed(7, &[booked.clone(), free(OTHER)]));

    let named = |read: Read, word: &str| drop(with(read).names("a wrong list", word));
    named(listed(9, &[free(FIRST), free(OTHER)]), "was shown as");
    named(listed(9, &[held.clone(), free(OTHER)]), "was shown as");
    let stolen = ShownSlot { case: case(2).to_string(), ..booked.clone() };
    named(listed(9, &[stolen, free(OTHER)]), "was shown as");
    let moved = ShownSlot { start_ms: AT_MS, ..free(OTHER) };
    named(listed(9, &[booked.clone(), moved]), "was shown as");
    named(listed(9, from_ref(&booked)), "the slots of gp-1 were");
    named(listed(6, &[booked.clone(), free(OTHER)]), "the slots of gp-1 were");
    named(listed(9, &[free(OTHER), booked.clone()]), "the slots of gp-1 were");
    named(Read { invoked_us: 5_000, ..listed(8, &[held.clone(), free(OTHER)]) }, "before it began");
    // It was booked by a call that began after the reply.
    named(Read { completed_us: 850, ..listed(7, &[booked.clone(), free(OTHER)]) }, "was shown as");

    let first_of = |seq, slots: &[ShownSlot]| {
        let mut read = listed(seq, slots);
        read.agenda.iter_mut().for_each(|agenda| agenda.more = true);
        read
    };
    passes(first_of(9, from_ref(&booked)));
    named(first_of(9, &[free(OTHER)]), "the slots of gp-1 were");
    run_out(&held);
    gone(&booked);
}

/// A hold holds nothing any longer once its time is over, and not a moment earlier.
fn run_out(held: &ShownSlot) {
    let seen = |slot: &ShownSlot, asked_ms, answered_ms| {
        with(between(listed(8, &[slot.clone(), free(OTHER)]), asked_ms, answered_ms))
    };
    let over = (UNTIL_MS - 20, UNTIL_MS + 20);
    for (slot, asked_ms, answered_ms) in [(held, over.0, over.1), (&free(FIRST), over.0, over.1)] {
        assert_eq!(seen(slot, asked_ms, answered_ms).judged().violations, unread());
    }
    seen(&free(FIRST), AT_MS, UNTIL_MS - 20).names("free too early", "was shown as");
    seen(held, UNTIL_MS, UNTIL_MS + 20).names("held too long", "was shown as");
}

/// With a replica a read may show what goes with its primary; what the list is at a place that is kept does not go.
fn gone(booked: &ShownSlot) {
    let judged = |read: Read| {
        let mut day = with(read);
        day.history.ops.iter_mut().for_each(|op| told(op).durability = "D2".to_owned());
        day.judged_at("D2")
    };
    let unknown = ShownSlot { case: case(2).to_string(), ..booked.clone() };
    let seen = judged(listed(9, &[unknown, free(OTHER)]));
    assert_eq!((seen.violations, seen.notes.len()), (unread(), 1));
    let short = judged(Read { invoked_us: 5_000, ..listed(9, from_ref(booked)) });
    assert!(short.violations.iter().any(|text| text.contains("the slots of gp-1 were")), "{short:?}");
}

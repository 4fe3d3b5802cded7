//! Phases 3 and 4: the order of what is kept, and how many rows a plan holds.

use std::collections::BTreeMap;

use crate::domain::{ids::ResponderId, time::Instant};

use super::{
    Category, Means, Row, Verdict, WhyNot,
    frame::Frame,
    screen::{Judged, Offerable},
    slots::capped,
};

/// The most rows of one category: kept ones best first, then refused ones nearest first.
pub const ROWS_PER_CATEGORY: usize = 20;

/// The rows of a plan and what had to be left out of them.
pub(super) struct Bounded {
    pub(super) rows: Vec<Row>,
    pub(super) left_out: Vec<(Category, WhyNot, u32)>,
    pub(super) kept_left_out: Vec<(Category, u32)>,
}

/// Kept options in policy order, ranked from 1; a practice that opens too late for another to be asked after it comes last, and
/// behind it one whose hour was cancelled. What begins in office hours comes after an own GP who is open then, also when the order
/// is that of the night.
pub(super) fn kept(frame: &Frame<'_>, judged: &[Judged]) -> Vec<Row> {
    let mut kept: Vec<_> = judged.iter().filter_map(|one| Some((one, one.verdict.as_ref().ok()?))).collect();
    let own_gp = kept.iter().find(|(one, _)| one.category == Category::OwnGp && frame.own_gp_from.is_some());
    let behind = own_gp.filter(|(_, offer)| !leaves_nobody_time(frame, offer)).map(|_| place(frame, Category::OwnGp).0);
    kept.sort_by_key(|(one, offer)| {
        let place = place(frame, one.category);
        let waits = behind.filter(|own| place.0 < *own && by_day(frame, offer));
        let turn = (waits.unwrap_or(place.0), waits.is_some(), place);
        (offer.again, leaves_nobody_time(frame, offer), turn, preference(one, offer))
    });
    let row = |(at, (one, offer)): (usize, (&Judged, &Offerable))| Row {
        category: one.category,
        responder: Some(offer.responder.clone()),
        means: Some(offer.means.clone()),
        earliest: offer.earliest,
        busy_until: offer.busy_until,
        snp_cap_reached: snp_cap_reached(frame, one, offer),
        distance_m: one.distance_m,
        verdict: Verdict::Kept { rank: u32::try_from(at + 1).unwrap_or(u32::MAX) },
    };
    kept.into_iter().enumerate().map(row).collect()
}

/// Refused options: the own GP, of whom everybody asks first, then in policy order, the nearest first.
pub(super) fn refused(frame: &Frame<'_>, judged: &[Judged]) -> Vec<Row> {
    let mut refused: Vec<_> = judged.iter().filter_map(|one| Some((one, one.why()?))).collect();
    refused.sort_by_key(|(one, _)| {
        let later = one.category != Category::OwnGp;
        (later, place(frame, one.category), one.distance_m.unwrap_or(u32::MAX), one.responder.clone())
    });
    let row = |(one, why): (&Judged, WhyNot)| Row {
        category: one.category,
        responder: one.responder.clone(),
        means: None,
        earliest: one.too_late,
        busy_until: None,
        snp_cap_reached: false,
        distance_m: one.distance_m,
        verdict: Verdict::Refused { why },
    };
    refused.into_iter().map(row).collect()
}

fn snp_cap_reached(frame: &Frame<'_>, one: &Judged, offer: &Offerable) -> bool {
    let who = frame.problem.directory.get(&offer.responder).filter(|_| one.category == Category::SasSlot);
    who.zip(offer.earliest).is_some_and(|(who, at)| capped(frame, who, at))
}

/// Whether a practice is closed now and opens so late that, once it was rung, nobody else could be asked before the deadline:
/// waiting for it first would lose whatever can begin meanwhile.
fn leaves_nobody_time(frame: &Frame<'_>, offer: &Offerable) -> bool {
    let policy = &frame.problem.territory.routing;
    let late = |open| open > frame.problem.now && open + policy.gp_offer + policy.one_more() > frame.horizon;
    offer.means == Means::Ring && offer.earliest.is_some_and(late)
}

fn by_day(frame: &Frame<'_>, offer: &Offerable) -> bool {
    offer.earliest.is_some_and(|begins| frame.of_the_day(begins))
}

/// The place of a category: as the policy tries them, then those it does not try.
fn place(frame: &Frame<'_>, category: Category) -> (usize, Category) {
    let at = frame.order.iter().position(|tried| *tried == category);
    (at.unwrap_or(frame.order.len()), category)
}

/// Inside a category: the class (what is certain before what must be rung, a free doctor before a busy one), then the
/// earliest, then the nearest. Of fixed points that receive soon the nearest comes first.
fn preference(one: &Judged, offer: &Offerable) -> (u8, i64, i64, ResponderId) {
    let earliest = offer.earliest.map_or(i64::MAX, Instant::unix_ms);
    let distance = one.distance_m.map_or(i64::MAX, i64::from);
    let (first, second) = match one.category {
        Category::FixedPoint if offer.class == 0 => (distance, earliest),
        _ => (earliest, distance),
    };
    (offer.class, first, second, offer.responder.clone())
}

/// Keeps at most [`ROWS_PER_CATEGORY`] rows of each category and counts the others.
pub(super) fn bounded(kept: Vec<Row>, refused: Vec<Row>) -> Bounded {
    let mut held: BTreeMap<Category, usize> = BTreeMap::new();
    let mut kept_left_out: BTreeMap<Category, u32> = BTreeMap::new();
    let mut left_out: BTreeMap<(Category, WhyNot), u32> = BTreeMap::new();
    let mut rows = Vec::new();
    for row in kept.into_iter().chain(refused) {
        let count = held.entry(row.category).or_default();
        if *count < ROWS_PER_CATEGORY {
            *count += 1;
            rows.push(row);
            continue;
        }
        match row.verdict {
            Verdict::Kept { .. } => *kept_left_out.entry(row.category).or_default() += 1,
            Verdict::Refused { why } => *left_out.entry((row.category, why)).or_default() += 1,
        }
    }
    Bounded {
        rows,
        left_out: left_out.into_iter().map(|((category, why), count)| (category, why, count)).collect(),
        kept_left_out: kept_left_out.into_iter().collect(),
    }
}

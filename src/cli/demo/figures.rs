//! The figures of a played day: what a head of service asks for, from the cases as gRPC shows them at the end and from
//! what was counted on the way.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{domain::time::Span, grpc::pb};

use super::{
    quantiles::{Quantiles, quantiles},
    tally::Tally,
};

/// The document of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    /// What was played.
    pub(super) day: Day,
    /// What came of it; the same for the same day and seed.
    pub(super) figures: Figures,
    /// The verdict on the whole log.
    pub(super) check: Check,
    /// This run: differs from run to run, so the table shows it and the document does not.
    #[serde(skip)]
    pub(super) run: Run,
}

/// Which day, and with which demand.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Day {
    pub(super) territory: String,
    pub(super) name: String,
    pub(super) date: String,
    pub(super) holiday: Option<String>,
    /// The legal period at noon.
    pub(super) period: &'static str,
    pub(super) period_label: &'static str,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) seed: u64,
    /// Files of the whole real day, and which day that was.
    pub(super) reference_files: u32,
    pub(super) reference: &'static str,
    pub(super) rules: String,
}

/// The verdict.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    /// Events read, and index entries compared with the records.
    pub(super) events: u64,
    pub(super) index_entries: u64,
    /// The longest time a deadline had passed before its alarm, seconds.
    pub(super) longest_silence_s: i64,
    /// Commands acknowledged, and those of them the log lacks or has twice.
    pub(super) acknowledged: u64,
    pub(super) lost: u64,
    /// What is wrong: how much, and the first in words.
    pub(super) found: u64,
    pub(super) violations: Vec<String>,
}

impl Check {
    pub(super) fn clean(&self) -> bool {
        self.lost == 0 && self.found == 0
    }
}

/// One run of the program.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) wall_seconds: f64,
    pub(super) rpcs_per_second: f64,
    pub(super) watch_messages: u64,
}

/// The figures.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) calls: Calls,
    pub(super) waits: BTreeMap<String, Waits>,
    pub(super) decisions: Decisions,
    /// Where each case went.
    pub(super) destinations: BTreeMap<String, u64>,
    /// Offers by kind of responder.
    pub(super) offers: BTreeMap<String, Offers>,
    pub(super) plans: u64,
    /// Plans in which a kind of responder was refused for a reason, the most frequent first.
    pub(super) why_not: Vec<WhyNot>,
    pub(super) slots: Slots,
    pub(super) visits: Visits,
    pub(super) unanswered: Unanswered,
    /// What is still to be done at the end, by kind.
    pub(super) still_open: BTreeMap<String, u64>,
    pub(super) cases: u64,
    pub(super) rpcs: u64,
    pub(super) rpcs_by_name: BTreeMap<String, u64>,
    /// Answers of the kind "too late, look again", by call.
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) durability: String,
}

/// Telephone.
#[derive(Debug, Serialize)]
pub(super) struct Calls {
    pub(super) offered: u64,
    pub(super) answered: u64,
    pub(super) answered_within_60s: u64,
    pub(super) abandoned: u64,
    pub(super) rung_back: u64,
    pub(super) reached: u64,
    pub(super) repeats: u64,
    pub(super) hung_up_waiting: u64,
    pub(super) ring: Quantiles,
}

/// Waits for a doctor of one priority.
#[derive(Debug, Serialize)]
pub(super) struct Waits {
    pub(super) cases: u64,
    pub(super) late: u64,
    pub(super) wait: Quantiles,
}

/// Regulation.
#[derive(Debug, Serialize)]
pub(super) struct Decisions {
    /// Files, those a doctor regulated, and of these the general practitioners' share.
    pub(super) regulated: u64,
    pub(super) regulated_snp: u64,
    pub(super) by_protocol: u64,
    pub(super) dismissed: BTreeMap<String, u64>,
    pub(super) needs: BTreeMap<String, u64>,
    pub(super) answers: BTreeMap<String, u64>,
    /// Regulated cases for which a doctor needed a consultation or a visit.
    pub(super) face_to_face_needed: u64,
    /// Regulated cases in which a doctor answered so.
    pub(super) face_to_face_answered: u64,
    /// Answers that differ from the need, by reason.
    pub(super) changed_by_supply: BTreeMap<String, u64>,
    pub(super) reassessed: u64,
    pub(super) raised: u64,
}

/// Offers of one kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct Offers {
    pub(super) made: u64,
    pub(super) accepted: u64,
    /// Led nowhere, by reason.
    pub(super) closed: BTreeMap<String, u64>,
    /// From the signature of the answer to the acceptance, and to the care.
    pub(super) to_acceptance: Quantiles,
    pub(super) to_care: Quantiles,
}

/// A reason.
#[derive(Debug, Serialize)]
pub(super) struct WhyNot {
    pub(super) category: String,
    pub(super) why: String,
    pub(super) plans: u64,
}

/// Slots.
#[derive(Debug, Default, Serialize)]
pub(super) struct Slots {
    pub(super) published: BTreeMap<String, u64>,
    pub(super) held: u64,
    pub(super) booked: u64,
    pub(super) seen: u64,
    pub(super) no_shows: u64,
}

/// Visits.
#[derive(Debug, Default, Serialize)]
pub(super) struct Visits {
    pub(super) decided: u64,
    pub(super) accepted: u64,
    pub(super) arrived: u64,
    pub(super) finished: u64,
    pub(super) within_longest_delay: u64,
    /// From the signed need to the door.
    pub(super) to_door: Quantiles,
}

/// Nobody left.
#[derive(Debug, Serialize)]
pub(super) struct Unanswered {
    pub(super) ever: u64,
    pub(super) at_the_end: u64,
}

/// Name of a wire value without its list's name: `CARE_TYPE_ADVICE` is `ADVICE`.
pub(super) fn code(name: &str, list: &str) -> String {
    name.strip_prefix(list).unwrap_or(name).to_owned()
}

pub(super) fn add(map: &mut BTreeMap<String, u64>, key: String) {
    *map.entry(key).or_default() += 1;
}

pub(super) fn category_code(category: i32) -> String {
    code(pb::RouteCategory::try_from(category).unwrap_or_default().as_str_name(), "ROUTE_CATEGORY_")
}

/// Puts the figures together.
pub(super) fn figures(tally: &Tally, cases: &[pb::CaseView], rpcs: &BTreeMap<&'static str, u64>) -> Figures {
    let cases = super::cases::Cases::of(cases);
    Figures {
        calls: calls(tally),
        waits: waits(tally),
        decisions: Decisions {
            regulated: cases.regulated,
            regulated_snp: cases.regulated_snp,
            by_protocol: cases.by_protocol,
            dismissed: cases.dismissed,
            needs: cases.needs,
            answers: cases.answers,
            face_to_face_needed: cases.face_to_face.0,
            face_to_face_answered: cases.face_to_face.1,
            changed_by_supply: cases.changed,
            reassessed: tally.reassessed,
            raised: tally.raised,
        },
        destinations: cases.destinations,
        offers: cases.offers,
        plans: tally.plans,
        why_not: why_not(tally),
        slots: Slots {
            published: published(tally),
            held: cases.held,
            booked: cases.booked,
            seen: tally.seen,
            no_shows: tally.no_shows,
        },
        visits: cases.visits,
        unanswered: Unanswered { ever: cases.unanswered_ever, at_the_end: cases.unanswered_now },
        still_open: cases.still_open,
        cases: cases.count,
        rpcs: rpcs.values().sum(),
        rpcs_by_name: rpcs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        refused: BTreeMap::new(),
        durability: String::new(),
    }
}

fn calls(tally: &Tally) -> Calls {
    let minute = Span::from_secs(60);
    Calls {
        offered: tally.offered,
        answered: tally.answered.len() as u64,
        answered_within_60s: tally.answered.iter().filter(|rang| **rang < minute).count() as u64,
        abandoned: tally.abandoned,
        rung_back: tally.rung_back.len() as u64,
        reached: tally.reached.len() as u64,
        repeats: tally.repeats,
        hung_up_waiting: tally.left_queue,
        ring: quantiles(tally.answered.clone()),
    }
}

fn waits(tally: &Tally) -> BTreeMap<String, Waits> {
    let mut by: BTreeMap<String, (u64, Vec<Span>)> = BTreeMap::new();
    for wait in &tally.regulation_waits {
        let priority = code(wait.priority.as_str_name(), "PRIORITY_");
        let stream = code(wait.stream.as_str_name(), "STREAM_");
        for key in [priority.clone(), format!("{priority} {stream}")] {
            let (late, all) = by.entry(key).or_default();
            *late += u64::from(wait.late);
            all.push(wait.wait);
        }
    }
    by.into_iter()
        .map(|(key, (late, all))| (key, Waits { cases: all.len() as u64, late, wait: quantiles(all) }))
        .collect()
}

fn why_not(tally: &Tally) -> Vec<WhyNot> {
    let mut rows: Vec<_> = tally
        .why_not
        .iter()
        .map(|((category, why), plans)| WhyNot {
            category: category_code(*category),
            why: code(pb::WhyNot::try_from(*why).unwrap_or_default().as_str_name(), "WHY_NOT_"),
            plans: *plans,
        })
        .collect();
    rows.sort_by(|a, b| b.plans.cmp(&a.plans).then_with(|| (&a.category, &a.why).cmp(&(&b.category, &b.why))));
    rows
}

fn published(tally: &Tally) -> BTreeMap<String, u64> {
    let kind = |kind: i32| code(pb::SlotKind::try_from(kind).unwrap_or_default().as_str_name(), "SLOT_KIND_");
    tally.published.iter().map(|(of, count)| (kind(*of), *count)).collect()
}

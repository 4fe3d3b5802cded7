//! What is counted while the day is played: waits and what was shown, which no record keeps.

use std::collections::{BTreeMap, BTreeSet};

use crate::{domain::time::Span, grpc::pb};

/// A wait from qualification to the doctor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) priority: pb::Priority,
    pub(super) stream: pb::Stream,
    pub(super) wait: Span,
    /// Longer than the territory allows.
    pub(super) late: bool,
}

/// Counts of the day.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Calls that rang.
    pub(super) offered: u64,
    /// How long answered calls had rung.
    pub(super) answered: Vec<Span>,
    /// Calls that were given up while ringing.
    pub(super) abandoned: u64,
    /// Their cases; those that somebody rang back; those whose caller was reached.
    pub(super) lost: BTreeSet<String>,
    pub(super) rung_back: BTreeSet<String>,
    pub(super) reached: BTreeSet<String>,
    /// Calls linked to an earlier case.
    pub(super) repeats: u64,
    /// Qualifications by priority.
    pub(super) qualified: BTreeMap<i32, u64>,
    /// Callers who hung up while waiting for a doctor.
    pub(super) left_queue: u64,
    /// Late cases asked again, and those found worse.
    pub(super) reassessed: u64,
    pub(super) raised: u64,
    /// Cases a doctor has spoken to.
    pub(super) regulated: BTreeSet<String>,
    pub(super) regulation_waits: Vec<Wait>,
    /// How often claims are renewed here.
    pub(super) renew_every: Span,
    /// Cases nobody was left for at some time.
    pub(super) unanswered: BTreeSet<String>,
    /// Plans shown to doctors, and in how many of them a kind of responder was refused for a reason.
    pub(super) plans: u64,
    pub(super) why_not: BTreeMap<(i32, i32), u64>,
    /// Appointments kept and missed.
    pub(super) seen: u64,
    pub(super) no_shows: u64,
    /// Slots published by kind.
    pub(super) published: BTreeMap<i32, u64>,
}

impl Tally {
    /// Counts once for each plan every reason that refused a kind of responder of which nobody was kept.
    pub(super) fn plan_shown(&mut self, plan: &pb::Plan) {
        self.plans += 1;
        let kept: BTreeSet<i32> = plan.rows.iter().filter(|row| row.rank > 0).map(|row| row.category).collect();
        let refused = plan.rows.iter().filter(|row| row.rank == 0).map(|row| (row.category, row.why_not));
        let counted = plan.left_out.iter().map(|left| (left.category, left.why_not));
        let unspecified = i32::from(pb::WhyNot::Unspecified);
        let reasons: BTreeSet<_> =
            refused.chain(counted).filter(|(category, why)| !kept.contains(category) && *why != unspecified).collect();
        for reason in reasons {
            *self.why_not.entry(reason).or_default() += 1;
        }
    }
}

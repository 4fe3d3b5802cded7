//! The planner: phases 2 to 5 in order, on the frame of phase 1.

use super::{
    Availability, Category, Plan, Problem, Source, SourceState, WhyNot,
    frame::Frame,
    own_gp::{colleagues, own_gp},
    rank,
    screen::Judged,
    slots::{fixed_points, sas_slots, teleconsultations},
    visits::home_visits,
};

/// Plans: who is tried, in which order, and why everybody else is not.
pub fn plan(problem: &Problem<'_>) -> Plan {
    let frame = Frame::of(problem);
    let judged = survey(&frame);
    let sources = sources(&frame, &judged);
    let bounded = rank::bounded(rank::kept(&frame, &judged), rank::refused(&frame, &judged));
    Plan {
        at: problem.now,
        rules: problem.territory.version.text(),
        period: frame.period.to_owned(),
        deadline: frame.deadline,
        sources,
        rows: bounded.rows,
        left_out: bounded.left_out,
        kept_left_out: bounded.kept_left_out,
    }
}

/// Judges every category, tried or not: the own GP's row is always there.
fn survey(frame: &Frame<'_>) -> Vec<Judged> {
    Category::ALL.iter().flat_map(|category| options(frame, *category)).collect()
}

fn options(frame: &Frame<'_>, category: Category) -> Vec<Judged> {
    if nothing_known(frame) {
        return vec![unconnected(frame, category)];
    }
    if category == Category::OwnGp {
        return vec![own_gp(frame)];
    }
    if let Some(why) = frame.closed(category) {
        return vec![Judged::closed(category, why)];
    }
    match category {
        Category::OwnGp => vec![own_gp(frame)],
        Category::PracticeColleague | Category::CptsColleague => colleagues(frame, category),
        Category::SasSlot => sas_slots(frame),
        Category::FixedPoint => fixed_points(frame),
        Category::HomeVisit => home_visits(frame),
        Category::Teleconsultation => teleconsultations(frame),
    }
}

/// No folder, or nobody in it: every source is not connected, which is not the same as empty.
fn nothing_known(frame: &Frame<'_>) -> bool {
    !frame.problem.territory.configured || frame.problem.directory.is_empty()
}

fn unconnected(frame: &Frame<'_>, category: Category) -> Judged {
    let own = frame.problem.patient.own_gp.clone().filter(|_| category == Category::OwnGp);
    let why = match category {
        Category::OwnGp if own.is_none() => WhyNot::NoOwnGp,
        _ => WhyNot::NotConnected,
    };
    Judged { responder: own, ..Judged::closed(category, why) }
}

/// What each source that was asked said, in policy order; every one when nothing is connected. A source that could not be asked
/// because the place is not known well enough has said nothing.
fn sources(frame: &Frame<'_>, judged: &[Judged]) -> Vec<Source> {
    if nothing_known(frame) {
        let silent = |category: &Category| Source { category: *category, availability: Availability::NotConnected };
        return Category::ALL.iter().map(silent).collect();
    }
    let unasked = |category: Category| {
        let mut of_category = judged.iter().filter(|judged| judged.category == category).peekable();
        of_category.peek().is_some() && of_category.all(|judged| judged.why() == Some(WhyNot::PlaceUnknown))
    };
    let asked = frame.order.iter().filter(|category| frame.closed(**category).is_none() && !unasked(**category));
    asked.map(|category| Source { category: *category, availability: said(frame, *category, judged) }).collect()
}

/// "None" is said only by a source that is heard, when nobody of its kind is beyond hearing.
fn said(frame: &Frame<'_>, category: Category, judged: &[Judged]) -> Availability {
    let published = !matches!(category, Category::OwnGp | Category::PracticeColleague | Category::CptsColleague);
    match frame.problem.supply.source(category) {
        SourceState::SilentSince(since) if published => return Availability::NoAnswerSince(since),
        SourceState::NotConnected if published => return Availability::NotConnected,
        _ => {}
    }
    let of_category = || judged.iter().filter(|judged| judged.category == category);
    if of_category().any(|judged| judged.verdict.is_ok()) {
        Availability::Found
    } else if of_category().any(|judged| judged.why() == Some(WhyNot::NotConnected)) {
        Availability::NotConnected
    } else {
        Availability::None
    }
}

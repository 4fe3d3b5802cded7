//! Which days are asked for, and indicators and reports on the wire.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::{
    domain::{
        ids::PersonId,
        indicators::{Avoided, Compared, Day, Figures, Filter, Rules, Unmet, Wait},
        regulation::{
            independence::Exception,
            qualification::{Priority, Stream},
        },
        time::Instant,
    },
    engine::{DaysAsked, Failure},
    grpc::pb,
};

use super::{codes::Coded, fields::Fields};

/// The days and cases of a selection; `today` where none are named.
///
/// # Errors
/// Every wrong field at once.
pub fn asked(given: Option<&pb::DaySelection>, today: NaiveDate, most: u32) -> Result<(DaysAsked, Filter), Failure> {
    let mut fields = Fields::default();
    let given = given.cloned().unwrap_or_default();
    let from = date(&mut fields, "selection.from_date", &given.from_date, today);
    let to = from.and_then(|from| date(&mut fields, "selection.to_date", &given.to_date, from));
    let stream = fields.optional_code::<Stream>("selection.stream", given.stream);
    let priority = fields.optional_code::<Priority>("selection.priority", given.priority);
    let days = from.zip(to).and_then(|(from, to)| match (to - from).num_days() {
        ..0 => fields.fault("selection.to_date", "must not lie before from_date"),
        days if days >= i64::from(most) => {
            fields.fault("selection.to_date", format!("{} days, at most {most} in one answer: ask in parts", days + 1))
        }
        _ => Some(DaysAsked { from, to }),
    });
    fields.done(days.map(|days| (days, Filter { stream, priority })))
}

/// The days of a selection that may name no stream and no priority.
///
/// # Errors
/// Every wrong field at once.
pub fn days(given: Option<&pb::DaySelection>, today: NaiveDate, most: u32) -> Result<DaysAsked, Failure> {
    let (days, filter) = asked(given, today, most)?;
    let mut fields = Fields::default();
    if filter != Filter::default() {
        fields.fault::<()>("selection", "leave stream and priority out: here all cases count");
    }
    fields.done(Some(days))
}

fn date(fields: &mut Fields, field: &str, text: &str, default: NaiveDate) -> Option<NaiveDate> {
    if text.is_empty() {
        return Some(default);
    }
    let wrong = || format!("{} characters that are no day: write it as 2024-12-26", text.chars().count());
    text.parse().ok().or_else(|| fields.fault(field, wrong()))
}

/// One day, or several added up.
pub fn day(date: Option<NaiveDate>, day: &Day, filter: Filter, rules: &Rules) -> pb::DayIndicators {
    pb::DayIndicators {
        date: date.map(|date| date.to_string()).unwrap_or_default(),
        complete: day.complete,
        r#final: day.settled,
        indicators: Some(indicators(Figures::of(day, filter, rules))),
    }
}

fn indicators(figures: Figures) -> pb::Indicators {
    let within = figures.within.into_iter().map(|row| pb::AnsweredWithin {
        threshold_seconds: row.seconds,
        calls: row.count,
        share: row.share,
    });
    let decisions = figures.decisions.into_iter().map(|row| pb::DecisionCount {
        care: row.care.wire(),
        level: row.level.wire(),
        answers: row.count,
    });
    let regulators = figures.regulators.into_iter().map(|row| pb::AffiliationCount {
        affiliation: row.affiliation.wire(),
        cases: row.count,
        share: row.share,
    });
    pb::Indicators {
        offered: figures.offered,
        answered: figures.answered,
        abandoned: figures.abandoned,
        abandoned_without_early: figures.abandoned_without_early,
        early_hang_up_seconds: figures.early_s,
        answered_within: within.collect(),
        cases: figures.cases,
        regulated: figures.regulated,
        drm_per_dr: figures.drm_per_dr,
        by_protocol: figures.by_protocol,
        dismissed: figures.dismissed,
        decisions: decisions.collect(),
        counter_regulated: figures.counter_regulated,
        called_again_24h: figures.called_again_24h,
        called_again_72h: figures.called_again_72h,
        regulators: regulators.collect(),
        own_gp_rung: figures.own_gp_rung,
        own_gp_reached: figures.own_gp_reached,
        appointments: figures.appointments,
        appointments_within_48h: figures.appointments_within_48h,
        seen: figures.seen,
        no_shows: figures.no_shows,
        waits: figures.waits.into_iter().map(wait).collect(),
        avoided: figures.avoided.map(avoided),
    }
}

fn wait(row: Wait) -> pb::WaitQuantiles {
    pb::WaitQuantiles {
        stage: row.stage.wire(),
        priority: row.priority.map_or(0, Coded::wire),
        measured: row.count,
        p50_seconds: row.p50_s,
        p90_seconds: row.p90_s,
        p95_seconds: row.p95_s,
        longest_seconds: row.longest_s,
    }
}

fn avoided(known: Avoided) -> pb::Avoided {
    pb::Avoided {
        baseline_per_100: known.baseline_per_100,
        face_to_face_per_100: known.face_to_face_per_100,
        face_to_face_or_hospital_per_100: known.face_to_face_or_hospital_per_100,
        avoided_per_100: known.avoided_per_100,
        avoided_per_100_low: known.avoided_per_100_low,
        definition: known.definition.to_owned(),
        caveat: known.caveat.to_owned(),
    }
}

/// A row of the report on unmet needs.
pub fn unmet(row: Unmet) -> pb::UnmetNeed {
    pb::UnmetNeed {
        sector: row.sector.map(String::from).unwrap_or_default(),
        hour: row.hour.map(u32::from),
        supply_reason: row.supply.map_or(0, Coded::wire),
        answers: row.count,
        of_answers: row.of,
        share: row.share,
        share_low: row.low,
        share_high: row.high,
    }
}

/// The comparison of regulators, by month.
pub fn compared(months: BTreeMap<String, Vec<Compared>>, complete: bool, seq: u64) -> pb::CompareRegulatorsResponse {
    let tested = months.values().flatten().filter(|row| row.p_adjusted.is_some()).count();
    let rows = months.into_iter().flat_map(|(month, rows)| rows.into_iter().map(move |row| share(month.clone(), row)));
    pb::CompareRegulatorsResponse {
        rows: rows.collect(),
        tested: u32::try_from(tested).unwrap_or(u32::MAX),
        complete,
        seq,
    }
}

fn share(month: String, row: Compared) -> pb::RegulatorShare {
    pb::RegulatorShare {
        month,
        regulator_id: row.regulator.into(),
        care: row.care.wire(),
        receiver: row.receiver.unwrap_or_default(),
        own_affiliation: row.own_affiliation,
        decisions: row.count,
        of_decisions: row.of,
        share: row.share,
        share_low: row.low,
        share_high: row.high,
        others_share: row.others_share,
        others_of_decisions: row.others_of,
        p_adjusted: row.p_adjusted,
        flagged: row.flagged,
    }
}

/// The exceptions that are configured, with their uses, and those used that are configured no longer.
pub fn exceptions(configured: &[Exception], day: &Day, now: Instant) -> Vec<pb::IndependenceException> {
    let mut rows: Vec<_> = configured
        .iter()
        .map(|known| pb::IndependenceException {
            from_unix_ms: Some(known.from.unix_ms()),
            until_unix_ms: Some(known.until.unix_ms()),
            in_force: known.from <= now && now < known.until,
            ..used(&(known.person.clone(), known.convention.clone()), day)
        })
        .collect();
    let listed = |person: &str, convention: &str| {
        configured.iter().any(|known| known.person.as_str() == person && known.convention == convention)
    };
    let keys: BTreeSet<_> = day.excepted.keys().chain(day.rostered.keys()).collect();
    let gone = keys.into_iter().filter(|(person, convention)| !listed(person.as_str(), convention));
    rows.extend(gone.map(|key| used(key, day)));
    rows.sort_by(|a, b| (&a.person_id, &a.convention).cmp(&(&b.person_id, &b.convention)));
    rows
}

/// How often an exception was used.
fn used(key: &(PersonId, String), day: &Day) -> pb::IndependenceException {
    pb::IndependenceException {
        person_id: key.0.to_string(),
        convention: key.1.clone(),
        used: day.excepted.get(key).copied().unwrap_or(0),
        rostered: day.rostered.get(key).copied().unwrap_or(0),
        ..Default::default()
    }
}

//! Indicators from sums: counts, shares and quantiles, each with its definition where it is a field.

use serde::Serialize;

use crate::domain::{
    regulation::{
        need::{CareLevel, CareType},
        qualification::Priority,
    },
    time::Span,
};

use super::{
    codes::{Affiliation, Stage},
    counts::Counts,
    histogram::Histogram,
    projection::{Day, Filter},
    rules::Rules,
};

/// What stands beside the number of avoided consultations, always.
pub const AVOIDED_DEFINITION: &str = "actes en présence pour 100 dossiers là où chaque effecteur décide (SOS Médecins : \
     92,5 actes pour 100 dossiers, chiffres nationaux), moins les dossiers régulés pour lesquels le médecin a répondu par \
     une consultation ou une visite, pour 100 dossiers régulés";
/// What the number does not show.
pub const AVOIDED_CAVEAT: &str = "compatible avec l'effet d'une régulation indépendante, n'en prouve aucun : les \
     populations diffèrent (qui appelle SOS Médecins demande un médecin), le chiffre de référence n'est ni daté ni \
     ajusté, et une consultation évitée ici a pu avoir lieu ailleurs";

/// Indicators of some cases; what each means is said at the field of the same name of `Indicators` in the API.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Figures {
    /// Calls presented by the telephone exchange.
    pub offered: u64,
    /// Answered by the front line.
    pub answered: u64,
    /// Given up before an answer.
    pub abandoned: u64,
    /// Given up before an answer, without those given up before `early_s`.
    pub abandoned_without_early: u64,
    /// The time under which a call given up was left out, seconds; 0: none was, for these days were not counted by one time.
    pub early_s: i64,
    /// Answered within each threshold that all these days were counted by.
    pub within: Vec<Within>,
    /// Cases (DR).
    pub cases: u64,
    /// Cases a doctor decided (DRM).
    pub regulated: u64,
    /// DRM / DR, 0 to 1; absent without cases.
    pub drm_per_dr: Option<f64>,
    /// Sent to a coordinator by a protocol (D6311-35) and by no doctor.
    pub by_protocol: u64,
    /// Ended by the ARM, nothing medical.
    pub dismissed: u64,
    /// Doctors' answers by care type and level.
    pub decisions: Vec<DecisionCount>,
    /// Doctors' answers a responder changed.
    pub counter_regulated: u64,
    /// Cases followed by another of the same episode within 24 h.
    pub called_again_24h: u64,
    /// Cases followed by another of the same episode within 72 h.
    pub called_again_72h: u64,
    /// Regulated cases by the affiliation of the doctor.
    pub regulators: Vec<AffiliationCount>,
    /// Times an own GP was rung.
    pub own_gp_rung: u64,
    /// Of those, spoken to.
    pub own_gp_reached: u64,
    /// Appointments accepted.
    pub appointments: u64,
    /// Of those, within 48 h of the need.
    pub appointments_within_48h: u64,
    /// Appointments kept.
    pub seen: u64,
    /// Appointments missed.
    pub no_shows: u64,
    /// Waits by stage, all priorities together and then each.
    pub waits: Vec<Wait>,
    /// Consultations avoided; absent without regulated cases.
    pub avoided: Option<Avoided>,
}

/// Answered within a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Within {
    /// The threshold, seconds.
    pub seconds: i64,
    /// Calls answered within it.
    pub count: u64,
    /// Of the answered calls whose ringing was measured, 0 to 1; absent without any.
    pub share: Option<f64>,
}

/// Answers of one kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionCount {
    /// What is done.
    pub care: CareType,
    /// At which level.
    pub level: CareLevel,
    /// How many.
    pub count: u64,
}

/// Regulated cases of one affiliation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AffiliationCount {
    /// Whose doctors.
    pub affiliation: Affiliation,
    /// How many cases.
    pub count: u64,
    /// Of all regulated cases, 0 to 1.
    pub share: f64,
}

/// One wait.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wait {
    /// Which.
    pub stage: Stage,
    /// Of which priority; absent: of all together.
    pub priority: Option<Priority>,
    /// How many were measured.
    pub count: u64,
    /// Half waited no longer, seconds (within 0.4 %).
    pub p50_s: f64,
    /// Nine in ten waited no longer, seconds (within 0.4 %).
    pub p90_s: f64,
    /// Nineteen in twenty waited no longer, seconds (within 0.4 %).
    pub p95_s: f64,
    /// The longest, seconds, exactly.
    pub longest_s: f64,
}

/// Face-to-face consultations for 100 regulated cases, beside what they are where each responder decides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Avoided {
    /// The configured baseline, acts for 100 files.
    pub baseline_per_100: f64,
    /// Regulated cases answered by a consultation or a visit, for 100.
    pub face_to_face_per_100: f64,
    /// The same with teleconsultation, emergency department, ambulance and AMU.
    pub face_to_face_or_hospital_per_100: f64,
    /// Baseline less the first.
    pub avoided_per_100: f64,
    /// Baseline less the second: what is left when whoever was sent to the hospital counts as seen as well.
    pub avoided_per_100_low: f64,
    /// How it is computed.
    pub definition: &'static str,
    /// What it does not show.
    pub caveat: &'static str,
}

impl Figures {
    /// Of the cases of a day, or of several added up, that a filter leaves.
    pub fn of(day: &Day, filter: Filter, rules: &Rules) -> Self {
        let counts = day.counts(filter);
        let measured = counts.waits.get(&Stage::Answer).map_or(0, Histogram::count);
        let early = counts.abandoned_before.first_key_value().map(|(seconds, count)| (*seconds, *count));
        let (early_s, abandoned_early) = early.unwrap_or((if counts.cases == 0 { rules.early.secs() } else { 0 }, 0));
        let regulators = counts.regulators.iter();
        Self {
            offered: counts.offered,
            answered: counts.answered,
            abandoned: counts.abandoned,
            abandoned_without_early: counts.abandoned - abandoned_early,
            early_s,
            within: counts
                .answered_within
                .iter()
                .map(|(seconds, count)| Within { seconds: *seconds, count: *count, share: share(*count, measured) })
                .collect(),
            cases: counts.cases,
            regulated: counts.regulated,
            drm_per_dr: share(counts.regulated, counts.cases),
            by_protocol: counts.by_protocol,
            dismissed: counts.dismissed,
            decisions: counts
                .decisions
                .iter()
                .map(|((care, level), count)| DecisionCount { care: *care, level: *level, count: *count })
                .collect(),
            counter_regulated: counts.counter_regulated,
            called_again_24h: counts.called_again[0],
            called_again_72h: counts.called_again[1],
            regulators: regulators
                .map(|(affiliation, count)| AffiliationCount {
                    affiliation: *affiliation,
                    count: *count,
                    share: share(*count, counts.regulated).unwrap_or_default(),
                })
                .collect(),
            own_gp_rung: counts.gp_rung,
            own_gp_reached: counts.gp_reached,
            appointments: counts.appointments,
            appointments_within_48h: counts.appointments_in_time,
            seen: counts.seen,
            no_shows: counts.no_shows,
            waits: waits(day, filter, &counts),
            avoided: avoided(&counts, rules),
        }
    }
}

fn waits(day: &Day, filter: Filter, all: &Counts) -> Vec<Wait> {
    let mut rows: Vec<_> = all.waits.iter().filter_map(|(stage, waits)| wait(*stage, None, waits)).collect();
    let priorities = Priority::ALL.iter().filter(|one| filter.priority.is_none_or(|only| only == **one));
    for priority in priorities {
        let counts = day.counts(Filter { priority: Some(*priority), ..filter });
        rows.extend(counts.waits.iter().filter_map(|(stage, waits)| wait(*stage, Some(*priority), waits)));
    }
    rows.sort_by_key(|row| (row.stage, row.priority));
    rows
}

fn wait(stage: Stage, priority: Option<Priority>, waits: &Histogram) -> Option<Wait> {
    let seconds = |span: Span| span.ms() as f64 / 1_000.0;
    let at = |percent| waits.quantile(percent).map(seconds);
    let longest_s = seconds(waits.longest());
    Some(Wait { stage, priority, count: waits.count(), p50_s: at(50)?, p90_s: at(90)?, p95_s: at(95)?, longest_s })
}

fn avoided(counts: &Counts, rules: &Rules) -> Option<Avoided> {
    let per_100 = |count: u64| share(count, counts.regulated).map(|share| share * 100.0);
    let (met, hospital) = (per_100(counts.face_to_face)?, per_100(counts.face_to_face_or_hospital)?);
    let baseline = rules.baseline_acts_per_100;
    Some(Avoided {
        baseline_per_100: baseline,
        face_to_face_per_100: met,
        face_to_face_or_hospital_per_100: hospital,
        avoided_per_100: baseline - met,
        avoided_per_100_low: baseline - hospital,
        definition: AVOIDED_DEFINITION,
        caveat: AVOIDED_CAVEAT,
    })
}

/// A share of a whole that is not empty.
pub(super) fn share(count: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| count as f64 / of as f64)
}

/// Days added up into one. The sum of none is not final; whether it is complete, only who knows which were asked for can say.
pub fn added<'a>(days: impl IntoIterator<Item = &'a Day>) -> Day {
    let mut days = days.into_iter().peekable();
    let mut all = Day { complete: true, settled: days.peek().is_some(), ..Day::default() };
    days.for_each(|day| all.merge(day));
    all
}

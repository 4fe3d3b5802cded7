//! Reports as tables of plain cells: the same for CSV, JSON and people.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::{
    domain::{
        indicators::{AVOIDED_CAVEAT, AVOIDED_DEFINITION, Affiliation, Stage},
        regulation::{
            decision::SupplyReason,
            need::{CareLevel, CareType},
            qualification::Priority,
        },
    },
    grpc::{convert::codes::Coded, pb},
};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Count(u64),
    /// Printed with four places.
    Number(f64),
    Flag(bool),
    Nothing,
}

impl Cell {
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Number(number) => format!("{number:.4}"),
            Self::Flag(flag) => flag.to_string(),
            Self::Nothing => String::new(),
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Count(count) => json!(count),
            Self::Number(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Nothing => Value::Null,
        }
    }
}

/// A report.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
    pub notes: Vec<String>,
}

impl Table {
    /// Says on every row whether the days it counts are wholly known, and in words where they are not.
    fn known(mut self, complete: bool) -> Self {
        self.columns.push("complete");
        self.rows.iter_mut().for_each(|row| row.push(Cell::Flag(complete)));
        let note = "une partie du journal de ces jours manque : les nombres sont trop petits";
        self.notes.extend((!complete).then(|| note.to_owned()));
        self
    }
}

/// The code of a value on the wire; empty when it is unspecified.
fn code<T: Coded>(number: i32, code: fn(T) -> &'static str) -> String {
    T::of_wire(number).map(code).unwrap_or_default().to_owned()
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn maybe(number: Option<f64>) -> Cell {
    number.map_or(Cell::Nothing, Cell::Number)
}

/// One line for each day, indicator and detail; the days together have `TOTAL` for a date.
pub(super) fn figures(reply: &pb::GetIndicatorsResponse) -> Table {
    let columns = vec!["date", "complete", "final", "indicator", "detail", "value"];
    let mut table = Table { columns, ..Table::default() };
    for day in reply.days.iter().chain(&reply.total) {
        let date = if day.date.is_empty() { "TOTAL" } else { &day.date };
        for (indicator, detail, value) in day.indicators.as_ref().map(lines).unwrap_or_default() {
            let head = [text(date), Cell::Flag(day.complete), Cell::Flag(day.r#final)];
            table.rows.push([head.to_vec(), vec![text(indicator), text(detail), value]].concat());
        }
    }
    table.notes = vec![
        format!("consultations évitées : {AVOIDED_DEFINITION}"),
        format!("consultations évitées : {AVOIDED_CAVEAT}"),
    ];
    table
}

type Line = (&'static str, String, Cell);

fn lines(known: &pb::Indicators) -> Vec<Line> {
    let count = |name: &'static str, count: u64| (name, String::new(), Cell::Count(count));
    let mut lines = vec![
        count("offered", known.offered),
        count("answered", known.answered),
        count("abandoned", known.abandoned),
        (
            "abandoned_without_early",
            format!("{}s", known.early_hang_up_seconds),
            Cell::Count(known.abandoned_without_early),
        ),
        count("cases", known.cases),
        count("regulated", known.regulated),
        ("drm_per_dr", String::new(), maybe(known.drm_per_dr)),
        count("by_protocol", known.by_protocol),
        count("dismissed", known.dismissed),
        count("counter_regulated", known.counter_regulated),
        ("called_again", "24h".to_owned(), Cell::Count(known.called_again_24h)),
        ("called_again", "72h".to_owned(), Cell::Count(known.called_again_72h)),
        count("own_gp_rung", known.own_gp_rung),
        count("own_gp_reached", known.own_gp_reached),
        count("appointments", known.appointments),
        count("appointments_within_48h", known.appointments_within_48h),
        count("seen", known.seen),
        count("no_shows", known.no_shows),
    ];
    for row in &known.answered_within {
        lines.push(("answered_within", format!("{}s", row.threshold_seconds), Cell::Count(row.calls)));
        lines.push(("answered_within_share", format!("{}s", row.threshold_seconds), maybe(row.share)));
    }
    for row in &known.decisions {
        let kind = format!("{} {}", code(row.care, CareType::code), code(row.level, CareLevel::code));
        lines.push(("decisions", kind, Cell::Count(row.answers)));
    }
    for row in &known.regulators {
        let whose = code(row.affiliation, Affiliation::code);
        lines.push(("regulators", whose.clone(), Cell::Count(row.cases)));
        lines.push(("regulators_share", whose, Cell::Number(row.share)));
    }
    known.waits.iter().for_each(|row| lines.extend(wait(row)));
    lines.extend(known.avoided.iter().flat_map(avoided));
    lines
}

fn wait(row: &pb::WaitQuantiles) -> [Line; 5] {
    let priority = code(row.priority, Priority::code);
    let priority = if priority.is_empty() { "ALL".to_owned() } else { priority };
    let name = format!("{} {priority}", code(row.stage, Stage::code));
    [
        ("wait_measured", name.clone(), Cell::Count(row.measured)),
        ("wait_p50_s", name.clone(), Cell::Number(row.p50_seconds)),
        ("wait_p90_s", name.clone(), Cell::Number(row.p90_seconds)),
        ("wait_p95_s", name.clone(), Cell::Number(row.p95_seconds)),
        ("wait_longest_s", name, Cell::Number(row.longest_seconds)),
    ]
}

fn avoided(known: &pb::Avoided) -> [Line; 5] {
    let row = |detail: &str, value| ("avoided_per_100", detail.to_owned(), Cell::Number(value));
    [
        row("baseline", known.baseline_per_100),
        row("face_to_face", known.face_to_face_per_100),
        row("face_to_face_or_hospital", known.face_to_face_or_hospital_per_100),
        row("avoided", known.avoided_per_100),
        row("avoided_low", known.avoided_per_100_low),
    ]
}

/// Unmet needs.
pub(super) fn unmet(reply: &pb::GetUnmetNeedsResponse) -> Table {
    let columns = vec!["sector", "hour", "supply_reason", "answers", "of_answers", "share", "share_low", "share_high"];
    let rows = reply.rows.iter().map(|row| {
        let hour = row.hour.map_or(Cell::Nothing, |hour| Cell::Count(hour.into()));
        vec![
            text(&row.sector),
            hour,
            text(code(row.supply_reason, SupplyReason::code)),
            Cell::Count(row.answers),
            Cell::Count(row.of_answers),
            Cell::Number(row.share),
            Cell::Number(row.share_low),
            Cell::Number(row.share_high),
        ]
    });
    Table { columns, rows: rows.collect(), notes: Vec::new() }.known(reply.complete)
}

/// Regulators compared.
pub(super) fn regulators(reply: &pb::CompareRegulatorsResponse) -> Table {
    let columns = vec![
        "month",
        "regulator",
        "care",
        "receiver",
        "own_affiliation",
        "decisions",
        "of_decisions",
        "share",
        "share_low",
        "share_high",
        "others_share",
        "others_of_decisions",
        "p_adjusted",
        "flagged",
    ];
    let rows = reply.rows.iter().map(|row| {
        vec![
            text(&row.month),
            text(&row.regulator_id),
            text(code(row.care, CareType::code)),
            text(&row.receiver),
            Cell::Flag(row.own_affiliation),
            Cell::Count(row.decisions),
            Cell::Count(row.of_decisions),
            Cell::Number(row.share),
            Cell::Number(row.share_low),
            Cell::Number(row.share_high),
            Cell::Number(row.others_share),
            Cell::Count(row.others_of_decisions),
            maybe(row.p_adjusted),
            Cell::Flag(row.flagged),
        ]
    });
    let notes = vec![
        format!("{} lignes testées (Fisher, correction de Holm sur celles de chaque mois, seuil 5 %)", reply.tested),
        "un écart signalé n'est pas dû au hasard ; il n'en dit pas la cause (horaires, secteurs)".to_owned(),
    ];
    Table { columns, rows: rows.collect(), notes }.known(reply.complete)
}

/// Exceptions to independence.
pub(super) fn exceptions(reply: &pb::ListIndependenceExceptionsResponse) -> Table {
    let columns = vec!["person", "convention", "from", "until", "in_force", "used", "rostered"];
    let instant = |ms: Option<i64>| {
        let at = ms.and_then(DateTime::from_timestamp_millis);
        at.map_or(Cell::Nothing, |at| text(at.to_rfc3339()))
    };
    let rows = reply.exceptions.iter().map(|row| {
        vec![
            text(&row.person_id),
            text(&row.convention),
            instant(row.from_unix_ms),
            instant(row.until_unix_ms),
            Cell::Flag(row.in_force),
            Cell::Count(row.used),
            Cell::Count(row.rostered),
        ]
    });
    Table { columns, rows: rows.collect(), notes: Vec::new() }.known(reply.complete)
}

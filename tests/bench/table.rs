//! The rows: a ratio of medians with its spread over the rounds, the stated limit beside it, and whether it is kept.

use serde::Serialize;

use crate::Outcome;

/// A stated limit of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    fn is_kept(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// One row.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// A ratio of medians, or the number a note states.
    value: f64,
    /// The quartiles of the rounds' own ratios.
    spread: Option<[f64; 2]>,
    rounds: usize,
    limit: Option<Limit>,
    verdict: Option<&'static str>,
}

/// All rows, and the machine in general words.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    cores: usize,
    redis: String,
    rows: Vec<Row>,
}

/// The middle of some numbers; 0 of none.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    quantile(numbers, 0.5)
}

fn quantile(numbers: &[f64], part: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = part * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * place.fract()
}

impl Table {
    pub(crate) fn of_this_machine() -> Outcome<Self> {
        let version = std::process::Command::new("redis-server").arg("--version").output()?.stdout;
        let version = String::from_utf8_lossy(&version);
        let redis = version.split(' ').find_map(|word| word.strip_prefix("v=")).unwrap_or("unknown").to_owned();
        Ok(Self { cores: std::thread::available_parallelism()?.get(), redis, rows: Vec::new() })
    }

    /// The ratio of two measurements of the same rounds.
    pub(crate) fn ratio(&mut self, name: &str, ours: &[f64], theirs: &[f64], limit: Option<Limit>) {
        let each: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
        let value = median(ours) / median(theirs);
        let spread = Some([quantile(&each, 0.25), quantile(&each, 0.75)]);
        self.add(Row { name: name.to_owned(), value, spread, rounds: each.len(), limit, verdict: None });
    }

    /// A number that is counted, not timed.
    pub(crate) fn number(&mut self, name: &str, value: f64, limit: Option<Limit>) {
        self.add(Row { name: name.to_owned(), value, spread: None, rounds: 1, limit, verdict: None });
    }

    /// A number without a limit.
    pub(crate) fn note(&mut self, name: &str, value: f64) {
        self.number(name, value, None);
    }

    fn add(&mut self, row: Row) {
        let verdict = row.limit.map(|limit| if limit.is_kept(row.value) { "PASS" } else { "MISS" });
        let row = Row { verdict, ..row };
        eprintln!("{}", line(&row));
        self.rows.push(row);
    }

    /// Whether no stated limit is missed.
    pub(crate) fn kept(&self) -> bool {
        self.rows.iter().all(|row| row.verdict != Some("MISS"))
    }

    pub(crate) fn json(&self) -> Outcome<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    pub(crate) fn text(&self) -> String {
        let head = format!("{} cores, Redis {}; ratios of medians, quartiles of the rounds", self.cores, self.redis);
        let rows = self.rows.iter().map(line);
        std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
    }
}

fn line(row: &Row) -> String {
    let digits = if row.value.abs() >= 100.0 { 0 } else { 2 };
    let spread =
        row.spread.map_or_else(String::new, |[low, high]| format!("{low:.2}–{high:.2}, {} rounds", row.rounds));
    let limit = match row.limit {
        Some(Limit::AtLeast(least)) => format!("≥ {least}"),
        Some(Limit::AtMost(most)) => format!("≤ {most}"),
        None => String::new(),
    };
    let line =
        format!("{:<62} {:>9.digits$}  {:<26} {:<7} {}", row.name, row.value, spread, limit, row.verdict.unwrap_or(""));
    line.trim_end().to_owned()
}

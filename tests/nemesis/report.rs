//! What a run came to, for programs and for people.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{args::Run, check::Judgement, ground::cable};

/// Most violations that are printed; the history has the rest.
const MOST_NAMED: usize = 100;

/// The document that `--json` prints, on one line.
#[derive(Debug, Serialize)]
pub struct Report {
    topology: &'static str,
    seconds: u64,
    /// What a partition is made of: `cables`, pulled between network name spaces, or `proxies`.
    partitions: &'static str,
    faults: BTreeMap<String, u64>,
    acknowledged: usize,
    unknown: usize,
    lost: usize,
    duplicated: usize,
    longest_unavailability_ms: u64,
    violations: Vec<String>,
    verdict: &'static str,
    #[serde(skip)]
    notes: Vec<String>,
}

impl Report {
    pub fn of(run: &Run, faults: BTreeMap<String, u64>, judged: Judgement) -> Self {
        let Judgement { acknowledged, unknown, lost, duplicated, longest_unavailability_ms, .. } = judged;
        let (mut violations, notes) = (judged.violations, judged.notes);
        let verdict = if violations.is_empty() { "PASS" } else { "FAIL" };
        let more = violations.len().saturating_sub(MOST_NAMED);
        violations.truncate(MOST_NAMED);
        if more > 0 {
            violations.push(format!("and {more} more"));
        }
        Self {
            topology: run.topology.name(),
            seconds: run.seconds,
            partitions: if cable::are_laid() { "cables" } else { "proxies" },
            faults,
            acknowledged,
            unknown,
            lost,
            duplicated,
            longest_unavailability_ms,
            violations,
            verdict,
            notes,
        }
    }

    /// What is no violation and yet worth knowing.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub fn passed(&self) -> bool {
        self.violations.is_empty()
    }

    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    pub fn counted(&self) -> (usize, usize) {
        (self.lost, self.duplicated)
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a report has text keys only")
    }

    pub fn table(&self) -> String {
        let faults: Vec<String> = self.faults.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let mut lines = vec![
            format!("topology               {}, {} s", self.topology, self.seconds),
            format!("partitions by          {}", self.partitions),
            format!("faults                 {}", faults.join(", ")),
            format!("acknowledged           {}", self.acknowledged),
            format!("unknown                {}", self.unknown),
            format!("lost                   {}", self.lost),
            format!("duplicated             {}", self.duplicated),
            format!("longest unavailability {} ms", self.longest_unavailability_ms),
            format!("verdict                {}", self.verdict),
        ];
        lines.extend(self.violations.iter().map(|text| format!("  {text}")));
        lines.join("\n")
    }
}

//! Waits in bounded memory: a histogram that can be added to another, and whose quantiles have a stated error.
//!
//! Spans are counted in milliseconds: exactly below 256 ms, above that in 128 equal cells for each power of two. A cell is at
//! most 1/128 of its lower bound wide and stands for its middle, so a quantile read from it differs from the exact sample
//! quantile (nearest rank) by at most 1/256 of it, 0.4 %, whatever the spans and however many histograms were added up.
//! There are no more than 4,352 cells, whatever is counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::time::Span;

/// Spans below this many milliseconds each have their own cell.
const EXACT: u64 = 256;
/// Cells for each power of two.
const CELLS: u64 = 128;
/// What is longer (34 years) counts as this long.
const LONGEST_MS: u64 = (1 << 40) - 1;

/// The largest relative difference between a quantile given here and the exact one.
pub const RELATIVE_ERROR: f64 = 1.0 / 256.0;

/// How often each length of time was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Histogram {
    #[serde(with = "super::pairs")]
    cells: BTreeMap<u16, u64>,
    count: u64,
    longest_ms: u64,
}

impl Histogram {
    /// Counts one span.
    pub fn add(&mut self, span: Span) {
        let ms = span.ms().unsigned_abs();
        *self.cells.entry(cell(ms)).or_default() += 1;
        self.count += 1;
        self.longest_ms = self.longest_ms.max(ms);
    }

    /// Takes in everything another has counted.
    pub fn merge(&mut self, other: &Histogram) {
        for (cell, count) in &other.cells {
            *self.cells.entry(*cell).or_default() += count;
        }
        self.count += other.count;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
    }

    /// How many spans were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest span, exactly.
    pub fn longest(&self) -> Span {
        Span::from_ms(i64::try_from(self.longest_ms).unwrap_or(i64::MAX))
    }

    /// The span that `percent` of 100 did not exceed (nearest rank), within [`RELATIVE_ERROR`]; none when nothing was counted.
    pub fn quantile(&self, percent: u32) -> Option<Span> {
        let rank = (self.count * u64::from(percent.min(100))).div_ceil(100).max(1);
        let mut seen = 0;
        let mut cells = self.cells.iter();
        let found = cells.find(|(_, count)| {
            seen += **count;
            seen >= rank
        });
        let ms = middle(*found?.0).min(self.longest_ms);
        Some(Span::from_ms(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// How many cells are in use: what the memory of a histogram is bounded by.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }
}

fn cell(ms: u64) -> u16 {
    let ms = ms.min(LONGEST_MS);
    if ms < EXACT {
        return u16::try_from(ms).expect("below 256");
    }
    let power = u64::from(63 - ms.leading_zeros());
    let part = (ms >> (power - 7)) - CELLS;
    u16::try_from(EXACT + (power - 8) * CELLS + part).expect("at most 256 + 32 × 128 cells")
}

fn middle(cell: u16) -> u64 {
    let cell = u64::from(cell);
    if cell < EXACT {
        return cell;
    }
    let (power, part) = ((cell - EXACT) / CELLS + 8, (cell - EXACT) % CELLS);
    let width = 1 << (power - 7);
    (CELLS + part) * width + width / 2
}

//! The report on unmet needs: how often the answer differs from the need because of the supply, where and at what hour.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{ids::SectorId, regulation::decision::SupplyReason};

use super::{
    counts::AnswerKey,
    projection::{Day, Filter},
    statistics::{Share, wilson},
};

/// Answers that differ from their need for one reason, in one sector and hour or over all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unmet {
    /// Sector of permanence; absent: of all sectors, or of places without one when `hour` stands here.
    pub sector: Option<SectorId>,
    /// Local hour of the signature; absent: of all hours.
    pub hour: Option<u8>,
    /// The reason; absent: for whatever reason.
    pub supply: Option<SupplyReason>,
    /// Answers that differ from their need for it.
    pub count: u64,
    /// Answers to needs that ask for a responder: only they can lack supply.
    pub of: u64,
    /// The share, 0 to 1.
    pub share: f64,
    /// Lower bound of its 95 % interval (Wilson).
    pub low: f64,
    /// Upper bound of its 95 % interval (Wilson).
    pub high: f64,
}

/// Answers of one sector and hour.
type Cell<'a> = Vec<(&'a AnswerKey, u64)>;

/// All reasons together, each reason over all, then each sector and hour; only rows that count something.
pub fn unmet(day: &Day, filter: Filter) -> Vec<Unmet> {
    let counts = day.counts(filter);
    let asked = || counts.answers.iter().filter(|(key, _)| key.needs_supply || key.supply.is_some());
    let of = asked().map(|(_, count)| count).sum();
    let mut rows =
        vec![row(None, None, None, asked().filter(|(key, _)| key.supply.is_some()).map(|(_, n)| n).sum(), of)];
    for reason in SupplyReason::ALL {
        let count = asked().filter(|(key, _)| key.supply == Some(*reason)).map(|(_, count)| count).sum();
        rows.extend((count > 0).then(|| row(None, None, Some(*reason), count, of)));
    }
    let mut cells: BTreeMap<_, Cell> = BTreeMap::new();
    for (key, count) in asked() {
        cells.entry((key.sector.clone(), key.hour)).or_default().push((key, *count));
    }
    for ((sector, hour), cell) in cells {
        let of = cell.iter().map(|(_, count)| count).sum();
        let differ = cell.iter().filter(|(key, _)| key.supply.is_some());
        rows.extend(differ.map(|(key, count)| row(sector.clone(), Some(hour), key.supply, *count, of)));
    }
    rows
}

fn row(sector: Option<SectorId>, hour: Option<u8>, supply: Option<SupplyReason>, count: u64, of: u64) -> Unmet {
    let Share { share, low, high, .. } = wilson(count, of);
    Unmet { sector, hour, supply, count, of, share, low, high }
}

//! Indicators as the configuration wants them, and the loop that keeps them up to date.

use std::path::Path;

use tokio::sync::watch;
use tracing::warn;

use super::{duration, until};
use crate::{
    config::{ExtractSettings, IndicatorSettings, Settings},
    domain::time::Span,
    engine::{DayFolder, Engine, Extract, ExtractFolder, Statistics},
};

/// How indicators are counted, kept nowhere: for whoever counts a log of his own.
pub fn counted(settings: &IndicatorSettings) -> Statistics {
    Statistics {
        thresholds: settings.thresholds.clone(),
        early: settings.early,
        settle: settings.settle,
        baseline_acts_per_100: settings.baseline_acts_per_100,
        most_days: settings.most_days,
        minimum_decisions: settings.minimum_decisions,
        days: None,
        extract: None,
    }
}

/// The extract as configured, in a folder.
pub fn extract(settings: &ExtractSettings, folder: &Path) -> Extract {
    Extract {
        folder: ExtractFolder::new(folder),
        columns: settings.columns.clone(),
        delay: settings.delay,
        smallest_cell: settings.smallest_cell,
        age_bands: settings.age_bands.clone(),
    }
}

/// How indicators are counted and kept by a service whose data is in `data`.
pub(super) fn kept_in(data: &Path, settings: &Settings) -> Statistics {
    let (days, extracts) = (&settings.indicators, &settings.extract);
    let days_in = days.dir.clone().unwrap_or_else(|| data.join("indicateurs"));
    let extracts_in = extracts.dir.clone().unwrap_or_else(|| data.join("extraits"));
    Statistics {
        days: days.enabled.then(|| DayFolder::new(days_in)),
        extract: (days.enabled && extracts.enabled).then(|| extract(extracts, &extracts_in)),
        ..counted(days)
    }
}

/// Reads the logs on, round after round.
pub(super) async fn follow(engine: Engine, every: Span, stopped: watch::Receiver<bool>) {
    let stop = until(stopped);
    tokio::pin!(stop);
    loop {
        if let Err(error) = engine.follow_indicators().await {
            warn!(%error, "the indicators were not brought up to date; it is tried again");
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(duration(every)) => {}
        }
    }
}

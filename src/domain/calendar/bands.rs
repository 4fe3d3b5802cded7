//! The parts of the night by which duty, sectors and tariffs differ.
//!
//! R6315-1 knows one night, 20:00 to 08:00; the Ordre reports it as soirée (to midnight) and nuit profonde (to 06:00).
//! In many départements liberal regulation stops from midnight to 08:00, so both limits are the territory's.

use chrono::{NaiveTime, Timelike};

use crate::coded_enum;

coded_enum! {
    /// A part of the night.
    Band {
        /// Soirée: from 20:00 to the deep night.
        Evening = "EVENING", "soirée";
        /// Nuit profonde.
        DeepNight = "DEEP_NIGHT", "nuit profonde";
        /// From the end of the deep night to 08:00.
        Early = "EARLY", "petit matin";
    }
}

/// Where a territory cuts its night; wall-clock times between 20:00 and 08:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bands {
    deep_night_from: NaiveTime,
    early_from: NaiveTime,
}

impl Default for Bands {
    fn default() -> Self {
        Self { deep_night_from: NaiveTime::MIN, early_from: clock_time(6) }
    }
}

impl Bands {
    /// Deep night from `deep_night_from` to `early_from`; `None` unless 20:00 ≤ deep ≤ early ≤ 08:00 along the night.
    pub fn new(deep_night_from: NaiveTime, early_from: NaiveTime) -> Option<Self> {
        let (deep, early) = (into_the_night(deep_night_from), into_the_night(early_from));
        (deep <= early && early <= NIGHT_SECONDS).then_some(Self { deep_night_from, early_from })
    }

    /// The band of a wall-clock time of the night (20:00 to 08:00).
    pub(super) fn band(&self, time: NaiveTime) -> Band {
        let now = into_the_night(time);
        if now < into_the_night(self.deep_night_from) {
            Band::Evening
        } else if now < into_the_night(self.early_from) {
            Band::DeepNight
        } else {
            Band::Early
        }
    }
}

const NIGHT_SECONDS: u32 = 12 * 3600;

/// Wall-clock seconds since 20:00.
fn into_the_night(time: NaiveTime) -> u32 {
    (time.num_seconds_from_midnight() + 4 * 3600) % (24 * 3600)
}

pub(super) const fn clock_time(hour: u32) -> NaiveTime {
    match NaiveTime::from_hms_opt(hour, 0, 0) {
        Some(time) => time,
        None => NaiveTime::MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_is_cut_where_the_territory_says() {
        let at = |bands: Bands, h, m| bands.band(NaiveTime::from_hms_opt(h, m, 0).unwrap());
        let usual = Bands::default();
        assert_eq!(at(usual, 20, 0), Band::Evening);
        assert_eq!(at(usual, 23, 59), Band::Evening);
        assert_eq!(at(usual, 0, 0), Band::DeepNight);
        assert_eq!(at(usual, 6, 0), Band::Early);
        assert_eq!(at(usual, 7, 59), Band::Early);
        let late = Bands::new(clock_time(23), clock_time(8)).unwrap();
        assert_eq!(at(late, 23, 0), Band::DeepNight);
        assert_eq!(at(late, 7, 59), Band::DeepNight);
        assert!(Bands::new(clock_time(6), clock_time(0)).is_none());
        assert!(Bands::new(clock_time(0), clock_time(9)).is_none());
    }
}

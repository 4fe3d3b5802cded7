//! Indicators: each territory's log folded into days, read on when somebody asks and every so often.
//!
//! No command waits for it: the tail tells what it reads anyway, and what it did not tell is read afterwards, page by page.
//! What is kept is the fold up to a place of the log; a restart folds again what the store still has of the log, with the archive's files of the days that are not final. Days
//! that are final are written to disk, once, since their log leaves for the archive: an answer takes a day from its file when
//! it is complete and final there, else from the fold when the log told it from its beginning, else as far as it is known,
//! and says so. When the log at the last place is another (a restored backup, a new epoch), everything is folded anew.

mod files;
mod fold;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{Days, NaiveDate};

use crate::{
    domain::{
        calendar::local_date,
        ids::TerritoryId,
        indicators::{Compared, Day, Figures, Filter, Rules, added, compare_by_month, extract::Column},
        time::{Instant, Span},
    },
    telemetry::Metrics,
};

pub use files::{DayFolder, ExtractFolder, extract_csv};

use self::fold::Folded;
use super::{
    Engine, Failure, Place,
    tail::{Follower, Told},
};

/// How indicators are counted and where they are kept.
#[derive(Debug, Clone)]
pub struct Statistics {
    /// Thresholds of the answer, ascending.
    pub thresholds: Vec<Span>,
    /// A call given up sooner may be left out of the abandoned ones.
    pub early: Span,
    /// A day is final this long after its end.
    pub settle: Span,
    /// Face-to-face acts for 100 files where each responder decides.
    pub baseline_acts_per_100: f64,
    /// The most days of one answer.
    pub most_days: u32,
    /// The fewest decisions on either side of a comparison that is tested.
    pub minimum_decisions: u64,
    /// Where final days are kept; none: nowhere.
    pub days: Option<DayFolder>,
    /// The anonymised extract; none: it is not written.
    pub extract: Option<Extract>,
}

/// The anonymised extract of each day.
#[derive(Debug, Clone)]
pub struct Extract {
    /// Where.
    pub folder: ExtractFolder,
    /// What cases are told apart by.
    pub columns: Vec<Column>,
    /// How long after a day's end.
    pub delay: Span,
    /// The smallest count shown.
    pub smallest_cell: u64,
    /// First ages of the bands after the first.
    pub age_bands: Vec<u32>,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            thresholds: [15, 30, 60].map(Span::from_secs).to_vec(),
            early: Span::from_secs(15),
            settle: Span::from_hours(96),
            baseline_acts_per_100: 92.5,
            most_days: 92,
            minimum_decisions: 20,
            days: None,
            extract: None,
        }
    }
}

impl Statistics {
    /// The rules of counting in a zone.
    pub fn rules(&self, zone: chrono_tz::Tz) -> Rules {
        Rules {
            zone,
            thresholds: self.thresholds.clone(),
            early: self.early,
            settle: self.settle,
            baseline_acts_per_100: self.baseline_acts_per_100,
        }
    }
}

/// Local days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaysAsked {
    /// The first.
    pub from: NaiveDate,
    /// The last.
    pub to: NaiveDate,
}

/// Days as they are known.
#[derive(Debug, Clone)]
pub struct DaysKnown {
    /// Those of which something is known, in order.
    pub days: BTreeMap<NaiveDate, Day>,
    /// All of them added up; complete when every day asked for is.
    pub total: Day,
    /// The instant of the last event counted.
    pub as_of: Option<Instant>,
    /// Place in the log.
    pub seq: u64,
}

/// What is folded, by territory.
#[derive(Debug, Default)]
pub(super) struct Indicators {
    pub(super) statistics: std::sync::OnceLock<Statistics>,
    default: std::sync::OnceLock<Statistics>,
    folded: Mutex<HashMap<TerritoryId, Arc<tokio::sync::Mutex<Option<Folded>>>>>,
}

impl Indicators {
    fn of(&self, territory: &TerritoryId) -> Arc<tokio::sync::Mutex<Option<Folded>>> {
        let mut folded = self.folded.lock().unwrap_or_else(PoisonError::into_inner);
        folded.entry(territory.clone()).or_default().clone()
    }
}

/// The fold goes on with what the tail tells. Whoever asks compares it with the log first, so that what was told of a lost
/// history never counts.
impl Follower for Indicators {
    fn follow(&self, territory: &TerritoryId, told: &[Told]) {
        let cell = self.folded.lock().unwrap_or_else(PoisonError::into_inner).get(territory).cloned();
        // Without the loop that makes days final, it would grow for ever: whoever asks reads on.
        if self.statistics.get().is_none_or(|statistics| statistics.days.is_none()) {
            return;
        }
        // Whoever has it is reading the log on himself.
        if let Some(Ok(mut kept)) = cell.as_ref().map(|cell| cell.try_lock())
            && let Some(folded) = kept.as_mut()
        {
            folded.follow(told);
        }
    }

    fn reset(&self, _territory: &TerritoryId) {}
}

impl Engine {
    /// The same engine with these statistics; the first ones given stay.
    #[must_use]
    pub fn with_statistics(self, statistics: Statistics) -> Self {
        self.0.indicators.statistics.get_or_init(|| statistics);
        self
    }

    /// How indicators are counted here.
    pub fn statistics(&self) -> &Statistics {
        let kept = &self.0.indicators;
        kept.statistics.get().unwrap_or_else(|| kept.default.get_or_init(Statistics::default))
    }

    /// The rules by which indicators of a place are counted.
    pub fn counting(&self, place: &Place) -> Rules {
        self.statistics().rules(place.territory.calendar.zone())
    }

    /// Today, on the wall clock of a place.
    pub fn today(&self, place: &Place) -> NaiveDate {
        local_date(place.territory.calendar.zone(), self.now())
    }

    /// Days of a territory, from a state that holds at least `at_least_seq` of the log.
    ///
    /// # Errors
    /// When the store does not answer, has not come so far, or a file cannot be read.
    pub async fn days(&self, place: &Place, asked: DaysAsked, at_least_seq: u64) -> Result<DaysKnown, Failure> {
        let cell = self.0.indicators.of(&place.territory.id);
        let mut kept = cell.lock().await;
        let folded = self.caught_up(place, &mut kept).await?;
        if self.statistics().days.is_none() {
            self.write_days(place, folded).await?;
        }
        if folded.seq() < at_least_seq {
            let (seq, asked) = (folded.seq(), at_least_seq);
            return Err(Failure::Unavailable(format!("the log was read up to {seq}, not yet to {asked}: ask again")));
        }
        let (as_of, seq) = (folded.projection.last_at(), folded.seq());
        let (mut days, mut complete) = (BTreeMap::new(), true);
        for date in asked.from.iter_days().take_while(|date| *date <= asked.to) {
            let told = folded.projection.day(date, &place.directory);
            let covered = folded.projection.covers(date);
            let kept = self.kept_day(place, date).await?;
            let day = match told {
                Some(day) if covered && !kept.as_ref().is_some_and(files::closed) => Some(day),
                told => kept.or(told),
            };
            complete &= day.as_ref().map_or(covered, |day| day.complete);
            days.extend(day.map(|day| (date, day)));
        }
        let total = Day { complete, ..added(days.values()) };
        Ok(DaysKnown { days, total, as_of, seq })
    }

    async fn kept_day(&self, place: &Place, date: NaiveDate) -> Result<Option<Day>, Failure> {
        let Some(folder) = self.statistics().days.clone() else { return Ok(None) };
        let territory = place.territory.id.clone();
        super::archiving::apart(move || folder.read(&territory, date)).await
    }

    /// The comparison of regulators, a local month at a time.
    pub fn compared(&self, place: &Place, days: &BTreeMap<NaiveDate, Day>) -> BTreeMap<String, Vec<Compared>> {
        compare_by_month(days, self.statistics().minimum_decisions, &place.directory)
    }

    /// Reads every territory's log on, writes what became final, and reports today's figures. One that fails holds no other
    /// one up.
    ///
    /// # Errors
    /// When the store does not answer or a file cannot be written for some territory: the next round goes on.
    pub async fn follow_indicators(&self) -> Result<(), Failure> {
        let mut failed = None;
        for territory in self.0.store.territories().await? {
            failed = self.follow_indicators_of(&territory).await.err().or(failed);
        }
        failed.map_or(Ok(()), Err)
    }

    async fn follow_indicators_of(&self, territory: &TerritoryId) -> Result<(), Failure> {
        let place = self.territory(territory)?;
        {
            let cell = self.0.indicators.of(territory);
            let mut kept = cell.lock().await;
            let folded = self.caught_up(&place, &mut kept).await?;
            self.write_extracts(&place, folded).await?;
            self.write_days(&place, folded).await?;
        }
        let today = self.today(&place);
        let known = self.days(&place, DaysAsked { from: today, to: today }, 0).await?;
        let figures = Figures::of(&known.total, Filter::default(), &self.counting(&place));
        report(&self.0.metrics, territory, &figures);
        Ok(())
    }

    async fn write_days(&self, place: &Place, folded: &mut Folded) -> Result<(), Failure> {
        let settled = folded.projection.settle(self.now(), &place.directory);
        let Some(folder) = self.statistics().days.clone() else {
            let first = self.today(place) - Days::new(u64::from(self.statistics().most_days));
            folded.projection.forget_before(first);
            return Ok(());
        };
        for date in settled {
            let Some(day) = folded.projection.day(date, &place.directory) else { continue };
            let (folder, territory) = (folder.clone(), place.territory.id.clone());
            super::archiving::apart(move || folder.keep(&territory, date, &day)).await?;
        }
        let first = self.today(place) - Days::new(u64::from(self.statistics().most_days));
        folded.projection.forget_before(first);
        Ok(())
    }

    async fn write_extracts(&self, place: &Place, folded: &mut Folded) -> Result<(), Failure> {
        let Some(extract) = self.statistics().extract.clone() else { return Ok(()) };
        let (now, zone) = (self.now(), place.territory.calendar.zone());
        for date in folded.anonymous.days() {
            if !rested(zone, date, extract.delay, now) {
                continue;
            }
            if folded.projection.covers(date) && !extract.folder.has(&place.territory.id, date) {
                let text = extract_csv(&extract, &folded.anonymous, &place.territory.id, date);
                let (folder, territory) = (extract.folder.clone(), place.territory.id.clone());
                super::archiving::apart(move || folder.write(&territory, date, &text)).await?;
            }
            folded.anonymous.forget(date);
        }
        Ok(())
    }
}

/// Whether `span` has passed since the end of a local day.
fn rested(zone: chrono_tz::Tz, date: NaiveDate, span: Span, now: Instant) -> bool {
    let end = (date + Days::new(1)).and_time(chrono::NaiveTime::MIN);
    crate::domain::calendar::to_instant(zone, end) + span <= now
}

fn report(metrics: &Metrics, territory: &TerritoryId, figures: &Figures) {
    metrics.day(territory, figures);
}

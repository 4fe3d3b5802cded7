//! The fold: a territory's events, in order, into days.
//!
//! A case belongs to the local day on which its request arrived, with all that happens to it later: each day has one
//! denominator. A day is provisional while its cases may still change, and final so long after its end; then its cases are
//! added up and forgotten, and what still happens to them is not counted. Memory is so bounded by the cases of a few days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, NaiveTime};
use serde::{Deserialize, Serialize};

use crate::domain::{
    calendar::{local_date, to_instant},
    case::{Event, Fact, transfer::TransferEnd},
    ids::{CaseId, PersonId},
    regulation::qualification::{Priority, Stream},
    time::Instant,
};

use super::{
    counts::{Class, Counts, ReceivedKey, received, sum},
    roster::Roster,
    rules::{Rules, Who},
    trace::Trace,
};

/// Cases of days that are not final, at most; beyond it the oldest day is made final early.
const MOST_CASES: usize = 1_000_000;

/// The sums of one local day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Day {
    /// By stream and priority.
    #[serde(with = "super::pairs")]
    pub classes: BTreeMap<Class, Counts>,
    /// Who took what which regulator had signed.
    #[serde(with = "super::pairs")]
    pub received: BTreeMap<ReceivedKey, u64>,
    /// In how many cases which person accepted under which convention what he had regulated.
    #[serde(default, with = "super::pairs")]
    pub excepted: BTreeMap<(PersonId, String), u64>,
    /// How often which person went on duty under which convention both to regulate and to make visits in the same hours.
    #[serde(default, with = "super::pairs")]
    pub rostered: BTreeMap<(PersonId, String), u64>,
    /// The log was told from before the day's beginning, without a gap.
    pub complete: bool,
    /// Nothing is added any more.
    #[serde(rename = "final")]
    pub settled: bool,
}

/// A copy whose request is with the territory that sent it is counted there alone.
pub(super) fn given_back(fact: &Fact) -> bool {
    match fact {
        Fact::TransferAnswered(answered) => answered.refused.is_some(),
        Fact::TransferSettled { how, goes_on } => *how != TransferEnd::Accepted && !goes_on,
        _ => false,
    }
}

/// Which cases of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only this stream.
    pub stream: Option<Stream>,
    /// Only this priority.
    pub priority: Option<Priority>,
}

impl Day {
    /// The sums over the cases that a filter leaves.
    pub fn counts(&self, filter: Filter) -> Counts {
        let mut all = Counts::default();
        let kept = self.classes.iter().filter(|(class, _)| filter.stream.is_none_or(|s| class.stream == Some(s)));
        let kept = kept.filter(|(class, _)| filter.priority.is_none_or(|p| class.priority == Some(p)));
        kept.for_each(|(_, counts)| all.merge(counts));
        all
    }

    /// Adds another day up.
    pub fn merge(&mut self, other: &Day) {
        for (class, counts) in &other.classes {
            self.classes.entry(*class).or_default().merge(counts);
        }
        sum(&mut self.received, &other.received);
        sum(&mut self.excepted, &other.excepted);
        sum(&mut self.rostered, &other.rostered);
        self.complete &= other.complete;
        self.settled &= other.settled;
    }
}

/// The days of a territory as its log has told them.
#[derive(Debug, Clone)]
pub struct Projection {
    rules: Rules,
    cases: BTreeMap<CaseId, Trace>,
    /// Exceptions on the roster, of days that are not final.
    rostered: BTreeMap<NaiveDate, BTreeMap<(PersonId, String), u64>>,
    /// Final days.
    days: BTreeMap<NaiveDate, Day>,
    /// The last day that was let go.
    gone: Option<NaiveDate>,
    /// The first day the log tells from its beginning; none: the log was told from its first event.
    told_from: Option<NaiveDate>,
    /// No event was told yet of a log whose beginning is missing.
    beheaded: bool,
    last: Option<Instant>,
    roster: Roster,
}

impl Projection {
    /// Over a log that is told from its first event, or (`beheaded`) from a later one.
    pub fn new(rules: Rules, beheaded: bool) -> Self {
        Self {
            rules,
            cases: BTreeMap::new(),
            rostered: BTreeMap::new(),
            days: BTreeMap::new(),
            gone: None,
            told_from: None,
            beheaded,
            last: None,
            roster: Roster::default(),
        }
    }

    /// Events before the next one are missing: no day until then is whole.
    pub fn missed(&mut self) {
        self.beheaded = true;
    }

    /// Takes in the next event. One of a case whose beginning was not told says nothing.
    pub fn tell(&mut self, event: &Event) {
        if std::mem::take(&mut self.beheaded) {
            self.told_from = Some(local_date(self.rules.zone, event.at) + Days::new(1));
        }
        self.last = self.last.max(Some(event.at));
        self.roster.tell(event);
        let Some(id) = event.case else { return self.on_the_roster(event) };
        if let Some(opened) = event.facts.iter().find_map(|fact| match fact {
            Fact::Opened(opened) => Some(opened),
            _ => None,
        }) {
            let trace = Trace::opened(opened, self.rules.zone);
            // Entered from paper for a day that is over here: alone it would take the place of the whole day.
            if !self.days.contains_key(&trace.day) && self.gone.is_none_or(|gone| gone < trace.day) {
                self.cases.insert(id, trace);
            }
        }
        if event.facts.iter().any(given_back) {
            self.cases.remove(&id);
        }
        let Some(trace) = self.cases.get_mut(&id) else { return };
        let linked = trace.repeats;
        trace.tell(event, &self.roster);
        let (repeats, arrived) = (trace.repeats, trace.arrived);
        if let Some(before) = linked.filter(|before| Some(*before) != repeats) {
            self.count_repeats_of(before);
        }
        let repeats = repeats.filter(|_| event.facts.iter().any(|fact| matches!(fact, Fact::RepeatOf(_))));
        if let Some(first) = repeats.and_then(|earlier| self.cases.get_mut(&earlier)) {
            let after = arrived.since(first.arrived);
            first.called_again = Some(first.called_again.map_or(after, |known| known.min(after)));
        }
    }

    /// Whether an earlier case is called again is asked anew: one that was linked to it is linked to another.
    fn count_repeats_of(&mut self, earlier: CaseId) {
        let Some(arrived) = self.cases.get(&earlier).map(|first| first.arrived) else { return };
        let again = self.cases.values().filter(|trace| trace.repeats == Some(earlier));
        let soonest = again.map(|trace| trace.arrived.since(arrived)).min();
        if let Some(first) = self.cases.get_mut(&earlier) {
            first.called_again = soonest;
        }
    }

    fn on_the_roster(&mut self, event: &Event) {
        let date = local_date(self.rules.zone, event.at);
        for fact in &event.facts {
            if let Fact::Excepted { person, convention } = fact {
                *self.rostered.entry(date).or_default().entry((person.clone(), convention.clone())).or_default() += 1;
            }
        }
    }

    /// Makes final what has rested long enough at `now`; answers the days that became so.
    pub fn settle(&mut self, now: Instant, who: &dyn Who) -> Vec<NaiveDate> {
        let mut settled = Vec::new();
        for date in self.open() {
            let rested = self.end_of(date) + self.rules.settle <= now;
            if rested || self.cases.len() > MOST_CASES {
                let day = Day { settled: true, ..self.sum_of(date, who) };
                self.cases.retain(|_, trace| trace.day != date);
                self.rostered.remove(&date);
                self.days.insert(date, day);
                settled.push(date);
            }
        }
        settled
    }

    /// Lets final days before `first` go, with the cases that come late for them; they are kept elsewhere.
    pub fn forget_before(&mut self, first: NaiveDate) {
        let first = self.open().first().map_or(first, |open| *open.min(&first));
        self.days = self.days.split_off(&first);
        self.gone = self.gone.max(first.pred_opt());
    }

    /// A day's sums as they are now; none when nothing of it was told.
    pub fn day(&self, date: NaiveDate, who: &dyn Who) -> Option<Day> {
        let known = self.days.get(&date).cloned();
        let told = || self.rostered.contains_key(&date) || self.cases.values().any(|trace| trace.day == date);
        known.or_else(|| told().then(|| self.sum_of(date, who)))
    }

    /// Whether a day would be told from its beginning, and was not let go.
    pub fn covers(&self, date: NaiveDate) -> bool {
        !self.beheaded && self.told_from.is_none_or(|first| first <= date) && self.gone.is_none_or(|gone| gone < date)
    }

    /// The days of which something was told, in order.
    pub fn dates(&self) -> Vec<NaiveDate> {
        self.open().into_iter().chain(self.days.keys().copied()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The days that are not final.
    fn open(&self) -> BTreeSet<NaiveDate> {
        self.cases.values().map(|trace| trace.day).chain(self.rostered.keys().copied()).collect()
    }

    /// The instant of the last event told.
    pub fn last_at(&self) -> Option<Instant> {
        self.last
    }

    /// Cases that are kept one by one.
    pub fn cases(&self) -> usize {
        self.cases.len()
    }

    fn sum_of(&self, date: NaiveDate, who: &dyn Who) -> Day {
        let rostered = self.rostered.get(&date).cloned().unwrap_or_default();
        let mut day = Day { complete: self.covers(date), rostered, ..Day::default() };
        for trace in self.cases.values().filter(|trace| trace.day == date) {
            day.classes.entry(trace.class).or_default().add(trace, &self.rules, who);
            received(trace, who, &mut day.received);
            for (person, convention) in &trace.excepted {
                *day.excepted.entry((person.clone(), convention.clone())).or_default() += 1;
            }
        }
        day
    }

    fn end_of(&self, date: NaiveDate) -> Instant {
        to_instant(self.rules.zone, (date + Days::new(1)).and_time(NaiveTime::MIN))
    }
}

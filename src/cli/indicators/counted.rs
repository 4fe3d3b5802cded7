//! The reports counted from exported logs.

use std::{collections::BTreeMap, ops::RangeInclusive};

use chrono::NaiveDate;

use super::{Args, Reply, Report, WrongUse};
use crate::{
    app::statistics::counted,
    cli::{Shared, logs::told},
    domain::{
        calendar::local_date,
        ids::TerritoryId,
        indicators::{Day, Filter, Projection, Rules, added, compare_by_month, unmet},
        time::Instant,
    },
    grpc::{convert::indicators as convert, pb},
};

/// What the logs told of the days asked for.
struct Counted {
    days: BTreeMap<NaiveDate, Day>,
    total: Day,
    last: Option<Instant>,
    seq: u64,
}

/// The territory of the logs, the report, and what is to be said of the files beside it.
pub(super) fn count(args: &Args, shared: &Shared) -> Result<(TerritoryId, Reply, Vec<String>), WrongUse> {
    let config = shared.load()?;
    let told = told(&args.files, args.territory.as_ref())?;
    let (territory, directory) = &*config.territory(&told.territory).map_err(WrongUse::new)?;
    let statistics = counted(&config.settings.indicators);
    let zone = territory.calendar.zone();
    let rules = statistics.rules(zone);
    let mut projection = Projection::new(rules.clone(), false);
    for (at, event) in told.events.iter().enumerate() {
        if told.hole.is_some_and(|(_, hole)| hole == at) {
            projection.missed();
        }
        projection.tell(event);
    }
    let last = projection.last_at().map(|last| local_date(zone, last));
    // A request entered from paper counts on its own day, which may lie before the first event.
    let first = told.events.iter().map(|event| local_date(zone, event.at)).chain(projection.dates()).min();
    let asked = asked(args, first, last);
    let wanted = |date: &NaiveDate| asked.as_ref().is_some_and(|asked| asked.contains(date));
    let days = projection.dates().into_iter().filter(wanted);
    let days: BTreeMap<_, _> = days.filter_map(|date| Some((date, projection.day(date, directory)?))).collect();
    // What is told from its beginning is one stretch of days: every day lies in it when the first and the last do.
    let tells = |date: &NaiveDate| projection.covers(*date) && last.is_some_and(|last| *date <= last);
    let complete = asked.is_some_and(|asked| tells(asked.start()) && tells(asked.end()));
    let total = Day { complete, ..added(days.values()) };
    let counted = Counted { days, total, last: projection.last_at(), seq: told.last_seq };
    let reply = match args.report {
        Report::Figures => Reply::Figures(Box::new(figures(args, &counted, &rules))),
        Report::Unmet => {
            let rows = unmet(&counted.total, filter(args)).into_iter().map(convert::unmet).collect();
            Reply::Unmet(pb::GetUnmetNeedsResponse { rows, complete: counted.total.complete, seq: counted.seq })
        }
        Report::Regulators => {
            let months = compare_by_month(&counted.days, statistics.minimum_decisions, directory);
            Reply::Regulators(convert::compared(months, counted.total.complete, counted.seq))
        }
        Report::Exceptions => {
            let configured = &territory.regulation.independence_exceptions;
            let at = counted.last.unwrap_or(Instant::from_unix_ms(0));
            let exceptions = convert::exceptions(configured, &counted.total, at);
            let (complete, seq) = (counted.total.complete, counted.seq);
            Reply::Exceptions(pb::ListIndependenceExceptionsResponse { exceptions, complete, seq })
        }
    };
    Ok((told.territory, reply, told.left_out.iter().map(ToString::to_string).collect()))
}

/// The days that are asked for; on a side where none is named, as far as the logs tell. None: they tell nothing.
fn asked(args: &Args, first: Option<NaiveDate>, last: Option<NaiveDate>) -> Option<RangeInclusive<NaiveDate>> {
    let from = args.from.or(first.into_iter().chain(args.to).min())?;
    let to = args.to.or(last.into_iter().chain(args.from).max())?;
    Some(from..=to)
}

fn filter(args: &Args) -> Filter {
    Filter { stream: args.stream, priority: args.priority }
}

fn figures(args: &Args, counted: &Counted, rules: &Rules) -> pb::GetIndicatorsResponse {
    let filter = filter(args);
    let days = counted.days.iter().map(|(date, day)| convert::day(Some(*date), day, filter, rules));
    pb::GetIndicatorsResponse {
        days: days.collect(),
        total: Some(convert::day(None, &counted.total, filter, rules)),
        as_of_unix_ms: counted.last.map_or(0, Instant::unix_ms),
        seq: counted.seq,
    }
}

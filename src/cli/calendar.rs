//! `sas-dispatch calendar`: the legal period of a territory at an instant.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde::Serialize;

use super::{Answer, Outcome, Shared, WrongUse, french::moment, say, say_json};
use crate::{
    clock::Clock,
    domain::{
        calendar::{Legal, local},
        ids::TerritoryId,
        territory::Territory,
        time::Instant,
    },
};

/// Arguments of `calendar`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Territory, such as fr-67, fr-2a or fr-974
    #[arg(long, value_name = "ID")]
    territory: String,
    /// Instant in RFC 3339, such as 2024-12-26T10:00:00+01:00 [default: now]
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The document of `--json`; the order of the keys is part of it.
#[derive(Serialize)]
struct Document<'a> {
    territory: &'a str,
    at: &'a str,
    local: String,
    period: &'static str,
    status: &'static str,
    band: Option<&'static str>,
    holiday: Option<&'a str>,
    article: &'static str,
    next_change: String,
    next_period: &'static str,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let id = args
        .territory
        .to_lowercase()
        .parse::<TerritoryId>()
        .map_err(|error| WrongUse::new(format!("{error}; name a territory such as fr-67 or fr-974")))?;
    let (at, written) = instant(args.at.as_deref())?;
    let ground = shared.load()?.territory(&id).map_err(WrongUse::new)?;
    let territory = &ground.0;
    let legal = territory.period_at(at).map_err(WrongUse::new)?;
    if args.json {
        say_json(&document(territory, at, &written, &legal));
    } else {
        say(words(territory, at, &legal));
    }
    Ok(Answer::Done)
}

/// The instant asked for and the text that is echoed.
pub(super) fn instant(at: Option<&str>) -> Result<(Instant, String), WrongUse> {
    let Some(written) = at else {
        let now = Clock::System.now();
        return Ok((now, now.to_string()));
    };
    let parsed: DateTime<FixedOffset> = DateTime::parse_from_rfc3339(written).map_err(|error| {
        WrongUse::new(format!(
            "at: '{written}' is not an instant in RFC 3339 ({error}); write a date, a time and an offset, such as \
             2024-12-26T10:00:00+01:00"
        ))
    })?;
    Ok((parsed.to_utc().into(), written.to_owned()))
}

fn document<'a>(territory: &'a Territory, at: Instant, written: &'a str, legal: &'a Legal) -> Document<'a> {
    let zone = territory.calendar.zone();
    let rfc3339 = |at: Instant| local(zone, at).to_rfc3339_opts(SecondsFormat::AutoSi, false);
    Document {
        territory: territory.id.as_str(),
        at: written,
        local: rfc3339(at),
        period: legal.period.code(),
        status: legal.status.code(),
        band: legal.band.map(|band| band.code()),
        holiday: legal.holiday.as_deref(),
        article: legal.article,
        next_change: rfc3339(legal.next_change),
        next_period: legal.next_period.code(),
    }
}

fn words(territory: &Territory, at: Instant, legal: &Legal) -> String {
    let wall = |at| local(territory.calendar.zone(), at);
    let band = legal.band.map(|band| format!(", {}", band.label())).unwrap_or_default();
    let holiday = legal.holiday.as_ref().map(|name| format!("Jour férié : {name}\n")).unwrap_or_default();
    format!(
        "{} ({}), {} (heure locale, UTC{})\nPériode : {}{band} ({})\n{holiday}Article : {}\nProchain changement : {}, {}",
        territory.name,
        territory.id,
        moment(wall(at)),
        wall(at).format("%:z"),
        legal.period.label(),
        legal.period.code(),
        legal.article,
        moment(wall(legal.next_change)),
        legal.next_period.label(),
    )
}

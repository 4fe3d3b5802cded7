//! Starts the service, plays the day, stops the service, and reads its log back.

use std::{sync::Arc, time::Duration};

use chrono::{Datelike, NaiveDate, NaiveTime};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::net::TcpListener;

use crate::{
    app::{self, Service, Setup, StorePlace, Upkeep},
    cli::scratch::Scratch,
    clock::{Clock, Stopwatch},
    config::{Config, Ground},
    domain::{
        actor::Role,
        calendar::{Legal, Period, Status, local, to_instant},
        ids::TerritoryId,
        time::{Instant, Span},
    },
    grpc::{client, pb},
    telemetry::Metrics,
};

use super::{
    Args, TERRITORY, WrongUse,
    callers::callers,
    curve::{self, DayKind, arrivals},
    figures::{Day, Document, Figures, Run, code, figures},
    policy::{Policy, responder_decides},
    room::{Furniture, Room},
    screens::Screens,
    staff::staffing,
    supply, verdict,
    visitors::Visitors,
    wire::{Fault, Wire, call},
};

/// After the last call visits end, patients come to their appointments and reports are written: as long again as calls
/// came, and at most this long.
const AFTERWARDS: Span = Span::from_hours(4);
/// The days that can be played, both included: every instant of the day, and of the agendas beyond it, is one that the service
/// takes.
const PLAYABLE: [(i32, u32, u32); 2] = [(2000, 1, 2), (2099, 12, 30)];

/// Why no day was played to its end.
pub(super) enum Stopped {
    /// It cannot begin as it was asked for.
    Use(WrongUse),
    /// The service answered what it never should.
    Fault(Fault),
}

impl From<WrongUse> for Stopped {
    fn from(wrong: WrongUse) -> Self {
        Self::Use(wrong)
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Which day is played.
struct Played {
    ground: Arc<Ground>,
    kind: DayKind,
    midnight: Instant,
    from: Instant,
    /// No call arrives from here on.
    until: Instant,
    noon: Legal,
}

pub(super) async fn play(args: &Args, policy: Policy, config: Config) -> Result<Document, Stopped> {
    let config = config.with_unsigned_protocols();
    let watch = Stopwatch::start();
    let played = played(args, &config)?;
    let folder = match &args.keep {
        Some(path) if args.policy == Policy::ResponderDecides => {
            let own = policy.to_possible_value().map(|value| path.join(value.get_name()));
            Scratch::keep(own.as_deref().unwrap_or(path))
        }
        Some(path) => Scratch::keep(path),
        None => Scratch::new(),
    };
    let folder = folder.map_err(|error| WrongUse::new(format!("the folder of the store: {error}")))?;
    let clock = Clock::manual(played.from);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(WrongUse::new)?;
    let setup = Setup {
        config: Arc::new(config),
        clock: clock.clone(),
        store: StorePlace::Embedded(folder.path().to_owned()),
        upkeep: Upkeep::ByHand,
        metrics: Metrics::silent(),
    };
    let service = app::start(setup, listener).await.map_err(WrongUse::new)?;
    let mut room = day(args, policy, &played, &service, clock).await?;
    let figures = at_the_end(&mut room).await?;
    let (messages, rules) = (room.screens.messages(), status(&mut room).await?.rules);
    let acknowledged = std::mem::take(&mut room.wire.acknowledged);
    drop(room);
    let territory = &played.ground.0.id;
    let mut check = verdict::checked(&service.engine, territory).await?;
    service.stop().await;
    verdict::look_for(&acknowledged, folder.path(), territory, &mut check).await?;
    let wall_seconds = watch.elapsed().as_secs_f64();
    let rpcs_per_second = figures.rpcs as f64 / wall_seconds;
    let run = Run { wall_seconds, rpcs_per_second, watch_messages: messages };
    Ok(Document { day: said(args, &played, rules), figures, check, run })
}

fn played(args: &Args, config: &Config) -> Result<Played, WrongUse> {
    let id: TerritoryId = TERRITORY.parse().map_err(WrongUse::new)?;
    let ground = config.territories.get(&id).cloned().ok_or_else(|| {
        WrongUse::new(format!("the configuration has no folder for {TERRITORY}, which is the territory that is played"))
    })?;
    let at = |hour: u32| instant(&ground, args.date, hour);
    let noon = ground.0.period_at(at(12)).map_err(WrongUse::new)?;
    let midnight = at(0);
    let from = midnight + Span::from_hours(i64::from(args.from));
    let until = from + Span::from_hours(i64::from(args.hours.min(24 - args.from)));
    Ok(Played { kind: kind(&noon), ground, midnight, from, until, noon })
}

/// Refuses a day that cannot be played.
pub(super) fn playable(date: NaiveDate) -> Result<(), WrongUse> {
    let [first, last] = PLAYABLE;
    let day = (date.year(), date.month(), date.day());
    if first <= day && day <= last {
        return Ok(());
    }
    Err(WrongUse::new(format!(
        "le {} ne peut pas être joué : choisissez avec --date un jour du 2 janvier 2000 au 30 décembre 2099",
        date.format("%d/%m/%Y")
    )))
}

fn instant((territory, _): &Ground, date: NaiveDate, hour: u32) -> Instant {
    let time = NaiveTime::from_hms_opt(hour, 0, 0).expect("hours of this module are below 24");
    to_instant(territory.calendar.zone(), date.and_time(time))
}

/// Which real day stands for this one.
fn kind(noon: &Legal) -> DayKind {
    match (noon.period, &noon.holiday) {
        (_, Some(_)) => curve::HOLIDAY,
        (Period::PdsaSundayHoliday, None) => curve::SUNDAY,
        (Period::PdsaSaturday, None) => curve::SATURDAY,
        (Period::OfficeHours | Period::PdsaNight | Period::PdsaBridge, None) => curve::WEEKDAY,
    }
}

async fn day(args: &Args, policy: Policy, played: &Played, service: &Service, clock: Clock) -> Result<Room, Fault> {
    let link = client::connect(service.address).await.map_err(Fault::other)?;
    let mut wire = Wire::new(link, TERRITORY, args.seed);
    let screens = Screens::open(&mut wire, &supply::visiting(&played.ground)).await?;
    let closed = played.noon.status == Status::Pdsa;
    let furniture = Furniture {
        clock,
        engine: service.engine.clone(),
        wire,
        screens,
        staffing: staffing(closed, played.kind.files),
        visitors: Visitors::new(supply::speaking(&played.ground)),
    };
    let arrivals = arrivals(played.kind, played.midnight, (played.from, played.until), args.seed);
    let mut callers = callers(&played.ground, args.date, &arrivals, args.seed);
    if policy == Policy::ResponderDecides {
        responder_decides(&mut callers, args.seed);
    }
    let mut room = Room::new(furniture, callers, played.midnight, args.seed);
    let end = played.until + AFTERWARDS.min(played.until.since(played.from));
    supply::publish(&played.ground, &mut room.agenda, (played.from, played.until), args.seed);
    supply::shifts(&played.ground, &mut room.agenda, played.midnight, (played.from, end), closed);
    let bar = bar(args, played, end);
    let mut shown = 0;
    room.play(end, |now| {
        let minute = now.since(played.from).secs().unsigned_abs() / 60;
        if minute > shown {
            shown = minute;
            bar.set_position(minute);
            bar.set_message(local(played.ground.0.calendar.zone(), now).format("%H:%M").to_string());
        }
    })
    .await?;
    bar.finish_and_clear();
    Ok(room)
}

fn bar(args: &Args, played: &Played, end: Instant) -> ProgressBar {
    let bar = ProgressBar::new(end.since(played.from).secs().unsigned_abs() / 60);
    if args.json {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{msg} {bar:48} {percent:>3} % (encore {eta})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Every case as a supervisor may read it, and the figures of all.
async fn at_the_end(room: &mut Room) -> Result<Figures, Fault> {
    let ids: Vec<_> = room.by_case.keys().cloned().collect();
    let mut cases = Vec::with_capacity(ids.len());
    for case_id in ids {
        let request = pb::GetCaseRequest { case_id, at_least_seq: room.wire.seq };
        let reply = call!(room.wire, "GetCase", "cadre-01", Role::Supervisor, intake.get_case(request))?;
        cases.extend(reply.and_then(|reply| reply.case));
    }
    let mut figures = figures(&room.tally, &cases, &room.wire.rpcs);
    figures.refused = room.wire.refused.clone();
    let durability = room.wire.durability.unwrap_or_default();
    figures.durability = code(durability.as_str_name(), "DURABILITY_");
    Ok(figures)
}

async fn status(room: &mut Room) -> Result<pb::GetStatusResponse, Fault> {
    let asked = pb::GetStatusRequest::default();
    let reply = call!(room.wire, "GetStatus", "cadre-01", Role::Supervisor, supervision.get_status(asked))?;
    reply.ok_or_else(|| Fault::other("the service did not say under which rules it works"))
}

fn said(args: &Args, played: &Played, rules: String) -> Day {
    let wall = |at| local(played.ground.0.calendar.zone(), at).format("%d/%m %H:%M").to_string();
    Day {
        territory: TERRITORY.to_owned(),
        name: played.ground.0.name.clone(),
        date: args.date.to_string(),
        holiday: played.noon.holiday.clone(),
        period: played.noon.period.code(),
        period_label: played.noon.period.label(),
        from: wall(played.from),
        until: wall(played.until),
        seed: args.seed,
        reference_files: played.kind.files,
        reference: played.kind.source,
        rules,
    }
}

//! Throughput, waiting time and processor time beside the limit, at 1, 16 and 64 callers, for each level of durability;
//! the embedded store beside Redis.

use std::{collections::BTreeMap, time::Duration};

use sas_dispatch::clock::Stopwatch;

use crate::{
    Outcome,
    machine::{Level, Redis, Server},
    path::{Kind, Step},
    recording::Recording,
    rounds::{Arm, Cost, Round},
    table::{Limit, Table},
};

/// Callers at one time, and the cases of each of them in one round.
const CALLERS: [(usize, usize); 3] = [(1, 40), (16, 12), (64, 6)];
const MOST: usize = 64;

/// Which server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Ours(Level),
    Bare(Level),
    Embedded,
}

const ARMS: [Who; 7] = [
    Who::Ours(Level::Everysec),
    Who::Bare(Level::Everysec),
    Who::Embedded,
    Who::Ours(Level::Always),
    Who::Bare(Level::Always),
    Who::Ours(Level::Replica),
    Who::Bare(Level::Replica),
];

/// Each server with the Redis it writes to, which ends after it.
struct Ground {
    arms: BTreeMap<Who, Arm>,
    _redis: Vec<Redis>,
    _recording: tempfile::TempDir,
}

type Rounds = BTreeMap<(usize, Who), Vec<Round>>;

/// Measures for about `time` and writes the rows.
pub(crate) async fn measure(recording: &Recording, time: Duration, table: &mut Table) -> Outcome<()> {
    let ground = ground(recording).await?;
    let (watch, mut rounds) = (Stopwatch::start(), Rounds::new());
    // The first round of each warms up and does not count.
    for number in 0.. {
        for (callers, cases) in CALLERS {
            for turn in 0..ARMS.len() {
                // Nobody always comes after the same neighbour.
                let who = ARMS[(turn + number) % ARMS.len()];
                let Some(arm) = ground.arms.get(&who).filter(|_| who != Who::Embedded || callers == MOST) else {
                    continue;
                };
                let round = arm.round(callers, cases).await.map_err(|error| format!("{who:?}: {error}"))?;
                if number > 0 {
                    rounds.entry((callers, who)).or_default().push(round);
                }
            }
        }
        if watch.elapsed() > time && number >= 3 {
            break;
        }
    }
    rows(&rounds, ground.arms.contains_key(&Who::Ours(Level::Replica)), table);
    Ok(())
}

async fn ground(recording: &Recording) -> Outcome<Ground> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("recording.json");
    std::fs::write(&file, serde_json::to_vec(recording)?)?;
    let (mut arms, mut servers) = (BTreeMap::new(), Vec::new());
    for who in ARMS {
        let (kind, server) = match who {
            Who::Embedded => (Kind::Service, Server::service(None)?),
            Who::Ours(level) | Who::Bare(level) => {
                let redis = Redis::start(Some(level))?;
                let server = match who {
                    Who::Bare(_) => (Kind::Bare, Server::bare(&redis, &file)?),
                    _ => (Kind::Service, Server::service(Some(&redis))?),
                };
                servers.push(redis);
                server
            }
        };
        arms.insert(who, Arm::at(server, kind, MOST).await?);
    }
    let replicated = servers.iter().find(|redis| redis.level == Some(Level::Replica));
    arms[&Who::Ours(Level::Replica)].round(1, 1).await?;
    if replicated.ok_or("no replicated server")?.info("commandstats", "cmdstat_wait", Some("calls"))? == 0.0 {
        eprintln!("the service does not wait for replicas: no rows of that level");
        arms.retain(|who, _| !matches!(who, Who::Ours(Level::Replica) | Who::Bare(Level::Replica)));
    }
    Ok(Ground { arms, _redis: servers, _recording: dir })
}

fn of(rounds: &Rounds, callers: usize, who: Who, what: impl Fn(&Round) -> f64) -> Vec<f64> {
    rounds.get(&(callers, who)).into_iter().flatten().map(what).collect()
}

/// Pairs the service with the limit in every cell.
fn rows(rounds: &Rounds, replicated: bool, table: &mut Table) {
    let levels = [Level::Everysec, Level::Always, Level::Replica];
    for level in levels.into_iter().filter(|level| replicated || *level != Level::Replica) {
        for (callers, _) in CALLERS {
            cell(rounds, level, callers, table);
        }
    }
    let rate = |who| of(rounds, MOST, who, |round| round.path.rate);
    let (always, everysec) = (rate(Who::Ours(Level::Always)), rate(Who::Ours(Level::Everysec)));
    table.ratio("throughput at 64, always / everysec", &always, &everysec, Some(Limit::AtLeast(0.7)));
    let bare = (rate(Who::Bare(Level::Always)), rate(Who::Bare(Level::Everysec)));
    table.ratio("  the same of the bare server", &bare.0, &bare.1, None);
    let embedded = rate(Who::Embedded);
    table.ratio("throughput at 64, embedded / Redis always", &embedded, &always, Some(Limit::AtLeast(0.85)));
}

fn cell(rounds: &Rounds, level: Level, callers: usize, table: &mut Table) {
    let place = format!("{} at {callers}", level.name());
    let pair = |what: &dyn Fn(&Round) -> f64| {
        (of(rounds, callers, Who::Ours(level), what), of(rounds, callers, Who::Bare(level), what))
    };
    let mut row = |name: String, what: &dyn Fn(&Round) -> f64, limit: Option<Limit>| {
        let (ours, bare) = pair(what);
        table.ratio(&name, &ours, &bare, limit);
    };
    let at_least = (callers > 1).then_some(Limit::AtLeast(0.85));
    row(format!("throughput, {place}: path / limit"), &|round| round.path.rate, at_least);
    for step in Step::ALL {
        row(format!("  {}", step.rpc()), &|round| cost(round, step).rate, None);
    }
    if callers == 1 {
        row(format!("p50, {place}: path / limit"), &|round| round.path.p50_us, Some(Limit::AtMost(1.2)));
        for step in Step::ALL {
            row(format!("  {}", step.rpc()), &|round| cost(round, step).p50_us, None);
        }
    }
    let most = Some(Limit::AtMost(1.3));
    row(format!("server CPU per request, {place}: path / limit"), &|round| round.path.cpu_us, most);
    for step in Step::ALL {
        row(format!("  {}", step.rpc()), &|round| cost(round, step).cpu_us, None);
    }
}

fn cost(round: &Round, step: Step) -> Cost {
    round.steps.get(&step).copied().unwrap_or_default()
}

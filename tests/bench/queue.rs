//! What a long queue costs whoever takes its head or looks at its first page, beside a short one.

use std::time::Duration;

use sas_dispatch::{
    clock::Stopwatch,
    domain::actor::Role,
    grpc::{
        client::{Clients, connect},
        pb::{self, Stream},
    },
};

use crate::{
    Outcome,
    growth::{fill, waiting},
    machine::{Level, Redis, Server},
    path::{TERRITORY, command_id},
    recording::Recording,
    table::{Limit, Table, median},
};

/// Cases that wait.
const SHORT: usize = 100;
const LONG: usize = 100_000;
/// Heads taken, and pages read, in a round.
const TURNS: usize = 20;

/// A service whose queue holds some number of cases, and a regulator before it.
struct Room {
    regulator: Clients,
    _server: Server,
    _redis: Redis,
}

/// Medians of one round, µs.
struct Round {
    head: f64,
    page: f64,
}

/// Fills two stores, and claims and lists at both in turn.
pub(crate) async fn measure(recording: &Recording, time: Duration, table: &mut Table) -> Outcome<()> {
    let (mut short, mut long) = (Room::of(recording, SHORT).await?, Room::of(recording, LONG).await?);
    let (mut at_short, mut at_long) = (Vec::new(), Vec::new());
    let watch = Stopwatch::start();
    for number in 0.. {
        let (first, second) = (short.round().await?, long.round().await?);
        if number > 0 {
            at_short.push(first);
            at_long.push(second);
        }
        if watch.elapsed() > time && number >= 5 {
            break;
        }
    }
    let of = |rounds: &[Round], what: fn(&Round) -> f64| rounds.iter().map(what).collect::<Vec<_>>();
    let mut row = |what: &str, pick: fn(&Round) -> f64, most: f64| {
        let name = format!("{what}: queue of {LONG} / of {SHORT}");
        table.ratio(&name, &of(&at_long, pick), &of(&at_short, pick), Some(Limit::AtMost(most)));
    };
    row("p50 of ClaimNext", |round| round.head, 1.3);
    row("p50 of the first page of ListQueue", |round| round.page, 1.2);
    Ok(())
}

impl Room {
    async fn of(recording: &Recording, cases: usize) -> Outcome<Self> {
        let redis = Redis::start_for(Level::Always, |redis| fill(redis, &waiting(recording), cases))?;
        let server = Server::service(Some(&redis))?;
        let regulator = connect(server.address).await?.acting("regulator-1", Role::Regulator, TERRITORY)?;
        Ok(Self { regulator, _server: server, _redis: redis })
    }

    async fn round(&mut self) -> Outcome<Round> {
        let (mut heads, mut pages, mut held) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..TURNS {
            let watch = Stopwatch::start();
            held.push(self.claim_next().await?);
            heads.push(micros(&watch));
            let watch = Stopwatch::start();
            let request = pb::ListQueueRequest { stream: Stream::Snp.into(), ..Default::default() };
            let page = self.regulator.regulation.list_queue(request).await?.into_inner();
            pages.push(micros(&watch));
            if page.cases.is_empty() {
                return Err("a queue that was filled is empty".into());
            }
        }
        for (case_id, claim_no) in held {
            let command_id = command_id();
            let request = pb::ReleaseClaimRequest { command_id, case_id, claim_no, ..Default::default() };
            self.regulator.regulation.release_claim(request).await?;
        }
        Ok(Round { head: median(&heads), page: median(&pages) })
    }

    async fn claim_next(&mut self) -> Outcome<(String, u64)> {
        let request =
            pb::ClaimNextRequest { command_id: command_id(), stream: Stream::Snp.into(), ..Default::default() };
        let answer = self.regulator.regulation.claim_next(request).await?.into_inner();
        let case = answer.case.ok_or("nothing waits in a queue that was filled")?;
        Ok((case.case_id, answer.claim_no))
    }
}

fn micros(watch: &Stopwatch) -> f64 {
    watch.elapsed().as_secs_f64() * 1e6
}

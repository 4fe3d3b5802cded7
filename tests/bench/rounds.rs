//! Short rounds in turn: some cases through their whole path at one server, with what it cost.

use std::collections::BTreeMap;

use sas_dispatch::{clock::Stopwatch, grpc::client::connect};
use tokio::task::JoinSet;

use crate::{
    Outcome,
    machine::Server,
    path::{Desk, Flow, Kind, Step},
};

/// Callers that share one connection to the server, as consoles behind one proxy do.
pub(crate) const PER_CONNECTION: usize = 8;

/// A server and the callers' places at it.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) server: Server,
    desks: Vec<Desk>,
}

/// What one rpc, or the path, cost in a round.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// Calls a second, all callers together.
    pub(crate) rate: f64,
    /// The median time of a call, µs; of the path: the sum of its rpcs' medians.
    pub(crate) p50_us: f64,
    /// Processor time of the server for a call, µs.
    pub(crate) cpu_us: f64,
}

/// One round: each rpc, and the path as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Round {
    pub(crate) steps: BTreeMap<Step, Cost>,
    pub(crate) path: Cost,
}

impl Arm {
    pub(crate) async fn at(server: Server, kind: Kind, callers: usize) -> Outcome<Self> {
        let mut desks = Vec::new();
        let mut link = connect(server.address).await?;
        for number in 0..callers {
            if number > 0 && number % PER_CONNECTION == 0 {
                link = connect(server.address).await?;
            }
            desks.push(Desk::new(kind, &link, number)?);
        }
        Ok(Self { server, desks })
    }

    /// Takes `cases` cases for each of the first `callers` callers through their path, rpc by rpc.
    pub(crate) async fn round(&self, callers: usize, cases: usize) -> Outcome<Round> {
        let mut flows = vec![vec![Flow::default(); cases]; callers];
        let mut round = Round::default();
        let (mut seconds, mut cpu) = (0.0, 0.0);
        for step in Step::ALL {
            let cost = self.phase(step, &mut flows).await?;
            seconds += 1.0 / cost.rate;
            cpu += cost.cpu_us;
            round.path.p50_us += cost.p50_us;
            round.steps.insert(step, cost);
        }
        round.path.rate = 1.0 / seconds;
        round.path.cpu_us = cpu;
        Ok(round)
    }

    /// One rpc for every case. A caller's own rate ends with its own last call: nobody is measured waiting for others.
    async fn phase(&self, step: Step, flows: &mut Vec<Vec<Flow>>) -> Outcome<Cost> {
        let before = self.server.cpu_ns()?;
        let mut callers = JoinSet::new();
        for (number, (mut flows, mut desk)) in flows.drain(..).zip(self.desks.clone()).enumerate() {
            callers.spawn(async move {
                let (mut times, whole) = (Vec::with_capacity(flows.len()), Stopwatch::start());
                for flow in &mut flows {
                    let one = Stopwatch::start();
                    desk.take(step, flow).await.map_err(|status| format!("{}: {status}", step.rpc()))?;
                    times.push(one.elapsed().as_secs_f64() * 1e6);
                }
                Ok::<_, String>(((number, flows), times, whole.elapsed().as_secs_f64()))
            });
        }
        let (mut times, mut ended, mut rate) = (Vec::new(), Vec::new(), 0.0);
        while let Some(caller) = callers.join_next().await {
            let (done, mine, seconds) = caller??;
            rate += mine.len() as f64 / seconds;
            times.extend(mine);
            ended.push(done);
        }
        // A case stays with the regulator who has claimed it.
        ended.sort_by_key(|(number, _)| *number);
        flows.extend(ended.into_iter().map(|(_, flows)| flows));
        let cpu_us = (self.server.cpu_ns()? - before) as f64 / 1e3 / times.len() as f64;
        Ok(Cost { rate, p50_us: crate::table::median(&times), cpu_us })
    }
}

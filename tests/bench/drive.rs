//! The load of one round at a server that was started by hand, as a profiler needs it.

use sas_dispatch::grpc::client::connect;
use tokio::task::JoinSet;

use crate::{
    Outcome,
    path::{Desk, Flow, Kind, Step},
    rounds::PER_CONNECTION,
};

/// `[kind, address, callers, cases]`: takes `cases` cases for each caller through their path, case by case.
pub(crate) async fn load(words: &[String]) -> Outcome<()> {
    let [kind, address, callers, cases] = words else { return Err("kind, address, callers, cases".into()) };
    let kind = if kind == "bare" { Kind::Bare } else { Kind::Service };
    let (callers, cases): (usize, usize) = (callers.parse()?, cases.parse()?);
    let mut link = connect(address.parse()?).await?;
    let mut running = JoinSet::new();
    for number in 0..callers {
        if number > 0 && number % PER_CONNECTION == 0 {
            link = connect(address.parse()?).await?;
        }
        let mut desk = Desk::new(kind, &link, number)?;
        running.spawn(async move {
            for _ in 0..cases {
                let mut flow = Flow::default();
                for step in Step::ALL {
                    desk.take(step, &mut flow).await.map_err(|status| format!("{}: {status}", step.rpc()))?;
                }
            }
            Ok::<_, String>(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(())
}

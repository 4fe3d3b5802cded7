//! Chaos on real processes: three instances of the service on real servers, people who use them, a nemesis that kills,
//! freezes, fills disks and cuts networks, and a checker that proves from the log that nothing acknowledged was lost.

mod args;
mod check;
mod faults;
mod ground;
mod history;
mod load;
mod pace;
mod plant;
mod process;
mod proxy;
mod report;
mod run;
mod service;
mod site;
mod stand;
mod stopped;

use std::process::ExitCode;

use args::Asked;
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

fn main() -> ExitCode {
    let asked = args::read(std::env::args().skip(1));
    if matches!(asked, Ok(Asked::Run(_) | Asked::SelfTest)) {
        ground::enter();
    }
    let runtime = Runtime::new().expect("a run time can be started");
    match asked {
        Err(wrong) => {
            eprintln!("{wrong}\n\n{}", args::USAGE);
            ExitCode::from(2)
        }
        Ok(Asked::Help) => {
            println!("{}", args::USAGE);
            ExitCode::SUCCESS
        }
        Ok(Asked::Nothing) => ExitCode::SUCCESS,
        Ok(Asked::SelfTest) => {
            check::selftest::all();
            run::selftest();
            proxy::selftest();
            ground::selftest();
            println!("chaos: who speaks on a bus, and which slots a node says it has ... ok");
            runtime.block_on(until_stopped(by_real_processes()))
        }
        Ok(Asked::Run(asked)) => runtime.block_on(until_stopped(run::chaos(asked))),
    }
}

/// The tests that need a site.
async fn by_real_processes() -> ExitCode {
    if let Err(error) = ground::pulls_a_cable().await {
        eprintln!("chaos: {error}");
        return ExitCode::from(1);
    }
    match stopped::leaves_nothing().await {
        code if code == ExitCode::SUCCESS => run::catches_lies().await,
        code => code,
    }
}

/// Ctrl-C and SIGTERM end the run, and with it every process it started.
async fn until_stopped(run: impl Future<Output = ExitCode>) -> ExitCode {
    let mut asked = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
        .map(|kind| signal(kind).expect("signals can be listened for"));
    let [interrupt, terminate, hangup] = &mut asked;
    tokio::select! {
        code = run => code,
        _ = interrupt.recv() => ExitCode::from(130),
        _ = terminate.recv() => ExitCode::from(143),
        _ = hangup.recv() => ExitCode::from(129),
    }
}

//! `cargo bench --bench limits`: what the service costs beside the least that its store calls cost.
//!
//! The limit is a bare tonic server in a process of its own that answers each rpc with the same commit-script call as
//! the service made for it (recorded from the service's own traffic), over as many connections, at the same durability.
//! Both are loaded in turn, in short rounds; only ratios of medians are printed, with the spread of the rounds.
//!
//! `-- --json` prints one JSON document; `--check` exits 1 when a stated limit is missed; `--full` adds a million open
//! cases; `--seconds N` bounds the rounds. `--drive` and `--record` are for a profiler.

mod bare;
mod drive;
mod growth;
mod machine;
mod memory;
mod path;
mod queue;
mod recording;
mod rounds;
mod table;
mod throughput;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;

use table::Table;

// The bare server runs on the service's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What stops the benchmark, in words.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Debug, Parser)]
#[command(name = "limits", about = "The service beside the least that its store calls cost; ratios only")]
struct Args {
    /// One JSON document instead of the table.
    #[arg(long)]
    json: bool,
    /// Exit with status 1 when a stated limit is missed.
    #[arg(long)]
    check: bool,
    /// How long the rounds may take in all; filling the stores comes on top.
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// Measure with a million open cases as well (about 4 GB of memory and some minutes).
    #[arg(long)]
    full: bool,
    /// The most open cases to measure with; overrides --full.
    #[arg(long)]
    cases: Option<usize>,
    /// Only these parts.
    #[arg(long, value_delimiter = ',', default_values_t = ["throughput", "growth", "memory", "queue"].map(str::to_owned))]
    parts: Vec<String>,
    /// Cargo passes it to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    /// Only make the load of one round at a server that runs elsewhere, under a profiler: `service` or `bare`, address,
    /// callers, cases of each.
    #[arg(long, value_names = ["KIND", "ADDRESS", "CALLERS", "CASES"], num_args = 4)]
    drive: Option<Vec<String>>,
    /// Only write what the bare server needs to this file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Be the limit: the bare server, on this Redis.
    #[arg(long, hide = true, value_names = ["REDIS", "RECORDING"], num_args = 2)]
    bare: Option<Vec<String>>,
    /// As many connections as the service has (for --bare).
    #[arg(long, hide = true, default_value_t = machine::CONNECTIONS)]
    connections: usize,
    /// Replicas to wait for after each call (for --bare).
    #[arg(long, hide = true, default_value_t = 0)]
    replicas: u32,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.bare {
        Some(place) => {
            bare::serve(&place[0], &PathBuf::from(&place[1]), args.connections, args.replicas).map(|()| true)
        }
        None => measure(&args),
    };
    match done {
        Ok(kept) => ExitCode::from(u8::from(args.check && !kept)),
        Err(error) => {
            eprintln!("limits: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs every part and prints; true when no stated limit is missed.
fn measure(args: &Args) -> Outcome<bool> {
    // One thread makes the load, so that the two servers under comparison have the rest of the machine.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(drive) = &args.drive {
        return runtime.block_on(drive::load(drive)).map(|()| true);
    }
    if let Some(file) = &args.record {
        let recording = runtime.block_on(recording::of_the_service(&mut Table::of_this_machine()?))?;
        return Ok(std::fs::write(file, serde_json::to_vec(&recording)?).map(|()| true)?);
    }
    let table = runtime.block_on(run(args))?;
    println!("{}", if args.json { table.json()? } else { table.text() });
    Ok(table.kept())
}

async fn run(args: &Args) -> Outcome<Table> {
    let mut table = Table::of_this_machine()?;
    let asked = |part: &str| args.parts.iter().any(|name| name == part);
    let recording = recording::of_the_service(&mut table).await?;
    let share = |percent: u64| Duration::from_millis(args.seconds * 10 * percent);
    if asked("throughput") {
        throughput::measure(&recording, share(60), &mut table).await?;
    }
    let most = args.cases.unwrap_or(if args.full { 1_000_000 } else { 10_000 });
    if asked("memory") {
        memory::measure(&recording, most, &mut table)?;
    }
    if asked("growth") {
        growth::measure(&recording, most, share(30), &mut table).await?;
    }
    if asked("queue") {
        queue::measure(&recording, share(10), &mut table).await?;
    }
    Ok(table)
}

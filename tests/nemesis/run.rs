//! One run: start, play and torment, heal, let it settle, look at everything, judge.

use std::{collections::BTreeMap, io, path::Path, process::ExitCode, sync::Arc};

use tokio::{sync::Mutex, task::JoinHandle};

use crate::{
    args::Run,
    check::{Judgement, Stored, judge},
    faults::torment,
    ground::{Node, Topology, cable, can_cut_power},
    history::{History, Watched},
    load::{Board, Caller, Watcher, list, play, queues, watch},
    pace::{Dice, Pace, pass, unix_ms},
    plant::{Plant, plant},
    report::Report,
    stand::Stand,
};

/// Why power is not cut.
const NO_POWER: &str = "a disk of its own for each server needs root and a loop device";
/// Actors of each territory.
const ACTORS: usize = 8;
/// Watchers of each territory.
const WATCHERS: usize = 2;
/// How long the site may take to be whole again after the last fault, and a watcher to catch up: far more than either needs,
/// so that a machine that is busy with something else is not taken for a site that stays broken.
const SETTLE_MS: u64 = 120_000;
const CATCH_UP_STEPS: usize = 300;
/// How long it goes on untroubled, so that upkeep has carried every hand-over as far as it goes without people.
const CARRY_MS: u64 = 4_000;
/// How often the stored state is read before it is said that it cannot be.
const READS: usize = 20;

/// Runs and prints; the exit status says whether anything was violated.
pub async fn chaos(run: Run) -> ExitCode {
    match attempt(&run).await {
        Ok(report) => {
            println!("{}", if run.json { report.json() } else { report.table() });
            report.notes().iter().for_each(|note| eprintln!("chaos: {note}"));
            if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => {
            eprintln!("chaos: {error}");
            ExitCode::from(2)
        }
    }
}

/// Plays on a store that loses one acknowledged write, and on one that applies one twice: both must be caught, by name.
pub async fn catches_lies() -> ExitCode {
    let lies = [
        (Plant::Drop, (1, 0), "LOST"),
        (Plant::Unflushed, (1, 0), "LOST"),
        (Plant::Twice, (0, 1), "took effect twice"),
    ];
    for (lie, expected, word) in lies {
        if lie == Plant::Unflushed && !can_cut_power() {
            println!("chaos: a store that lies ({lie:?}) is caught ... left out: {NO_POWER}");
            continue;
        }
        let (history, faults, plant) = (None, Vec::new(), Some(lie));
        let run = Run { topology: Topology::Single, seconds: 5, seed: 11, json: true, history, faults, plant };
        let report = match attempt(&run).await {
            Ok(report) => report,
            Err(error) => {
                eprintln!("chaos: {error}");
                return ExitCode::from(2);
            }
        };
        let named = report.violations().iter().any(|text| text.contains(word));
        if report.passed() || report.counted() != expected || !named {
            eprintln!("the lie {lie:?} was not caught: {}", report.json());
            return ExitCode::from(1);
        }
        println!("chaos: a store that lies ({lie:?}) is caught ... ok");
    }
    ExitCode::SUCCESS
}

async fn attempt(run: &Run) -> io::Result<Report> {
    let mut stand = Stand::start(run.topology).await?;
    let (pace, end) = Pace::start();
    let (actors, watchers) = (actors(&stand, &pace, run.seed), watchers(&stand, &pace));
    let faults = torment(&mut stand, &pace, run).await?;
    end.send_replace(true);
    stand.heal()?;
    for actor in actors {
        actor.await.map_err(io::Error::other)?;
    }
    let mut problems: Vec<String> = Vec::new();
    if !stand.settle(SETTLE_MS).await? {
        problems.push(format!("the servers are not whole {} s after the last fault", SETTLE_MS / 1_000));
    }
    let late = stand.unanswered(SETTLE_MS).await?;
    if let Some(lie) = run.plant {
        let caller = caller(&stand, &pace, run.seed, "fr-67", 99);
        plant(&mut stand, lie, caller).await?;
    }
    pass(CARRY_MS).await;
    // One that ends for want of an answer just before the stop would be found half-way.
    stand.handed_over(SETTLE_MS).await;
    let watched = settle(&stand, watchers).await;
    let mut queued = Vec::new();
    for ground in &stand.site.grounds {
        for instance in 0..stand.doors.count() {
            queued.extend(queues(&stand.doors, &ground.territory, instance).await);
        }
    }
    let stopped_ms = unix_ms();
    stand.stop_instances().await;
    let history = stand.recorder.history(watched, queued);
    let mut judged = match stored(&stand, &history).await {
        Ok(stored) => judge(&history, &Stored { stopped_ms, ..stored }, run.topology.level(), run.load_us()),
        Err(problem) => Judgement { violations: vec![problem], ..Judgement::default() },
    };
    problems.extend(
        late.into_iter().map(|instance| {
            format!("instance {instance} does not answer {} s after the last fault", SETTLE_MS / 1_000)
        }),
    );
    problems.extend(shows_nothing(judged.acknowledged, &faults, run.plant).map(str::to_owned));
    judged.violations.extend(problems);
    if !stand.servers.nodes.iter().all(Node::has_power) {
        judged.notes.push(format!("power_cut is left out: {NO_POWER}"));
    }
    if !cable::are_laid() {
        judged.notes.push(format!("partitions are made by proxies: {}", cable::NEEDED));
    }
    let failed = !judged.violations.is_empty() && run.plant.is_none();
    let stem = format!("sas-chaos-{}-{}-{}.jsonl", run.topology.name(), run.seed, std::process::id());
    let unasked = failed.then(|| std::env::temp_dir().join(stem));
    if let Some(path) = run.history.clone().or(unasked) {
        keep(&stand, &path, &history)?;
    }
    Ok(Report::of(run, faults, judged))
}

/// A run without work, or without a fault where no lie is planted, passes every check and shows nothing.
fn shows_nothing(acknowledged: usize, faults: &BTreeMap<String, u64>, lie: Option<Plant>) -> Option<&'static str> {
    if acknowledged == 0 {
        return Some("nothing was acknowledged: the run shows nothing");
    }
    let none = "no fault was made, as the servers were never whole or the run is too short: the run shows nothing";
    (faults.is_empty() && lie.is_none()).then_some(none)
}

/// Run by the harness's own `main`, which tests itself.
pub fn selftest() {
    let (none, one) = (BTreeMap::new(), BTreeMap::from([("cut_off".to_owned(), 1)]));
    assert!(shows_nothing(0, &one, None).is_some_and(|why| why.contains("acknowledged")));
    assert!(shows_nothing(1, &none, None).is_some_and(|why| why.contains("fault")));
    assert_eq!((shows_nothing(1, &one, None), shows_nothing(1, &none, Some(Plant::Drop))), (None, None));
    println!("chaos: a run without work or without a fault does not pass ... ok");
}

/// What is stored, read again while a busy machine does not answer in time.
async fn stored(stand: &Stand, history: &History) -> Result<Stored, String> {
    for _ in 0..READS {
        if let Ok(stored) = stand.stored(history).await {
            return Ok(stored);
        }
        pass(1_000).await;
    }
    stand.stored(history).await
}

fn caller(stand: &Stand, pace: &Pace, seed: u64, territory: &str, process: usize) -> Caller {
    Caller {
        process,
        territory: territory.to_owned(),
        doors: stand.doors.clone(),
        recorder: stand.recorder.clone(),
        pace: pace.clone(),
        dice: Dice::new(seed, &format!("{territory}/{process}")),
        at: process % stand.doors.count(),
        vital: false,
    }
}

fn actors(stand: &Stand, pace: &Pace, seed: u64) -> Vec<JoinHandle<()>> {
    let mut actors = Vec::new();
    for ground in &stand.site.grounds {
        let board: Arc<Board> = Arc::default();
        for process in 1..=ACTORS {
            let caller = caller(stand, pace, seed, &ground.territory, process);
            actors.push(tokio::spawn(play(caller, ground.clone(), board.clone())));
        }
    }
    actors
}

/// Watchers with what they see, and their tasks.
type Watching = Vec<(Arc<Mutex<Watcher>>, JoinHandle<()>)>;

fn watchers(stand: &Stand, pace: &Pace) -> Watching {
    let mut watchers = Vec::new();
    for ground in &stand.site.grounds {
        for number in 0..WATCHERS {
            let watcher = Arc::new(Mutex::new(Watcher::new(number.to_string(), ground.territory.clone())));
            let (territory, doors) = (ground.territory.clone(), stand.doors.clone());
            let task = tokio::spawn(watch(watcher.clone(), territory, doors, pace.clone(), number));
            watchers.push((watcher, task));
        }
    }
    watchers
}

/// Waits until each watcher shows what a fresh list shows, or long enough to say that it does not.
async fn settle(stand: &Stand, watchers: Watching) -> Vec<Watched> {
    let mut watched = Vec::new();
    for (watcher, task) in watchers {
        for _ in 0..CATCH_UP_STEPS {
            let territory = watcher.lock().await.seen.territory.clone();
            let listed = list(&stand.doors, &territory, 0).await;
            let mut held = watcher.lock().await;
            held.seen.listed = listed.or(held.seen.listed.take());
            if held.seen.listed.as_ref() == Some(&held.seen.now) {
                break;
            }
            drop(held);
            pass(100).await;
        }
        task.abort();
        watched.push(watcher.lock().await.seen.clone());
    }
    watched
}

/// Keeps what was seen, and beside it what the processes said, for whoever looks for a cause.
fn keep(stand: &Stand, path: &Path, history: &History) -> io::Result<()> {
    history.write(path)?;
    let services = stand.instances.iter().map(|instance| &instance.process);
    let servers = stand.servers.nodes.iter().map(|node| &node.process);
    let sentinels = stand.servers.sentinels.iter().map(|sentinel| &sentinel.process);
    for process in services.chain(servers).chain(sentinels) {
        // A process that was never started has no log.
        let _ = std::fs::copy(process.log(), path.with_extension(format!("{}.log", process.name)));
    }
    eprintln!("chaos: the history is kept in {}", path.display());
    Ok(())
}

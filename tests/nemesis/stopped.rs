//! Whoever stops the harness half-way finds nothing of it afterwards: no process, no file.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use crate::pace::pass;

/// How long a site may take to start, and to be gone, in steps of 50 ms.
const STEPS: usize = 1_200;

/// What asks a run to stop, and the status it then ends with: Ctrl-C, as a terminal sends it to everything in the foreground,
/// and what a supervisor of processes sends.
const ASKED: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];

/// Starts the harness once more, asks it to stop in the middle of a run, and looks for what it left.
pub async fn leaves_nothing() -> ExitCode {
    for (signal, expected) in ASKED {
        if let Err(wrong) = attempt(signal, expected).await {
            eprintln!("chaos: SIG{signal}: {wrong}");
            return ExitCode::from(1);
        }
        println!("chaos: a run that is stopped by SIG{signal} leaves no process and no file ... ok");
    }
    ExitCode::SUCCESS
}

async fn attempt(signal: &str, expected: i32) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut harness = harness(folder.path()).map_err(|error| error.to_string())?;
    let begun = until(|| working(folder.path()).len() >= 4 && under_load(folder.path())).await;
    let foreground = format!("-{}", harness.id());
    let asked = Command::new("kill").args([&format!("-{signal}"), "--", &foreground]).status();
    let mut ended = None;
    let in_time = until(|| {
        ended = harness.try_wait().ok().flatten();
        ended.is_some()
    });
    let in_time = in_time.await;
    if !in_time {
        let _ = harness.kill();
        let _ = harness.wait();
    }
    // What Redis started to write a file is killed with it, and gone from the list of processes a moment later.
    let files = || fs::read_dir(folder.path()).map_or(0, Iterator::count);
    until(|| working(folder.path()).is_empty() && files() == 0).await;
    let (left, files) = (working(folder.path()), files());
    match (begun, asked, ended.and_then(|status| status.code())) {
        (false, ..) => Err("the run did not begin".to_owned()),
        (_, Err(error), _) => Err(error.to_string()),
        (_, Ok(_), Some(code)) if code == expected && left.is_empty() && files == 0 => Ok(()),
        (.., code) => Err(format!("stopped with status {code:?}, it left processes {left:?} and {files} files")),
    }
}

fn harness(folder: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--topology", "single", "--seconds", "600"]).env("TMPDIR", folder).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

async fn until(mut holds: impl FnMut() -> bool) -> bool {
    for _ in 0..STEPS {
        if holds() {
            return true;
        }
        pass(50).await;
    }
    false
}

/// Every instance has said that it listens.
fn under_load(folder: &Path) -> bool {
    let Some(Ok(site)) = fs::read_dir(folder).ok().and_then(|mut sites| sites.next()) else { return false };
    let says = |n: usize| fs::read_to_string(site.path().join(format!("service-{n}.log")));
    (0..3).all(|n| says(n).is_ok_and(|said| !said.is_empty()))
}

/// The processes that work within a folder, even after it has been removed.
fn working(folder: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let within =
        processes.filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|at| at.starts_with(folder)));
    within.filter_map(|process| process.file_name().into_string().ok()).collect()
}

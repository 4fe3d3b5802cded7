//! Whoever stops the harness half-way finds nothing of it afterwards: no process, no link, no file.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use crate::{
    ground::{OWN_MOUNTS, cable},
    pace::pass,
};

/// How long a site may take to start, and to be gone, in steps of 50 ms.
const STEPS: usize = 1_200;

/// What asks a run to stop, and the status it then ends with: Ctrl-C, as a terminal sends it to everything in the foreground,
/// and what a supervisor of processes sends. Who kills it asks nothing, and only what is on disk is left.
const ASKED: [(&str, Option<i32>); 3] = [("INT", Some(130)), ("TERM", Some(143)), ("KILL", None)];

/// Starts the harness once more, asks it to stop in the middle of a run, and looks for what it left.
pub async fn leaves_nothing() -> ExitCode {
    for (signal, expected) in ASKED {
        if let Err(wrong) = attempt(signal, expected).await {
            eprintln!("chaos: SIG{signal}: {wrong}");
            return ExitCode::from(1);
        }
        let no_file = if expected.is_some() { ", no file" } else { "" };
        println!("chaos: a run that is stopped by SIG{signal} leaves no process, no link{no_file} ... ok");
    }
    ExitCode::SUCCESS
}

async fn attempt(signal: &str, expected: Option<i32>) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let links = cable::links();
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
    let clean = || {
        let no_file = expected.is_none() || files() == 0;
        working(folder.path()).is_empty() && cable::links() == links && no_file
    };
    let clean = until(clean).await;
    let (left, files, linked) = (working(folder.path()), files(), cable::links());
    match (begun, asked, ended.map(|status| status.code())) {
        (false, ..) => Err("the run did not begin".to_owned()),
        (_, Err(error), _) => Err(error.to_string()),
        (_, Ok(_), Some(code)) if code == expected && clean => Ok(()),
        (.., code) => {
            Err(format!("stopped with status {code:?}, it left processes {left:?}, links {linked:?} and {files} files"))
        }
    }
}

/// The harness in name spaces for mounts of its own, as whoever starts it has them, and in our network, where we see its links.
fn harness(folder: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--topology", "single", "--seconds", "600"]).env("TMPDIR", folder).process_group(0);
    command.env_remove(OWN_MOUNTS);
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

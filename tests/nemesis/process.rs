//! A real process of the site, in a group of its own, that never outlives the harness: it is killed when dropped, and by
//! the kernel (`setpriv --pdeathsig`) should the harness itself be killed.

use std::{
    fs::{File, OpenOptions},
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Writes beyond a quota fail instead of killing the process, as on a full disk.
const NO_QUOTA_SIGNAL: &str = "trap '' XFSZ; exec \"$@\"";

/// One process that can be started again.
#[derive(Debug)]
pub struct Process {
    pub name: String,
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Not started yet; its output goes to `<name>.log` in `folder`.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>, arguments: Vec<String>, folder: &Path) -> Self {
        let name = name.into();
        let log = folder.join(format!("{name}.log"));
        Self { name, program: program.into(), arguments, folder: folder.to_owned(), log, child: None }
    }

    /// The same, with its output in another folder.
    pub fn logging_in(mut self, folder: &Path) -> Self {
        self.log = folder.join(format!("{}.log", self.name));
        self
    }

    /// Where it works.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Starts it, unless it runs.
    pub fn start(&mut self) -> io::Result<()> {
        if self.alive() {
            return Ok(());
        }
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = guarded();
        command.args(["sh", "-c", NO_QUOTA_SIGNAL, "sh"]).arg(&self.program).args(&self.arguments);
        command.current_dir(&self.folder).process_group(0);
        command.stdin(Stdio::null()).stdout(File::try_clone(&log)?).stderr(log);
        self.child = Some(command.spawn()?);
        Ok(())
    }

    pub fn alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// As `kill -9` does, also when it is stopped; and what it started (Redis writes snapshots in a process of their own).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal by name (`STOP`, `CONT`, `TERM`).
    pub fn signal(&self, name: &str) {
        if let Some(pid) = self.pid() {
            let _ = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
        }
    }

    /// No file of the process may grow beyond so many bytes: the next writes fail, as on a full disk.
    pub fn quota(&self, bytes: Option<u64>) -> bool {
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let limit = format!("--fsize={limit}:");
        let set = |pid: u32| Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status();
        self.pid().is_some_and(|pid| set(pid).is_ok_and(|status| status.success()))
    }

    /// The end of its log, for a report of why it did not start.
    pub fn last_words(&self) -> String {
        let said = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = said.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What every process is started through; without util-linux only the drop kills it.
fn guarded() -> Command {
    if Path::new("/usr/bin/setpriv").exists() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]);
        return command;
    }
    Command::new("env")
}

/// Ports below those that a system gives to whoever calls out: no connection takes the port of a server that is down.
const PORTS: std::ops::Range<u64> = 10_000..32_000;

/// A loopback port that was free a moment ago. By chance and not the next one, so that two runs on one machine do not choose
/// the same.
pub fn free_port() -> u16 {
    let choose = || {
        let chance = RandomState::new().build_hasher().finish();
        let port = u16::try_from(PORTS.start + chance % (PORTS.end - PORTS.start)).ok()?;
        TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    };
    std::iter::repeat_with(choose).flatten().next().expect("loopback has free ports")
}

//! The processes of a measurement: Redis servers, the service as it is shipped, the bare server; and what each costs.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::Outcome;

/// Connections that the service shares among all callers.
pub(crate) const CONNECTIONS: usize = 3;
/// Where each call waits for a replica it has a connection to itself, as in the service.
const CONNECTIONS_OF_WAITING: usize = 64;

/// How safe a write is before it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// Flushed every second.
    Everysec,
    /// Flushed before each reply.
    Always,
    /// The same, here and on a replica that was waited for.
    Replica,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Everysec => "everysec",
            Self::Always => "always",
            Self::Replica => "always + WAIT 1",
        }
    }

    fn appendfsync(self) -> &'static str {
        match self {
            Self::Everysec => "everysec",
            Self::Always | Self::Replica => "always",
        }
    }

    /// Replicas that every commit waits for.
    pub(crate) fn replicas(self) -> u32 {
        u32::from(self == Self::Replica)
    }

    /// What a site promises that keeps its state so.
    fn promise(self) -> &'static str {
        match self {
            Self::Everysec => "D0.5",
            Self::Always => "D1",
            Self::Replica => "D2",
        }
    }
}

/// A child process that ends with this value.
#[derive(Debug)]
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Running {
    /// Starts a process and reads its output up to the line that `is_ready` takes something from.
    fn until<T>(command: &mut Command, is_ready: impl Fn(&str) -> Option<T>) -> Outcome<(Self, T)> {
        let name = format!("{:?}", command.get_program());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("a process without output")?;
        let running = Self(child);
        let mut lines = BufReader::new(output).lines();
        let mut said = Vec::new();
        while let Some(Ok(line)) = lines.next() {
            if let Some(ready) = is_ready(&line) {
                // What it says later must not fill the pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok((running, ready));
            }
            said.push(line);
        }
        Err(format!("{name} did not start:\n{}", said.join("\n")).into())
    }
}

/// A Redis server of its own, on a Unix socket in a temporary directory, with a replica where the level needs one.
#[derive(Debug)]
pub(crate) struct Redis {
    /// Ends before the server it follows.
    _replica: Option<Box<Redis>>,
    _process: Running,
    dir: TempDir,
    port: u16,
    pub(crate) level: Option<Level>,
}

impl Redis {
    /// Starts a server with an append-only file; `None` starts one that writes nothing to disk yet.
    pub(crate) fn start(level: Option<Level>) -> Outcome<Self> {
        let mut redis = Self::of(level, None)?;
        if level == Some(Level::Replica) {
            redis._replica = Some(Box::new(Self::of(level, Some(redis.port))?));
            while redis.info("replication", "slave0", Some("lag"))? > 1.0 || !redis.is_followed()? {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        }
        Ok(redis)
    }

    /// Starts a server, lets `fill` fill it while nothing is written to disk, and has it keep `level` from then on.
    pub(crate) fn start_for(level: Level, fill: impl FnOnce(&Self) -> Outcome<()>) -> Outcome<Self> {
        let mut redis = Self::start(None)?;
        fill(&redis)?;
        let mut connection = redis.connection()?;
        redis::cmd("CONFIG").arg("SET").arg("appendfsync").arg(level.appendfsync()).exec(&mut connection)?;
        redis.begin_to_persist()?;
        redis.level = Some(level);
        Ok(redis)
    }

    fn of(level: Option<Level>, primary: Option<u16>) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        // A replica reaches its primary by a port; nothing else does.
        let port = match level {
            Some(Level::Replica) => TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
            _ => 0,
        };
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--unixsocket", "redis.sock", "--save", ""]);
        command.args(["--maxmemory-policy", "noeviction", "--appendonly", if level.is_some() { "yes" } else { "no" }]);
        // A rewrite of the file in the middle of a round would be measured with it.
        command.args(["--auto-aof-rewrite-percentage", "0", "--repl-diskless-sync-delay", "0"]);
        command.args(["--appendfsync", level.unwrap_or(Level::Everysec).appendfsync()]);
        if let Some(primary) = primary {
            command.args(["--replicaof", &format!("127.0.0.1 {primary}")]);
        }
        command.current_dir(dir.path()).stderr(Stdio::null());
        let ready = |line: &str| line.contains("eady to accept connections").then_some(());
        let (process, ()) = Running::until(&mut command, ready)?;
        Ok(Self { _replica: None, _process: process, dir, port, level })
    }

    /// Whether a replica has caught up.
    fn is_followed(&self) -> Outcome<bool> {
        let text: String = redis::cmd("INFO").arg("replication").query(&mut self.connection()?)?;
        Ok(text.contains("state=online"))
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("redis.sock")
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub(crate) fn connection(&self) -> Outcome<redis::Connection> {
        Ok(redis::Client::open(self.url())?.get_connection()?)
    }

    /// A number of `INFO`, from the line `name:…` and in it the part after `part=` when one is named.
    pub(crate) fn info(&self, section: &str, name: &str, part: Option<&str>) -> Outcome<f64> {
        let text: String = redis::cmd("INFO").arg(section).query(&mut self.connection()?)?;
        Ok(number(&text, name, part).unwrap_or_default())
    }

    /// Begins the append-only file, and returns when it is written.
    fn begin_to_persist(&self) -> Outcome<()> {
        let mut connection = self.connection()?;
        redis::cmd("CONFIG").arg("SET").arg("appendonly").arg("yes").exec(&mut connection)?;
        loop {
            let text: String = redis::cmd("INFO").arg("persistence").query(&mut connection)?;
            let busy = |name: &str| number(&text, name, None) != Some(0.0);
            if !busy("aof_rewrite_in_progress") && !busy("aof_rewrite_scheduled") {
                return Ok(());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

fn number(text: &str, name: &str, part: Option<&str>) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let field = match part {
        Some(part) => line.split(',').find_map(|field| field.strip_prefix(part)?.strip_prefix('='))?,
        None => line,
    };
    field.trim().parse().ok()
}

/// A server under load, and where it listens.
#[derive(Debug)]
pub(crate) struct Server {
    process: Running,
    pub(crate) address: SocketAddr,
    _dir: Option<TempDir>,
}

impl Server {
    /// The service as `sas-dispatch serve` runs it, on a Redis or, with `None`, on its embedded store.
    pub(crate) fn service(redis: Option<&Redis>) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let config = dir.path().join("config");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"), &config)?;
        promise(
            &config.join("default.toml"),
            redis.map_or(Level::Always, |redis| redis.level.unwrap_or(Level::Everysec)),
        )?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_sas-dispatch"));
        command.arg("--config").arg(&config).args(["serve", "--listen", "127.0.0.1:0"]);
        command.arg("--data").arg(dir.path().join("data")).env_remove("SAS_DISPATCH_REDIS");
        if let Some(redis) = redis {
            command.arg("--redis").arg(redis.url());
        }
        let (process, address) = Running::until(&mut command, |line| {
            line.strip_prefix("sas-dispatch écoute sur ")?.split(' ').next()?.parse().ok()
        })?;
        Ok(Self { process, address, _dir: Some(dir) })
    }

    /// The bare server: this program again, with what it is to answer.
    pub(crate) fn bare(redis: &Redis, recording: &Path) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--bare").arg(redis.url()).arg(recording);
        let replicas = redis.level.map_or(0, Level::replicas);
        let connections = if replicas > 0 { CONNECTIONS_OF_WAITING } else { CONNECTIONS };
        command.arg("--replicas").arg(replicas.to_string()).arg("--connections").arg(connections.to_string());
        let (process, address) = Running::until(&mut command, |line| line.strip_prefix("bare on ")?.parse().ok())?;
        Ok(Self { process, address, _dir: None })
    }

    /// Processor time of all its threads until now, nanoseconds.
    pub(crate) fn cpu_ns(&self) -> Outcome<u64> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.0.id()))?;
        let spent = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
        Ok(spent.filter_map(|line| line.split(' ').next()?.parse::<u64>().ok()).sum())
    }
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

/// Settings of a site that promises what the level keeps.
fn promise(settings: &Path, level: Level) -> Outcome<()> {
    let text = fs::read_to_string(settings)?;
    let line = |line: &str| match line.split(" = ").next() {
        Some("durability") => format!("durability = \"{}\"", level.promise()),
        Some("replicas") => format!("replicas = {}", level.replicas()),
        // One Redis may be served by several of them, each with a data folder of its own.
        Some("# lookup_key") => "lookup_key = \"the same for every instance\"".to_owned(),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = text.lines().map(line).collect();
    Ok(fs::write(settings, lines.join("\n") + "\n")?)
}

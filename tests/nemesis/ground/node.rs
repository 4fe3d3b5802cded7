//! One Redis server, and what an operator asks it.

use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    time::Duration,
};

use redis::{Cmd, RedisResult, Value};
use tokio::time::timeout;

use super::{
    cable::{self, Cable},
    volume::Volume,
};
use crate::{
    pace::pass,
    process::{Process, free_port},
};

/// Longest wait for an answer: a frozen server gives none.
const ANSWER: Duration = Duration::from_millis(1_500);
/// Longest wait for a server that is known to work.
const WORK: Duration = Duration::from_secs(30);

/// One server.
#[derive(Debug)]
pub struct Node {
    pub process: Process,
    /// Where it listens.
    pub at: SocketAddr,
    /// Killed on purpose: not to be started again yet.
    pub down: bool,
    /// The disk it writes to, where it can have one of its own.
    volume: Option<Volume>,
    /// The cable to it, where it can have one of its own.
    cable: Option<Cable>,
}

/// What a server says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It takes writes, and so many replicas follow it. Its place in its own history, and the place that all of them have
    /// reached.
    Master { replicas: usize, written: u64, followed: Option<u64> },
    /// It follows, or tries to.
    Replica { connected: bool },
    /// It does not answer.
    Silent,
}

impl Node {
    /// A server on a free port that flushes every write to disk before it answers; not started yet. Its settings stand in
    /// a file, so that what Sentinel changes survives a restart.
    pub async fn new(number: u8, name: &str, folder: &Path, more: &[String]) -> io::Result<Self> {
        let cable = Cable::lay(number, name, folder).await?;
        let (port, ip) = (free_port(), cable.as_ref().map_or_else(cable::here, |cable| cable.ip));
        let own = folder.join(name);
        let volume = Volume::new(&own);
        fs::create_dir_all(&own)?;
        let mut file = fs::File::create(own.join("node.conf"))?;
        writeln!(file, "port {port}\nbind {ip}\nprotected-mode no\nsave \"\"\nappendonly yes\nappendfsync always")?;
        writeln!(file, "maxmemory-policy noeviction\nloglevel notice")?;
        more.iter().try_for_each(|line| writeln!(file, "{line}"))?;
        let (program, mut arguments) = cable::server(cable.as_ref());
        arguments.push("node.conf".to_owned());
        let process = Process::new(name, program, arguments, &own).logging_in(folder);
        Ok(Self { process, at: SocketAddr::new(ip, port), down: false, volume, cable })
    }

    /// Pulls its cable; false where it has none.
    pub fn unplug(&mut self) -> io::Result<bool> {
        self.cable.as_mut().map_or(Ok(false), |cable| cable.pull().map(|()| true))
    }

    /// Its cable is in again.
    pub fn plug(&mut self) -> io::Result<()> {
        self.cable.as_mut().map_or(Ok(()), Cable::plug)
    }

    /// Whether its power can be cut.
    pub fn has_power(&self) -> bool {
        self.volume.is_some()
    }

    /// What was set up is on its disk.
    pub fn flush(&self) -> io::Result<()> {
        self.volume.as_ref().map_or(Ok(()), Volume::flush)
    }

    /// Cuts its power: it answers nothing more, the disk forgets what was not flushed, the process is gone.
    pub fn cut_power(&mut self) -> io::Result<()> {
        let Some(volume) = &self.volume else { return Ok(()) };
        self.down = true;
        // First, or it might answer after the cut: a flush that the cut meets half-way may be called a success.
        self.process.signal("STOP");
        volume.cut()?;
        self.process.kill();
        volume.restore()
    }

    /// Size of the part of the append-only file that is written now.
    pub fn written(&self) -> u64 {
        let folder = self.process.folder().join("appendonlydir");
        let sizes = fs::read_dir(folder).into_iter().flatten().flatten();
        sizes.filter_map(|entry| entry.metadata().ok()).map(|known| known.len()).max().unwrap_or(0)
    }

    /// One command, as an operator gives it beside the service.
    pub async fn ask(&self, words: &[&str]) -> RedisResult<Value> {
        ask(self.at, words).await
    }

    /// The same, for a command whose words are bytes.
    pub async fn command(&self, command: &Cmd) -> RedisResult<Value> {
        send(self.at, command, ANSWER).await
    }

    /// The same for what takes a busy machine long.
    pub async fn work(&self, command: &Cmd) -> RedisResult<Value> {
        send(self.at, command, WORK).await
    }

    /// Returns once it answers, with its data loaded.
    pub async fn ready(&self) -> io::Result<()> {
        for _ in 0..200 {
            if self.ask(&["PING"]).await.is_ok() {
                return Ok(());
            }
            pass(50).await;
        }
        Err(io::Error::other(format!("{} does not answer:\n{}", self.process.name, self.process.last_words())))
    }

    /// What it says it is.
    pub async fn standing(&self) -> Standing {
        let Ok(Value::Array(said)) = self.ask(&["ROLE"]).await else { return Standing::Silent };
        match (said.first().and_then(text).as_deref(), said.get(2), said.get(3).and_then(text)) {
            (Some("master"), Some(Value::Array(replicas)), _) => {
                let reached = replicas.iter().map(|replica| match replica {
                    Value::Array(fields) => fields.get(2).and_then(text).and_then(|at| at.parse().ok()).unwrap_or(0),
                    _ => 0,
                });
                let written = said.get(1).and_then(|at| redis::from_redis_value_ref(at).ok()).unwrap_or(0);
                Standing::Master { replicas: replicas.len(), written, followed: reached.min() }
            }
            (Some("slave"), _, Some(link)) => Standing::Replica { connected: link == "connected" },
            _ => Standing::Silent,
        }
    }
}

/// One command to whoever listens there.
pub async fn ask(at: SocketAddr, words: &[&str]) -> RedisResult<Value> {
    let mut command = redis::cmd(words[0]);
    words[1..].iter().for_each(|word| {
        command.arg(*word);
    });
    send(at, &command, ANSWER).await
}

async fn send(at: SocketAddr, command: &Cmd, longest: Duration) -> RedisResult<Value> {
    let client = redis::Client::open(format!("redis://{at}/"))?;
    let asked = async {
        let mut connection = client.get_multiplexed_async_connection().await?;
        command.query_async(&mut connection).await
    };
    let late = || redis::RedisError::from((redis::ErrorKind::Io, "no answer in time"));
    timeout(longest, asked).await.unwrap_or_else(|_| Err(late()))
}

/// A reply that is a text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        Value::VerbatimString { text, .. } => Some(text.clone()),
        _ => None,
    }
}

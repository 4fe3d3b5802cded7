//! What the state lies on: real servers on loopback, and a network before them that can fail.

mod single;

use std::{io, path::Path};

use crate::{
    process::{Process, free_port},
    proxy::{Proxy, Weather},
};

/// Which servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// One Redis.
    Single,
}

impl Topology {
    pub const ALL: [(&str, Self); 1] = [("single", Self::Single)];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

/// One Redis server.
#[derive(Debug)]
pub struct Node {
    pub process: Process,
    pub port: u16,
    /// Killed on purpose: not to be started again yet.
    pub down: bool,
}

/// The servers of a run.
#[derive(Debug)]
pub struct Servers {
    pub nodes: Vec<Node>,
    /// The way of each instance to its server.
    pub fronts: Vec<Proxy>,
    /// Where each instance finds its store.
    pub urls: Vec<String>,
    /// Where the checker finds it.
    pub url: String,
    /// Further lines of `[store]`.
    pub settings: Vec<(&'static str, String)>,
    /// The level every strict acknowledgement must name.
    pub level: &'static str,
}

impl Servers {
    /// Starts the servers for so many instances; returns once they answer.
    pub async fn start(topology: Topology, instances: usize, folder: &Path) -> io::Result<Self> {
        match topology {
            Topology::Single => single::start(instances, folder).await,
        }
    }

    /// The territories to play in.
    pub fn territories(&self) -> Vec<&'static str> {
        vec!["fr-67", "fr-89"]
    }

    /// Restarts what has ended by itself, as a supervisor of processes does.
    pub fn supervise(&mut self) -> io::Result<()> {
        for node in self.nodes.iter_mut().filter(|node| !node.down) {
            node.process.start()?;
        }
        Ok(())
    }

    /// Everything runs and is reachable again.
    pub fn heal(&mut self) -> io::Result<()> {
        for front in &self.fronts {
            front.set(Weather::Fair);
        }
        for node in &mut self.nodes {
            node.process.quota(None);
            node.process.signal("CONT");
            node.down = false;
        }
        self.supervise()
    }
}

impl Node {
    /// A server on a free port that flushes every write to disk before it answers; not started yet.
    pub fn new(name: &str, folder: &Path, more: &[String]) -> io::Result<Self> {
        let port = free_port();
        let own = folder.join(name);
        std::fs::create_dir_all(&own)?;
        let mut arguments: Vec<String> = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]
            .iter()
            .chain(&["--appendfsync", "always", "--maxmemory-policy", "noeviction", "--dir", "."])
            .map(ToString::to_string)
            .collect();
        arguments.extend(["--port".to_owned(), port.to_string()]);
        arguments.extend_from_slice(more);
        Ok(Self { process: Process::new(name, "redis-server", arguments, &own), port, down: false })
    }

    /// Size of the part of the append-only file that is written now.
    pub fn written(&self) -> u64 {
        let folder = self.process.log().with_file_name("appendonlydir");
        let sizes = std::fs::read_dir(folder).into_iter().flatten().flatten();
        sizes.filter_map(|entry| entry.metadata().ok()).map(|known| known.len()).max().unwrap_or(0)
    }

    /// One command, as an operator gives it beside the service.
    pub async fn ask(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(*word);
        });
        self.command(&command).await
    }

    /// The same, for a command whose words are bytes.
    pub async fn command(&self, command: &redis::Cmd) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/", self.port))?;
        let asked = async {
            let mut connection = client.get_multiplexed_async_connection().await?;
            command.query_async(&mut connection).await
        };
        let limit = std::time::Duration::from_secs(3);
        let late = || redis::RedisError::from((redis::ErrorKind::Io, "no answer within three seconds"));
        tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| Err(late()))
    }

    /// Returns once it answers, with its data loaded.
    pub async fn ready(&self) -> io::Result<()> {
        for _ in 0..200 {
            if self.ask(&["PING"]).await.is_ok() {
                return Ok(());
            }
            crate::pace::pass(50).await;
        }
        Err(io::Error::other(format!("{} does not answer:\n{}", self.process.name, self.process.last_words())))
    }
}

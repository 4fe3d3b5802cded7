//! Instances of the service: real processes of the binary that cargo built.

use std::{io, net::SocketAddr, path::Path, time::Duration};

use sas_dispatch::{
    domain::actor::Role,
    grpc::{
        client::{Link, connect},
        pb,
    },
};
use tokio::{sync::Mutex, time::timeout};

use crate::process::{Process, free_port};

/// The longest time to connect to an instance that listens.
const CONNECT: Duration = Duration::from_millis(1_000);

/// One instance.
#[derive(Debug)]
pub struct Instance {
    pub process: Process,
    /// Killed on purpose: not to be started again yet.
    pub down: bool,
}

/// Where the instances listen, and the connections to them that clients share.
#[derive(Debug)]
pub struct Doors {
    addresses: Vec<SocketAddr>,
    links: Vec<Mutex<Option<Link>>>,
}

impl Instance {
    /// Instance `number` on `redis`, not started yet.
    pub fn new(number: usize, port: u16, config: &Path, redis: &str, folder: &Path) -> Self {
        let words = |path: &Path| path.display().to_string();
        let arguments = vec![
            "--config".to_owned(),
            words(config),
            "serve".to_owned(),
            "--listen".to_owned(),
            format!("127.0.0.1:{port}"),
            "--data".to_owned(),
            words(&folder.join(format!("data-{number}"))),
            "--redis".to_owned(),
            redis.to_owned(),
        ];
        let binary = env!("CARGO_BIN_EXE_sas-dispatch");
        Self { process: Process::new(format!("service-{number}"), binary, arguments, folder), down: false }
    }

    /// What a supervisor of processes does: starts it again when it has ended by itself.
    pub fn supervise(&mut self) -> io::Result<()> {
        if self.down { Ok(()) } else { self.process.start() }
    }
}

impl Doors {
    pub fn new(count: usize) -> Self {
        let addresses: Vec<SocketAddr> = (0..count).map(|_| ([127, 0, 0, 1], free_port()).into()).collect();
        let links = addresses.iter().map(|_| Mutex::new(None)).collect();
        Self { addresses, links }
    }

    pub fn count(&self) -> usize {
        self.addresses.len()
    }

    pub fn port(&self, instance: usize) -> u16 {
        self.addresses[instance].port()
    }

    /// The shared connection to an instance; `None` when it does not listen.
    pub async fn link(&self, instance: usize) -> Option<Link> {
        let mut known = self.links[instance].lock().await;
        if known.is_none() {
            *known = timeout(CONNECT, connect(self.addresses[instance])).await.ok()?.ok();
        }
        known.clone()
    }

    /// A connection that failed is not used again.
    pub async fn forget(&self, instance: usize) {
        *self.links[instance].lock().await = None;
    }

    /// Whether the instance answers for a territory: it and its way to the store work.
    pub async fn answers(&self, instance: usize, territory: &str) -> bool {
        let Some(link) = self.link(instance).await else { return false };
        let Ok(mut clients) = link.acting("nemesis", Role::Supervisor, territory) else { return false };
        let asked = clients.supervision.get_status(pb::GetStatusRequest { at_least_seq: 0 });
        let answered = matches!(timeout(Duration::from_secs(3), asked).await, Ok(Ok(_)));
        if !answered {
            self.forget(instance).await;
        }
        answered
    }
}

//! What the state lies on: real servers on loopback, and a network before them that can fail.

pub mod cable;
mod cluster;
mod node;
mod reshard;
mod sentinel;
mod single;
mod spaces;
mod volume;

use std::{io, path::Path};

use crate::{
    pace::pass,
    proxy::{Member, Proxy, Weather},
};

pub use node::{Node, Standing, ask};
pub use sentinel::Sentinel;
pub use spaces::{OWN_MOUNTS, enter};
pub use volume::can_cut_power;

/// How long the servers may take to start on a busy machine.
const START_MS: u64 = 120_000;

/// Which servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// One Redis.
    Single,
    /// A primary, its replica and three sentinels.
    Sentinel,
    /// Three masters, each with its replica.
    Cluster,
}

impl Topology {
    pub const ALL: [(&str, Self); 3] =
        [("single", Self::Single), ("sentinel", Self::Sentinel), ("cluster", Self::Cluster)];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// The territories to play in: in the cluster each lies on another master.
    pub fn territories(self) -> &'static [&'static str] {
        match self {
            Self::Single | Self::Sentinel => &["fr-67", "fr-89"],
            Self::Cluster => &["fr-67", "fr-89", "fr-21"],
        }
    }

    /// The level every strict acknowledgement must name.
    pub fn level(self) -> &'static str {
        match self {
            Self::Single => "D1",
            Self::Sentinel | Self::Cluster => "D2",
        }
    }

    /// Further lines of `[store]`.
    pub fn settings(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Single => vec![("durability", "\"D1\"".to_owned())],
            Self::Sentinel | Self::Cluster => vec![
                ("durability", "\"D2\"".to_owned()),
                ("replicas", "1".to_owned()),
                // A restart while the replica is away must not end the run; what is strict is refused all the same.
                ("below", "\"degraded\"".to_owned()),
                ("intake_policy", "\"strict\"".to_owned()),
            ],
        }
    }
}

/// Run by the harness's own `main`, which tests itself.
pub fn selftest() {
    reshard::selftest();
}

/// A server whose cable is pulled is silent, and answers once it is in again. Run by the harness's own `main`.
pub async fn pulls_a_cable() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut node = Node::new(1, "redis", folder.path(), &[]).await?;
    node.process.start()?;
    node.ready().await?;
    if !node.unplug()? {
        println!("chaos: a server whose cable is pulled is silent ... left out: {}", cable::NEEDED);
        return Ok(());
    }
    if node.standing().await != Standing::Silent {
        return Err(io::Error::other("a server answers without its cable"));
    }
    node.plug()?;
    node.ready().await?;
    println!("chaos: a server whose cable is pulled is silent, and answers again ... ok");
    Ok(())
}

/// The servers of a run.
#[derive(Debug)]
pub struct Servers {
    pub topology: Topology,
    pub nodes: Vec<Node>,
    pub sentinels: Vec<Sentinel>,
    /// The way to the server: one for each instance where there is one server, else one before each node.
    pub fronts: Vec<Proxy>,
    /// Of a cluster: each node's id, and the way to it on the nodes' own bus.
    bus: Vec<(Member, Proxy)>,
    /// Where each instance finds its store.
    pub urls: Vec<String>,
    /// Where the checker finds it.
    pub url: String,
}

impl Servers {
    /// Starts the servers for so many instances; returns once they are whole.
    pub async fn start(topology: Topology, instances: usize, folder: &Path) -> io::Result<Self> {
        let mut servers = match topology {
            Topology::Single => single::start(instances, folder).await,
            Topology::Sentinel => sentinel::start(instances, folder).await,
            Topology::Cluster => cluster::start(instances, folder).await,
        }?;
        if servers.settle(START_MS).await? {
            servers.nodes.iter().try_for_each(Node::flush)?;
            Ok(servers)
        } else {
            Err(io::Error::other("the servers did not become whole"))
        }
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
        for way in self.fronts.iter().chain(self.bus.iter().map(|(_, way)| way)) {
            way.set(Weather::Fair);
        }
        for node in &mut self.nodes {
            node.plug()?;
            node.process.quota(None);
            node.process.signal("CONT");
            node.down = false;
        }
        self.sentinels.iter_mut().try_for_each(Sentinel::heal)?;
        self.supervise()
    }

    /// Waits until every server does what it is there for; false when they do not within this time.
    pub async fn settle(&mut self, ms: u64) -> io::Result<bool> {
        for _ in 0..ms / 200 {
            self.supervise()?;
            let whole = match self.topology {
                Topology::Single => self.nodes[0].standing().await != Standing::Silent,
                Topology::Sentinel => sentinel::whole(self).await,
                Topology::Cluster => cluster::whole(self).await,
            };
            if whole {
                return Ok(true);
            }
            if self.topology == Topology::Cluster {
                // A slot that was left half-way; while a node is away it cannot be mended, and is tried again.
                let _ = reshard::end(&self.nodes).await;
            }
            pass(200).await;
        }
        Ok(false)
    }

    /// The nodes that take writes, and those that follow.
    pub async fn masters_and_replicas(&self) -> (Vec<usize>, Vec<usize>) {
        let (mut masters, mut replicas) = (Vec::new(), Vec::new());
        for (at, node) in self.nodes.iter().enumerate() {
            match node.standing().await {
                Standing::Master { .. } => masters.push(at),
                Standing::Replica { .. } => replicas.push(at),
                Standing::Silent => {}
            }
        }
        (masters, replicas)
    }

    /// A node and the others of its cluster do not hear each other on their bus; whoever else calls it is answered.
    pub fn isolate(&self, node: usize) {
        let Some((member, _)) = self.bus.get(node) else { return };
        for (other, (_, way)) in self.bus.iter().enumerate() {
            way.set(if other == node { Weather::Held } else { Weather::Without(*member) });
        }
    }

    /// An operator moves the slot of a territory to another master, `to` unless it has it.
    pub async fn reshard(&self, territory: &str, to: usize, ms: u64) {
        // A move that cannot be made or stops half-way is ended before the next fault.
        if let Ok(slot) = reshard::slot_of(&self.nodes[to], territory).await {
            let _ = reshard::carry(&self.nodes, slot, to, ms).await;
        }
    }

    /// The same, left where half has gone; which node gives and which takes.
    pub async fn reshard_half(&self, territory: &str, to: usize) -> Option<(usize, usize)> {
        let slot = reshard::slot_of(&self.nodes[to], territory).await.ok()?;
        reshard::half(&self.nodes, slot, to).await.ok().flatten()
    }

    /// A master is away for longer than a failover takes, and no replica of it may take over until every slot is at rest.
    pub async fn kill_without_successor(&mut self, master: usize) {
        let replicas = reshard::replicas_of(&self.nodes, master).await;
        reshard::may_take_over(&replicas.iter().map(|n| &self.nodes[*n]).collect::<Vec<_>>(), false).await;
        self.nodes[master].down = true;
        self.nodes[master].process.kill();
    }

    /// A replica takes over from a master of a cluster, which is killed, or lives and agrees.
    pub async fn take_over(&mut self, master: usize, killed: bool) {
        if killed {
            self.nodes[master].down = true;
            self.nodes[master].process.kill();
            return;
        }
        for replica in reshard::replicas_of(&self.nodes, master).await {
            self.switch_over(replica).await;
        }
    }

    /// An operator moves a master's work to its replica.
    pub async fn switch_over(&self, replica: usize) {
        // Refused while another one is under way: then there is nothing to do.
        let _ = match self.topology {
            Topology::Single => return,
            Topology::Sentinel => ask(self.sentinels[0].at, &["SENTINEL", "FAILOVER", sentinel::NAME]).await,
            Topology::Cluster => self.nodes[replica].ask(&["CLUSTER", "FAILOVER"]).await,
        };
    }
}

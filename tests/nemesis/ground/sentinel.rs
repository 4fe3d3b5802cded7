//! A primary, its replica and three sentinels. Each server is known by the port of the proxy before it, so that clients,
//! sentinels and replication all go through a network that can fail.

use std::{fs, io, net::SocketAddr, path::Path};

use redis::Value;

use super::{
    Node, Servers, Standing, Topology, ask,
    cable::{self, Cable, here},
    node::text,
};
use crate::{
    process::{Process, free_port},
    proxy::Proxy,
};

/// What the sentinels call the master.
pub(super) const NAME: &str = "garde";
const SENTINELS: u8 = 3;
/// The numbers of their cables begin behind those of the servers.
const CABLES: u8 = 10;

/// One sentinel.
#[derive(Debug)]
pub struct Sentinel {
    pub process: Process,
    /// Where it listens.
    pub at: SocketAddr,
    /// The cable to it, where it can have one of its own.
    cable: Option<Cable>,
}

impl Sentinel {
    /// Pulls its cable: nobody hears it, and who calls it waits.
    pub fn unplug(&mut self) -> io::Result<()> {
        self.cable.as_mut().map_or(Ok(()), Cable::pull)
    }

    /// It runs and is reachable again.
    pub fn heal(&mut self) -> io::Result<()> {
        self.cable.as_mut().map_or(Ok(()), Cable::plug)?;
        self.process.signal("CONT");
        self.process.start()
    }
}

pub(super) async fn start(instances: usize, folder: &Path) -> io::Result<Servers> {
    let (mut nodes, mut fronts) = (Vec::<Node>::new(), Vec::<Proxy>::new());
    for (number, name) in [(1, "redis-a"), (2, "redis-b")] {
        let mut settings = vec![
            "repl-diskless-sync-delay 0".to_owned(),
            "repl-ping-replica-period 1".to_owned(),
            "repl-timeout 5".to_owned(),
            format!("replica-announce-ip {}", here()),
        ];
        settings.extend(fronts.first().map(|first| format!("replicaof {} {}", here(), first.at.port())));
        let mut node = Node::new(number, name, folder, &settings).await?;
        let front = Proxy::before(node.at).await?;
        add_line(&folder.join(name).join("node.conf"), &format!("replica-announce-port {}", front.at.port()))?;
        node.process.start()?;
        node.ready().await?;
        nodes.push(node);
        fronts.push(front);
    }
    let mut sentinels = Vec::new();
    for number in 0..SENTINELS {
        let mut sentinel = sentinel(number, fronts[0].at, folder).await?;
        sentinel.process.start()?;
        sentinels.push(sentinel);
    }
    let hosts: Vec<String> = sentinels.iter().map(|sentinel| sentinel.at.to_string()).collect();
    let url = format!("redis-sentinel://{}/{NAME}", hosts.join(","));
    let (urls, bus) = (vec![url.clone(); instances], Vec::new());
    Ok(Servers { topology: Topology::Sentinel, nodes, sentinels, fronts, bus, urls, url })
}

async fn sentinel(number: u8, master: SocketAddr, folder: &Path) -> io::Result<Sentinel> {
    let name = format!("sentinel-{number}");
    let own = folder.join(&name);
    fs::create_dir_all(&own)?;
    let cable = Cable::lay(CABLES + number, &name, folder).await?;
    let at = SocketAddr::new(cable.as_ref().map_or_else(here, |cable| cable.ip), free_port());
    let lines = [
        format!("port {}", at.port()),
        format!("bind {}", at.ip()),
        "protected-mode no".to_owned(),
        format!("sentinel monitor {NAME} {} {} 2", master.ip(), master.port()),
        format!("sentinel down-after-milliseconds {NAME} 1000"),
        format!("sentinel failover-timeout {NAME} 3000"),
    ];
    fs::write(own.join("sentinel.conf"), lines.join("\n") + "\n")?;
    let (program, mut arguments) = cable::server(cable.as_ref());
    arguments.extend(["sentinel.conf", "--sentinel"].map(str::to_owned));
    Ok(Sentinel { process: Process::new(name, program, arguments, &own), at, cable })
}

pub(super) fn add_line(file: &Path, line: &str) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    fs::write(file, format!("{text}{line}\n"))
}

/// One primary that the replica follows, and every sentinel knows it.
pub(super) async fn whole(servers: &Servers) -> bool {
    let (mut master, mut followed) = (None, false);
    for (node, front) in servers.nodes.iter().zip(&servers.fronts) {
        match node.standing().await {
            Standing::Master { replicas: 1.., .. } if master.is_none() => master = Some(front.at.port()),
            Standing::Replica { connected: true } => followed = true,
            _ => return false,
        }
    }
    let Some(master) = master.filter(|_| followed) else { return false };
    for sentinel in &servers.sentinels {
        let Ok(Value::Array(said)) = ask(sentinel.at, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).await else {
            return false;
        };
        if said.get(1).and_then(text) != Some(master.to_string()) {
            return false;
        }
    }
    true
}

//! A primary, its replica and three sentinels. Each server is known by the port of the proxy before it, so that clients,
//! sentinels and replication all go through a network that can fail.

use std::{fs, io, net::SocketAddr, path::Path};

use redis::Value;

use super::{Node, Servers, Standing, Topology, ask, cable::here, node::text};
use crate::{
    process::{Process, free_port},
    proxy::Proxy,
};

/// What the sentinels call the master.
pub(super) const NAME: &str = "garde";
const SENTINELS: usize = 3;

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
    let (mut sentinels, mut sentinel_ports) = (Vec::new(), Vec::new());
    for number in 0..SENTINELS {
        let port = free_port();
        let mut sentinel = sentinel(number, port, fronts[0].at, folder)?;
        sentinel.start()?;
        sentinels.push(sentinel);
        sentinel_ports.push(port);
    }
    let hosts: Vec<String> = sentinel_ports.iter().map(|port| at(*port).to_string()).collect();
    let url = format!("redis-sentinel://{}/{NAME}", hosts.join(","));
    let (urls, bus) = (vec![url.clone(); instances], Vec::new());
    Ok(Servers { topology: Topology::Sentinel, nodes, sentinels, sentinel_ports, fronts, bus, urls, url })
}

fn sentinel(number: usize, port: u16, master: SocketAddr, folder: &Path) -> io::Result<Process> {
    let name = format!("sentinel-{number}");
    let own = folder.join(&name);
    fs::create_dir_all(&own)?;
    let lines = [
        format!("port {port}"),
        format!("bind {}", here()),
        format!("sentinel monitor {NAME} {} {} 2", master.ip(), master.port()),
        format!("sentinel down-after-milliseconds {NAME} 1000"),
        format!("sentinel failover-timeout {NAME} 3000"),
    ];
    fs::write(own.join("sentinel.conf"), lines.join("\n") + "\n")?;
    let arguments = vec!["sentinel.conf".to_owned(), "--sentinel".to_owned()];
    Ok(Process::new(name, "redis-server", arguments, &own))
}

/// Where a sentinel listens.
pub(super) fn at(port: u16) -> SocketAddr {
    SocketAddr::new(here(), port)
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
    for port in &servers.sentinel_ports {
        let Ok(Value::Array(said)) = ask(at(*port), &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).await else {
            return false;
        };
        if said.get(1).and_then(text) != Some(master.to_string()) {
            return false;
        }
    }
    true
}

//! Three masters, each with its replica, in one cluster. Clients and replication go through the proxy before each node, the
//! nodes' own bus through another one.

use std::{io, path::Path};

use super::{Node, Servers, Standing, Topology, cable::here, node::text, reshard, sentinel::add_line};
use crate::{
    pace::pass,
    process::free_port,
    proxy::{Member, Proxy},
};

/// The slots of each master, a third each.
const SLOTS: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

pub(super) async fn start(instances: usize, folder: &Path) -> io::Result<Servers> {
    let (mut nodes, mut fronts, mut buses) = (Vec::<Node>::new(), Vec::<Proxy>::new(), Vec::<Proxy>::new());
    for number in 0..2 * SLOTS.len() as u8 {
        let (name, bus) = (format!("redis-{number}"), free_port());
        let settings = [
            "cluster-enabled yes".to_owned(),
            "cluster-node-timeout 1500".to_owned(),
            "cluster-require-full-coverage no".to_owned(),
            "cluster-allow-replica-migration no".to_owned(),
            "cluster-replica-validity-factor 0".to_owned(),
            format!("cluster-port {bus}"),
            format!("cluster-announce-ip {}", here()),
            "repl-diskless-sync-delay 0".to_owned(),
            "repl-ping-replica-period 1".to_owned(),
            "repl-timeout 5".to_owned(),
        ];
        let mut node = Node::new(number, &name, folder, &settings).await?;
        let (front, bus) = (Proxy::before(node.at).await?, Proxy::before((node.at.ip(), bus).into()).await?);
        let file = folder.join(&name).join("node.conf");
        // Its master sees the proxy call, and would name that to whoever asks who follows.
        add_line(&file, &format!("replica-announce-ip {}", node.at.ip()))?;
        add_line(&file, &format!("cluster-announce-port {}", front.at.port()))?;
        add_line(&file, &format!("cluster-announce-bus-port {}", bus.at.port()))?;
        node.process.start()?;
        node.ready().await?;
        nodes.push(node);
        fronts.push(front);
        buses.push(bus);
    }
    let members = join(&nodes, &buses).await.map_err(io::Error::other)?;
    let hosts: Vec<String> = fronts.iter().map(|front| front.at.to_string()).collect();
    let url = format!("redis-cluster://{}", hosts.join(","));
    let urls = vec![url.clone(); instances];
    let (sentinels, bus) = (Vec::new(), members.into_iter().zip(buses).collect());
    Ok(Servers { topology: Topology::Cluster, nodes, sentinels, fronts, bus, urls, url })
}

/// Makes one cluster of the nodes: the first three are masters, each of the others follows one. Answers their ids.
async fn join(nodes: &[Node], buses: &[Proxy]) -> Result<Vec<Member>, String> {
    let said = |error: redis::RedisError| error.to_string();
    let mut ids = Vec::new();
    for (number, node) in nodes.iter().enumerate() {
        let id = node.ask(&["CLUSTER", "MYID"]).await.map_err(said)?;
        ids.push(text(&id).ok_or("a node without an id")?);
        node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]).await.map_err(said)?;
        if number > 0 {
            // A node is met where its bus listens; its announced port is learned from it.
            let (ip, port, bus) = (here().to_string(), node.at.port().to_string(), buses[number].at.port().to_string());
            nodes[0].ask(&["CLUSTER", "MEET", &ip, &port, &bus]).await.map_err(said)?;
        }
    }
    for (node, (first, last)) in nodes.iter().zip(SLOTS) {
        node.ask(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]).await.map_err(said)?;
    }
    for (number, node) in nodes.iter().enumerate().skip(SLOTS.len()) {
        let master = &ids[number - SLOTS.len()];
        let mut followed = Err("not tried".to_owned());
        // It must have heard of its master first.
        for _ in 0..100 {
            followed = node.ask(&["CLUSTER", "REPLICATE", master]).await.map_err(said);
            if followed.is_ok() {
                break;
            }
            pass(100).await;
        }
        followed?;
    }
    let member = |id: &String| id.as_bytes().try_into().map_err(|_| format!("an id that is none: {id}"));
    ids.iter().map(member).collect()
}

/// Every node knows all slots served and none on its way, every master is followed, every replica follows.
pub(super) async fn whole(servers: &Servers) -> bool {
    let mut masters = 0;
    for node in &servers.nodes {
        match node.standing().await {
            Standing::Master { replicas: 1.., .. } => masters += 1,
            Standing::Replica { connected: true } => {}
            _ => return false,
        }
        let Ok(info) = node.ask(&["CLUSTER", "INFO"]).await else { return false };
        let info = text(&info).unwrap_or_default();
        if !info.contains("cluster_state:ok") || !info.contains("cluster_slots_ok:16384") {
            return false;
        }
    }
    masters == SLOTS.len() && reshard::at_rest(&servers.nodes).await
}

//! Redis with a replica and three sentinels, and a cluster of three masters with a replica each, on loopback ports.

use std::time::Duration;

use super::redis::{Server, free_port, until};

/// A master, its replica, and three sentinels that call the master `main`.
#[derive(Debug)]
pub struct Replicated {
    /// The two servers; the first begins as master.
    pub servers: [Server; 2],
    /// Three, of whom two must agree.
    pub sentinels: Vec<Server>,
}

impl Replicated {
    /// Returns once the replica follows and all sentinels know it and each other.
    pub async fn start() -> Self {
        let replicated = Self::without_sentinels().await;
        let [master, replica] = &replicated.servers;
        let sentinels: Vec<Server> = (0..3).map(|_| Server::sentinel(master.port.unwrap(), 2)).collect();
        for sentinel in &sentinels {
            until("the sentinels know the replica and each other", async || {
                let known: Vec<String> = sentinel.ask(&["SENTINEL", "MASTER", "main"]).await.unwrap_or_default();
                let has = |name: &str, value: &str| known.windows(2).any(|pair| pair[0] == name && pair[1] == value);
                has("num-slaves", "1") && has("num-other-sentinels", "2")
            })
            .await;
        }
        until("the replica follows", async || follows(replica).await).await;
        Self { sentinels, ..replicated }
    }

    /// A master and a replica that follows it.
    pub async fn without_sentinels() -> Self {
        let master = Server::listening(&[]);
        let of = format!("127.0.0.1 {}", master.port.unwrap());
        let replica = Server::listening(&["--replicaof", &of]);
        until("the replica follows", async || follows(&replica).await).await;
        Self { servers: [master, replica], sentinels: Vec::new() }
    }

    /// The address by the sentinels.
    pub fn url(&self) -> String {
        let sentinels: Vec<String> = self.sentinels.iter().map(Server::address).collect();
        format!("redis-sentinel://{}/main", sentinels.join(","))
    }
}

/// True when a replica has its master's data and hears from it.
pub async fn follows(replica: &Server) -> bool {
    replica.says(&["INFO", "replication"], "master_link_status:up").await
}

/// Six nodes: the first three begin as masters of a third of the slots, each of the others follows one.
#[derive(Debug)]
pub struct Cluster {
    pub nodes: Vec<Server>,
}

/// The slots that each master begins with.
pub const THIRDS: [(u16, u16); 3] = [(0, 5_460), (5_461, 10_922), (10_923, 16_383)];

impl Cluster {
    /// Returns once every node knows all others, every slot has an owner and every replica follows. A node that was not
    /// heard for `away` is lost: longer than a flush may take on a busy machine, or a replica takes over unasked.
    pub async fn start(away: Duration) -> Self {
        let nodes: Vec<Server> = (0..6).map(|_| node(away)).collect();
        for (n, (first, last)) in THIRDS.iter().enumerate() {
            let (first, last) = (first.to_string(), last.to_string());
            nodes[n].command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await;
        }
        for (n, node) in nodes.iter().enumerate() {
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]).await;
            let (port, bus) = (nodes[0].port.unwrap().to_string(), bus_of(&nodes[0]));
            node.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
        }
        let cluster = Self { nodes };
        cluster.all_say("cluster_known_nodes:6").await;
        for n in 0..3 {
            let id = cluster.id(n).await;
            let replica = &cluster.nodes[n + 3];
            until("a replica is accepted", async || replica.ask::<()>(&["CLUSTER", "REPLICATE", &id]).await.is_ok())
                .await;
            until("the replica follows", async || follows(replica).await).await;
        }
        cluster.all_say("cluster_state:ok").await;
        cluster
    }

    async fn all_say(&self, part: &str) {
        for node in &self.nodes {
            until(part, async || node.says(&["CLUSTER", "INFO"], part).await).await;
        }
    }

    /// The name of a node within the cluster.
    pub async fn id(&self, node: usize) -> String {
        self.nodes[node].ask(&["CLUSTER", "MYID"]).await.unwrap()
    }

    /// The address by three of its nodes.
    pub fn url(&self) -> String {
        let seeds: Vec<String> = self.nodes[..3].iter().map(Server::address).collect();
        format!("redis-cluster://{}", seeds.join(","))
    }

    /// Which of the first three masters began with a slot.
    pub fn owner(slot: u16) -> usize {
        THIRDS.iter().position(|(first, last)| (*first..=*last).contains(&slot)).unwrap()
    }
}

fn node(away: Duration) -> Server {
    let (port, bus) = (free_port(), free_port().to_string());
    let away = away.as_millis().to_string();
    let options = [
        "--appendfsync",
        "always",
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &bus,
        "--cluster-node-timeout",
        &away,
        "--cluster-require-full-coverage",
        "no",
    ];
    let node = Server::around(&["redis-server"], Some(port), &options);
    std::fs::write(node.dir.path().join("bus"), bus).unwrap();
    node
}

fn bus_of(node: &Server) -> String {
    std::fs::read_to_string(node.dir.path().join("bus")).unwrap()
}

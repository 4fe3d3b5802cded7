//! Failover and resharding of real servers under load: nothing acknowledged is lost, every call finds its way.

use std::time::Duration;

use sas_dispatch::{clock::Stopwatch, domain::ids::TerritoryId, store::Durability};

use super::{
    callers::{Callers, D1, D2, insist, logged, promising, writing},
    stand::key,
};
use crate::support::{
    redis::{Server, until},
    topology::{Cluster, Replicated, THIRDS, follows},
};

/// Which of two servers a sentinel calls the master.
async fn named(redis: &Replicated, sentinel: &Server) -> Option<usize> {
    let master: Vec<String> = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]).await.ok()?;
    let is_it = |server: &Server| server.port.map(|port| port.to_string()) == master.get(1).cloned();
    redis.servers.iter().position(is_it)
}

/// Which of two servers all sentinels call the master.
async fn elected(redis: &Replicated) -> Option<usize> {
    let mut said = Vec::new();
    for sentinel in &redis.sentinels {
        said.push(named(redis, sentinel).await?);
    }
    said.iter().all(|who| *who == said[0]).then_some(said[0])
}

async fn elected_is(redis: &Replicated, who: usize) {
    until("the sentinels agree on the new master", async || elected(redis).await == Some(who)).await;
}

/// An operator has the sentinels move the master's work to a replica. They give a failover up that is not done after two
/// seconds: then it is asked for again.
async fn switched_over_to(redis: &Replicated, who: usize) {
    let sentinel = &redis.sentinels[0];
    let mut asked: Option<Stopwatch> = None;
    until("the sentinels have moved the work", async || {
        let given_up = asked.as_ref().is_none_or(|asked| asked.elapsed() > Duration::from_secs(8));
        if given_up && named(redis, sentinel).await == Some(1 - who) {
            let begun = sentinel.ask::<String>(&["SENTINEL", "FAILOVER", "main"]).await.is_ok();
            asked = begun.then(Stopwatch::start);
        }
        elected(redis).await == Some(who)
    })
    .await;
}

/// Makes a server follow the other at once; the sentinels would take ten seconds.
async fn follow(redis: &Replicated, follower: usize) {
    let (server, master) = (&redis.servers[follower], &redis.servers[1 - follower]);
    let port = master.port.unwrap().to_string();
    server.command(&["CONFIG", "SET", "masterauth", ""]).await;
    server.command(&["REPLICAOF", "127.0.0.1", &port]).await;
    until("the old master follows the new one", async || follows(server).await).await;
}

/// Cuts a replica off from its master, which both survive: it can no longer enter.
async fn sever(replica: &Server, master: &Server) {
    replica.command(&["CONFIG", "SET", "masterauth", "wrong"]).await;
    master.command(&["CLIENT", "KILL", "TYPE", "replica"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_master_is_killed_or_switched_over_under_load() {
    let mut redis = Replicated::start().await;
    let (store, here): (_, TerritoryId) = (promising(&redis.url(), D2).await, "fr-67".parse().unwrap());
    insist(store.as_ref(), &writing(&here, "begin", 0), Durability::D2).await;
    let born = store.generation(&here);
    let mut callers = Callers::start(&store, &here, 8, 60, Durability::D2);
    callers.heard(100).await;
    // What the master writes from here on is only there: whoever is told that it is done will miss it.
    sever(&redis.servers[1], &redis.servers[0]).await;
    callers.may_hear(50).await;
    redis.servers[0].kill();
    elected_is(&redis, 1).await;
    redis.servers[0].restart();
    follow(&redis, 0).await;
    callers.heard(250).await;
    assert_ne!(store.generation(&here), born, "another server answers");
    switched_over_to(&redis, 0).await;
    follow(&redis, 1).await;
    let heard = callers.all().await;
    assert_eq!(heard.len(), 480, "every command was acknowledged in the end, and each once");
    assert_eq!(logged(store.as_ref(), &here, 1).await, heard, "the log holds each at its seq, and no other");
}

/// A territory in each third of the slots, with its slot as the cluster computes it.
async fn territories(cluster: &Cluster) -> Vec<(TerritoryId, u16)> {
    let mut found: Vec<Option<(TerritoryId, u16)>> = vec![None; THIRDS.len()];
    for number in 10..60 {
        let name = format!("fr-{number}");
        let slot: u16 = cluster.nodes[0].ask(&["CLUSTER", "KEYSLOT", &name]).await.unwrap();
        found[Cluster::owner(slot)].get_or_insert((name.parse().unwrap(), slot));
    }
    found.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_territory_of_a_cluster_is_in_one_slot_and_follows_it_when_it_moves() {
    let cluster = Cluster::start(Duration::from_secs(30)).await;
    let store = promising(&cluster.url(), D1).await;
    let all = territories(&cluster).await;
    for (territory, _) in &all {
        insist(store.as_ref(), &writing(territory, "begin", 0), Durability::D1).await;
        insist(store.as_ref(), &writing(territory, "next", 1), Durability::D1).await;
    }
    assert_eq!(store.territories().await.unwrap().len(), 3);
    for (n, (territory, slot)) in all.iter().enumerate() {
        let keys: Vec<String> = cluster.nodes[n].ask(&["KEYS", "*"]).await.unwrap();
        assert!(keys.len() >= 7, "{keys:?}");
        for key in keys {
            let its: u16 = cluster.nodes[n].ask(&["CLUSTER", "KEYSLOT", &key]).await.unwrap();
            assert_eq!((its, key.contains(&format!("{{{territory}}}"))), (*slot, true), "{key}");
        }
    }
    let (territory, slot) = &all[0];
    let other = promising(&cluster.url(), D1).await;
    let mut moving = Moving::begin(&cluster, *slot, 0, 1).await;
    // Half of its keys have gone: the call must wait, and goes through once the others have followed.
    moving.keys(4).await;
    let early = writing(territory, "early", 1);
    let waited = tokio::time::timeout(Duration::from_millis(300), store.commit(&early)).await;
    assert!(waited.is_err(), "a territory in two halves takes no writes: {waited:?}");
    let (seq, ()) = tokio::join!(insist(store.as_ref(), &early, Durability::D1), async {
        moving.keys(1_000).await;
        // All its keys have gone, the slot has not: what exists is read where it is sent for.
        let read = store.read(territory, &[key("case/begin")], None).await.unwrap();
        assert!(read.seq == 2 && read.records[&key("case/begin")].is_some());
        moving.end().await;
    });
    assert_eq!(seq, 3);
    let count: u64 = cluster.nodes[0].ask(&["DBSIZE"]).await.unwrap();
    assert_eq!(count, 0, "nothing was written where the slot had been");
    let read = other.read(territory, &[], None).await.unwrap();
    assert_eq!(read.seq, 3, "an instance that knows nothing of the move is led to the new place by its first call");
    insist(store.as_ref(), &writing(territory, "after", 1), Durability::D1).await;
    assert_eq!(logged(store.as_ref(), territory, 0).await.len(), 4);
}

/// A slot on its way from one master to another.
struct Moving<'a> {
    cluster: &'a Cluster,
    slot: String,
    from: &'a Server,
    to: &'a Server,
    to_id: String,
}

impl<'a> Moving<'a> {
    async fn begin(cluster: &'a Cluster, slot: u16, from: usize, to: usize) -> Self {
        let (slot, from_id, to_id) = (slot.to_string(), cluster.id(from).await, cluster.id(to).await);
        let (from, to) = (&cluster.nodes[from], &cluster.nodes[to]);
        to.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).await;
        from.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).await;
        Self { cluster, slot, from, to, to_id }
    }

    /// Moves up to so many keys.
    async fn keys(&mut self, most: usize) {
        let count = most.to_string();
        let keys: Vec<String> = self.from.ask(&["CLUSTER", "GETKEYSINSLOT", &self.slot, &count]).await.unwrap();
        let port = self.to.port.unwrap().to_string();
        for key in keys {
            self.from.command(&["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"]).await;
        }
    }

    async fn end(&self) {
        self.to.command(&["CLUSTER", "SETSLOT", &self.slot, "NODE", &self.to_id]).await;
        for node in [self.from, &self.cluster.nodes[2]] {
            node.command(&["CLUSTER", "SETSLOT", &self.slot, "NODE", &self.to_id]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_master_of_a_cluster_costs_nothing_acknowledged_and_the_others_go_on() {
    let mut cluster = Cluster::start(Duration::from_secs(3)).await;
    let store = promising(&cluster.url(), D2).await;
    let all = territories(&cluster).await;
    for (territory, _) in &all {
        insist(store.as_ref(), &writing(territory, "begin", 0), Durability::D2).await;
    }
    let (here, elsewhere) = (&all[0].0, &all[1].0);
    let mut callers = Callers::start(&store, here, 4, 60, Durability::D2);
    callers.heard(60).await;
    sever(&cluster.nodes[3], &cluster.nodes[0]).await;
    callers.may_hear(20).await;
    cluster.nodes[0].kill();
    for n in 0..5 {
        insist(store.as_ref(), &writing(elsewhere, &format!("meanwhile {n}"), 1), Durability::D2).await;
    }
    until("the replica takes the dead master's place", async || {
        cluster.nodes[3].says(&["INFO", "replication"], "role:master").await
    })
    .await;
    cluster.nodes[0].restart();
    until("the old master follows", async || follows(&cluster.nodes[0]).await).await;
    let heard = callers.all().await;
    assert_eq!(heard.len(), 240, "every command was acknowledged in the end, and each once");
    assert_eq!(logged(store.as_ref(), here, 1).await, heard, "the log holds each at its seq, and no other");
}

//! The nemesis: faults in an order that the seed gives, each counted by its name, under load, one healed before the next.

use std::{collections::BTreeMap, io};

use crate::{
    args::Run,
    ground::{Node, Topology, cable},
    history::Struck,
    pace::{Dice, Pace, pass},
    proxy::Weather,
    stand::Stand,
};

/// No fault begins this close to the end of the load, microseconds.
const LAST_US: u64 = 1_500_000;

/// What is done to the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    KillService,
    FreezeService,
    /// Longer than a lease: claims become suspect behind the back of a service that then goes on.
    PauseOverLease,
    /// The one Redis, or a master: its replica is promoted when it stays away.
    KillMaster,
    FreezeMaster,
    KillReplica,
    FreezeReplica,
    KillSentinel,
    FreezeSentinel,
    /// A sentinel hears nobody and is heard by nobody; who calls it is not even refused.
    PartitionSentinel,
    /// The power of the one Redis, or of a master: its disk forgets what was not flushed.
    PowerCut,
    /// No file of a server may grow: its next write fails as on a full disk.
    DiskFull,
    /// A server and everybody else do not hear each other; what was sent arrives late.
    Partition,
    /// The same between one instance and the one Redis, which the others reach.
    PartitionInstance,
    /// Clients still reach a master that its replica and whoever elects have lost: two primaries for a while.
    Split,
    /// The nodes of a cluster lose each other on their bus; replication and clients pass.
    BusPartition,
    /// What is asked arrives, answers are lost: every outcome is unknown.
    LostReplies,
    /// Connections break.
    CutOff,
    /// An operator moves a master's work to its replica.
    SwitchOver,
    /// An operator moves a territory's slot from one master to another.
    Reshard,
    /// In the middle of such a move the master that takes the slot is lost, and its replica takes over.
    ReshardFailover,
    /// In the middle of such a move the master that gives the slot away dies and comes back.
    ReshardKill,
    /// Redis forgets its scripts.
    ForgetScripts,
}

use Fault::*;

const EVERYWHERE: [(Fault, &str); 11] = [
    (KillService, "kill_service"),
    (FreezeService, "freeze_service"),
    (PauseOverLease, "pause_service_over_lease"),
    (KillMaster, "kill_redis"),
    (FreezeMaster, "freeze_redis"),
    (PowerCut, "power_cut"),
    (DiskFull, "disk_full"),
    (Partition, "partition"),
    (LostReplies, "lost_replies"),
    (CutOff, "cut_off"),
    (ForgetScripts, "forget_scripts"),
];
const WITH_REPLICAS: [(Fault, &str); 4] =
    [(KillReplica, "kill_replica"), (FreezeReplica, "freeze_replica"), (Split, "split"), (SwitchOver, "switch_over")];
const WITH_SLOTS: [(Fault, &str); 4] = [
    (BusPartition, "bus_partition"),
    (Reshard, "reshard"),
    (ReshardFailover, "reshard_failover"),
    (ReshardKill, "reshard_kill"),
];
const WITH_SENTINELS: [(Fault, &str); 3] =
    [(KillSentinel, "kill_sentinel"), (FreezeSentinel, "freeze_sentinel"), (PartitionSentinel, "partition_sentinel")];

fn of(stand: &Stand) -> Vec<(Fault, &'static str)> {
    let mut all = EVERYWHERE.to_vec();
    all.retain(|(fault, _)| *fault != PowerCut || stand.servers.nodes.iter().all(Node::has_power));
    match stand.topology {
        // Without a cable to pull, one instance's way is all that a partition can take.
        Topology::Single if cable::are_laid() => all.push((PartitionInstance, "partition_instance")),
        Topology::Single => {}
        Topology::Sentinel => all.extend(WITH_REPLICAS.iter().chain(&WITH_SENTINELS)),
        Topology::Cluster => all.extend(WITH_REPLICAS.iter().chain(&WITH_SLOTS)),
    }
    all.retain(|(fault, _)| *fault != PartitionSentinel || cable::are_laid());
    all
}

/// The faults of a run; those that are asked for must exist here.
fn wanted(stand: &Stand, names: &[String]) -> io::Result<Vec<(Fault, &'static str)>> {
    let mut all = of(stand);
    if let Some(strange) = names.iter().find(|name| !all.iter().any(|(_, known)| known == name)) {
        let known: Vec<&str> = all.iter().map(|(_, name)| *name).collect();
        return Err(io::Error::other(format!("--faults: no {strange} here; there are {}", known.join(", "))));
    }
    all.retain(|(_, name)| names.is_empty() || names.iter().any(|wanted| wanted == name));
    Ok(all)
}

/// Torments the site until the load is to end; the faults by name.
pub async fn torment(stand: &mut Stand, pace: &Pace, run: &Run) -> io::Result<BTreeMap<String, u64>> {
    let (mut dice, load_us, wanted) = (Dice::new(run.seed, "nemesis"), run.load_us(), wanted(stand, &run.faults)?);
    let (mut counts, mut deck) = (BTreeMap::new(), Vec::new());
    loop {
        let left = load_us.saturating_sub(pace.us());
        if left < LAST_US {
            pass(left / 1_000).await;
            return Ok(counts);
        }
        // A system that promises to bear one fault is whole before the next, and people have had time to work on it.
        let whole = stand.settle((left - LAST_US) / 1_000).await?;
        pass(dice.between(400, 1_800)).await;
        if !whole || load_us.saturating_sub(pace.us()) < LAST_US {
            continue;
        }
        if deck.is_empty() {
            deck.clone_from(&wanted);
            dice.shuffle(&mut deck);
        }
        let Some((fault, name)) = deck.pop() else { return Ok(counts) };
        let left = load_us.saturating_sub(pace.us());
        let most_ms = left.saturating_sub(1_000_000) / 1_000;
        *counts.entry(name.to_owned()).or_default() += 1;
        let target = Target::draw(stand, fault, &mut dice).await;
        let from_us = pace.us();
        strike(stand, fault, target, dice.between(span(fault).0, span(fault).1).min(most_ms)).await?;
        let healed_us = pace.us();
        stand.heal()?;
        stand.recorder.struck(Struck { fault: name, target: format!("{target:?}"), from_us, healed_us });
    }
}

/// How long a fault lasts, milliseconds: with Sentinel and Cluster some are shorter and some longer than a failover takes.
fn span(fault: Fault) -> (u64, u64) {
    match fault {
        KillService | CutOff => (300, 2_500),
        FreezeService | FreezeReplica | KillReplica | LostReplies => (500, 3_000),
        PauseOverLease => (7_000, 9_000),
        KillMaster | FreezeMaster | PowerCut | Partition | PartitionInstance | PartitionSentinel | Split => {
            (300, 6_000)
        }
        BusPartition => (1_000, 7_000),
        Reshard => (400, 3_000),
        ReshardFailover => (3_000, 6_000),
        ReshardKill => (300, 6_000),
        DiskFull => (800, 3_000),
        KillSentinel | FreezeSentinel => (1_000, 3_000),
        SwitchOver | ForgetScripts => (200, 1_000),
    }
}

/// Whom a fault strikes.
#[derive(Debug, Clone, Copy)]
struct Target {
    instance: usize,
    node: usize,
    front: usize,
    sentinel: usize,
    territory: usize,
    /// Bytes that a disk still takes.
    room: u64,
}

impl Target {
    async fn draw(stand: &Stand, fault: Fault, dice: &mut Dice) -> Self {
        let (masters, replicas) = stand.servers.masters_and_replicas().await;
        let from = match fault {
            KillReplica | FreezeReplica | SwitchOver => &replicas,
            _ => &masters,
        };
        let node = dice.any(from).copied().unwrap_or(0);
        let instance = dice.below(stand.instances.len());
        // Before the one Redis every instance has a way of its own; elsewhere every node.
        let front = if stand.topology == Topology::Single { instance } else { node };
        let (sentinel, room) = (dice.below(stand.servers.sentinels.len()), dice.between(200, 6_000));
        let territory = dice.below(stand.topology.territories().len());
        Self { instance, node, front, sentinel, territory, room }
    }
}

/// Begins a fault and lets it last; the caller heals.
async fn strike(stand: &mut Stand, fault: Fault, target: Target, ms: u64) -> io::Result<()> {
    let instance = &mut stand.instances[target.instance];
    let node = &mut stand.servers.nodes[target.node];
    let front = &stand.servers.fronts[target.front];
    match fault {
        KillService => {
            instance.down = true;
            instance.process.kill();
        }
        FreezeService | PauseOverLease => instance.process.signal("STOP"),
        KillMaster | KillReplica => {
            node.down = true;
            node.process.kill();
        }
        FreezeMaster | FreezeReplica => node.process.signal("STOP"),
        PowerCut => node.cut_power()?,
        KillSentinel => stand.servers.sentinels[target.sentinel].process.kill(),
        FreezeSentinel => stand.servers.sentinels[target.sentinel].process.signal("STOP"),
        PartitionSentinel => stand.servers.sentinels[target.sentinel].unplug()?,
        DiskFull => {
            node.process.quota(Some(node.written() + target.room));
        }
        Partition => {
            if !node.unplug()? {
                front.set(Weather::Held);
            }
        }
        PartitionInstance => front.set(Weather::Held),
        Split => {
            front.set(Weather::Split);
            stand.servers.isolate(target.node);
        }
        BusPartition => stand.servers.isolate(target.node),
        LostReplies => front.set(Weather::Mute),
        CutOff => front.set(Weather::Cut),
        Reshard => {
            let territory = stand.topology.territories()[target.territory];
            stand.servers.reshard(territory, target.node, ms).await;
            return Ok(());
        }
        ReshardFailover => {
            let territory = stand.topology.territories()[target.territory];
            if let Some((_, takes)) = stand.servers.reshard_half(territory, target.node).await {
                stand.servers.take_over(takes, target.room.is_multiple_of(2)).await;
            }
        }
        ReshardKill => {
            let territory = stand.topology.territories()[target.territory];
            if let Some((gives, _)) = stand.servers.reshard_half(territory, target.node).await {
                stand.servers.kill_without_successor(gives).await;
            }
        }
        SwitchOver => stand.servers.switch_over(target.node).await,
        ForgetScripts => {
            // A server that does not answer has nothing to forget.
            let _ = node.ask(&["SCRIPT", "FLUSH", "SYNC"]).await;
        }
    }
    pass(ms).await;
    Ok(())
}

//! The nemesis: faults in an order that the seed gives, each counted by its name, under load, one healed before the next.

use std::{collections::BTreeMap, io};

use crate::{
    ground::Topology,
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
    KillRedis,
    FreezeRedis,
    /// No file of Redis may grow: its next write fails as on a full disk.
    DiskFull,
    /// One instance and its Redis do not hear each other; what was sent arrives late.
    Partition,
    /// What is asked arrives, answers are lost: every outcome is unknown.
    LostReplies,
    /// Connections break.
    CutOff,
    /// Redis forgets its scripts.
    ForgetScripts,
}

const EVERYWHERE: [(Fault, &str); 10] = [
    (Fault::KillService, "kill_service"),
    (Fault::FreezeService, "freeze_service"),
    (Fault::PauseOverLease, "pause_service_over_lease"),
    (Fault::KillRedis, "kill_redis"),
    (Fault::FreezeRedis, "freeze_redis"),
    (Fault::DiskFull, "disk_full"),
    (Fault::Partition, "partition"),
    (Fault::LostReplies, "lost_replies"),
    (Fault::CutOff, "cut_off"),
    (Fault::ForgetScripts, "forget_scripts"),
];

/// Torments the site until the load is to end; the faults by name.
pub async fn torment(stand: &mut Stand, pace: &Pace, seed: u64, load_us: u64) -> io::Result<BTreeMap<String, u64>> {
    let mut dice = Dice::new(seed, "nemesis");
    let (mut counts, mut deck) = (BTreeMap::new(), Vec::new());
    loop {
        pass(dice.between(400, 1_800)).await;
        stand.supervise()?;
        let left = load_us.saturating_sub(pace.us());
        if left < LAST_US {
            pass(left / 1_000).await;
            return Ok(counts);
        }
        if deck.is_empty() {
            deck = of(stand.topology);
            dice.shuffle(&mut deck);
        }
        let Some((fault, name)) = deck.pop() else { return Ok(counts) };
        let most_ms = (left - 1_000_000) / 1_000;
        *counts.entry(name.to_owned()).or_default() += 1;
        strike(stand, fault, &mut dice, most_ms).await?;
        stand.heal()?;
    }
}

fn of(topology: Topology) -> Vec<(Fault, &'static str)> {
    match topology {
        Topology::Single => EVERYWHERE.to_vec(),
    }
}

/// Begins a fault and lets it last; the caller heals.
async fn strike(stand: &mut Stand, fault: Fault, dice: &mut Dice, most_ms: u64) -> io::Result<()> {
    let lasts = |from: u64, to: u64, dice: &mut Dice| dice.between(from, to).min(most_ms);
    let instance = dice.below(stand.instances.len());
    let node = dice.below(stand.servers.nodes.len());
    match fault {
        Fault::KillService => {
            stand.instances[instance].process.kill();
            stand.instances[instance].down = true;
            pass(lasts(300, 2_500, dice)).await;
        }
        Fault::FreezeService => {
            stand.instances[instance].process.signal("STOP");
            pass(lasts(500, 3_000, dice)).await;
        }
        Fault::PauseOverLease => {
            stand.instances[instance].process.signal("STOP");
            pass(lasts(7_000, 9_000, dice)).await;
        }
        Fault::KillRedis => {
            stand.servers.nodes[node].process.kill();
            stand.servers.nodes[node].down = true;
            pass(lasts(100, 1_500, dice)).await;
        }
        Fault::FreezeRedis => {
            stand.servers.nodes[node].process.signal("STOP");
            pass(lasts(300, 3_500, dice)).await;
        }
        Fault::DiskFull => fill(stand, node, lasts(800, 2_500, dice), dice).await,
        Fault::Partition => weather(stand, instance, Weather::Held, lasts(1_000, 4_000, dice)).await,
        Fault::LostReplies => weather(stand, instance, Weather::Mute, lasts(500, 3_000, dice)).await,
        Fault::CutOff => weather(stand, instance, Weather::Cut, lasts(300, 2_000, dice)).await,
        Fault::ForgetScripts => {
            // A server that does not answer has nothing to forget.
            let _ = stand.servers.nodes[node].ask(&["SCRIPT", "FLUSH", "SYNC"]).await;
        }
    }
    Ok(())
}

async fn weather(stand: &Stand, instance: usize, weather: Weather, ms: u64) {
    if let Some(front) = stand.servers.fronts.get(instance) {
        front.set(weather);
    }
    pass(ms).await;
}

/// The disk of a server is full in the middle of a write; it is freed when the fault is healed.
async fn fill(stand: &mut Stand, node: usize, ms: u64, dice: &mut Dice) {
    let node = &mut stand.servers.nodes[node];
    let left = dice.between(200, 6_000);
    node.process.quota(Some(node.written() + left));
    pass(ms).await;
    node.process.quota(None);
}

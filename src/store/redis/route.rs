//! From a territory to the server that owns it now: the one that was named, the master that the sentinels name, or the
//! node of the cluster that holds the territory's slot. What went wrong with a server makes the next call look again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::ConnectionInfo;
use futures_util::future::join_all;
use tokio::sync::Notify;

use crate::{clock::Stopwatch, domain::ids::TerritoryId};

use super::{
    address::Address,
    cluster::{self, Row, SLOTS},
    fault::Elsewhere,
    node::{NoWay, Node, Rules},
    sentinel,
};

/// What was found out is not looked up again sooner.
const FRESH: Duration = Duration::from_millis(50);

/// The servers of one store.
pub(super) struct Router {
    address: Address,
    rules: Arc<Rules>,
    known: Mutex<Known>,
    /// One caller looks up, the others wait for what it finds.
    looking: tokio::sync::Mutex<Option<Stopwatch>>,
    /// Wakes whoever audits before its time.
    pub doubt: Arc<Notify>,
}

/// What is known of who owns what.
#[derive(Default)]
struct Known {
    /// By address; all that were ever heard of.
    nodes: BTreeMap<String, Arc<Node>>,
    /// The owner of each slot; one entry for all where there are no slots.
    owners: Vec<Option<Arc<Node>>>,
    /// How often each slot got another owner.
    moves: Vec<u32>,
    /// Servers that failed: whether they still own what they owned must be asked.
    suspects: BTreeSet<String>,
}

impl Router {
    pub fn new(address: Address, rules: Rules) -> Self {
        let (known, looking, doubt) = Default::default();
        Self { address, rules: Arc::new(rules), known, looking, doubt }
    }

    /// Changes when another server, process or history may answer for the territory: how often its owner changed, and how
    /// often what answered as that owner did.
    pub fn generation(&self, territory: &TerritoryId) -> u64 {
        let (slot, known) = (self.slot(territory), self.known());
        let moves = known.moves.get(slot).copied().unwrap_or_default();
        let lives = known.owners.get(slot).and_then(Option::as_ref).map_or(0, |owner| owner.lives());
        u64::from(moves) << 32 | u64::from(lives)
    }

    fn slot(&self, territory: &TerritoryId) -> usize {
        match self.address {
            Address::Cluster { .. } => usize::from(cluster::slot_of(territory.as_str())),
            _ => 0,
        }
    }

    /// Something was not as it was last seen: let it be looked at now.
    pub fn recheck(&self) {
        self.doubt.notify_one();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server that owns the territory.
    pub async fn owner(&self, territory: &TerritoryId) -> Result<Arc<Node>, NoWay> {
        let slot = self.slot(territory);
        if let Some(node) = self.known().owner(slot) {
            return Ok(node);
        }
        self.look(FRESH).await?;
        let known = self.known();
        let none = || NoWay::Passing(format!("no node of the cluster owns slot {slot}"));
        known.owner(slot).or_else(|| known.owners.get(slot).cloned().flatten()).ok_or_else(none)
    }

    /// Every server that owns something now, looked up afresh.
    pub async fn owners(&self) -> Result<Vec<Arc<Node>>, NoWay> {
        self.look(Duration::ZERO).await?;
        let owners: BTreeMap<String, Arc<Node>> =
            self.known().owners.iter().flatten().map(|node| (node.name.clone(), Arc::clone(node))).collect();
        Ok(owners.into_values().collect())
    }

    /// The server failed or is no master: before the next call that it would have owned, it is asked who owns it.
    pub fn suspect(&self, node: &Node) {
        if !matches!(self.address, Address::Static(_)) {
            self.known().suspects.insert(node.name.clone());
        }
        node.drop_all();
    }

    /// The territory's slot has moved.
    pub fn moved(&self, territory: &TerritoryId, from: &Node, to: &Elsewhere) {
        let node = self.at(from, to);
        let mut known = self.known();
        known.suspects.remove(&node.name);
        known.own(self.slot(territory), Some(node));
    }

    /// The server that another one names.
    pub fn at(&self, from: &Node, to: &Elsewhere) -> Arc<Node> {
        self.node(from.beside(to.host.as_deref(), to.port))
    }

    fn node(&self, info: ConnectionInfo) -> Arc<Node> {
        let made = || Arc::new(Node::new(info.clone(), Arc::clone(&self.rules)));
        Arc::clone(self.known().nodes.entry(info.addr().to_string()).or_insert_with(made))
    }

    /// Finds out who owns what, unless that was done within `fresh`.
    async fn look(&self, fresh: Duration) -> Result<(), NoWay> {
        let mut looked = self.looking.lock().await;
        if looked.is_some_and(|at| at.elapsed() < fresh) {
            return Ok(());
        }
        let owners = match &self.address {
            Address::Static(server) => vec![Some(self.node(server.clone()))],
            Address::Sentinel { sentinels, master, servers } => {
                let (host, port) =
                    sentinel::master_of(sentinels, master, self.rules.hello).await.map_err(NoWay::Passing)?;
                vec![Some(self.node(Address::at(servers, &host, port)))]
            }
            Address::Cluster { seeds } => self.slots(seeds).await?,
        };
        self.known().settle(owners);
        *looked = Some(Stopwatch::start());
        Ok(())
    }

    /// The owner of each slot, by the latest configuration that any node knows of.
    async fn slots(&self, seeds: &[ConnectionInfo]) -> Result<Vec<Option<Arc<Node>>>, NoWay> {
        for seed in seeds {
            self.node(seed.clone());
        }
        let asked: Vec<Arc<Node>> = {
            let known = self.known();
            let sound = known.nodes.values().filter(|node| !known.suspects.contains(&node.name)).cloned();
            let sound: Vec<_> = sound.collect();
            if sound.is_empty() { known.nodes.values().cloned().collect() } else { sound }
        };
        let answers = join_all(
            asked
                .iter()
                .map(|node| async move { (Arc::clone(node), cluster::ask(node.info(), self.rules.hello).await) }),
        );
        let mut owners: Vec<Option<(u64, Arc<Node>)>> = vec![None; SLOTS];
        let mut why = String::new();
        for (node, answer) in answers.await {
            match answer {
                Ok(rows) => rows.iter().for_each(|row| self.claim(&mut owners, &node, row)),
                Err(error) => why = error,
            }
        }
        if owners.iter().all(Option::is_none) {
            return Err(NoWay::Passing(format!("no node of the cluster says who owns its slots ({why})")));
        }
        Ok(owners.into_iter().map(|owner| owner.map(|(_, node)| node)).collect())
    }

    fn claim(&self, owners: &mut [Option<(u64, Arc<Node>)>], said_by: &Node, row: &Row) {
        let node = self.node(said_by.beside(row.host.as_deref(), row.port));
        for (first, last) in &row.slots {
            for owner in &mut owners[usize::from(*first)..=usize::from(*last)] {
                if owner.as_ref().is_none_or(|(epoch, _)| *epoch < row.epoch) {
                    *owner = Some((row.epoch, Arc::clone(&node)));
                }
            }
        }
    }
}

impl Known {
    /// The owner of a slot, unless it is in doubt.
    fn owner(&self, slot: usize) -> Option<Arc<Node>> {
        let owner = self.owners.get(slot)?.as_ref()?;
        (!self.suspects.contains(&owner.name)).then(|| Arc::clone(owner))
    }

    /// Notes what was found.
    fn settle(&mut self, owners: Vec<Option<Arc<Node>>>) {
        self.owners.resize(owners.len(), None);
        self.moves.resize(owners.len(), 0);
        for (slot, owner) in owners.into_iter().enumerate() {
            self.own(slot, owner);
        }
        self.suspects.clear();
    }

    fn own(&mut self, slot: usize, owner: Option<Arc<Node>>) {
        let (Some(known), Some(moves)) = (self.owners.get_mut(slot), self.moves.get_mut(slot)) else { return };
        let same = match (&*known, &owner) {
            (Some(before), Some(after)) => Arc::ptr_eq(before, after),
            (before, after) => before.is_none() && after.is_none(),
        };
        if !same {
            *moves = moves.wrapping_add(1);
            *known = owner;
        }
    }
}

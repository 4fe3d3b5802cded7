//! The site while it runs: servers, instances, their clients; and what of it is stored when it has ended.

use std::{collections::BTreeMap, fs, io, sync::Arc};

use sas_dispatch::{
    clock::Clock,
    domain::ids::TerritoryId,
    engine::{Engine, LookupKey, Options, Place, codec::decode_event},
    store::{self, Index, MAX_PAGE, Settings, Store, redis::RedisOptions},
    telemetry::Metrics,
};
use tempfile::TempDir;

use crate::{
    check::{Entry, Stored},
    ground::{Servers, Topology},
    history::{History, Recorder},
    pace::{pass, unix_ms},
    service::{Doors, Instance},
    site::Site,
};

/// Instances of the service.
const INSTANCES: usize = 3;
/// How long they may take to start on a busy machine.
const START_MS: u64 = 120_000;

/// How often it is tried to remove what a run left on disk.
const REMOVALS: usize = 10_000;

/// Everything that was started.
#[derive(Debug)]
pub struct Stand {
    pub topology: Topology,
    // Processes are dropped, and so killed, before their folder goes.
    pub instances: Vec<Instance>,
    pub servers: Servers,
    pub site: Site,
    pub doors: Arc<Doors>,
    pub recorder: Arc<Recorder>,
    _folder: Folder,
}

/// Everything of a run on disk; gone when dropped, also when what a killed server had started still writes to it for a moment.
#[derive(Debug)]
struct Folder(TempDir);

impl Drop for Folder {
    fn drop(&mut self) {
        for _ in 0..REMOVALS {
            if fs::remove_dir_all(self.0.path()).is_ok() || !self.0.path().exists() {
                return;
            }
            std::thread::yield_now();
        }
    }
}

impl Stand {
    /// Starts servers and instances; returns once every instance answers.
    pub async fn start(topology: Topology) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("sas-chaos-").tempdir()?;
        let servers = Servers::start(topology, INSTANCES, folder.path()).await?;
        let site = Site::prepare(folder.path().join("config"), topology.territories(), &topology.settings())?;
        let doors = Arc::new(Doors::new(INSTANCES));
        let instance = |n: usize| Instance::new(n, doors.port(n), &site.folder, &servers.urls[n], folder.path());
        let instances = (0..INSTANCES).map(instance).collect();
        let recorder = Arc::default();
        let mut stand = Self { topology, instances, servers, site, doors, recorder, _folder: Folder(folder) };
        stand.supervise()?;
        match stand.unanswered(START_MS).await?.as_slice() {
            [] => Ok(stand),
            [first, ..] => {
                let said = stand.instances[*first].process.last_words();
                Err(io::Error::other(format!("instance {first} does not answer:\n{said}")))
            }
        }
    }

    /// Starts again what has ended by itself.
    pub fn supervise(&mut self) -> io::Result<()> {
        self.servers.supervise()?;
        self.instances.iter_mut().try_for_each(Instance::supervise)
    }

    /// Ends every fault.
    pub fn heal(&mut self) -> io::Result<()> {
        for instance in &mut self.instances {
            instance.process.signal("CONT");
            instance.down = false;
        }
        self.servers.heal()?;
        self.supervise()
    }

    /// Whether the servers are whole again within this time: a fault is not to meet the work of the one before, or two
    /// would strike a system that promises to bear one.
    pub async fn settle(&mut self, ms: u64) -> io::Result<bool> {
        self.supervise()?;
        self.servers.settle(ms).await
    }

    /// The instances that do not answer for every territory within this time.
    pub async fn unanswered(&mut self, ms: u64) -> io::Result<Vec<usize>> {
        let territories = self.topology.territories();
        let mut silent: Vec<usize> = (0..self.instances.len()).collect();
        for _ in 0..ms / 250 {
            self.supervise()?;
            let mut still = Vec::new();
            for instance in silent {
                let mut answers = true;
                for territory in territories {
                    answers = answers && self.doors.answers(instance, territory).await;
                }
                if !answers {
                    still.push(instance);
                }
            }
            silent = still;
            if silent.is_empty() {
                break;
            }
            pass(250).await;
        }
        Ok(silent)
    }

    /// Returns once no hand-over waits for an answer or for its other side, or after this time: what is left then is judged.
    pub async fn handed_over(&self, ms: u64) {
        for _ in 0..ms / 500 {
            if self.hand_overs_wait().await == Ok(false) {
                return;
            }
            pass(500).await;
        }
    }

    /// Those that are through stand behind those that wait, which stand by when they were sent.
    async fn hand_overs_wait(&self) -> Result<bool, String> {
        let (store, now) = (self.store().await?, unix_ms());
        for ground in &self.site.grounds {
            let territory = ground.territory.parse().expect("the territories of a run are well written");
            let page =
                store.range(&territory, &Index::transfers(), None, 1).await.map_err(|error| error.to_string())?;
            if page.entries.first().is_some_and(|(sent, _)| *sent <= now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stops the instances: what is stored changes no more.
    pub async fn stop_instances(&mut self) {
        for instance in &mut self.instances {
            instance.down = true;
            instance.process.signal("TERM");
        }
        for _ in 0..40 {
            if self.instances.iter_mut().all(|instance| !instance.process.alive()) {
                break;
            }
            pass(50).await;
        }
        self.instances.iter_mut().for_each(|instance| instance.process.kill());
    }

    /// A store of the harness's own on the same servers.
    pub async fn store(&self) -> Result<Arc<dyn Store>, String> {
        let settings = Settings::Redis(RedisOptions::new(self.servers.url.clone()));
        store::open(settings).await.map_err(|error| format!("the stored state could not be read: {error}"))
    }

    /// Everything that is stored, and what the service's own checker says of it.
    pub async fn stored(&self, history: &History) -> Result<Stored, String> {
        let store = self.store().await?;
        let engine = self.engine(store.clone());
        let mut stored = Stored::default();
        for territory in store.territories().await.map_err(|error| error.to_string())? {
            let log = whole(store.as_ref(), &territory).await?;
            let report = engine.check(&territory).await.map_err(|error| error.to_string())?;
            stored.broken.extend(report.violations.iter().map(|text| format!("{territory}: stored state: {text}")));
            stored.logs.insert(territory.to_string(), log);
        }
        receipts(store.as_ref(), history, &mut stored).await?;
        Ok(stored)
    }

    fn engine(&self, store: Arc<dyn Store>) -> Engine {
        let place = |ground: &Arc<sas_dispatch::config::Ground>| {
            Arc::new(Place { territory: ground.0.clone(), directory: ground.1.clone() })
        };
        let places: BTreeMap<TerritoryId, Arc<Place>> =
            self.site.config.territories.iter().map(|(id, ground)| (id.clone(), place(ground))).collect();
        let lookup = LookupKey::new(crate::site::LOOKUP_KEY.as_bytes());
        Engine::new(store, Clock::System, places, lookup, Metrics::silent(), Options::default())
    }
}

async fn whole(store: &dyn Store, territory: &TerritoryId) -> Result<Vec<Entry>, String> {
    let mut log: Vec<Entry> = Vec::new();
    loop {
        let after = log.last().map_or(0, |entry| entry.seq);
        let page = store.log(territory, after, MAX_PAGE).await.map_err(|error| error.to_string())?;
        if page.is_empty() {
            return Ok(log);
        }
        for entry in page {
            let event = decode_event(&entry.event).map_err(|error| error.to_string())?;
            let (seq, command_id, at_ms) = (entry.seq, entry.command_id.to_string(), entry.at.unix_ms());
            log.push(Entry { seq, command_id, at_ms, event });
        }
    }
}

/// The receipts of acknowledged commands without an entry in the log.
async fn receipts(store: &dyn Store, history: &History, stored: &mut Stored) -> Result<(), String> {
    let logged: std::collections::BTreeSet<&str> =
        stored.logs.values().flatten().map(|entry| entry.command_id.as_str()).collect();
    let silent: Vec<_> = history
        .ops
        .iter()
        .filter(|op| op.told().is_some() && !logged.contains(op.command_id.as_str()))
        .map(|op| (op.territory.clone(), op.command_id.clone()))
        .collect();
    for (territory, command) in silent {
        let territory: TerritoryId = territory.parse().expect("the territories of a run are well written");
        let id = command.parse().expect("the commands of a run are UUIDs");
        let known = store.read(&territory, &[], Some(id)).await.map_err(|error| error.to_string())?;
        stored.receipts.extend(known.receipt.map(|receipt| (command, receipt.seq)));
    }
    Ok(())
}

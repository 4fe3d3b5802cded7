//! Wires the service: store, engine, upkeep and doors. `serve`, `demo`, `replay` and the stories all start it here.

mod lookup;
pub mod statistics;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use secrecy::ExposeSecret;
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
    sync::watch,
    task::JoinHandle,
};
use tracing::{error, info, warn};

use crate::{
    archive::folder::Folder,
    clock::{Clock, Stopwatch},
    config::{ArchiveSettings, Below, Config, Ground, Intake, Promised, StoreSettings},
    domain::{case::state::SCHEMA, ids::TerritoryId, time::Span},
    engine::{Archive, Engine, LookupKey, Options, Place, WatchLimits},
    grpc::{self, ServerOptions, convert::intake::Arrivals},
    sheet::Sheets,
    store::{
        self, Durability, DurabilityReport, Policy, Promise, Settings, Store, StoreError,
        fence::{FenceOptions, Fenced, kept},
        redis::RedisOptions,
    },
    telemetry::{Metrics, labels::StoreKind},
};

/// How often the lengths of the queues are reported.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// Where the state is to be.
#[derive(Debug, Clone)]
pub enum StorePlace {
    /// Embedded, in this folder.
    Embedded(PathBuf),
    /// In this Redis; the URL may hold a password and is never printed.
    Redis(String),
}

/// Who fires what falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upkeep {
    /// A loop of this process, this often.
    Every(Duration),
    /// Whoever drives the clock calls [`Engine::upkeep_once`].
    ByHand,
}

/// What a service is started with.
#[derive(Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Arc<Config>,
    /// Time.
    pub clock: Clock,
    /// Where the state is.
    pub store: StorePlace,
    /// Upkeep.
    pub upkeep: Upkeep,
    /// Instruments.
    pub metrics: Metrics,
}

/// Why a service did not start, with what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store is in the way.
    #[error("the store did not open: {0}")]
    Store(#[from] StoreError),
    /// A file or a port is in the way.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The store keeps less than the configuration promises, and is to be refused then.
    #[error(
        "durabilité {found}, alors que {promised} est promise ; {}. Changez ces réglages, ou la promesse (store.durability), \
         ou démarrez malgré tout (store.below = \"degraded\")",
        .remarks.join(" ; ")
    )]
    Below {
        /// The level the audit found.
        found: Durability,
        /// The level promised.
        promised: Durability,
        /// What was read and what to change, in French.
        remarks: Vec<String>,
    },
    /// Other instances of the site run with another look-up key.
    #[error(
        "la clé de recherche de cette instance n'est pas celle des autres ({}) : un appel qui sonne chez l'une et aboutit chez \
         l'autre ferait deux dossiers. Copiez ici le fichier lookup.key des autres (dossier store.data_dir ou --data), ou \
         donnez à toutes la même store.lookup_key. Si leur clé est perdue pour de bon : arrêtez toutes les instances, lancez \
         sur Redis {}, puis redémarrez-les toutes avec une même clé ; les dossiers en cours ne seront plus retrouvés par leur \
         numéro",
        .territories.join(", "), .forget.join(" ; ")
    )]
    OtherKey {
        /// The territories where it is so.
        territories: Vec<String>,
        /// What has the store forget the other key, a command for each.
        forget: Vec<String>,
    },
    /// What is kept there was written by a newer version.
    #[error(
        "{territory} : données d'une version plus récente (schéma {found}, celle-ci connaît {known} au plus) : rien ne \
         pourrait y être écrit. Lancez la version qui les a écrites, ou une plus récente, sur toutes les instances",
        known = SCHEMA
    )]
    Newer {
        /// Whose data.
        territory: TerritoryId,
        /// The schema found.
        found: u32,
    },
    /// The actor of a call is taken from its metadata, which only this machine may be trusted with.
    #[error("{0} is not a loopback address: until identities are checked, listen on 127.0.0.1 or [::1] only")]
    NotLoopback(SocketAddr),
}

/// A running service.
#[derive(Debug)]
pub struct Service {
    /// The engine, for upkeep by hand and for checks.
    pub engine: Engine,
    /// What the store's settings promise.
    pub durability: DurabilityReport,
    /// The level the configuration promises.
    pub promised: Durability,
    /// Where it listens.
    pub address: SocketAddr,
    /// Territories whose look-up key was lost: earlier calls of a number are not found there.
    pub lookup_lost: Vec<TerritoryId>,
    fence: Arc<Fenced>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// The runtime that serves on `threads` threads; one is the calling thread itself.
///
/// # Errors
/// When the machine gives no thread or no poller.
pub fn runtime(threads: usize) -> std::io::Result<Runtime> {
    let mut builder = match threads {
        1 => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    builder.worker_threads(threads).enable_all().build()
}

/// Starts a service on `listener`.
///
/// # Errors
/// When the store does not open or the address may not be listened on.
pub async fn start(setup: Setup, listener: TcpListener) -> Result<Service, StartError> {
    let address = listener.local_addr().map_err(|error| StartError::Io { what: "listening".to_owned(), error })?;
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    let Opened { engine, durability, fence, lookup_lost } = open_engine(&setup).await?;
    let server = &setup.config.settings.server;
    let (stop, stopped) = watch::channel(false);
    let options = ServerOptions {
        max_message_bytes: server.max_message_bytes,
        max_streams_per_connection: server.max_streams_per_connection,
        max_requests_in_hand: server.max_requests_in_hand,
        reserved_requests: server.reserved_requests,
        request_deadline: server.request_deadline,
        shutdown_grace: server.shutdown_grace,
        arrivals: Arrivals { late: server.late_call, paper: server.oldest_paper },
        browser_origins: server.browser_origins.clone(),
    };
    let served = grpc::serve(engine.clone(), options, listener, until(stopped.clone()));
    let mut tasks = vec![tokio::spawn(async move {
        if let Err(error) = served.await {
            error!(%error, "the port stopped answering");
        }
    })];
    let settings = &setup.config.settings.store;
    let promised = promise(settings).level;
    tasks.push(tokio::spawn(watch_durability(engine.clone(), promised, duration(settings.audit), stopped.clone())));
    if let Upkeep::Every(pause) = setup.upkeep {
        tasks.push(tokio::spawn(upkeep(engine.clone(), pause, stopped.clone())));
        let (present, stop) = (engine.clone(), until(stopped.clone()));
        tasks.push(tokio::spawn(async move {
            tokio::select! {
                () = stop => {}
                () = present.stay_present() => {}
            }
        }));
        tasks.push(tokio::spawn(archiving(engine.clone(), setup.config.settings.archive.every, stopped.clone())));
        tasks.push(tokio::spawn(sheets(engine.clone(), fence.clone(), sheets_of(&setup), stopped.clone())));
        let settings = &setup.config.settings.indicators;
        if settings.enabled {
            tasks.push(tokio::spawn(statistics::follow(engine.clone(), settings.every, stopped)));
        }
    }
    info!(%address, level = %durability.level, "listening");
    tell_of_protocols(&setup.config);
    Ok(Service { engine, durability, promised, address, lookup_lost, fence, stop, tasks })
}

impl Service {
    /// Stops taking calls, lets the open ones end, and comes back when all has stopped; the port keeps to its grace.
    pub async fn stop(self) {
        // The receivers live as long as the tasks; a task that is gone needs no telling.
        self.stop.send(true).ok();
        for task in self.tasks {
            if let Err(error) = task.await {
                warn!(%error, "a part of the service did not stop cleanly");
            }
        }
        // Watches and tails hold the store, which another process may be waiting for.
        self.engine.close().await;
        self.fence.flush();
    }
}

/// Which protocols advise here, and which are off for want of a committee's signature.
fn tell_of_protocols(config: &Config) {
    for (territory, ground) in &config.territories {
        let (book, off) = (&ground.0.book, ground.0.book.off_codes());
        let in_force = book.protocols().len() - off.len();
        info!(%territory, in_force, off = off.len(), unsigned_run = book.runs_unsigned(), "triage protocols");
        for dated in ground.0.regulation.protocols.iter().filter(|dated| !ground.0.regulation.applies(dated)) {
            let protocol = dated.protocol.name.as_str();
            warn!(%territory, protocol, "a protocol of D6311-35 is off: no committee has signed what it says now");
        }
    }
}

/// An engine over its store.
struct Opened {
    engine: Engine,
    durability: DurabilityReport,
    fence: Arc<Fenced>,
    lookup_lost: Vec<TerritoryId>,
}

async fn open_engine(setup: &Setup) -> Result<Opened, StartError> {
    let settings = &setup.config.settings.store;
    let clock = setup.clock.clone();
    let redis = |url: &str| {
        let options = redis_options(url, settings, clock.clone());
        (StoreKind::Redis, Settings::Redis(options), settings.data_dir.clone(), kept::store_name(Some(url)))
    };
    let embedded = |data: &PathBuf| {
        let opened = Settings::Embedded { data: data.clone(), clock: clock.clone() };
        (StoreKind::Embedded, opened, data.clone(), kept::store_name(None))
    };
    let (kind, opened, data, name) = match &setup.store {
        StorePlace::Redis(url) => redis(url),
        StorePlace::Embedded(data) => embedded(data),
    };
    let fence = fenced(setup, store::open(opened).await?, &data, &name)?;
    let store: Arc<dyn Store> = fence.clone();
    let durability = audited(&*store, settings).await?;
    let promised = promise(settings).level;
    let lookup = match &settings.lookup_key {
        Some(secret) => LookupKey::new(secret.expose_secret().as_bytes()),
        None => lookup::kept_in(&data)?,
    };
    let configured = setup.config.territories.keys().cloned().collect();
    let lookup_lost = lookup::begun(&*store, configured, &lookup).await?;
    let intake = match settings.intake_policy {
        Intake::Strict => Policy::Strict,
        Intake::Degraded => Policy::Degraded,
    };
    let server = &setup.config.settings.server;
    let watch = WatchLimits {
        buffer: server.watch_buffer_changes,
        stall: duration(server.watch_stall),
        silence: duration(server.watch_silence),
        retry_pause: duration(settings.retry_pause),
        pace: duration(server.unwatched_pace),
    };
    let request = duration(setup.config.settings.server.request_deadline);
    let options = Options {
        attempts: settings.commit_attempts,
        page_rows: server.max_page_rows,
        store: kind,
        intake,
        promised,
        watch,
        refusals: settings.unavailable_retries,
        longest_pause: duration(settings.retry_pause),
        patience: request.saturating_sub(duration(settings.redis_response)),
        ..Options::default()
    };
    let place = |ground: &Arc<Ground>| Arc::new(Place { territory: ground.0.clone(), directory: ground.1.clone() });
    let places = setup.config.territories.iter().map(|(id, ground)| (id.clone(), place(ground))).collect();
    let engine = Engine::new(store, setup.clock.clone(), places, lookup, setup.metrics.clone(), options);
    let engine = archived(engine, &setup.config.settings.archive, &data);
    let engine = engine.with_statistics(statistics::kept_in(&data, &setup.config.settings));
    Ok(Opened { engine, durability, fence, lookup_lost })
}

/// What the store keeps, and where that is less than is promised what to change.
async fn audited(store: &dyn Store, settings: &StoreSettings) -> Result<DurabilityReport, StartError> {
    let mut found = store.durability().await?;
    let promised = promise(settings).level;
    if found.level >= promised {
        return Ok(found);
    }
    if found.remarks.is_empty() {
        let embedded =
            "l'enregistrement embarqué n'a pas de réplique et tient D1 au plus : D2 demande Redis et une réplique";
        found.remarks.push(embedded.to_owned());
    }
    match settings.below {
        Below::Refuse => Err(StartError::Below { found: found.level, promised, remarks: found.remarks }),
        Below::Degraded => Ok(found),
    }
}

/// The fence over a store, which begins with what was acknowledged before the last stop.
fn fenced(setup: &Setup, store: Arc<dyn Store>, data: &Path, name: &str) -> Result<Arc<Fenced>, StartError> {
    let settings = &setup.config.settings.store;
    let folder = settings.acknowledged_dir.as_deref().unwrap_or(data);
    let keeper = kept::Keeper::open(folder, name).map_err(|error| StartError::Io {
        what: format!("keeping the last acknowledged commands in {}", folder.display()),
        error,
    })?;
    let (every, clock, metrics) = (duration(settings.acknowledged_pace), setup.clock.clone(), setup.metrics.clone());
    let promised = promise(settings).level;
    Ok(Fenced::over(store, FenceOptions { keeper: Some(keeper), every, clock, metrics, promised }))
}

fn redis_options(url: &str, settings: &StoreSettings, clock: Clock) -> RedisOptions {
    RedisOptions {
        deadline: duration(settings.redis_response),
        clock,
        promise: promise(settings),
        audit_every: duration(settings.audit),
        replica_lag: settings.replica_lag,
        max_server_gap: settings.max_server_gap,
        ..RedisOptions::new(url)
    }
}

fn promise(settings: &StoreSettings) -> Promise {
    let level = match settings.durability {
        Promised::D0_5 => Durability::D0_5,
        Promised::D1 => Durability::D1,
        Promised::D2 => Durability::D2,
    };
    Promise { level, replicas: settings.replicas, wait: duration(settings.wait) }
}

async fn upkeep(engine: Engine, pause: Duration, stopped: watch::Receiver<bool>) {
    let stop = until(stopped);
    tokio::pin!(stop);
    let mut measured: Option<Stopwatch> = None;
    loop {
        engine.present();
        if let Err(error) = engine.upkeep_once().await {
            warn!(%error, "upkeep did not reach the store; it is tried again");
        }
        // What falls due comes first; the lengths of the queues are figures for people.
        if measured.is_none_or(|measured| measured.elapsed() >= MEASURE_EVERY) {
            measured = Some(Stopwatch::start());
            if let Err(error) = engine.measure_queues().await {
                warn!(%error, "the queues were not measured");
            }
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Keeps the level in the figures; the store itself raises the alarm in the log.
async fn watch_durability(engine: Engine, promised: Durability, pause: Duration, stopped: watch::Receiver<bool>) {
    let stop = until(stopped);
    tokio::pin!(stop);
    loop {
        let level = engine.durability().await.map_or(Durability::Unknown, |report| report.level);
        engine.metrics().durability(level.rung(), level < promised);
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// The engine with the archive that is configured, or without one.
fn archived(engine: Engine, settings: &ArchiveSettings, data: &Path) -> Engine {
    if !settings.enabled {
        return engine;
    }
    let folder = Folder::new(settings.dir.clone().unwrap_or_else(|| data.join("archive")));
    engine.with_archive(Archive { folder, keep_closed: settings.keep_closed, keep_log: settings.keep_log })
}

/// Lets what is over leave the working set, round after round.
async fn archiving(engine: Engine, every: Span, stopped: watch::Receiver<bool>) {
    let stop = until(stopped);
    tokio::pin!(stop);
    loop {
        if let Err(error) = engine.archive_once().await {
            warn!(%error, "nothing more left the working set in this round; it is tried again");
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(duration(every)) => {}
        }
    }
}

fn sheets_of(setup: &Setup) -> Sheets {
    let settings = &setup.config.settings;
    let dir = settings.sheet.dir.clone().unwrap_or_else(|| settings.store.data_dir.join("feuille-de-garde"));
    Sheets { dir, every: settings.sheet.every }
}

/// A round of shift sheets that takes long is followed by a pause this many times as long: in a territory with very many
/// open cases the sheet gets older, never the answer to a caller later.
const SHEET_PAUSE: u32 = 9;

/// Writes the shift sheets again and again; what stands on disk stays when the store or this process goes.
async fn sheets(engine: Engine, fence: Arc<Fenced>, sheets: Sheets, stopped: watch::Receiver<bool>) {
    let stop = until(stopped);
    tokio::pin!(stop);
    let mut next = duration(sheets.every);
    loop {
        let began = Stopwatch::start();
        let behind = |territory: &TerritoryId| fence.behind(territory).is_some();
        let round = sheets.write_all(&engine, span(next), &behind).await;
        for (territory, error) in round.failed {
            warn!(%territory, %error, "the shift sheet was not written; the last one stays");
        }
        let pause = duration(sheets.every).max(SHEET_PAUSE * round.work);
        next = pause + began.elapsed();
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone stops the service as well.
    stopped.wait_for(|stop| *stop).await.ok();
}

fn span(duration: Duration) -> Span {
    Span::from_ms(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

fn duration(span: crate::domain::time::Span) -> Duration {
    Duration::from_millis(span.ms().unsigned_abs())
}

//! A regulation room: a service of a test's own behind a real TCP port, on a clock that the test moves, and the people
//! who work with it, each a real gRPC client.

mod desk;
mod field;
mod person;
mod seen;
mod words;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use chrono::{NaiveDateTime, NaiveTime};
use sas_dispatch::{
    app::{self, Service, Setup, StorePlace, Upkeep},
    clock::Clock,
    config::{Config, Promised},
    domain::{
        actor::Role,
        calendar::{local, local_date, to_instant},
        case::Event,
        ids::TerritoryId,
        time::{Instant, Span},
    },
    engine::codec::decode_event,
    grpc::client::{Link, connect},
    sheet::Sheets,
    store::{self, Settings},
    telemetry::Metrics,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub use desk::{Console, next};
pub(crate) use person::ask;
pub use person::{Calls, Person, Refused, Stopped, Story};
pub use seen::{Route, Seen};
pub use words::{Patient, answered, asked, ill, lives_in_ehpad, need, prescription, qualified, safety_net};

use super::{
    redis::{Server, until},
    topology::{Replicated, follows},
};

/// Where the room keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// A file of its own.
    Embedded,
    /// A Redis of its own.
    Redis,
    /// A Redis and a replica that has every write before it is acknowledged (D2).
    Replicated,
}

/// What outlives a stop of the service: the clock, and where the state lies.
#[derive(Clone)]
struct Site {
    territory: &'static str,
    clock: Clock,
    calls: Calls,
    config: Arc<Config>,
    redis: Option<Arc<Mutex<Server>>>,
    /// Lives as long as the site.
    _replica: Option<Arc<Server>>,
    dir: Arc<TempDir>,
}

/// A room of one territory with everybody in it.
pub struct Room {
    service: Service,
    link: Link,
    site: Site,
}

impl Site {
    fn store(&self) -> StorePlace {
        match &self.redis {
            Some(server) => StorePlace::Redis(server.lock().unwrap().url()),
            None => StorePlace::Embedded(self.dir.path().join("data")),
        }
    }

    async fn opens(self) -> Room {
        self.measured(Metrics::silent()).await
    }

    async fn measured(self, metrics: Metrics) -> Room {
        let (config, clock) = (self.config.clone(), self.clock.clone());
        let setup = Setup { config, clock, store: self.store(), upkeep: Upkeep::ByHand, metrics };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = app::start(setup, listener).await.unwrap();
        let link = connect(service.address).await.unwrap();
        Room { service, link, site: self }
    }
}

impl Room {
    /// A room of `territory` on an embedded store, where it is `wall` (`2024-12-19 10:00`) on the wall clock.
    pub async fn at(territory: &'static str, wall: &str) -> Self {
        Self::on(Ground::Embedded, territory, wall).await
    }

    /// A room whose state lies on `ground`.
    pub async fn on(ground: Ground, territory: &'static str, wall: &str) -> Self {
        Self::configured(shipped(), ground, territory, wall).await
    }

    /// A room of another configuration than the shipped one.
    pub async fn configured(mut config: Config, ground: Ground, territory: &'static str, wall: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // The key of the look-up hashes is kept there: of the site, not of the instance.
        config.settings.store.data_dir = dir.path().join("data");
        let zone = config.territory(&id(territory)).unwrap().0.calendar.zone();
        let wall = NaiveDateTime::parse_from_str(wall, "%Y-%m-%d %H:%M").unwrap();
        let (redis, replica) = match ground {
            Ground::Embedded => (None, None),
            Ground::Redis => (Some(Server::start("always")), None),
            Ground::Replicated => {
                config.settings.store.durability = Promised::D2;
                config.settings.store.replicas = 1;
                // A replica on a busy machine is late and not away.
                config.settings.store.wait = Span::from_secs(20);
                let [master, replica] = Replicated::without_sentinels().await.servers;
                until("the replica follows", async || follows(&replica).await).await;
                until("the master counts on it", async || master.says(&["INFO", "replication"], "state=online").await)
                    .await;
                (Some(master), Some(replica))
            }
        };
        let site = Site {
            territory,
            clock: Clock::manual(to_instant(zone, wall)),
            calls: Calls::default(),
            redis: redis.map(|server| Arc::new(Mutex::new(server))),
            _replica: replica.map(Arc::new),
            config: Arc::new(config),
            dir: Arc::new(dir),
        };
        site.opens().await
    }

    /// Another instance of the service beside this one, on the same Redis.
    pub async fn beside(&self) -> Self {
        assert!(self.site.redis.is_some(), "an embedded store serves one instance");
        self.site.clone().opens().await
    }

    /// The service stops and starts again on what it kept; everybody connects anew.
    pub async fn restarts(self) -> Self {
        self.service.stop().await;
        self.site.opens().await
    }

    /// The same under another configuration.
    pub async fn restarts_under(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.site.config));
        self.restarts().await
    }

    /// The same with what it measures reported.
    pub async fn restarts_measured(self, metrics: Metrics) -> Self {
        self.service.stop().await;
        self.site.measured(metrics).await
    }

    /// The power of the Redis machine fails and comes back.
    pub fn redis_dies_and_comes_back(&self) {
        let mut server = self.site.redis.as_ref().unwrap().lock().unwrap();
        server.kill();
        server.restart();
    }

    /// The machine of Redis stands still, or goes on.
    pub fn redis_stands_still(&self, still: bool) {
        self.site.redis.as_ref().unwrap().lock().unwrap().signal(if still { "STOP" } else { "CONT" });
    }

    /// The socket of its Redis.
    pub fn redis_socket(&self) -> std::path::PathBuf {
        self.site.redis.as_ref().unwrap().lock().unwrap().dir.path().join("redis.sock")
    }

    /// A regulator on a connection of his own.
    pub async fn on_another_line(&self, name: &str) -> Person {
        let link = connect(self.service.address).await.unwrap();
        let clients = link.acting(name, Role::Regulator, self.site.territory).unwrap();
        Person::new(name, Role::Regulator, clients, self.site.clock.clone(), self.site.calls.clone())
    }

    /// How many watches of the territory the service serves.
    pub fn watching(&self) -> usize {
        self.service.engine.watching(&id(self.site.territory))
    }

    /// How often the log and the records of Redis were read; 0 without one.
    pub async fn redis_reads(&self) -> u64 {
        let Some(server) = &self.site.redis else { return 0 };
        let url = server.lock().unwrap().url();
        let mut connection = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
        let stats: String = redis::cmd("INFO").arg("commandstats").query_async(&mut connection).await.unwrap();
        let calls = |line: &str| line.split_once("calls=")?.1.split(',').next()?.parse::<u64>().ok();
        let read = ["xrange", "evalsha", "evalsha_ro"].map(|name| format!("cmdstat_{name}:"));
        stats.lines().filter(|line| read.iter().any(|name| line.starts_with(name))).filter_map(calls).sum()
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.service.address
    }

    pub fn arm(&self, name: &str) -> Person {
        self.somebody(name, Role::Arm)
    }

    pub fn regulator(&self, name: &str) -> Person {
        self.somebody(name, Role::Regulator)
    }

    pub fn coordinator(&self, name: &str) -> Person {
        self.somebody(name, Role::Coordinator)
    }

    /// A doctor or structure that gives care.
    pub fn responder(&self, name: &str) -> Person {
        self.somebody(name, Role::Responder)
    }

    pub fn dispatcher(&self, name: &str) -> Person {
        self.somebody(name, Role::Dispatcher)
    }

    /// The telephone exchange.
    pub fn telephony(&self) -> Person {
        self.somebody("pbx-1", Role::Telephony)
    }

    pub fn supervisor(&self, name: &str) -> Person {
        self.somebody(name, Role::Supervisor)
    }

    pub fn back_office(&self) -> Person {
        self.somebody("office-1", Role::BackOffice)
    }

    fn somebody(&self, name: &str, role: Role) -> Person {
        self.elsewhere(name, role, self.site.territory)
    }

    /// Somebody of another territory at the same service.
    pub fn elsewhere(&self, name: &str, role: Role, territory: &str) -> Person {
        let clients = self.link.acting(name, role, territory).unwrap();
        Person::new(name, role, clients, self.site.clock.clone(), self.site.calls.clone())
    }

    /// Now.
    pub fn now(&self) -> Instant {
        self.site.clock.now()
    }

    /// Unix milliseconds of `HH:MM` today, on the wall clock of the territory.
    pub fn today(&self, time: &str) -> i64 {
        let time = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
        to_instant(self.zone(), local_date(self.zone(), self.now()).and_time(time)).unix_ms()
    }

    /// Unix milliseconds of a wall-clock time of any day.
    pub fn wall(&self, text: &str) -> i64 {
        to_instant(self.zone(), NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()).unix_ms()
    }

    /// What the wall clock shows at an instant, `HH:MM`.
    pub fn clock_at(&self, unix_ms: i64) -> String {
        local(self.zone(), Instant::from_unix_ms(unix_ms)).format("%H:%M").to_string()
    }

    fn zone(&self) -> chrono_tz::Tz {
        self.service.engine.territory(&id(self.site.territory)).unwrap().territory.calendar.zone()
    }

    /// Time passes; what falls due on the way is done when it falls due, as upkeep does it.
    pub async fn wait(&self, span: Span) {
        let end = self.now() + span;
        let step = match span.secs() {
            0..=900 => Span::from_secs(5),
            901..=7_200 => Span::from_secs(30),
            _ => Span::from_mins(5),
        };
        while self.now() < end {
            self.site.clock.advance_to(end.min(self.now() + step));
            while self.service.engine.upkeep_once().await.unwrap() > 0 {}
        }
    }

    /// Time passes until `HH:MM` of today.
    pub async fn wait_until(&self, time: &str) {
        let at = Instant::from_unix_ms(self.today(time));
        assert!(at > self.now(), "{time} is over");
        self.wait(at.since(self.now())).await;
    }

    /// The service writes its shift sheets into a folder.
    pub async fn writes_sheets(&self, dir: &std::path::Path) {
        let sheets = Sheets { dir: dir.to_owned(), every: Span::from_secs(15) };
        assert!(sheets.write_all(&self.service.engine, sheets.every, &|_| false).await.failed.is_empty());
    }

    /// The calls each role has made until now.
    pub fn calls(&self) -> BTreeMap<String, u32> {
        self.site.calls.by_role()
    }

    /// The end of a story that asks what the log says: as [`Room::closes`], then every event of the territory.
    pub async fn log(self) -> Vec<Event> {
        let site = self.site.clone();
        self.closes().await.unwrap();
        let (data, clock) = (site.dir.path().join("data"), site.clock);
        let store = store::open(Settings::Embedded { data, clock }).await.unwrap();
        let entries = store.log(&id(site.territory), 0, store::MAX_PAGE).await.unwrap();
        entries.iter().map(|entry| decode_event(&entry.event).unwrap()).collect()
    }

    /// The end of a story: nothing that must never happen has happened, in the log, the records or the indexes, and the
    /// service stops.
    pub async fn closes(self) -> Story {
        for place in self.service.engine.territories() {
            let report = self.service.engine.check(&place.territory.id).await.unwrap();
            assert_eq!(report.violations, [""; 0], "{}", report.territory);
        }
        self.service.stop().await;
        Ok(())
    }
}

fn id(territory: &str) -> TerritoryId {
    territory.parse().unwrap()
}

/// The configuration as shipped, for a room that changes a limit of it; the protocols of D6311-35 are annexed to a
/// convention here.
pub fn shipped() -> Config {
    let mut config = Config::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap();
    for ground in config.territories.values_mut() {
        let regulation = &mut Arc::make_mut(ground).0.regulation;
        regulation.unsigned_run = true;
        // The room of a story is quiet; only a story of that looks at how many wait.
        regulation.p3.waiting_from = 0;
    }
    config
}

//! A regulation room: a service of a test's own behind a real TCP port, on a clock that the test moves, and the people
//! who work with it, each a real gRPC client.

mod desk;
mod field;
mod person;
mod seen;
mod words;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{NaiveDateTime, NaiveTime};
use sas_dispatch::{
    app::{self, Service, Setup, StorePlace, Upkeep},
    clock::Clock,
    config::Config,
    domain::{
        actor::Role,
        calendar::{local, local_date, to_instant},
        ids::TerritoryId,
        time::{Instant, Span},
    },
    grpc::client::{Link, connect},
    telemetry::Metrics,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub use desk::{Console, next};
pub(crate) use person::ask;
pub use person::{Calls, Person, Refused, Stopped, Story};
pub use seen::{Route, Seen};
pub use words::{Patient, ill, lives_in_ehpad, need, qualified};

use super::redis::Server;

/// Where the room keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// A file of its own.
    Embedded,
    /// A Redis of its own.
    Redis,
}

/// A room of one territory with everybody in it.
pub struct Room {
    service: Service,
    link: Link,
    clock: Clock,
    territory: &'static str,
    calls: Calls,
    // The service goes before what its state lies in.
    _redis: Option<Server>,
    _dir: TempDir,
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
        let redis = (ground == Ground::Redis).then(|| Server::start("always"));
        let store = match &redis {
            Some(server) => StorePlace::Redis(server.url()),
            None => StorePlace::Embedded(dir.path().join("data")),
        };
        config.settings.store.data_dir = dir.path().join("data");
        let zone = config.territory(&id(territory)).unwrap().0.calendar.zone();
        let wall = NaiveDateTime::parse_from_str(wall, "%Y-%m-%d %H:%M").unwrap();
        let clock = Clock::manual(to_instant(zone, wall));
        let setup = Setup {
            config: Arc::new(config),
            clock: clock.clone(),
            store,
            upkeep: Upkeep::ByHand,
            metrics: Metrics::silent(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = app::start(setup, listener).await.unwrap();
        let link = connect(service.address).await.unwrap();
        let calls = Calls::default();
        Self { service, link, clock, territory, calls, _redis: redis, _dir: dir }
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
        self.elsewhere(name, role, self.territory)
    }

    /// Somebody of another territory at the same service.
    pub fn elsewhere(&self, name: &str, role: Role, territory: &str) -> Person {
        let clients = self.link.acting(name, role, territory).unwrap();
        Person::new(name, role, clients, self.clock.clone(), self.calls.clone())
    }

    /// Now.
    pub fn now(&self) -> Instant {
        self.clock.now()
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
        self.service.engine.territory(&id(self.territory)).unwrap().territory.calendar.zone()
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
            self.clock.advance_to(end.min(self.now() + step));
            while self.service.engine.upkeep_once().await.unwrap() > 0 {}
        }
    }

    /// Time passes until `HH:MM` of today.
    pub async fn wait_until(&self, time: &str) {
        let at = Instant::from_unix_ms(self.today(time));
        assert!(at > self.now(), "{time} is over");
        self.wait(at.since(self.now())).await;
    }

    /// The calls each role has made until now.
    pub fn calls(&self) -> BTreeMap<String, u32> {
        self.calls.by_role()
    }

    /// The end of a story: the service stops, and nothing that must never happen has happened.
    pub async fn closes(self) -> Story {
        self.service.stop().await;
        Ok(())
    }
}

fn id(territory: &str) -> TerritoryId {
    territory.parse().unwrap()
}

fn shipped() -> Config {
    Config::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap()
}

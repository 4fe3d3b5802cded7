//! Routing, slots, visits, directory, telephony and supervision, called as the server calls them: a real engine on a real
//! embedded store, the shipped configuration of Yonne, and an actor where the layer puts it.

mod calls;
mod lists;
mod missions;

use std::{collections::BTreeMap, path::Path, sync::Arc, sync::atomic::AtomicU32, sync::atomic::Ordering};

use sas_dispatch::{
    clock::Clock,
    config::Config,
    domain::{
        actor::{Actor, Role},
        case::Command,
        ids::CaseId,
        time::{Instant, Span},
    },
    engine::{Done, Engine, LookupKey, Mutation, Options, Place, Target},
    store::{Digest, Settings, due_command, open},
    telemetry::Metrics,
};
use tonic::Request;

/// Thursday 26 December 2024, 10:00 in Yonne: office hours.
pub const NOW: Instant = Instant::from_unix_ms(1_735_203_600_000);

/// A service on its own store.
pub struct Stand {
    pub engine: Engine,
    clock: Clock,
    ids: AtomicU32,
    _folder: tempfile::TempDir,
}

impl Stand {
    pub async fn new() -> Self {
        let config = Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(NOW);
        let settings = Settings::Embedded { data: folder.path().to_path_buf(), clock: clock.clone() };
        let store = open(settings).await.unwrap();
        let places: BTreeMap<_, _> = config
            .territories
            .iter()
            .map(|(id, ground)| {
                let (territory, directory) = (ground.0.clone(), ground.1.clone());
                (id.clone(), Arc::new(Place { territory, directory }))
            })
            .collect();
        let lookup = LookupKey::new(b"a secret of sixteen or more".to_vec());
        let engine = Engine::new(store, clock.clone(), places, lookup, Metrics::silent(), Options::default());
        Self { engine, clock, ids: AtomicU32::new(0), _folder: folder }
    }

    pub fn pass(&self, span: Span) {
        self.clock.advance_to(self.clock.now() + span);
    }

    /// A new command id.
    pub fn id(&self) -> String {
        due_command(&format!("test/{}", self.ids.fetch_add(1, Ordering::Relaxed)), self.clock.now()).to_string()
    }

    /// An act of regulation, which is not what these tests are about.
    pub async fn act(&self, actor: &Actor, case: Option<CaseId>, command: Command) -> Done {
        let mutation = Mutation { command_id: self.id().parse().unwrap(), digest: Digest::of(b"test") };
        self.engine.act(actor, mutation, Target { case, version: None }, command).await.unwrap()
    }
}

pub fn actor(role: Role, person: &str) -> Actor {
    Actor { person: person.parse().unwrap(), role, territory: "fr-89".parse().unwrap(), connection: None }
}

/// A call as it reaches a service: with its actor.
pub fn call<T>(actor: &Actor, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(actor.clone());
    request
}

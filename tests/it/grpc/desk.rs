//! A service on a real port over the embedded store, and people who call it.

use std::{collections::BTreeMap, sync::Arc};

use sas_dispatch::{
    clock::Clock,
    config::Config,
    domain::{
        ids::CommandId,
        time::{Instant, Span},
    },
    engine::{Engine, LookupKey, Options, Place},
    grpc::{
        ServerOptions,
        pb::{self, intake_service_client::IntakeServiceClient, regulation_service_client::RegulationServiceClient},
        serve,
    },
    store::{Settings, due_command, open},
    telemetry::Metrics,
};
use tokio::sync::oneshot;
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt;

/// Thursday 26 December 2024, 10:00 in Strasbourg: a holiday there.
pub const START: i64 = 1_735_203_600_000;

/// One running service.
pub struct Desk {
    pub engine: Engine,
    pub clock: Clock,
    pub address: std::net::SocketAddr,
    channel: Channel,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
    made: std::cell::Cell<u32>,
}

impl Desk {
    /// Starts one with the territories as shipped.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Instant::from_unix_ms(START));
        let store = open(Settings::Embedded { data: folder.path().to_path_buf(), clock: clock.clone() }).await.unwrap();
        let places: BTreeMap<_, _> = Config::load(std::path::Path::new("config"))
            .unwrap()
            .territories
            .iter()
            .map(|(id, ground)| {
                (id.clone(), Arc::new(Place { territory: ground.0.clone(), directory: ground.1.clone() }))
            })
            .collect();
        let lookup = LookupKey::new(b"a key for tests only".to_vec());
        let engine = Engine::new(store, clock.clone(), places, lookup, Metrics::silent(), Options::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let options = ServerOptions { shutdown_grace: Span::from_ms(200), ..ServerOptions::default() };
        let serving = engine.clone();
        let served = tokio::spawn(async move {
            serve(serving, options, listener, async { stopped.await.unwrap_or_default() }).await.unwrap();
        });
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let made = std::cell::Cell::new(0);
        Self { engine, clock, address, channel, stop: Some(stop), served, _folder: folder, made }
    }

    /// Asks the service to stop and waits until it has.
    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.await.unwrap();
    }

    /// A new command id, as a client makes one for each act.
    pub fn command(&self) -> String {
        self.made.set(self.made.get() + 1);
        let id: CommandId = due_command(&format!("act {}", self.made.get()), self.clock.now());
        id.to_string()
    }

    /// Moves the clock on.
    pub fn pass(&self, span: Span) {
        self.clock.advance_to(self.clock.now() + span);
    }

    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub fn intake(&self) -> IntakeServiceClient<Channel> {
        IntakeServiceClient::new(self.channel())
    }

    pub fn regulation(&self) -> RegulationServiceClient<Channel> {
        RegulationServiceClient::new(self.channel())
    }

    /// Opens an ordinary case in Strasbourg.
    pub async fn opened(&self) -> pb::CaseView {
        let request = pb::OpenCaseRequest {
            command_id: self.command(),
            place: Some(pb::Place { commune: "67482".to_owned(), ..pb::Place::default() }),
            patients: vec![pb::Patient {
                name: "Camille Exemple".to_owned(),
                age_years: Some(34),
                ..pb::Patient::default()
            }],
            ..pb::OpenCaseRequest::default()
        };
        self.intake().open_case(arm(request)).await.unwrap().into_inner().case.unwrap()
    }

    /// Opens a case and puts it into the queue of unscheduled care.
    pub async fn waiting(&self) -> pb::CaseView {
        let case = self.opened().await;
        let request = self.qualification(&case.case_id);
        self.regulation().qualify(arm(request)).await.unwrap().into_inner().case.unwrap()
    }

    /// An ordinary qualification.
    pub fn qualification(&self, case_id: &str) -> pb::QualifyRequest {
        pb::QualifyRequest {
            command_id: self.command(),
            case_id: case_id.to_owned(),
            priority: pb::Priority::P2 as i32,
            stream: pb::Stream::Snp as i32,
            motive: "M03.14".to_owned(),
            symptoms: true,
            ..pb::QualifyRequest::default()
        }
    }

    /// A regulator takes the next case.
    pub async fn claimed(&self, who: &'static str) -> pb::ClaimNextResponse {
        let request =
            pb::ClaimNextRequest { command_id: self.command(), stream: pb::Stream::Snp as i32, skills: Vec::new() };
        self.regulation().claim_next(person(who, "REGULATOR", "fr-67", request)).await.unwrap().into_inner()
    }
}

/// A call of a person.
pub fn person<T>(who: &'static str, role: &'static str, territory: &'static str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in [("x-sas-person", who), ("x-sas-role", role), ("x-sas-territory", territory)] {
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    request
}

/// A call of an ARM in Bas-Rhin.
pub fn arm<T>(message: T) -> Request<T> {
    person("arm-1", "ARM", "fr-67", message)
}

/// A call of a regulator in Bas-Rhin.
pub fn regulator<T>(message: T) -> Request<T> {
    person("regulator-1", "REGULATOR", "fr-67", message)
}

/// The wrong fields an error names.
pub fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    details
        .bad_request()
        .map(|bad| bad.field_violations.iter().map(|one| one.field.clone()).collect())
        .unwrap_or_default()
}

/// The reason an error gives to programs.
pub fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

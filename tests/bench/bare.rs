//! The limit: a bare tonic server that answers each rpc of the path with the recorded commit-script call, and no more.
//!
//! It decodes the request for the ids in it, sends the call over a shared connection and answers the recorded bytes.
//! The one thing it remembers is the version of each open case, which the next call's guard names.

use std::{
    collections::HashMap,
    convert::Infallible,
    fs,
    marker::PhantomData,
    path::Path,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use prost::{
    Message,
    bytes::{BufMut, Bytes},
};
use redis::{Client, Cmd, Value, aio::MultiplexedConnection};
use sas_dispatch::{config::Config, grpc::pb};
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, EncodeBuf, Encoder},
    server::NamedService,
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstDecoder;

use crate::{
    Outcome,
    path::Step,
    recording::{Piece, Recording, Values, applied, low_half, made, now, script},
};

/// As long as the service waits for replicas, ms.
const WAIT_MS: u32 = 500;

/// What all calls share.
struct Shared {
    recording: Recording,
    hash: String,
    connections: Vec<MultiplexedConnection>,
    /// Replicas that each call waits for.
    replicas: u32,
    next: AtomicUsize,
    /// The version of each case, as 32 hexadecimal digits.
    versions: Mutex<HashMap<String, String>>,
}

/// Serves until the process is ended.
pub(crate) fn serve(redis: &str, recording: &Path, connections: usize, replicas: u32) -> Outcome<()> {
    // As many threads as `sas-dispatch serve` runs on.
    let threads = Config::shipped().map_err(|faults| faults.to_string())?.settings.server.runtime_threads;
    sas_dispatch::app::runtime(threads)?.block_on(async {
        let shared = Arc::new(Shared::on(redis, recording, connections, replicas).await?);
        shared.begin().await?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("bare on {}", listener.local_addr()?);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let server = Server::builder().add_service(Intake(shared.clone())).add_service(Regulation(shared));
        Ok(server.serve_with_incoming(incoming).await?)
    })
}

impl Shared {
    async fn on(url: &str, recording: &Path, count: usize, replicas: u32) -> Outcome<Self> {
        let client = Client::open(url)?;
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(client.get_multiplexed_async_connection_with_config(&config).await?);
        }
        let hash = script().load_async(&mut connections[0]).await?;
        let recording = serde_json::from_slice(&fs::read(recording)?)?;
        Ok(Self { recording, hash, connections, replicas, next: AtomicUsize::new(0), versions: Mutex::default() })
    }

    /// The first commit of a territory names epoch 0.
    async fn begin(&self) -> Outcome<()> {
        let mut first = self.recording.of(Step::Open).call.clone();
        first.args[5] = vec![Piece::Bytes(b"0".to_vec())];
        let command = uuid::Uuid::now_v7().to_string();
        let (low, made, at, hash) = (low_half(&command), made(&command), now(), command.replace('-', ""));
        let values = Values {
            case: &command,
            hash: &hash,
            command: &command,
            low: &low,
            made: &made,
            at: &at,
            ..Default::default()
        };
        let mut cmd = Cmd::new();
        first.write(&self.hash, &values, &mut cmd);
        let answer: Value = cmd.query_async(&mut self.connections[0].clone()).await?;
        applied(&answer).map(|_| ())
    }

    async fn answer(&self, step: Step, command: &str, case: &str) -> Result<Bytes, Status> {
        let recorded = self.recording.of(step);
        let version = self.versions().get(case).cloned().unwrap_or_default();
        let (low, made, at) = (low_half(command), made(command), now());
        let hash = if step == Step::Open { case.replace('-', "") } else { String::new() };
        let values =
            Values { case, hash: &hash, command, low: &low, made: &made, at: &at, version: &version, shift: 0 };
        let mut cmd = Cmd::new();
        recorded.call.write(&self.hash, &values, &mut cmd);
        let answer = self.send(cmd).await.map_err(|error| Status::unavailable(error.to_string()))?;
        let seq = applied(&answer).map_err(|error| Status::internal(error.to_string()))?;
        match step {
            Step::Renew => {}
            Step::Decide => drop(self.versions().remove(case)),
            _ => drop(self.versions().insert(case.to_owned(), format!("{seq:016x}{low}"))),
        }
        Ok(Bytes::copy_from_slice(&recorded.answer))
    }

    /// The call, and behind it on the same connection the wait for replicas.
    async fn send(&self, cmd: Cmd) -> Outcome<Value> {
        let slot = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        let mut connection = self.connections[slot].clone();
        if self.replicas == 0 {
            return Ok(cmd.query_async(&mut connection).await?);
        }
        let mut both = redis::pipe();
        both.add_command(cmd).cmd("WAIT").arg(self.replicas).arg(WAIT_MS);
        let (answer, reached): (Value, u32) = both.query_async(&mut connection).await?;
        if reached < self.replicas { Err("the replica did not answer".into()) } else { Ok(answer) }
    }

    fn versions(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request of the path: the ids of its command and its case.
trait Asked: Message + Default + 'static {
    fn ids(&self) -> (&str, &str);
}

macro_rules! asked {
    ($($request:ident),*) => {$(
        impl Asked for pb::$request {
            fn ids(&self) -> (&str, &str) {
                (&self.command_id, &self.case_id)
            }
        }
    )*};
}

asked!(QualifyRequest, ClaimRequest, SignNeedRequest);

impl Asked for pb::OpenCaseRequest {
    fn ids(&self) -> (&str, &str) {
        (&self.command_id, &self.command_id)
    }
}

impl Asked for pb::RenewClaimRequest {
    fn ids(&self) -> (&str, &str) {
        ("", &self.case_id)
    }
}

/// Requests as messages, answers as recorded bytes.
struct Canned<R>(PhantomData<fn() -> R>);

impl<R: Message + Default + 'static> Codec for Canned<R> {
    type Encode = Bytes;
    type Decode = R;
    type Encoder = Copying;
    type Decoder = ProstDecoder<R>;

    fn encoder(&mut self) -> Copying {
        Copying
    }

    fn decoder(&mut self) -> ProstDecoder<R> {
        ProstDecoder::default()
    }
}

struct Copying;

impl Encoder for Copying {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

type Answered = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

async fn unary<R: Asked>(shared: Arc<Shared>, step: Step, request: http::Request<Body>) -> http::Response<Body> {
    let answer = tower::service_fn(move |request: Request<R>| {
        let shared = shared.clone();
        async move {
            let (command, case) = request.get_ref().ids();
            shared.answer(step, command, case).await.map(Response::new)
        }
    });
    tonic::server::Grpc::new(Canned::<R>(PhantomData)).unary(answer, request).await
}

fn called(shared: Arc<Shared>, request: http::Request<Body>) -> Answered {
    let rpc = request.uri().path().rsplit('/').next().unwrap_or_default();
    let step = Step::ALL.into_iter().find(|step| step.rpc() == rpc);
    Box::pin(async move {
        Ok(match step {
            Some(step @ Step::Open) => unary::<pb::OpenCaseRequest>(shared, step, request).await,
            Some(step @ Step::Qualify) => unary::<pb::QualifyRequest>(shared, step, request).await,
            Some(step @ Step::Claim) => unary::<pb::ClaimRequest>(shared, step, request).await,
            Some(step @ Step::Renew) => unary::<pb::RenewClaimRequest>(shared, step, request).await,
            Some(step @ Step::Decide) => unary::<pb::SignNeedRequest>(shared, step, request).await,
            None => Status::unimplemented("not on the path").into_http(),
        })
    })
}

macro_rules! service {
    ($name:ident, $path:literal) => {
        #[derive(Clone)]
        struct $name(Arc<Shared>);

        impl NamedService for $name {
            const NAME: &'static str = $path;
        }

        impl tower::Service<http::Request<Body>> for $name {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Answered;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Answered {
                called(self.0.clone(), request)
            }
        }
    };
}

service!(Intake, "sas.dispatch.v1.IntakeService");
service!(Regulation, "sas.dispatch.v1.RegulationService");

//! What surrounds every call: its span in the caller's trace, whether there is room for it, who acts, its count.
//!
//! Health and reflection need no actor. Who acts comes from metadata, and only a caller on this machine is believed: what
//! stands before the service (a proxy that authenticates) runs beside it until certificates and tokens are read here.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response};
use prost::Message;
use tokio::time::timeout;
use tonic::{Code, Status, body::Body, transport::server::TcpConnectInfo};
use tower::{Layer, Service};
use tracing::Instrument;

use crate::{
    clock::Stopwatch,
    domain::case::FieldFault,
    telemetry::{
        Metrics,
        labels::{CallResult, Label},
        trace::request_span,
    },
};

use super::{
    actor,
    admission::{self, Admission},
    origin::Pages,
    pb, status,
};

/// The package whose services need an actor.
pub(super) const PACKAGE: &str = "sas.dispatch.v1";

/// A served method.
#[derive(Debug, Clone, Copy)]
struct Method {
    /// The name that spans and metrics show.
    name: &'static str,
    /// Whether it has the reserved share of places.
    vital: bool,
}

/// Every method of the package by its path: from the proto files, so no text of a caller becomes a name.
static METHODS: LazyLock<BTreeMap<String, Method>> = LazyLock::new(|| {
    let named = services().into_iter().flat_map(|(service, methods)| {
        methods.into_iter().map(move |method| {
            let rpc: &'static str = format!("{service}/{method}").leak();
            (format!("/{rpc}"), Method { name: rpc, vital: admission::vital(rpc) })
        })
    });
    named.collect()
});

/// The services of the package and their methods, as the proto files name them.
pub(super) fn services() -> Vec<(String, Vec<String>)> {
    let set = prost_types::FileDescriptorSet::decode(pb::FILE_DESCRIPTOR_SET)
        .expect("the build wrote the descriptor set that is read here");
    let ours = set.file.into_iter().filter(|file| file.package() == PACKAGE);
    ours.flat_map(|file| file.service)
        .map(|service| {
            let methods = service.method.iter().map(|method| method.name().to_owned()).collect();
            (format!("{PACKAGE}.{}", service.name()), methods)
        })
        .collect()
}

/// Adds span, place, actor and count to every call.
#[derive(Debug, Clone)]
pub(super) struct CallLayer {
    metrics: Metrics,
    admission: Admission,
    pages: Pages,
    deadline: Duration,
}

impl CallLayer {
    /// `deadline`: how long a call may take. The transport would cut it without a word of what to do.
    pub(super) fn new(metrics: Metrics, admission: Admission, pages: Pages, deadline: Duration) -> Self {
        Self { metrics, admission, pages, deadline }
    }
}

impl<S> Layer<S> for CallLayer {
    type Service = Calls<S>;

    fn layer(&self, inner: S) -> Calls<S> {
        let Self { metrics, admission, pages, deadline } = self.clone();
        Calls { inner, metrics, admission, pages, deadline }
    }
}

/// See [`CallLayer`].
#[derive(Debug, Clone)]
pub(super) struct Calls<S> {
    inner: S,
    metrics: Metrics,
    admission: Admission,
    pages: Pages,
    deadline: Duration,
}

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

impl<S> Service<Request<Body>> for Calls<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Send,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Answer<S::Error> {
        let Some(Method { name: rpc, vital }) = METHODS.get(request.uri().path()).copied() else {
            let service = known_service(request.uri().path());
            let answer = self.inner.call(request);
            return Box::pin(async move { Ok(named(answer.await?, service)) });
        };
        let span = request_span(rpc, request.headers());
        let (metrics, watch) = (self.metrics.clone(), Stopwatch::start());
        let place = self.admission.admit(vital);
        if place.is_none() {
            metrics.shed(vital);
        }
        let entered =
            if place.is_some() { identify(&mut request, &self.pages) } else { Err(Box::new(status::overloaded())) };
        let answer: Answer<S::Error> = match entered {
            Ok(()) => Box::pin(self.inner.call(request)),
            Err(status) => Box::pin(std::future::ready(Ok(status.into_http()))),
        };
        let mut left = Left { span: span.clone(), metrics: metrics.clone(), rpc, watch, answered: false };
        let deadline = self.deadline;
        let counted = async move {
            let answered = timeout(deadline, answer).await;
            left.answered = true;
            drop(place);
            let Ok(answered) = answered else {
                left.count(CallResult::DeadlineExceeded);
                return Ok(status::cut_off().into_http());
            };
            let mut answer = answered?;
            let mut refused = Status::from_header_map(answer.headers());
            if let Some(told) = refused.as_ref().and_then(status::of_transport) {
                answer = told.clone().into_http();
                refused = Some(told);
            }
            let result = result(refused.map_or(Code::Ok, |status| status.code()));
            left.count(result);
            Ok(answer)
        };
        Box::pin(counted.instrument(span))
    }
}

/// Counts a call, also one that nobody waits for any longer: the time that its caller stated ran out, or the caller has gone.
/// Then it is dropped where it stands.
struct Left {
    span: tracing::Span,
    metrics: Metrics,
    rpc: &'static str,
    watch: Stopwatch,
    answered: bool,
}

impl Left {
    fn count(&self, result: CallResult) {
        self.span.record("result", Label::code(result));
        self.metrics.call(self.rpc, result, self.watch.elapsed());
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        if !self.answered {
            self.count(CallResult::Cancelled);
        }
    }
}

/// Which of our services a path is of, by the name that the proto files give it.
fn known_service(path: &str) -> Option<&'static str> {
    let wanted = path.strip_prefix('/')?.split_once('/')?.0;
    METHODS
        .values()
        .filter_map(|method| method.name.split_once('/'))
        .map(|(service, _)| service)
        .find(|ours| *ours == wanted)
}

/// An answer to a call that is none of ours. The transport says no word of a method that nobody serves.
fn named(answer: Response<Body>, service: Option<&str>) -> Response<Body> {
    match Status::from_header_map(answer.headers()) {
        Some(status) if status.code() == Code::Unimplemented && status.message().is_empty() => {
            status::unknown_method(service).into_http()
        }
        _ => answer,
    }
}

/// Puts the actor into the request.
fn identify(request: &mut Request<Body>, pages: &Pages) -> Result<(), Box<Status>> {
    let peer = request.extensions().get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    if peer.is_some_and(|peer| !peer.ip().is_loopback()) {
        let problem = "is believed from this machine only: connect through the proxy that authenticates";
        return Err(Box::new(status::unauthenticated(vec![FieldFault::new("x-sas-person", problem)])));
    }
    pages.admit(request.headers())?;
    let actor = actor::from_metadata(request.headers())?;
    request.extensions_mut().insert(actor);
    Ok(())
}

fn result(code: Code) -> CallResult {
    match code {
        Code::Ok => CallResult::Ok,
        Code::Cancelled => CallResult::Cancelled,
        Code::Unknown => CallResult::Unknown,
        Code::InvalidArgument => CallResult::InvalidArgument,
        Code::DeadlineExceeded => CallResult::DeadlineExceeded,
        Code::NotFound => CallResult::NotFound,
        Code::AlreadyExists => CallResult::AlreadyExists,
        Code::PermissionDenied => CallResult::PermissionDenied,
        Code::ResourceExhausted => CallResult::ResourceExhausted,
        Code::FailedPrecondition => CallResult::FailedPrecondition,
        Code::Aborted => CallResult::Aborted,
        Code::OutOfRange => CallResult::OutOfRange,
        Code::Unimplemented => CallResult::Unimplemented,
        Code::Internal => CallResult::Internal,
        Code::Unavailable => CallResult::Unavailable,
        Code::DataLoss => CallResult::DataLoss,
        Code::Unauthenticated => CallResult::Unauthenticated,
    }
}

//! A collector for tests: takes OTLP over real gRPC on a free port and keeps everything that left the process.

use std::net::SocketAddr;

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    metrics::v1::Metric,
    trace::v1::Span,
};
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// What was received so far.
#[derive(Debug, Default, Clone)]
pub struct Received {
    /// Requests with spans.
    pub traces: Vec<ExportTraceServiceRequest>,
    /// Requests with metrics.
    pub metrics: Vec<ExportMetricsServiceRequest>,
}

impl Received {
    /// Every span, in the order of arrival.
    pub fn spans(&self) -> Vec<&Span> {
        let scopes = self.traces.iter().flat_map(|request| &request.resource_spans);
        scopes.flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans).collect()
    }

    /// Every metric of every report.
    pub fn metrics(&self) -> Vec<&Metric> {
        let scopes = self.metrics.iter().flat_map(|request| &request.resource_metrics);
        scopes.flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics).collect()
    }

    /// Everything received as one text, to look for what must not be in it.
    pub fn text(&self) -> String {
        format!("{self:?}")
    }
}

#[derive(Clone)]
struct Inbox(watch::Sender<Received>);

#[tonic::async_trait]
impl TraceService for Inbox {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send_modify(|received| received.traces.push(request.into_inner()));
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Inbox {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.0.send_modify(|received| received.metrics.push(request.into_inner()));
        Ok(Response::new(Default::default()))
    }
}

/// A running collector; it ends with the test's runtime.
pub struct Collector {
    address: SocketAddr,
    received: watch::Receiver<Received>,
}

impl Collector {
    /// Listens on a free port of the loopback.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = watch::channel(Received::default());
        let inbox = Inbox(sender);
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(inbox.clone()))
            .add_service(MetricsServiceServer::new(inbox))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        Self { address, received }
    }

    /// What to configure as the OTLP endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until what came satisfies `enough`, and returns all of it.
    pub async fn until(&self, enough: impl FnMut(&Received) -> bool) -> Received {
        self.received.clone().wait_for(enough).await.expect("the collector runs").clone()
    }
}

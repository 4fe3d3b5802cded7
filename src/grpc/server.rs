//! The one port: all services, gRPC-web, health, reflection, limits, graceful stop.

use std::time::Duration;

use tokio::{net::TcpListener, sync::oneshot};
use tonic::{
    service::{Routes, RoutesBuilder},
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tonic_web::GrpcWebLayer;

use crate::{domain::time::Span, engine::Engine};

use super::{
    admission::Admission,
    convert::intake::Arrivals,
    layer::{self, CallLayer},
    origin::Pages,
    pb::{
        self, directory_service_server::DirectoryServiceServer, intake_service_server::IntakeServiceServer,
        regulation_service_server::RegulationServiceServer, routing_service_server::RoutingServiceServer,
        slot_service_server::SlotServiceServer, supervision_service_server::SupervisionServiceServer,
        telephony_service_server::TelephonyServiceServer, visit_service_server::VisitServiceServer,
    },
    services::{
        directory::Responders, intake::Intake, regulation::Regulation, routing::Routing, slot::Slots,
        supervision::Supervision, telephony::Telephony, visit::Visits,
    },
};

/// The limits of the port.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Longest message accepted, in bytes.
    pub max_message_bytes: usize,
    /// Calls and watches open at one time on one connection.
    pub max_streams_per_connection: u32,
    /// Calls worked on at one time by the whole port.
    pub max_requests_in_hand: usize,
    /// Of them for what a room cannot wait for.
    pub reserved_requests: usize,
    /// Longest time for a call, whatever its caller states.
    pub request_deadline: Span,
    /// How long open requests may go on after the stop was asked for.
    pub shutdown_grace: Span,
    /// How long ago a call may have arrived.
    pub arrivals: Arrivals,
    /// Web pages that may call beside those of this machine: `https://console.example`.
    pub browser_origins: Vec<String>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            max_message_bytes: 1 << 20,
            max_streams_per_connection: 2_048,
            max_requests_in_hand: 512,
            reserved_requests: 128,
            request_deadline: Span::from_secs(10),
            shutdown_grace: Span::from_secs(15),
            arrivals: Arrivals::default(),
            browser_origins: Vec::new(),
        }
    }
}

/// Why the port is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The transport gave up.
    #[error("the gRPC port is not served: {0}")]
    Transport(String),
    /// The descriptors that reflection shows cannot be read.
    #[error("reflection: {0}")]
    Reflection(String),
}

/// Serves `engine` on `listener` until `stop` resolves; then takes no new call and leaves the open ones the grace.
///
/// # Errors
/// When the transport gives up.
pub async fn serve(
    engine: Engine,
    options: ServerOptions,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let (health, routes) = routes(&engine, &options).await?;
    let (tell, told) = oneshot::channel::<()>();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let admission = Admission::new(options.max_requests_in_hand, options.reserved_requests);
    let pages = Pages::new(&options.browser_origins);
    let server = Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(options.max_streams_per_connection)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .layer(GrpcWebLayer::new())
        .layer(CallLayer::new(engine.metrics().clone(), admission, pages, duration(options.request_deadline)))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, async {
            // A dropped sender means the same: stop.
            told.await.ok();
        });
    let stopping = async {
        stop.await;
        health.set_service_status("", ServingStatus::NotServing).await;
        // The server may have ended by itself already.
        tell.send(()).ok();
        engine.end_watches();
        tokio::time::sleep(duration(options.shutdown_grace)).await;
    };
    tokio::select! {
        ended = server => ended.map_err(|error| ServeError::Transport(error.to_string())),
        () = stopping => Ok(()),
    }
}

fn duration(span: Span) -> Duration {
    Duration::from_millis(span.ms().unsigned_abs())
}

async fn routes(engine: &Engine, options: &ServerOptions) -> Result<(HealthReporter, Routes), ServeError> {
    let mut routes = Routes::builder();
    ours(&mut routes, engine, options);
    let (reporter, health) = tonic_health::server::health_reporter();
    for (service, _) in layer::services() {
        reporter.set_service_status(service, ServingStatus::Serving).await;
    }
    routes.add_service(health);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let unreadable = |error: tonic_reflection::server::Error| ServeError::Reflection(error.to_string());
    routes.add_service(reflection().build_v1().map_err(unreadable)?);
    routes.add_service(reflection().build_v1alpha().map_err(unreadable)?);
    Ok((reporter, routes.routes()))
}

/// Every service of the package.
fn ours(routes: &mut RoutesBuilder, engine: &Engine, options: &ServerOptions) {
    let most = options.max_message_bytes;
    let engine = || engine.clone();
    routes
        .add_service(IntakeServiceServer::new(Intake::new(engine(), options.arrivals)).max_decoding_message_size(most))
        .add_service(RegulationServiceServer::new(Regulation::new(engine())).max_decoding_message_size(most))
        .add_service(RoutingServiceServer::new(Routing::new(engine())).max_decoding_message_size(most))
        .add_service(SlotServiceServer::new(Slots::new(engine())).max_decoding_message_size(most))
        .add_service(VisitServiceServer::new(Visits::new(engine())).max_decoding_message_size(most))
        .add_service(DirectoryServiceServer::new(Responders::new(engine())).max_decoding_message_size(most))
        .add_service(TelephonyServiceServer::new(Telephony::new(engine())).max_decoding_message_size(most))
        .add_service(SupervisionServiceServer::new(Supervision::new(engine())).max_decoding_message_size(most));
}

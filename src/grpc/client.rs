//! Clients of the service for programs of this package: every rpc as one acting person, over one shared connection.

use std::net::SocketAddr;

pub use tonic::{Code, Response, Status, Streaming};
use tonic::{
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use super::pb::{
    directory_service_client::DirectoryServiceClient, intake_service_client::IntakeServiceClient,
    regulation_service_client::RegulationServiceClient, routing_service_client::RoutingServiceClient,
    slot_service_client::SlotServiceClient, supervision_service_client::SupervisionServiceClient,
    telephony_service_client::TelephonyServiceClient, visit_service_client::VisitServiceClient,
};
use crate::domain::{
    actor::{Actor, Role},
    ids::BadId,
};

/// A connection to a service; cheap to clone, calls share it.
#[derive(Debug, Clone)]
pub struct Link(Channel);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[error("no service answers on {address} ({error}): start it first")]
pub struct NoLink {
    address: SocketAddr,
    error: tonic::transport::Error,
}

/// Connects to the service on `address`.
///
/// # Errors
/// When nobody listens there.
pub async fn connect(address: SocketAddr) -> Result<Link, NoLink> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    let connected = match endpoint {
        Ok(endpoint) => endpoint.tcp_nodelay(true).connect().await,
        Err(error) => Err(error),
    };
    connected.map(Link).map_err(|error| NoLink { address, error })
}

/// Says who acts, in the metadata of every call.
#[derive(Debug, Clone)]
pub struct ActingAs(Vec<(&'static str, MetadataValue<Ascii>)>);

impl Interceptor for ActingAs {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, Status> {
        for (name, value) in &self.0 {
            request.metadata_mut().insert(*name, value.clone());
        }
        Ok(request)
    }
}

/// The transport of every client here.
pub type As = InterceptedService<Channel, ActingAs>;

/// The eight services as one acting person calls them.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Cases come in.
    pub intake: IntakeServiceClient<As>,
    /// Qualification, queue, decision.
    pub regulation: RegulationServiceClient<As>,
    /// Plans and offers.
    pub routing: RoutingServiceClient<As>,
    /// Bookable periods.
    pub slots: SlotServiceClient<As>,
    /// Shifts and home visits.
    pub visits: VisitServiceClient<As>,
    /// Who gives care.
    pub directory: DirectoryServiceClient<As>,
    /// What a telephone exchange reports.
    pub telephony: TelephonyServiceClient<As>,
    /// What is late, and how safe a write is.
    pub supervision: SupervisionServiceClient<As>,
}

impl Link {
    /// The services as `actor`.
    pub fn acting_as(&self, actor: &Actor) -> Clients {
        let text = |value: &str| value.parse().expect("ids and role names are visible ASCII");
        let mut metadata = vec![
            ("x-sas-person", text(actor.person.as_str())),
            ("x-sas-role", text(actor.role.code())),
            ("x-sas-territory", text(actor.territory.as_str())),
        ];
        metadata.extend(actor.connection.iter().map(|id| ("x-sas-connection", text(id.as_str()))));
        let through = || InterceptedService::new(self.0.clone(), ActingAs(metadata.clone()));
        Clients {
            intake: IntakeServiceClient::new(through()),
            regulation: RegulationServiceClient::new(through()),
            routing: RoutingServiceClient::new(through()),
            slots: SlotServiceClient::new(through()),
            visits: VisitServiceClient::new(through()),
            directory: DirectoryServiceClient::new(through()),
            telephony: TelephonyServiceClient::new(through()),
            supervision: SupervisionServiceClient::new(through()),
        }
    }

    /// The services as a person of a territory in a role, from a console of the person's own.
    ///
    /// # Errors
    /// When a text is not an id.
    pub fn acting(&self, person: &str, role: Role, territory: &str) -> Result<Clients, BadId> {
        let (connection, person) = (Some(format!("console-{person}").parse()?), person.parse()?);
        Ok(self.acting_as(&Actor { person, role, territory: territory.parse()?, connection }))
    }
}

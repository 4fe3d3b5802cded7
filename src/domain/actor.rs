//! Who acts. An [`Actor`] comes from the door (one tower layer), never from a message.

use serde::{Deserialize, Serialize};

use super::ids::{ConnectionId, PersonId, TerritoryId};

/// What a person, or a system, may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Assistant de régulation médicale: opens and qualifies.
    Arm,
    /// Médecin régulateur: decides.
    Regulator,
    /// Opérateur de soins non programmés: carries decisions out.
    Coordinator,
    /// A doctor or structure that gives care (GP, SAS slot owner, SOS doctor in a car).
    Responder,
    /// SOS Médecins dispatch desk.
    Dispatcher,
    /// A telephony integration.
    Telephony,
    /// Supervisor of the room.
    Supervisor,
    /// Back office: directory and agendas.
    BackOffice,
    /// The service's own upkeep: timers and loops. Never accepted from outside.
    Upkeep,
}

/// The acting person, role and territory of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub person: PersonId,
    /// In which role.
    pub role: Role,
    /// For which territory; nothing outside it can be read or changed.
    pub territory: TerritoryId,
    /// The console or terminal the call comes from; a claim is a lease of one connection.
    pub connection: Option<ConnectionId>,
}

//! Who acts. An [`Actor`] comes from the door (one tower layer), never from a message.

use serde::{Deserialize, Serialize};

use crate::coded_enum;

use super::ids::{ConnectionId, PersonId, TerritoryId};

coded_enum! {
    /// What a person, or a system, may do here.
    Role {
        /// Assistant de régulation médicale: opens and qualifies.
        Arm = "ARM", "Assistant de régulation médicale";
        /// Médecin régulateur: decides.
        Regulator = "REGULATOR", "Médecin régulateur";
        /// Opérateur de soins non programmés: carries decisions out.
        Coordinator = "COORDINATOR", "Opérateur de soins non programmés";
        /// A doctor or structure that gives care (GP, SAS slot owner, SOS doctor in a car).
        Responder = "RESPONDER", "Effecteur";
        /// SOS Médecins dispatch desk.
        Dispatcher = "DISPATCHER", "Répartiteur SOS Médecins";
        /// A telephony integration.
        Telephony = "TELEPHONY", "Téléphonie";
        /// Supervisor of the room.
        Supervisor = "SUPERVISOR", "Superviseur";
        /// Back office: directory and agendas.
        BackOffice = "BACK_OFFICE", "Gestion de l'annuaire";
        /// The service's own upkeep: timers and loops. Never accepted from outside.
        Upkeep = "UPKEEP", "Entretien du service";
    }
}

impl Role {
    /// Those who work on every case of a territory. Everybody else has to do with some of them.
    pub const OF_THE_ROOM: [Self; 5] =
        [Self::Arm, Self::Regulator, Self::Coordinator, Self::Dispatcher, Self::Supervisor];

    /// Those who have a part in the care. A telephony integration and the back office have none, whatever they may do.
    pub const IN_THE_CARE: [Self; 6] =
        [Self::Arm, Self::Regulator, Self::Coordinator, Self::Responder, Self::Dispatcher, Self::Supervisor];

    /// Whether it works on every case of a territory.
    pub fn of_the_room(self) -> bool {
        Self::OF_THE_ROOM.contains(&self)
    }
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
}

//! A case as it comes from outside, whichever format brought it, before the service has opened it.
//!
//! Codes the domain has no type for are the texts of the national lists, as they stood in the message. What tells who someone is, where they live or what ails them is [`Private`].

use super::fault::Warning;
use crate::domain::{
    age::Age,
    ids::{ResponderId, TerritoryId},
    person::Private,
    place::{InseeCode, Position},
    regulation::{
        motives::Motive,
        need::{CareLevel, CareType, LongestDelay},
        qualification::{Priority, Stream},
    },
    time::Instant,
};

/// Which format brought a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A Hub Santé message RS-EDA (`createCaseHealth`).
    Hub {
        /// The envelope says `Exercise`: nobody is ill.
        exercise: bool,
    },
    /// A line of a site's own list (see [`super::request_line`]).
    RequestLine,
}

/// One request for care, decoded and checked for shape; whether the rules accept it is the domain's to say.
#[derive(Debug, Clone, PartialEq)]
pub struct IncomingCase {
    /// The format it came in.
    pub source: Source,
    /// The département of the place's INSEE code, or the territory the line named. The law knows it. That of the reader
    /// where a vital emergency is read that says neither.
    pub territory: TerritoryId,
    /// The identifier shared between systems (`caseId`), or the `id` of a request line. It leads to a patient's file, so
    /// it is not for logs either.
    pub case_id: Option<Private<String>>,
    /// The sender's own number of the case, any text.
    pub sender_case_id: Option<Private<String>>,
    /// When the sender created the case.
    pub created: Instant,
    /// When the call was answered; the creation where the message does not say.
    pub received: Instant,
    /// Where the call came from (HubSante.origine): `15`, `116117`, `PUBLIC` …
    pub origin: Option<&'static str>,
    /// Who called.
    pub caller: Option<IncomingCaller>,
    /// Where care is needed.
    pub location: IncomingPlace,
    /// Why (HubSante.motif); a code the list lacks is kept, with a warning.
    pub motive: Option<Motive>,
    /// What happened (HubSante.fait).
    pub what_happened: Option<Coded>,
    /// Kind of place (HubSante.lieu); `L04.09.01` is an EHPAD or a résidence autonomie, the list does not tell which.
    pub location_kind: Option<Coded>,
    /// Dangers on the spot (HubSante.risque).
    pub risks: Vec<Coded>,
    /// P0 to P3 or NR (HubSante.priorite).
    pub priority: Option<Priority>,
    /// R1 to R4 (HubSante.niveauSoin).
    pub care_level: Option<CareLevel>,
    /// Stream: AMU, NEONAT, PSY or SNP (HubSante.filiere).
    pub stream: Option<Stream>,
    /// T1, T2-INTER … : primary intervention or transfer.
    pub intervention: Option<&'static str>,
    /// État of the case at the sender's (HubSante.etat).
    pub status: Option<&'static str>,
    /// Who regulates, or why nobody needs to (HubSante.attribution).
    pub attribution: Option<&'static str>,
    /// For whom; may be empty.
    pub patients: Vec<IncomingPatient>,
    /// What was written down, alert notes first, in the message's order.
    pub notes: Vec<IncomingNote>,
    /// Decisions the sender has already taken.
    pub decisions: Vec<IncomingDecision>,
    /// The call centre that holds the case (`fr.health.samu670`).
    pub owner: Option<Box<str>>,
    /// The need a regulator has signed, where a request line carries one.
    pub need: Option<IncomingNeed>,
    /// Oddities that did not stop the decoding.
    pub warnings: Vec<Warning>,
}

/// A code with the sender's words for it; the words may hold anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// The code; its pattern is checked, its list is not.
    pub code: Box<str>,
    /// The label as sent.
    pub label: Private<String>,
}

/// Who called and how to reach them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCaller {
    /// The number or address of the call.
    pub contact: Contact,
    /// Where to call back, if elsewhere.
    pub callback: Option<Contact>,
    /// ISO 639-1 code.
    pub language: Option<&'static str>,
    /// Tie to the patient (HubSante.typeAppelant).
    pub kind: Option<&'static str>,
    /// Difficulty to speak with them (HubSante.communication).
    pub difficulty: Option<&'static str>,
    /// Name as one text.
    pub name: Option<PersonName>,
    /// Free words about the caller.
    pub note: Option<Private<String>>,
}

/// A name, whole and in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName {
    /// As one text.
    pub complete: Private<String>,
    /// Family name.
    pub last: Option<Private<String>>,
    /// First name.
    pub first: Option<Private<String>>,
}

/// A way to reach someone. The default is none: what is said of it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// Through what (HubSante.canal); only callers have one.
    pub channel: Option<&'static str>,
    /// TEL, EMAIL, MSS … (HubSante.typeCom).
    pub kind: &'static str,
    /// The number or address as sent.
    pub detail: Private<String>,
}

impl Contact {
    /// The number to dial, `+` and 5 to 18 digits; nothing when the contact is no telephone or the number is malformed.
    pub fn phone(&self) -> Option<&Private<String>> {
        (self.kind == "TEL" && super::shapes::phone(self.detail.reveal())).then_some(&self.detail)
    }
}

/// Where care is needed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncomingPlace {
    /// The commune; a request line may name only its territory.
    pub commune: Option<InseeCode>,
    /// The commune's name as sent.
    pub commune_name: Option<Private<String>>,
    /// Name of the place.
    pub name: Option<Private<String>>,
    /// Number and street, or motorway, as one text.
    pub address: Option<Private<String>>,
    /// How to get in: property of the message (`floor`, `accessCode[0]` …) and its text.
    pub access: Vec<(String, Private<String>)>,
    /// Telephone of the place.
    pub phone: Option<Private<String>>,
    /// Degrees, WGS 84.
    pub position: Option<Private<Position>>,
    /// How exact the position is (HubSante.precision): VILLE, RUE, ADRESSE, EXACTE, INCONNUE.
    pub precision: Option<&'static str>,
    /// Free words about the place.
    pub note: Option<Private<String>>,
}

/// For whom.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncomingPatient {
    /// The shared patient identifier; notes and decisions refer to it.
    pub id: Option<Private<String>>,
    /// Usual name.
    pub name: Option<PersonName>,
    /// Name at birth.
    pub birth_name: Option<Private<String>>,
    /// `2024-12-26`; a day no calendar has is left out with a warning.
    pub birth_date: Option<Private<String>>,
    /// M, F, O or UN (HubSante.sexe).
    pub sex: Option<&'static str>,
    /// Age as sent.
    pub age: Option<Age>,
    /// Kilograms.
    pub weight_kg: Option<Private<f64>>,
    /// The message's `height`; RS-EDA names no unit in its schema (centimetres in its guide).
    pub height: Option<Private<f64>>,
    /// R1 to R4 for this patient.
    pub care_level: Option<CareLevel>,
    /// Medical history.
    pub history: Option<Private<String>>,
    /// Present treatment.
    pub treatment: Option<Private<String>>,
    /// ICD-10 codes, the main one first.
    pub diagnoses: Vec<Private<String>>,
    /// Identifiers elsewhere: source (NIR, SINUS …) and value.
    pub external_ids: Vec<(&'static str, Private<String>)>,
    /// The declared GP, as a message describes them.
    pub own_gp: Option<OwnGp>,
    /// The declared GP, as the site's directory names them (request lines only).
    pub own_gp_id: Option<ResponderId>,
    /// What is known of the patient's situation (request lines only; a message has no field for it).
    pub flags: Flags,
}

/// A declared GP (médecin traitant).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnGp {
    /// Name.
    pub name: PersonName,
    /// National number, any text in the message.
    pub rpps: Option<Private<String>>,
    /// Ways to reach the practice.
    pub contacts: Vec<Contact>,
}

/// Facts of a patient's situation that change where care can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// Lives in an EHPAD.
    pub ehpad: bool,
    /// Has a long-term illness (affection de longue durée).
    pub ald: bool,
    /// Cannot travel by own means.
    pub reduced_mobility: bool,
    /// Has said to have no GP: not the same as not knowing.
    pub no_gp: bool,
}

/// Something written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingNote {
    /// When, where the sender says.
    pub at: Option<Instant>,
    /// Role of the writer (HubSante.role); alert notes have none.
    pub role: Option<&'static str>,
    /// Whom it is about.
    pub patient: Option<Private<String>>,
    /// The words.
    pub text: Private<String>,
}

/// A decision the sender has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingDecision {
    /// When.
    pub at: Instant,
    /// Role of who took it.
    pub role: &'static str,
    /// CONSEIL, PMT, INTER, ORIENT or PASPLUS (HubSante.typeDecision).
    pub kind: &'static str,
    /// For whom.
    pub patient: Option<Private<String>>,
    /// Means (HubSante.typeRessource).
    pub resource: Option<&'static str>,
    /// Whether the transport is medical.
    pub medical_transport: Option<bool>,
    /// Kind of destination (HubSante.typeOrientation).
    pub orientation: Option<&'static str>,
    /// Destination in words.
    pub destination: Option<Private<String>>,
}

/// A signed need of a request line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingNeed {
    /// What kind of care.
    pub care: CareType,
    /// At which level.
    pub level: CareLevel,
    /// By when at the latest: the line's minutes, rounded down to the national list.
    pub longest_delay: LongestDelay,
}

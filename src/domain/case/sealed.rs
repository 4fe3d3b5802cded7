//! What is personal in a case: stored only in the sealed part of a record or event, shown only to an entitled console.

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::{
        ids::{DecisionId, NoteId, PersonId, VisitId},
        person::Private,
        place::Position,
        regulation::protocols::Answers,
        regulation::prescription::Prescription,
        time::Instant,
    },
};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Caller {
    /// Name.
    pub name: Private<String>,
    /// Number the call came from, E.164.
    pub phone: Private<String>,
    /// Number to ring back, E.164, when it is another.
    pub call_back: Private<String>,
    /// HubSante.typeAppelant code (`SUJET`, `FAMILLE`, `MED` …).
    pub kind: Option<String>,
    /// Language, ISO 639-1.
    pub language: Option<String>,
}

/// The address and how to get in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Number and street.
    pub street: Private<String>,
    /// Floor, door, codes, interphone.
    pub access: Private<String>,
}

coded_enum! {
    /// Sex as the identity states it (HubSante.sexe).
    Sex {
        /// Female.
        Female = "F", "Féminin";
        /// Male.
        Male = "M", "Masculin";
        /// Other.
        Other = "O", "Autre";
        /// Not known.
        Unknown = "UN", "Inconnu";
    }
}

/// Who the patient is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// Patient number in the case.
    pub number: u32,
    /// Name.
    pub name: Private<String>,
    /// Birth date, `YYYY-MM-DD`.
    pub birth_date: Private<String>,
    /// Age in years, when the birth date is not known.
    pub age_years: Private<Option<u32>>,
    /// Sex.
    pub sex: Private<Option<Sex>>,
    /// NIR (social security number) as given.
    pub nir: Private<String>,
    /// The GP's name as the caller gives it, when the directory does not know it.
    pub gp_name: Private<String>,
}

coded_enum! {
    /// What a note is.
    NoteKind {
        /// Written by whoever handles the case.
        Note = "NOTE", "Note";
        /// A late command's words: its author no longer held the case.
        Late = "LATE", "Note tardive";
        /// Advice given to the caller.
        Advice = "ADVICE", "Conseil donné";
        /// A responder's report.
        Report = "REPORT", "Compte rendu";
        /// Why something was refused, cancelled or forced.
        Reason = "REASON", "Motif";
        /// What the caller was told to watch for.
        SafetyNet = "SAFETY_NET", "Consignes de rappel";
        /// Written once the file was valid: what was there before is frozen.
        Addendum = "ADDENDUM", "Complément";
        /// Why a responder gave other care.
        CounterRegulation = "COUNTER_REGULATION", "Contre-régulation";
    }
}

/// Words in a case. Never changed: a correction is another note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// What it is.
    pub kind: NoteKind,
    /// Who wrote it.
    pub by: PersonId,
    /// When.
    pub at: Instant,
    /// The visit it reports on.
    pub visit: Option<VisitId>,
    /// The decision it goes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionId>,
    /// The words.
    pub text: Private<String>,
}

/// The sealed part of a case.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sealed {
    /// Who calls.
    pub caller: Caller,
    /// Where, in words.
    pub address: Address,
    /// Who the patients are.
    pub identities: Vec<Identity>,
    /// Everything written.
    pub notes: Vec<Note>,
    /// Where exactly.
    pub position: Private<Option<Position>>,
    /// The telephone call, as the integration names it.
    pub call: Private<Option<String>>,
    /// Answers to the questions of the protocols.
    #[serde(skip_serializing_if = "nothing_answered")]
    pub answers: Private<Answers>,
    /// What was prescribed by telephone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prescriptions: Vec<Prescription>,
}

fn nothing_answered(answers: &Private<Answers>) -> bool {
    answers.reveal().is_empty()
}

/// Personal words of an event: what [`super::fact::Fact`] may not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Words {
    /// Who calls, replaced.
    Caller(Caller),
    /// Where, replaced.
    Address(Address),
    /// Who a patient is, replaced or added by number.
    Identity(Identity),
    /// A note, added.
    Note(Note),
    /// Where exactly, replaced.
    Position(Private<Option<Position>>),
    /// The telephone call.
    Call(Private<Option<String>>),
    /// Answers to the questions of the protocols, those before included.
    Answers(Private<Answers>),
    /// A prescription by telephone, added.
    Prescription(Box<Prescription>),
}

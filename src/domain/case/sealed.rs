//! What is personal in a case: stored only in the sealed part of a record or event, shown only to an entitled console.

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::{
        age::Age,
        ids::{DecisionId, NoteId, PersonId, SheetId, VisitId},
        ins::{InsAuthority, InsStatus},
        person::{Private, unsaid},
        place::Position,
        regulation::prescription::Prescription,
        regulation::protocols::Answers,
        remarkable::SheetWords,
        time::Instant,
    },
};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Caller {
    /// Name.
    #[serde(skip_serializing_if = "unsaid")]
    pub name: Private<String>,
    /// Number the call came from, E.164.
    #[serde(skip_serializing_if = "unsaid")]
    pub phone: Private<String>,
    /// Number to ring back, E.164, when it is another.
    #[serde(skip_serializing_if = "unsaid")]
    pub call_back: Private<String>,
    /// HubSante.typeAppelant code (`SUJET`, `FAMILLE`, `MED` …).
    #[serde(skip_serializing_if = "unsaid")]
    pub kind: Option<String>,
    /// Language, ISO 639-1.
    #[serde(skip_serializing_if = "unsaid")]
    pub language: Option<String>,
    /// HubSante.communication code (`LANGUE`, `PANIQUE` …).
    #[serde(skip_serializing_if = "unsaid")]
    pub difficulty: Option<String>,
    /// The centre that passed the call on, in words.
    #[serde(skip_serializing_if = "unsaid")]
    pub partner: Private<String>,
    /// Its own number of the case.
    #[serde(skip_serializing_if = "unsaid")]
    pub partner_reference: Private<String>,
}

/// The address and how to get in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Number and street.
    #[serde(skip_serializing_if = "unsaid")]
    pub street: Private<String>,
    /// Free directions.
    #[serde(skip_serializing_if = "unsaid")]
    pub access: Private<String>,
    /// The way in, part by part.
    #[serde(skip_serializing_if = "unsaid")]
    pub way_in: WayIn,
}

/// How to get in, part by part (RS-EDA `access`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WayIn {
    /// Building, staircase.
    #[serde(skip_serializing_if = "unsaid")]
    pub building: Private<String>,
    /// Which entrance.
    #[serde(skip_serializing_if = "unsaid")]
    pub entrance: Private<String>,
    /// Floor.
    #[serde(skip_serializing_if = "unsaid")]
    pub floor: Private<String>,
    /// Door or room.
    #[serde(skip_serializing_if = "unsaid")]
    pub door: Private<String>,
    /// Door codes.
    #[serde(skip_serializing_if = "unsaid")]
    pub code: Private<String>,
    /// Name or number on the interphone.
    #[serde(skip_serializing_if = "unsaid")]
    pub interphone: Private<String>,
    /// What is to be known of the lift.
    #[serde(skip_serializing_if = "unsaid")]
    pub lift: Private<String>,
    /// Institution or service within the building.
    #[serde(skip_serializing_if = "unsaid")]
    pub service: Private<String>,
}

impl WayIn {
    /// Each part with its French label, in the order in which one gets in.
    pub fn parts(&self) -> [(&'static str, &Private<String>); 8] {
        [
            ("bâtiment", &self.building),
            ("entrée", &self.entrance),
            ("code", &self.code),
            ("interphone", &self.interphone),
            ("ascenseur", &self.lift),
            ("étage", &self.floor),
            ("porte", &self.door),
            ("service", &self.service),
        ]
    }

    /// Each part, to be shortened.
    pub fn parts_mut(&mut self) -> [&mut Private<String>; 8] {
        let Self { building, entrance, code, interphone, lift, floor, door, service } = self;
        [building, entrance, code, interphone, lift, floor, door, service]
    }
}

impl Address {
    /// The way in as one line of text, for paper; empty when nothing is known.
    pub fn way_in_words(&self) -> String {
        let named = self.way_in.parts().into_iter().filter(|(_, text)| !text.reveal().is_empty());
        let parts = named.map(|(label, text)| format!("{label} {}", text.reveal()));
        let free = Some(self.access.reveal().clone()).filter(|text| !text.is_empty());
        parts.chain(free).collect::<Vec<_>>().join(", ")
    }
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

/// Who answers for a patient who does not do so alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Representative {
    /// Name.
    #[serde(skip_serializing_if = "unsaid")]
    pub name: Private<String>,
    /// Number, E.164.
    #[serde(skip_serializing_if = "unsaid")]
    pub phone: Private<String>,
    /// Tie to the patient, in words.
    #[serde(skip_serializing_if = "unsaid")]
    pub tie: Private<String>,
}

/// Who the patient is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// Patient number in the case.
    pub number: u32,
    /// Name in use.
    #[serde(skip_serializing_if = "unsaid")]
    pub name: Private<String>,
    /// Birth date, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "unsaid")]
    pub birth_date: Private<String>,
    /// Age in whole years, when the birth date is not known.
    #[serde(skip_serializing_if = "unsaid")]
    pub age_years: Private<Option<u32>>,
    /// The same more finely, when it was given in months, weeks or days.
    #[serde(skip_serializing_if = "unsaid")]
    pub age: Private<Option<Age>>,
    /// Sex.
    #[serde(skip_serializing_if = "unsaid")]
    pub sex: Private<Option<Sex>>,
    /// Weight, grams.
    #[serde(skip_serializing_if = "unsaid")]
    pub weight_grams: Private<Option<u32>>,
    /// INS number (NIR or NIA) with its key. One whose key does not hold is kept only as it was heard in an emergency.
    #[serde(skip_serializing_if = "unsaid")]
    pub nir: Private<String>,
    /// How well the identity is established; provisional unless said.
    #[serde(skip_serializing_if = "unsaid")]
    pub ins_status: Private<Option<InsStatus>>,
    /// Who gave the number; the register of persons unless said.
    #[serde(skip_serializing_if = "unsaid")]
    pub ins_authority: Private<Option<InsAuthority>>,
    /// Name at birth.
    #[serde(skip_serializing_if = "unsaid")]
    pub birth_name: Private<String>,
    /// First names at birth.
    #[serde(skip_serializing_if = "unsaid")]
    pub birth_first_names: Private<String>,
    /// INSEE code of the commune or country of birth.
    #[serde(skip_serializing_if = "unsaid")]
    pub birth_place: Private<String>,
    /// The GP's name as the caller gives it, when the directory does not know it.
    #[serde(skip_serializing_if = "unsaid")]
    pub gp_name: Private<String>,
    /// Who answers for the patient.
    #[serde(skip_serializing_if = "unsaid")]
    pub representative: Representative,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "unsaid")]
    pub caller: Caller,
    /// Where, in words.
    #[serde(skip_serializing_if = "unsaid")]
    pub address: Address,
    /// Who the patients are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Identity>,
    /// Everything written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Where exactly.
    #[serde(skip_serializing_if = "unsaid")]
    pub position: Private<Option<Position>>,
    /// The telephone call, as the integration names it.
    #[serde(skip_serializing_if = "unsaid")]
    pub call: Private<Option<String>>,
    /// Answers to the questions of the protocols.
    #[serde(skip_serializing_if = "nothing_answered")]
    pub answers: Private<Answers>,
    /// What was prescribed by telephone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prescriptions: Vec<Prescription>,
}

/// Bytes of notes beyond which a case takes no more of them from who only adds: its record stays so far below the largest that
/// a store takes (256 KiB) that what keeps the case safe, an alarm, a vital emergency or its end, always has room.
const MOST_NOTED: usize = 136 * 1_024;
/// Bytes of notes that what a doctor found, decided or told may fill beyond that, and why somebody did something: three such
/// texts of the greatest length in accented letters. A record is at most 176 KiB when the last of what people only add is
/// taken (`engine::policy`), so with these words it is at most 200 KiB: 16 KiB below where decisions stop, and 56 KiB below
/// the largest record.
const KEPT_FOR_ACTS: usize = 24 * 1_024;
/// Bytes of a stored note beside its words.
const AROUND_A_NOTE: usize = 300;

impl Sealed {
    /// Whether a note of these words still has room. Words that come late leave half of it to those who hold the case.
    pub fn has_room_for(&self, kind: NoteKind, text: &str) -> bool {
        let most = match kind {
            NoteKind::Late => MOST_NOTED / 2,
            NoteKind::Note | NoteKind::Addendum => MOST_NOTED,
            NoteKind::Report
            | NoteKind::Reason
            | NoteKind::Advice
            | NoteKind::SafetyNet
            | NoteKind::CounterRegulation => MOST_NOTED + KEPT_FOR_ACTS,
        };
        let noted = |bytes: fn(&str) -> usize| {
            let notes = self.notes.iter().map(|note| note.text.reveal().as_str()).chain([text]);
            notes.map(|text| AROUND_A_NOTE + bytes(text)).sum::<usize>()
        };
        // Most cases are so far from it that their characters need not be looked at: one takes six bytes at most.
        noted(|text| 6 * text.len()) <= most || noted(written) <= most
    }
}

/// Bytes of a text in a record or an event.
pub fn written(text: &str) -> usize {
    text.chars().map(written_char).sum()
}

/// Bytes of one character there: quotation marks and line breaks take two, other control characters six.
pub fn written_char(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..' ' => 6,
        _ => c.len_utf8(),
    }
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
    /// Whom a sheet of a remarkable patient is about and what it says, replaced.
    Sheet(SheetId, Box<SheetWords>),
}

//! What the doctor says with a decision: advice, what to watch for, and whether it was understood and agreed.
//!
//! HAS 2011: the call has four stages — listen, question, explain, verify understanding and agreement. The first two leave
//! the qualification and the reasons of the need; this is the other two. A refusal is the patient's right (L1111-4 CSP):
//! only a doctor takes it, from somebody able to decide, who was told what it may lead to and when to call again.

use serde::{Deserialize, Serialize};

use crate::{coded_enum, domain::age::Age};

use super::{need::CareLevel, wrong::Wrong};

coded_enum! {
    /// Whether the caller understood and agrees.
    Understanding {
        /// Understood and agreed.
        Yes = "YES", "Compris et accepté";
        /// Not understood, or not agreed.
        No = "NO", "Non compris ou non accepté";
        /// The doctor did not ask.
        NotAsked = "NOT_ASKED", "Non demandé";
        /// Could not be verified: language, hearing, panic.
        Barrier = "BARRIER", "Vérification impossible";
    }
}

coded_enum! {
    /// Whom to call when what was told to watch for appears.
    CallAgain {
        /// This centre, by the 15.
        Fifteen = "15", "Le 15";
        /// This centre, by the 116 117.
        Service = "116117", "Le 116 117";
        /// The own GP.
        OwnGp = "OWN_GP", "Le médecin traitant";
        /// The responder who gives the care.
        Responder = "RESPONDER", "L'effecteur";
    }
}

coded_enum! {
    /// Whether whoever refuses can decide (L1111-4 CSP).
    Capacity {
        /// The patient, able to decide.
        Capable = "CAPABLE", "Patient apte à décider";
        /// Who decides for the patient in law.
        Representative = "REPRESENTATIVE", "Représentant légal";
        /// Not able to decide.
        Impaired = "IMPAIRED", "Inapte à décider";
    }
}

/// What to watch for, as codes, and whom to call then; the words are in the sealed part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyNet {
    /// Signs, as codes; never free text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watch_for: Vec<String>,
    /// Whom to call.
    pub call_again: CallAgain,
}

/// A sentence of the list as it stood when it was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its code.
    pub code: String,
    /// Version of the list it stood in.
    pub version: String,
    /// Its words; empty when they had no room beside the others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// SHA-256 of the words, where they had no room: a list of that day can be told to be the one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// What was told to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dialogue {
    /// Advice, as codes; never free text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<String>,
    /// What to watch for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety_net: Option<SafetyNet>,
    /// Whether it was understood and agreed; none: not stated, which is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub understood: Option<Understanding>,
    /// The sentences of the codes above, word for word as the list had them when they were signed. They are nobody's personal
    /// words. Empty in what was signed before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Said>,
}

impl Dialogue {
    /// The words of a code as they were signed, if they were kept.
    pub fn words(&self, code: &str) -> Option<&str> {
        let said = self.said.iter().find(|said| said.code == code);
        said.map(|said| said.text.as_str()).filter(|text| !text.is_empty())
    }

    /// True when somebody must ask again: what was said did not arrive, or nobody can tell.
    pub fn must_be_asked_again(&self) -> bool {
        matches!(self.understood, Some(Understanding::No | Understanding::Barrier))
    }
}

/// A patient who refuses what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientRefusal {
    /// Who refuses, and able to.
    pub capacity: Capacity,
    /// The consequences were explained.
    pub risks_explained: bool,
}

/// Below this age a patient does not refuse care by himself: who holds parental authority does (L1111-4).
const OF_AGE: Age = Age::from_days(6575);

/// Why a refusal of care of this level, by or for a patient of this age, may not be taken. Empty means it may.
pub fn refusal_faults(
    refusal: &PatientRefusal,
    (age, level): (Option<Age>, CareLevel),
    dialogue: Option<&Dialogue>,
) -> Vec<Wrong> {
    let mut found = Vec::new();
    if refusal.capacity == Capacity::Capable && age.is_some_and(|age| age < OF_AGE) {
        let problem =
            "a minor does not refuse by himself: decide the care, or take the word of the legal representative";
        let french = "un mineur ne refuse pas seul : décidez les soins, ou recueillez l'avis du représentant légal";
        found.push(Wrong::new("refusal.capacity", problem, french));
    }
    if refusal.capacity == Capacity::Representative && level == CareLevel::R1 {
        let problem = "a representative does not refuse for somebody else what a vital emergency needs: decide the care \
            (L1111-4)";
        let french = "urgence vitale : le refus d'un représentant n'arrête pas les soins indispensables (L1111-4)";
        found.push(Wrong::new("refusal.capacity", problem, french));
    }
    if refusal.capacity == Capacity::Impaired {
        let problem =
            "who cannot decide does not refuse: decide the care, or take the word of the legal representative";
        let french =
            "le patient n'est pas apte à refuser : décidez les soins, ou recueillez l'avis du représentant légal";
        found.push(Wrong::new("refusal.capacity", problem, french));
    }
    if !refusal.risks_explained {
        let problem = "explain what the refusal may lead to, then say that it was explained (L1111-4)";
        let french = "expliquez les conséquences du refus, puis cochez-le (L1111-4)";
        found.push(Wrong::new("refusal.risks_explained", problem, french));
    }
    if dialogue.and_then(|told| told.safety_net.as_ref()).is_none() {
        let problem = "must be set with a refusal: what to watch for, and whom to call again";
        let french = "avec un refus, dites quoi surveiller et qui rappeler";
        found.push(Wrong::new("dialogue.safety_net", problem, french));
    }
    found
}

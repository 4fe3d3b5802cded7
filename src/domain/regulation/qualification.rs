//! Front-line qualification (prise d'appel): priority, stream and what the ARM heard.
//!
//! Priorities: HubSante.priorite and SUdF guide, record 861 (domain.md §2.3). Attributions D.* and DR.DREG:
//! HubSante.attribution. An ARM ends a file alone only with one of those, without symptoms, and reversibly (IGAS 2018).

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::{
        ids::{PersonId, Skill},
        time::{Instant, Span},
    },
};

use super::split::Split;

coded_enum! {
    /// How urgent the regulation of a case is (HubSante.priorite).
    Priority {
        /// Reflex engagement; the caller is kept on the line and handed over accompanied.
        P0 = "P0", "Urgence vitale";
        /// Immediate regulation.
        P1 = "P1", "Prioritaire";
        /// May wait while others are regulated.
        P2 = "P2", "Non urgent";
        /// Telephone appointment within a contracted delay.
        P3 = "P3", "Différé";
        /// Not regulated: only D.* and DR.DREG files.
        NotRegulated = "NR", "Non régulé";
    }
}

coded_enum! {
    /// Which regulation answers (HubSante.filiere).
    Stream {
        /// Aide médicale urgente.
        Amu = "AMU", "Aide médicale urgente";
        /// Soins non programmés.
        Snp = "SNP", "Soins non programmés";
        /// Psychiatry.
        Psy = "PSY", "Psychiatrie";
        /// Newborns.
        Neonat = "NEONAT", "Néonatalité";
    }
}

coded_enum! {
    /// What makes a doctor's regulation compulsory, whatever a protocol says (design.md §3, invariant 5).
    Flag {
        /// A sign of gravity was heard.
        RedFlag = "RED_FLAG", "Signe de gravité entendu";
        /// The same episode called before.
        RepeatCall = "REPEAT_CALL", "Appel itératif";
        /// The patient is an infant.
        Infant = "INFANT", "Nourrisson";
        /// Caller and ARM do not understand each other well enough.
        CommunicationBarrier = "COMMUNICATION_BARRIER", "Barrière de communication";
        /// The call was lost after a symptom was heard.
        LostCall = "LOST_CALL", "Appel perdu après un symptôme";
        /// An earlier case resembles it so much that a doctor looks, until a person has linked it or not.
        PossibleRepeat = "POSSIBLE_REPEAT", "Appel peut-être itératif";
    }
}

coded_enum! {
    /// The attributions under which an ARM may end a file without a doctor (HubSante.attribution D.* and DR.DREG).
    Attribution {
        /// Wrong number.
        WrongNumber = "D.D-MALV.ERR", "Erreur de numéro, erreur d'acheminement";
        /// Hung up or silent at the opening.
        Silent = "D.D-MALV.NRP", "Appel raccroché, pas de réponse";
        /// Malicious call.
        Malicious = "D.D-MALV.MALV", "Appel malveillant, canular";
        /// Fax or carrier tone.
        Fax = "D.D-MALV.FAX", "Tonalité de fax, porteuse";
        /// The file exists already; the call is linked to it.
        Repeat = "D.D-MALV.ITERATIF", "Dossier existant, appel itératif";
        /// Administrative call.
        Administrative = "D.D-IDENT.ADMIN", "Appel administratif";
        /// Personal call.
        Personal = "D.D-IDENT.PERSO", "Appel personnel";
        /// Handled by the ARM, nothing medical.
        Arm = "DR.DREG.DRARM", "Prise en charge ARM sans acte de régulation";
        /// Which doctor is on duty.
        DoctorInformation = "DR.DREG.DRMED", "Information sur un médecin";
        /// Which pharmacy is on duty.
        PharmacyInformation = "DR.DREG.DRPHARMA", "Information sur une pharmacie";
        /// Which dentist is on duty.
        DentistInformation = "DR.DREG.DRDENT", "Information sur un dentiste";
        /// General information.
        GeneralInformation = "DR.DREG.DRINFO", "Information générale";
        /// For the fire service.
        FireService = "DR.DREG.DOS-SIS", "Appel pour les pompiers";
        /// For the police.
        Police = "DR.DREG.DOS-FDO", "Appel pour les forces de l'ordre";
    }
}

/// What the front line established. A later qualification replaces it; the log keeps both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qualification {
    /// How urgent.
    pub priority: Priority,
    /// Which regulation answers.
    pub stream: Stream,
    /// Motive code (HubSante.motif, or a foreign code kept as it came); none for a P0 nobody had time to code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motive: Option<String>,
    /// What makes a doctor compulsory.
    pub flags: Vec<Flag>,
    /// A symptom was heard on the line.
    pub symptoms: bool,
    /// Until when it should be regulated.
    pub due: Instant,
    /// When it was established.
    pub at: Instant,
    /// By whom.
    pub by: PersonId,
    /// What the protocols proposed; none when no protocol was in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Box<Proposed>>,
    /// What the regulator should be versed in; once the case is late, any regulator of the stream may take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<Skill>,
    /// What the territory's split made of the stream that the front line gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Of a request for P3: what was counted, and what it led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// The doctor who held it when it was taken out of the AMU, until another takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_amu: Option<PersonId>,
}

/// How busy the room was when somebody asked for a telephone appointment (P3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// So many other cases waited for a regulator of the stream, counted up to `asked`.
    pub waiting: u32,
    /// So many have to wait before a request is deferred (territory policy).
    pub asked: u32,
    /// Too few waited: the request is regulated in its turn, as P2.
    pub quiet: bool,
}

/// What the protocols proposed for a qualification, in codes: the words stand in the protocols.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// The rule that decided.
    pub rule: FiredCode,
    /// Every red flag heard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub red_flags: Vec<FiredCode>,
    /// Protocols that proposed without a committee's signature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsigned: Vec<String>,
    /// The front line qualified less urgently, and why is among the notes; or a doctor said that it may wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lowered: bool,
}

/// A rule of a protocol that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiredCode {
    /// Of which protocol.
    pub protocol: String,
    /// In which version.
    pub version: String,
    /// Which rule.
    pub rule: String,
    /// What it proposed.
    pub priority: Priority,
    /// To which regulation.
    pub stream: Stream,
}

impl Qualification {
    /// True when a doctor must regulate, whatever a protocol allows.
    pub fn needs_doctor(&self) -> bool {
        !self.flags.is_empty() || matches!(self.priority, Priority::P0 | Priority::P1)
    }
}

/// The longest waits before regulation, by priority (territory policy; elapsed time).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueSpans {
    /// For P1.
    pub p1: Span,
    /// For P2.
    pub p2: Span,
    /// For P3: the end of its telephone appointment's window.
    pub p3: Span,
}

/// Until when a case of `priority` that became regulable at `at` should be regulated. P0 is due at once.
pub fn due(priority: Priority, at: Instant, spans: DueSpans) -> Instant {
    match priority {
        Priority::P0 | Priority::NotRegulated => at,
        Priority::P1 => at + spans.p1,
        Priority::P2 => at + spans.p2,
        Priority::P3 => at + spans.p3,
    }
}

/// Whether the ARM may end a file alone: only when no symptom was heard and nothing makes a doctor compulsory.
pub fn may_dismiss(symptoms: bool, flags: &[Flag]) -> bool {
    !symptoms && flags.is_empty()
}

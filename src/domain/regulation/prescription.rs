//! A prescription by telephone (PMT): R6315-5 CSP, HAS 2009, SUdF guide record 910 (domain.md §2.10).
//!
//! Outside the AMU only, limited in time and never renewable. It weighs that nobody has examined the patient and that the
//! caller may be somebody else: allergies, treatments, pregnancy, a child's weight and an earlier examination are asked,
//! and each is answered or stated unknown. Who signs the decision prescribes. All of it is stored sealed.

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::{ids::DecisionId, person::Private},
};

use super::{
    need::{CareLevel, CareType},
    qualification::Stream,
    wrong::Wrong,
};

coded_enum! {
    /// The three situations.
    Situation {
        /// A written order is sent to a pharmacy.
        WrittenOrder = "WRITTEN_ORDER", "Ordonnance adressée à une pharmacie";
        /// The drug is in the family's cupboard.
        FamilyPharmacy = "FAMILY_PHARMACY", "Médicament présent au domicile";
        /// An earlier prescription is adapted, its author out of reach.
        Adaptation = "ADAPTATION", "Adaptation d'une prescription";
    }
}

coded_enum! {
    /// What became of a question.
    AskedState {
        /// Asked and answered.
        Answered = "ANSWERED", "Répondu";
        /// Asked; the caller does not know.
        Unknown = "UNKNOWN", "Inconnu";
        /// Does not concern this patient.
        NotConcerned = "NOT_CONCERNED", "Sans objet";
    }
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What became of it.
    pub state: AskedState,
    /// The answer; empty unless answered.
    pub answer: Private<String>,
}

/// One drug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrugLine {
    /// Name or DCI.
    pub drug: Private<String>,
    /// Dose and how often.
    pub dose: Private<String>,
    /// For how many days.
    pub days: u32,
    /// ATC code (WHO), by which classes are excluded; empty when not given.
    pub atc: String,
}

/// A prescription. Not renewable: there is nothing to say it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prescription {
    /// The decision it belongs to.
    pub decision: DecisionId,
    /// In which situation.
    pub situation: Situation,
    /// The drugs.
    pub lines: Vec<DrugLine>,
    /// Allergies.
    pub allergies: Option<Asked>,
    /// Pregnancy, breast-feeding.
    pub pregnancy: Option<Asked>,
    /// Weight.
    pub weight: Option<Asked>,
    /// Current treatments.
    pub treatments: Option<Asked>,
    /// An examination for the same symptoms before this call.
    pub prior_examination: Option<Asked>,
    /// Who wrote what is adapted.
    pub earlier_prescriber: Option<Asked>,
    /// Which pharmacy, and how it is reached.
    pub pharmacy: Private<String>,
}

/// What a territory allows (`[prescription]` of its configuration).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrescriptionPolicy {
    /// The longest duration, days.
    pub longest_days: u32,
    /// ATC groups that are never prescribed by telephone, by the beginning of their codes.
    pub excluded_classes: Vec<String>,
}

impl Default for PrescriptionPolicy {
    /// A week; no opioids, anxiolytics or hypnotics. Starting values for a board to change, not figures of a text.
    fn default() -> Self {
        Self { longest_days: 7, excluded_classes: ["N02A", "N05B", "N05C"].map(str::to_owned).to_vec() }
    }
}

/// What of the patient decides which questions are compulsory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patient {
    /// Age in whole years, if known.
    pub years: Option<u32>,
    /// Known to be a man or a boy.
    pub male: bool,
    /// The weight stands in the case already: it is not asked twice.
    pub weighed: bool,
}

/// Below this age a weight is asked: doses of a child go by it.
pub const WEIGHED_BELOW_YEARS: u32 = 15;
/// From and to these ages, both included, a woman is asked about pregnancy.
pub const PREGNANCY_YEARS: std::ops::RangeInclusive<u32> = 12..=55;
/// Most drugs of a prescription.
pub const MOST_LINES: usize = 10;

/// What forbids a prescription by telephone before any drug is named; the fields are those of a need. Empty: nothing.
pub fn forbidden(care: CareType, level: CareLevel, stream: Stream) -> Vec<Wrong> {
    let mut found = Vec::new();
    if care != CareType::PhonePrescription {
        return found;
    }
    if stream == Stream::Amu {
        let problem = "a phone prescription is not for stream AMU (R6315-5): re-orient first";
        found.push(Wrong::new("care", problem, "pas de PMT en filière AMU (R6315-5) : réorientez d'abord"));
    }
    if !matches!(level, CareLevel::R3 | CareLevel::R4) {
        let problem = "a phone prescription is for R3 and R4: an emergency is examined";
        found.push(Wrong::new("level", problem, "PMT en R3 ou R4 seulement : une urgence se fait examiner"));
    }
    found
}

/// Everything wrong with a prescription, each with its field. Empty: it may be signed.
pub fn faults(prescription: &Prescription, patient: Patient, policy: &PrescriptionPolicy) -> Vec<Wrong> {
    let mut found = Vec::new();
    of_lines(&prescription.lines, policy, &mut found);
    let mut ask = |field: &'static str, asked: &Option<Asked>, needed: Needed| {
        found.extend(question(asked.as_ref(), needed).map(|(problem, french)| Wrong::new(field, problem, french)));
    };
    ask("prescription.allergies", &prescription.allergies, Needed::Always);
    ask("prescription.treatments", &prescription.treatments, Needed::Always);
    ask("prescription.prior_examination", &prescription.prior_examination, Needed::Always);
    ask("prescription.weight", &prescription.weight, weight(patient));
    ask("prescription.pregnancy", &prescription.pregnancy, pregnancy(patient));
    let adapted = prescription.situation == Situation::Adaptation;
    let earlier = if adapted { Needed::Always } else { Needed::No };
    ask("prescription.earlier_prescriber", &prescription.earlier_prescriber, earlier);
    if prescription.situation == Situation::WrittenOrder && prescription.pharmacy.reveal().trim().is_empty() {
        let problem = "a written order goes to a pharmacy: say which, and how it is reached";
        let french = "l'ordonnance part vers une pharmacie : dites laquelle et comment la joindre";
        found.push(Wrong::new("prescription.pharmacy", problem, french));
    }
    found
}

/// How much a question is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// Answered or stated unknown.
    Always,
    /// Stated in some way; that it does not concern this patient is one.
    Stated,
    /// May be left out.
    No,
}

fn weight(patient: Patient) -> Needed {
    match patient.years {
        _ if patient.weighed => Needed::No,
        Some(years) if years < WEIGHED_BELOW_YEARS => Needed::Always,
        Some(_) => Needed::No,
        None => Needed::Stated,
    }
}

fn pregnancy(patient: Patient) -> Needed {
    match patient.years {
        _ if patient.male => Needed::No,
        Some(years) if !PREGNANCY_YEARS.contains(&years) => Needed::No,
        Some(_) | None => Needed::Stated,
    }
}

/// What is missing of an answer, in English and in French.
fn question(asked: Option<&Asked>, needed: Needed) -> Option<(&'static str, &'static str)> {
    match (asked.map(|asked| asked.state), needed) {
        (None, Needed::No) | (Some(AskedState::Unknown), _) => None,
        (Some(AskedState::NotConcerned), Needed::Stated | Needed::No) => None,
        (Some(AskedState::Answered), _) => {
            let empty = asked.is_some_and(|asked| asked.answer.reveal().trim().is_empty());
            empty.then_some(("say the answer, or UNKNOWN", "écrivez la réponse, ou « inconnu »"))
        }
        (Some(AskedState::NotConcerned), Needed::Always) => {
            Some(("concerns this patient: ANSWERED or UNKNOWN", "concerne ce patient : répondu ou inconnu"))
        }
        (None, Needed::Always) => {
            Some(("ask, and say ANSWERED with the answer, or UNKNOWN", "posez la question : répondu ou inconnu"))
        }
        (None, Needed::Stated) => Some((
            "ask, and say ANSWERED, UNKNOWN or NOT_CONCERNED",
            "posez la question : répondu, inconnu ou sans objet",
        )),
    }
}

fn of_lines(lines: &[DrugLine], policy: &PrescriptionPolicy, found: &mut Vec<Wrong>) {
    if lines.is_empty() || lines.len() > MOST_LINES {
        let problem = format!("{} drugs: 1 to {MOST_LINES}", lines.len());
        found.push(Wrong::new("prescription.lines", problem, "un à dix médicaments"));
    }
    for (place, line) in lines.iter().take(MOST_LINES).enumerate() {
        let mut fault = |field: &str, problem: String, french| {
            found.push(Wrong::new(format!("prescription.lines[{place}].{field}"), problem, french));
        };
        if line.drug.reveal().trim().is_empty() {
            fault("drug", "must be set: name or DCI".to_owned(), "nom ou DCI du médicament");
        }
        if line.dose.reveal().trim().is_empty() {
            fault("dose", "must be set: how much and how often".to_owned(), "dose et rythme");
        }
        if line.days == 0 || line.days > policy.longest_days {
            let problem = format!("1 to {} days here; longer needs an examination", policy.longest_days);
            fault("days", problem, "durée hors de la limite du territoire : faites examiner le patient");
        }
        match excluded(&line.atc, policy) {
            Excluded::No => {}
            Excluded::Unclassed => {
                let problem = "must be set where classes are excluded: the drug's ATC code, such as N02BE01";
                fault("atc", problem.to_owned(), "code ATC nécessaire : des classes sont exclues ici");
            }
            Excluded::By(class) => {
                let problem = format!("class {class} is not prescribed by telephone here: have the patient examined");
                fault("atc", problem, "classe exclue de la PMT ici : faites examiner le patient");
            }
        }
    }
}

enum Excluded<'a> {
    No,
    Unclassed,
    By(&'a str),
}

fn excluded<'a>(atc: &str, policy: &'a PrescriptionPolicy) -> Excluded<'a> {
    // A class that holds an excluded one says too little: the drug may be of it.
    if policy.excluded_classes.iter().any(|class| class.starts_with(atc) && class != atc) {
        return Excluded::Unclassed;
    }
    let class = policy.excluded_classes.iter().find(|class| atc.starts_with(class.as_str()));
    class.map_or(Excluded::No, |class| Excluded::By(class))
}

/// True for an ATC code or the beginning of one: `N`, `N02`, `N02B`, `N02BE`, `N02BE01`.
pub fn is_atc(code: &str) -> bool {
    let whole = matches!(code.len(), 1 | 3 | 4 | 5 | 7);
    whole
        && code.bytes().enumerate().all(|(place, byte)| match place {
            1 | 2 | 5 | 6 => byte.is_ascii_digit(),
            _ => byte.is_ascii_uppercase(),
        })
}

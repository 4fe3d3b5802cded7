//! Why a command is refused: one typed answer that says what the caller does next, in English and in French.

use serde::{Deserialize, Serialize};

use crate::domain::{actor::Role, ids::CaseId, regulation::wrong::Wrong};

use super::french;

/// One wrong field of a command: never the value itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// Path of the field in the request.
    pub field: String,
    /// What is wrong with its shape, and what to do.
    pub problem: String,
    /// What to do, in French; empty: the field's name must do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub french: String,
}

impl FieldFault {
    /// A fault of `field`.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into(), french: String::new() }
    }

    /// For a screen: the field, and in French what to do.
    fn told(&self) -> String {
        if self.french.is_empty() { self.field.clone() } else { format!("{} ({})", self.field, self.french) }
    }
}

impl From<Wrong> for FieldFault {
    fn from(wrong: Wrong) -> Self {
        Self { french: wrong.french.to_owned(), ..Self::new(wrong.field, wrong.problem) }
    }
}

/// What a refusal for the state of something rests on, for the part of this program that can look again or find another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestsOn {
    /// The thing itself, as it was read.
    #[default]
    TheThing,
    /// Which case the name of a telephone call stands for.
    CallName,
    /// How much the record of a case holds.
    RecordSize,
    /// Who regulates, as it was known.
    Roster,
    /// That the person makes visits, as it was read.
    Shifts,
}

/// A refusal. Each has a stable code, and one meaning for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Refusal {
    /// Wrong fields, all of them. Mend the request.
    #[error("{} wrong field(s): {}", .0.len(), .0.iter().map(|f| format!("{}: {}", f.field, f.problem)).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldFault>),
    /// There is no such thing in this territory.
    #[error("no {0} with this id in this territory: list again")]
    NotFound(String),
    /// There is no such case in the working set, and one of its age would be in the archive.
    #[error(
        "no case {0} in the working set: one of its age is in the archive; read it there with `sas-dispatch export \
         --archive DIR --case {0}`"
    )]
    Archived(CaseId),
    /// It changed since it was read. Read again.
    #[error("the {0} has changed since it was read: read it again and decide on what is there now")]
    Stale(String),
    /// The caller does not, or no longer, hold the case, and his words were kept. Claim it again.
    #[error(
        "the claim is not yours, or its lease has ended: claim the case again; your words were kept as a late note"
    )]
    NotHolder,
    /// The same where there were no words. No receipt holds it.
    #[error("the claim is not yours, or its lease has ended: claim the case again")]
    NotHolderWordless,
    /// What is asked does not fit where the thing stands.
    #[error("{what}: {problem}")]
    State {
        /// What it concerns, in words.
        what: String,
        /// Where it stands and what to do first.
        problem: String,
        /// What it rests on: nobody outside this program is told.
        #[serde(skip)]
        rests_on: RestsOn,
    },
    /// This role may not do it.
    #[error("the role {role} may not do this; it is for {needed}")]
    Role {
        /// The caller's.
        role: String,
        /// Who may.
        needed: String,
    },
    /// Whoever regulated a case never becomes its responder.
    #[error("this person regulated the case and may not be its responder: choose another responder")]
    Independence,
    /// A rule of the domain would be broken by the outcome: a fault of this program, nothing was changed.
    #[error("the outcome would break a rule ({0}); nothing was changed: report this")]
    Broken(String),
}

impl Refusal {
    /// A refusal for the state of something.
    pub fn state(what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::resting(RestsOn::TheThing, what, problem)
    }

    /// A refusal for the state of something that rests on more than the thing itself.
    pub fn resting(rests_on: RestsOn, what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::State { what: what.into(), problem: problem.into(), rests_on }
    }

    /// Refuses a role that is none of those that may.
    ///
    /// # Errors
    /// [`Refusal::Role`], which names them.
    pub fn unless(role: Role, may: &[Role]) -> Result<(), Self> {
        if may.contains(&role) {
            return Ok(());
        }
        let names: Vec<_> = may.iter().filter(|role| **role != Role::Upkeep).map(|role| role.code()).collect();
        Err(Self::Role { role: role.code().to_owned(), needed: names.join(", ") })
    }

    /// Whether it is one for the state of something, and rests on this.
    pub fn rests_on(&self, ground: RestsOn) -> bool {
        matches!(self, Self::State { rests_on, .. } if *rests_on == ground)
    }

    /// A single wrong field.
    pub fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Fields(vec![FieldFault::new(field, problem)])
    }

    /// Stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Fields(_) => "WRONG_FIELDS",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Archived(_) => "ARCHIVED",
            Self::Stale(_) => "STALE",
            Self::NotHolder | Self::NotHolderWordless => "NOT_HOLDER",
            Self::State { .. } => "WRONG_STATE",
            Self::Role { .. } => "WRONG_ROLE",
            Self::Independence => "REGULATOR_IS_RESPONDER",
            Self::Broken(_) => "RULE_BROKEN",
        }
    }

    /// The sentence for a French screen.
    pub fn french(&self) -> String {
        match self {
            Self::Fields(faults) => {
                let fields = faults.iter().map(FieldFault::told).collect::<Vec<_>>().join(", ");
                format!("Champs à corriger : {fields}.")
            }
            Self::NotFound(_) => "Introuvable dans ce territoire : actualisez la liste.".to_owned(),
            Self::Archived(_) => "Dossier clos et versé à l'archive : demandez-en l'extrait au support.".to_owned(),
            Self::Stale(_) => "Le dossier a changé depuis sa lecture : relisez-le avant de décider.".to_owned(),
            Self::NotHolder => {
                "Vous ne tenez plus ce dossier : reprenez-le ; votre texte est gardé en note tardive.".to_owned()
            }
            Self::NotHolderWordless => "Vous ne tenez plus ce dossier : reprenez-le.".to_owned(),
            Self::State { what, problem, .. } => french::state(what, problem).to_owned(),
            Self::Role { .. } => "Votre rôle ne permet pas cette action.".to_owned(),
            Self::Independence => {
                "Le médecin qui a régulé ce dossier ne peut pas en être l'effecteur : choisissez-en un autre."
                    .to_owned()
            }
            Self::Broken(_) => "Erreur interne : rien n'a été modifié ; prévenez le support.".to_owned(),
        }
    }
}

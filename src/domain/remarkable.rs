//! Sheets of remarkable patients: what is to be known before anything is decided (palliative care, hospital at home, limits
//! of treatment), written by somebody, until a stated instant.
//!
//! A sheet belongs to the territory and to no case; it is found by the keyed hashes of whom it is about and shown on a
//! match. One that has expired or ended is named and not shown as valid.

use serde::{Deserialize, Serialize};

use crate::coded_enum;

use super::{
    ids::{PersonId, SheetId},
    person::{Private, unsaid},
    time::Instant,
};

coded_enum! {
    /// What is to be known of a patient before he calls.
    RemarkableKind {
        /// Palliative care: what was foreseen.
        Palliative = "PALLIATIVE", "Fiche palliative";
        /// Hospital at home.
        Had = "HAD", "Hospitalisation à domicile";
        /// Limits of treatment.
        Lata = "LATA", "Limitation ou arrêt des traitements";
        /// Something else to know.
        Other = "OTHER", "Autre consigne";
    }
}

coded_enum! {
    /// By what a sheet was found for a case.
    RemarkableMatch {
        /// By the INS number.
        Ins = "INS", "INS";
        /// By name and birth date.
        Traits = "TRAITS", "Nom et date de naissance";
        /// By the telephone number only: somebody else of the household may call.
        Phone = "PHONE", "Numéro de téléphone : à vérifier";
    }
}

/// Whom a sheet is about and what it says; stored in the sealed part.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SheetWords {
    /// What to do and what not.
    pub text: Private<String>,
    /// Who wrote it, name and quality.
    pub author: Private<String>,
    /// INS number with its key.
    #[serde(skip_serializing_if = "unsaid")]
    pub nir: Private<String>,
    /// Name in use.
    #[serde(skip_serializing_if = "unsaid")]
    pub name: Private<String>,
    /// Birth date, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "unsaid")]
    pub birth_date: Private<String>,
    /// A number from which the patient calls, E.164.
    #[serde(skip_serializing_if = "unsaid")]
    pub phone: Private<String>,
}

/// One sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its id.
    pub id: SheetId,
    /// What it is.
    pub kind: RemarkableKind,
    /// When it was entered last.
    pub entered: Instant,
    /// By whom.
    pub entered_by: PersonId,
    /// Until when it holds.
    pub expires: Instant,
    /// When it was ended before its time.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub ended: Option<Instant>,
    /// Whom it is about and what it says; stored in the sealed part.
    #[serde(skip)]
    pub words: SheetWords,
}

impl Sheet {
    /// True while it holds.
    pub fn valid(&self, now: Instant) -> bool {
        now < self.over()
    }

    /// When it holds no longer.
    pub fn over(&self) -> Instant {
        self.ended.map_or(self.expires, |ended| ended.min(self.expires))
    }
}

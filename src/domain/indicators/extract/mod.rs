//! The daily anonymised extract for epidemiological follow-up: counts of a day's cases by a few coarse columns.
//!
//! [`Anonymous`] folds events into one row of codes for each case (motive, age band, sex, sector, decision …); of a patient it
//! keeps the band of the age and the sex, in memory, until the day is written. [`table`] counts the rows and hides what
//! could point at somebody. Nothing finer than a day and a sector, no id, no free text: a motive that is not of the national
//! list counts as other.

mod protect;
mod rows;

use crate::coded_enum;

pub use protect::{Cell, Table, table};
pub use rows::{Anonymous, Bands};

coded_enum! {
    /// What cases of an extract may be told apart by.
    Column {
        /// HubSante.motif.
        Motive = "MOTIVE", "Motif";
        /// Band of the age at the call.
        AgeBand = "AGE_BAND", "Classe d'âge";
        /// HubSante.sexe.
        Sex = "SEX", "Sexe";
        /// Sector of permanence of the patient's place.
        Sector = "SECTOR", "Secteur";
        /// The first answer of a doctor: kind of care.
        Decision = "DECISION", "Décision";
        /// Its care level.
        Level = "LEVEL", "Niveau de soin";
        /// The priority at the doctor's claim, or the last.
        Priority = "PRIORITY", "Priorité";
        /// The stream at the doctor's claim, or the last.
        Stream = "STREAM", "Filière";
    }
}

/// What stands for a value that is not known.
pub const UNKNOWN: &str = "UNKNOWN";
/// What stands for values too rare to be named.
pub const OTHER: &str = "OTHER";
/// What stands for "whatever value" in a total.
pub const ALL: &str = "*";

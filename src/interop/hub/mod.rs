//! Hub Santé: the message RS-EDA (`createCaseHealth`), by which one call centre hands a case to another.
//!
//! Reference: JSON Schemas RS-EDA, RC-DE and EDXL-DE 26.07.29 (ansforge/SAMU-Hub-Modeles @ e3d4411b). What they require
//! is required, their patterns and code lists hold, and a property they do not name is a fault. Beyond them:
//! - `location.city.inseeCode` is required (it gives the territory), and Corsican codes (`2A004`) pass, which the
//!   schema's five digits would refuse;
//! - the commune must lie in a département the law knows (not `99…` nor 986 to 988): another has no calendar;
//! - a date and time must exist (the schema's `format` says so, its pattern does not);
//! - a motive that the code list lacks, a malformed telephone number, a wrong NIR key, a position outside the globe
//!   and an impossible birth date are warnings: none of them is worth a lost case;
//! - a vital emergency (P0) is read in spite of every fault, which the reader of it is told.

pub mod codes;

mod answer;
mod case;
mod envelope;
mod people;
mod place;

pub(super) use case::{create_case_health, kept_if_foreign};
pub(super) use envelope::envelope;
pub(super) use place::commune;

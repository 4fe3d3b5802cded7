//! Identifiers as types, each with one canonical text.
//!
//! Ids of what a command creates are derived from that command ([`derive`]), so that a repeated command creates the
//! same things and the domain needs no source of randomness.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::time::Instant;

/// Why a text is not an identifier. Never holds the text itself: it may be a patient's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {problem}")]
pub struct BadId {
    /// The type that was asked for, in words.
    pub what: &'static str,
    /// What is wrong and what is expected.
    pub problem: String,
}

/// What has one canonical text, which [`Canonical::text`] writes without the machinery of formatting: a view of a case and a
/// transaction hold dozens of them.
pub trait Canonical {
    /// The canonical text.
    fn text(&self) -> String;
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Appends the canonical text, without the machinery of formatting: names of records are made by the dozen.
            pub fn append_to(self, text: &mut String) {
                text.push_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
            }
        }

        impl Canonical for $name {
            fn text(&self) -> String {
                let mut text = String::with_capacity(36);
                self.append_to(&mut text);
                text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                match Uuid::try_parse(text) {
                    Ok(id) if !id.is_nil() => Ok(Self(id)),
                    _ => Err(BadId {
                        what: $what,
                        problem: format!("expected a UUID of 36 characters, got {} characters", text.chars().count()),
                    }),
                }
            }
        }
    )*};
}

uuid_ids! {
    /// A client's name for one changing command (UUIDv7); repeating it repeats nothing.
    CommandId, "command id";
    /// One request for care (dossier de régulation). UUIDv7, so that ids sort by arrival.
    CaseId, "case id";
    /// One regulation decision of a case.
    DecisionId, "decision id";
    /// One thing still to be done for a case.
    ActionId, "action id";
    /// A mission put to one responder until a stated instant.
    OfferId, "offer id";
    /// A bookable period of a responder.
    SlotId, "slot id";
    /// A home visit.
    VisitId, "visit id";
    /// A responder's period on duty.
    ShiftId, "shift id";
    /// A note in a case.
    NoteId, "note id";
    /// A regulator's period on duty.
    DutyId, "duty id";
    /// A sheet of a remarkable patient.
    SheetId, "sheet id";
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Box<str>);

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// The canonical text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Canonical for $name {
            fn text(&self) -> String {
                self.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
                if text.is_empty() || text.len() > 64 || !text.chars().all(legal) {
                    return Err(BadId {
                        what: $what,
                        problem: format!(
                            "expected 1 to 64 lower-case letters, digits, '-', '.' or '_', got {} characters",
                            text.chars().count()
                        ),
                    });
                }
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;

            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }
    )*};
}

text_ids! {
    /// Owner of a calendar, sectors, policy and queues: `fr-67`, `fr-2a`, `fr-974`.
    TerritoryId, "territory id";
    /// A person who works with the service (ARM, regulator, coordinator, doctor …), as the identity provider names them.
    PersonId, "person id";
    /// Who gives care: a doctor, a practice, a fixed point or an association, as the directory names it.
    ResponderId, "responder id";
    /// Part of a territory for one time band.
    SectorId, "sector id";
    /// What a regulator is versed in beside his stream, as the territory names it: `pediatrics`, `language-ar`.
    Skill, "skill";
    /// A connection of a console or a terminal: a claim belongs to one.
    ConnectionId, "connection id";
}

/// An id for the `n`th thing of kind `what` that command `command` creates: the same for the same input, always.
pub fn derive(command: CommandId, what: &str, n: u32) -> Uuid {
    Uuid::new_v5(&command.0, format!("{what}/{n}").as_bytes())
}

/// A case id whose order is the order of arrival: the time bits of a UUIDv7 are `at`, the rest is derived from the
/// command.
pub fn case_id(command: CommandId, at: Instant) -> CaseId {
    let random = derive(command, "case", 0);
    let mut bytes = *random.as_bytes();
    bytes[..6].copy_from_slice(&at.unix_ms().max(0).to_be_bytes()[2..]);
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    CaseId(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_id_is_a_v7_uuid_that_sorts_by_arrival() {
        let command = |n: u128| CommandId(Uuid::from_u128(n));
        let early = case_id(command(9), Instant::from_unix_ms(1_735_200_000_000));
        let late = case_id(command(1), Instant::from_unix_ms(1_735_200_000_001));
        assert_eq!(early.0.get_version_num(), 7);
        assert!(early < late);
        assert_eq!(early, case_id(command(9), Instant::from_unix_ms(1_735_200_000_000)));
    }

    #[test]
    fn an_error_tells_the_shape_and_never_the_text() {
        let error = "Jean Dupont 0612345678".parse::<CaseId>().unwrap_err().to_string();
        assert_eq!(error, "case id: expected a UUID of 36 characters, got 22 characters");
        let error = "Fr 67".parse::<TerritoryId>().unwrap_err().to_string();
        assert!(error.starts_with("territory id: expected 1 to 64"), "{error}");
        assert!(!error.contains("Fr 67"));
    }
}

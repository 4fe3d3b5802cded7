//! Stored form: a clear part (ids, states, instants) and a sealed part (everything about a person) with a key id.
//!
//! Layout: `1`, clear length (u32, big endian), clear JSON, key id length (u8), key id, sealed bytes. Until encryption comes
//! the key id is `none` and the sealed bytes are JSON.

mod json;

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    domain::{
        case::{Case, Event, Reply},
        regulation::room::Room,
        remarkable::Sheet,
        slots::Slot,
        visits::Shift,
    },
    store::StoreError,
};

const LAYOUT: u8 = 1;
const NO_KEY: &[u8] = b"none";

/// A record of one of the four kinds.
#[derive(Debug, Clone, PartialEq)]
pub enum Entity {
    /// A case.
    Case(Arc<Case>),
    /// A slot.
    Slot(Slot),
    /// A shift.
    Shift(Shift),
    /// The regulation room.
    Room(Room),
    /// The sheet of a remarkable patient.
    Sheet(Box<Sheet>),
}

impl Entity {
    /// The record without what changes without an event, a doctor's position, and without ended actions that binaries differ
    /// in keeping.
    #[must_use]
    pub fn comparable(mut self) -> Self {
        match &mut self {
            Self::Shift(shift) => shift.position = None,
            Self::Case(case) => Arc::make_mut(case).forget_old_actions(),
            Self::Slot(_) | Self::Room(_) | Self::Sheet(_) => {}
        }
        self
    }
}

/// Whether the name of a record is that of an entity: what readers and restores leave in a store is none.
pub fn is_entity(key: &str) -> bool {
    matches!(key.split('/').next(), Some("case" | "slot" | "shift" | "room" | "sheet"))
}

/// Encodes a record.
pub fn encode(entity: &Entity) -> Vec<u8> {
    match entity {
        Entity::Case(case) => frame(case.as_ref(), &case.sealed),
        Entity::Slot(slot) => frame(slot, &()),
        Entity::Shift(shift) => frame(shift, &()),
        Entity::Room(room) => frame(room, &()),
        Entity::Sheet(sheet) => frame(sheet, &sheet.words),
    }
}

/// A reply as the receipt keeps it.
pub(super) fn encode_reply(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ORDINARY_REPLY);
    json::append(&mut bytes, reply).expect("a reply has a JSON form");
    bytes
}

/// Decodes the record stored under `key`, whose prefix says its kind.
///
/// # Errors
/// When the bytes are not what this binary, or an older one, writes.
pub fn decode(key: &str, bytes: &[u8]) -> Result<Entity, StoreError> {
    let (clear, sealed) = parts(bytes)?;
    match key.split('/').next() {
        Some("case") => {
            let case: Case = parse(clear)?;
            Ok(Entity::Case(Arc::new(case.unsealed(parse(sealed)?))))
        }
        Some("slot") => Ok(Entity::Slot(parse(clear)?)),
        Some("shift") => Ok(Entity::Shift(parse(clear)?)),
        Some("room") => Ok(Entity::Room(parse(clear)?)),
        Some("sheet") => {
            let sheet: Sheet = parse(clear)?;
            Ok(Entity::Sheet(Box::new(Sheet { words: parse(sealed)?, ..sheet })))
        }
        _ => Err(StoreError::Corrupt("a record of an unknown kind".to_owned())),
    }
}

/// Encodes an event of the log.
pub fn encode_event(event: &Event) -> Vec<u8> {
    frame(event, &event.words)
}

/// Decodes an event of the log.
///
/// # Errors
/// When the bytes are not what this binary, or an older one, writes.
pub fn decode_event(bytes: &[u8]) -> Result<Event, StoreError> {
    let (clear, sealed) = parts(bytes)?;
    let mut event: Event = parse(clear)?;
    event.words = parse(sealed)?;
    Ok(event)
}

/// The clear part alone, as an audit or a stranger with access to the store would see it.
///
/// # Errors
/// When the bytes have another layout.
pub fn clear_part(bytes: &[u8]) -> Result<&[u8], StoreError> {
    Ok(parts(bytes)?.0)
}

/// Room for an ordinary reply.
const ORDINARY_REPLY: usize = 384;
/// Room for an ordinary record or event.
const ORDINARY: usize = 3 * 1_024;

fn frame(clear: &impl Serialize, sealed: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ORDINARY);
    bytes.push(LAYOUT);
    bytes.extend_from_slice(&[0; 4]);
    let begun = bytes.len();
    json::append(&mut bytes, clear).expect("domain types have string keys and no failing serializer");
    let length = u32::try_from(bytes.len() - begun).unwrap_or(u32::MAX);
    bytes[begun - 4..begun].copy_from_slice(&length.to_be_bytes());
    bytes.push(NO_KEY.len() as u8);
    bytes.extend_from_slice(NO_KEY);
    json::append(&mut bytes, sealed).expect("domain types have string keys and no failing serializer");
    bytes
}

fn parts(bytes: &[u8]) -> Result<(&[u8], &[u8]), StoreError> {
    let corrupt = |what: &str| StoreError::Corrupt(what.to_owned());
    let (layout, rest) = bytes.split_first().ok_or_else(|| corrupt("an empty record"))?;
    if *layout != LAYOUT {
        return Err(corrupt("a record in a layout this binary does not know"));
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| corrupt("a record cut short"))?;
    let (clear, rest) =
        rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(|| corrupt("a record cut short"))?;
    let (length, rest) = rest.split_first().ok_or_else(|| corrupt("a record cut short"))?;
    let (key, sealed) = rest.split_at_checked(usize::from(*length)).ok_or_else(|| corrupt("a record cut short"))?;
    if key != NO_KEY {
        return Err(corrupt("a sealed part under a key this binary does not have"));
    }
    Ok((clear, sealed))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    // The cause may quote personal data: only its place is said.
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Corrupt(format!("a record that does not parse at column {}", error.column())))
}

//! What surrounds every answer: receipts, warnings, tokens.

use crate::{
    engine::{Done, PossibleRepeat},
    grpc::pb,
    store::Durability,
};

use super::codes::Coded;

/// The receipt of an acknowledged command, with the warnings of its conversion before those of its rules.
pub fn receipt(done: &Done, mut warnings: Vec<pb::Warning>) -> pb::Receipt {
    warnings.extend(done.renamed.then(id_unusable));
    warnings.extend(done.reply.warnings.iter().map(|text| warning(text)));
    pb::Receipt {
        seq: done.seq,
        at_unix_ms: done.at.unix_ms(),
        durability: durability(done.durability) as i32,
        replayed: done.replayed,
        warnings,
    }
}

/// That the id of a command was of no use, and what was done about it.
pub fn id_unusable() -> pb::Warning {
    let text = "no UUIDv7 of the last 71 h or the next 5 minutes: done under an id made here; of a UUIDv7 a repetition is \
                recognised on the same day, of anything else never; make a new UUIDv7 for each act, check the clock";
    pb::Warning { field: "command_id".to_owned(), code: "COMMAND_ID_UNUSABLE".to_owned(), text: text.to_owned() }
}

/// A warning of the rules is `CODE: words`.
fn warning(text: &str) -> pb::Warning {
    let (code, words) = text.split_once(": ").unwrap_or((text, text));
    pb::Warning { field: String::new(), code: code.to_owned(), text: words.to_owned() }
}

/// How safe a write is.
pub fn durability(level: Durability) -> pb::Durability {
    match level {
        Durability::Unknown => pb::Durability::Unknown,
        Durability::D0 => pb::Durability::D0,
        Durability::D0_5 => pb::Durability::D05,
        Durability::D1 => pb::Durability::D1,
        Durability::D2 => pb::Durability::D2,
    }
}

/// Said when the sheets of remarkable patients could not be read: the act itself went through.
pub fn unread_sheets() -> pb::Warning {
    let text = "the sheets of remarkable patients could not be read: read the case again (GetCase)";
    pb::Warning { field: String::new(), code: "REMARKABLE_UNREAD".to_owned(), text: text.to_owned() }
}

/// A case that may be of the same episode.
pub fn possible_repeat(known: &PossibleRepeat) -> pb::PossibleRepeat {
    pb::PossibleRepeat {
        case_id: known.case.to_string(),
        case_number: known.case_number.clone(),
        opened_unix_ms: known.opened.unix_ms(),
        score: known.score,
        reasons: known.reasons.iter().map(|reason| reason.wire()).collect(),
        why: known.why.clone(),
    }
}

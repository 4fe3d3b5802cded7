//! Sheets of remarkable patients, from the wire and to it.

use crate::{
    domain::{
        calendar::local_date,
        case::Command,
        person::Private,
        remarkable::{RemarkableKind, Sheet, SheetWords},
        time::Instant,
    },
    engine::{Failure, FoundSheet, Target},
    grpc::pb,
};

use super::{
    codes::Coded,
    fields::{Act, Fields, LONGEST_WORDS},
    intake::Scene,
    particulars::line,
    patient::{born, nir},
    phone::phone,
};

/// Enters a sheet.
///
/// # Errors
/// Every wrong field at once.
pub fn put(request: &pb::PutRemarkableSheetRequest, scene: Scene<'_>) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("PutRemarkableSheet", &request.command_id, request);
    let sheet = fields.optional("sheet_id", &request.sheet_id);
    let kind = fields.optional_code("kind", request.kind).unwrap_or(RemarkableKind::Other);
    let today = local_date(scene.ground.territory.calendar.zone(), scene.now);
    let birth_date = born(&mut fields, "birth_date", &request.birth_date, today);
    let author = line(&mut fields, "author", &request.author);
    let own_name = || Private::new(scene.actor.person.to_string());
    let words = SheetWords {
        text: fields.words("text", &request.text, LONGEST_WORDS).unwrap_or_default(),
        author: if author == Private::default() { own_name() } else { author },
        nir: nir(&mut fields, "nir", &request.nir),
        name: line(&mut fields, "name", &request.name),
        birth_date: Private::new(birth_date.map(|date| date.to_string()).unwrap_or_default()),
        phone: phone(&mut fields, "phone", &request.phone).unwrap_or_default(),
    };
    let expires = fields.instant("expires_unix_ms", request.expires_unix_ms);
    let command = expires.map(|expires| Command::PutSheet { sheet, kind, expires, words: Box::new(words) });
    fields.act(mutation, Some(Target::default()), command)
}

/// Ends a sheet.
///
/// # Errors
/// Every wrong field at once.
pub fn end(request: &pb::EndRemarkableSheetRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("EndRemarkableSheet", &request.command_id, request);
    let sheet = fields.id("sheet_id", &request.sheet_id);
    fields.act(mutation, Some(Target::default()), sheet.map(Command::EndSheet))
}

/// A sheet that a case matches. One that is over is named, and what it said is not shown.
pub fn found(found: &FoundSheet, now: Instant) -> pb::RemarkableSheet {
    let shown = listed(&found.sheet, now);
    let text = if shown.valid { shown.text } else { String::new() };
    pb::RemarkableSheet { matched_by: found.by.wire(), patient: found.patient, text, ..shown }
}

/// A sheet in the list of who keeps them.
pub fn listed(known: &Sheet, now: Instant) -> pb::RemarkableSheet {
    let text = |word: &Private<String>| word.reveal().clone();
    pb::RemarkableSheet {
        sheet_id: known.id.to_string(),
        kind: known.kind.wire(),
        kind_label: known.kind.label().to_owned(),
        text: text(&known.words.text),
        author: text(&known.words.author),
        entered_unix_ms: known.entered.unix_ms(),
        expires_unix_ms: known.over().unix_ms(),
        valid: known.valid(now),
        matched_by: 0,
        patient: 0,
        name: text(&known.words.name),
        birth_date: text(&known.words.birth_date),
    }
}

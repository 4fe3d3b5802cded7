//! Sheets of remarkable patients: entered with an author and an end, and found again by whom they are about.

use crate::domain::{
    case::{
        fact::Fact,
        refusal::{FieldFault, Refusal},
        sealed::Words,
    },
    ids::SheetId,
    remarkable::{RemarkableKind, Sheet, SheetWords},
    time::Instant,
};

use super::draft::Draft;

/// Enters a sheet, or replaces one as a whole.
pub(super) fn put(
    draft: &mut Draft<'_>,
    sheet: Option<SheetId>,
    kind: RemarkableKind,
    expires: Instant,
    words: &SheetWords,
) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    let longest = draft.context.territory.regulation.longest_sheet;
    if expires <= draft.now || expires > draft.now + longest {
        let days = longest.secs() / 86_400;
        let problem = format!("must lie in the future, at most {days} days from now: a sheet is looked at again");
        faults.push(FieldFault::new("expires_unix_ms", problem));
    }
    let traits = !words.name.reveal().is_empty() && !words.birth_date.reveal().is_empty();
    if words.nir.reveal().is_empty() && !traits {
        let problem = "give nir, or name and birth_date: nobody would be found by it";
        faults.push(FieldFault::new("nir", problem));
    }
    if !faults.is_empty() {
        return Err(Refusal::Fields(faults));
    }
    if sheet.is_some_and(|id| !draft.records.sheets.contains_key(&id)) {
        return Err(Refusal::NotFound("sheet".to_owned()));
    }
    let id = sheet.unwrap_or_else(|| SheetId(draft.id("sheet")));
    let entered_by = draft.context.actor.person.clone();
    let (entered, ended, clear) = (draft.now, None, SheetWords::default());
    draft.push(Fact::SheetPut(Sheet { id, kind, entered, entered_by, expires, ended, words: clear }));
    draft.say(Words::Sheet(id, Box::new(words.clone())));
    draft.reply.sheet = Some(id);
    Ok(())
}

/// Ends a sheet before its time.
pub(super) fn end(draft: &mut Draft<'_>, id: SheetId) -> Result<(), Refusal> {
    let known = draft.records.sheets.get(&id).ok_or_else(|| Refusal::NotFound("sheet".to_owned()))?;
    if !known.valid(draft.now) {
        return Err(Refusal::state("sheet", "it is over already: enter it again if it shall hold"));
    }
    draft.push(Fact::SheetEnded { sheet: id });
    draft.reply.sheet = Some(id);
    Ok(())
}

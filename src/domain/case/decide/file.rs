//! The file as the law asks for it: once everything decided is carried out, what it lacks is somebody's to complete.
//!
//! Arrêté of 20 October 2011. A file is never refused for what it lacks, and never ends while it lacks it.

use crate::domain::{
    actor::Role,
    case::{
        action::{About, ActionKind, End, Owner},
        fact::Fact,
        refusal::Refusal,
        status::missing,
    },
    regulation::motives::Motive,
};

use super::draft::Draft;

/// Opens the action by which the ARM completes a file in which nothing is left to do about the request; ends it once nothing lacks.
pub(super) fn settle(draft: &mut Draft<'_>) {
    let Ok(case) = draft.case() else { return };
    let completing = case.open_action(ActionKind::CompleteFile).is_some();
    let others = case.open_actions().any(|action| !action.kind.administrative());
    if completing {
        if missing(case).is_empty() {
            draft.end_kind(ActionKind::CompleteFile, End::Done);
        }
        return;
    }
    // What was over and incomplete before this act, as an older binary left it, stays over.
    let before = draft.context.records.cases.get(&case.id).filter(|before| before.idle_since.is_some());
    if others || before.is_some_and(|before| !missing(before).is_empty()) || missing(case).is_empty() {
        return;
    }
    let deadline = draft.now + draft.context.territory.regulation.deadlines.complete_file;
    draft.open(ActionKind::CompleteFile, Owner::Desk(Role::Arm, None), deadline, About::default());
}

/// States the motive of a file that has none.
pub(super) fn motive(draft: &mut Draft<'_>, code: &str) -> Result<(), Refusal> {
    let Some(known) = draft.case()?.qualification.as_ref() else {
        return Err(Refusal::field("motive", "the case is not qualified yet: Qualify states the motive"));
    };
    if known.motive.as_deref().is_some_and(|known| known != code) {
        return Err(Refusal::field("motive", "the file has a motive: qualify again to change it"));
    }
    if !code.parse::<Motive>().is_ok_and(|motive| motive.is_known()) {
        let problem = "not a code of HubSante.motif (such as M03.14): choose one of the list";
        return Err(Refusal::field("motive", problem));
    }
    draft.push(Fact::MotiveSet(code.to_owned()));
    Ok(())
}

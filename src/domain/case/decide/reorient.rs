//! Instant re-orientation between streams (D6311-33 CSP; domain.md §2.1): sent, then taken over, refused or timed out.
//!
//! The sending stream stays responsible: its action stays open, and while the others have not answered the case stands
//! before both. Refused, or not answered in time, it is back in the sender's queue with an alarm.

use crate::domain::{
    case::{
        action::{About, Action, ActionKind, End},
        fact::Fact,
        refusal::{Refusal, RestsOn},
        sealed::NoteKind,
    },
    person::Private,
    regulation::qualification::{Priority, Stream, due},
};

use super::{
    claims,
    draft::{Draft, regulators},
    intake,
    regulate::reason_given,
    room,
};

/// Sends the case to another stream's regulators, with the reason they read.
pub(super) fn send(draft: &mut Draft<'_>, claim_no: u64, to: Stream, reason: &Private<String>) -> Result<(), Refusal> {
    if draft.held(claim_no, Some(reason))?.is_none() {
        return Ok(());
    }
    reason_given(reason)?;
    let case = draft.case()?;
    let (from, priority) = case.qualification.as_ref().map_or((Stream::Snp, Priority::P2), |q| (q.stream, q.priority));
    if from == to {
        return Err(Refusal::field("stream", "it is this stream's already: choose the one it should go to"));
    }
    if priority == Priority::P0 {
        let problem = "a P0 stays with the AMU doctor who accepted it: qualify it again when it is none";
        return Err(Refusal::state("case", problem));
    }
    if case.open_action(ActionKind::Regulate).is_none() {
        return Err(Refusal::state("case", "nothing of it waits for a regulator"));
    }
    draft.note(NoteKind::Reason, reason);
    claims::give_back(draft, claim_no);
    let deadlines = draft.context.territory.regulation.deadlines;
    let left = if priority <= Priority::P1 { deadlines.reorient_p1 } else { deadlines.reorient };
    draft.open(ActionKind::Reorient, regulators(to), draft.now + left, About::default());
    Ok(())
}

/// The answer of those whom it was sent to: one act takes the case over, the other sends it back with its reason.
pub(super) fn answer(draft: &mut Draft<'_>, refused: Option<&Private<String>>) -> Result<(), Refusal> {
    let Some(action) = draft.case()?.open_action(ActionKind::Reorient).cloned() else {
        return Err(Refusal::state("case", "no re-orientation waits for an answer"));
    };
    match refused {
        _ if sent_it(draft) => {
            let problem = "your own stream sent it: the other one accepts or refuses it, or you take it back (Claim)";
            Err(Refusal::resting(RestsOn::Roster, "case", problem))
        }
        None => claims::claim(draft),
        Some(reason) => {
            reason_given(reason)?;
            draft.note(NoteKind::Reason, reason);
            back(draft, &action, End::Refused);
            Ok(())
        }
    }
}

/// Whether the acting regulator is on duty for the stream that sent the case, and for no other that was asked.
fn sent_it(draft: &Draft<'_>) -> bool {
    let Ok(case) = draft.case() else { return false };
    let from = case.qualification.as_ref().map(|known| known.stream);
    let sent = case.open_action(ActionKind::Reorient).is_some();
    let both = from.zip(case.before()).is_some_and(|(from, to)| room::open_to_both(draft, from, to));
    sent && !both && from.is_some() && room::own_stream(draft) == from
}

/// A regulator of the sending stream who takes the case has it back: it stays his stream's.
pub(super) fn taken_back(draft: &mut Draft<'_>) {
    if sent_it(draft) {
        withdraw(draft);
    }
}

/// Whoever takes the case while it waits for an answer has accepted it: from now on it is his stream's.
pub(super) fn accepted(draft: &mut Draft<'_>) {
    let to = draft.case().ok().filter(|case| case.open_action(ActionKind::Reorient).is_some()).and_then(|case| {
        let priority = case.qualification.as_ref().map(|known| known.priority)?;
        Some((case.before()?, priority))
    });
    let Some((stream, priority)) = to else { return };
    let due = due(priority, draft.now, draft.due_spans());
    draft.push(Fact::Requeued { stream, priority, due });
    draft.end_kind(ActionKind::Reorient, End::Done);
    draft.end_kind(ActionKind::Regulate, End::Replaced);
    draft.open(ActionKind::Regulate, regulators(stream), due, About::default());
    let agreed = draft.case().ok().and_then(|case| case.open_action(ActionKind::TelephoneAppointment));
    if let Some(agreed) = agreed.map(|action| action.deadline.max(draft.now)) {
        // The hour that the caller was promised holds, whoever rings; one that is over is now.
        draft.end_kind(ActionKind::TelephoneAppointment, End::Replaced);
        draft.open(ActionKind::TelephoneAppointment, regulators(stream), agreed, About::default());
    }
}

/// Nobody accepted: the sender's queue has it again, late from now, and the caller is asked how the patient is.
pub(super) fn back(draft: &mut Draft<'_>, action: &Action, end: End) {
    draft.push(Fact::ActionEnded { action: action.id, end });
    let waits = draft.case().ok().and_then(|case| case.open_action(ActionKind::Regulate).cloned());
    let Some(waits) = waits.filter(|waits| waits.alarmed().is_none()) else { return };
    if waits.deadline > draft.now {
        draft.push(Fact::ActionMoved { action: waits.id, deadline: draft.now });
    }
    draft.push(Fact::ActionAlarmed { action: waits.id });
    intake::re_evaluate(draft);
}

/// A new qualification says where the case goes: what was sent before is void.
pub(super) fn withdraw(draft: &mut Draft<'_>) {
    draft.end_kind(ActionKind::Reorient, End::Replaced);
}

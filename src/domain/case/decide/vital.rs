//! P0: handed over to the AMU, accompanied, and the AMU's once accepted (design.md §3, invariant 7).

use crate::domain::{
    actor::Role,
    case::{
        action::{About, ActionKind, End},
        fact::Fact,
        refusal::Refusal,
        transfer::TransferEnd,
    },
    ids::{ActionId, DecisionId},
    regulation::qualification::{Flag, Priority, Qualification, Stream},
};

use super::{draft::Draft, elsewhere, intake, qualify, transfer, triage};

/// P0: nothing is asked, nothing is refused. The ARM keeps case and line until the AMU has accepted.
pub(super) fn hand_over(draft: &mut Draft<'_>) {
    hand_over_as(draft, None, &[Flag::RedFlag]);
}

pub(super) fn hand_over_as(draft: &mut Draft<'_>, motive: Option<String>, flags: &[Flag]) {
    let by = draft.context.actor.person.clone();
    let (at, deadline) = (draft.now, draft.now + draft.context.territory.regulation.deadlines.hand_over);
    let flags = if flags.is_empty() { vec![Flag::RedFlag] } else { flags.to_vec() };
    let flags = qualify::all_flags(draft, &flags);
    let motive = motive.or_else(|| draft.case().ok()?.qualification.as_ref()?.motive.clone());
    // An AMU doctor who has accepted it keeps it: what is said again only adds to the file.
    let accepted = draft.case().is_ok_and(|case| {
        let p0 = |known: &Qualification| known.priority == Priority::P0 && known.stream == Stream::Amu;
        let p0 = case.qualification.as_ref().is_some_and(p0);
        p0 && case.claim.is_some() && case.open_action(ActionKind::Regulate).is_some()
    });
    let (priority, stream, symptoms) = (Priority::P0, Stream::Amu, true);
    let (due, skill, split) = (at, None, None);
    let proposal = triage::proposal(draft, motive.as_deref());
    let proposal = proposal.map(|proposal| triage::kept(draft, &proposal, false));
    draft.push(Fact::Qualified(Qualification {
        priority,
        stream,
        motive,
        flags,
        symptoms,
        due,
        at,
        by,
        proposal,
        skill,
        split,
        load: None,
        out_of_amu: None,
    }));
    if accepted {
        return;
    }
    transfer::void(draft, TransferEnd::Vital);
    let owner = intake::arm(draft);
    draft.open(ActionKind::HandOver, owner, deadline, About::default());
    elsewhere::vital(draft);
    let dropped = routes_of_the_patient(draft);
    draft.end(End::Replaced, |action| {
        matches!(
            action.kind,
            ActionKind::AnswerCall
                | ActionKind::Qualify
                | ActionKind::CallBack
                | ActionKind::ReEvaluate
                | ActionKind::Reorient
                | ActionKind::Regulate
                | ActionKind::TelephoneAppointment
        ) || dropped.contains(&action.id)
    });
}

/// What a P0 ends of the routing: all of it for the only patient, and what a protocol began. With several patients nobody
/// says for whom it is vital, and what a doctor decided for the others goes on.
fn routes_of_the_patient(draft: &Draft<'_>) -> Vec<ActionId> {
    let Ok(case) = draft.case() else { return Vec::new() };
    let alone = case.of_one_patient();
    let protocol = |id: DecisionId| case.decision(id).is_none_or(|decision| decision.protocol.is_some());
    let routes = case.open_actions().filter(|action| action.kind == ActionKind::Route);
    routes.filter(|action| alone || action.about.decision.is_none_or(protocol)).map(|action| action.id).collect()
}

/// A P0 is owned until the AMU has accepted it, and then only a doctor may find that it is none.
pub(super) fn handed_over(draft: &Draft<'_>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let open = |kind| case.open_action(kind).is_some();
    let vital = case.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0);
    if vital && open(ActionKind::Regulate) && draft.context.actor.role != Role::Regulator {
        let problem = "the AMU has accepted it as a P0: only a regulator finds that it is less urgent";
        return Err(Refusal::state("case", problem));
    }
    if !open(ActionKind::HandOver) {
        return Ok(());
    }
    let problem = "it waits for the AMU, which accepts it first (AcceptHandOver): a P0 is not taken back";
    Err(Refusal::state("case", problem))
}

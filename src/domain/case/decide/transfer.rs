//! The hand-over to another territory (`case::transfer` tells the saga whole): what people do about it on either side, and
//! the steps by which upkeep carries it.
//!
//! A P0 has no part in it: nothing is refused or delayed for a hand-over, and none begins for one.

use crate::domain::{
    actor::Role,
    case::{
        action::{About, Action, ActionKind, End},
        command::Particulars,
        fact::{Fact, Opened},
        refusal::Refusal,
        sealed::{Note, NoteKind, Words},
        state::{Channel, Line, Whereabouts},
        transfer::{
            Answered, Ended, Packet, Received, Transfer, TransferAct, TransferAnswer, TransferEnd, TransferWord,
        },
    },
    ids::{CaseId, NoteId, TerritoryId, case_id},
    person::Private,
    regulation::{
        qualification::{Priority, Qualification, Stream, due},
        wrong::Wrong,
    },
    territory::NumberForm,
};

use super::{
    brought, claims,
    draft::{Draft, regulators},
    intake, qualify,
    regulate::reason_given,
    reorient,
};

pub(super) fn act(draft: &mut Draft<'_>, act: &TransferAct) -> Result<(), Refusal> {
    match act {
        TransferAct::Send { claim_no, to, reason } => send(draft, *claim_no, to, reason),
        TransferAct::TakeBack { reason } => take_back(draft, reason),
        TransferAct::Answer { refused } => answer(draft, refused.as_ref()),
        TransferAct::Receive(packet) => receive(draft, packet),
        TransferAct::Bring(packet) => brought::bring(draft, packet),
        TransferAct::Settle { there, answer } => settle(draft, *there, answer),
        TransferAct::Tell(word) => told(draft, *word),
    }
}

/// Sends the case to another territory, with the reason they read: the regulator who holds it, or the ARM while nobody does.
fn send(
    draft: &mut Draft<'_>,
    claim_no: Option<u64>,
    to: &TerritoryId,
    reason: &Private<String>,
) -> Result<(), Refusal> {
    let held = match (draft.context.actor.role, claim_no) {
        (Role::Arm, _) => false,
        (_, None) => {
            let french = "prenez le dossier d'abord";
            return Err(wrong("claim_no", "must be set: claim the case first, or leave it to the ARM", french));
        }
        (_, Some(no)) => match draft.held(no, Some(reason))? {
            Some(_) => true,
            None => return Ok(()),
        },
    };
    reason_given(reason)?;
    if *to == draft.context.territory.id {
        let french = "c'est déjà le territoire du dossier";
        return Err(wrong("territory", "it is this territory's case already: name another one", french));
    }
    let (stream, priority) = may_be_sent(draft, held)?;
    draft.note(NoteKind::Reason, reason);
    if let Some(no) = claim_no.filter(|_| held) {
        claims::give_back(draft, no);
    }
    let (command, at, by) = (draft.context.command_id, draft.now, draft.context.actor.person.clone());
    draft.push(Fact::TransferSent(Box::new(Transfer {
        to: to.clone(),
        there: case_id(command, at),
        command,
        by,
        at,
        changed: 0,
        ended: None,
        goes_on: None,
        again: None,
        unknown: Default::default(),
    })));
    let deadlines = draft.context.territory.regulation.deadlines;
    let p1 = priority <= Priority::P1;
    let left = if p1 { deadlines.transfer.min(deadlines.reorient_p1) } else { deadlines.transfer };
    draft.open(ActionKind::Transfer, regulators(stream), at + left, About::default());
    Ok(())
}

fn wrong(field: &'static str, problem: &'static str, french: &'static str) -> Refusal {
    Refusal::Fields(vec![Wrong::new(field, problem, french).into()])
}

/// Stream and priority of a case that may be sent.
fn may_be_sent(draft: &Draft<'_>, held: bool) -> Result<(Stream, Priority), Refusal> {
    let case = draft.case()?;
    let open = |kind| case.open_action(kind).is_some();
    let refused = |problem: &str| Err(Refusal::state("case", problem));
    let Some(known) = &case.qualification else {
        return refused("nobody has qualified it: qualify it first, so that they know how urgent it is");
    };
    if known.priority == Priority::P0 || open(ActionKind::HandOver) {
        return refused(
            "a P0 is handed over to the AMU here, accompanied (AcceptHandOver), which rings the other centre itself: \
             qualify it again when it is none",
        );
    }
    if open(ActionKind::Transfer) {
        return refused("it waits for another territory's answer already: take it back first (WithdrawTransfer)");
    }
    if case.received.as_deref().is_some_and(Received::open) {
        return refused(
            "it came from another territory, and whose it is stands open: answer it first (AnswerTransfer)",
        );
    }
    if open(ActionKind::Reorient) {
        return refused("it waits for another stream's answer: let that come first (AnswerReorientation)");
    }
    if !open(ActionKind::Regulate) {
        return refused("nothing of it waits for a regulator");
    }
    if case.decisions.iter().any(|decision| decision.answer.is_none()) {
        return refused("a need is signed and waits for its answer: sign the answer first (SignAnswer)");
    }
    if !held && case.claim.is_some() {
        return refused("a regulator holds it: he sends it himself, or gives it back first (ReleaseClaim)");
    }
    Ok((known.stream, known.priority))
}

/// Takes back what was sent: it waits in its own queue again, as before.
fn take_back(draft: &mut Draft<'_>, reason: &Private<String>) -> Result<(), Refusal> {
    if draft.case()?.sent().is_none() {
        return Err(Refusal::state("case", "it does not wait for another territory's answer: look at it again"));
    }
    reason_given(reason)?;
    void(draft, TransferEnd::TakenBack);
    draft.note(NoteKind::Reason, reason);
    Ok(())
}

/// What is done here anew voids what was sent.
pub(super) fn void(draft: &mut Draft<'_>, how: TransferEnd) {
    if let Some(there) = sent(draft) {
        draft.push(Fact::TransferEnded { there, ended: ended(draft, how) });
        draft.end_kind(ActionKind::Transfer, End::Replaced);
    }
}

/// The copy of the hand-over that waits for an answer.
fn sent(draft: &Draft<'_>) -> Option<CaseId> {
    Some(draft.case().ok()?.sent()?.there)
}

fn ended(draft: &Draft<'_>, how: TransferEnd) -> Ended {
    Ended { at: draft.now, how, by: None, number: String::new() }
}

/// Nobody there has answered: the sender's queue has it again, late from now, and rings.
pub(super) fn expired(draft: &mut Draft<'_>, action: &Action) {
    if let Some(there) = sent(draft) {
        draft.push(Fact::TransferEnded { there, ended: ended(draft, TransferEnd::Expired) });
    }
    reorient::back(draft, action, End::Expired);
}

/// The receivers' answer: one act takes the case, the other sends it back with its reason.
fn answer(draft: &mut Draft<'_>, refused: Option<&Private<String>>) -> Result<(), Refusal> {
    let case = draft.case()?;
    if !case.received.as_ref().is_some_and(|received| received.open() && received.answered.is_none()) {
        return Err(Refusal::state("case", "no hand-over of another territory waits for an answer: look at it again"));
    }
    let Some(reason) = refused else { return claims::claim(draft) };
    reason_given(reason)?;
    let vital = case.open_action(ActionKind::HandOver).is_some() || p0(draft);
    if vital {
        let problem = "it was found vital here and is the AMU's (AcceptHandOver): a P0 is never sent back";
        return Err(Refusal::state("case", problem));
    }
    draft.note(NoteKind::Reason, reason);
    let note = draft.case()?.sealed.notes.last().map(|note| note.id);
    draft.push(Fact::TransferAnswered(answered(draft, note)));
    draft.end(End::Replaced, |_| true);
    Ok(())
}

fn answered(draft: &Draft<'_>, refused: Option<NoteId>) -> Answered {
    Answered { at: draft.now, by: draft.context.actor.person.clone(), refused }
}

fn p0(draft: &Draft<'_>) -> bool {
    let known = draft.case().ok().and_then(|case| case.qualification.as_ref());
    known.is_some_and(|known| known.priority == Priority::P0)
}

/// Whoever takes a copy has accepted it, and is told that this holds only once the sender's log says so.
pub(super) fn accepted(draft: &mut Draft<'_>) {
    let waits = |received: &&Received| received.open() && received.answered.is_none();
    let from =
        draft.case().ok().and_then(|case| case.received.as_deref()).filter(waits).map(|known| known.from.clone());
    if let Some(from) = from {
        draft.push(Fact::TransferAnswered(answered(draft, None)));
        draft.reply.warnings.push(format!(
            "TRANSFER_ACCEPTED: yours once {from} has recorded it, in some seconds: watch the case; it is signed then"
        ));
    }
}

/// Nothing is signed on an acceptance that may still lose, unless it is vital.
pub(super) fn holds(draft: &Draft<'_>) -> Result<(), Refusal> {
    let open = draft.case()?.received.as_ref().is_some_and(|received| received.open());
    if open && !p0(draft) {
        let problem = "the territory that sent it has not recorded your acceptance yet: sign again in some seconds, or \
                       qualify it P0 when it is vital";
        return Err(Refusal::state("case", problem));
    }
    Ok(())
}

/// At the receiver: opens the copy, in the queue of the same stream with the same priority, due no later than before.
fn receive(draft: &mut Draft<'_>, packet: &Packet) -> Result<(), Refusal> {
    if draft.case().is_ok() {
        return Err(pointless());
    }
    let form = &draft.context.territory.regulation.number_form;
    let number_form = (*form != NumberForm::default()).then(|| form.clone());
    draft.push(Fact::Opened(Opened {
        channel: Channel::Transfer,
        origin: packet.origin.clone(),
        arrived: packet.opened.min(draft.now),
        call: None,
        number_form,
        // The call itself is not put through by this: whoever takes the case rings.
        line: if packet.caller.has_number() { Line::CallBack } else { Line::NoContact },
    }));
    draft.push(Fact::TransferReceived(Box::new(packet.received.clone())));
    let known = particulars(draft, packet);
    intake::set(draft, &known);
    draft.say(Words::Answers(packet.answers.clone()));
    packet.notes.iter().for_each(|note| hear(draft, note));
    let qualification = requalified(draft, packet);
    draft.push(Fact::Qualified(qualification.clone()));
    qualify::requalified(draft, &qualification, None);
    Ok(())
}

/// Keeps words of another territory. Its clock may be ahead: what reads as written later than now would hold up every act
/// here until then.
pub(super) fn hear(draft: &mut Draft<'_>, note: &Note) {
    let at = note.at.min(draft.now);
    draft.say(Words::Note(Note { at, ..note.clone() }));
}

/// What travels, as this territory knows places and GPs.
pub(super) fn particulars(draft: &Draft<'_>, packet: &Packet) -> Particulars {
    let (territory, directory) = (draft.context.territory, draft.context.directory);
    let Whereabouts { commune, position, kind, .. } = packet.place.clone();
    let place = Whereabouts { kind, ..Whereabouts::within(territory, commune, position, draft.now) };
    let mut patients = packet.patients.clone();
    for (patient, _) in &mut patients {
        patient.own_gp = patient.own_gp.take().filter(|id| directory.get(id).is_some());
    }
    Particulars {
        caller: Some(packet.caller.clone()),
        address: Some(packet.address.clone()),
        place: Some(place),
        safety: Some(packet.safety),
        patients,
        motive: None,
        activates: None,
        possible_repeat: false,
    }
}

fn requalified(draft: &Draft<'_>, packet: &Packet) -> Qualification {
    let known = &packet.qualification;
    // What was sent for a doctor is a doctor's, whatever it was before.
    let priority = if known.priority == Priority::NotRegulated { Priority::P2 } else { known.priority };
    let due = match packet.agreed {
        Some(hour) if priority == Priority::P3 => hour,
        _ => due(priority, draft.now, draft.due_spans()).min(known.due),
    };
    let skills = &draft.context.territory.regulation.skills;
    let skill = known.skill.clone().filter(|skill| skills.contains(skill));
    let flags = qualify::all_flags(draft, &known.flags);
    Qualification { priority, due, at: known.at.min(draft.now), skill, flags, split: None, ..known.clone() }
}

/// At the receiver: what the sender's log says of the hand-over.
fn told(draft: &mut Draft<'_>, word: TransferWord) -> Result<(), Refusal> {
    let case = draft.case()?;
    let received = case.received.as_deref().ok_or_else(pointless)?;
    match word {
        TransferWord::SenderAgain(at) => {
            if received.open() || received.again >= Some(at) {
                return Err(pointless());
            }
            let words = format!("{} a rouvert son dossier {} : l'appeler.", received.from, received.number);
            draft.push(Fact::TransferReopened { at });
            intake::add_note(draft, &Private::new(words))
        }
        _ if !received.open() => Err(pointless()),
        TransferWord::Confirmed => {
            draft.push(Fact::TransferSettled { how: TransferEnd::Accepted, goes_on: false });
            Ok(())
        }
        TransferWord::Ended(how) => {
            // A P0 is never ended from afar, nor what was decided for one.
            let vital = case.open_action(ActionKind::HandOver).is_some() || p0(draft);
            let goes_on = vital || !case.decisions.is_empty();
            let claim = case.claim.as_ref().map(|claim| claim.no).filter(|_| !goes_on);
            draft.push(Fact::TransferSettled { how, goes_on });
            claim.into_iter().for_each(|no| draft.push(Fact::ClaimEnded { no }));
            if !goes_on {
                draft.end(End::Replaced, |_| true);
            }
            Ok(())
        }
    }
}

/// At the sender: what became of the copy.
fn settle(draft: &mut Draft<'_>, there: CaseId, answer: &TransferAnswer) -> Result<(), Refusal> {
    let case = draft.case()?;
    let transfer = case.transfer(there).ok_or_else(pointless)?;
    let waits = case.open_action(ActionKind::Transfer).filter(|_| transfer.waits()).cloned();
    match answer {
        TransferAnswer::GoesOn { number } => {
            if transfer.waits() || transfer.goes_on.is_some() {
                return Err(pointless());
            }
            let words = format!("{} poursuit de son côté le dossier {number} : l'appeler.", transfer.to);
            draft.push(Fact::TransferGoesOn { there });
            intake::add_note(draft, &Private::new(words))
        }
        TransferAnswer::Accepted { by, number } => {
            waits.ok_or_else(pointless)?;
            let ended = Ended { by: Some(by.clone()), number: number.clone(), ..ended(draft, TransferEnd::Accepted) };
            draft.push(Fact::TransferEnded { there, ended });
            draft.end_kind(ActionKind::Transfer, End::Done);
            draft.end(End::Replaced, |action| with_the_receiver(action.kind));
            Ok(())
        }
        TransferAnswer::Returned { how, by, reason } => {
            let action = waits.ok_or_else(pointless)?;
            let ended = Ended { by: by.clone(), ..ended(draft, *how) };
            draft.push(Fact::TransferEnded { there, ended });
            reason.iter().for_each(|note| hear(draft, note));
            reorient::back(draft, &action, End::Refused);
            Ok(())
        }
    }
}

/// What is the receiver's to do from now on; what was decided here before goes on here.
fn with_the_receiver(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::Regulate
            | ActionKind::Qualify
            | ActionKind::CallBack
            | ActionKind::ReEvaluate
            | ActionKind::TelephoneAppointment
            | ActionKind::Unanswered
            | ActionKind::Interpreter
    )
}

pub(super) fn pointless() -> Refusal {
    Refusal::state("transfer", "this step was taken already, or is pointless now")
}

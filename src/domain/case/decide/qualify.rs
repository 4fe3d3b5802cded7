//! Qualification: P0 to the AMU, accompanied; P1 to P3 to a regulator's queue, or to a coordinator under a protocol; NR
//! only as a file the ARM may end (design.md §3, invariants 5 and 7; domain.md §2.3).

use crate::domain::{
    actor::Role,
    calendar::local_date,
    case::{
        action::{About, ActionKind, End},
        command::Qualify,
        fact::Fact,
        refusal::{FieldFault, Refusal},
        sealed::NoteKind,
    },
    ids::DecisionId,
    regulation::{
        decision::{Answer, Decision},
        motives::Motive,
        need::{CareLevel, Need},
        protocol::why_regulator,
        qualification::{Attribution, Flag, Priority, Qualification, Stream, due, may_dismiss},
    },
};

use super::{
    draft::{Draft, regulators},
    intake,
};

pub(super) fn qualify(draft: &mut Draft<'_>, command: &Qualify) -> Result<(), Refusal> {
    draft.case()?;
    intake::set(draft, &command.particulars);
    if let Some(note) = &command.note {
        draft.note(NoteKind::Note, note);
    }
    if command.priority == Priority::P0 {
        hand_over_as(draft, command.motive.clone(), &command.flags);
        return Ok(());
    }
    intake::not_closed(draft)?;
    check(draft, command)?;
    let qualification = qualification(draft, command);
    draft.push(Fact::Qualified(qualification.clone()));
    draft.end(End::Done, |action| {
        matches!(
            action.kind,
            ActionKind::AnswerCall | ActionKind::Qualify | ActionKind::HandOver | ActionKind::CallBack
        )
    });
    if let Some(name) = &command.protocol {
        return by_protocol(draft, name, &qualification);
    }
    requalified(draft, &qualification);
    Ok(())
}

/// Ends a file without a doctor: only D.* and DR.DREG, without symptoms; a later qualification reverses it.
pub(super) fn dismiss(draft: &mut Draft<'_>, attribution: Attribution) -> Result<(), Refusal> {
    intake::not_closed(draft)?;
    let case = draft.case()?;
    let infant = case.patients.iter().any(|patient| patient.infant);
    let (symptoms, flags) = match &case.qualification {
        Some(known) => (known.symptoms || known.priority != Priority::NotRegulated, known.flags.clone()),
        None => (false, Vec::new()),
    };
    if !may_dismiss(symptoms, &flags) || infant || !case.decisions.is_empty() {
        let problem = "a medical request ends only with a doctor's decision: leave it to a regulator";
        return Err(Refusal::state("case", problem));
    }
    draft.push(Fact::Dismissed(attribution));
    draft.end(End::Done, |_| true);
    Ok(())
}

/// P0: nothing is asked, nothing is refused. The ARM keeps case and line until the AMU has accepted.
pub(super) fn hand_over(draft: &mut Draft<'_>) {
    hand_over_as(draft, None, &[Flag::RedFlag]);
}

fn hand_over_as(draft: &mut Draft<'_>, motive: Option<String>, flags: &[Flag]) {
    let by = draft.context.actor.person.clone();
    let (at, deadline) = (draft.now, draft.now + draft.context.territory.regulation.deadlines.hand_over);
    let flags = if flags.is_empty() { vec![Flag::RedFlag] } else { flags.to_vec() };
    let (priority, stream) = (Priority::P0, Stream::Amu);
    draft.push(Fact::Qualified(Qualification { priority, stream, motive, flags, symptoms: true, due: at, at, by }));
    let owner = intake::arm(draft);
    draft.open(ActionKind::HandOver, owner, deadline, About::default());
    draft.end(End::Replaced, |action| {
        matches!(
            action.kind,
            ActionKind::AnswerCall
                | ActionKind::Qualify
                | ActionKind::CallBack
                | ActionKind::Regulate
                | ActionKind::Route
        )
    });
}

/// Adds a reason why a doctor is compulsory; a deferred case is then regulated now, and a protocol no longer holds.
pub(super) fn flag(draft: &mut Draft<'_>, flag: Flag) {
    let Some(qualification) = draft.case().ok().and_then(|case| case.qualification.clone()) else { return };
    if qualification.flags.contains(&flag) {
        return;
    }
    draft.push(Fact::Flagged(flag));
    if qualification.priority == Priority::P3 {
        let priority = Priority::P2;
        let lifted = due(priority, draft.now, draft.due_spans()).min(qualification.due);
        draft.push(Fact::Requeued { stream: qualification.stream, priority, due: lifted });
    }
    let regulated = draft.case().is_ok_and(|case| case.decisions.iter().any(|decision| decision.protocol.is_none()));
    if !regulated && qualification.priority != Priority::P0 {
        draft.call_for_regulator();
    }
}

fn check(draft: &Draft<'_>, command: &Qualify) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    match command.motive.as_deref() {
        None => faults.push(FieldFault::new("motive", "a motive code is needed (HubSante.motif, such as M05.05)")),
        Some(motive) if !known_motive(motive) && !foreign_kept(draft, motive) => {
            faults.push(FieldFault::new(
                "motive",
                "not a code of HubSante.motif (such as M05.05): choose one of the list",
            ));
        }
        Some(_) => {}
    }
    if command.priority == Priority::NotRegulated && (command.symptoms || !command.flags.is_empty()) {
        faults.push(FieldFault::new("priority", "NR is for requests without symptoms or flags: choose P1, P2 or P3"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Fields(faults)) }
}

fn known_motive(code: &str) -> bool {
    code.parse::<Motive>().is_ok_and(|motive| motive.is_known())
}

/// A foreign code that came with the case stays what it is when the case is qualified again.
fn foreign_kept(draft: &Draft<'_>, motive: &str) -> bool {
    use crate::domain::case::state::Channel;
    draft.case().is_ok_and(|case| {
        case.channel == Channel::Hub
            && case.qualification.as_ref().is_none_or(|known| known.motive.as_deref() == Some(motive))
    })
}

fn qualification(draft: &Draft<'_>, command: &Qualify) -> Qualification {
    let mut flags = command.flags.clone();
    let mut add = |flag: Flag, when: bool| {
        if when && !flags.contains(&flag) {
            flags.push(flag);
        }
    };
    if let Ok(case) = draft.case() {
        add(Flag::Infant, case.patients.iter().any(|patient| patient.infant));
        add(Flag::RepeatCall, case.repeat_of.is_some());
    }
    Qualification {
        priority: command.priority,
        stream: command.stream,
        motive: command.motive.clone(),
        flags,
        symptoms: command.symptoms,
        due: due(command.priority, draft.now, draft.due_spans()),
        at: draft.now,
        by: draft.context.actor.person.clone(),
    }
}

/// P1 to P3 wait for a regulator; NR waits for the ARM to end the file or qualify it again.
fn requalified(draft: &mut Draft<'_>, qualification: &Qualification) {
    if qualification.priority == Priority::NotRegulated {
        let deadline = draft.now + draft.context.territory.regulation.deadlines.qualify;
        let owner = intake::arm(draft);
        return draft.open(ActionKind::Qualify, owner, deadline, About::default());
    }
    let open = draft.case().ok().and_then(|case| case.open_action(ActionKind::Regulate).map(|action| action.id));
    match open {
        Some(action) => draft.push(Fact::ActionMoved { action, deadline: qualification.due }),
        None => draft.open(ActionKind::Regulate, regulators(qualification.stream), qualification.due, About::default()),
    }
}

/// D6311-35: the ARM sends straight to a coordinator; whatever the protocol does not cover goes to a regulator.
fn by_protocol(draft: &mut Draft<'_>, name: &str, qualification: &Qualification) -> Result<(), Refusal> {
    if draft.context.actor.role != Role::Arm {
        return Err(Refusal::field("protocol", "a protocol is for the ARM: sign a need instead"));
    }
    let territory = draft.context.territory;
    let date = local_date(territory.calendar.zone(), draft.now);
    let Some(protocol) = territory.regulation.protocol(name, date).cloned() else {
        return Err(Refusal::field("protocol", "no protocol of this name is in force today: leave it out"));
    };
    if let Some(why) = why_regulator(&protocol, qualification) {
        draft.reply.warnings.push(format!("PROTOCOL_NOT_APPLIED: {why}"));
        requalified(draft, qualification);
        return Ok(());
    }
    let patient = draft.case()?.patients.first().map_or(1, |patient| patient.number);
    let id = DecisionId(draft.id("decision"));
    let need = Need {
        patient,
        care: protocol.care,
        level: CareLevel::R3,
        longest_delay: protocol.longest_delay,
        constraints: protocol.constraints,
        reasons: qualification.motive.iter().cloned().collect(),
    };
    let signed = draft.signature();
    let answer = Some(Answer { care: need.care, supply: None, signed: signed.clone() });
    draft.reply.decision = Some(id);
    draft.push(Fact::NeedSigned(Box::new(Decision { id, need, signed, protocol: Some(protocol.name), answer })));
    draft.call_for_coordinator(id);
    draft.end(End::Replaced, |action| action.kind == ActionKind::Regulate);
    Ok(())
}

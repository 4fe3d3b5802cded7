//! Qualification: P0 to the AMU, accompanied (`vital`); P1 to P3 to a regulator's queue, or to a coordinator under a protocol; NR
//! only as a file the ARM may end (design.md §3, invariants 5 and 7; domain.md §2.3).

use crate::domain::{
    actor::Role,
    calendar::local_date,
    case::{
        action::{About, ActionKind, End},
        command::{Paper, Qualify},
        fact::Fact,
        outgoing::{Outgoing, may_send},
        refusal::{FieldFault, Refusal},
        sealed::NoteKind,
        state::Case,
        transfer::TransferEnd,
    },
    ids::{DecisionId, PersonId},
    regulation::{
        decision::{Answer, Decision},
        motives::Motive,
        need::{CareLevel, Need},
        protocol::why_regulator,
        qualification::{Attribution, Flag, Load, Priority, Qualification, Stream, due, may_dismiss},
        split::{Split, split},
    },
    time::Instant,
};

use super::{
    draft::{Draft, regulators},
    intake, reorient, room, transfer, triage, vital,
};

pub(super) fn qualify(draft: &mut Draft<'_>, command: &Qualify) -> Result<(), Refusal> {
    draft.case()?;
    if command.priority != Priority::P0 {
        intake::in_error(draft, &command.particulars)?;
    }
    intake::set(draft, &command.particulars);
    if let Some(note) = &command.note {
        draft.note(NoteKind::Note, note);
    }
    let unheard = triage::hear(draft, command);
    if command.priority == Priority::P0 {
        let motive = believed_motive(draft, command);
        let left_out = |fault: FieldFault| {
            format!("ANSWER_DROPPED: left out, nothing was refused: {}: {}", fault.field, fault.problem)
        };
        draft.reply.warnings.extend(unheard.into_iter().map(left_out));
        vital::hand_over_as(draft, motive, &command.flags);
        return Ok(());
    }
    intake::not_closed(draft)?;
    intake::not_with_sender(draft)?;
    vital::handed_over(draft)?;
    let (qualification, open_signs) = proposed(draft, command, unheard)?;
    let waited = waited(draft, &qualification);
    let due = qualification.due.min(waited.map_or(qualification.due, |waited| waited.due));
    draft.push(Fact::Qualified(Qualification { due, ..qualification.clone() }));
    tell_split(draft, &qualification);
    draft.end(End::Done, |action| {
        use ActionKind::{AnswerCall, Qualify, ReEvaluate};
        matches!(action.kind, AnswerCall | Qualify | ReEvaluate)
    });
    // Whoever qualifies need not have rung: only who is on the line again, or a word that he was rung, says so.
    draft.end_kind(ActionKind::CallBack, End::Replaced);
    reorient::withdraw(draft);
    transfer::void(draft, TransferEnd::Requalified);
    if let Some(name) = &command.protocol {
        return by_protocol(draft, name, (&qualification, waited), open_signs);
    }
    requalified(draft, &qualification, waited);
    Ok(())
}

/// How a case has waited for a regulator until it was qualified again, no less urgent than before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waited {
    /// Its place in the queue, which it keeps.
    due: Instant,
    /// It is as urgent as before: a new qualification is no reason to stop ringing.
    as_before: bool,
}

/// An hour agreed with the caller is another matter: a second qualification agrees on another.
fn waited(draft: &Draft<'_>, now: &Qualification) -> Option<Waited> {
    let case = draft.case().ok()?;
    let (known, action) = (case.qualification.as_ref()?, case.open_action(ActionKind::Regulate)?);
    let kept = now.priority <= known.priority && now.priority < Priority::P3;
    let due = if known.priority == Priority::NotRegulated { action.deadline } else { known.due };
    kept.then_some(Waited { due, as_before: now.priority == known.priority })
}

/// The qualification with what the protocols say of it, and whether signs of gravity were not asked.
fn proposed(
    draft: &mut Draft<'_>,
    command: &Qualify,
    mut faults: Vec<FieldFault>,
) -> Result<(Qualification, bool), Refusal> {
    let by = draft.context.actor.person.clone();
    let at_any_hour = triage::proposal(draft, command.motive.as_deref());
    let proposal = at_any_hour.clone().map(|proposal| triage::here_and_now(draft, command, proposal));
    let mut known = qualification(draft, command, draft.now, by);
    let mut flags = triage::flags(proposal.as_ref(), &command.flags);
    // An earlier call of the episode is looked at before this one is deferred, ended or sent on (domain.md §2.7).
    let linked = draft.case().is_ok_and(|case| case.repeat_of.is_some());
    flags.extend((command.particulars.possible_repeat && !linked).then_some(Flag::PossibleRepeat));
    known.flags = all_flags(draft, &flags);
    known.load = triage::load(draft, command);
    // Nor is an hour agreed at which somebody would be rung who must not be, or while the regulators soon have time.
    let noted = !(known.flags.is_empty() && may_ring(draft));
    let quiet = known.load.filter(|load| load.quiet);
    if known.priority == Priority::P3 && (noted || quiet.is_some()) {
        known.priority = Priority::P2;
        known.due = due(known.priority, draft.now, draft.due_spans());
        if command.protocol.is_none() {
            draft.reply.warnings.push(lifted(quiet.filter(|_| !noted)));
        }
    }
    let (lowered, below) = triage::lower(draft, command, &known, proposal.as_ref());
    let never = triage::deferral(draft, &known);
    faults.extend(if never.is_some() { Vec::new() } else { below });
    faults.extend(never);
    let said = faults.iter().any(|fault| fault.field == triage::WHY);
    faults.extend(triage::less_than_before(draft, command, &known, lowered).filter(|_| !said));
    if known.priority == Priority::P3 {
        match triage::appointment(draft, command.appointment, at_any_hour.as_ref()) {
            Ok(at) => known.due = at,
            Err(fault) => faults.push(fault),
        }
    }
    check(draft, command, &known, faults)?;
    known.proposal = proposal.as_ref().map(|proposal| triage::kept(draft, proposal, lowered));
    Ok((known, proposal.is_some_and(|proposal| proposal.open_red_flags > 0)))
}

/// Tells the front line why a request is not deferred.
pub(super) fn lifted(quiet: Option<Load>) -> String {
    match quiet {
        Some(Load { waiting, asked, .. }) => {
            format!("P3_LIFTED: regulated as P2 in its turn: {waiting} wait, and a request is deferred from {asked} on")
        }
        None => "P3_LIFTED: not deferred, for a reason that was noted: regulated as P2".to_owned(),
    }
}

/// Ends a file without a doctor: only D.* and DR.DREG, without symptoms; a later qualification reverses it.
pub(super) fn dismiss(draft: &mut Draft<'_>, attribution: Attribution, possible_repeat: bool) -> Result<(), Refusal> {
    intake::not_closed(draft)?;
    // What nobody has qualified was not compared with earlier calls either.
    if possible_repeat {
        let problem =
            "an earlier medical case resembles it: link it (LinkRepeatCall), or qualify it, and a regulator looks";
        return Err(Refusal::state("case", problem));
    }
    let case = draft.case()?;
    let (symptoms, flags) = match &case.qualification {
        Some(known) => {
            let asks = known.symptoms || known.motive.as_deref().is_some_and(medical);
            (asks || known.priority != Priority::NotRegulated, known.flags.clone())
        }
        None => (false, Vec::new()),
    };
    let infant = case.patients.iter().any(|patient| patient.infant);
    let flagged = case.repeat_of.is_some() || infant || case.sealed.caller.barrier();
    // What was sent from one territory to another is a doctor's on either side.
    let sent = !case.transfers.is_empty() || case.received.is_some();
    let regulated = case.claim.is_some() || !case.decisions.is_empty() || sent;
    if !may_dismiss(symptoms, &flags) || flagged || regulated {
        let problem = "a medical request ends only with a doctor's decision: leave it to a regulator";
        return Err(Refusal::state("case", problem));
    }
    if attribution == Attribution::Repeat {
        let problem = "a call of a file that exists is linked to it (LinkRepeatCall), and a regulator looks at both";
        return Err(Refusal::field("attribution", problem));
    }
    draft.push(Fact::Dismissed(attribution));
    draft.end_kind(ActionKind::CallBack, End::Replaced);
    draft.end(End::Done, |_| true);
    Ok(())
}

/// Adds a reason why a doctor is compulsory; a deferred case is then regulated now, and a protocol no longer holds.
pub(super) fn flag(draft: &mut Draft<'_>, flag: Flag) {
    let Some(qualification) = draft.case().ok().and_then(|case| case.qualification.clone()) else {
        if draft.case().is_ok_and(|case| case.dismissed.is_some()) {
            draft.call_for_regulator();
        }
        return;
    };
    // What is heard anew ends a doctor's word that it may wait, like any deferral; each call of the episode is news.
    let deferred = qualification.priority == Priority::P3 || draft.case().is_ok_and(|case| case.may_wait.is_some());
    let known = qualification.flags.contains(&flag);
    if deferred && (!known || flag == Flag::RepeatCall) {
        lift(draft, &qualification);
    }
    if known {
        return;
    }
    draft.push(Fact::Flagged(flag));
    let regulated = draft.case().is_ok_and(|case| case.decisions.iter().any(|decision| decision.protocol.is_none()));
    if !regulated && qualification.priority != Priority::P0 {
        draft.call_for_regulator();
        draft.end_kind(ActionKind::Route, End::Replaced);
    }
}

/// A deferred case is regulated now, and its telephone appointment is off.
pub(super) fn lift(draft: &mut Draft<'_>, qualification: &Qualification) {
    let priority = qualification.priority.min(Priority::P2);
    let lifted = due(priority, draft.now, draft.due_spans()).min(qualification.due);
    draft.push(Fact::Requeued { stream: qualification.stream, priority, due: lifted });
    let waits = draft.case().ok().and_then(|case| case.open_action(ActionKind::Regulate));
    // One that is late rings already, and goes on ringing.
    let waits = waits.filter(|action| action.deadline > draft.now).map(|action| action.id);
    if let Some(action) = waits {
        draft.push(Fact::ActionMoved { action, deadline: lifted.max(draft.now) });
    }
    draft.end_kind(ActionKind::TelephoneAppointment, End::Replaced);
}

/// What waits for a regulator comes before the less urgent from now on, and is due no later than this; what stands before
/// that already is left where it is.
pub(super) fn raise(draft: &mut Draft<'_>, priority: Priority, due: Instant) {
    let waits = draft.case().ok().and_then(|case| {
        let behind = |known: &&Qualification| (priority, due) < (known.priority, known.due);
        let known = case.qualification.as_ref().filter(behind)?;
        let action = case.open_action(ActionKind::Regulate)?;
        Some((known.stream, due.min(known.due), action.id, action.deadline))
    });
    let Some((stream, due, action, deadline)) = waits else { return };
    draft.push(Fact::Requeued { stream, priority, due });
    // One that is late rings already.
    if due < deadline && draft.now < deadline {
        draft.push(Fact::ActionMoved { action, deadline: due.max(draft.now) });
    }
    draft.end_kind(ActionKind::TelephoneAppointment, End::Replaced);
}

fn check(
    draft: &Draft<'_>,
    command: &Qualify,
    known: &Qualification,
    mut faults: Vec<FieldFault>,
) -> Result<(), Refusal> {
    match command.motive.as_deref() {
        None => faults.push(FieldFault::new("motive", "a motive code is needed (HubSante.motif, such as M03.14)")),
        Some(motive) if !known_motive(motive) && !foreign_kept(draft, motive) => {
            faults.push(FieldFault::new(
                "motive",
                "not a code of HubSante.motif (such as M03.14): choose one of the list",
            ));
        }
        Some(_) => {}
    }
    if without_its_doctor(known) {
        let problem = "NR is for requests in which no symptom or flag was ever noted, with a motive that is none (M05.01, M06, \
                       M07): choose P1, P2 or P3";
        faults.push(FieldFault::new("priority", problem));
    }
    if command.skill.as_ref().is_some_and(|skill| !draft.context.territory.regulation.skills.contains(skill)) {
        faults.push(FieldFault::new("skill", room::known_skills(draft)));
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Fields(faults)) }
}

/// A P0 is not refused for its motive, but what is no code of the list is not stored in the clear either.
fn believed_motive(draft: &mut Draft<'_>, command: &Qualify) -> Option<String> {
    let motive = command.motive.as_deref()?;
    if known_motive(motive) || foreign_kept(draft, motive) {
        return Some(motive.to_owned());
    }
    let warning = "MOTIVE_UNKNOWN: left out, nothing was refused: not a code of HubSante.motif (such as M03.14)";
    draft.reply.warnings.push(warning.to_owned());
    None
}

fn known_motive(code: &str) -> bool {
    code.parse::<Motive>().is_ok_and(|motive| motive.is_known())
}

/// Left unregulated although something was noted that is a doctor's.
fn without_its_doctor(known: &Qualification) -> bool {
    known.priority == Priority::NotRegulated && !may_dismiss(known.symptoms, &known.flags)
}

fn medical(code: &str) -> bool {
    code.parse::<Motive>().is_ok_and(|motive| motive.medical())
}

/// A foreign code that came with the case stays what it is when the case is qualified again.
fn foreign_kept(draft: &Draft<'_>, motive: &str) -> bool {
    use crate::domain::case::state::Channel;
    draft.case().is_ok_and(|case| {
        case.channel == Channel::Hub
            && case.qualification.as_ref().is_none_or(|known| known.motive.as_deref() == Some(motive))
    })
}

/// What the front line wrote on paper, under the rules of any qualification and with its own time and author.
pub(super) fn on_paper(draft: &Draft<'_>, paper: &Paper) -> Result<Qualification, Refusal> {
    let by = paper.by.clone().unwrap_or_else(|| draft.context.actor.person.clone());
    let mut qualification = qualification(draft, &paper.qualify, paper.at, by);
    if without_its_doctor(&qualification) || triage::deferral(draft, &qualification).is_some() {
        // What this territory does not defer, nor end without a doctor, waited on paper: a doctor has it next.
        qualification.priority = Priority::P2;
        qualification.due = due(Priority::P2, paper.at, draft.due_spans());
    }
    if qualification.priority != Priority::P0 {
        check(draft, &paper.qualify, &qualification, Vec::new())?;
    }
    Ok(qualification)
}

fn qualification(draft: &Draft<'_>, command: &Qualify, at: Instant, by: PersonId) -> Qualification {
    let heard = draft.case().is_ok_and(|case| case.qualification.as_ref().is_some_and(|known| known.symptoms));
    let flags = all_flags(draft, &command.flags);
    let (stream, split) = sided(draft, command, &flags);
    Qualification {
        priority: command.priority,
        stream,
        motive: command.motive.clone(),
        flags,
        symptoms: command.symptoms || heard || command.motive.as_deref().is_some_and(medical),
        due: due(command.priority, at, draft.due_spans()),
        at,
        by,
        proposal: None,
        skill: command.skill.clone(),
        split,
        load: None,
        out_of_amu: triage::out_of_amu(draft, stream),
    }
}

/// The stream after the territory's split, which a surge suspends.
fn sided(draft: &Draft<'_>, command: &Qualify, flags: &[Flag]) -> (Stream, Option<Split>) {
    let place = draft.case().ok().and_then(|case| case.place.kind.clone());
    let rules = &draft.context.territory.regulation.split;
    let rule = rules.hospital(place.as_deref(), command.motive.as_deref(), flags);
    let rule = rule.filter(|_| command.priority != Priority::NotRegulated);
    let surge = draft.records.room.as_ref().is_some_and(|room| room.surge_at(draft.now).is_some());
    split(command.stream, rule, surge)
}

/// Tells the front line what the split did.
fn tell_split(draft: &mut Draft<'_>, known: &Qualification) {
    let told = match &known.split {
        Some(Split::Lifted(rule)) => format!("SPLIT: sent to the AMU by the territory's rule ({rule})"),
        Some(Split::Suspended(rule)) => format!("SPLIT_SUSPENDED: left in its stream, a surge is on ({rule})"),
        None => return,
    };
    draft.reply.warnings.push(told);
}

/// The flags of a command and every flag noted before: what was heard once makes a doctor compulsory for good, or a
/// second qualification would be the way around him.
pub(super) fn all_flags(draft: &Draft<'_>, given: &[Flag]) -> Vec<Flag> {
    let mut flags = given.to_vec();
    if let Ok(case) = draft.case() {
        flags.extend(case.qualification.iter().flat_map(|known| known.flags.iter().copied()));
        flags.extend(case.patients.iter().any(|patient| patient.infant).then_some(Flag::Infant));
        flags.extend(case.repeat_of.map(|_| Flag::RepeatCall));
        flags.extend(calls_again(case).then_some(Flag::RepeatCall));
        flags.extend(case.sealed.caller.barrier().then_some(Flag::CommunicationBarrier));
    }
    flags.sort_unstable();
    flags.dedup();
    flags
}

/// It was decided, nobody has it to decide, and the same file is asked for again, whatever is still carried out: the re-call
/// that re-opens it (HubSante.etat).
fn calls_again(case: &Case) -> bool {
    use ActionKind::{HandOver, Qualify, Regulate};
    let decided = !case.decisions.is_empty() || case.handed_on().is_some();
    decided && !case.open_actions().any(|action| matches!(action.kind, HandOver | Qualify | Regulate))
}

/// P1 to P3 wait for a regulator; NR waits for the ARM to end the file or qualify it again. What was late rings on, unless it
/// is more urgent now: then it rings anew at its own deadline.
pub(super) fn requalified(draft: &mut Draft<'_>, qualification: &Qualification, waited: Option<Waited>) {
    let open = draft.case().ok().and_then(|case| case.open_action(ActionKind::Regulate).cloned());
    let mut due = qualification.due;
    if qualification.priority == Priority::NotRegulated {
        let deadline = draft.now + draft.context.territory.regulation.deadlines.qualify;
        draft.open(ActionKind::Qualify, intake::arm(draft), deadline, About::default());
        // A doctor who was called for stays called for.
        match &open {
            Some(known) => due = known.deadline.max(draft.now),
            None => return,
        }
    }
    // No later than it was to be, as long as that was not over.
    let before = open.as_ref().filter(|_| waited.is_some()).map(|known| known.deadline);
    let late = before.is_some_and(|deadline| deadline <= draft.now);
    let rings = late && waited.is_some_and(|waited| waited.as_before);
    let due = before.filter(|_| !late || rings).map_or(due, |deadline| due.min(deadline));
    // What waited on paper is late from the start, and its alarm is raised now.
    let due = due.max(draft.now);
    let owner = regulators(qualification.stream);
    match open {
        Some(known) if known.owner == owner && (rings || known.deadline == due) => {}
        Some(known) if known.owner == owner => draft.push(Fact::ActionMoved { action: known.id, deadline: due }),
        // Another stream answers: the action changes hands.
        _ => {
            draft.end_kind(ActionKind::Regulate, End::Replaced);
            draft.open(ActionKind::Regulate, owner.clone(), due, About::default());
        }
    }
    // A second qualification agrees on another hour, or on none.
    draft.end_kind(ActionKind::TelephoneAppointment, End::Replaced);
    if qualification.priority == Priority::P3 && may_ring(draft) {
        draft.open(ActionKind::TelephoneAppointment, owner, due, About::default());
    }
}

/// Whether the contact can and may be rung back.
fn may_ring(draft: &Draft<'_>) -> bool {
    draft.case().is_ok_and(|case| case.sealed.caller.has_number() && may_send(case, 0, Outgoing::CallBack).is_ok())
}

/// D6311-35: the ARM sends straight to a coordinator; whatever the protocol does not cover goes to a regulator.
fn by_protocol(
    draft: &mut Draft<'_>,
    name: &str,
    (qualification, waited): (&Qualification, Option<Waited>),
    open_signs: bool,
) -> Result<(), Refusal> {
    if draft.context.actor.role != Role::Arm {
        return Err(Refusal::field("protocol", "a protocol is for the ARM: sign a need instead"));
    }
    let territory = draft.context.territory;
    let date = local_date(territory.calendar.zone(), draft.now);
    let Some(dated) = territory.regulation.protocol(name, date) else {
        return Err(Refusal::field("protocol", "no protocol of this name is in force today: leave it out"));
    };
    let protocol = dated.protocol.clone();
    let unsigned = (!territory.regulation.applies(dated)).then_some("no committee has signed the protocol");
    let unasked = open_signs.then_some("signs of gravity were not asked");
    let why = why_regulator(&protocol, qualification).or_else(|| with_a_doctor(draft));
    if let Some(why) = why.or(unsigned).or(unasked) {
        draft.reply.warnings.push(format!("PROTOCOL_NOT_APPLIED: {why}"));
        requalified(draft, qualification, waited);
        // It waits for a doctor after all, who soon has time for it.
        let quiet = |load: Load| load.waiting < load.asked;
        if qualification.priority == Priority::P3 && qualification.load.is_some_and(quiet) {
            lift(draft, qualification);
        }
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
    let answer = Some(Answer::new(need.care, None, signed.clone()));
    draft.reply.decision = Some(id);
    let decision = Decision { protocol: Some(protocol.name), answer, ..Decision::needed(id, need, signed) };
    draft.push(Fact::NeedSigned(Box::new(decision)));
    draft.call_for_coordinator(id);
    draft.end(End::Replaced, |action| matches!(action.kind, ActionKind::Regulate | ActionKind::TelephoneAppointment));
    Ok(())
}

/// A protocol opens a case's path; it never takes a case from a doctor, nor back after its own failure.
fn with_a_doctor(draft: &Draft<'_>) -> Option<&'static str> {
    let case = draft.case().ok()?;
    let sent = case.received.is_some() || !case.transfers.is_empty();
    // Whoever gave it back undecided has seen it all the same.
    let seen = case.claim.is_some() || !case.decisions.is_empty() || !case.regulators.is_empty();
    (sent || seen).then_some("a doctor has the case, or it was decided before")
}

//! Intake: a request becomes a case and stays one, whatever happens to the call (design.md §2; domain.md §2.2, §2.8).

use crate::domain::{
    actor::Role,
    case::{
        action::{About, Action, ActionKind, End, Owner},
        command::{CallEvent, CallReport, Open, Particulars},
        fact::{Fact, Opened},
        outgoing::{Outgoing, Withheld, may_send, own_gp_knows},
        refusal::{FieldFault, Refusal},
        sealed::{Caller, NoteKind, Words},
        state::{Case, Channel, Line, Offer, OfferState, Patient},
        status::{Status, stage},
    },
    directory::Directory,
    ids::{ActionId, CaseId, case_id},
    person::Private,
    regulation::{
        protocols::psychiatric,
        qualification::{Flag, Priority, Qualification, Stream, due},
    },
    routing::WhyNot,
    territory::NumberForm,
};

use super::{claims, draft::Draft, file, paper, qualify, triage, vital};

pub(super) fn open(draft: &mut Draft<'_>, open: &Open) -> Result<(), Refusal> {
    let id = case_id(draft.context.command_id, draft.now);
    draft.event.case = Some(id);
    draft.reply.case = Some(id);
    let form = &draft.context.territory.regulation.number_form;
    let number_form = (*form != NumberForm::default()).then(|| form.clone());
    draft.push(Fact::Opened(Opened { number_form, ..open.opened.clone() }));
    if let Some(heard) = open.heard {
        draft.push(Fact::LineHeard(heard));
    }
    if open.opened.call.is_some() {
        draft.say(Words::Call(Private::new(open.opened.call.clone())));
    }
    set(draft, &open.particulars);
    if let Some(note) = &open.note {
        draft.note(NoteKind::Note, note);
    }
    let deadlines = draft.context.territory.regulation.deadlines;
    if open.vital {
        vital::hand_over(draft);
    } else if let Some(paper) = &open.paper {
        return paper::enter(draft, open, paper);
    } else if open.answered || open.opened.channel != Channel::Telephony {
        let begins = open.particulars.activates.unwrap_or(draft.now);
        if begins > draft.now {
            draft.push(Fact::ActivatesAt(begins));
        }
        // What was made in advance waits at the desk for its hour.
        let owner = if begins > draft.now { arm_desk() } else { arm(draft) };
        draft.open(ActionKind::Qualify, owner, begins.max(draft.now) + deadlines.qualify, About::default());
    } else {
        draft.open(ActionKind::AnswerCall, arm_desk(), draft.now + deadlines.answer_call, About::default());
    }
    Ok(())
}

pub(super) fn amend(draft: &mut Draft<'_>, particulars: &Particulars) -> Result<(), Refusal> {
    not_closed(draft)?;
    in_error(draft, particulars)?;
    set(draft, particulars);
    if !particulars.patients.is_empty() {
        triage::again(draft);
    }
    if particulars.possible_repeat && draft.case()?.repeat_of.is_none() {
        let known = draft.case()?.qualification.as_ref();
        let deferred = known.is_some_and(|known| known.priority == Priority::P3);
        draft.reply.warnings.extend(deferred.then(|| qualify::lifted(None)));
        qualify::flag(draft, Flag::PossibleRepeat);
    }
    // A doctor who has decided for all who are left is done.
    if draft.case()?.claim.is_none() && particulars.patients.iter().any(|(patient, _)| patient.noted_in_error) {
        claims::finish_if_decided(draft);
    }
    tell_elsewhere(draft);
    particulars.motive.as_deref().map_or(Ok(()), |code| file::motive(draft, code))
}

/// Words are always taken while the case is here. Once the file is valid they are an addendum: what was there is frozen.
pub(super) fn add_note(draft: &mut Draft<'_>, text: &Private<String>) -> Result<(), Refusal> {
    let kind = match where_it_stands(draft)? {
        Status::Planned | Status::Active | Status::Achieved => NoteKind::Note,
        Status::Valid | Status::Closed | Status::Filed => NoteKind::Addendum,
        Status::Archived => return Err(Refusal::state("case", "it is archived (ARCHIVE): nothing is added any more")),
    };
    draft.room_for(kind, text)?;
    draft.note(kind, text);
    tell_elsewhere(draft);
    Ok(())
}

fn where_it_stands(draft: &Draft<'_>) -> Result<Status, Refusal> {
    Ok(stage(draft.case()?, draft.now, Some(draft.context.territory.regulation.archived_after)))
}

/// A repeat call raises the case: a doctor becomes compulsory, and a deferred case is regulated now.
pub(super) fn link_repeat(draft: &mut Draft<'_>, earlier: CaseId) -> Result<(), Refusal> {
    if draft.case()?.id == earlier {
        return Err(Refusal::field("earlier_case_id", "a case cannot repeat itself: give the earlier case"));
    }
    not_closed(draft)?;
    if draft.context.records.cases.get(&earlier).is_some_and(|known| comes_after(known, draft)) {
        let problem = "that case came later, or repeats this one: link the later case to the earlier one";
        return Err(Refusal::field("earlier_case_id", problem));
    }
    draft.push(Fact::RepeatOf(earlier));
    qualify::flag(draft, Flag::RepeatCall);
    tell_deferred(draft, earlier);
    Ok(())
}

/// Whether a case came after this one: both by when it arrived and by when it was entered, since the clock of an exchange may
/// be wrong, and what was on paper is entered late. What repeats this one does, too.
fn comes_after(known: &Case, draft: &Draft<'_>) -> bool {
    draft.case().is_ok_and(|case| {
        known.repeat_of == Some(case.id) || (known.opened > case.opened && known.entered > case.entered)
    })
}

/// Who calls again may have been told to wait: the earlier case is another file, and somebody looks at it too.
fn tell_deferred(draft: &mut Draft<'_>, earlier: CaseId) {
    let Some(known) = draft.context.records.cases.get(&earlier) else { return };
    let deferred = known.qualification.as_ref().is_some_and(|said| said.priority == Priority::P3);
    let waits = known.open_action(ActionKind::Regulate).is_some() && (deferred || known.may_wait.is_some());
    if waits {
        let told =
            "EARLIER_DEFERRED: the earlier case waits for its hour and is not raised by itself: qualify it again";
        draft.reply.warnings.push(told.to_owned());
    }
}

/// Hanging up never ends a case: the caller is rung back, and after a symptom a doctor decides (invariant 5). What is told
/// after something that happened later changes nothing: a caller who is gone is not on the line again.
pub(super) fn call(draft: &mut Draft<'_>, report: CallReport) -> Result<(), Refusal> {
    if draft.case()?.heard_later_than(report) {
        return Ok(());
    }
    // What is told without an hour happens now: what is told later of before it is over.
    let (heard, at) = (draft.case()?.line_heard, Case::heard_at(report.happened, draft.now));
    if heard.is_none_or(|heard| heard < at) {
        draft.push(Fact::LineHeard(at));
    }
    let alone = comes_to_nobody(draft.case()?);
    match report.event {
        CallEvent::Answered => {
            draft.push(Fact::LineSet(Line::OnLine));
            let rang = draft.case()?.open_action(ActionKind::AnswerCall).is_some();
            draft.end_kind(ActionKind::AnswerCall, End::Done);
            if rang {
                asks(draft);
            }
            is_back(draft, alone)?;
        }
        CallEvent::Reconnected => {
            draft.push(Fact::LineSet(Line::OnLine));
            is_back(draft, alone)?;
        }
        CallEvent::HungUp => {
            let case = draft.case()?;
            let known = case.sealed.caller.has_number();
            let asks = case.decisions.is_empty() && case.dismissed.is_none() && !elsewhere(case);
            let undecided = asks || waits_for_a_decision(case);
            let symptoms = case.qualification.as_ref().is_some_and(|qualification| qualification.symptoms);
            draft.push(Fact::LineSet(if known { Line::CallBack } else { Line::NoContact }));
            let psychiatric = case_is_psychiatric(draft);
            if !undecided || (waits_for_its_hour(draft.case()?) && !psychiatric) {
                return Ok(());
            }
            call_back(draft);
            draft.end_kind(ActionKind::AnswerCall, End::Unreachable);
            if symptoms || psychiatric {
                qualify::flag(draft, Flag::LostCall);
            }
            if psychiatric {
                alarm_at_once(draft);
            }
        }
    }
    Ok(())
}

/// The caller is on the line: nobody need ring him back, and who does what is next is asked.
fn is_back(draft: &mut Draft<'_>, alone: bool) -> Result<(), Refusal> {
    draft.end_kind(ActionKind::CallBack, End::Done);
    to_next(draft)?;
    if alone {
        asks_again(draft);
    }
    Ok(())
}

/// Whether the caller was told when he will be rung, or until when he may wait, and nobody has asked for him since: his call
/// ends as agreed, and the agreed hour has its own alarm.
fn waits_for_its_hour(case: &Case) -> bool {
    use ActionKind::{CallBack, Qualify, ReEvaluate, Reorient, TelephoneAppointment};
    let open = |kind| case.open_action(kind).is_some();
    // What was heard since has put it before that hour.
    let due = case.qualification.as_ref().map(|known| known.due);
    let may_wait = case.may_wait.as_ref().is_some_and(|said| due == Some(said.until));
    let asked_for = [Qualify, CallBack, ReEvaluate, Reorient].into_iter().any(open);
    (open(TelephoneAppointment) || may_wait) && case.claim.is_none() && !asked_for
}

/// Whether a caller who had gone comes back to a case that is only waited for, an appointment or a report to come, or his hour:
/// nobody who has something to do for it would speak to him.
fn comes_to_nobody(case: &Case) -> bool {
    case.line != Line::OnLine && (only_waited_for(case) || waits_for_its_hour(case))
}

fn only_waited_for(case: &Case) -> bool {
    use ActionKind::{Appointment, AwaitReport, DeliverPrescription, ReturnOfInformation, SeeCounterRegulation, Visit};
    let waited_for = |kind| matches!(kind, Appointment | Visit | AwaitReport | DeliverPrescription);
    let about_it =
        |kind: ActionKind| kind.administrative() || matches!(kind, ReturnOfInformation | SeeCounterRegulation);
    let waits = case.open_actions().any(|action| waited_for(action.kind));
    let only = case.open_actions().all(|action| waited_for(action.kind) || about_it(action.kind));
    waits && only
}

/// Has the caller who is on the line asked what it is about.
fn asks(draft: &mut Draft<'_>) {
    let deadline = draft.now + draft.context.territory.regulation.deadlines.qualify;
    draft.open(ActionKind::Qualify, arm_desk(), deadline, About::default());
}

/// The same of a caller who was answered before: a repeat call of the same file (domain.md §2.7).
fn asks_again(draft: &mut Draft<'_>) {
    asks(draft);
    qualify::flag(draft, Flag::RepeatCall);
}

/// Whether what the caller asks now is undecided, though something was decided before: who called again in the same file, or
/// for whom the AMU is waited for. A doctor who is not done has not told him all: a need without its answer, a patient for
/// whom nobody has decided, a claim that is kept for another decision.
fn waits_for_a_decision(case: &Case) -> bool {
    let open = |kind| case.open_action(kind).is_some();
    open(ActionKind::HandOver) || open(ActionKind::Qualify) || open(ActionKind::Regulate)
}

/// A psychiatric or suicidal caller broke off and is still to be rung back.
pub(super) fn is_lost_psychiatric(draft: &Draft<'_>) -> bool {
    let rung = |case: &Case| case.line != Line::OnLine && case.open_action(ActionKind::CallBack).is_some();
    draft.case().is_ok_and(rung) && case_is_psychiatric(draft)
}

fn case_is_psychiatric(draft: &Draft<'_>) -> bool {
    let known = draft.case().ok().and_then(|case| case.qualification.as_ref());
    known.is_some_and(|known| {
        let heard = known.proposal.iter().flat_map(|proposed| &proposed.red_flags);
        known.stream == Stream::Psy
            || known.motive.as_deref().is_some_and(psychiatric)
            || heard.into_iter().any(|flag| flag.stream == Stream::Psy)
    })
}

/// A psychiatric or suicidal call that breaks off: the room is told now, and a doctor takes it before all that can wait.
fn alarm_at_once(draft: &mut Draft<'_>) {
    let (now, spans) = (draft.now, draft.due_spans());
    let Ok(case) = draft.case() else { return };
    let (rings, waits) = (case.open_action(ActionKind::CallBack), case.open_action(ActionKind::Regulate));
    let told = rings.or(waits).filter(|action| action.alarmed().is_none()).map(|action| action.id);
    qualify::raise(draft, Priority::P1, due(Priority::P1, now, spans));
    if let Some(action) = told {
        draft.push(Fact::ActionMoved { action, deadline: now });
        draft.push(Fact::ActionAlarmed { action });
    }
}

/// Has the caller rung back; a contact that may not be rung is left alone, and what is next is done without (invariant 11).
pub(super) fn call_back(draft: &mut Draft<'_>) {
    if !draft.case().is_ok_and(|case| may_send(case, 0, Outgoing::CallBack).is_ok()) {
        return draft.call_for_regulator();
    }
    let deadline = draft.now + draft.context.territory.regulation.deadlines.call_back;
    draft.open(ActionKind::CallBack, arm_desk(), deadline, About::default());
}

/// Has the caller of a late case asked again how the patient is: worse is qualified up, and an end that is not bad leaves
/// the case where it waits. Without a contact that may be rung the alarm alone stands.
pub(super) fn re_evaluate(draft: &mut Draft<'_>) {
    if !draft.case().is_ok_and(|case| may_send(case, 0, Outgoing::CallBack).is_ok()) {
        return;
    }
    // Whoever is rung back anyway is asked then.
    if draft.case().is_ok_and(|case| case.open_action(ActionKind::CallBack).is_some()) {
        return;
    }
    let deadline = draft.now + draft.context.territory.regulation.deadlines.re_evaluate;
    draft.open(ActionKind::ReEvaluate, arm_desk(), deadline, About::default());
}

/// After a call-back: what was interrupted goes on.
pub(super) fn to_next(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let case = draft.case()?;
    let decided = !case.decisions.is_empty() || case.dismissed.is_some() || elsewhere(case);
    if case.open_actions().next().is_none() && !decided {
        draft.call_for_regulator();
    }
    Ok(())
}

/// Refuses to take a patient out who has to stay.
pub(super) fn in_error(draft: &Draft<'_>, particulars: &Particulars) -> Result<(), Refusal> {
    let fault = |at: usize| Some((at, still_needed(draft, particulars, at)?));
    let faults = (0..particulars.patients.len()).filter_map(fault);
    let faults: Vec<_> =
        faults.map(|(at, why)| FieldFault::new(format!("patients[{at}].noted_in_error"), why)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Fields(faults)) }
}

/// Why a patient of these particulars who is noted in error is one all the same.
fn still_needed(draft: &Draft<'_>, particulars: &Particulars, at: usize) -> Option<&'static str> {
    let patient = particulars.patients.get(at).map(|(patient, _)| patient).filter(|patient| patient.noted_in_error)?;
    let case = draft.case().ok()?;
    if case.decisions.iter().any(|known| known.need.patient == patient.number) {
        return Some("a decision was signed about this patient: sign another, and correct who it is");
    }
    let said = |number| particulars.patients.iter().map(|(known, _)| known).find(|known| known.number == number);
    let stays = |known: &Patient| !said(known.number).unwrap_or(known).noted_in_error;
    let others = case.patients.iter().any(stays) || particulars.patients.iter().any(|(known, _)| !known.noted_in_error);
    (!others).then_some("the request has no other patient: correct who it is instead")
}

pub(super) fn set(draft: &mut Draft<'_>, particulars: &Particulars) {
    if let Some(place) = &particulars.place {
        draft.push(Fact::PlaceSet(place.clone()));
        draft.say(Words::Position(Private::new(place.position)));
    }
    if let Some(safety) = particulars.safety {
        draft.push(Fact::SafetySet(safety));
    }
    if let Some(caller) = &particulars.caller {
        let known = draft.case().is_ok_and(|case| case.sealed.caller.professional());
        draft.say(Words::Caller(caller.clone()));
        if caller.professional() && !known {
            to_fast_lane(draft);
        }
        if caller.barrier() {
            qualify::flag(draft, Flag::CommunicationBarrier);
        }
    }
    if let Some(address) = &particulars.address {
        draft.say(Words::Address(address.clone()));
    }
    for (at, (patient, identity)) in particulars.patients.iter().enumerate() {
        let noted_in_error = patient.noted_in_error && still_needed(draft, particulars, at).is_none();
        draft.push(Fact::PatientSet(Patient { noted_in_error, ..patient.clone() }));
        draft.say(Words::Identity(identity.clone()));
        if patient.infant {
            qualify::flag(draft, Flag::Infant);
        }
    }
    take_back(draft);
}

/// A case that waits as P2 is due as a professional's from now on, unless a doctor has said until when it may wait.
fn to_fast_lane(draft: &mut Draft<'_>) {
    let due = due(Priority::P2, draft.now, draft.due_spans());
    let waits = |known: &Qualification| known.priority == Priority::P2;
    if draft.case().is_ok_and(|case| case.may_wait.is_none() && case.qualification.as_ref().is_some_and(waits)) {
        qualify::raise(draft, Priority::P2, due);
    }
}

/// What may no longer be sent is not left to be done: the contact is not rung, and nobody is told by itself.
fn take_back(draft: &mut Draft<'_>) {
    let Ok(case) = draft.case() else { return };
    let unringable = may_send(case, 0, Outgoing::CallBack).is_err();
    let ringing = case.open_actions().any(|action| matches!(action.kind, ActionKind::CallBack | ActionKind::FollowUp));
    let unsafe_call = unringable && ringing;
    let appointed = unringable && case.open_action(ActionKind::TelephoneAppointment).is_some();
    let deferred = case.qualification.clone().filter(|_| appointed);
    let told = |action: &Action| {
        let patient = action.about.decision.and_then(|id| case.decision(id)).map(|decision| decision.need.patient);
        may_send(case, patient.unwrap_or_default(), Outgoing::Gp).is_err()
    };
    let returns = case.open_actions().filter(|action| action.kind == ActionKind::ReturnOfInformation);
    let withheld: Vec<ActionId> = returns.filter(|action| told(action)).map(|action| action.id).collect();
    let directory = draft.context.directory;
    let opposed = |offer: &&Offer| offer.state == OfferState::Open && asks_opposed_gp(case, directory, offer);
    let opposed: Vec<Offer> = case.offers.iter().filter(opposed).cloned().collect();
    for offer in opposed {
        draft.offer_failed(&offer, WhyNot::PatientOpposes, End::Replaced);
    }
    if unsafe_call {
        draft.call_for_regulator();
        draft.end(End::Replaced, |action| matches!(action.kind, ActionKind::CallBack | ActionKind::FollowUp));
    }
    if let Some(known) = deferred {
        qualify::lift(draft, &known);
    }
    if unringable {
        draft.end_kind(ActionKind::ReEvaluate, End::Replaced);
    }
    draft.end(End::Replaced, |action| withheld.contains(&action.id));
}

/// Whether an offer lets the own GP know of a patient who opposes that.
fn asks_opposed_gp(case: &Case, directory: &Directory, offer: &Offer) -> bool {
    let patient = case.decision(offer.decision).map(|decision| decision.need.patient).unwrap_or_default();
    let known = own_gp_knows(case, directory, patient, (offer.category, &offer.responder));
    known && may_send(case, patient, Outgoing::Gp) == Err(Withheld::Opposed)
}

/// Has an interpreter joined as a third party, until a deadline that raises an alarm.
pub(super) fn call_interpreter(draft: &mut Draft<'_>, language: Option<&str>) -> Result<(), Refusal> {
    not_closed(draft)?;
    not_with_sender(draft)?;
    let known = draft.case()?.sealed.caller.clone();
    let language = language.map(str::to_owned).or_else(|| known.language.clone());
    let Some(language) = language.filter(|language| language != "fr") else {
        return Err(Refusal::field("language", "say which language the caller speaks (ISO 639-1, such as ar)"));
    };
    if known.language.as_deref() != Some(&language) || !known.barrier() {
        let difficulty = known.difficulty.clone().filter(|_| known.barrier()).or_else(|| Some("LANGUE".to_owned()));
        draft.say(Words::Caller(Caller { language: Some(language), difficulty, ..known }));
    }
    qualify::flag(draft, Flag::CommunicationBarrier);
    let deadline = draft.now + draft.context.territory.regulation.deadlines.interpreter;
    draft.open(ActionKind::Interpreter, arm(draft), deadline, About::default());
    Ok(())
}

/// A closed file is not reactivated: a new call opens a new file linked to it (domain.md §2.7).
pub(super) fn not_closed(draft: &Draft<'_>) -> Result<(), Refusal> {
    match where_it_stands(draft)? {
        Status::Closed | Status::Filed | Status::Archived => {
            Err(Refusal::state("case", "it is closed (CLOTURE): open a new case and link it to this one"))
        }
        Status::Planned | Status::Active | Status::Achieved | Status::Valid => Ok(()),
    }
}

/// A copy whose request is with its sender is not worked on here any more.
pub(super) fn not_with_sender(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.case()?.with_sender() {
        let problem = "it is with the territory that sent it: open a new case for a new call, or qualify it P0 when it is \
                       vital";
        return Err(Refusal::state("case", problem));
    }
    Ok(())
}

/// Another territory has the request: it accepted the case, or has it again.
fn elsewhere(case: &Case) -> bool {
    case.handed_on().is_some() || case.with_sender()
}

/// Whoever adds to a case that another territory has is told to ring it.
fn tell_elsewhere(draft: &mut Draft<'_>) {
    let Ok(case) = draft.case() else { return };
    let taken =
        case.handed_on().map(|transfer| (&transfer.to, transfer.ended.as_ref().map(|ended| ended.number.clone())));
    let back = case.received.as_ref().filter(|received| received.with_sender());
    let Some((territory, number)) = taken.or(back.map(|from| (&from.from, Some(from.number.clone())))) else { return };
    let number = number.unwrap_or_default();
    let told = format!("WITH_ANOTHER_TERRITORY: {territory} has it ({number}) and is not told by itself: ring them");
    draft.reply.warnings.push(told);
}

/// The ARM who acts keeps the case; what arrives without one waits at the desk.
pub(super) fn arm(draft: &Draft<'_>) -> Owner {
    match draft.context.actor.role {
        Role::Arm => Owner::Person(draft.context.actor.person.clone()),
        _ => arm_desk(),
    }
}

pub(super) fn arm_desk() -> Owner {
    Owner::Desk(Role::Arm, None)
}

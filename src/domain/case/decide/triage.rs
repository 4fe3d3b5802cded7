//! What the protocols say of a qualification: answers are checked and kept, a red flag is noted, and what is less urgent
//! than proposed needs a reason, or a regulator.

use crate::domain::{
    actor::Role,
    calendar::local_date,
    case::{
        action::ActionKind,
        command::Qualify,
        fact::Fact,
        refusal::FieldFault,
        sealed::{Identity, NoteKind, Sex, Words},
        state::Case,
    },
    ids::PersonId,
    person::Private,
    regulation::{
        protocols::{self, Age, Answers, Fired, NotDeferred, Proposal, Subject, propose_for_all, psychiatric},
        qualification::{FiredCode, Flag, Load, Priority, Proposed, Qualification, Stream},
        wrong::Wrong,
    },
    territory::Territory,
    time::{Instant, Span},
};

use super::{draft::Draft, qualify};

/// The field in which it is said why a request is less urgent.
pub(super) const WHY: &str = "lower_reason";

/// Keeps the answers that are right, beside those given before; tells of the others.
pub(super) fn hear(draft: &mut Draft<'_>, command: &Qualify) -> Vec<FieldFault> {
    let book = draft.context.territory.book.clone();
    let mut faults = Vec::new();
    let mut answers: Answers = draft.case().map(|case| case.sealed.answers.reveal().clone()).unwrap_or_default();
    let before = answers.clone();
    for (at, given) in command.answers.iter().enumerate() {
        match book.fault(&given.question, given.value.reveal()) {
            Some(problem) => {
                let part = if book.known(&given.question) { "value" } else { "question" };
                faults.push(FieldFault::new(format!("answers[{at}].{part}"), problem));
            }
            None => drop(answers.insert(given.question.clone(), given.value.reveal().clone())),
        }
    }
    if answers != before {
        draft.say(Words::Answers(Private::new(answers)));
    }
    faults
}

/// What is proposed for a motive, where any protocol is in force.
pub(super) fn proposal(draft: &Draft<'_>, motive: Option<&str>) -> Option<Proposal> {
    let territory = draft.context.territory;
    let (case, motive) = (draft.case().ok()?, motive?);
    if territory.book.silent() {
        return None;
    }
    Some(propose_for_all(&territory.book, &subjects(case, territory, draft.now), motive, case.sealed.answers.reveal()))
}

/// A regulator defers as he sees fit, and a protocol of D6311-35 sends on without deferring.
fn whatever_the_hour(draft: &Draft<'_>, command: &Qualify) -> bool {
    draft.context.actor.role == Role::Regulator || command.protocol.is_some()
}

/// What is proposed as it holds in this territory while so many wait.
pub(super) fn here_and_now(draft: &Draft<'_>, command: &Qualify, proposal: Proposal) -> Proposal {
    if whatever_the_hour(draft, command) {
        return proposal;
    }
    let motive = command.motive.as_deref().unwrap_or_default();
    let policy = &draft.context.territory.regulation.p3;
    ages(draft).into_iter().fold(proposal, |proposal, age| policy.here_and_now(proposal, motive, age, command.waiting))
}

/// What was counted for a front line that asks for P3, and whether the request is regulated in its turn instead.
pub(super) fn load(draft: &Draft<'_>, command: &Qualify) -> Option<Load> {
    let policy = &draft.context.territory.regulation.p3;
    if command.priority != Priority::P3 || policy.waiting_from == 0 {
        return None;
    }
    let quiet = policy.quiet(command.waiting) && !whatever_the_hour(draft, command);
    Some(Load { waiting: command.waiting.unwrap_or_default(), asked: policy.waiting_from, quiet })
}

/// The age of each patient, as far as it is known; of one of whom nothing is known where nobody was named.
fn ages(draft: &Draft<'_>) -> Vec<Option<Age>> {
    let named = draft.case().map(|case| subjects(case, draft.context.territory, draft.now)).unwrap_or_default();
    let ages: Vec<_> = named.into_iter().map(|subject| subject.age).collect();
    if ages.is_empty() { vec![None] } else { ages }
}

/// The age of a patient, as far as it is known.
pub(super) fn age_of(case: &Case, patient: u32, territory: &Territory, now: Instant) -> Option<Age> {
    let identity = case.sealed.identities.iter().find(|identity| identity.number == patient);
    identity.and_then(|identity| age_by(identity, territory, now))
}

fn age_by(identity: &Identity, territory: &Territory, now: Instant) -> Option<Age> {
    let today = local_date(territory.calendar.zone(), now);
    let born = identity.birth_date.reveal().parse::<chrono::NaiveDate>().ok();
    let days = born.and_then(|born| u32::try_from((today - born).num_days()).ok());
    // Months, weeks or days where they were given: protocols for small children are cut there.
    let told = *identity.age.reveal();
    let years = identity.age_years.reveal().and_then(|years| Age::from_years(f64::from(years)));
    days.map(Age::from_days).or(told).or(years)
}

/// The patients, as far as protocols look.
fn subjects(case: &Case, territory: &Territory, now: Instant) -> Vec<Subject> {
    let here = |identity: &&Identity| case.patient(identity.number).is_none_or(|patient| !patient.noted_in_error);
    case.sealed.identities.iter().filter(here).map(|identity| subject(case, identity, territory, now)).collect()
}

fn subject(case: &Case, identity: &Identity, territory: &Territory, now: Instant) -> Subject {
    let sex = identity.sex.reveal().and_then(|sex| match sex {
        Sex::Female => Some(protocols::Sex::Female),
        Sex::Male => Some(protocols::Sex::Male),
        Sex::Other | Sex::Unknown => None,
    });
    let pregnant = case.patient(identity.number).is_some_and(|patient| patient.pregnant).then_some(true);
    Subject { age: age_by(identity, territory, now), sex, pregnant }
}

/// Red flags of what is known until now. An answer taken back, another motive or another age makes none unheard: only a
/// regulator says that it was nothing.
fn heard_before(draft: &Draft<'_>) -> Vec<FiredCode> {
    let known = draft.case().ok().and_then(|case| case.qualification.as_ref());
    known.and_then(|known| known.proposal.as_ref()).map(|proposed| proposed.red_flags.clone()).unwrap_or_default()
}

/// The proposal as it is kept: with the red flags that were heard before, unless a regulator qualifies.
pub(super) fn kept(draft: &Draft<'_>, proposal: &Proposal, lowered: bool) -> Box<Proposed> {
    let said = said(proposal, lowered);
    Box::new(if draft.context.actor.role == Role::Regulator { said } else { with_heard_before(draft, said) })
}

fn said(proposal: &Proposal, lowered: bool) -> Proposed {
    let red_flags = proposal.red_flags.iter().map(code).collect();
    Proposed { rule: code(&proposal.rule), red_flags, unsigned: proposal.unsigned.clone(), lowered }
}

fn with_heard_before(draft: &Draft<'_>, mut said: Proposed) -> Proposed {
    let same = |one: &FiredCode, other: &FiredCode| (&one.protocol, &one.rule) == (&other.protocol, &other.rule);
    for flag in heard_before(draft) {
        if !said.red_flags.iter().any(|known| same(known, &flag)) {
            said.red_flags.push(flag);
        }
    }
    said.red_flags.sort_by_key(|flag| flag.priority);
    said
}

fn code(fired: &Fired) -> FiredCode {
    FiredCode {
        protocol: fired.protocol.clone(),
        version: fired.version.clone(),
        rule: fired.rule.clone(),
        priority: fired.priority,
        stream: fired.stream,
    }
}

/// What a corrected age, sex or pregnancy, or another patient, changes for a request that somebody is still to be decided about:
/// what is more urgent than before raises it, and who may not be deferred any more is regulated in his turn. What was heard is
/// kept, so that the same words said again change nothing, and only a regulator goes below it.
pub(super) fn again(draft: &mut Draft<'_>) {
    let Ok(case) = draft.case() else { return };
    let decided = case.answered() > 0 && case.undecided().is_empty();
    let elsewhere = case.handed_on().is_some() || case.with_sender();
    let known = case.qualification.clone().filter(|known| known.priority != Priority::P0 && !decided && !elsewhere);
    let Some(known) = known else { return };
    let Some(proposal) = proposal(draft, known.motive.as_deref()) else { return };
    let before = known.proposal.as_deref();
    let lowered = before.is_some_and(|kept| kept.lowered);
    let now = with_heard_before(draft, said(&proposal, lowered));
    if before == Some(&now) {
        return;
    }
    let flag = now.red_flags.iter().find(|flag| before.is_none_or(|kept| !kept.red_flags.contains(flag))).cloned();
    let graver = proposal.priority < known.priority && known.priority < Priority::P3 && !lowered;
    draft.push(Fact::TriagedAgain(Box::new(now)));
    if let Some(flag) = flag {
        raised(draft, "RED_FLAG_HEARD", &flag);
        qualify::flag(draft, Flag::RedFlag);
        // A vital emergency is handed over by somebody's word alone: until then it stands before all that can wait.
        draft.call_for_regulator_as(flag.priority.max(Priority::P1));
    } else if graver {
        let rule = code(&proposal.rule);
        raised(draft, "RAISED", &rule);
        draft.call_for_regulator_as(rule.priority.max(Priority::P1));
    } else if known.priority == Priority::P3 && waits(draft) && not_deferred_now(draft, &known, &proposal, lowered) {
        draft.reply.warnings.push(qualify::lifted(None));
        qualify::lift(draft, &known);
    }
}

fn waits(draft: &Draft<'_>) -> bool {
    draft.case().is_ok_and(|case| case.open_action(ActionKind::Regulate).is_some())
}

fn raised(draft: &mut Draft<'_>, what: &str, by: &FiredCode) {
    let FiredCode { rule, protocol, priority, .. } = by;
    let vital = if *priority == Priority::P0 { ": qualify it P0 unless a doctor finds otherwise" } else { "" };
    let told = format!("{what}: {rule} of {protocol} ({priority}) with what is known of the patients now{vital}");
    draft.reply.warnings.push(told);
}

/// Whether somebody who was deferred would not be now; what was deferred against the proposal, with a reason, stays so.
fn not_deferred_now(draft: &Draft<'_>, known: &Qualification, proposal: &Proposal, lowered: bool) -> bool {
    deferral(draft, known).is_some() || !lowered && proposal.priority < Priority::P3
}

/// A red flag that was heard makes a doctor compulsory, for good.
pub(super) fn flags(proposal: Option<&Proposal>, given: &[Flag]) -> Vec<Flag> {
    let heard = proposal.is_some_and(|proposal| !proposal.red_flags.is_empty());
    given.iter().copied().chain(heard.then_some(Flag::RedFlag)).collect()
}

/// What stands against a qualification less urgent than proposed. The ARM goes up freely; down with a reason that the case
/// keeps; never below a red flag, nor to P3 with signs of gravity not asked. A regulator decides.
pub(super) fn lower(
    draft: &mut Draft<'_>,
    command: &Qualify,
    known: &Qualification,
    proposal: Option<&Proposal>,
) -> (bool, Vec<FieldFault>) {
    let Some(proposal) = proposal else { return (false, Vec::new()) };
    let before = heard_before(draft).into_iter().find(|flag| flag.priority < known.priority);
    let unregulated = known.priority == Priority::NotRegulated && !known.symptoms;
    if unregulated || known.priority <= proposal.priority && before.is_none() {
        return (false, Vec::new());
    }
    if let Some(reason) = &command.lower_reason {
        draft.note(NoteKind::Reason, reason);
    }
    if draft.context.actor.role == Role::Regulator {
        return (true, Vec::new());
    }
    let now = proposal.red_flags.first().filter(|flag| flag.priority < known.priority).map(code);
    let mut faults = Vec::new();
    if let Some(flag) = now.or(before) {
        let problem = format!(
            "a red flag was heard ({} of {}): {} or more urgent; only a regulator goes below",
            flag.rule, flag.protocol, flag.priority
        );
        faults.push(FieldFault::new("priority", problem));
    } else if known.priority == Priority::P3 && proposal.open_red_flags > 0 {
        let problem = format!(
            "P3 once every sign of gravity was asked ({} open, see ProposeQualification), or P2",
            proposal.open_red_flags
        );
        faults.push(FieldFault::new("priority", problem));
    } else if command.lower_reason.is_none() {
        let problem = format!(
            "less urgent than proposed ({}, {} of {}): say why, or take the proposal",
            proposal.priority, proposal.rule.rule, proposal.rule.protocol
        );
        faults.push(FieldFault::new(WHY, problem));
    }
    (true, faults)
}

/// What a doctor holds or has decided on is made less urgent, or taken out of the AMU, only with a reason that the case keeps
/// (`kept`: it does already), whoever does it.
pub(super) fn less_than_before(
    draft: &mut Draft<'_>,
    command: &Qualify,
    known: &Qualification,
    kept: bool,
) -> Option<FieldFault> {
    let case = draft.case().ok()?;
    let doctors = case.claim.is_some() || case.decisions.iter().any(|decision| decision.protocol.is_none());
    let before = case.qualification.as_ref().filter(|_| doctors)?;
    let out = before.stream == Stream::Amu && known.stream != Stream::Amu;
    if known.priority <= before.priority && !out {
        return None;
    }
    match command.lower_reason.as_ref().filter(|reason| !reason.reveal().trim().is_empty()) {
        Some(reason) if !kept => draft.note(NoteKind::Reason, reason),
        Some(_) => {}
        None => {
            let problem =
                "a doctor has the case, or has decided on it: say why it is less urgent than before, or not the AMU's";
            let french = "dites pourquoi moins urgent qu'avant, ou hors AMU";
            return Some(Wrong::new(WHY, problem, french).into());
        }
    }
    None
}

/// Who takes a case out of the AMU in holding it, or did before: nobody else has taken it since.
pub(super) fn out_of_amu(draft: &Draft<'_>, stream: Stream) -> Option<PersonId> {
    let case = draft.case().ok().filter(|_| stream != Stream::Amu)?;
    let before = case.qualification.as_ref()?;
    let holder = case.claim.as_ref().map(|claim| claim.by.clone());
    if before.stream == Stream::Amu { holder } else { before.out_of_amu.clone() }
}

/// What stands against deferring this request: the territory's motives and ages, and psychiatry always.
pub(super) fn deferral(draft: &Draft<'_>, known: &Qualification) -> Option<FieldFault> {
    if known.priority != Priority::P3 {
        return None;
    }
    let policy = &draft.context.territory.regulation.p3;
    let fault = |problem: &str| Some(FieldFault::new("priority", problem));
    let motive = known.motive.as_deref().unwrap_or_default();
    if psychiatric(motive) || known.stream == Stream::Psy {
        return fault("a psychiatric or suicidal request is never P3: choose P2 or more urgent");
    }
    match ages(draft).into_iter().find_map(|age| policy.never(motive, age))? {
        NotDeferred::Age => fault("patients of this age are not deferred here (regulation.p3): choose P2"),
        _ => fault("this motive is not deferred here (regulation.p3.motives): choose P2"),
    }
}

/// When the telephone appointment of a P3 is: as agreed, or at the end of the window.
///
/// # Errors
/// When what was agreed lies outside the window.
pub(super) fn appointment(
    draft: &Draft<'_>,
    agreed: Option<Instant>,
    proposal: Option<&Proposal>,
) -> Result<Instant, FieldFault> {
    let own = draft.context.territory.regulation.due.p3;
    let window: Span = proposal.and_then(|proposal| proposal.window).map_or(own, |window| window.min(own));
    let end = draft.now + window;
    match agreed {
        None => Ok(end),
        Some(at) if draft.now < at && at <= end => Ok(at),
        Some(_) => {
            let problem =
                format!("must lie in the future and within {} minutes: agree on an earlier hour", window.secs() / 60);
            Err(FieldFault::new("appointment_unix_ms", problem))
        }
    }
}

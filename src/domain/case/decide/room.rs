//! The regulation room: who is on duty, and whether requests are split between regulators.

use std::sync::Arc;

use crate::domain::{
    actor::Role,
    calendar::wall_time,
    case::{
        command::StartDuty,
        fact::Fact,
        refusal::{FieldFault, Refusal, RestsOn},
        state::Case,
    },
    ids::{DutyId, PersonId},
    regulation::{
        fallback::{Fallback, fallback},
        independence::{Independence, independence},
        qualification::{Priority, Stream},
        room::{Affiliation, Duty, MOST_DUTIES, Room, Surge, SurgeReason},
    },
    territory::Unrostered,
    time::{Instant, Span},
};

use super::draft::Draft;

/// The longest period on duty: a day and a night with their hand-over.
const LONGEST_DUTY: Span = Span::from_hours(36);
/// Most persons that a refusal names.
const NAMED: usize = 3;

pub(super) fn start_duty(draft: &mut Draft<'_>, command: &StartDuty) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    let person = command.person.clone().unwrap_or_else(|| actor.person.clone());
    if person != actor.person && actor.role != Role::Supervisor {
        let problem = "a regulator enters only his own duty: leave it out, or ask the supervisor";
        return Err(Refusal::field("person", problem));
    }
    if command.person.is_none() && actor.role == Role::Supervisor {
        let problem = "must be set: who goes on duty (a supervisor is no regulator)";
        return Err(Refusal::field("person", problem));
    }
    let faults = faults(draft, command, &person);
    if !faults.is_empty() {
        return Err(Refusal::Fields(faults));
    }
    no_responder(draft, command, &person)?;
    let id = DutyId(draft.id("duty"));
    let by = actor.person.clone();
    let (stream, skills, affiliation) = (command.stream, command.skills.clone(), command.affiliation);
    let (from, until, ended) = (command.from, command.until, None);
    draft.push(Fact::DutyStarted(Duty { id, person, stream, skills, affiliation, from, until, ended, by }));
    draft.reply.duty = Some(id);
    Ok(())
}

fn faults(draft: &Draft<'_>, command: &StartDuty, person: &PersonId) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, problem: String| faults.push(FieldFault::new(field, problem));
    if command.until <= draft.now {
        fault("until_unix_ms", "must be in the future".to_owned());
    } else if command.until <= command.from {
        fault("from_unix_ms", "must be before the end".to_owned());
    } else if command.until.since(command.from) > LONGEST_DUTY {
        fault("until_unix_ms", format!("at most {} hours after the start", LONGEST_DUTY.secs() / 3_600));
    }
    let convention = || draft.context.directory.of_person(person).any(|known| known.conventions.own_regulation);
    if command.affiliation == Affiliation::Association && !convention() {
        let problem = "this person is of no association whose platform regulates under a convention (R6315-3): state \
                       own_regulation and its doctors in responders.toml once it is signed, or choose another affiliation";
        fault("affiliation", problem.to_owned());
    }
    let known = &draft.context.territory.regulation.skills;
    if let Some(place) = command.skills.iter().position(|skill| !known.contains(skill)) {
        fault(&format!("skills[{place}]"), known_skills(draft));
    }
    let room = draft.records.room.as_ref();
    let twice = |room: &Room| {
        let own = room.duties.iter().filter(|duty| duty.person == *person);
        own.into_iter().any(|duty| duty.overlaps(command.from, command.until))
    };
    if room.is_some_and(twice) {
        fault("from_unix_ms", "this person is on duty already in that time: end that duty first".to_owned());
    }
    let here = |room: &Room| room.duties.iter().filter(|duty| duty.end() > draft.now).count();
    if room.is_some_and(|room| here(room) >= MOST_DUTIES) {
        fault("until_unix_ms", format!("{MOST_DUTIES} duties are entered already: end some first"));
    }
    faults
}

/// What to say of a skill that the territory does not know.
pub(super) fn known_skills(draft: &Draft<'_>) -> String {
    let known: Vec<&str> = draft.context.territory.regulation.skills.iter().map(|skill| skill.as_str()).collect();
    match known.is_empty() {
        true => "this territory names no skills (territory.toml, regulation.skills): leave it out".to_owned(),
        false => format!("not a skill of this territory: one of {}", known.join(", ")),
    }
}

/// Whoever regulates gives no care in the same hours, unless a convention excepts him (domain.md §2.9, I2).
fn no_responder(draft: &mut Draft<'_>, command: &StartDuty, person: &PersonId) -> Result<(), Refusal> {
    let both = command
        .shifts
        .iter()
        .filter_map(|id| draft.records.shifts.get(id))
        .any(|shift| shift.doctor == *person && shift.working() && shift.overlaps(command.from, command.until));
    if both {
        apart(draft, person, Refusal::state("duty", "this person makes visits in that time: end that shift first"))
    } else {
        Ok(())
    }
}

/// Refuses to give a case to somebody who makes visits now.
pub(super) fn no_visitor(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let (person, now) = (draft.context.actor.person.clone(), draft.now);
    if !draft.records.shifts.values().any(|shift| shift.doctor == person && shift.on_duty(now)) {
        return Ok(());
    }
    let problem = "this person makes visits now: end that shift first (EndShift)";
    apart(draft, &person, Refusal::resting(RestsOn::Shifts, "claim", problem))
}

/// Refuses a shift of visits that runs now to somebody who holds a case as a regulator.
pub(super) fn no_holder(draft: &mut Draft<'_>, person: &PersonId, from: Instant) -> Result<(), Refusal> {
    let holds = |case: &&Arc<Case>| case.claim.as_ref().is_some_and(|claim| claim.by == *person);
    let Some(held) = draft.records.cases.values().find(holds).filter(|_| from <= draft.now) else { return Ok(()) };
    let problem = format!("this person holds the case {} as a regulator: release it first (ReleaseClaim)", held.id);
    apart(draft, person, Refusal::state("shift", problem))
}

/// Refuses a shift of visits that shares time with a regulator's duty of the same person.
pub(super) fn no_regulator(
    draft: &mut Draft<'_>,
    person: &PersonId,
    from: Instant,
    until: Instant,
) -> Result<(), Refusal> {
    let duties = draft.records.room.iter().flat_map(|room| &room.duties);
    let both = duties.filter(|duty| duty.person == *person).any(|duty| duty.overlaps(from, until));
    let problem = "this person regulates in that time: end that duty first";
    if both { apart(draft, person, Refusal::resting(RestsOn::Roster, "shift", problem)) } else { Ok(()) }
}

fn apart(draft: &mut Draft<'_>, person: &PersonId, refusal: Refusal) -> Result<(), Refusal> {
    let exceptions = &draft.context.territory.regulation.independence_exceptions;
    match independence(std::iter::once(person), person, exceptions, draft.now) {
        Independence::Excepted(convention) => {
            draft.push(Fact::Excepted { person: person.clone(), convention });
            Ok(())
        }
        Independence::Independent | Independence::Refused => Err(refusal),
    }
}

pub(super) fn end_duty(draft: &mut Draft<'_>, id: DutyId) -> Result<(), Refusal> {
    let duty = draft.records.room.iter().flat_map(|room| &room.duties).find(|duty| duty.id == id).cloned();
    let duty = duty.ok_or_else(|| Refusal::NotFound("duty".to_owned()))?;
    let actor = draft.context.actor;
    if duty.person != actor.person && actor.role != Role::Supervisor {
        let (role, needed) = (actor.role.code().to_owned(), "the regulator on duty, SUPERVISOR".to_owned());
        return Err(Refusal::Role { role, needed });
    }
    if duty.end() <= draft.now {
        return Err(Refusal::state("duty", "it is over already"));
    }
    draft.push(Fact::DutyEnded { duty: id });
    draft.reply.duty = Some(id);
    Ok(())
}

/// Suspends the split for a bounded time. Said again while it lasts, it begins anew with the new end.
pub(super) fn start_surge(draft: &mut Draft<'_>, reason: SurgeReason, until: Instant) -> Result<(), Refusal> {
    let longest = draft.context.territory.regulation.longest_surge;
    if until <= draft.now || until.since(draft.now) > longest {
        let problem = format!("must be in the future, at most {} hours from now", longest.secs() / 3_600);
        return Err(Refusal::field("until_unix_ms", problem));
    }
    let (by, from, ended) = (draft.context.actor.person.clone(), draft.now, None);
    draft.push(Fact::SurgeStarted(Surge { reason, by, from, until, ended }));
    Ok(())
}

pub(super) fn end_surge(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    if draft.records.room.as_ref().and_then(|room| room.surge_at(draft.now)).is_none() {
        return Err(Refusal::state("surge", "there is none: nothing is suspended"));
    }
    draft.push(Fact::SurgeEnded);
    Ok(())
}

/// Who answers for `stream` in the place of its own regulators, now.
pub(super) fn stands_in(draft: &Draft<'_>, stream: Stream) -> Option<(Stream, Fallback)> {
    let none = Room::default();
    let territory = draft.context.territory;
    let stopped = territory.stopped(stream, draft.now);
    fallback(stream, stopped, draft.records.room.as_ref().unwrap_or(&none), draft.now)
}

/// Whether a surge lets the regulators of one of the two streams take what waits for the other.
pub(super) fn open_to_both(draft: &Draft<'_>, one: Stream, other: Stream) -> bool {
    let surge = draft.records.room.as_ref().is_some_and(|room| room.surge_at(draft.now).is_some());
    surge && [one, other].iter().all(|stream| matches!(stream, Stream::Amu | Stream::Snp))
}

/// The stream that the acting regulator is on duty for, by the roster.
pub(super) fn own_stream(draft: &Draft<'_>) -> Option<Stream> {
    let room = draft.records.room.as_ref()?;
    room.duty_of(&draft.context.actor.person, draft.now).map(|duty| duty.stream)
}

/// What is handed over to the AMU is not taken from it: while others are on duty for it, neither by who is on duty for another
/// stream only, nor by who asked for the AMU himself and is on no roster.
pub(super) fn of_the_amu(draft: &Draft<'_>, wanted_by: Option<&PersonId>) -> Result<(), Refusal> {
    let person = &draft.context.actor.person;
    let own = own_stream(draft);
    let on_duty = draft.records.room.iter().flat_map(|room| room.on_duty(draft.now));
    let there: Vec<_> = on_duty.filter(|duty| duty.stream == Stream::Amu && duty.person != *person).collect();
    let foreign = own.map_or(wanted_by == Some(person), |own| own != Stream::Amu);
    if there.is_empty() || !foreign || open_to_both(draft, Stream::Amu, own.unwrap_or(Stream::Amu)) {
        return Ok(());
    }
    let names: Vec<&str> = there.iter().map(|duty| duty.person.as_str()).take(NAMED).collect();
    let problem = format!(
        "it is the AMU's, and others are on duty for it ({}): one of them accepts it, and it rings until then",
        names.join(", ")
    );
    Err(Refusal::resting(RestsOn::Roster, "case", problem))
}

/// Tells somebody who takes what waits for a stream that has its regulators, and is on duty for another.
pub(super) fn of_stream(draft: &mut Draft<'_>) {
    let of = draft.case().ok().and_then(Case::before);
    let Some((of, own)) = of.zip(own_stream(draft)).filter(|(of, own)| of != own) else { return };
    let staffed = draft.records.room.as_ref().is_some_and(|room| room.staffed(of, draft.now));
    if staffed && !open_to_both(draft, of, own) {
        let (of, own) = (of.code(), own.code());
        let told =
            format!("NOT_OF_STREAM: you are on duty for {own}, and {of} has its regulators: nothing was refused");
        draft.reply.warnings.push(told);
    }
}

/// Somebody who is not on a roster that is kept: told, or refused what is not urgent, as the territory says.
pub(super) fn rostered(draft: &mut Draft<'_>, priority: Priority) -> Result<(), Refusal> {
    let kept = draft.records.room.as_ref().is_some_and(|room| room.on_duty(draft.now).next().is_some());
    if !kept || own_stream(draft).is_some() {
        return Ok(());
    }
    let policy = draft.context.territory.regulation.unrostered;
    if policy == Unrostered::Refuse && priority > Priority::P1 {
        let problem = "you are not on the roster, and this territory lets only regulators on duty take what is not \
                       urgent: go on duty first (StartDuty)";
        return Err(Refusal::resting(RestsOn::Roster, "roster", problem));
    }
    let at = wall_time(draft.context.territory.calendar.zone(), draft.now, "%H:%M");
    draft.reply.warnings.push(format!("NOT_ON_ROSTER: you are not on the roster at {at}: nothing was refused"));
    Ok(())
}

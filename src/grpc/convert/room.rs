//! Who regulates, and the hand-over between shifts, on the wire.

use crate::{
    domain::{
        case::{Command, command::StartDuty},
        ids::DutyId,
        regulation::{
            motives::Motive,
            room::{Duty, Room, Surge},
        },
        time::Instant,
    },
    engine::{CaseView, DueAction, Failure, Mutation, Relay, StreamState, Target},
    grpc::pb,
};

use super::{
    case,
    codes::Coded,
    fields::{Act, Fields},
    regulation::skills,
};

/// Deadlines on the page unless another number is asked for.
const DEADLINES: usize = 30;
/// Most deadlines on the page.
const MOST_DEADLINES: u32 = 200;

/// A regulator's period on duty; `now` is its beginning unless stated.
///
/// # Errors
/// Every wrong field at once.
pub fn start_duty(request: &pb::StartDutyRequest, now: Instant) -> Result<(Mutation, StartDuty), Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("StartDuty", &request.command_id, request);
    let person = fields.optional("person", &request.person);
    let stream = fields.code("stream", request.stream);
    let affiliation = fields.code("affiliation", request.affiliation);
    let from = fields.optional_instant("from_unix_ms", request.from_unix_ms).unwrap_or(now);
    let until = fields.instant("until_unix_ms", request.until_unix_ms);
    let skills = skills(&mut fields, &request.skills);
    let stated = stream.zip(affiliation).zip(until);
    let duty = stated.map(|((stream, affiliation), until)| {
        let shifts = Vec::new();
        StartDuty { person, stream, skills, affiliation, from, until, shifts }
    });
    fields.done(mutation.zip(duty))
}

/// A duty to end.
///
/// # Errors
/// Every wrong field at once.
pub fn end_duty(request: &pb::EndDutyRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("EndDuty", &request.command_id, request);
    let duty = fields.id("duty_id", &request.duty_id);
    fields.act(mutation, Some(Target::default()), duty.map(Command::EndDuty))
}

/// A surge to declare.
///
/// # Errors
/// Every wrong field at once.
pub fn start_surge(request: &pb::StartSurgeRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("StartSurge", &request.command_id, request);
    let reason = fields.code("reason", request.reason);
    let until = fields.instant("until_unix_ms", request.until_unix_ms);
    let command = reason.zip(until).map(|(reason, until)| Command::StartSurge { reason, until });
    fields.act(mutation, Some(Target::default()), command)
}

/// A surge to end.
///
/// # Errors
/// A wrong command id.
pub fn end_surge(request: &pb::EndSurgeRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("EndSurge", &request.command_id, request);
    fields.act(mutation, Some(Target::default()), Some(Command::EndSurge))
}

/// Where the next page of a roster begins, and how long it is.
///
/// # Errors
/// A token that is not of the page before.
pub fn duties_page(request: &pb::ListDutiesRequest) -> Result<(Option<DutyPlace>, usize), Failure> {
    let mut fields = Fields::default();
    let size = if request.page_size == 0 { usize::MAX } else { request.page_size as usize };
    let after = match request.page_token.as_str() {
        "" => Some(None),
        token => match duty_place(token) {
            Some(place) => Some(Some(place)),
            None => fields.fault("page_token", "give back the token of the last page"),
        },
    };
    fields.done(after.map(|after| (after, size)))
}

/// Where a duty stands in the roster: by its start. The token of a page is that of its last one, since duties end between
/// two pages.
type DutyPlace = (i64, DutyId);

fn duty_place(token: &str) -> Option<DutyPlace> {
    let (from, id) = token.split_once('/')?;
    Some((from.parse().ok()?, id.parse().ok()?))
}

/// A page of who regulates: those that are not over at `now`, by their start.
pub fn duties(
    room: &Room,
    now: Instant,
    (after, size): (Option<DutyPlace>, usize),
    seq: u64,
) -> pb::ListDutiesResponse {
    let place = |duty: &Duty| (duty.from.unix_ms(), duty.id);
    let mut known: Vec<&Duty> = room.duties.iter().filter(|duty| duty.end() > now).collect();
    known.retain(|duty| after.is_none_or(|after| place(duty) > after));
    known.sort_by_key(|duty| place(duty));
    let left = known.len() > size;
    known.truncate(size);
    let last = known.last().filter(|_| left).map(|last| place(last));
    let next_page_token = last.map(|(from, id)| format!("{from}/{id}")).unwrap_or_default();
    let duties = known.into_iter().map(duty).collect();
    pb::ListDutiesResponse { duties, next_page_token, surge: room.surge_at(now).map(surge), seq }
}

fn duty(known: &Duty) -> pb::Duty {
    pb::Duty {
        duty_id: known.id.to_string(),
        person: known.person.to_string(),
        stream: known.stream.wire(),
        skills: known.skills.iter().map(ToString::to_string).collect(),
        affiliation: known.affiliation.wire(),
        from_unix_ms: known.from.unix_ms(),
        until_unix_ms: known.end().unix_ms(),
        by: known.by.to_string(),
    }
}

fn surge(known: &Surge) -> pb::Surge {
    let (from_unix_ms, until_unix_ms) = (known.from.unix_ms(), known.until.unix_ms());
    pb::Surge { reason: known.reason.wire(), by: known.by.to_string(), from_unix_ms, until_unix_ms }
}

/// How many deadlines the page shows.
///
/// # Errors
/// More than a page holds.
pub fn deadlines(request: &pb::GetRelayRequest) -> Result<usize, Failure> {
    let mut fields = Fields::default();
    let asked = match request.deadlines {
        0 => Some(DEADLINES),
        many if many > MOST_DEADLINES => {
            fields.fault("deadlines", format!("{many}: at most {MOST_DEADLINES} stand on one page"))
        }
        many => Some(many as usize),
    };
    fields.done(asked)
}

/// The page of the relay.
pub fn relay(page: &Relay) -> pb::GetRelayResponse {
    let many = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let state = |known: &StreamState| pb::StreamState {
        stream: known.stream.wire(),
        on_duty: many(known.on_duty),
        waiting: many(known.waiting),
        answered_by: known.stands_in.map_or(0, |(by, _)| by.wire()),
        fallback: known.stands_in.map_or(0, |(_, code)| code.wire()),
    };
    pb::GetRelayResponse {
        at_unix_ms: page.at.unix_ms(),
        duties: page.duties.iter().map(duty).collect(),
        surge: page.surge.as_ref().map(surge),
        streams: page.streams.iter().map(state).collect(),
        open_cases: many(page.open_cases),
        open_actions: page
            .open_actions
            .iter()
            .map(|(kind, open)| pb::OpenActions { kind: kind.wire(), open: many(*open) })
            .collect(),
        late: page.late.shown.iter().map(due).collect(),
        next: page.next.shown.iter().map(due).collect(),
        urgent: page.urgent.shown.iter().map(told).collect(),
        suspect: page.suspect.shown.iter().map(told).collect(),
        unanswered: page.unanswered.shown.iter().map(due).collect(),
        seq: page.seq,
        totals: Some(pb::RelayTotals {
            late: many(page.late.all),
            next: many(page.next.all),
            urgent: many(page.urgent.all),
            suspect: many(page.suspect.all),
            unanswered: many(page.unanswered.all),
        }),
    }
}

/// A case as the next shift is told of it.
fn told(view: &CaseView) -> pb::RelayCase {
    let file = &view.case;
    let (known, claim) = (file.qualification.as_ref(), file.claim.as_ref());
    let motive = known.and_then(|known| known.motive.as_ref()?.parse::<Motive>().ok()?.label());
    pb::RelayCase {
        case_id: file.id.to_string(),
        case_number: view.case_number.clone(),
        priority: known.map_or(0, |known| known.priority.wire()),
        stream: known.map_or(0, |known| known.stream.wire()),
        motive_label: motive.unwrap_or_default().to_owned(),
        opened_unix_ms: file.opened.unix_ms(),
        holder: claim.map(|claim| claim.by.to_string()).unwrap_or_default(),
        held_since_unix_ms: claim.map_or(0, |claim| claim.at.unix_ms()),
        suspect_since_unix_ms: claim.and_then(|claim| claim.suspect).map_or(0, Instant::unix_ms),
        next: file.open_actions().min_by_key(|action| action.deadline).map(case::action),
    }
}

fn due(known: &DueAction) -> pb::Due {
    pb::Due {
        case_id: known.case.case.id.to_string(),
        case_number: known.case.case_number.clone(),
        priority: known.case.case.qualification.as_ref().map_or(0, |known| known.priority.wire()),
        action: Some(case::action(&known.action)),
    }
}

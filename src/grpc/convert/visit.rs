//! Shifts and missions as the wire shows them. Who and where go to the doctor who took the visit and to the dispatch desk.

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{
            Action, ActionKind, Case, OfferState, Owner,
            command::{Command, OfferAnswer},
        },
        ids::{ResponderId, SectorId, ShiftId},
        place::Position,
        territory::Commune,
        time::Instant,
        visits::{Shift, ShiftState, Visit},
    },
    engine::{CaseView, Change, Failure, List, PageRequest, Place, Target, WatchToken},
    grpc::pb,
};

use super::{
    beside::counter,
    case,
    fields::{Act, Fields, LONGEST_WORDS},
};

/// Most sectors of a shift.
const MOST_SECTORS: usize = 50;

/// A shift as `reader` may see it: where the doctor is and which case he drives to is for the desks that send him, the
/// supervisor and himself.
pub fn shift(reader: &Actor, known: &Shift, now: Instant) -> pb::Shift {
    let whole = whole_shift(known, now);
    if reader.role.of_the_room() || known.doctor == reader.person {
        return whole;
    }
    let (visit_id, case_id) = (String::new(), String::new());
    pb::Shift { visit_id, case_id, position: None, position_at_unix_ms: 0, ..whole }
}

fn whole_shift(known: &Shift, now: Instant) -> pb::Shift {
    let (status, visit, case) = match &known.state {
        ShiftState::Free if now < known.start => (pb::ShiftStatus::Planned, None, None),
        ShiftState::Free if known.end <= now => (pb::ShiftStatus::Ended, None, None),
        ShiftState::Free => (pb::ShiftStatus::Free, None, None),
        ShiftState::OnVisit { case, visit } => (pb::ShiftStatus::OnVisit, Some(visit), Some(case)),
        ShiftState::Ended { .. } => (pb::ShiftStatus::Ended, None, None),
    };
    pb::Shift {
        shift_id: known.id.to_string(),
        doctor: known.doctor.to_string(),
        responder_id: known.responder.to_string(),
        sector_ids: known.sectors.iter().map(ToString::to_string).collect(),
        start_unix_ms: known.start.unix_ms(),
        end_unix_ms: known.end.unix_ms(),
        status: status as i32,
        visit_id: visit.map(ToString::to_string).unwrap_or_default(),
        case_id: case.map(ToString::to_string).unwrap_or_default(),
        position: known.position.map(|(at, _)| pb::Position { lat: at.lat, lon: at.lon }),
        position_at_unix_ms: known.position.map_or(0, |(_, since)| since.unix_ms()),
    }
}

/// Which of a case's visits are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those of a structure.
    Responder(ResponderId),
    /// Those in a sector.
    Sector(SectorId),
}

impl Whose {
    /// The index that lists them.
    pub fn list(&self) -> List {
        match self {
            Self::Responder(id) => List::Missions(id.clone()),
            Self::Sector(id) => List::Visits(id.clone()),
        }
    }

    fn takes(&self, visit: &Visit) -> bool {
        match self {
            Self::Responder(id) => visit.responder == *id,
            Self::Sector(id) => visit.sector == *id,
        }
    }
}

/// The visits of a case that have not ended, and the finished ones whose report is awaited.
pub fn missions(reader: &Actor, place: &Place, view: &CaseView, whose: &Whose) -> Vec<pb::Mission> {
    let awaited = |visit: &Visit| view.case.open_actions().any(|action| action.about.visit == Some(visit.id));
    let told = view.case.visits.iter().filter(|visit| whose.takes(visit));
    told.filter(|visit| !visit.status.ended() || awaited(visit))
        .map(|visit| mission(reader, place, view, visit))
        .collect()
}

/// What the case has for a structure to do beside visits.
pub fn tasks(view: &CaseView, whose: &Whose) -> Vec<pb::StructureTask> {
    let Whose::Responder(structure) = whose else { return Vec::new() };
    let of_visit = |action: &Action| action.about.visit.is_some();
    let appointed = |action: &Action| {
        let offer = action.about.offer.and_then(|id| view.case.offer(id));
        action.kind == ActionKind::Appointment && offer.is_some_and(|offer| offer.responder == *structure)
    };
    let his = |action: &&Action| matches!(&action.owner, Owner::Responder(id) if id == structure) || appointed(action);
    let told = view.case.open_actions().filter(|action| !of_visit(action)).filter(his);
    told.map(|action| pb::StructureTask {
        case_id: view.case.id.to_string(),
        case_number: view.case_number.clone(),
        version: view.version.to_bytes().to_vec(),
        action: Some(case::action(action)),
    })
    .collect()
}

/// One message of a watch.
pub fn change(reader: &Actor, place: &Place, whose: &Whose, change: &Change) -> pb::WatchMissionsResponse {
    use pb::watch_missions_response::{Event, MissionChange};
    let mark = pb::WatchMark {};
    let (token, event) = match change {
        Change::Case { view, gone, token } => {
            let case_id = view.case.id.to_string();
            let (missions, tasks) = match gone {
                true => Default::default(),
                false => (missions(reader, place, view, whose), tasks(view, whose)),
            };
            (token, Event::Change(MissionChange { case_id, missions, gone: *gone, tasks }))
        }
        Change::SnapshotDone(token) => (token, Event::SnapshotDone(mark)),
        Change::Bookmark(token) => (token, Event::Bookmark(mark)),
        Change::Stale(token) => (token, Event::Stale(mark)),
        Change::Reset(token) => (token, Event::Reset(mark)),
    };
    pb::WatchMissionsResponse { resume_token: token.0.clone(), seq: token.seq(), event: Some(event) }
}

/// The visit that `command` moved; `None` when the case has none of that id.
pub fn mission_of(reader: &Actor, place: &Place, view: &CaseView, command: &Command) -> Option<pb::Mission> {
    let moved = |visit: &&Visit| match command {
        Command::TakeVisit { offer, .. } => visit.offer == *offer,
        Command::MoveVisit { visit: id, .. } => visit.id == *id,
        _ => false,
    };
    view.case.visits.iter().find(moved).map(|visit| mission(reader, place, view, visit))
}

/// One visit of a case as `reader` may see it.
fn mission(reader: &Actor, place: &Place, view: &CaseView, visit: &Visit) -> pb::Mission {
    let known = &view.case;
    let need = known.decision(visit.decision).map(|decision| &decision.need);
    let waits = known.offer(visit.offer).filter(|offer| offer.state == OfferState::Open);
    let entitled = entitled(reader, visit);
    let commune = known.place.commune.and_then(|commune| place.territory.communes.get(&commune));
    pb::Mission {
        case_id: known.id.to_string(),
        case_number: view.case_number.clone(),
        version: view.version.to_bytes().to_vec(),
        visit: Some(case::visit(visit)),
        status_label: visit.status.label().to_owned(),
        offer_until_unix_ms: waits.map_or(0, |offer| offer.until.unix_ms()),
        place: Some(if entitled { case::place(known) } else { surroundings(known, visit, commune) }),
        commune_name: commune.map(|commune| commune.name.clone()).unwrap_or_default(),
        motive: known.qualification.as_ref().and_then(|known| known.motive.clone()).unwrap_or_default(),
        need: need.map(case::need),
        conditions: known.offer(visit.offer).map(|offer| case::conditions(known, offer)).unwrap_or_default(),
        details: entitled.then(|| details(known, need.map_or(0, |need| need.patient))),
    }
}

/// The doctor who took the visit, and the desk that guides him, unless it was called off: nobody else needs a name or a door
/// code.
fn entitled(reader: &Actor, visit: &Visit) -> bool {
    let taken_by = visit.doctor.as_ref().map(|(doctor, _)| doctor);
    let his = reader.role == Role::Responder && taken_by == Some(&reader.person);
    visit.stands() && (reader.role == Role::Dispatcher || his)
}

/// As much of the place as a doctor needs to say yes or no.
fn surroundings(known: &Case, visit: &Visit, commune: Option<&Commune>) -> pb::Place {
    pb::Place {
        commune: known.place.commune.map(|commune| commune.to_string()).unwrap_or_default(),
        position: commune.map(|commune| pb::Position { lat: commune.position.lat, lon: commune.position.lon }),
        street: String::new(),
        access: String::new(),
        way_in: None,
        sector_id: visit.sector.to_string(),
        kind: String::new(),
    }
}

/// Who: the patient without social security number, and nobody with a number that must not be rung.
fn details(known: &Case, patient: u32) -> pb::MissionDetails {
    let patient = known.patient(patient).map(|patient| {
        let identity = known.sealed.identities.iter().find(|identity| identity.number == patient.number);
        let mut told = case::patient(patient, identity);
        case::without_numbers(known, &mut told);
        told
    });
    let mut caller = case::caller(&known.sealed.caller);
    if !case::may_be_announced(known) {
        caller.phone.clear();
        caller.call_back.clear();
    }
    pb::MissionDetails {
        patient,
        caller: Some(caller),
        safety: Some(case::safety(known.safety)),
        notes: known.sealed.notes.iter().map(case::note).collect(),
        withheld: case::withheld(known),
    }
}

/// A doctor goes on duty, at `now` unless the request says when.
///
/// # Errors
/// Every wrong field at once.
pub fn open_shift(request: &pb::OpenShiftRequest, now: Instant) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("OpenShift", &request.command_id, request);
    let responder = fields.id("responder_id", &request.responder_id);
    let sectors = sectors(&mut fields, &request.sectors);
    let start = fields.optional_instant("start_unix_ms", request.start_unix_ms).unwrap_or(now);
    let end = fields.instant("end_unix_ms", request.end_unix_ms);
    let position = fields.position("position", request.position.as_ref());
    let doctor = fields.optional("doctor", &request.doctor);
    let command = responder.zip(end).map(|(responder, end)| Command::OpenShift {
        responder,
        sectors,
        start,
        end,
        position,
        doctor,
    });
    fields.act(mutation, Some(Target::default()), command)
}

fn sectors(fields: &mut Fields, sectors: &[String]) -> Vec<SectorId> {
    if sectors.is_empty() || sectors.len() > MOST_SECTORS {
        let given = sectors.len();
        fields.fault::<()>("sectors", format!("{given} sectors: name 1 to {MOST_SECTORS}"));
    }
    let read = sectors.iter().take(MOST_SECTORS).enumerate();
    read.filter_map(|(at, sector)| fields.id(format!("sectors[{at}]"), sector)).collect()
}

/// A doctor goes off duty.
///
/// # Errors
/// Every wrong field at once.
pub fn end_shift(request: &pb::EndShiftRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("EndShift", &request.command_id, request);
    let shift = fields.id("shift_id", &request.shift_id);
    fields.act(mutation, Some(Target::default()), shift.map(Command::EndShift))
}

/// Where a doctor on duty is.
///
/// # Errors
/// Every wrong field at once.
pub fn position(request: &pb::ReportPositionRequest) -> Result<(ShiftId, Position), Failure> {
    let mut fields = Fields::default();
    let shift = fields.id("shift_id", &request.shift_id);
    let position = match &request.position {
        Some(position) => fields.position("position", Some(position)),
        None => fields.fault("position", "must be set"),
    };
    fields.done(shift.zip(position))
}

/// Which page of shifts, and whose.
///
/// # Errors
/// Every wrong field at once.
pub fn list_shifts(request: &pb::ListShiftsRequest) -> Result<(Option<ResponderId>, PageRequest), Failure> {
    let mut fields = Fields::default();
    let responder = fields.optional("responder_id", &request.responder_id);
    let page = fields.page(request.page_size, &request.page_token, request.at_least_seq);
    fields.done(page.map(|page| (responder, page)))
}

/// Which page of missions, and whose.
///
/// # Errors
/// Every wrong field at once.
pub fn list_missions(request: &pb::ListMissionsRequest) -> Result<(Whose, PageRequest), Failure> {
    let mut fields = Fields::default();
    let whose = match (request.responder_id.as_str(), request.sector_id.as_str()) {
        ("", "") => fields.fault("responder_id", "must be set, or else sector_id"),
        (responder, "") => fields.id("responder_id", responder).map(Whose::Responder),
        ("", sector) => fields.id("sector_id", sector).map(Whose::Sector),
        _ => fields.fault("sector_id", "leave it out where responder_id is set"),
    };
    let page = fields.page(request.page_size, &request.page_token, request.at_least_seq);
    fields.done(whose.zip(page))
}

/// Whose missions are watched, and from where.
///
/// # Errors
/// Every wrong field at once.
pub fn watch(request: &pb::WatchMissionsRequest) -> Result<(ResponderId, Option<WatchToken>), Failure> {
    let mut fields = Fields::default();
    let responder = fields.id("responder_id", &request.responder_id);
    let token = (!request.resume_token.is_empty()).then(|| WatchToken(request.resume_token.clone()));
    fields.done(responder.map(|responder| (responder, token)))
}

/// A doctor on duty takes a visit.
///
/// # Errors
/// Every wrong field at once.
pub fn accept(request: &pb::AcceptVisitRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("AcceptVisit", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let offer = fields.id("offer_id", &request.offer_id);
    let shift = fields.id("shift_id", &request.shift_id);
    let command = offer.zip(shift).map(|(offer, shift)| Command::TakeVisit { offer, shift });
    fields.act(mutation, target, command)
}

/// A structure does not take a visit.
///
/// # Errors
/// Every wrong field at once.
pub fn decline(request: &pb::DeclineVisitRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("DeclineVisit", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let offer = fields.id("offer_id", &request.offer_id);
    let answer = OfferAnswer::Declined;
    fields.act(mutation, target, offer.map(|offer| Command::AnswerOffer { offer, answer }))
}

/// A visit moves on.
///
/// # Errors
/// Every wrong field at once.
pub fn progress(request: &pb::ProgressVisitRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("ProgressVisit", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let visit = fields.id("visit_id", &request.visit_id);
    let status = fields.code("status", request.status);
    let happened = fields.optional_instant("happened_unix_ms", request.happened_unix_ms);
    let command = visit.zip(status).map(|(visit, status)| Command::MoveVisit { visit, status, happened });
    fields.act(mutation, target, command)
}

/// The doctor's report.
///
/// # Errors
/// Every wrong field at once.
pub fn report(request: &pb::ReportVisitRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("ReportVisit", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let visit = fields.id("visit_id", &request.visit_id);
    let text = fields.words("report", &request.report, LONGEST_WORDS);
    let counter = counter(&mut fields, request.counter_regulation.as_ref());
    let command = visit.zip(text).map(|(visit, text)| Command::ReportVisit { visit, text, counter });
    fields.act(mutation, target, command)
}

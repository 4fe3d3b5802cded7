//! Doctors who visit, and the agendas that are published: shifts, missions, progress, reports, slots.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        actor::Role,
        time::{Instant, Span},
    },
    grpc::pb::{self, ActionEnd, ActionKind, VisitStatus},
};

use super::{
    acts::{Act, CaseId},
    agenda::{ActorId, Post},
    room::Room,
    told,
    wire::{Fault, call},
};

/// Offers a doctor turns down, and patients who do not open.
const DECLINES_PERCENT: f64 = 3.0;
const NOBODY_HOME_PERCENT: f64 = 2.0;

/// A doctor on duty.
#[derive(Debug, Clone)]
struct OnDuty {
    shift: String,
    responder: String,
    sectors: Vec<String>,
    busy: bool,
}

/// Everybody outside.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    on_duty: BTreeMap<String, OnDuty>,
    /// Visits a doctor is about to accept.
    pending: BTreeMap<String, String>,
    /// Who said no to the visit of a case: a colleague is sent.
    said_no: BTreeSet<(CaseId, String)>,
    /// A doctor who speaks for each responder with a terminal of its own.
    speaks: BTreeMap<String, String>,
}

impl Visitors {
    pub(super) fn new(speaks: BTreeMap<String, String>) -> Self {
        Self { speaks, ..Self::default() }
    }

    /// The doctor of a responder, when it has one who writes in person.
    pub(super) fn doctor_of(&self, responder: &str) -> Option<String> {
        self.speaks.get(responder).cloned()
    }

    fn free_for(&mut self, case: &CaseId, responder: &str, sector: &str) -> Option<String> {
        let said_no = &self.said_no;
        let fits = |doctor: &String, on: &OnDuty| {
            let asked = !said_no.contains(&(case.clone(), doctor.clone()));
            asked && !on.busy && on.responder == responder && on.sectors.iter().any(|known| known == sector)
        };
        let (doctor, on) = self.on_duty.iter_mut().find(|(doctor, on)| fits(doctor, on))?;
        on.busy = true;
        Some(doctor.clone())
    }

    fn release(&mut self, doctor: &str) {
        if let Some(on) = self.on_duty.get_mut(doctor) {
            on.busy = false;
        }
        self.pending.retain(|_, known| known != doctor);
    }
}

impl Room {
    /// Dispatchers give the visits on their terminals to doctors who are free, the most pressing first.
    pub(super) fn send_doctors(&mut self) {
        let mut waiting = Vec::new();
        for (responder, terminal) in &self.screens.terminals {
            for (case, mission) in
                terminal.missions.iter().flat_map(|(case, all)| all.iter().map(move |one| (case, one)))
            {
                let Some(visit) = &mission.visit else { continue };
                if visit.status() == VisitStatus::Decided && !self.visitors.pending.contains_key(&visit.offer_id) {
                    waiting.push((visit.due_unix_ms, case.clone(), responder.clone(), visit.clone()));
                }
            }
        }
        waiting.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        for (_, case, responder, visit) in waiting {
            let Some(doctor) = self.visitors.free_for(&case, &responder, &visit.sector_id) else { continue };
            self.visitors.pending.insert(visit.offer_id.clone(), doctor.clone());
            let reaction = self.dice.seconds(25, 150);
            let act = Act::AcceptVisit { doctor, case, offer: visit.offer_id };
            self.then(reaction, ActorId(Post::Visitor, 0), act);
        }
    }

    pub(super) async fn on_duty(
        &mut self,
        responder: String,
        doctor: String,
        sectors: Vec<String>,
        end: Instant,
    ) -> Result<(), Fault> {
        let command_id = self.command();
        let request = pb::OpenShiftRequest {
            command_id: command_id.clone(),
            responder_id: responder.clone(),
            sectors: sectors.clone(),
            start_unix_ms: self.now.unix_ms(),
            end_unix_ms: end.unix_ms(),
            position: None,
            doctor: String::new(),
        };
        let reply = call!(self.wire, "OpenShift", &doctor, Role::Responder, visits.open_shift(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
            let on = OnDuty { shift: reply.shift_id, responder, sectors, busy: false };
            self.visitors.on_duty.insert(doctor.clone(), on);
            self.agenda.put(end - Span::from_secs(1), ActorId(Post::Visitor, 0), Act::OffDuty { doctor });
        }
        Ok(())
    }

    /// Home, unless a visit is under way: then after it.
    pub(super) async fn off_duty(&mut self, who: ActorId, doctor: String) -> Result<(), Fault> {
        let Some(on) = self.visitors.on_duty.get(&doctor).cloned() else { return Ok(()) };
        if on.busy {
            self.then(Span::from_mins(5), who, Act::OffDuty { doctor });
            return Ok(());
        }
        self.visitors.on_duty.remove(&doctor);
        let command_id = self.command();
        let request = pb::EndShiftRequest { command_id: command_id.clone(), shift_id: on.shift };
        let reply = call!(self.wire, "EndShift", &doctor, Role::Responder, visits.end_shift(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
        }
        Ok(())
    }

    pub(super) async fn accept_visit(
        &mut self,
        who: ActorId,
        doctor: String,
        case: CaseId,
        offer: String,
    ) -> Result<(), Fault> {
        let Some(on) = self.visitors.on_duty.get(&doctor).cloned() else { return Ok(()) };
        if self.dice.percent(DECLINES_PERCENT) {
            return self.decline_visit(&doctor, case, offer).await;
        }
        let command_id = self.command();
        let request = pb::AcceptVisitRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            version: Vec::new(),
            offer_id: offer,
            shift_id: on.shift,
        };
        let reply = call!(self.wire, "AcceptVisit", &doctor, Role::Responder, visits.accept_visit(request))?;
        let Some(reply) = reply else {
            self.visitors.release(&doctor);
            return Ok(());
        };
        self.wire.kept(command_id, reply.receipt.as_ref())?;
        let visit = reply.mission.and_then(|mission| mission.visit).map(|visit| visit.visit_id).unwrap_or_default();
        let leaves = self.dice.seconds(60, 300);
        let status = VisitStatus::EnRoute.into();
        self.then(leaves, who, Act::Progress { doctor, case, visit, status });
        Ok(())
    }

    async fn decline_visit(&mut self, doctor: &str, case: CaseId, offer: String) -> Result<(), Fault> {
        let command_id = self.command();
        let request = pb::DeclineVisitRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            version: Vec::new(),
            offer_id: offer,
        };
        self.visitors.said_no.insert((case, doctor.to_owned()));
        let reply = call!(self.wire, "DeclineVisit", doctor, Role::Responder, visits.decline_visit(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
        }
        self.visitors.release(doctor);
        Ok(())
    }

    pub(super) async fn progress(
        &mut self,
        who: ActorId,
        doctor: String,
        (case, visit): (CaseId, String),
        status: i32,
    ) -> Result<(), Fault> {
        let command_id = self.command();
        let request = pb::ProgressVisitRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            version: Vec::new(),
            visit_id: visit.clone(),
            status,
            happened_unix_ms: 0,
        };
        let reply = call!(self.wire, "ProgressVisit", &doctor, Role::Responder, visits.progress_visit(request))?;
        let Some(reply) = reply else {
            self.visitors.release(&doctor);
            return Ok(());
        };
        self.wire.kept(command_id, reply.receipt.as_ref())?;
        let place = reply.mission.and_then(|mission| mission.place).and_then(|place| place.position);
        self.next_step(who, doctor, (case, visit), status, place);
        Ok(())
    }

    /// On the way, at the door, with the patient, done; 2 to 3 visits an hour.
    fn next_step(
        &mut self,
        who: ActorId,
        doctor: String,
        (case, visit): (CaseId, String),
        status: i32,
        place: Option<pb::Position>,
    ) {
        let step =
            |doctor, case, visit, status: VisitStatus| Act::Progress { doctor, case, visit, status: status.into() };
        match VisitStatus::try_from(status).unwrap_or_default() {
            VisitStatus::EnRoute => {
                let way = self.dice.seconds(6 * 60, 24 * 60);
                if let Some(pb::Position { lat, lon }) = place {
                    let act = Act::Position { doctor: doctor.clone(), lat, lon };
                    self.then(Span::from_ms(way.ms() / 2), who, act);
                }
                self.then(way, who, step(doctor, case, visit, VisitStatus::Arrived));
            }
            VisitStatus::Arrived if self.dice.percent(NOBODY_HOME_PERCENT) => {
                self.then(Span::from_mins(5), who, Act::NobodyHome { doctor, case, visit });
            }
            VisitStatus::Arrived => {
                let stairs = self.dice.seconds(40, 150);
                self.then(stairs, who, step(doctor, case, visit, VisitStatus::WithPatient));
            }
            VisitStatus::WithPatient => {
                let care = self.dice.seconds(9 * 60, 22 * 60);
                self.then(care, who, step(doctor, case, visit, VisitStatus::Finished));
            }
            _ => {
                self.visitors.release(&doctor);
                let writing = self.dice.seconds(60, 480);
                self.then(writing, who, Act::Report { doctor, case, visit });
            }
        }
    }

    pub(super) async fn position(&mut self, doctor: String, position: pb::Position) -> Result<(), Fault> {
        let Some(on) = self.visitors.on_duty.get(&doctor) else { return Ok(()) };
        let request = pb::ReportPositionRequest { shift_id: on.shift.clone(), position: Some(position) };
        let reply = call!(self.wire, "ReportPosition", &doctor, Role::Responder, visits.report_position(request))?;
        self.wire.seq = self.wire.seq.max(reply.map_or(0, |reply| reply.seq));
        Ok(())
    }

    pub(super) async fn nobody_home(
        &mut self,
        who: ActorId,
        doctor: String,
        case: CaseId,
        visit: String,
    ) -> Result<(), Fault> {
        let desk = self.name(who);
        let request = pb::GetCaseRequest { case_id: case.clone(), at_least_seq: 0 };
        let reply = call!(self.wire, "GetCase", &desk, Role::Dispatcher, intake.get_case(request))?;
        let actions = reply.and_then(|reply| reply.case).map(|view| view.actions).unwrap_or_default();
        let open = actions
            .into_iter()
            .find(|action| action.kind() == ActionKind::Visit && action.visit_id == visit && action.ended_unix_ms == 0);
        match open {
            Some(action) => {
                self.then(Span::from_secs(20), who, Act::Absent { doctor, case, action: action.action_id });
            }
            None => self.visitors.release(&doctor),
        }
        Ok(())
    }

    pub(super) async fn absent(
        &mut self,
        who: ActorId,
        doctor: String,
        case: CaseId,
        action: String,
    ) -> Result<(), Fault> {
        let desk = self.name(who);
        self.end_action(&desk, Role::Dispatcher, case, action, ActionEnd::Absent).await?;
        self.visitors.release(&doctor);
        Ok(())
    }

    pub(super) async fn report(&mut self, doctor: String, case: CaseId, visit: String) -> Result<(), Fault> {
        let (command_id, counter_regulation) = (self.command(), told::counter(&mut self.dice));
        let request = pb::ReportVisitRequest {
            command_id: command_id.clone(),
            case_id: case,
            version: Vec::new(),
            visit_id: visit,
            report: "Examen fait à domicile, traitement symptomatique, surveillance expliquée.".to_owned(),
            counter_regulation,
        };
        let reply = call!(self.wire, "ReportVisit", &doctor, Role::Responder, visits.report_visit(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
        }
        Ok(())
    }

    pub(super) async fn publish(
        &mut self,
        who: ActorId,
        responder: String,
        kind: i32,
        (start, end): (Instant, Instant),
    ) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(who));
        let request = pb::PublishSlotRequest {
            command_id: command_id.clone(),
            responder_id: responder,
            kind,
            start_unix_ms: start.unix_ms(),
            end_unix_ms: end.unix_ms(),
            slot_id: String::new(),
        };
        let reply = call!(self.wire, "PublishSlot", &name, Role::BackOffice, slots.publish_slot(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
            *self.tally.published.entry(kind).or_default() += 1;
        }
        Ok(())
    }
}

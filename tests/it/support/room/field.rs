//! What doctors, agendas, the telephone exchange and the supervisor do.

use sas_dispatch::grpc::{
    client::Status,
    pb::{self, CallEventKind, SlotKind, VisitStatus},
};

use super::person::{Person, ask};

/// A doctor on duty.
impl Person {
    /// Goes on duty for a structure in one sector; answers the shift.
    pub async fn goes_on_duty(&self, structure: &str, sector: &str, until_unix_ms: i64) -> Result<String, Status> {
        let request = pb::OpenShiftRequest {
            command_id: self.act(),
            responder_id: structure.to_owned(),
            sectors: vec![sector.to_owned()],
            end_unix_ms: until_unix_ms,
            ..Default::default()
        };
        Ok(ask!(self, visits, open_shift, request)?.shift_id)
    }

    /// Goes off duty.
    pub async fn end_duty(&self, shift: &str) -> Result<(), Status> {
        let request = pb::EndShiftRequest { command_id: self.act(), shift_id: shift.to_owned() };
        ask!(self, visits, end_shift, request).map(|_| ())
    }

    /// Reports where he is.
    pub async fn is_at(&self, shift: &str, lat: f64, lon: f64) -> Result<u64, Status> {
        let position = Some(pb::Position { lat, lon });
        Ok(ask!(self, visits, report_position, pb::ReportPositionRequest { shift_id: shift.to_owned(), position })?.seq)
    }

    /// The missions of a structure.
    pub async fn missions(&self, structure: &str) -> Result<Vec<pb::Mission>, Status> {
        let request = pb::ListMissionsRequest { responder_id: structure.to_owned(), ..Default::default() };
        Ok(ask!(self, visits, list_missions, request)?.missions)
    }

    /// Takes an offered visit.
    pub async fn takes(&self, mission: &pb::Mission, shift: &str) -> Result<pb::Mission, Status> {
        let request = pb::AcceptVisitRequest {
            command_id: self.act(),
            case_id: mission.case_id.clone(),
            offer_id: mission.visit.as_ref().unwrap().offer_id.clone(),
            shift_id: shift.to_owned(),
            ..Default::default()
        };
        Ok(ask!(self, visits, accept_visit, request)?.mission.unwrap())
    }

    /// Does not take it.
    pub async fn declines(&self, mission: &pb::Mission) -> Result<(), Status> {
        let request = pb::DeclineVisitRequest {
            command_id: self.act(),
            case_id: mission.case_id.clone(),
            offer_id: mission.visit.as_ref().unwrap().offer_id.clone(),
            ..Default::default()
        };
        ask!(self, visits, decline_visit, request).map(|_| ())
    }

    /// Says how far the visit is.
    pub async fn moves(&self, mission: &pb::Mission, status: VisitStatus) -> Result<pb::Mission, Status> {
        let request = pb::ProgressVisitRequest {
            command_id: self.act(),
            case_id: mission.case_id.clone(),
            visit_id: mission.visit.as_ref().unwrap().visit_id.clone(),
            status: status.into(),
            ..Default::default()
        };
        Ok(ask!(self, visits, progress_visit, request)?.mission.unwrap())
    }

    /// Writes the report of a visit.
    pub async fn reports(&self, mission: &pb::Mission, words: &str) -> Result<(), Status> {
        self.reports_otherwise(mission, words, None).await
    }

    /// Writes the report of a visit in which other care was given than was decided.
    pub async fn reports_otherwise(
        &self,
        mission: &pb::Mission,
        words: &str,
        counter_regulation: Option<pb::CounterRegulation>,
    ) -> Result<(), Status> {
        let request = pb::ReportVisitRequest {
            command_id: self.act(),
            case_id: mission.case_id.clone(),
            visit_id: mission.visit.as_ref().unwrap().visit_id.clone(),
            report: words.to_owned(),
            counter_regulation,
            ..Default::default()
        };
        ask!(self, visits, report_visit, request).map(|_| ())
    }
}

/// An agenda.
impl Person {
    /// Publishes a slot of a quarter of an hour; answers its id.
    pub async fn publishes(&self, responder: &str, start_unix_ms: i64) -> Result<String, Status> {
        let request = pb::PublishSlotRequest {
            command_id: self.act(),
            responder_id: responder.to_owned(),
            kind: SlotKind::Snp.into(),
            start_unix_ms,
            end_unix_ms: start_unix_ms + 15 * 60_000,
            slot_id: String::new(),
        };
        Ok(ask!(self, slots, publish_slot, request)?.slot_id)
    }

    /// Takes a slot back.
    pub async fn withdraws(&self, slot_id: &str) -> Result<(), Status> {
        let request = pb::WithdrawSlotRequest { command_id: self.act(), slot_id: slot_id.to_owned() };
        ask!(self, slots, withdraw_slot, request).map(|_| ())
    }

    /// The slots of a responder, as they stand.
    pub async fn slots_of(&self, responder: &str) -> Result<Vec<pb::Slot>, Status> {
        let request = pb::ListSlotsRequest { responder_id: responder.to_owned(), ..Default::default() };
        Ok(ask!(self, slots, list_slots, request)?.slots)
    }
}

/// The telephone exchange.
impl Person {
    /// Reports an event of a call; answers its case and the warnings.
    pub async fn call(&self, call: &str, event: CallEventKind) -> Result<pb::ReportCallEventResponse, Status> {
        let request = pb::ReportCallEventRequest {
            command_id: self.act(),
            call_id: call.to_owned(),
            event: event.into(),
            caller_number: "06 39 98 00 02".to_owned(),
            called_line: "15".to_owned(),
            happened_unix_ms: 0,
        };
        ask!(self, telephony, report_call_event, request)
    }
}

/// The supervisor.
impl Person {
    /// What is late.
    pub async fn alarms(&self) -> Result<Vec<pb::Alarm>, Status> {
        Ok(ask!(self, supervision, list_alarms, pb::ListAlarmsRequest::default())?.alarms)
    }

    /// The legal period now.
    pub async fn calendar(&self) -> Result<pb::GetCalendarResponse, Status> {
        ask!(self, supervision, get_calendar, pb::GetCalendarRequest::default())
    }

    /// Takes a case back from whoever holds it.
    pub async fn takes_back(&self, case: &pb::CaseView, why: &str) -> Result<(), Status> {
        let request = pb::ForceReleaseRequest {
            command_id: self.act(),
            case_id: case.case_id.clone(),
            reason: why.to_owned(),
            ..Default::default()
        };
        ask!(self, supervision, force_release, request).map(|_| ())
    }
}

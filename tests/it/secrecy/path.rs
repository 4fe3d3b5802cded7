//! The path of a case with made-up words in every personal field: a call, qualification, two regulators, a visit, a report.

use sas_dispatch::{
    domain::actor::Role,
    grpc::pb::{self, ActionEnd, ActionKind, CallEventKind, CareLevel, CareType, LongestDelay, Priority, VisitStatus},
};
use tonic::Request;

use super::process::Process;
use crate::{
    stories::transfers,
    support::room::{Person, Seen, Stopped, ask, need, qualified},
};

/// The trace the caller's own system has begun, and its span.
pub(super) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(super) const CALLER_TRACE: &str = "00f067aa0ba902b7";
const SOS: &str = "sos-medecins-strasbourg";

/// A message with the caller's place in its trace, and free text where a caller may put some.
fn traced<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", format!("00-{TRACE}-{CALLER_TRACE}-01").parse().unwrap());
    metadata.insert("tracestate", "patient=Zqetat".parse().unwrap());
    metadata.insert("baggage", "patient=Zqbagage".parse().unwrap());
    metadata.insert("x-patient", "Zqentete".parse().unwrap());
    request
}

pub(super) fn caller() -> pb::Caller {
    pb::Caller {
        name: "Zqappelante Exemple".to_owned(),
        phone: "06 39 98 00 42".to_owned(),
        call_back: "06 39 98 00 43".to_owned(),
        kind: "FAMILLE".to_owned(),
        language: "fr".to_owned(),
        partner: "Zqcentre".to_owned(),
        partner_reference: "Zqreference".to_owned(),
        ..Default::default()
    }
}

fn place() -> pb::Place {
    pb::Place {
        commune: "67482".to_owned(),
        position: Some(pb::Position { lat: 48.583912, lon: 7.745123 }),
        street: "12 rue Zqvoie".to_owned(),
        access: "porte Zqcode".to_owned(),
        way_in: Some(pb::WayIn {
            building: "Zqbatiment".to_owned(),
            code: "Zqdigicode".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn patient() -> pb::Patient {
    pb::Patient {
        name: "Zqpatiente Exemple".to_owned(),
        birth_date: "1955-08-19".to_owned(),
        nir: "2 55 08 14 168 025 38".to_owned(),
        birth_name: "Zqnaissance".to_owned(),
        representative: Some(pb::Representative {
            name: "Zqtuteur Exemple".to_owned(),
            phone: "06 39 98 00 44".to_owned(),
            tie: "Zqlien".to_owned(),
        }),
        gp_name: "Dr Zqmedecin".to_owned(),
        reduced_mobility: true,
        ..Default::default()
    }
}

/// The back office enters what is to be known of the patient.
async fn remarkable(process: &Process) -> Result<(), Stopped> {
    let office = process.somebody("office-1", Role::BackOffice);
    let patient = patient();
    let sheet = pb::PutRemarkableSheetRequest {
        command_id: office.act(),
        text: "Zqfiche palliative".to_owned(),
        author: "Dr Zqmedecin".to_owned(),
        expires_unix_ms: sas_dispatch::clock::Clock::System.now().unix_ms() + 3_600_000,
        nir: patient.nir,
        name: patient.name,
        birth_date: patient.birth_date,
        phone: "06 39 98 00 42".to_owned(),
        ..Default::default()
    };
    ask!(office, directory, put_remarkable_sheet, sheet)?;
    Ok(())
}

/// Plays the path; answers the id of a case in which every personal field is set.
pub(super) async fn play(process: &Process) -> Result<String, Stopped> {
    let (arm, exchange) = (process.somebody("arm-1", Role::Arm), process.somebody("pbx-1", Role::Telephony));
    let ringing = ring(&exchange, CallEventKind::Ringing).await?;
    ring(&exchange, CallEventKind::Answered).await?;
    let called = arm.reads_id(&ringing).await?;
    let request = pb::OpenCaseRequest {
        command_id: arm.act(),
        origin: "15".to_owned(),
        caller: Some(caller()),
        place: Some(place()),
        patients: vec![patient()],
        note: "Zqnote de la prise d'appel".to_owned(),
        ..Default::default()
    };
    remarkable(process).await?;
    let opened = ask!(arm, intake, open_case, traced(request))?;
    assert_eq!(opened.remarkable.len(), 1, "the sheet is about this patient");
    let case = opened.case.unwrap();
    arm.links(&case, &called).await?;
    let amended = pb::AmendCaseRequest {
        command_id: arm.act(),
        case_id: called.case_id.clone(),
        caller: Some(caller()),
        place: Some(place()),
        patients: vec![patient()],
        ..Default::default()
    };
    ask!(arm, intake, amend_case, amended)?;
    ring(&exchange, CallEventKind::HungUp).await?;
    let with_note = pb::QualifyRequest { note: "Zqnote : tousse".to_owned(), ..qualified(Priority::P2, "M03.14") };
    let case = arm.qualifies(&case, with_note).await?;
    sent_to_and_fro(process, &case).await?;
    regulated_twice(process, &case).await?;
    visited(process, &case).await?;
    from_the_hub(process).await?;
    let found = pb::GetCaseRequest { case_id: case.case_id.clone(), at_least_seq: 0 };
    let repeats = ask!(arm, intake, get_case, found)?.possible_repeats;
    assert_eq!(repeats, [], "what is linked is proposed no more");
    Ok(case.case_id)
}

async fn ring(exchange: &Person, event: CallEventKind) -> Result<String, Stopped> {
    let request = pb::ReportCallEventRequest {
        command_id: exchange.act(),
        call_id: "Zqappel-7".to_owned(),
        event: event.into(),
        caller_number: "06 39 98 00 42".to_owned(),
        called_line: "15".to_owned(),
        happened_unix_ms: 0,
    };
    Ok(ask!(exchange, telephony, report_call_event, request)?.case_id)
}

/// The case goes to another territory and comes back with their reason.
async fn sent_to_and_fro(process: &Process, case: &pb::CaseView) -> Result<(), Stopped> {
    let (arm, sens) = (process.somebody("arm-1", Role::Arm), process.elsewhere("reg-9", Role::Regulator, "fr-89"));
    let request = pb::TransferCaseRequest {
        command_id: arm.act(),
        case_id: case.case_id.clone(),
        territory: "fr-89".to_owned(),
        reason: "Zqraison du transfert".to_owned(),
        ..Default::default()
    };
    ask!(arm, regulation, transfer_case, request)?;
    let copy = loop {
        if let Some(copy) = sens.queue(pb::Stream::Snp).await?.pop() {
            break copy;
        }
    };
    assert_eq!(copy.patients[0].birth_name, "Zqnaissance", "what is personal travels");
    transfers::answers(&sens, &copy, "Zqrefus : autre département").await?;
    while arm.reads(case).await?.transfers[0].end() != pb::TransferEnd::Refused {}
    Ok(())
}

/// The first regulator loses the case and writes too late; the second one signs.
async fn regulated_twice(process: &Process, case: &pb::CaseView) -> Result<(), Stopped> {
    let (first, second) = (process.somebody("reg-1", Role::Regulator), process.somebody("reg-2", Role::Regulator));
    let lost = first.claims(case).await?;
    process.somebody("sup-1", Role::Supervisor).takes_back(case, "Zqraison du chef").await?;
    let visit = pb::Need {
        constraints: Some(pb::Constraints { home_only: true, ..Default::default() }),
        ..need(CareType::HomeVisit, CareLevel::R3, LongestDelay::H4)
    };
    first.signs_need_saying(&lost, visit.clone(), "Zqtardif").await.expect_err("another has the case by now");
    let case = second.claims(case).await?;
    second.reorients(&case, pb::Stream::Psy, "Zqraison de la filière").await?;
    let case = second.claims(&case).await?;
    let case = second.signs_need_saying(&case, visit, "Zqconseil : rester couchée").await?;
    second.sees_plan(&case).await?;
    second.answers(&case, CareType::HomeVisit).await?;
    Ok(())
}

/// The visit is put to SOS Médecins, taken back, put again, made and reported on.
async fn visited(process: &Process, case: &pb::CaseView) -> Result<(), Stopped> {
    let coordinator = process.somebody("osnp-1", Role::Coordinator);
    let doctor = process.somebody("dr-67-sos-aurore", Role::Responder);
    let until = sas_dispatch::clock::Clock::System.now() + sas_dispatch::domain::time::Span::from_hours(8);
    let shift = doctor.goes_on_duty(SOS, "strasbourg-centre", until.unix_ms()).await?;
    doctor.is_at(&shift, 48.58, 7.75).await?;
    let case = coordinator.reads(case).await?;
    coordinator.advances(&case).await?;
    let offered = coordinator.reads(&case).await?;
    let cancel = pb::CancelOfferRequest {
        command_id: coordinator.act(),
        case_id: case.case_id.clone(),
        offer_id: offered.offer().offer_id.clone(),
        reason: "Zqraison : la famille a rappelé".to_owned(),
        ..Default::default()
    };
    ask!(coordinator, routing, cancel_offer, cancel)?;
    coordinator.advances(&case).await?;
    let mission = doctor.missions(SOS).await?.remove(0);
    let mission = doctor.takes(&mission, &shift).await?;
    for status in [VisitStatus::EnRoute, VisitStatus::Arrived, VisitStatus::WithPatient, VisitStatus::Finished] {
        doctor.moves(&mission, status).await?;
    }
    doctor.reports(&mission, "Zqrapport : bronchite").await?;
    let arm = process.somebody("arm-1", Role::Arm);
    arm.notes(&case, "Zqnote : la famille remercie").await?;
    let seen = coordinator.reads(&case).await?;
    assert!(!seen.to_do().contains(&ActionKind::AwaitReport), "the report is in: {:?}", seen.to_do());
    Ok(())
}

/// A message of the Hub whose personal texts are made-up words.
async fn from_the_hub(process: &Process) -> Result<(), Stopped> {
    let arm = process.elsewhere("arm-9", Role::Arm, "fr-89");
    let message = include_str!("../../data/hub/sens-older-person.json")
        .replace("Camille Exemple", "Zqappelante Exemple")
        .replace("Odette Modèle", "Zqpatiente Modèle")
        .replace("1 rue de la Maquette", "12 rue Zqvoie")
        .replace("+33639980017", "+33639980042")
        .replace("vit seule", "Zqnote : vit seule")
        .replace("Fièvre depuis", "Zqnote : fièvre depuis");
    assert_eq!(message.matches("Zq").count(), 5, "the message has changed");
    let request = pb::OpenCaseFromHubRequest { command_id: arm.act(), message: message.into_bytes() };
    let opened = ask!(arm, intake, open_case_from_hub, request)?;
    let case = arm.qualifies(&opened.case.unwrap(), qualified(Priority::P0, "")).await?;
    arm.ends(&case, ActionKind::HandOver, ActionEnd::Done).await.expect_err("a hand-over ends when it is accepted");
    Ok(())
}

//! A home visit through the services: planned, offered, taken, made, reported; and who reads a name on the way.

use sas_dispatch::{
    domain::{
        actor::{Actor, Role},
        case::{
            Command,
            command::{Open, Particulars, Qualify, SignAnswer, SignNeed},
            fact::Opened,
            sealed::{Address, Caller, Identity, Representative},
            state::{Channel, ContactSafety, Line, Patient, Whereabouts},
        },
        person::Private,
        place::Position,
        regulation::{
            need::{CareLevel, CareType, Constraints, LongestDelay, Need},
            qualification::{Priority, Stream},
        },
    },
    grpc::{
        convert::intake::Arrivals,
        pb::{
            self, intake_service_server::IntakeService, routing_service_server::RoutingService,
            supervision_service_server::SupervisionService, visit_service_server::VisitService,
        },
        services::{intake::Intake, routing::Routing, supervision::Supervision, visit::Visits},
    },
};
use tokio_stream::StreamExt;
use tonic::Code;

use super::{NOW, Stand, actor, call};

fn private(text: &str) -> Private<String> {
    Private::new(text.to_owned())
}

fn open() -> Open {
    let daughter =
        Representative { name: private("Fille Test"), phone: private("+33353010009"), tie: private("fille") };
    let identity = Identity {
        number: 1,
        name: private("Zéphyrine Test"),
        nir: private("secret-nir"),
        representative: daughter,
        ..Identity::default()
    };
    let sens = Position { lat: 48.2001, lon: 3.2901 };
    let particulars = Particulars {
        caller: Some(Caller { name: private("Voisin Test"), phone: private("+33353010001"), ..Caller::default() }),
        address: Some(Address {
            street: private("1 rue de l'Essai"),
            access: private("code 4711"),
            ..Address::default()
        }),
        place: Some(Whereabouts {
            kind: None,
            commune: Some("89387".parse().unwrap()),
            position: Some(sens),
            sector: Some("sens".parse().unwrap()),
        }),
        safety: Some(ContactSafety { may_ring: false, ..ContactSafety::default() }),
        patients: vec![(Patient { number: 1, ..Patient::default() }, identity)],
        ..Particulars::default()
    };
    let opened = Opened {
        channel: Channel::Console,
        origin: None,
        arrived: NOW,
        call: None,
        number_form: None,
        line: Line::OnLine,
    };
    Open { opened, answered: true, vital: false, particulars, note: None, paper: None, heard: None }
}

pub fn qualify() -> Qualify {
    Qualify {
        skill: None,
        priority: Priority::P2,
        stream: Stream::Snp,
        motive: Some("M03.14".into()),
        flags: Vec::new(),
        symptoms: true,
        protocol: None,
        waiting: None,
        particulars: Particulars::default(),
        note: None,
        answers: Vec::new(),
        lower_reason: None,
        appointment: None,
    }
}

/// A case whose need is signed, and the decision; answered too when `answered`.
async fn decided(stand: &Stand, answered: bool) -> (String, String) {
    let (arm, doctor) = (actor(Role::Arm, "arm-1"), actor(Role::Regulator, "reg-1"));
    let case = stand.act(&arm, None, Command::Open(Box::new(open()))).await.reply.case;
    stand.act(&arm, case, Command::Qualify(Box::new(qualify()))).await;
    let claim_no = stand.act(&doctor, case, Command::Claim).await.reply.claim_no.unwrap();
    let need = Need {
        patient: 1,
        care: CareType::HomeVisit,
        level: CareLevel::R3,
        longest_delay: LongestDelay::H4,
        constraints: Constraints { home_only: true, ..Constraints::default() },
        reasons: Vec::new(),
    };
    let sign = SignNeed { claim_no, need, note: None, follow_up: None, keep: true, beside: Default::default() };
    let decision = stand.act(&doctor, case, Command::SignNeed(Box::new(sign))).await.reply.decision.unwrap();
    if answered {
        let care = CareType::HomeVisit;
        let sign =
            SignAnswer { claim_no, decision, care, supply: None, note: None, keep: false, beside: Default::default() };
        stand.act(&doctor, case, Command::SignAnswer(Box::new(sign))).await;
    }
    (case.unwrap().to_string(), decision.to_string())
}

async fn on_duty(stand: &Stand, visits: &Visits, doctor: &Actor) -> String {
    let shift = pb::OpenShiftRequest {
        command_id: stand.id(),
        responder_id: "sos-medecins-sens".into(),
        sectors: vec!["sens".into()],
        end_unix_ms: NOW.unix_ms() + 8 * 3_600_000,
        position: Some(pb::Position { lat: 48.2, lon: 3.29 }),
        ..Default::default()
    };
    visits.open_shift(call(doctor, shift)).await.unwrap().into_inner().shift_id
}

async fn missions(visits: &Visits, reader: &Actor) -> Vec<pb::Mission> {
    let asked = pb::ListMissionsRequest { responder_id: "sos-medecins-sens".into(), ..Default::default() };
    visits.list_missions(call(reader, asked)).await.unwrap().into_inner().missions
}

#[tokio::test]
async fn a_plan_is_explained_with_reasons_and_nothing_is_changed() {
    let stand = Stand::new().await;
    let routing = Routing::new(stand.engine.clone());
    let coordinator = actor(Role::Coordinator, "osnp-1");
    let (case_id, decision_id) = decided(&stand, false).await;
    let asked = pb::ExplainPlanRequest { case_id: case_id.clone(), decision_id: decision_id.clone(), at_least_seq: 0 };
    let first = routing.explain_plan(call(&coordinator, asked.clone())).await.unwrap().into_inner();
    let plan = first.plan.unwrap();
    assert!(first.explanation.len() >= plan.rows.len() && plan.rows.iter().all(|row| !row.text.is_empty()));
    assert!(plan.rows.iter().all(|row| (row.rank == 0) == (row.why_not != 0)), "kept, or a reason");
    let second = routing.explain_plan(call(&coordinator, asked)).await.unwrap().into_inner();
    assert_eq!((second.seq, second.version), (first.seq, first.version));

    let command_id = stand.id();
    let early = pb::AdvanceRequest { command_id, case_id, decision_id, version: Vec::new() };
    let refused = routing.advance(call(&coordinator, early)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
}

#[tokio::test]
async fn only_the_doctor_who_took_the_visit_reads_who_and_where() {
    let stand = Stand::new().await;
    let (routing, visits) = (Routing::new(stand.engine.clone()), Visits::new(stand.engine.clone()));
    let (doctor, other) = (actor(Role::Responder, "dr-89-sos-basalte"), actor(Role::Responder, "dr-89-sos-ardoise"));
    let shift_id = on_duty(&stand, &visits, &doctor).await;
    let (case_id, decision_id) = decided(&stand, true).await;
    let advance =
        pb::AdvanceRequest { command_id: stand.id(), case_id: case_id.clone(), decision_id, version: Vec::new() };
    let coordinator = actor(Role::Coordinator, "osnp-1");
    let put = routing.advance(call(&coordinator, advance)).await.unwrap().into_inner();
    let offer = put.offer.unwrap().offer.unwrap();
    assert_eq!((offer.responder_id.as_str(), put.unanswered), ("sos-medecins-sens", false));

    let offered = missions(&visits, &doctor).await;
    assert_eq!(offered.len(), 1);
    assert!(!format!("{offered:?}").contains("Zéphyrine") && !format!("{offered:?}").contains("Essai"));
    assert_eq!(offered[0].commune_name, "Sens");

    let accept = pb::AcceptVisitRequest {
        command_id: stand.id(),
        case_id,
        version: offered[0].version.clone(),
        offer_id: offer.offer_id,
        shift_id,
    };
    let mission = visits.accept_visit(call(&doctor, accept)).await.unwrap().into_inner().mission.unwrap();
    let details = mission.details.clone().unwrap();
    assert_eq!(details.patient.as_ref().unwrap().name, "Zéphyrine Test");
    assert_eq!(mission.place.as_ref().unwrap().access, "code 4711");
    assert_eq!(details.caller.unwrap().phone, "", "a number that must not be rung is not given");
    assert!(!format!("{mission:?}").contains("secret-nir"));
    assert!(!format!("{:?}", missions(&visits, &other).await).contains("Zéphyrine"), "a colleague of the structure");
    assert_eq!(
        missions(&visits, &actor(Role::Dispatcher, "desk-1")).await[0].place.as_ref().unwrap().street,
        "1 rue de l'Essai"
    );

    made(&stand, &visits, &doctor, &mission).await;
}

/// The visit is made and reported; then nothing is left for the structure to see.
async fn made(stand: &Stand, visits: &Visits, doctor: &Actor, mission: &pb::Mission) {
    let (case_id, visit_id) = (mission.case_id.clone(), mission.visit.as_ref().unwrap().visit_id.clone());
    for status in [pb::VisitStatus::EnRoute, pb::VisitStatus::WithPatient, pb::VisitStatus::Finished] {
        let step = pb::ProgressVisitRequest {
            command_id: stand.id(),
            case_id: case_id.clone(),
            visit_id: visit_id.clone(),
            status: status as i32,
            ..Default::default()
        };
        let moved = visits.progress_visit(call(doctor, step)).await.unwrap().into_inner().mission.unwrap();
        assert_eq!(moved.visit.unwrap().status(), status);
    }
    let report = pb::ReportVisitRequest {
        counter_regulation: None,
        command_id: stand.id(),
        case_id,
        visit_id,
        report: "Vu et traité.".into(),
        version: Vec::new(),
    };
    visits.report_visit(call(doctor, report)).await.unwrap();
    assert!(missions(visits, doctor).await.is_empty());
}

#[tokio::test]
async fn a_watching_terminal_gets_what_there_is_and_then_each_change() {
    let stand = Stand::new().await;
    let (routing, visits) = (Routing::new(stand.engine.clone()), Visits::new(stand.engine.clone()));
    let doctor = actor(Role::Responder, "dr-89-sos-basalte");
    on_duty(&stand, &visits, &doctor).await;
    let asked = pb::WatchMissionsRequest { responder_id: "sos-medecins-sens".into(), resume_token: Vec::new() };
    let mut told = visits.watch_missions(call(&doctor, asked)).await.unwrap().into_inner();
    let first = told.next().await.unwrap().unwrap();
    assert!(matches!(first.event, Some(pb::watch_missions_response::Event::SnapshotDone(_))), "{first:?}");

    let (case_id, decision_id) = decided(&stand, true).await;
    let command_id = stand.id();
    let advance = pb::AdvanceRequest { command_id, case_id: case_id.clone(), decision_id, version: Vec::new() };
    let put = routing.advance(call(&actor(Role::Coordinator, "osnp-1"), advance)).await.unwrap().into_inner();
    let seq = put.receipt.unwrap().seq;
    let change = loop {
        let message = told.next().await.unwrap().unwrap();
        if let Some(pb::watch_missions_response::Event::Change(change)) = message.event {
            assert!(message.seq <= seq && !message.resume_token.is_empty());
            break change;
        }
    };
    assert_eq!((change.case_id, change.missions.len(), change.gone), (case_id, 1, false));
}

/// The visit of a case put to the structure, of somebody who must not be rung; the id of the case.
async fn offered(stand: &Stand, visits: &Visits) -> String {
    on_duty(stand, visits, &actor(Role::Responder, "dr-89-sos-basalte")).await;
    let (case_id, decision_id) = decided(stand, true).await;
    let advance =
        pb::AdvanceRequest { command_id: stand.id(), case_id: case_id.clone(), decision_id, version: Vec::new() };
    let routing = Routing::new(stand.engine.clone());
    routing.advance(call(&actor(Role::Coordinator, "osnp-1"), advance)).await.unwrap();
    case_id
}

#[tokio::test]
async fn a_household_that_must_not_be_rung_is_not_rung_from_the_road() {
    let stand = Stand::new().await;
    let (visits, intake) = (Visits::new(stand.engine.clone()), Intake::new(stand.engine.clone(), Arrivals::default()));
    let case_id = offered(&stand, &visits).await;
    let desk = actor(Role::Dispatcher, "desk-1");
    let mission = missions(&visits, &desk).await.remove(0);
    let get = pb::GetCaseRequest { case_id, at_least_seq: 0 };
    let of = |patient: &pb::Patient| patient.representative.clone().unwrap();
    let on_mission = of(mission.details.unwrap().patient.as_ref().unwrap());
    let case = intake.get_case(call(&desk, get.clone())).await.unwrap().into_inner().case.unwrap();
    for told in [on_mission, of(&case.patients[0])] {
        assert_eq!((told.name.as_str(), told.phone.as_str()), ("Fille Test", ""), "it is the number of the household");
    }
    let regulator = actor(Role::Regulator, "reg-1");
    let case = intake.get_case(call(&regulator, get)).await.unwrap().into_inner().case.unwrap();
    assert_eq!(of(&case.patients[0]).phone, "+33353010009", "who decides how to reach them has it");
}

/// The visit of [`offered`], taken by the doctor on duty; the ids of the case and of the visit.
async fn taken(stand: &Stand, visits: &Visits) -> (String, String) {
    let doctor = actor(Role::Responder, "dr-89-sos-basalte");
    let case_id = offered(stand, visits).await;
    let shifts = visits.list_shifts(call(&doctor, pb::ListShiftsRequest::default())).await.unwrap().into_inner().shifts;
    let visit = missions(visits, &doctor).await.remove(0).visit.unwrap();
    let accept = pb::AcceptVisitRequest {
        command_id: stand.id(),
        case_id: case_id.clone(),
        version: Vec::new(),
        offer_id: visit.offer_id,
        shift_id: shifts[0].shift_id.clone(),
    };
    visits.accept_visit(call(&doctor, accept)).await.unwrap();
    (case_id, visit.visit_id)
}

/// A case as somebody reads it.
async fn read(stand: &Stand, reader: &Actor, case_id: &str) -> Result<pb::CaseView, tonic::Status> {
    let intake = Intake::new(stand.engine.clone(), Arrivals::default());
    let get = pb::GetCaseRequest { case_id: case_id.to_owned(), at_least_seq: 0 };
    Ok(intake.get_case(call(reader, get)).await?.into_inner().case.unwrap())
}

#[tokio::test]
async fn who_is_on_the_road_or_sends_him_reads_everything_but_the_social_security_number() {
    let stand = Stand::new().await;
    let visits = Visits::new(stand.engine.clone());
    let (case_id, _) = taken(&stand, &visits).await;
    for (role, person, told) in [
        (Role::Responder, "dr-89-sos-basalte", false),
        (Role::Dispatcher, "desk-1", false),
        (Role::Regulator, "reg-1", true),
        (Role::Arm, "arm-1", true),
    ] {
        let reader = actor(role, person);
        let patient = read(&stand, &reader, &case_id).await.unwrap().patients.remove(0);
        assert_eq!((patient.name.as_str(), patient.nir == "secret-nir"), ("Zéphyrine Test", told), "{person}");
        let intake = Intake::new(stand.engine.clone(), Arrivals::default());
        let listed = intake.list_cases(call(&reader, pb::ListCasesRequest::default())).await;
        let listed = listed.map(|page| format!("{:?}", page.into_inner())).unwrap_or_default();
        assert_eq!(listed.contains("secret-nir"), told && listed.contains("Zéphyrine"), "{person}");
    }
}

#[tokio::test]
async fn who_called_the_visit_off_reads_the_case_no_more() {
    let stand = Stand::new().await;
    let visits = Visits::new(stand.engine.clone());
    let (doctor, desk) = (actor(Role::Responder, "dr-89-sos-basalte"), actor(Role::Dispatcher, "desk-1"));
    let (case_id, visit_id) = taken(&stand, &visits).await;
    assert_eq!(read(&stand, &doctor, &case_id).await.unwrap().patients[0].name, "Zéphyrine Test");
    let off = pb::ProgressVisitRequest {
        command_id: stand.id(),
        case_id: case_id.clone(),
        visit_id,
        status: pb::VisitStatus::CalledOff as i32,
        ..Default::default()
    };
    let again = off.clone();
    for told in [off, again] {
        let mission = visits.progress_visit(call(&doctor, told)).await.unwrap().into_inner().mission.unwrap();
        assert_eq!(mission.visit.as_ref().unwrap().status(), pb::VisitStatus::CalledOff, "what he did is answered");
        assert!(mission.details.is_none());
        assert!(!format!("{mission:?}").contains("Zéphyrine") && !format!("{mission:?}").contains("Essai"));
    }
    assert_eq!(read(&stand, &doctor, &case_id).await.unwrap_err().code(), Code::NotFound);
    let at_the_desk = read(&stand, &desk, &case_id).await.unwrap();
    assert!(at_the_desk.sealed && !format!("{at_the_desk:?}").contains("Zéphyrine"), "it goes elsewhere now");
}

#[tokio::test]
async fn whose_visit_was_cancelled_or_declined_reads_the_case_no_more() {
    let desk = actor(Role::Dispatcher, "desk-1");
    for (cancelled, doctor) in [(true, "dr-89-sos-basalte"), (false, "dr-89-sos-basalte")] {
        let stand = Stand::new().await;
        let visits = Visits::new(stand.engine.clone());
        let case_id = if cancelled { taken(&stand, &visits).await.0 } else { offered(&stand, &visits).await };
        let doctor = actor(Role::Responder, doctor);
        read(&stand, &doctor, &case_id).await.unwrap();
        assert_eq!(read(&stand, &desk, &case_id).await.unwrap().patients[0].name, "Zéphyrine Test");
        let offer_id = missions(&visits, &desk).await.remove(0).visit.unwrap().offer_id;
        let offer = offer_id.parse().unwrap();
        if cancelled {
            let cancel = Command::Cancel { offer, reason: private("le patient va mieux") };
            stand.act(&actor(Role::Coordinator, "osnp-1"), Some(case_id.parse().unwrap()), cancel).await;
        } else {
            let command_id = stand.id();
            let no = pb::DeclineVisitRequest { command_id, case_id: case_id.clone(), version: Vec::new(), offer_id };
            visits.decline_visit(call(&doctor, no)).await.unwrap();
        }
        assert_eq!(read(&stand, &doctor, &case_id).await.unwrap_err().code(), Code::NotFound, "{cancelled}");
        assert!(read(&stand, &desk, &case_id).await.unwrap().sealed, "{cancelled}");
        assert!(missions(&visits, &desk).await.is_empty());
    }
}

/// The report is still to come when the visit is over.
#[tokio::test]
async fn a_doctor_reads_the_case_of_the_visit_he_has_made_and_reports_on_it() {
    let stand = Stand::new().await;
    let visits = Visits::new(stand.engine.clone());
    let doctor = actor(Role::Responder, "dr-89-sos-basalte");
    let (case_id, _) = taken(&stand, &visits).await;
    let mission = missions(&visits, &doctor).await.remove(0);
    made(&stand, &visits, &doctor, &mission).await;
    assert_eq!(read(&stand, &doctor, &case_id).await.unwrap().patients[0].name, "Zéphyrine Test");
}

#[tokio::test]
async fn where_a_doctor_is_goes_to_those_who_send_him_and_what_is_open_to_the_room() {
    let stand = Stand::new().await;
    let (visits, supervision) = (Visits::new(stand.engine.clone()), Supervision::new(stand.engine.clone()));
    offered(&stand, &visits).await;
    for (role, person, sees) in [
        (Role::Dispatcher, "desk-1", true),
        (Role::Coordinator, "osnp-1", true),
        (Role::Responder, "dr-89-sos-basalte", true),
        (Role::Responder, "dr-89-sos-ardoise", false),
        (Role::Telephony, "pbx-1", false),
        (Role::BackOffice, "office-1", false),
    ] {
        let reader = actor(role, person);
        let shifts = visits.list_shifts(call(&reader, pb::ListShiftsRequest::default())).await.unwrap().into_inner();
        assert_eq!(shifts.shifts[0].doctor, "dr-89-sos-basalte", "who is on duty is no secret");
        assert_eq!(shifts.shifts[0].position.is_some(), sees, "{person}");
        let relay = supervision.get_relay(call(&reader, pb::GetRelayRequest::default())).await;
        let of_the_room = !matches!(role, Role::Responder | Role::Telephony | Role::BackOffice);
        match relay {
            Ok(page) => assert!(of_the_room && page.into_inner().open_cases == 1, "{person}"),
            Err(refused) => assert!(!of_the_room && refused.code() == Code::PermissionDenied, "{person}: {refused:?}"),
        }
    }
}

/// Whoever knew the id of a command was answered from its receipt what it had answered to a coordinator.
#[tokio::test]
async fn a_copied_command_answers_nobody_who_might_not_have_given_it() {
    let stand = Stand::new().await;
    let (routing, visits) = (Routing::new(stand.engine.clone()), Visits::new(stand.engine.clone()));
    on_duty(&stand, &visits, &actor(Role::Responder, "dr-89-sos-basalte")).await;
    let (case_id, decision_id) = decided(&stand, true).await;
    let advance = pb::AdvanceRequest { command_id: stand.id(), case_id, decision_id, version: Vec::new() };
    routing.advance(call(&actor(Role::Coordinator, "osnp-1"), advance.clone())).await.unwrap();
    for role in [Role::Telephony, Role::BackOffice, Role::Responder] {
        let copied = routing.advance(call(&actor(role, "pbx-1"), advance.clone())).await;
        assert_eq!(copied.unwrap_err().code(), Code::PermissionDenied, "{role:?}");
    }
    let again = routing.advance(call(&actor(Role::Coordinator, "osnp-1"), advance)).await.unwrap().into_inner();
    assert!(again.receipt.unwrap().replayed && again.offer.is_some());
}

/// A visit under way stood in no list of its sector, and what else a structure has to do in none at all.
#[tokio::test]
async fn a_structure_sees_what_it_has_to_do_and_a_sector_what_is_under_way() {
    let stand = Stand::new().await;
    let visits = Visits::new(stand.engine.clone());
    let doctor = actor(Role::Responder, "dr-89-sos-basalte");
    let (case_id, _) = taken(&stand, &visits).await;
    let sector = pb::ListMissionsRequest { sector_id: "sens".into(), ..Default::default() };
    let there = visits.list_missions(call(&doctor, sector)).await.unwrap().into_inner();
    assert_eq!((there.missions.len(), there.tasks.len()), (1, 0), "under way");
    let amend = Particulars {
        patients: vec![(
            Patient { number: 1, own_gp: Some("gp-89-bastion".parse().unwrap()), ..Patient::default() },
            Identity { number: 1, name: private("Zéphyrine Test"), ..Identity::default() },
        )],
        ..Particulars::default()
    };
    let case = Some(case_id.parse().unwrap());
    stand.act(&actor(Role::Coordinator, "osnp-1"), case, Command::Amend(Box::new(amend))).await;
    let mission = missions(&visits, &doctor).await.remove(0);
    made(&stand, &visits, &doctor, &mission).await;
    let asked = pb::ListMissionsRequest { responder_id: "sos-medecins-sens".into(), ..Default::default() };
    let left = visits.list_missions(call(&doctor, asked)).await.unwrap().into_inner();
    let [task] = left.tasks.as_slice() else { panic!("{:?}", left.tasks) };
    assert_eq!(task.action.as_ref().unwrap().kind(), pb::ActionKind::ReturnOfInformation);
    assert_eq!((task.case_id.as_str(), left.missions.len()), (case_id.as_str(), 0));
}

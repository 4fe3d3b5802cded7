//! Everything wrong at once, with the made-up words where values are expected. Every call is refused, and the answer does
//! not repeat a word of it.

use sas_dispatch::{
    domain::actor::Role,
    grpc::{
        client::{Code, Status},
        pb::{self, Priority},
    },
};
use tonic::{Request, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

use super::{canary, path::caller, process::Process};
use crate::support::room::{ask, qualified};

const WORD: &str = "Zqfaux";

#[track_caller]
fn refused<T>(answer: Result<T, Status>, code: Code) {
    let Err(status) = answer else { panic!("it was to be refused") };
    let told = format!("{} {}", status.message(), String::from_utf8_lossy(status.details()));
    assert_eq!(status.code(), code, "{told}");
    if let Some(canary) = canary(&told) {
        panic!("an error repeats '{canary}': {told}");
    }
}

pub(super) async fn play(process: &Process) {
    wrong_fields(process).await;
    wrong_callers(process).await;
}

async fn wrong_fields(process: &Process) {
    let (arm, doctor) = (process.somebody("arm-1", Role::Arm), process.somebody("reg-1", Role::Regulator));
    let word = || WORD.to_owned();
    let patient = pb::Patient { birth_date: word(), own_gp_id: word(), nir: WORD.repeat(4), ..Default::default() };
    let wrong = pb::Caller { phone: word(), call_back: word(), kind: word(), language: word(), ..caller() };
    let place = pb::Place { commune: word(), street: WORD.repeat(99), ..Default::default() };
    let open = pb::OpenCaseRequest {
        command_id: word(),
        origin: word(),
        call_reference: WORD.repeat(50),
        caller: Some(wrong.clone()),
        place: Some(place.clone()),
        patients: vec![patient.clone()],
        note: WORD.repeat(1_000),
        ..Default::default()
    };
    refused(ask!(arm, intake, open_case, open.clone()), Code::InvalidArgument);
    let vital = pb::OpenCaseRequest { command_id: arm.act(), vital: true, ..open };
    let opened = ask!(arm, intake, open_case, vital).expect("a vital call is never refused");
    let warnings = format!("{:?}", opened.receipt);
    assert!(canary(&warnings).is_none(), "a warning repeats a value: {warnings}");
    let case = opened.case.unwrap();
    let p0 = pb::QualifyRequest { protocol: word(), caller: Some(wrong), ..qualified(Priority::P0, "ZQ.FAUX") };
    arm.qualifies(&case, p0).await.expect("a P0 is never refused");
    let paper = pb::OpenCaseRequest { command_id: arm.act(), ..Default::default() };
    let other = ask!(arm, intake, open_case, paper).expect("an empty call is a call").case.unwrap();
    refused(arm.qualifies(&other, qualified(Priority::P2, "ZQ.FAUX")).await, Code::InvalidArgument);
    refused(arm.reads_id(WORD).await, Code::InvalidArgument);
    refused(
        ask!(arm, intake, list_cases, pb::ListCasesRequest { page_token: word(), ..Default::default() }),
        Code::InvalidArgument,
    );
    let hub =
        format!("{{\"request\": {{\"rue {WORD}, 12\": \"{WORD}\", \"at\": \"{WORD}\", \"motive\": \"{WORD}\"}}}}");
    let hub = pb::OpenCaseFromHubRequest { command_id: arm.act(), message: hub.into_bytes() };
    refused(ask!(arm, intake, open_case_from_hub, hub), Code::InvalidArgument);
    let need = Some(pb::Need { reasons: vec![word()], ..Default::default() });
    let sign =
        pb::SignNeedRequest { command_id: doctor.act(), case_id: word(), need, note: word(), ..Default::default() };
    refused(ask!(doctor, regulation, sign_need, sign), Code::InvalidArgument);
    let answer =
        pb::SignAnswerRequest { command_id: doctor.act(), decision_id: word(), note: word(), ..Default::default() };
    refused(ask!(doctor, regulation, sign_answer, answer), Code::InvalidArgument);
    let plan = pb::ExplainPlanRequest { case_id: word(), decision_id: word(), ..Default::default() };
    refused(ask!(doctor, routing, explain_plan, plan), Code::InvalidArgument);
    let find = pb::FindOwnGpRequest { page_token: word(), name_part: "Zq Medecin".to_owned(), ..Default::default() };
    refused(ask!(arm, directory, find_own_gp, find), Code::InvalidArgument);
    let nobody = pb::FindOwnGpRequest { name_part: "Zq Medecin".to_owned(), ..Default::default() };
    assert!(ask!(arm, directory, find_own_gp, nobody).unwrap().responders.is_empty());
    let call = pb::ReportCallEventRequest {
        command_id: word(),
        call_id: "Zq faux".to_owned(),
        caller_number: word(),
        ..Default::default()
    };
    refused(
        ask!(process.somebody("pbx-1", Role::Telephony), telephony, report_call_event, call),
        Code::InvalidArgument,
    );
}

/// Calls that no console of this package makes.
async fn wrong_callers(process: &Process) {
    let channel = Channel::from_shared(format!("http://{}", process.address)).unwrap().connect().await.unwrap();
    let mut client = Grpc::new(channel);
    for (path, metadata, code) in [
        ("/sas.dispatch.v1.IntakeService/ListCases", ["Zq Faux", "ARM", "fr-67"], Code::Unauthenticated),
        ("/sas.dispatch.v1.IntakeService/ListCases", ["arm-1", "ZQFAUX", "Zq67"], Code::Unauthenticated),
        ("/sas.dispatch.v1.IntakeService/Zqfaux", ["arm-1", "ARM", "fr-67"], Code::Unimplemented),
        ("/zq.Faux/Zqfaux?patient=Zqfaux", ["arm-1", "ARM", "fr-67"], Code::Unimplemented),
    ] {
        client.ready().await.unwrap();
        let mut request = Request::new(pb::ListCasesRequest { page_token: WORD.to_owned(), ..Default::default() });
        for (name, value) in ["x-sas-person", "x-sas-role", "x-sas-territory"].into_iter().zip(metadata) {
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        let codec = ProstCodec::<pb::ListCasesRequest, pb::ListCasesResponse>::default();
        refused(client.unary(request, http::uri::PathAndQuery::from_static(path), codec).await, code);
    }
}

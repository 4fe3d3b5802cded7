//! Who may knock, and what stands at the door: actor, health, reflection, gRPC-web, a stop.

use sas_dispatch::grpc::pb;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::{Code, Request};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::desk::{Desk, arm, person, reason};

#[tokio::test]
async fn nobody_is_told_which_headers_are_missing() {
    let desk = Desk::start().await;
    let refused = desk.intake().list_cases(Request::new(pb::ListCasesRequest::default())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    for header in ["x-sas-person", "x-sas-role", "x-sas-territory"] {
        assert!(refused.message().contains(header), "{}", refused.message());
    }
}

#[tokio::test]
async fn a_role_may_do_its_own_acts_only_and_sees_no_more_than_it_needs() {
    let desk = Desk::start().await;
    let claim = pb::ClaimNextRequest { command_id: desk.command(), stream: pb::Stream::Snp as i32, skills: Vec::new() };
    let refused = desk.regulation().claim_next(arm(claim)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("it is for REGULATOR"), "{}", refused.message());
    let case = desk.waiting().await;
    let claim = pb::ClaimRequest { command_id: desk.command(), case_id: case.case_id.clone(), version: Vec::new() };
    let refused = desk.regulation().claim(arm(claim)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let get = pb::GetCaseRequest { case_id: case.case_id, at_least_seq: 0 };
    let seen =
        desk.intake().get_case(person("chef", "SUPERVISOR", "fr-67", get)).await.unwrap().into_inner().case.unwrap();
    assert!(seen.sealed && seen.caller.is_none() && seen.patients[0].age_years.is_none());
}

#[tokio::test]
async fn a_call_that_nobody_serves_says_whether_the_service_or_its_method_is_unknown() {
    let desk = Desk::start().await;
    for (path, told) in [
        ("/sas.dispatch.v1.IntakeService/OpenCases", "no such method of sas.dispatch.v1.IntakeService"),
        ("/sas.dispatch.v2.IntakeService/OpenCase", "no such service"),
    ] {
        let mut client = tonic::client::Grpc::new(desk.channel());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<pb::GetStatusRequest, pb::GetStatusResponse>::default();
        let asked = arm(pb::GetStatusRequest::default());
        let refused = client.unary(asked, path.parse().unwrap(), codec).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unimplemented, "UNKNOWN_METHOD"));
        assert!(refused.message().contains(told), "{}", refused.message());
    }
}

#[tokio::test]
async fn health_answers_for_every_service() {
    let desk = Desk::start().await;
    let mut health = HealthClient::new(desk.channel());
    for service in ["", "sas.dispatch.v1.IntakeService", "sas.dispatch.v1.VisitService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        assert_eq!(health.check(request).await.unwrap().into_inner().status, 1, "{service}");
    }
}

#[tokio::test]
async fn reflection_lists_the_eight_services_in_both_versions() {
    use tonic_reflection::pb::{v1, v1alpha};
    let desk = Desk::start().await;
    let ask = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(desk.channel());
    let mut answers = client.server_reflection_info(tokio_stream::once(ask)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let v1::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer else { panic!("no list") };
    let ours = list.service.iter().filter(|service| service.name.starts_with("sas.dispatch.v1."));
    assert_eq!(ours.count(), 8);
    let ask = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
            "sas.dispatch.v1.IntakeService".to_owned(),
        )),
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(desk.channel());
    let mut answers = client.server_reflection_info(tokio_stream::once(ask)).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().unwrap().message_response.is_some());
}

#[tokio::test]
async fn a_browser_speaks_grpc_web_on_the_same_port() {
    let desk = Desk::start().await;
    let text = browsed(&desk, &format!("http://{}", desk.address)).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains("grpc-status:0"), "{text}");
}

#[tokio::test]
async fn a_page_from_elsewhere_acts_as_nobody_even_under_a_name_of_this_machine() {
    let desk = Desk::start().await;
    let text = browsed(&desk, "http://rebound.example:50051").await;
    assert!(text.contains("grpc-status: 16") || text.contains("grpc-status:16"), "{text}");
    assert!(text.contains("origin") && !text.contains("rebound"), "{text}");
}

/// What a browser gets that lists cases from a page of this origin.
async fn browsed(desk: &Desk, origin: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(desk.address).await.unwrap();
    // An empty ListCasesRequest: one frame of no bytes.
    let head = format!(
        "POST /sas.dispatch.v1.IntakeService/ListCases HTTP/1.1\r\nhost: {}\r\ncontent-type: application/grpc-web+proto\r\n\
         origin: {origin}\r\nx-sas-person: arm-1\r\nx-sas-role: ARM\r\nx-sas-territory: fr-67\r\nconnection: close\r\n\
         content-length: 5\r\n\r\n",
        desk.address
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&[0; 5]).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_watcher_beyond_the_grace() {
    let desk = Desk::start().await;
    let request = pb::WatchCasesRequest { resume_token: Vec::new() };
    let mut watch = desk.intake().watch_cases(arm(request)).await.unwrap().into_inner();
    assert!(watch.message().await.unwrap().is_some());
    desk.stop().await;
}

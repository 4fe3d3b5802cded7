//! The directory, free slots and the state of the service, as each role reads them.

use sas_dispatch::{
    domain::actor::Role,
    grpc::{
        pb::{
            self, directory_service_server::DirectoryService, regulation_service_server::RegulationService,
            routing_service_server::RoutingService, slot_service_server::SlotService,
            supervision_service_server::SupervisionService, visit_service_server::VisitService,
        },
        services::{
            directory::Responders, regulation::Regulation, routing::Routing, slot::Slots, supervision::Supervision,
            visit::Visits,
        },
    },
};
use tonic::Code;

use super::{NOW, Stand, actor, call};

const SOS: &str = "sos-medecins-sens";

#[tokio::test]
async fn the_programme_of_sens_is_a_collective_practice_with_a_limit_and_a_list() {
    let stand = Stand::new().await;
    let directory = Responders::new(stand.engine.clone());
    let arm = actor(Role::Arm, "arm-1");
    let asked = pb::GetProgrammeRequest { responder_id: "programme-sens".into(), at_least_seq: 0 };
    let programme = directory.get_programme(call(&arm, asked)).await.unwrap().into_inner();
    assert_eq!((programme.capacity_patients, programme.own_gp_fee), (300, false));
    assert_eq!(programme.served_by.unwrap().responder_id, "sos-medecins-sens");
    let asked = pb::GetProgrammeRequest { responder_id: "sos-medecins-sens".into(), at_least_seq: 0 };
    assert_eq!(directory.get_programme(call(&arm, asked)).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn who_has_no_part_in_the_care_gets_no_list_of_it_and_of_a_case_its_envelope() {
    let stand = Stand::new().await;
    let (visits, routing) = (Visits::new(stand.engine.clone()), Routing::new(stand.engine.clone()));
    let (room, desks) = (Supervision::new(stand.engine.clone()), Regulation::new(stand.engine.clone()));
    for role in [Role::Telephony, Role::BackOffice] {
        let reader = actor(role, "pbx-1");
        macro_rules! refused {
            ($service:ident.$rpc:ident($request:expr)) => {
                let refused = $service.$rpc(call(&reader, $request)).await.err().map(|status| status.code());
                assert_eq!(refused, Some(Code::PermissionDenied), "{role:?} {}", stringify!($rpc));
            };
        }
        refused!(visits.list_missions(pb::ListMissionsRequest { responder_id: SOS.into(), ..Default::default() }));
        refused!(visits.watch_missions(pb::WatchMissionsRequest { responder_id: SOS.into(), ..Default::default() }));
        refused!(routing.list_offers(pb::ListOffersRequest::default()));
        refused!(routing.list_unanswered(pb::ListUnansweredRequest::default()));
        refused!(room.list_alarms(pb::ListAlarmsRequest::default()));
        refused!(room.list_open_cases(pb::ListOpenCasesRequest::default()));
        refused!(desks.list_transfers(pb::ListTransfersRequest::default()));
    }
}

#[tokio::test]
async fn practices_numbers_go_to_those_who_ring_them() {
    let stand = Stand::new().await;
    let directory = Responders::new(stand.engine.clone());
    for (role, shown) in [(Role::Coordinator, true), (Role::Responder, false), (Role::BackOffice, false)] {
        let asked = pb::ListRespondersRequest { kind: pb::ResponderKind::Gp as i32, ..Default::default() };
        let list = directory.list_responders(call(&actor(role, "p-1"), asked)).await.unwrap().into_inner();
        assert!(!list.responders.is_empty());
        assert!(list.responders.iter().all(|known| known.phone.is_empty() != shown), "{role:?}");
    }
}

#[tokio::test]
async fn own_gps_are_found_page_by_page_without_repeat() {
    let stand = Stand::new().await;
    let directory = Responders::new(stand.engine.clone());
    let arm = actor(Role::Arm, "arm-1");
    let (mut token, mut found) = (String::new(), Vec::new());
    loop {
        let asked = pb::FindOwnGpRequest {
            commune_insee: "89387".into(),
            page_size: 1,
            page_token: token,
            ..Default::default()
        };
        let page = directory.find_own_gp(call(&arm, asked)).await.unwrap().into_inner();
        found.extend(page.responders.into_iter().map(|known| known.responder_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let once: std::collections::BTreeSet<_> = found.iter().collect();
    assert!(found.len() > 1 && once.len() == found.len(), "{found:?}");
    assert!(found.contains(&"programme-sens".to_owned()) && !found.contains(&"sos-medecins-sens".to_owned()));
    let refused = directory.find_own_gp(call(&arm, pb::FindOwnGpRequest::default())).await.unwrap_err();
    assert!(refused.message().contains("name_part"), "{}", refused.message());
}

#[tokio::test]
async fn a_published_slot_is_found_and_a_withdrawn_one_is_not() {
    let stand = Stand::new().await;
    let slots = Slots::new(stand.engine.clone());
    let office = actor(Role::BackOffice, "office-1");
    let publish = pb::PublishSlotRequest {
        command_id: stand.id(),
        responder_id: "sos-point-sens".into(),
        kind: pb::SlotKind::FixedPoint as i32,
        start_unix_ms: NOW.unix_ms() + 3_600_000,
        end_unix_ms: NOW.unix_ms() + 4_500_000,
        slot_id: String::new(),
    };
    let published = slots.publish_slot(call(&office, publish.clone())).await.unwrap().into_inner();
    let again = slots.publish_slot(call(&office, publish)).await.unwrap().into_inner();
    assert_eq!(again.slot_id, published.slot_id);
    let seq = published.receipt.unwrap().seq;

    let coordinator = actor(Role::Coordinator, "osnp-1");
    let all = pb::SearchSlotsRequest { at_least_seq: seq, ..Default::default() };
    let found = slots.search_slots(call(&coordinator, all.clone())).await.unwrap().into_inner();
    assert_eq!(found.slots.iter().map(|slot| &slot.slot_id).collect::<Vec<_>>(), [&published.slot_id]);
    let said =
        |id: &str| found.availability.iter().find(|said| said.responder_id == id).map(|said| said.availability());
    assert_eq!(said("sos-point-sens"), Some(pb::Availability::Found));
    assert!(found.availability.iter().any(|said| said.availability() == pb::Availability::NotConnected));

    let withdraw = pb::WithdrawSlotRequest { command_id: stand.id(), slot_id: published.slot_id };
    slots.withdraw_slot(call(&office, withdraw)).await.unwrap();
    assert!(slots.search_slots(call(&coordinator, all)).await.unwrap().into_inner().slots.is_empty());
}

#[tokio::test]
async fn the_supervisor_reads_the_calendar_and_how_safe_a_write_is() {
    let stand = Stand::new().await;
    let supervision = Supervision::new(stand.engine.clone());
    let supervisor = actor(Role::Supervisor, "sup-1");
    let asked = pb::GetCalendarRequest { at: "2024-12-26T10:00:00+01:00".into(), at_least_seq: 0 };
    let calendar = supervision.get_calendar(call(&supervisor, asked)).await.unwrap().into_inner();
    assert_eq!((calendar.territory.as_str(), calendar.period()), ("fr-89", pb::LegalPeriod::OfficeHours));
    let asked = pb::GetCalendarRequest { at: "1999-01-01T00:00:00Z".into(), at_least_seq: 0 };
    let refused = supervision.get_calendar(call(&supervisor, asked)).await.unwrap_err();
    assert!(refused.code() == Code::InvalidArgument && refused.message().contains("1999"), "{refused:?}");
    let status = supervision.get_status(call(&supervisor, pb::GetStatusRequest::default())).await.unwrap().into_inner();
    assert_eq!(status.durability(), pb::Durability::D1);
    assert!(status.configured && status.responders > 0 && status.rules.contains('@'), "{status:?}");
}

/// An unknown structure has nothing, and that was all that was said of a mistyped id.
#[tokio::test]
async fn a_list_of_a_structure_that_the_directory_does_not_have_is_not_empty_but_not_found() {
    let stand = Stand::new().await;
    let (visits, routing) = (Visits::new(stand.engine.clone()), Routing::new(stand.engine.clone()));
    let slots = Slots::new(stand.engine.clone());
    let reader = actor(Role::Coordinator, "osnp-1");
    let responder_id = || "sos-medecins-nulle-part".to_owned();
    macro_rules! not_found {
        ($service:ident.$rpc:ident($message:ident)) => {
            let asked = pb::$message { responder_id: responder_id(), ..Default::default() };
            let refused = $service.$rpc(call(&reader, asked)).await.err().map(|status| status.code());
            assert_eq!(refused, Some(Code::NotFound), "{}", stringify!($rpc));
        };
    }
    not_found!(visits.list_missions(ListMissionsRequest));
    not_found!(visits.watch_missions(WatchMissionsRequest));
    not_found!(visits.list_shifts(ListShiftsRequest));
    not_found!(routing.list_offers(ListOffersRequest));
    not_found!(slots.list_slots(ListSlotsRequest));
    let nowhere = pb::ListMissionsRequest { sector_id: "nulle-part".to_owned(), ..Default::default() };
    assert_eq!(visits.list_missions(call(&reader, nowhere)).await.unwrap_err().code(), Code::NotFound);
}

/// Shifts to come and shifts that had run out were listed as free, and a doctor off duty went on reporting where he was.
#[tokio::test]
async fn a_shift_is_free_only_while_it_runs() {
    let stand = Stand::new().await;
    let visits = Visits::new(stand.engine.clone());
    let doctor = actor(Role::Responder, "dr-89-sos-basalte");
    let hour = 3_600_000;
    let open = pb::OpenShiftRequest {
        command_id: stand.id(),
        responder_id: SOS.into(),
        sectors: vec!["sens".into()],
        start_unix_ms: NOW.unix_ms() + hour,
        end_unix_ms: NOW.unix_ms() + 2 * hour,
        ..Default::default()
    };
    let shift_id = visits.open_shift(call(&doctor, open)).await.unwrap().into_inner().shift_id;
    for expected in [Some(pb::ShiftStatus::Planned), Some(pb::ShiftStatus::Free), None] {
        let asked = pb::ListShiftsRequest { responder_id: SOS.into(), ..Default::default() };
        let listed = visits.list_shifts(call(&doctor, asked)).await.unwrap().into_inner().shifts;
        assert_eq!(listed.first().map(|shift| shift.status()), expected);
        let position = Some(pb::Position { lat: 48.2, lon: 3.29 });
        let report = pb::ReportPositionRequest { shift_id: shift_id.clone(), position };
        let reported = visits.report_position(call(&doctor, report)).await.map_err(|status| status.code());
        let ended = expected.is_none().then_some(Code::FailedPrecondition);
        assert_eq!(reported.err(), ended);
        stand.pass(sas_dispatch::domain::time::Span::from_hours(1));
    }
}

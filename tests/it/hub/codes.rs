//! Every code of every list is accepted where its list stands, and the lists are the published ones.

use sas_dispatch::{
    domain::regulation::{
        motives::MOTIVES,
        need::CareLevel,
        qualification::{Priority, Stream},
    },
    interop::hub::codes,
};

use super::{accepted, reference, reference_json, refused, rich};

/// Name of the list in the published enumerations, where it stands below `createCaseHealth`, and our codes.
fn lists() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let levels = || CareLevel::ALL.iter().map(|level| level.code()).collect();
    let own = |name, pointer, list: codes::Codes| (name, pointer, list.to_vec());
    vec![
        ("perimeter", "/perimeter", Stream::ALL.iter().map(|stream| stream.code()).collect()),
        ("caseDetails.priority", "/qualification/details/priority", Priority::ALL.iter().map(|p| p.code()).collect()),
        ("caseDetails.careLevel", "/qualification/details/careLevel", levels()),
        ("patientDetail.careLevel", "/patient/0/detail/careLevel", levels()),
        own("interventionType", "/interventionType", codes::INTERVENTIONS),
        own("qualification.origin", "/qualification/origin", codes::ORIGINS),
        own("caseDetails.status", "/qualification/details/status", codes::STATUSES),
        own("caseDetails.attribution", "/qualification/details/attribution", codes::ATTRIBUTIONS),
        own("decision.decisionType", "/decision/0/decisionType", codes::DECISIONS),
        own("decision.resourceType", "/decision/0/resourceType", codes::RESOURCES),
        own("decision.orientationType", "/decision/0/orientationType", codes::ORIENTATIONS),
        own("externalLocationId.source", "/location/externalLocationId/0/source", codes::PLACE_ID_SOURCES),
        own("externalInfo.freetext", "/location/externalInfo/0/freetext", codes::INFO_SOURCES),
        own("externalInfo.type", "/location/externalInfo/0/type", codes::INFO_KINDS),
        own("coord.precision", "/location/geometry/point/coord/precision", codes::PRECISIONS),
        own("caller.language", "/initialAlert/caller/language", codes::LANGUAGES),
        own("caller.type", "/initialAlert/caller/type", codes::CALLER_KINDS),
        own("caller.communication", "/initialAlert/caller/communication", codes::DIFFICULTIES),
        own("contact.channel", "/initialAlert/caller/callerContact/channel", codes::CHANNELS),
        own("contact.type", "/initialAlert/caller/callerContact/type", codes::CONTACT_KINDS),
        own(
            "personalContact.type",
            "/patient/0/administrativeFile/generalPractitioner/contact/0/type",
            codes::CONTACT_KINDS,
        ),
        own("externalId.source", "/patient/0/administrativeFile/externalId/0/source", codes::PATIENT_ID_SOURCES),
        own("insStrictFeatures.sex", "/patient/0/identity/strictFeatures/sex", codes::SEXES),
        own("operator.role", "/medicalNote/0/operator/role", codes::ROLES),
    ]
}

#[test]
fn every_code_is_accepted_in_its_place_and_no_other() {
    for (name, pointer, list) in lists() {
        for code in list {
            let mut message = rich();
            *message["createCaseHealth"].pointer_mut(pointer).unwrap() = code.into();
            accepted(&message);
            *message["createCaseHealth"].pointer_mut(pointer).unwrap() = format!("{code}x").into();
            assert_eq!(refused(&message).len(), 1, "{name}");
        }
    }
}

#[test]
fn the_lists_are_the_published_ones() {
    let Some(hub) = reference("the code lists against the published enumerations") else { return };
    let enums = reference_json(&hub, "enums.json");
    let published = enums["schemaEnums"]["RS-EDA"].as_object().unwrap();
    assert_eq!(published.len(), lists().len());
    for (name, _, mut list) in lists() {
        let mut codes: Vec<&str> =
            published[name].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
        codes.sort_unstable();
        list.sort_unstable();
        assert_eq!(list, codes, "{name}");
    }
}

#[test]
fn the_motives_are_the_published_ones() {
    let Some(hub) = reference("the motives against the published nomenclature") else { return };
    let csv = std::fs::read_to_string(hub.join("nomenclatures/HubSante.motif.csv")).unwrap();
    let codes: Vec<&str> = csv
        .lines()
        .filter_map(|line| line.split(',').nth(1))
        .filter(|code| code.len() == 6 && code.starts_with('M'))
        .collect();
    assert_eq!(codes, MOTIVES.iter().map(|entry| entry.code).collect::<Vec<_>>());
    for entry in MOTIVES {
        let row = csv.lines().find(|line| line.contains(&format!(",{},", entry.code))).unwrap();
        assert!(row.contains(entry.label), "{}", entry.code);
    }
}

//! What the schema requires is required, and what it does not name is refused.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{reference, reference_json, refused, rich, told};

/// Every required property of RS-EDA 26.07.29, as a JSON pointer below `createCaseHealth` into the richest own message.
const REQUIRED: &[&str] = &[
    "/caseId",
    "/creation",
    "/qualification",
    "/qualification/riskThreat/0/code",
    "/qualification/riskThreat/0/label",
    "/qualification/whatsHappen/code",
    "/qualification/whatsHappen/label",
    "/qualification/locationKind/code",
    "/qualification/locationKind/label",
    "/qualification/healthMotive/code",
    "/qualification/healthMotive/label",
    "/location",
    "/location/externalLocationId/0/source",
    "/location/externalLocationId/0/value",
    "/location/detailedAddress/complete",
    "/location/detailedAddress/wayName/complete",
    "/location/geometry/datetime",
    "/location/geometry/point/coord",
    "/location/geometry/point/coord/lat",
    "/location/geometry/point/coord/lon",
    "/location/geometry/point/coord/precision",
    "/location/externalInfo/0/freetext",
    "/location/externalInfo/0/uri",
    "/initialAlert/reception",
    "/initialAlert/caller",
    "/initialAlert/caller/callerContact",
    "/initialAlert/caller/callerContact/channel",
    "/initialAlert/caller/callerContact/type",
    "/initialAlert/caller/callerContact/detail",
    "/initialAlert/caller/callbackContact/channel",
    "/initialAlert/caller/callbackContact/type",
    "/initialAlert/caller/callbackContact/detail",
    "/initialAlert/caller/detailedName/complete",
    "/owner",
    "/patient/0/patientId",
    "/patient/0/administrativeFile/externalId/0/source",
    "/patient/0/administrativeFile/externalId/0/value",
    "/patient/0/administrativeFile/generalPractitioner/detailedName",
    "/patient/0/administrativeFile/generalPractitioner/detailedName/complete",
    "/patient/0/administrativeFile/generalPractitioner/contact/0/type",
    "/patient/0/administrativeFile/generalPractitioner/contact/0/detail",
    "/patient/0/identity/nonStrictFeatures/complete",
    "/patient/0/hypothesis/mainDiagnosis/code",
    "/patient/0/hypothesis/mainDiagnosis/label",
    "/patient/0/hypothesis/otherDiagnosis/0/code",
    "/patient/0/hypothesis/otherDiagnosis/0/label",
    "/medicalNote/0/operator",
    "/medicalNote/0/operator/role",
    "/medicalNote/0/medicalNoteId",
    "/medicalNote/0/freetext",
    "/decision/0/creation",
    "/decision/0/operator",
    "/decision/0/operator/role",
    "/decision/0/decisionType",
    "/decision/0/destination/externalLocationId/0/source",
    "/decision/0/destination/externalLocationId/0/value",
    "/additionalInformation/customMap/0/key",
    "/additionalInformation/customMap/0/value",
];

fn path_of(pointer: &str) -> String {
    pointer.trim_start_matches('/').split('/').fold("createCaseHealth".to_owned(), |path, step| {
        if step.parse::<usize>().is_ok() { format!("{path}[{step}]") } else { format!("{path}.{step}") }
    })
}

#[test]
fn leaving_out_any_required_property_is_a_fault_that_names_it() {
    for pointer in REQUIRED.iter().chain(&["/location/city", "/location/city/inseeCode"]) {
        let mut message = rich();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = message["createCaseHealth"].pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}"));
        parent.as_object_mut().unwrap().remove(key).unwrap_or_else(|| panic!("no {pointer}"));
        let faults = refused(&message);
        assert_eq!(faults.len(), 1, "{pointer}: {}", told(&faults));
        assert_eq!((faults[0].path.as_str(), faults[0].found.as_str()), (path_of(pointer).as_str(), "nothing"));
    }
}

/// The same for the envelope EDXL-DE and the header RC-DE.
#[test]
fn leaving_out_any_part_of_the_envelope_is_a_fault_that_names_it() {
    let envelope: Value = serde_json::from_slice(&super::own("sens-in-envelope.json")).unwrap();
    let mut parts = Vec::new();
    pointers(&envelope, String::new(), &mut |pointer, _| {
        let inside_the_case = pointer.contains("/createCaseHealth/");
        if !pointer.is_empty() && !inside_the_case && !pointer.ends_with("/0") {
            parts.push(pointer.to_owned());
        }
    });
    assert_eq!(parts.len(), 26, "{parts:#?}");
    for pointer in parts {
        let mut message = envelope.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        message.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        let faults = refused(&message);
        assert_eq!(faults.len(), 1, "{pointer}: {}", told(&faults));
        let path = path_of(&pointer).replacen("createCaseHealth.", "", 1);
        assert_eq!((faults[0].path.as_str(), faults[0].found.as_str()), (path.as_str(), "nothing"));
    }
}

#[test]
fn a_property_the_schema_does_not_name_is_refused_in_every_object() {
    let mut objects = Vec::new();
    pointers(&rich()["createCaseHealth"], String::new(), &mut |pointer, value| {
        if value.is_object() {
            objects.push(pointer.to_owned());
        }
    });
    assert!(objects.len() > 40, "{}", objects.len());
    for pointer in objects {
        let mut message = rich();
        let object = message["createCaseHealth"].pointer_mut(&pointer).unwrap();
        object.as_object_mut().unwrap().insert("surprise".into(), "Jeanne Exemple".into());
        let faults = refused(&message);
        let path = if pointer.is_empty() { "createCaseHealth".to_owned() } else { path_of(&pointer) };
        assert_eq!(told(&faults), format!("{path}.surprise: expected no such property, found a text of 14 characters"));
    }
}

/// Every value of the message in turn becomes null, a list, an object and a boolean: each is refused where it stands,
/// unless the schema allows it there.
#[test]
fn a_value_of_another_shape_is_refused_where_it_stands() {
    let mut all = Vec::new();
    pointers(&rich()["createCaseHealth"], String::new(), &mut |pointer, value| {
        all.push((pointer.to_owned(), value.clone()));
    });
    for (pointer, original) in all.iter().filter(|(pointer, _)| !pointer.is_empty()) {
        let others = [Value::Null, Value::Bool(true), serde_json::json!([7]), serde_json::json!({"x": 7})];
        for other in others.iter().filter(|other| std::mem::discriminant(*other) != std::mem::discriminant(original)) {
            let mut message = rich();
            *message["createCaseHealth"].pointer_mut(pointer).unwrap() = other.clone();
            let faults = refused(&message);
            assert_eq!(faults.len(), 1, "{pointer}: {}", told(&faults));
            assert_eq!(faults[0].path, path_of(pointer));
        }
    }
}

/// Texts a hair beside each pattern, at their place below `createCaseHealth`.
#[test]
fn a_text_beside_its_pattern_is_refused_and_one_within_is_taken() {
    for (pointer, good, bad) in [
        ("/caseId", "abcd", "abc"),
        ("/caseId", "a.b.c.d.e.f.g.h.i.j.", "a.b.c.d.e.f.g.h.i.j.k"),
        ("/owner", "fr.health.samu67A", "fr..health.samu670"),
        ("/creation", "2024-02-29T23:59:59-03:00", "2023-02-29T23:59:59-03:00"),
        ("/creation", "2024-12-26T10:00:00+00:00", "2024-12-26T10:00:00.0+00:00"),
        ("/qualification/riskThreat/0/code", "R01", "C01"),
        ("/qualification/whatsHappen/code", "C00.00.00", "L00.00.00"),
        ("/qualification/locationKind/code", "L04.09.01", "L04.09"),
        ("/qualification/healthMotive/code", "M99.99.99", "M99.99.9"),
        ("/location/access/phoneNumber", "+12345", "+1234"),
        ("/location/access/phoneNumber", "+123456789012345678", "+1234567890123456789"),
        ("/location/externalLocationId/0/value", "2A0123456", "2A1123456"),
        ("/location/externalLocationId/0/value", "8690f", "8690"),
        ("/patient/0/patientId", "a.b.c.patient.x.y", "a.b.patient.x"),
        ("/medicalNote/0/medicalNoteId", "a.b.c.medicalNote.x", "a.b.c.medicalNote.x.y.z"),
        ("/patient/0/detail/age", "P999D", "P1000D"),
        ("/patient/0/detail/age", "P0M", "P1H"),
        ("/patient/0/identity/strictFeatures/birthDate", "1950-01-31", "31/01/1950"),
        ("/patient/0/hypothesis/mainDiagnosis/code", "J45.+0", "J45."),
    ] {
        let mut message = rich();
        *message["createCaseHealth"].pointer_mut(pointer).unwrap() = good.into();
        super::accepted(&message);
        *message["createCaseHealth"].pointer_mut(pointer).unwrap() = bad.into();
        let faults = refused(&message);
        assert_eq!(faults.len(), 1, "{pointer} {bad}: {}", told(&faults));
        assert_eq!(faults[0].path, path_of(pointer), "{bad}");
    }
}

#[test]
fn the_list_of_required_properties_is_the_published_one() {
    let Some(hub) = reference("the required properties against the published schema") else { return };
    let schema = reference_json(&hub, "json-schema/RS-EDA.schema.json");
    let mut found = BTreeSet::new();
    required(&schema, &schema, String::new(), &mut found);
    assert_eq!(found, REQUIRED.iter().map(|pointer| (*pointer).to_owned()).collect());
}

fn required(schema: &Value, at: &Value, pointer: String, found: &mut BTreeSet<String>) {
    if let Some(name) = at["$ref"].as_str() {
        return required(
            schema,
            schema.pointer(name.trim_start_matches('#')).expect("the schema has what it refers to"),
            pointer,
            found,
        );
    }
    if at["type"] == "array" {
        return required(schema, &at["items"], format!("{pointer}/0"), found);
    }
    let Some(properties) = at["properties"].as_object() else { return };
    for (name, property) in properties {
        let below = format!("{pointer}/{name}");
        if at["required"].as_array().is_some_and(|list| list.iter().any(|known| known == name)) {
            found.insert(below.clone());
        }
        required(schema, property, below, found);
    }
}

/// Calls `each` with the pointer of every value, the root's being empty.
pub(super) fn pointers(value: &Value, pointer: String, each: &mut impl FnMut(&str, &Value)) {
    each(&pointer, value);
    match value {
        Value::Array(entries) => {
            entries.iter().enumerate().for_each(|(n, entry)| pointers(entry, format!("{pointer}/{n}"), each));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(key, field)| pointers(field, format!("{pointer}/{key}"), each));
        }
        _ => {}
    }
}

//! What a message tells about people stays out of every text the decoder makes.

use serde_json::Value;

use super::{accepted, decode_own, refused, rich, schema::pointers, told};

/// Texts of the rich message that are codes or identifiers of systems, which may be shown.
fn may_be_shown(pointer: &str) -> bool {
    let end = pointer.rsplit('/').next().unwrap_or_default();
    let code = ["code", "type", "channel", "source", "role", "language", "communication", "precision", "sex", "age"];
    let system = ["owner", "perimeter", "interventionType", "origin", "status", "attribution", "priority"];
    let other = ["careLevel", "decisionType", "resourceType", "orientationType", "creation", "reception", "datetime"];
    let diagnosis = pointer.contains("hypothesis");
    (code.contains(&end) || system.contains(&end) || other.contains(&end) || end == "inseeCode") && !diagnosis
        || pointer.contains("externalInfo")
}

#[test]
fn the_debug_text_of_a_case_names_nobody() {
    let message = rich();
    let shown = format!("{:?} {:#?}", accepted(&message), accepted(&message));
    let mut private = 0;
    pointers(&message["createCaseHealth"], String::new(), &mut |pointer, value| {
        if let Some(text) = value.as_str().filter(|_| !may_be_shown(pointer)) {
            private += 1;
            let hidden = !shown.contains(text) || text.len() < 4;
            assert!(hidden, "{pointer} is shown");
        }
    });
    assert!(private > 40, "{private}");
    for number in ["48.57", "7.7521", "17.5", "104.0"] {
        assert!(!shown.contains(number), "{number} is shown");
    }
}

#[test]
fn no_fault_and_no_warning_repeats_what_was_sent() {
    const CANARY: &str = "Jeanne CANARI 0639980099";
    let mut leaves = Vec::new();
    pointers(&rich()["createCaseHealth"], String::new(), &mut |pointer, value| {
        if !value.is_object() && !value.is_array() {
            leaves.push(pointer.to_owned());
        }
    });
    let mut faulty = 0;
    for pointer in leaves {
        let mut message = rich();
        *message["createCaseHealth"].pointer_mut(&pointer).unwrap() = CANARY.into();
        let bytes = message.to_string();
        match sas_dispatch::interop::messages::decode(bytes.as_bytes(), &Default::default()) {
            Ok(case) => assert!(!format!("{case:?}").contains("CANARI"), "{pointer}"),
            Err(faults) => {
                faulty += 1;
                assert!(!told(&faults).contains("CANARI"), "{pointer}: {}", told(&faults));
            }
        }
    }
    assert!(faulty > 40, "{faulty}");
    let odd = decode_own("odd-but-kept.json").unwrap();
    let warnings = odd.warnings.iter().map(ToString::to_string).collect::<String>();
    for value in ["06 39", "2020-02-31", "255139999999950", "148.57"] {
        assert!(!warnings.contains(value), "{warnings}");
    }
}

#[test]
fn a_sentence_in_the_place_of_a_property_name_is_only_described() {
    let mut message = rich();
    message["createCaseHealth"]["Jeanne Exemple, 1 rue de la Maquette"] = Value::Null;
    assert_eq!(
        told(&refused(&message)),
        "createCaseHealth.(a name of 36 characters): expected no such property, found null"
    );
}

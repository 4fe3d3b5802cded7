//! A call centre hands over a case, or a site replays its own list.

use sas_dispatch::{
    domain::{
        regulation::{
            need::{CareType, LongestDelay},
            qualification::{Priority, Stream},
        },
        territory::Territory,
    },
    interop::{
        fault::Limits,
        incoming::Source,
        intake,
        messages::{Place, decode, messages},
    },
};

use super::{decode_own, own, rich, told};

#[test]
fn a_feverish_child_in_strasbourg_arrives_whole() {
    let case = decode_own("strasbourg-fever.json").unwrap();
    assert_eq!(case.source, Source::Hub { exercise: false });
    assert_eq!(case.territory.as_str(), "fr-67");
    assert_eq!(case.case_id.as_ref().unwrap().reveal(), "fr.health.samu670.DRFR15D67A36100001");
    assert_eq!(case.created.to_string(), "2024-12-26T09:02:00.000Z");
    assert_eq!(case.received.to_string(), "2024-12-26T09:01:00.000Z");
    assert_eq!((case.origin, case.owner.as_deref()), (Some("116117"), Some("fr.health.samu670")));
    assert_eq!((case.priority, case.stream), (Some(Priority::P2), Some(Stream::Snp)));
    assert_eq!(case.motive.as_ref().and_then(|motive| motive.label()), Some("Fièvre, problème infectieux"));

    let caller = case.caller.as_ref().unwrap();
    assert_eq!(caller.contact.phone().unwrap().reveal(), "+33639980017");
    assert_eq!(caller.callback.as_ref().unwrap().phone().unwrap().reveal(), "+33639980018");
    assert_eq!(caller.name.as_ref().unwrap().complete.reveal(), "Camille Exemple");
    assert_eq!(case.location.address.as_ref().unwrap().reveal(), "1 rue de la Maquette");
    assert_eq!(case.location.position.as_ref().unwrap().reveal().lat, 48.5734);
    assert_eq!(case.location.access.len(), 9);

    let [patient] = &case.patients[..] else { panic!("one patient") };
    assert_eq!((patient.age.unwrap().years(), patient.sex), (4, Some("M")));
    let gp = patient.own_gp.as_ref().unwrap();
    assert_eq!(gp.name.complete.reveal(), "Dr Alix Fictif");
    assert_eq!(gp.contacts[0].phone().unwrap().reveal(), "+33353010077");
    assert_eq!(patient.diagnoses.iter().map(|d| d.reveal().as_str()).collect::<Vec<_>>(), ["R50.9", "H66.9"]);
    let notes: Vec<_> = case.notes.iter().map(|note| (note.role, note.text.reveal().as_str())).collect();
    assert_eq!(
        notes,
        [(None, "Appelle pour son fils imaginaire"), (Some("ARM"), "Fièvre depuis deux jours, joue encore.")]
    );
    let [decision] = &case.decisions[..] else { panic!("one decision") };
    assert_eq!(
        (decision.kind, decision.resource, decision.orientation),
        ("ORIENT", Some("LIBERAL.MG"), Some("CABINET"))
    );
    assert_eq!(case.warnings, []);
}

#[test]
fn the_territory_is_the_departement_of_the_commune() {
    assert_eq!(decode_own("sens-older-person.json").unwrap().territory.as_str(), "fr-89");
    for (insee, territory) in [("2A004", "fr-2a"), ("97411", "fr-974"), ("75056", "fr-75")] {
        let mut message = rich();
        message["createCaseHealth"]["location"]["city"]["inseeCode"] = insee.into();
        assert_eq!(super::accepted(&message).territory.as_str(), territory);
    }
    for insee in ["99123", "98818", "00000", "6748", "67 82"] {
        let mut message = rich();
        message["createCaseHealth"]["location"]["city"]["inseeCode"] = insee.into();
        let faults = super::refused(&message);
        assert_eq!(faults.len(), 1, "{insee}: {}", told(&faults));
        assert_eq!(faults[0].path, "createCaseHealth.location.city.inseeCode");
    }
}

#[test]
fn an_exercise_in_its_envelope_is_marked_as_one() {
    let case = decode_own("sens-in-envelope.json").unwrap();
    assert_eq!(case.source, Source::Hub { exercise: true });
    assert_eq!(case.territory.as_str(), "fr-89");

    let mut envelope: serde_json::Value = serde_json::from_slice(&own("sens-in-envelope.json")).unwrap();
    envelope["distributionKind"] = "Cancel".into();
    envelope["content"][0]["jsonContent"]["embeddedJsonContent"]["message"]["createCaseHealth"]["owner"] = 7.into();
    assert_eq!(
        told(&super::refused(&envelope)),
        "distributionKind: expected Report or Update around a createCaseHealth, found Cancel\n\
         content[0].jsonContent.embeddedJsonContent.message.createCaseHealth.owner: expected an organisation such as \
         fr.health.samu670, found a whole number"
    );
}

#[test]
fn a_motive_of_another_list_is_kept_and_said() {
    let case = decode_own("foreign-motive.json").unwrap();
    assert_eq!(case.motive.as_ref().unwrap().code(), "M17.03.01");
    assert!(!case.motive.as_ref().unwrap().is_known());
    let warnings: Vec<String> = case.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "createCaseHealth.qualification.healthMotive: motive M17.03.01 is not in the national list (HubSante.motif); \
          kept as given"
        ]
    );
}

#[test]
fn what_is_odd_but_harmless_is_kept_with_warnings() {
    let case = decode_own("odd-but-kept.json").unwrap();
    let paths: Vec<&str> = case.warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "createCaseHealth.location.geometry.point.coord",
            "createCaseHealth.initialAlert.caller.callerContact.detail",
            "createCaseHealth.patient[0].administrativeFile.externalId[0].value",
            "createCaseHealth.patient[0].identity.strictFeatures.birthDate",
        ]
    );
    let contact = &case.caller.as_ref().unwrap().contact;
    assert_eq!(contact.phone(), None);
    assert_eq!(contact.detail.reveal(), "06 39 98 00 17");
    assert_eq!(case.location.position, None);
    assert_eq!(case.patients[0].birth_date, None);
}

#[test]
fn each_broken_message_says_where_and_what_was_expected() {
    let faults = |name| told(&decode_own(name).unwrap_err());
    assert_eq!(faults("missing-city.json"), "createCaseHealth.location.city: expected an object, found nothing");
    assert_eq!(
        faults("bad-codes.json"),
        "createCaseHealth.perimeter: expected one of AMU, SNP, PSY, NEONAT, found a text of 3 characters\n\
         createCaseHealth.qualification.details.priority: expected one of P0, P1, P2, P3, NR, found a text of 2 \
         characters"
    );
    assert_eq!(
        faults("bad-dates.json"),
        "createCaseHealth.creation: expected a date and time such as 2024-12-26T10:00:00+01:00 (no Z), found a text of \
         20 characters\n\
         createCaseHealth.initialAlert.reception: expected a date and time such as 2024-12-26T10:00:00+01:00 (no Z), \
         found a text of 25 characters"
    );
}

#[test]
fn a_list_of_requests_is_replayed_line_by_line_and_the_broken_ones_are_left_out() {
    let read = messages(own("day.ndjson"), &Limits::DEFAULT);
    let places: Vec<Place> = read.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [1, 2, 4, 5, 6].map(Place::Line));

    let first = read[0].1.as_ref().unwrap();
    assert_eq!((first.source, first.territory.as_str()), (Source::RequestLine, "fr-67"));
    assert_eq!(first.patients[0].own_gp_id.as_ref().unwrap().as_str(), "dr-exemple");
    let need = first.need.as_ref().unwrap();
    assert_eq!((need.care, need.longest_delay), (CareType::Consultation, LongestDelay::H24));
    let flags = read[1].1.as_ref().unwrap().patients[0].flags;
    assert!(flags.ehpad && flags.reduced_mobility && flags.ald && flags.no_gp);

    assert_eq!(
        told(read[2].1.as_ref().unwrap_err()),
        "request.at: expected an RFC 3339 date and time such as 2024-12-26T10:00:00+01:00, found a text of 10 characters\n\
         request.motive: expected a motive code such as M03.14, found a text of 6 characters\n\
         request.insee: expected a commune of fr-89, found one of fr-67\n\
         request.own_gp: expected no own GP beside `no_gp: true`, found a responder id\n\
         request.name: expected no such property, found a text of 13 characters"
    );
    assert!(told(read[3].1.as_ref().unwrap_err()).starts_with("the message: expected JSON, found EOF while parsing"));
    assert_eq!(read[4].1.as_ref().unwrap().motive.as_ref().unwrap().code(), "M17.03.01");
}

#[test]
fn a_delay_between_two_of_the_list_is_rounded_down() {
    for (minutes, delay) in [
        (0, LongestDelay::Immediate),
        (29, LongestDelay::Immediate),
        (60, LongestDelay::H1),
        (90, LongestDelay::H1),
        (2880, LongestDelay::H48),
    ] {
        let line = format!(
            r#"{{"request":{{"at":"2024-12-26T10:00:00Z","territory":"fr-67","motive":"M03.14",
                "need":{{"care_type":"HOME_VISIT","level":"R3","longest_delay_minutes":{minutes}}}}}}}"#
        );
        assert_eq!(decode(line.as_bytes(), &Limits::DEFAULT).unwrap().need.unwrap().longest_delay, delay, "{minutes}");
    }
}

#[test]
fn one_document_a_list_and_lines_are_told_apart() {
    let good = rich().to_string();
    let places = |file: &str| {
        let read = messages(file, &Limits::DEFAULT);
        read.into_iter().map(|(place, case)| (place.to_string(), case.is_ok())).collect::<Vec<_>>()
    };
    let told = |told: &[(&str, bool)]| told.iter().map(|(p, ok)| ((*p).to_owned(), *ok)).collect::<Vec<_>>();
    assert_eq!(places(&format!("\u{feff}{good}\n")), told(&[("document", true)]));
    assert_eq!(
        places(&format!("[{good},\n 7,\n{good}]")),
        told(&[("entry 1", true), ("entry 2", false), ("entry 3", true)])
    );
    assert_eq!(
        places(&format!("{{broken\n\r\n{good}\r\nnot json\n")),
        told(&[("line 1", false), ("line 3", true), ("line 4", false)])
    );
    let spread = String::from_utf8(own("sens-older-person.json")).unwrap();
    assert_eq!(places(&spread), told(&[("document", true)]));
    assert_eq!(places(&spread.replacen(": ", " ", 3)), told(&[("document", false)]));
    for empty in ["", "  \n\n", "[]", "null"] {
        assert_eq!(places(empty), told(&[("document", false)]), "{empty:?}");
    }
}

#[test]
fn a_message_beyond_a_bound_is_refused_with_the_bound() {
    let faults = |bytes: &[u8], limits: &Limits| super::told(&decode(bytes, limits).unwrap_err());
    let message = rich().to_string();
    let small = Limits { max_message_bytes: 1000, ..Limits::DEFAULT };
    assert!(
        faults(message.as_bytes(), &small).starts_with("the message: expected a message of at most 1000 bytes, found")
    );
    let in_a_list = messages(format!("[{message}]"), &small);
    assert!(super::told(in_a_list[0].1.as_ref().unwrap_err()).contains("at most 1000 bytes"));
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    assert!(
        faults(deep.as_bytes(), &Limits::DEFAULT).contains("at most 24 objects and lists within each other, found 40")
    );
    assert!(faults("[".repeat(100_000).as_bytes(), &Limits::DEFAULT).contains("recursion limit"));

    let mut crowded = rich();
    let patient = crowded["createCaseHealth"]["patient"][0].clone();
    crowded["createCaseHealth"]["patient"] = vec![patient; 201].into();
    let expected = "createCaseHealth.patient: expected a list of 0 to 200 entries, found a list of 201 entries";
    assert_eq!(faults(crowded.to_string().as_bytes(), &Limits::DEFAULT), expected);
    let mut long = rich();
    long["createCaseHealth"]["medicalNote"][0]["freetext"] = "é".repeat(20_001).into();
    let expected = "createCaseHealth.medicalNote[0].freetext: expected a text of at most 20000 characters, found a text \
                    of 20001 characters";
    assert_eq!(faults(long.to_string().as_bytes(), &Limits::DEFAULT), expected);

    let mut many = rich();
    many["createCaseHealth"]["patient"] = vec![serde_json::json!({}); 150].into();
    let faults = super::refused(&many);
    assert_eq!(faults.len(), 51);
    assert_eq!(faults[50].to_string(), "the message: expected at most 50 faults to tell, found more");
}

#[test]
fn what_a_partner_centre_knows_of_the_way_in_and_the_patient_is_taken_over_part_by_part() {
    let case = decode_own("strasbourg-fever.json").unwrap();
    let territory = Territory::from_law(&case.territory).unwrap();
    let particulars = intake::open(&case, &territory, case.received).particulars;
    let way_in = particulars.address.unwrap().way_in;
    let parts = [&way_in.floor, &way_in.door, &way_in.code, &way_in.building, &way_in.lift, &way_in.service];
    let told: Vec<&str> = parts.into_iter().map(|part| part.reveal().as_str()).collect();
    let given =
        ["3e étage gauche", "chambre 31", "0000A ; 1111B", "bâtiment Fictif", "ascenseur B", "service des Modèles"];
    assert_eq!(told, given);
    let caller = particulars.caller.unwrap();
    assert_eq!(Some(caller.partner.reveal().as_str()), case.owner.as_deref());
    let number = case.sender_case_id.as_ref().or(case.case_id.as_ref()).unwrap();
    assert_eq!(caller.partner_reference.reveal(), number.reveal());
    let (_, identity) = &particulars.patients[0];
    let kilograms = case.patients[0].weight_kg.as_ref().map(|weight| *weight.reveal());
    assert_eq!(identity.weight_grams.reveal().map(|grams| f64::from(grams) / 1_000.0), kilograms);
}

#[test]
fn a_baby_known_only_by_the_date_of_birth_is_an_infant_and_a_minor() {
    let mut message = rich();
    let patient = &mut message["createCaseHealth"]["patient"][0];
    patient["detail"].as_object_mut().unwrap().remove("age");
    for (born, infant, minor) in [("2024-03-01", true, true), ("2010-05-05", false, true), ("1980-01-01", false, false)]
    {
        message["createCaseHealth"]["patient"][0]["identity"]["strictFeatures"]["birthDate"] = born.into();
        let case = super::accepted(&message);
        let territory = Territory::from_law(&case.territory).unwrap();
        let (patient, identity) = intake::open(&case, &territory, case.received).particulars.patients.remove(0);
        assert_eq!((patient.infant, patient.minor), (infant, minor), "{born}");
        assert_eq!(*identity.age_years.reveal(), None, "nobody said an age");
    }
}

#[test]
fn what_a_case_has_no_field_for_stands_in_its_first_note() {
    let case = decode_own("strasbourg-fever.json").unwrap();
    let territory = Territory::from_law(&case.territory).unwrap();
    let note = intake::open(&case, &territory, case.received).note.unwrap();
    let told: Vec<&str> = note.reveal().lines().collect();
    for line in [
        "Appelle pour son fils imaginaire",
        "Fait : Maladie (C01.01.01)",
        "Risque : Chien dans la cour imaginaire (R12)",
        "Nom du lieu : Résidence des Exemples",
        "Téléphone du lieu : +33353010042",
        "Sur l'appelant : mère du patient inventé",
        "Patient 1, antécédents : otites à répétition inventées",
        "Patient 1, traitement : paracétamol fictif",
        "Patient 1, diagnostics évoqués : R50.9, H66.9",
    ] {
        assert!(told.contains(&line), "{line} is missing in {told:#?}");
    }
    let decision =
        told.iter().find(|line| line.starts_with("Décision de l'émetteur (")).expect("what was decided there");
    assert!(decision.contains("patient 1") && decision.contains("2024"), "{decision}");
}

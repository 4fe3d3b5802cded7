//! The national example messages decode.

use sas_dispatch::interop::{fault::Limits, messages::messages};

use super::{reference, told};

#[test]
fn all_five_published_cases_open_in_their_departements() {
    let Some(hub) = reference("the five published RS-EDA examples") else { return };
    let mut files: Vec<_> =
        std::fs::read_dir(hub.join("examples/RS-EDA")).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let mut territories = Vec::new();
    let mut warned = Vec::new();
    for file in &files {
        for (_, case) in messages(std::fs::read(file).unwrap(), &Limits::DEFAULT) {
            let case = case.unwrap_or_else(|faults| panic!("{}: {}", file.display(), told(&faults)));
            territories.push(case.territory.to_string());
            warned.extend(case.warnings.iter().map(|warning| warning.path.clone()));
        }
    }
    territories.sort();
    assert_eq!(territories, ["fr-44", "fr-44", "fr-68", "fr-77", "fr-95"]);
    assert_eq!(warned, ["createCaseHealth.qualification.healthMotive"], "one has a motive of another list");
}

#[test]
fn a_published_message_of_another_kind_is_refused_as_such() {
    let Some(hub) = reference("published messages of other kinds") else { return };
    for folder in ["examples/RS-EDA-MAJ", "examples/RS-SAS-RDV"] {
        for file in std::fs::read_dir(hub.join(folder)).unwrap().map(|file| file.unwrap().path()) {
            let read = messages(std::fs::read(&file).unwrap(), &Limits::DEFAULT);
            let faults = told(read[0].1.as_ref().expect_err("another kind of message"));
            assert!(faults.starts_with("the message: expected an object with `createCaseHealth`"), "{faults}");
        }
    }
}

//! What is shipped: Bas-Rhin and Yonne without a fault, plainly fictional doctors, defaults that are the code's.

use std::sync::Arc;

use sas_dispatch::{
    config::{Config, Ground},
    domain::{
        calendar::CalendarPolicy,
        directory::{FixedPointKind, ResponderKind},
        territory::{RegulationPolicy, RoutingPolicy},
        time::Instant,
    },
};

use super::{Copy, shipped_dir};

fn ground(territory: &str) -> Arc<Ground> {
    Config::load(&shipped_dir()).unwrap().territory(&territory.parse().unwrap()).unwrap()
}

fn at(text: &str) -> Instant {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
}

#[test]
fn bas_rhin_has_its_communes_sectors_and_responders() {
    let ground = ground("fr-67");
    let (territory, directory) = (&ground.0, &ground.1);
    assert_eq!(territory.name, "Bas-Rhin");
    assert_eq!(territory.communes.len(), 514);
    assert_eq!(territory.communes[&"67482".parse().unwrap()].name, "Strasbourg");
    assert!(directory.of_kind(ResponderKind::Gp).count() >= 40);
    assert_eq!(directory.of_kind(ResponderKind::Cpts).count(), 2);
    assert!(directory.of_kind(ResponderKind::SasProfessional).count() >= 5);
    let points = |kind| directory.iter().filter(|responder| responder.fixed_point == Some(kind)).count();
    assert_eq!((points(FixedPointKind::Sos), points(FixedPointKind::Mmg)), (1, 6));
    let sos = directory.get(&"sos-medecins-strasbourg".parse().unwrap()).unwrap();
    assert!(sos.open_at(at("2024-12-26T03:00:00+01:00")));
    assert!(sos.visits(&"strasbourg-nord".parse().unwrap()) && !sos.visits(&"saverne".parse().unwrap()));
}

#[test]
fn yonne_has_the_programme_of_sens_as_a_collective_practice() {
    let ground = ground("fr-89");
    let (territory, directory) = (&ground.0, &ground.1);
    assert_eq!(territory.communes.len(), 423);
    let programme = directory.of_kind(ResponderKind::CollectivePractice).next().unwrap();
    let terms = programme.programme.as_ref().unwrap();
    assert_eq!((terms.capacity_patients, terms.list_owner.as_str(), terms.mt_fee), (300, "CCAS de Sens", false));
    assert_eq!(terms.served_by.as_str(), "sos-medecins-sens");
    assert_eq!(programme.doctors.len(), 6, "six doctors serve it");
}

#[test]
fn every_doctor_and_every_telephone_number_is_plainly_fictional() {
    for territory in ["fr-67", "fr-89"] {
        for responder in ground(territory).1.iter() {
            let words = ["Fictif", "Exemple", "Inventé", "Imaginaire", "Fictive"];
            let structure = matches!(
                responder.kind,
                ResponderKind::FixedPoint | ResponderKind::SosMedecins | ResponderKind::CollectivePractice
            );
            assert!(structure || words.iter().any(|word| responder.name.contains(word)), "{}", responder.name);
            assert!(responder.phone.reveal().starts_with("+3335301"), "{}", responder.id);
        }
    }
}

#[test]
fn every_commune_has_a_sector_by_day_and_the_limits_change_by_band_and_date() {
    for territory in ["fr-67", "fr-89"] {
        let ground = ground(territory);
        let noon = ground.0.period_at(at("2024-12-19T12:00:00+01:00")).unwrap();
        for insee in ground.0.communes.keys() {
            assert!(ground.0.sector_of(*insee, &noon).is_some(), "{insee}");
        }
    }
    let ground = ground("fr-67");
    let sector = |insee: &str, when: &str| {
        let legal = ground.0.period_at(at(when)).unwrap();
        ground.0.sector_of(insee.parse().unwrap(), &legal).map(|sector| sector.as_str())
    };
    assert_eq!(sector("67462", "2024-12-19T22:00:00+01:00"), Some("selestat"));
    assert_eq!(sector("67462", "2024-12-19T03:00:00+01:00"), None, "nobody on duty since the end of 2023");
    assert_eq!(sector("67462", "2023-12-19T03:00:00+01:00"), Some("selestat"));
    assert_eq!(sector("67482", "2024-12-19T03:00:00+01:00"), Some("strasbourg-centre"));
}

#[test]
fn what_the_shipped_files_state_as_defaults_are_the_codes() {
    for territory in ["fr-67", "fr-89"] {
        let territory = &ground(territory).0;
        let stated = RegulationPolicy { protocols: Vec::new(), ..territory.regulation.clone() };
        assert_eq!(stated, RegulationPolicy::default());
        assert_eq!(territory.routing, RoutingPolicy::default());
        assert_eq!(*territory.calendar.policy(), CalendarPolicy::default());
        assert!(territory.regulation.protocol("certificat-ou-ordonnance", "2024-12-26".parse().unwrap()).is_some());
        assert!(territory.regulation.protocol("certificat-ou-ordonnance", "2024-06-14".parse().unwrap()).is_none());
    }
    assert!(Config::shipped().is_ok());
}

#[test]
fn a_territory_without_a_folder_answers_from_the_law_and_knows_no_source() {
    let ground = ground("fr-974");
    assert!(!ground.0.configured && ground.1.is_empty() && ground.0.communes.is_empty());
    assert_eq!(ground.0.version.name, "loi");
    assert_eq!(ground.0.period_at(at("2024-12-20T10:00:00+04:00")).unwrap().status.code(), "PDSA");
    let config = Config::load(&shipped_dir()).unwrap();
    let error = config.territory(&"fr-987".parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("fr-01 to fr-95") && error.ends_with("with a folder here: fr-67, fr-89"), "{error}");
}

#[test]
fn the_digest_of_the_rules_changes_with_any_file_of_the_territory() {
    let digest = |copy: &Copy| {
        let config = copy.load().unwrap();
        config.territories[&"fr-67".parse().unwrap()].0.version.digest.clone()
    };
    let copy = Copy::of_shipped();
    let before = digest(&copy);
    assert_eq!(before.len(), 64);
    assert_eq!(before, digest(&Copy::of_shipped()));
    copy.append("territories/fr-67/sectors.csv", "# looked through");
    assert_ne!(before, digest(&copy));
}

#[test]
fn an_exception_to_independence_runs_from_its_first_to_the_end_of_its_last_local_day() {
    let copy = Copy::of_shipped();
    copy.append(
        "territories/fr-67/territory.toml",
        "[[independence_exceptions]]\nperson = \"dr-exemple\"\nconvention = \"Convention 2024-03\"\n\
         from = 2024-07-01\nto = 2024-08-31",
    );
    let config = copy.load().unwrap();
    let exceptions = &config.territories[&"fr-67".parse().unwrap()].0.regulation.independence_exceptions;
    assert_eq!(exceptions.len(), 1);
    assert_eq!(exceptions[0].from, at("2024-07-01T00:00:00+02:00"));
    assert_eq!(exceptions[0].until, at("2024-09-01T00:00:00+02:00"));
}

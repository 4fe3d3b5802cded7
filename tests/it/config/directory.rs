//! The directory's pure questions, on the shipped responders.

use sas_dispatch::{
    config::Config,
    domain::{
        directory::{Directory, Responder},
        ids::ResponderId,
        time::{Instant, Span},
    },
};

use super::shipped_dir;

fn directory(territory: &str) -> Directory {
    Config::load(&shipped_dir()).unwrap().territories[&territory.parse().unwrap()].1.clone()
}

fn id(text: &str) -> ResponderId {
    text.parse().unwrap()
}

fn at(text: &str) -> Instant {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
}

fn ids<'a>(responders: impl Iterator<Item = &'a Responder>) -> Vec<&'a str> {
    responders.map(|responder| responder.id.as_str()).collect()
}

#[test]
fn a_gp_on_leave_is_away_on_whole_local_days_and_next_open_skips_them() {
    let directory = directory("fr-67");
    let gp = directory.get(&id("gp-67-houblon")).unwrap();
    assert!(gp.absences.iter().any(|absence| absence.from.to_string() == "2024-12-23"), "the shipped leave");
    let before = at("2024-12-22T23:59:00+01:00");
    assert!(gp.absent_at(before).is_none());
    assert!(gp.absent_at(at("2024-12-23T00:00:00+01:00")).is_some());
    assert!(gp.absent_at(at("2025-01-03T23:59:00+01:00")).is_some());
    assert!(!gp.open_at(at("2024-12-23T10:00:00+01:00")) && gp.hours.is_open_at(at("2024-12-23T10:00:00+01:00")));
    let back = at("2025-01-04T09:00:00+01:00");
    assert_eq!(gp.next_open(before, Span::from_hours(20 * 24)), Some(back), "the Saturday after the leave");
    assert_eq!(gp.next_open(before, Span::from_hours(48)), None);
}

#[test]
fn colleagues_of_the_practice_and_of_the_cpts_are_told_apart() {
    let directory = directory("fr-67");
    let own = id("gp-67-colombage");
    assert_eq!(ids(directory.practice_colleagues(&own)), ["gp-67-cigogne", "gp-67-houblon", "gp-67-sarment"]);
    let cpts = ids(directory.cpts_colleagues(&own));
    assert!(cpts.contains(&"gp-67-gres") && !cpts.contains(&"gp-67-sarment") && !cpts.contains(&"gp-67-colombage"));
    let alone = id("gp-67-chaumiere");
    assert_eq!(ids(directory.practice_colleagues(&alone)), [""; 0], "no practice, no colleague");
}

#[test]
fn a_person_is_found_in_every_responder_he_gives_care_for() {
    let directory = directory("fr-89");
    let person = "dr-89-sos-ardoise".parse().unwrap();
    assert_eq!(ids(directory.of_person(&person)), ["programme-sens", "sos-medecins-sens", "sos-point-sens"]);
    assert!(ids(directory.in_commune("89387".parse().unwrap())).contains(&"mmg-sens"));
}

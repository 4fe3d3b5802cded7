//! The shipped territories: 26 December 2024 in Strasbourg and in Sens, and the programme of Sens.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use sas_dispatch::{
    config::{Config, Ground},
    domain::{
        case::state::{Patient, Whereabouts},
        directory::ResponderKind,
        regulation::need::{CareLevel, CareType, Constraints, LongestDelay, Need},
        routing::{Category, OnDuty, Plan, Problem, SourceState, Supply, WhyNot, plan},
        time::{Instant, Span},
    },
};

use super::world::{instant, kept, person, responder_id, row, sector, why};

struct Request<'a> {
    territory: &'a str,
    commune: &'a str,
    wall: &'a str,
    own_gp: Option<&'a str>,
    reduced_mobility: bool,
}

fn ground(territory: &str) -> Arc<Ground> {
    let config = Config::load(Path::new("config")).unwrap_or_else(|faults| panic!("{faults}"));
    config.territory(&territory.parse().unwrap()).unwrap()
}

fn planned(request: &Request<'_>, shifts: Vec<OnDuty>) -> (Plan, Instant) {
    let ground = ground(request.territory);
    let (territory, directory) = (&ground.0, &ground.1);
    let now = instant(territory, request.wall);
    let need = Need {
        patient: 1,
        care: CareType::Consultation,
        level: CareLevel::R3,
        longest_delay: LongestDelay::H8,
        constraints: Constraints::default(),
        reasons: Vec::new(),
    };
    let patient = Patient {
        number: 1,
        own_gp: request.own_gp.map(responder_id),
        reduced_mobility: request.reduced_mobility,
        ..Patient::default()
    };
    let published = [Category::SasSlot, Category::FixedPoint, Category::HomeVisit];
    let sources: BTreeMap<_, _> = published.into_iter().map(|category| (category, SourceState::Connected)).collect();
    let supply = Supply { sources, shifts, ..Supply::default() };
    let place = Whereabouts { commune: Some(request.commune.parse().unwrap()), ..Whereabouts::default() };
    let problem = Problem {
        now,
        territory,
        directory,
        need: &need,
        signed_at: now,
        care: need.care,
        patient: &patient,
        place: &place,
        regulators: &BTreeSet::new(),
        tried: Vec::new(),
        supply: &supply,
    };
    (plan(&problem), now)
}

/// A GP of the shipped directory that is open at that hour.
fn open_gp(territory: &str, wall: &str) -> String {
    let ground = ground(territory);
    let at = instant(&ground.0, wall);
    let open = ground.1.of_kind(ResponderKind::Gp).find(|gp| gp.open_at(at));
    open.map(|gp| gp.id.to_string()).unwrap_or_else(|| panic!("no GP of {territory} is open at {wall}"))
}

#[test]
fn on_26_december_strasbourg_is_on_duty_and_sens_rings_the_own_gp() {
    let ordinary = "2024-12-19T10:00";
    let holiday = "2024-12-26T10:00";
    let own = open_gp("fr-67", ordinary);
    let strasbourg =
        Request { territory: "fr-67", commune: "67482", wall: holiday, own_gp: Some(&own), reduced_mobility: false };
    let (plan, _) = planned(&strasbourg, Vec::new());
    assert_eq!(plan.period, "PDSA_SUNDAY_HOLIDAY");
    assert_eq!(why(&plan, Category::OwnGp, Some(&own)), WhyNot::NotInThisPeriod);
    assert!(kept(&plan)[0].starts_with("FIXED_POINT"), "{:?}", kept(&plan));
    let (plan, _) = planned(&Request { wall: ordinary, ..strasbourg }, Vec::new());
    assert_eq!(kept(&plan)[0], format!("OWN_GP {own}"));

    let own = open_gp("fr-89", holiday);
    let sens =
        Request { territory: "fr-89", commune: "89387", wall: holiday, own_gp: Some(&own), reduced_mobility: false };
    let (plan, _) = planned(&sens, Vec::new());
    assert_eq!(plan.period, "OFFICE_HOURS");
    assert_eq!(kept(&plan)[0], format!("OWN_GP {own}"));
}

#[test]
fn a_patient_of_the_sens_programme_is_visited_by_the_association() {
    let request = Request {
        territory: "fr-89",
        commune: "89387",
        wall: "2024-12-19T10:00",
        own_gp: Some("programme-sens"),
        reduced_mobility: true,
    };
    let (plan, now) = planned(&request, Vec::new());
    assert_eq!(kept(&plan)[0], "OWN_GP programme-sens", "rung while nobody is on duty");
    assert_eq!(row(&plan, Category::OwnGp, Some("programme-sens")).earliest, Some(now));
    let doctor = OnDuty {
        responder: responder_id("sos-medecins-sens"),
        doctor: person("dr-89-sos-basalte"),
        sectors: vec![sector("sens")],
        start: now - Span::from_hours(2),
        end: now + Span::from_hours(6),
        free: true,
    };
    let (plan, _) = planned(&request, vec![doctor]);
    assert_eq!(kept(&plan)[0], "OWN_GP sos-medecins-sens");
}

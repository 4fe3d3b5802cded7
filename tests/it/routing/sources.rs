//! What each source said, in four values: "no answer" and "not connected" are never shown as "none".

use sas_dispatch::domain::{
    directory::{Connection, Responder},
    regulation::need::{CareType, LongestDelay},
    routing::{Availability, Category, Plan, SourceState, WhyNot},
    time::Span,
};

use super::world::{SECTOR, World, gp, kept, mmg, sector, sos, why};

fn said(plan: &Plan, category: Category) -> Availability {
    plan.sources.iter().find(|source| source.category == category).unwrap().availability
}

#[test]
fn found_none_not_connected_and_no_answer_are_four_things() {
    let mut world = World::at("2024-12-19T10:00").who(gp("voisin", 0)).slot("voisin", 15);
    assert_eq!(said(&world.plan(), Category::SasSlot), Availability::Found);
    world.supply.slots.values_mut().for_each(Vec::clear);
    assert_eq!(said(&world.plan(), Category::SasSlot), Availability::None);
    let since = world.now - Span::from_mins(4);
    world.supply.sources.insert(Category::SasSlot, SourceState::SilentSince(since));
    assert_eq!(said(&world.plan(), Category::SasSlot), Availability::NoAnswerSince(since));
    world.supply.sources.remove(&Category::SasSlot);
    assert_eq!(said(&world.plan(), Category::SasSlot), Availability::NotConnected);
}

#[test]
fn a_source_that_was_not_asked_says_nothing() {
    let plan = World::at("2024-12-19T10:00").who(gp("voisin", 0)).plan();
    let asked: Vec<_> = plan.sources.iter().map(|source| source.category).collect();
    assert_eq!(asked, [Category::SasSlot, Category::FixedPoint, Category::Teleconsultation]);
}

/// Found live: coordinates without a commune have no sector, and the visit source answered that nobody was there.
#[test]
fn a_source_that_could_not_be_asked_for_want_of_a_commune_says_nothing() {
    let mut world = World::at("2024-12-22T22:30")
        .who(sos("sos", &["dr-sos-1"]))
        .on_duty("sos", "dr-sos-1", true)
        .decided(CareType::HomeVisit, LongestDelay::H4);
    assert_eq!(said(&world.plan(), Category::HomeVisit), Availability::Found);
    (world.place.commune, world.place.sector) = (None, None);
    let plan = world.plan();
    assert_eq!(why(&plan, Category::HomeVisit, None), WhyNot::PlaceUnknown);
    assert!(plan.sources.iter().all(|source| source.category != Category::HomeVisit), "{:?}", plan.sources);
}

/// Where SOS Médecins is not, or not connected, a GP on duty drives; what he opened here is heard.
#[test]
fn a_source_is_heard_when_one_of_those_who_are_asked_is_connected_or_has_said_something_himself() {
    let mobile =
        Responder { visit_sectors: vec![sector(SECTOR)], connection: Connection::NotConnected, ..gp("mobile", 2_000) };
    let silent = Responder { connection: Connection::NotConnected, ..sos("sos", &["dr-sos-1"]) };
    let mut world =
        World::at("2024-12-22T22:30").who(mobile).who(silent).decided(CareType::HomeVisit, LongestDelay::H4);
    let heard = |world: &mut World| {
        world.supply.sources.clear();
        let directory = world.directory();
        world.supply.hear(&directory);
        world.plan()
    };
    let plan = heard(&mut world);
    assert_eq!(said(&plan, Category::HomeVisit), Availability::NotConnected);
    world = world.on_duty("mobile", "dr-mobile", true);
    let plan = heard(&mut world);
    assert_eq!(
        (kept(&plan), said(&plan, Category::HomeVisit)),
        (vec!["HOME_VISIT mobile".to_owned()], Availability::Found)
    );
    world.care = CareType::Consultation;
    world = world.slot("mobile", 30);
    let plan = heard(&mut world);
    assert!(kept(&plan).contains(&"SAS_SLOT mobile".to_owned()), "{:?}", kept(&plan));
    assert_eq!(said(&plan, Category::FixedPoint), Availability::NotConnected, "nobody of that kind is there");
}

#[test]
fn none_is_not_said_while_one_agenda_in_reach_is_beyond_hearing() {
    let world = World::at("2024-12-19T10:00")
        .who(gp("plein", 0))
        .who(Responder { connection: Connection::NotConnected, ..gp("papier", 0) });
    assert_eq!(said(&world.plan(), Category::SasSlot), Availability::NotConnected);
}

#[test]
fn a_territory_without_a_folder_has_every_source_not_connected() {
    let mut world = World::at("2024-12-19T10:00").own_gp("ailleurs");
    world.territory.configured = false;
    let plan = world.plan();
    assert_eq!(plan.sources.len(), Category::ALL.len());
    assert!(plan.sources.iter().all(|source| source.availability == Availability::NotConnected));
    assert_eq!(why(&plan, Category::OwnGp, Some("ailleurs")), WhyNot::NotConnected);
    assert_eq!(why(&plan, Category::SasSlot, None), WhyNot::NotConnected);
    world.patient.own_gp = None;
    assert_eq!(why(&world.plan(), Category::OwnGp, None), WhyNot::NoOwnGp);
}

#[test]
fn a_fixed_point_can_be_rung_while_its_source_is_silent() {
    let mut world = World::at("2024-12-22T15:00").who(mmg("garde", 500)).slot("garde", 15);
    let since = world.now - Span::from_mins(4);
    world.supply.sources.insert(Category::FixedPoint, SourceState::SilentSince(since));
    let plan = world.plan();
    assert_eq!(kept(&plan), ["FIXED_POINT garde"]);
    assert_eq!(said(&plan, Category::FixedPoint), Availability::NoAnswerSince(since));
}

//! What each source said, in four values: "no answer" and "not connected" are never shown as "none".

use sas_dispatch::domain::{
    directory::{Connection, Responder},
    routing::{Availability, Category, Plan, SourceState, WhyNot},
    time::Span,
};

use super::world::{World, gp, kept, mmg, why};

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

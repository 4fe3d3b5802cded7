//! The regulator of a case is never its responder.

use sas_dispatch::domain::{
    regulation::{
        independence::Exception,
        need::{CareType, LongestDelay},
    },
    routing::{Category, WhyNot},
    time::Span,
};

use super::world::{World, gp, kept, person, sos, why};

fn regulated_by_the_own_gp() -> World {
    let mut world = World::at("2024-12-19T10:00").who(gp("famille", 0)).own_gp("famille").slot("famille", 15);
    world.regulators.insert(person("dr-famille"));
    world
}

#[test]
fn an_own_gp_who_regulated_the_case_is_refused_by_telephone_and_by_slot() {
    let plan = regulated_by_the_own_gp().plan();
    assert_eq!(why(&plan, Category::OwnGp, Some("famille")), WhyNot::RegulatedCase);
    assert_eq!(why(&plan, Category::SasSlot, Some("famille")), WhyNot::RegulatedCase);
    assert!(plan.first().is_none());
}

#[test]
fn a_dated_exception_holds_on_its_days_only() {
    let mut world = regulated_by_the_own_gp();
    let now = world.now;
    let exception =
        |from, until| Exception { person: person("dr-famille"), convention: "Convention 2024-03".into(), from, until };
    world.territory.regulation.independence_exceptions = vec![exception(now, now + Span::from_ms(1))];
    assert_eq!(kept(&world.plan()), ["OWN_GP famille", "SAS_SLOT famille"]);
    world.territory.regulation.independence_exceptions = vec![exception(now - Span::from_hours(1), now)];
    assert_eq!(why(&world.plan(), Category::OwnGp, Some("famille")), WhyNot::RegulatedCase);
}

#[test]
fn a_structure_of_several_doctors_stays_unless_the_only_one_on_duty_regulated() {
    let mut world = World::at("2024-12-22T22:30")
        .who(sos("sos", &["dr-sos-1", "dr-sos-2"]))
        .decided(CareType::HomeVisit, LongestDelay::H4)
        .on_duty("sos", "dr-sos-1", true);
    world.regulators.insert(person("dr-sos-1"));
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::RegulatedCase);
    let world = world.on_duty("sos", "dr-sos-2", false);
    assert_eq!(kept(&world.plan()), ["HOME_VISIT sos"]);
    assert_eq!(world.plan().first().unwrap().earliest, None, "the doctor who is free regulated the case");
}

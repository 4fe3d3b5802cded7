//! Home visits: who drives where, and patients who cannot leave.

use sas_dispatch::domain::{
    directory::{Connection, Responder},
    regulation::need::{CareType, LongestDelay},
    routing::{Asked, Category, Means, SourceState, WhyNot},
    territory::SectorBand,
    time::Span,
};

use super::world::{COMMUNE, World, gp, kept, mmg, person, row, sector, sos, why};

fn sunday_night() -> World {
    World::at("2024-12-22T22:30")
        .who(sos("sos", &["dr-sos-1", "dr-sos-2"]))
        .who(mmg("garde", 500))
        .decided(CareType::HomeVisit, LongestDelay::H4)
}

#[test]
fn a_sunday_night_visit_is_offered_to_the_doctors_on_duty_in_the_sector() {
    let plan = sunday_night().on_duty("sos", "dr-sos-1", true).plan();
    assert_eq!(kept(&plan), ["HOME_VISIT sos"]);
    let first = plan.first().unwrap();
    assert_eq!(first.means, Some(Means::Visit { sector: sector("centre") }));
    assert_eq!(first.earliest, Some(plan.at));
    assert_eq!(plan.period, "PDSA_NIGHT");
    for category in [Category::SasSlot, Category::FixedPoint, Category::PracticeColleague] {
        assert_eq!(why(&plan, category, None), WhyNot::OtherCareDecided);
    }
}

#[test]
fn a_structure_with_a_free_doctor_comes_before_one_whose_doctors_are_all_driving() {
    let mut other = sos("b-autre", &["dr-autre"]);
    other.position = super::world::north(20_000);
    let world = sunday_night().who(other);
    let plan = world.on_duty("sos", "dr-sos-1", false).on_duty("b-autre", "dr-autre", true).plan();
    assert_eq!(kept(&plan), ["HOME_VISIT b-autre", "HOME_VISIT sos"]);
    assert_eq!(row(&plan, Category::HomeVisit, Some("sos")).earliest, None);
}

#[test]
fn nobody_on_duty_is_told_apart_from_a_terminal_nobody_hears() {
    let mut world = sunday_night();
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::NobodyOnDuty);
    world.responders[0].connection = Connection::NotConnected;
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::NotConnected);
    world.responders[0].connection = Connection::Connected;
    world.supply.sources.insert(Category::HomeVisit, SourceState::SilentSince(world.now - Span::from_mins(2)));
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::NoAnswer);
}

#[test]
fn the_sector_is_that_of_the_present_half_of_the_night() {
    let mut world = sunday_night().on_duty("sos", "dr-sos-1", true);
    let assignments = world.territory.sectors.assignments.get_mut(&COMMUNE.parse().unwrap()).unwrap();
    assignments.retain(|assignment| assignment.band == SectorBand::FirstHalf);
    assert_eq!(kept(&world.plan()), ["HOME_VISIT sos"]);
    world.now = world.now + Span::from_hours(3);
    assert_eq!(why(&world.plan(), Category::HomeVisit, None), WhyNot::SectorNotServed, "deep night, zone blanche");
}

#[test]
fn a_structure_that_does_not_drive_there_and_a_place_nobody_knows() {
    let mut world = sunday_night().on_duty("sos", "dr-sos-1", true);
    world.responders[0].visit_sectors = vec![sector("ailleurs")];
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::SectorNotServed);
    world.place = Default::default();
    assert_eq!(why(&world.plan(), Category::HomeVisit, None), WhyNot::PlaceUnknown);
}

#[test]
fn an_ehpad_resident_who_cannot_move_is_visited_or_seen_by_the_own_gp() {
    let mut world = World::at("2024-12-19T10:00")
        .who(sos("sos", &["dr-sos-1"]))
        .who(gp("famille", 0))
        .who(mmg("garde", 500))
        .own_gp("famille")
        .slot("garde", 15)
        .on_duty("sos", "dr-sos-1", true);
    (world.patient.ehpad, world.patient.reduced_mobility) = (true, true);
    let plan = world.plan();
    assert_eq!(kept(&plan), ["OWN_GP famille", "HOME_VISIT sos"], "in office hours the own GP is asked first");
    for category in [Category::SasSlot, Category::FixedPoint, Category::CptsColleague] {
        assert_eq!(why(&plan, category, None), WhyNot::PatientCannotLeave);
    }
    world.patient.reduced_mobility = false;
    let plan = world.plan();
    assert_eq!(why(&plan, Category::HomeVisit, None), WhyNot::OtherCareDecided);
    assert_eq!(kept(&plan)[0], "OWN_GP famille");
}

/// The own GP is called systematically (domain.md §3.1), also for a visit; on duty the order is the territory's.
#[test]
fn for_a_visit_the_own_gp_is_asked_before_sos_in_office_hours_and_in_the_stated_order_on_duty() {
    let at = |wall: &str| {
        let always = Responder { hours: super::world::hours(super::world::ALWAYS), ..gp("famille", 0) };
        let world = World::at(wall).who(sos("sos", &["dr-sos-1"])).who(always).own_gp("famille");
        world.on_duty("sos", "dr-sos-1", true).decided(CareType::HomeVisit, LongestDelay::H4)
    };
    let mut by_day = at("2024-12-19T10:00");
    assert_eq!(kept(&by_day.plan()), ["OWN_GP famille", "HOME_VISIT sos"]);
    assert_eq!(kept(&at("2024-12-19T22:00").plan()), ["HOME_VISIT sos", "OWN_GP famille"]);
    by_day.territory.routing.must_stay_home = vec![Category::HomeVisit];
    assert_eq!(kept(&by_day.plan()), ["HOME_VISIT sos"], "what a territory leaves out is not tried");
}

#[test]
fn a_structure_whose_doctors_are_all_driving_says_how_long_one_of_them_is_on_duty() {
    let mut world = sunday_night().on_duty("sos", "dr-sos-1", false).on_duty("sos", "dr-sos-2", false);
    let last = world.now + Span::from_hours(3);
    world.supply.shifts[0].end = last;
    world.supply.shifts[1].end = world.now + Span::from_hours(1);
    let busy = |world: &World| row(&world.plan(), Category::HomeVisit, Some("sos")).busy_until;
    assert_eq!(busy(&world), Some(last));
    world.regulators.insert(person("dr-sos-1"));
    assert_eq!(busy(&world), Some(world.supply.shifts[1].end), "he who regulated cannot take it when he is back");
    world.supply.shifts[1].free = true;
    assert_eq!(busy(&world), None);
}

#[test]
fn a_need_that_says_home_only_keeps_the_patient_home() {
    let mut world = sunday_night().on_duty("sos", "dr-sos-1", true).who(gp("famille", 0)).own_gp("famille");
    world.need.constraints.home_only = true;
    let plan = world.plan();
    assert_eq!(kept(&plan)[0], "HOME_VISIT sos");
    assert!(kept(&plan).iter().all(|row| row.starts_with("HOME_VISIT") || row.starts_with("OWN_GP")));
}

#[test]
fn a_visit_nobody_took_puts_the_structure_out() {
    let world = sunday_night().on_duty("sos", "dr-sos-1", true).tried("sos", Asked::Visit, WhyNot::Expired);
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::Expired);
}

/// Found by reading: one doctor of twelve who said no, or whose car had broken down, ruled all of them out.
#[test]
fn the_no_of_one_doctor_leaves_his_colleagues_on_duty() {
    let world = sunday_night().on_duty("sos", "dr-sos-1", true).refused_by("sos", "dr-sos-1");
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::Declined, "nobody else is on duty");
    let mut world = world.on_duty("sos", "dr-sos-2", true);
    assert_eq!(kept(&world.plan()), ["HOME_VISIT sos"]);
    world.supply.shifts[1].free = false;
    let busy = row(&world.plan(), Category::HomeVisit, Some("sos")).busy_until;
    assert_eq!(busy, Some(world.supply.shifts[1].end), "he who said no is not counted as free");
    let both = world.clone().refused_by("sos", "dr-sos-2");
    assert_eq!(why(&both.plan(), Category::HomeVisit, Some("sos")), WhyNot::Declined);
    world.regulators.insert(person("dr-sos-2"));
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::Declined);
    let all = world.tried("sos", Asked::Visit, WhyNot::Declined);
    assert_eq!(
        why(&all.plan(), Category::HomeVisit, Some("sos")),
        WhyNot::Declined,
        "the desk said no for the structure"
    );
}

#[test]
fn one_who_makes_no_visits_has_no_row_among_visits() {
    let only = Responder { visit_sectors: Vec::new(), ..sos("sos", &["dr-sos-1"]) };
    let mut world = sunday_night().on_duty("sos", "dr-sos-1", true);
    world.responders[0] = only;
    assert_eq!(why(&world.plan(), Category::HomeVisit, None), WhyNot::SectorNotServed);
    world.regulators.insert(person("dr-sos-1"));
    assert_eq!(why(&world.plan(), Category::HomeVisit, None), WhyNot::SectorNotServed);
}

/// A doctor who was free when the visit was offered had left before he saw it: five minutes later his structure was out, though
/// one offered then would have waited for hours.
#[test]
fn a_visit_nobody_took_while_all_were_driving_is_offered_again_as_one_made_now_would_be() {
    let tried = |free| sunday_night().on_duty("sos", "dr-sos-1", free).tried("sos", Asked::Visit, WhyNot::Expired);
    let world = tried(false);
    assert_eq!(kept(&world.plan()), ["HOME_VISIT sos"]);
    assert!(row(&world.plan(), Category::HomeVisit, Some("sos")).busy_until.is_some());
    let out = |world: &World| why(&world.plan(), Category::HomeVisit, Some("sos"));
    assert_eq!(out(&tried(true)), WhyNot::Expired, "he who is free has not answered");
    let mut late = tried(false);
    late.signed_at = late.now - late.need.longest_delay.span() + Span::from_mins(15);
    assert_eq!(out(&late), WhyNot::Expired, "it has waited as long as the delay allows");
    let declined = sunday_night().on_duty("sos", "dr-sos-1", false).tried("sos", Asked::Visit, WhyNot::Declined);
    assert_eq!(out(&declined), WhyNot::Declined);
}

/// A visit was offered until the end of the only doctor's shift, and his relief had no time to see it: silence before she came
/// counted as her no.
#[test]
fn whoever_comes_on_duty_after_an_offer_has_ended_is_asked() {
    let mut world = sunday_night().on_duty("sos", "dr-sos-1", true).tried("sos", Asked::Visit, WhyNot::Expired);
    assert_eq!(why(&world.plan(), Category::HomeVisit, Some("sos")), WhyNot::Expired);
    world.supply.shifts[0].start = world.tried[0].until;
    assert_eq!(kept(&world.plan()), ["HOME_VISIT sos"]);
    world.tried[0].why = WhyNot::Declined;
    assert_eq!(
        why(&world.plan(), Category::HomeVisit, Some("sos")),
        WhyNot::Declined,
        "a desk's no is the structure's"
    );
}

/// A visit of another shift, which has run out, keeps its doctor from being free.
#[test]
fn a_doctor_who_drives_is_not_free_in_whatever_shift() {
    let mut world = sunday_night().on_duty("sos", "dr-sos-1", true);
    world.supply.driving.insert(person("dr-sos-1"));
    assert!(row(&world.plan(), Category::HomeVisit, Some("sos")).busy_until.is_some());
}

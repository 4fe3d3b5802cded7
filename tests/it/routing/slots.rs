//! SAS slots and fixed points: earliest, nearest, one row per responder, limits.

use sas_dispatch::domain::{
    calendar::monday,
    directory::{Absence, Connection, Responder},
    ids::{CaseId, OfferId},
    regulation::need::{CareType, LongestDelay},
    routing::{Category, FreeSlot, Means, SourceState, WhyNot, explain_french},
    slots::{Slot, SlotKind, SlotState},
    time::{Instant, Span},
};
use uuid::Uuid;

use super::world::{World, free_slot, gp, kept, mmg, north, responder_id, row, slot_of, why};

#[test]
fn the_earliest_slot_wins_then_the_nearest_doctor_then_the_id() {
    let plan = World::at("2024-12-19T10:00")
        .who(gp("c-loin", 9_000))
        .who(gp("b-pres", 1_000))
        .who(gp("a-pres", 1_000))
        .who(gp("d-tot", 20_000))
        .slot("c-loin", 30)
        .slot("b-pres", 30)
        .slot("a-pres", 30)
        .slot("d-tot", 20)
        .plan();
    assert_eq!(kept(&plan), ["SAS_SLOT d-tot", "SAS_SLOT a-pres", "SAS_SLOT b-pres", "SAS_SLOT c-loin"]);
}

#[test]
fn a_doctor_has_one_row_with_the_earliest_slot_to_come() {
    let mut world = World::at("2024-12-19T10:00").who(gp("voisin", 0)).slot("voisin", 45).slot("voisin", 15);
    let past = free_slot(world.now, -5, SlotKind::Snp);
    world.supply.slots.get_mut(&responder_id("voisin")).unwrap().push(past);
    let plan = world.plan();
    let row = row(&plan, Category::SasSlot, Some("voisin"));
    assert_eq!(row.earliest, Some(world.now + Span::from_mins(15)));
}

#[test]
fn a_slot_that_begins_while_its_patient_is_still_being_told_comes_after_the_others() {
    let mut world = World::at("2024-12-19T10:00")
        .who(gp("voisin", 28_000))
        .who(gp("suivant", 2_000))
        .slot("voisin", 1)
        .slot("suivant", 40)
        .who(mmg("garde", 500))
        .slot("garde", 2);
    let first = ["SAS_SLOT suivant", "SAS_SLOT voisin", "FIXED_POINT garde"];
    assert_eq!(kept(&world.plan()), first);
    world = world.slot("voisin", 15);
    let plan = world.plan();
    assert_eq!(kept(&plan)[0], "SAS_SLOT voisin");
    assert_eq!(row(&plan, Category::SasSlot, Some("voisin")).earliest, Some(world.now + Span::from_mins(15)));
}

#[test]
fn no_slot_before_the_deadline_is_told_apart_from_no_slot_at_all() {
    let mut world = World::at("2024-12-19T10:00").who(gp("tard", 0)).who(gp("plein", 0)).slot("tard", 24 * 60 + 1);
    world.supply.slots.insert(responder_id("plein"), Vec::new());
    let plan = world.plan();
    assert_eq!(why(&plan, Category::SasSlot, Some("tard")), WhyNot::SlotAfterDeadline);
    assert_eq!(row(&plan, Category::SasSlot, Some("tard")).earliest, Some(world.now + Span::from_mins(24 * 60 + 1)));
    assert_eq!(why(&plan, Category::SasSlot, Some("plein")), WhyNot::NoFreeSlot);
    assert!(plan.first().is_none());
    world = world.slot("tard", 24 * 60);
    assert_eq!(kept(&world.plan()), ["SAS_SLOT tard"]);
}

#[test]
fn the_delay_runs_from_the_signature_and_once_it_has_passed_only_what_is_open_now_remains() {
    let mut world = World::at("2024-12-19T10:00")
        .who(gp("famille", 0))
        .who(gp("voisin", 0))
        .own_gp("famille")
        .slot("voisin", 30)
        .decided(CareType::Consultation, LongestDelay::H1);
    world.signed_at = world.now - Span::from_mins(45);
    let plan = world.plan();
    assert_eq!(plan.deadline, world.now + Span::from_mins(15));
    assert_eq!(why(&plan, Category::SasSlot, Some("voisin")), WhyNot::SlotAfterDeadline);
    world.signed_at = world.now - Span::from_hours(3);
    let plan = world.plan();
    assert_eq!(plan.deadline, world.now - Span::from_hours(2));
    assert_eq!(kept(&plan), ["OWN_GP famille"]);
}

#[test]
fn slots_after_20_hours_are_not_filtered() {
    let plan = World::at("2024-12-19T18:00").who(gp("soir", 0)).slot("soir", 150).plan();
    assert_eq!(kept(&plan), ["SAS_SLOT soir"]);
}

#[test]
fn too_far_is_measured_from_the_patient_and_needs_a_place() {
    let mut world =
        World::at("2024-12-19T10:00").who(gp("loin", 30_100)).who(gp("pres", 29_900)).slot("loin", 5).slot("pres", 5);
    let plan = world.plan();
    assert_eq!(kept(&plan), ["SAS_SLOT pres"]);
    assert_eq!(why(&plan, Category::SasSlot, Some("loin")), WhyNot::TooFar);
    world.place.position = Some(north(20_000));
    assert_eq!(kept(&world.plan()), ["SAS_SLOT pres", "SAS_SLOT loin"]);
    world.place.position = None;
    assert_eq!(kept(&world.plan()), ["SAS_SLOT pres"], "the centre of the commune stands in");
    world.place.commune = None;
    world.place.sector = None;
    let plan = world.plan();
    for category in [Category::SasSlot, Category::FixedPoint] {
        assert_eq!(why(&plan, category, None), WhyNot::PlaceUnknown);
    }
    assert!(plan.first().is_none());
}

#[test]
fn a_doctor_exactly_at_the_limit_of_distance_is_in_reach() {
    let mut world = World::at("2024-12-19T10:00").who(gp("voisin", 12_345)).slot("voisin", 5);
    let metres = row(&world.plan(), Category::SasSlot, Some("voisin")).distance_m.unwrap();
    world.territory.routing.max_distance_metres.insert(Category::SasSlot, metres);
    assert_eq!(kept(&world.plan()), ["SAS_SLOT voisin"]);
    world.territory.routing.max_distance_metres.insert(Category::SasSlot, metres - 1);
    assert_eq!(why(&world.plan(), Category::SasSlot, Some("voisin")), WhyNot::TooFar);
}

/// Twenty patients of others in a week bound a fee: they once refused the twenty-first his care.
#[test]
fn the_weekly_limit_of_the_supplement_is_shown_and_refuses_nobody() {
    let mut world = World::at("2024-12-19T10:00").who(gp("voisin", 0)).slot("voisin", 15);
    let zone = world.territory.calendar.zone();
    let week = |at: Instant| (responder_id("voisin"), monday(zone, at));
    let shown = |world: &World| {
        let plan = world.plan();
        assert!(kept(&plan).contains(&"SAS_SLOT voisin".to_owned()), "{:?}", kept(&plan));
        row(&plan, Category::SasSlot, Some("voisin")).snp_cap_reached
    };
    world.supply.snp.insert(week(world.now), 19);
    assert!(!shown(&world));
    world.supply.snp.insert(week(world.now), 20);
    assert!(shown(&world));
    let line = &explain_french(&world.plan(), &world.directory())[0];
    assert!(line.ends_with(", plafond hebdomadaire de majorations SNP atteint"), "{line}");
    world.patient.own_gp = Some(responder_id("voisin"));
    assert!(!shown(&world), "his own patient bears no supplement");
}

#[test]
fn what_is_booked_counts_in_the_week_of_its_hour_and_without_the_doctors_own_patients() {
    let mut world = World::at("2024-12-22T20:30").who(gp("voisin", 0)).slot("voisin", 12 * 60);
    world.territory.routing.weekly_snp_cap = 1;
    let (now, zone) = (world.now, world.territory.calendar.zone());
    let (case, offer) = (CaseId(Uuid::from_u128(1)), OfferId(Uuid::from_u128(2)));
    let booked = |minutes, own_patient| {
        let FreeSlot { id, kind, start, end } = free_slot(now, minutes, SlotKind::Snp);
        let state = SlotState::Booked { case, offer, at: now, own_patient };
        Slot { id, responder: responder_id("voisin"), kind, start, end, state, turn: None, unknown: Default::default() }
    };
    let reached = |world: &World| row(&world.plan(), Category::SasSlot, Some("voisin")).snp_cap_reached;
    world.supply.count_snp(&booked(-60, false), zone);
    world.supply.count_snp(&booked(11 * 60, true), zone);
    assert!(!reached(&world), "this Sunday, and a patient of his own on Monday");
    world.supply.count_snp(&booked(11 * 60, false), zone);
    assert!(reached(&world), "the slot is Monday's");
}

#[test]
fn a_doctor_with_no_free_slot_who_takes_more_is_rung_after_all_slots() {
    let more = Responder { supernumerary: true, ..gp("plus", 100) };
    let mut world = World::at("2024-12-19T10:00").who(more).who(gp("voisin", 9_000)).slot("voisin", 300);
    world.supply.slots.insert(responder_id("plus"), Vec::new());
    let plan = world.plan();
    assert_eq!(kept(&plan), ["SAS_SLOT voisin", "SAS_SLOT plus"]);
    assert_eq!(row(&plan, Category::SasSlot, Some("plus")).means, Some(Means::Ring));
}

#[test]
fn a_slot_published_to_a_cpts_is_for_patients_of_its_doctors() {
    let member = |id: &str, cpts: &str| Responder { cpts: Some(responder_id(cpts)), ..gp(id, 100) };
    let mut world = World::at("2024-12-19T10:00").who(member("voisin", "cpts-a")).who(member("famille", "cpts-b"));
    let slot = free_slot(world.now, 15, SlotKind::Cpts);
    world.supply.slots.insert(responder_id("voisin"), vec![slot]);
    assert_eq!(why(&world.plan(), Category::SasSlot, Some("voisin")), WhyNot::OwnPatientsOnly);
    world.patient.own_gp = Some(responder_id("famille"));
    assert_eq!(why(&world.plan(), Category::SasSlot, Some("voisin")), WhyNot::OwnPatientsOnly);
    world.responders[1].cpts = Some(responder_id("cpts-a"));
    let plan = world.plan();
    assert_eq!(slot_of(row(&plan, Category::SasSlot, Some("voisin"))), free_slot(world.now, 15, SlotKind::Cpts).id);
}

#[test]
fn a_slot_on_a_day_of_leave_does_not_count() {
    let leave = Absence { from: "2024-12-20".parse().unwrap(), to: "2024-12-20".parse().unwrap() };
    let world = World::at("2024-12-19T18:00").who(Responder { absences: vec![leave], ..gp("voisin", 0) });
    let plan = world.slot("voisin", 15 * 60).plan();
    assert_eq!(why(&plan, Category::SasSlot, Some("voisin")), WhyNot::Absent);
}

#[test]
fn a_fixed_point_is_booked_when_it_publishes_slots_and_rung_in_its_hours_otherwise() {
    let closed = Responder { hours: super::world::hours("Mo-Su 01:00-02:00"), ..mmg("ferme", 100) };
    let mut world = World::at("2024-12-22T15:00")
        .who(mmg("a-creneaux", 3_000))
        .who(mmg("a-appeler", 5_000))
        .who(closed)
        .slot("a-creneaux", 40)
        .decided(CareType::Consultation, LongestDelay::H4);
    let plan = world.plan();
    assert_eq!(kept(&plan), ["FIXED_POINT a-creneaux", "FIXED_POINT a-appeler"]);
    assert!(matches!(row(&plan, Category::FixedPoint, Some("a-creneaux")).means, Some(Means::Slot { .. })));
    assert_eq!(row(&plan, Category::FixedPoint, Some("a-appeler")).means, Some(Means::Ring));
    assert_eq!(why(&plan, Category::FixedPoint, Some("ferme")), WhyNot::ClosedBeforeDeadline);
    world.supply.slots.insert(responder_id("a-creneaux"), Vec::new());
    assert_eq!(why(&world.plan(), Category::FixedPoint, Some("a-creneaux")), WhyNot::NoFreeSlot);
}

/// A slot withdrawn in the morning, or one that has begun, was taken for an agenda: the open point was never rung, and an
/// instance that had started since and not read the old slot said otherwise.
#[test]
fn a_slot_that_was_withdrawn_or_has_begun_keeps_nobody_from_ringing_an_open_fixed_point() {
    let mut world = World::at("2024-12-22T15:00").who(mmg("garde", 500));
    let now = world.now;
    let slot = |minutes, state| {
        let FreeSlot { id, kind, start, end } = free_slot(now, minutes, SlotKind::FixedPoint);
        Slot { id, responder: responder_id("garde"), kind, start, end, state, turn: None, unknown: Default::default() }
    };
    let (case, offer) = (CaseId(Uuid::from_u128(1)), OfferId(Uuid::from_u128(2)));
    world.supply.add_slot(&slot(60, SlotState::Withdrawn { at: now }), now);
    world.supply.add_slot(&slot(-90, SlotState::Free), now);
    world.supply.add_slot(&slot(-5, SlotState::Booked { case, offer, at: now, own_patient: false }), now);
    assert_eq!(row(&world.plan(), Category::FixedPoint, Some("garde")).means, Some(Means::Ring));
    world.supply.add_slot(&slot(20, SlotState::Booked { case, offer, at: now, own_patient: false }), now);
    assert_eq!(
        why(&world.plan(), Category::FixedPoint, Some("garde")),
        WhyNot::NoFreeSlot,
        "it publishes, and is full"
    );
}

#[test]
fn of_fixed_points_that_receive_within_the_hour_the_nearest_comes_first_and_the_others_by_hour() {
    let evening = Responder { hours: super::world::hours("Mo-Su 20:00-24:00"), ..mmg("a-soir", 100) };
    let plan = World::at("2024-12-22T15:00")
        .who(evening)
        .who(mmg("b-loin", 5_000))
        .who(mmg("c-pres", 4_000))
        .who(mmg("d-tard", 200))
        .slot("c-pres", 60)
        .slot("d-tard", 120)
        .plan();
    let expected = ["FIXED_POINT c-pres", "FIXED_POINT b-loin", "FIXED_POINT d-tard", "FIXED_POINT a-soir"];
    assert_eq!(kept(&plan), expected);
}

#[test]
fn video_comes_after_everything_physical_unless_it_was_decided_and_never_when_an_examination_is_needed() {
    let mut world = World::at("2024-12-19T10:00").who(gp("ecran", 90_000)).who(gp("voisin", 0)).slot("voisin", 600);
    world.supply.video.insert(responder_id("ecran"), vec![free_slot(world.now, 5, SlotKind::Public)]);
    world.territory.routing.office_hours.rotate_right(1);
    assert_eq!(world.territory.routing.office_hours[0], Category::Teleconsultation);
    assert_eq!(kept(&world.plan()), ["SAS_SLOT voisin", "TELECONSULTATION ecran"]);
    world.need.constraints.must_examine = true;
    assert_eq!(why(&world.plan(), Category::Teleconsultation, None), WhyNot::MustExamine);
    world.need.constraints.must_examine = false;
    let world = world.decided(CareType::Teleconsultation, LongestDelay::H24);
    let plan = world.plan();
    assert_eq!(kept(&plan), ["TELECONSULTATION ecran"]);
    assert_eq!(why(&plan, Category::SasSlot, None), WhyNot::OtherCareDecided);
}

#[test]
fn a_doctor_whose_agenda_nobody_connected_is_not_shown_as_full() {
    let plan =
        World::at("2024-12-19T10:00").who(Responder { connection: Connection::NotConnected, ..gp("papier", 0) }).plan();
    assert_eq!(why(&plan, Category::SasSlot, Some("papier")), WhyNot::NotConnected);
}

#[test]
fn what_a_silent_agenda_said_before_is_not_relied_on() {
    let mut world = World::at("2024-12-19T10:00").who(gp("voisin", 0)).slot("voisin", 15);
    world.supply.sources.insert(Category::SasSlot, SourceState::SilentSince(world.now - Span::from_mins(3)));
    assert_eq!(why(&world.plan(), Category::SasSlot, Some("voisin")), WhyNot::NoAnswer);
}

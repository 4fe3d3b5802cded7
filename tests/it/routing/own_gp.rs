//! The own GP comes first; the plan always says why not.

use sas_dispatch::domain::{
    case::patient::{Consent, Recipient, Wish},
    directory::{Absence, CollectiveProgramme, Responder, ResponderKind},
    regulation::need::{CareType, LongestDelay},
    routing::{Asked, Category, Means, WhyNot, explain_french},
    slots::SlotKind,
    time::Span,
};

use super::world::{ALWAYS, World, free_slot, gp, hours, kept, mmg, responder_id, row, sector, slot_of, sos, why};

#[test]
fn on_a_weekday_the_own_gp_is_rung_first_before_a_nearer_slot() {
    let plan = World::at("2024-12-19T10:00")
        .who(gp("famille", 2_000))
        .who(gp("voisin", 100))
        .own_gp("famille")
        .slot("voisin", 15)
        .plan();
    assert_eq!(kept(&plan), ["OWN_GP famille", "SAS_SLOT voisin"]);
    let first = plan.first().unwrap();
    assert_eq!((first.means.clone(), first.earliest), (Some(Means::Ring), Some(plan.at)));
    assert_eq!(first.distance_m, Some(2_000));
}

#[test]
fn a_gp_who_opens_again_before_the_deadline_is_kept_with_the_hour() {
    let mut world = World::at("2024-12-19T12:30").who(gp("famille", 0)).own_gp("famille");
    let plan = world.plan();
    assert_eq!(row(&plan, Category::OwnGp, Some("famille")).earliest.unwrap().to_string(), "2024-12-19T13:00:00.000Z");
    world.need.longest_delay = LongestDelay::H1;
    assert_eq!(why(&world.plan(), Category::OwnGp, Some("famille")), WhyNot::ClosedBeforeDeadline);
}

#[test]
fn opening_at_the_very_deadline_is_in_time() {
    let mut world = World::at("2024-12-19T13:00").who(gp("famille", 0)).own_gp("famille");
    world.need.longest_delay = LongestDelay::H1;
    assert_eq!(kept(&world.plan()), ["OWN_GP famille"]);
}

/// 12:31 in Strasbourg, care within the hour: the own GP and two colleagues open again at 13:30, a slot is free at 12:46.
#[test]
fn a_practice_closed_for_lunch_does_not_swallow_a_delay_in_which_others_can_begin() {
    let afternoon = |id: &str, practice: Option<&str>| Responder {
        hours: hours("Mo-Fr 08:00-12:00,13:30-19:00"),
        practice: practice.map(responder_id),
        ..gp(id, 500)
    };
    let mut world = World::at("2024-12-19T12:31")
        .who(afternoon("famille", Some("cabinet")))
        .who(afternoon("associe", Some("cabinet")))
        .who(gp("voisin", 4_000))
        .who(mmg("garde", 3_000))
        .own_gp("famille")
        .slot("voisin", 15)
        .decided(CareType::Consultation, LongestDelay::H1);
    let others = ["SAS_SLOT voisin", "FIXED_POINT garde", "OWN_GP famille", "PRACTICE_COLLEAGUE associe"];
    assert_eq!(kept(&world.plan()), others, "asked last, after whatever can begin before they open");
    world.need.longest_delay = LongestDelay::H4;
    assert_eq!(kept(&world.plan())[0], "OWN_GP famille", "time enough is left to ask another after him");
}

#[test]
fn the_own_gp_comes_first_as_long_as_one_more_can_be_asked_after_him() {
    let mut world = World::at("2024-12-19T13:00").who(gp("famille", 0)).who(mmg("garde", 500)).own_gp("famille");
    world.need.longest_delay = LongestDelay::H4;
    // He opens at 14:00, has ten minutes to answer, and so has whoever is asked next.
    world.signed_at = world.now - Span::from_mins(160);
    assert_eq!(kept(&world.plan()), ["OWN_GP famille", "FIXED_POINT garde"]);
    world.signed_at = world.now - Span::from_mins(161);
    assert_eq!(kept(&world.plan()), ["FIXED_POINT garde", "OWN_GP famille"]);
}

#[test]
fn a_gp_on_leave_is_absent_and_a_colleague_of_the_practice_comes_before_one_of_the_cpts() {
    let with = |id: &str, metres, practice: &str| Responder {
        practice: Some(responder_id(practice)),
        cpts: Some(responder_id("cpts")),
        ..gp(id, metres)
    };
    let leave = Absence { from: "2024-12-16".parse().unwrap(), to: "2024-12-20".parse().unwrap() };
    let own = Responder { absences: vec![leave], ..with("famille", 0, "cabinet") };
    let plan = World::at("2024-12-19T10:00")
        .who(own)
        .who(with("associe", 5_000, "cabinet"))
        .who(with("confrere", 100, "ailleurs"))
        .own_gp("famille")
        .plan();
    assert_eq!(why(&plan, Category::OwnGp, Some("famille")), WhyNot::Absent);
    assert_eq!(kept(&plan), ["PRACTICE_COLLEAGUE associe", "CPTS_COLLEAGUE confrere"]);
}

#[test]
fn who_opposes_that_his_gp_is_told_is_sent_neither_to_him_nor_to_his_practice() {
    let with = |id: &str, metres, practice: &str| Responder {
        practice: Some(responder_id(practice)),
        cpts: Some(responder_id("cpts")),
        ..gp(id, metres)
    };
    let mut world = World::at("2024-12-19T10:00")
        .who(with("famille", 0, "cabinet"))
        .who(with("associe", 100, "cabinet"))
        .who(with("confrere", 5_000, "ailleurs"))
        .own_gp("famille")
        .slot("associe", 15)
        .slot("confrere", 30);
    assert_eq!(kept(&world.plan())[0], "OWN_GP famille");
    let (recipient, wish) = (Recipient::Gp, Wish::Opposes);
    world.patient.consents = vec![Consent { recipient, wish, form: None, at: None, noted_by: None }];
    let plan = world.plan();
    assert_eq!(why(&plan, Category::OwnGp, Some("famille")), WhyNot::PatientOpposes);
    assert_eq!(why(&plan, Category::PracticeColleague, Some("associe")), WhyNot::PatientOpposes);
    assert!(kept(&plan).iter().all(|option| option.ends_with(" confrere")), "{:?}", kept(&plan));
    assert!(!kept(&plan).is_empty(), "the care is found elsewhere");
}

#[test]
fn a_patient_without_gp_has_no_colleagues_of_one() {
    let plan = World::at("2024-12-19T10:00").who(gp("voisin", 100)).slot("voisin", 15).plan();
    for category in [Category::OwnGp, Category::PracticeColleague, Category::CptsColleague] {
        assert_eq!(why(&plan, category, None), WhyNot::NoOwnGp);
    }
    assert_eq!(kept(&plan), ["SAS_SLOT voisin"]);
}

#[test]
fn a_colleague_with_neither_convention_nor_spare_time_sees_only_his_own_patients() {
    let own = Responder { practice: Some(responder_id("cabinet")), ..gp("famille", 0) };
    let mut colleague = Responder { id: responder_id("associe"), ..own.clone() };
    colleague.conventions.sas = false;
    let mut world = World::at("2024-12-19T10:00").who(own).who(colleague).own_gp("famille");
    assert_eq!(why(&world.plan(), Category::PracticeColleague, Some("associe")), WhyNot::OwnPatientsOnly);
    world.responders[1].supernumerary = true;
    let plan = world.plan();
    assert!(kept(&plan).contains(&"PRACTICE_COLLEAGUE associe".to_owned()), "{:?}", kept(&plan));
}

#[test]
fn at_night_the_own_gp_has_a_row_and_is_tried_when_the_policy_lists_it() {
    let night = Responder { hours: hours(ALWAYS), ..gp("famille", 0) };
    let mut world = World::at("2024-12-19T22:00").who(night).who(mmg("garde", 500)).own_gp("famille");
    world.need.longest_delay = LongestDelay::H8;
    let plan = world.plan();
    assert_eq!(why(&plan, Category::OwnGp, Some("famille")), WhyNot::NotInThisPeriod);
    assert_eq!(kept(&plan), ["FIXED_POINT garde"]);
    world.territory.routing.pdsa.insert(0, Category::OwnGp);
    assert_eq!(kept(&world.plan()), ["OWN_GP famille", "FIXED_POINT garde"]);
}

/// Found by reading: on Sunday at 22:00, with a day's time, a stranger's slot of Monday 10:00 came before the own GP, who opens
/// on Monday at 08:00.
#[test]
fn an_own_gp_who_opens_in_office_hours_comes_before_the_slots_of_that_day_and_after_what_the_night_offers() {
    let mut world = World::at("2024-12-15T22:00")
        .who(gp("famille", 2_000))
        .who(gp("voisin", 100))
        .own_gp("famille")
        .slot("voisin", 720);
    let plan = world.plan();
    assert_eq!(kept(&plan), ["OWN_GP famille", "SAS_SLOT voisin"]);
    assert_eq!(plan.first().unwrap().earliest.unwrap().to_string(), "2024-12-16T07:00:00.000Z");
    let told = explain_french(&plan, &world.directory());
    assert!(
        told[0].starts_with("1. Médecin traitant") && told[0].contains("ouvert le 16 décembre à 8 h 00"),
        "{told:?}"
    );
    world = world.who(gp("nocturne", 300)).slot("nocturne", 60).who(mmg("garde", 500));
    let order = ["FIXED_POINT garde", "SAS_SLOT nocturne", "OWN_GP famille", "SAS_SLOT voisin"];
    assert_eq!(kept(&world.plan()), order, "what can begin tonight does not wait for the morning");
    world.need.longest_delay = LongestDelay::H8;
    assert_eq!(why(&world.plan(), Category::OwnGp, Some("famille")), WhyNot::NotInThisPeriod, "he opens too late");
}

#[test]
fn by_night_a_policy_that_lists_the_own_gp_last_still_asks_him_before_a_slot_of_the_day() {
    let mut world = World::at("2024-12-15T22:00").who(gp("famille", 0)).who(gp("voisin", 100)).own_gp("famille");
    world.territory.routing.pdsa = vec![Category::SasSlot, Category::OwnGp];
    world = world.slot("voisin", 720);
    assert_eq!(kept(&world.plan()), ["OWN_GP famille", "SAS_SLOT voisin"]);
}

/// Found by a reader: on the Friday after 1 May, with a day's time, the own GP who opens on Saturday at 09:00 was out of the
/// period and a stranger was rung that Saturday.
#[test]
fn on_a_bridge_day_the_own_gp_is_asked_for_the_office_hours_that_follow() {
    let saturday = Responder { hours: hours("Mo-Th,Sa 09:00-12:00; PH off"), ..gp("famille", 2_000) };
    let mut world =
        World::at("2025-05-02T12:00").who(saturday).who(gp("voisin", 100)).own_gp("famille").slot("voisin", 1_380);
    assert_eq!(world.plan().period, "PDSA_BRIDGE");
    assert_eq!(kept(&world.plan()), ["OWN_GP famille", "SAS_SLOT voisin"]);
    // Open on the bridge day as well, and open at this moment: neither hides Saturday.
    for more in ["Mo-Sa 09:00-12:00,14:00-18:00", "Mo-Sa 09:00-20:00", ALWAYS] {
        world.responders[0].hours = hours(more);
        assert_eq!(kept(&world.plan()), ["OWN_GP famille", "SAS_SLOT voisin"], "{more}");
        let opens = row(&world.plan(), Category::OwnGp, Some("famille")).earliest.unwrap();
        let office_hours = if more == ALWAYS { "2025-05-03T06:00:00.000Z" } else { "2025-05-03T07:00:00.000Z" };
        assert_eq!(opens.to_string(), office_hours, "{more}");
    }
}

/// Found by a reader: on the evening of 1 May the own GP was refused as such and rung as any doctor of the SAS.
#[test]
fn on_the_eve_of_a_bridge_day_the_own_gp_is_asked_for_the_day_after_it() {
    let own = Responder { hours: hours("Mo-Sa 08:00-12:00; PH off"), ..gp("famille", 0) };
    let mut world = World::at("2025-05-01T20:00").who(own).own_gp("famille");
    world.need.longest_delay = LongestDelay::H48;
    let opens = row(&world.plan(), Category::OwnGp, Some("famille")).earliest.unwrap();
    assert_eq!(opens.to_string(), "2025-05-03T06:00:00.000Z");
    let away = |day: &str| vec![Absence { from: day.parse().unwrap(), to: day.parse().unwrap() }];
    world.responders[0].absences = away("2025-05-02");
    assert_eq!(kept(&world.plan()), ["OWN_GP famille"], "away on the bridge day only");
    world.responders[0].absences = away("2025-05-03");
    assert_eq!(why(&world.plan(), Category::OwnGp, Some("famille")), WhyNot::NotInThisPeriod);
}

/// Found by a reader: whoever opens at 07:30 was not asked at all, and whoever opens at 08:00 was asked first.
#[test]
fn an_own_gp_who_opens_before_eight_is_rung_when_office_hours_begin() {
    let early = Responder { hours: hours("Mo-Fr 07:30-12:00; PH off"), ..gp("famille", 2_000) };
    let world = |wall| {
        let voisin = Responder { supernumerary: true, ..gp("voisin", 100) };
        World::at(wall)
            .who(early.clone())
            .who(voisin)
            .own_gp("famille")
            .decided(CareType::Consultation, LongestDelay::H8)
    };
    for wall in ["2024-12-19T03:00", "2024-12-19T07:45", "2024-12-19T08:00"] {
        let plan = world(wall).plan();
        assert_eq!(kept(&plan)[0], "OWN_GP famille", "{wall}");
        assert_eq!(plan.first().unwrap().earliest.unwrap().to_string(), "2024-12-19T07:00:00.000Z", "{wall}");
    }
    let at_night = world("2024-12-19T03:00");
    let told = explain_french(&at_night.plan(), &at_night.directory());
    assert!(told[0].contains("ouvert à 8 h 00, à appeler"), "{told:?}");
}

#[test]
fn an_own_gp_whose_hours_end_before_office_hours_begin_is_not_asked_for_them() {
    let early = Responder { hours: hours("Mo-Fr 06:00-08:00"), ..gp("famille", 0) };
    let world = World::at("2024-12-19T03:00").who(early).own_gp("famille");
    let world = world.decided(CareType::Consultation, LongestDelay::H8);
    assert_eq!(why(&world.plan(), Category::OwnGp, Some("famille")), WhyNot::NotInThisPeriod);
}

/// The policy of the night lists him: he is rung when he opens, and what begins by day waits for him whenever that is.
#[test]
fn an_own_gp_of_the_night_who_also_receives_by_day_comes_before_the_slots_of_the_day() {
    let early = Responder { hours: hours("Mo-Fr 07:30-12:00; PH off"), ..gp("famille", 0) };
    let mut world = World::at("2024-12-15T22:00").who(early).who(gp("voisin", 100)).own_gp("famille");
    world.territory.routing.pdsa = vec![Category::SasSlot, Category::OwnGp];
    world = world.slot("voisin", 720);
    let plan = world.plan();
    assert_eq!(kept(&plan), ["OWN_GP famille", "SAS_SLOT voisin"]);
    assert_eq!(plan.first().unwrap().earliest.unwrap().to_string(), "2024-12-16T06:30:00.000Z");
}

/// It never closes, which hid that it also receives by day.
#[test]
fn by_night_a_collective_practice_is_rung_for_the_morning_after_what_the_night_offers() {
    let mut world = programme().who(mmg("garde", 500));
    (world.now, world.signed_at) = (world.now - Span::from_hours(4), world.now - Span::from_hours(4));
    world.need.longest_delay = LongestDelay::H8;
    let plan = world.plan();
    assert_eq!(kept(&plan), ["FIXED_POINT garde", "OWN_GP programme"]);
    let own = row(&plan, Category::OwnGp, Some("programme"));
    assert_eq!(
        (own.means.clone(), own.earliest.unwrap().to_string()),
        (Some(Means::Ring), "2024-12-19T07:00:00.000Z".into())
    );
}

#[test]
fn an_own_gp_the_directory_does_not_know_is_not_connected() {
    let plan = World::at("2024-12-19T10:00").who(gp("voisin", 100)).own_gp("ailleurs").plan();
    assert_eq!(why(&plan, Category::OwnGp, Some("ailleurs")), WhyNot::NotConnected);
}

#[test]
fn a_gp_who_said_no_is_out_also_by_slot_and_one_who_was_not_reached_only_by_telephone() {
    let world = World::at("2024-12-19T10:00").who(gp("famille", 0)).own_gp("famille").slot("famille", 60);
    let no = world.clone().tried("famille", Asked::Phone, WhyNot::Declined).plan();
    assert_eq!(why(&no, Category::OwnGp, Some("famille")), WhyNot::Declined);
    assert_eq!(why(&no, Category::SasSlot, Some("famille")), WhyNot::Declined);
    let silent = world.tried("famille", Asked::Phone, WhyNot::Unreachable).plan();
    assert_eq!(why(&silent, Category::OwnGp, Some("famille")), WhyNot::Unreachable);
    assert_eq!(kept(&silent), ["SAS_SLOT famille"]);
}

#[test]
fn a_slot_that_was_taken_leaves_the_doctor_his_other_slots() {
    let world = World::at("2024-12-19T10:00").who(gp("voisin", 100)).slot("voisin", 15).slot("voisin", 45);
    let first = free_slot(world.now, 15, SlotKind::Snp).id;
    let second = free_slot(world.now, 45, SlotKind::Snp).id;
    assert_eq!(slot_of(world.plan().first().unwrap()), first);
    let world = world.tried("voisin", Asked::Slot(first), WhyNot::Taken);
    assert_eq!(slot_of(world.plan().first().unwrap()), second);
    let world = world.tried("voisin", Asked::Slot(second), WhyNot::Declined);
    assert_eq!(why(&world.plan(), Category::SasSlot, Some("voisin")), WhyNot::Declined);
}

/// The hold ran out because nobody told the patient: the slot was shown as free and could not be had again.
#[test]
fn a_slot_whose_hold_ran_out_is_proposed_again_after_everything_else() {
    let world =
        World::at("2024-12-19T10:00").who(gp("voisin", 100)).slot("voisin", 15).who(gp("autre", 900)).slot("autre", 90);
    let slot = free_slot(world.now, 15, SlotKind::Snp).id;
    assert_eq!(kept(&world.plan()), ["SAS_SLOT voisin", "SAS_SLOT autre"]);
    let again = world.tried("voisin", Asked::Slot(slot), WhyNot::Expired);
    assert_eq!(kept(&again.plan()), ["SAS_SLOT autre", "SAS_SLOT voisin"]);
    let given_back = again.tried("voisin", Asked::Slot(slot), WhyNot::Cancelled);
    assert_eq!(kept(&given_back.plan()), ["SAS_SLOT autre"]);
}

/// SOS Médecins stands in as own GP for its listed patients; its own doctors are the association's.
fn programme() -> World {
    let association = sos("sos", &["dr-sos-1", "dr-sos-2"]);
    let programme = CollectiveProgramme {
        capacity_patients: 300,
        list_owner: "CCAS".into(),
        mt_fee: false,
        served_by: responder_id("sos"),
    };
    let practice = Responder {
        id: responder_id("programme"),
        kind: ResponderKind::CollectivePractice,
        association: Some(responder_id("sos")),
        programme: Some(programme),
        visit_sectors: vec![sector("centre")],
        ..association.clone()
    };
    World::at("2024-12-19T10:00").who(association).who(practice).own_gp("programme")
}

#[test]
fn a_collective_practice_stands_in_as_own_gp_and_visits_who_can_hardly_move() {
    let mut world = programme().on_duty("sos", "dr-sos-1", true);
    let plan = world.plan();
    assert_eq!(plan.first().unwrap().means, Some(Means::Ring));
    assert_eq!(kept(&plan)[0], "OWN_GP programme");
    world.patient.reduced_mobility = true;
    let plan = world.plan();
    assert_eq!(kept(&plan)[0], "OWN_GP sos");
    assert_eq!(plan.first().unwrap().means, Some(Means::Visit { sector: sector("centre") }));
}

#[test]
fn without_a_doctor_on_duty_the_collective_practice_is_rung_and_a_no_of_its_association_counts() {
    let mut world = programme();
    world.patient.reduced_mobility = true;
    assert_eq!(world.plan().first().unwrap().means, Some(Means::Ring));
    let world = world.tried("sos", Asked::Visit, WhyNot::Expired);
    assert_eq!(why(&world.plan(), Category::OwnGp, Some("programme")), WhyNot::Expired);
}

#[test]
fn a_collective_practice_is_nobody_elses_home_visit() {
    let mut world = programme().on_duty("sos", "dr-sos-1", true).decided(CareType::HomeVisit, LongestDelay::H4);
    world.patient.own_gp = None;
    assert_eq!(kept(&world.plan()), ["HOME_VISIT sos"]);
}

/// The doctor had fallen ill: his slot was held again for the same patient, and his practice rung first again.
#[test]
fn a_practice_that_gave_an_hour_which_was_cancelled_is_asked_after_all_others() {
    let world = World::at("2024-12-19T10:00").who(gp("famille", 0)).own_gp("famille");
    let world = world.who(gp("voisin", 100)).slot("voisin", 60).slot("voisin", 120);
    assert_eq!(kept(&world.plan()), ["OWN_GP famille", "SAS_SLOT voisin"]);
    let world = world.tried("famille", Asked::Phone, WhyNot::Cancelled);
    assert_eq!(kept(&world.plan()), ["SAS_SLOT voisin", "OWN_GP famille"]);
    let (first, second) = (free_slot(world.now, 60, SlotKind::Snp).id, free_slot(world.now, 120, SlotKind::Snp).id);
    let world = world.tried("voisin", Asked::Slot(first), WhyNot::Cancelled);
    assert_eq!(slot_of(world.plan().first().unwrap()), second, "the same slot is not held again");
    let world = world.tried("voisin", Asked::Slot(second), WhyNot::Cancelled);
    assert_eq!(kept(&world.plan()), ["OWN_GP famille"]);
    assert_eq!(why(&world.plan(), Category::SasSlot, Some("voisin")), WhyNot::Cancelled);
    let silent = world.tried("famille", Asked::Phone, WhyNot::Unreachable);
    assert_eq!(
        why(&silent.plan(), Category::OwnGp, Some("famille")),
        WhyNot::Unreachable,
        "rung again, and nobody answered"
    );
}

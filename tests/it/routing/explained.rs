//! What a person reads: one French line per row, with hours of the wall clock and the dates of an absence.

use sas_dispatch::domain::{
    calendar::local,
    directory::{Absence, Responder},
    regulation::need::{CareType, LongestDelay},
    routing::{Category, SourceState, explain_french, sources_french},
    time::Span,
};

use super::world::{World, gp, mmg, responder_id, sos};

#[test]
fn a_plan_reads_as_lines_in_french() {
    let leave = Absence { from: "2024-12-16".parse().unwrap(), to: "2025-01-01".parse().unwrap() };
    let own = Responder { absences: vec![leave], practice: Some(responder_id("cabinet")), ..gp("famille", 2_140) };
    let associate = Responder { practice: Some(responder_id("cabinet")), ..gp("associe", 850) };
    let mut world = World::at("2024-12-19T12:30")
        .who(own)
        .who(associate)
        .who(gp("loin", 40_000))
        .who(gp("tard", 12_000))
        .own_gp("famille")
        .slot("associe", 24 * 60)
        .slot("tard", 24 * 60 + 30);
    world.supply.sources.remove(&Category::FixedPoint);
    let lines = explain_french(&world.plan(), &world.directory());
    let expected = [
        "1. Confrère du cabinet : Dr Fictif associe — retenu, ouvert à 14 h 00, à appeler, à 850 m",
        "2. Créneau SAS : Dr Fictif associe — retenu, créneau le 20 décembre à 12 h 30, à 850 m",
        "–  Médecin traitant : Dr Fictif famille — écarté : absent du 16 décembre 2024 au 1er janvier 2025, à 2,1 km",
        "–  Créneau SAS : Dr Fictif famille — écarté : aucun créneau libre, à 2,1 km",
        "–  Créneau SAS : Dr Fictif tard — écarté : créneau libre après le délai maximal (le 20 décembre à 13 h 00), \
         à 12,0 km",
        "–  Créneau SAS : Dr Fictif loin — écarté : trop loin, à 40,0 km",
        "–  Point fixe de garde — écarté : source non connectée",
        "–  Visite à domicile — écarté : autre type de soin décidé",
        "–  Téléconsultation — écarté : aucun créneau libre",
    ];
    assert_eq!(lines, expected, "{lines:#?}");
}

#[test]
fn a_visit_names_the_sector_and_whether_a_doctor_is_free() {
    let world = World::at("2024-12-22T22:30")
        .who(sos("sos", &["dr-sos-1"]))
        .who(mmg("garde", 500))
        .decided(CareType::HomeVisit, LongestDelay::H4);
    let first = |world: &World| explain_french(&world.plan(), &world.directory())[0].clone();
    let free = "1. Visite à domicile : Dr Fictif sos — retenu, médecin libre dans le secteur centre, à 3,0 km";
    assert_eq!(first(&world.clone().on_duty("sos", "dr-sos-1", true)), free);
    let driving = "1. Visite à domicile : Dr Fictif sos — retenu, médecins en visite dans le secteur centre, à 3,0 km";
    assert_eq!(first(&world.on_duty("sos", "dr-sos-1", false)), driving);
}

#[test]
fn rows_left_out_are_counted_in_words() {
    let world = (0..23).fold(World::at("2024-12-19T10:00"), |world, n| world.who(gp(&format!("gp-{n:02}"), n)));
    let lines = explain_french(&world.plan(), &world.directory());
    assert_eq!(lines.last().unwrap(), "… Créneau SAS : 3 autres écartés : aucun créneau libre");
}

#[test]
fn silence_is_told_with_its_hour_and_never_as_nothing() {
    let mut world = World::at("2024-12-22T15:00").who(mmg("garde", 90_000));
    let since = world.now - Span::from_mins(12);
    world.supply.sources.insert(Category::SasSlot, SourceState::SilentSince(since));
    world.supply.sources.remove(&Category::Teleconsultation);
    let zone = world.territory.calendar.zone();
    assert_eq!(local(zone, since).format("%H:%M").to_string(), "14:48");
    let expected = [
        "Point fixe de garde : rien de disponible",
        "Créneau SAS : disponibilité inconnue, sans réponse depuis 14 h 48",
        "Téléconsultation : disponibilité inconnue, source non connectée",
    ];
    assert_eq!(sources_french(&world.plan(), zone), expected);
}

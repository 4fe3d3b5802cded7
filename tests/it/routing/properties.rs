//! Properties over generated worlds: the oracle both ways, order of input, irrelevance, independence.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};
use sas_dispatch::domain::{
    case::patient::{Consent, Recipient, Wish},
    directory::{Absence, Connection, ConventionFlags, Responder},
    ids::ResponderId,
    regulation::need::{CareType, LongestDelay},
    routing::{Asked, Availability, Category, Plan, SourceState, Tried, Verdict, WhyNot},
    slots::SlotKind,
    time::Span,
};

use super::{
    oracle::ways,
    world::{ALWAYS, OFFICE, World, free_slot, gp, heard, hours, kept, mmg, person, responder_id, sector, sos},
};

const MOMENTS: [&str; 8] = [
    "2024-12-19T10:00",
    "2024-12-19T12:15",
    "2024-12-19T19:45",
    "2024-12-20T07:45",
    "2024-12-22T22:30",
    "2024-12-26T10:00",
    "2025-05-01T20:00",
    "2025-05-02T12:00",
];

/// A responder and its supply, as figures.
#[derive(Debug, Clone)]
struct Spec {
    kind: u8,
    metres: i64,
    hours: &'static str,
    away: bool,
    flags: [bool; 4],
    practice: Option<u8>,
    cpts: Option<u8>,
    slots: Option<Vec<(i64, SlotKind)>>,
    video: bool,
    /// Free, in the patient's sector, beside a colleague.
    shift: Option<(bool, bool, bool)>,
    taken: u32,
}

fn spec() -> impl Strategy<Value = Spec> {
    let quarters = prop_oneof![3 => -1..5i64, 1 => 5..200i64];
    let slot = (quarters, select(vec![SlotKind::Snp, SlotKind::Public, SlotKind::Cpts]));
    let slots = proptest::option::weighted(0.6, proptest::collection::vec(slot, 0..4));
    let who = (
        0..4u8,
        select(vec![0, 900, 900, 5_000, 29_000, 31_000, 45_000]),
        select(vec![OFFICE, ALWAYS, "Mo-Su 22:00-23:00", "Mo-Sa 07:30-12:30"]),
    );
    let ties = (proptest::option::of(0..2u8), proptest::option::of(0..2u8));
    let supply = (slots, any::<bool>(), proptest::option::of(any::<(bool, bool, bool)>()), select(vec![0, 19, 20, 25]));
    (who, proptest::bool::weighted(0.1), proptest::array::uniform4(proptest::bool::weighted(0.7)), ties, supply)
        .prop_map(|((kind, metres, hours), away, flags, (practice, cpts), (slots, video, shift, taken))| Spec {
            kind,
            metres,
            hours,
            away,
            flags,
            practice,
            cpts,
            slots,
            video,
            shift,
            taken,
        })
}

impl Spec {
    fn responder(&self, n: usize) -> Responder {
        let id = format!("r{n}");
        let mut who = match self.kind {
            0 | 1 => gp(&id, self.metres),
            2 => mmg(&id, self.metres),
            _ => sos(&id, &[&format!("dr-r{n}"), "dr-commun"]),
        };
        who.position = super::world::north(self.metres);
        who.hours = hours(self.hours);
        if self.away {
            let day = |text: &str| text.parse().unwrap();
            who.absences = vec![
                Absence { from: day("2024-12-19"), to: day("2024-12-22") },
                Absence { from: day("2025-05-02"), to: day("2025-05-02") },
            ];
        }
        let [sas, pdsa, supernumerary, connected] = self.flags;
        who.conventions = ConventionFlags { sas, pdsa, own_regulation: false };
        who.supernumerary = supernumerary;
        who.connection = if connected { Connection::Connected } else { Connection::NotConnected };
        who.practice = self.practice.map(|n| responder_id(&format!("cabinet-{n}")));
        who.cpts = self.cpts.map(|n| responder_id(&format!("cpts-{n}")));
        who
    }
}

fn enter(mut world: World, n: usize, spec: &Spec) -> World {
    let (who, now) = (spec.responder(n), world.now);
    let free = |minutes, kind| {
        let mut slot = free_slot(now, minutes, kind);
        slot.id.0 = uuid::Uuid::from_u128(slot.id.0.as_u128() << 8 | n as u128);
        slot
    };
    if let Some(slots) = &spec.slots {
        let slots = slots.iter().map(|(quarters, kind)| free(quarters * 15, *kind)).collect();
        world.supply.slots.insert(who.id.clone(), slots);
    }
    if spec.video {
        world.supply.video.insert(who.id.clone(), vec![free(30, SlotKind::Pro)]);
    }
    if let Some((is_free, here, beside)) = spec.shift {
        if beside {
            world = world.on_duty(who.id.as_str(), "dr-commun", true);
        }
        world = world.on_duty(who.id.as_str(), &format!("dr-r{n}"), is_free);
        if !here {
            world.supply.shifts.last_mut().unwrap().sectors = vec![sector("ailleurs")];
        }
    }
    let week = sas_dispatch::domain::calendar::monday(world.territory.calendar.zone(), now);
    world.supply.snp.insert((who.id.clone(), week), spec.taken);
    world.who(who)
}

/// What a responder did with an earlier offer: by telephone, by visit, or its first slot; or one of its doctors with a visit.
fn attempt(world: &World, (n, by, why, long_ago): (usize, u8, WhyNot, bool)) -> Option<Tried> {
    let responder = responder_id(&format!("r{n}"));
    let doctor = (by == 3).then(|| person(&format!("dr-r{n}")));
    let by = match by {
        0 => Asked::Phone,
        1 | 3 => Asked::Visit,
        _ => Asked::Slot(world.supply.slots.get(&responder)?.first()?.id),
    };
    // Before those who are on duty now came, or since.
    let until = world.now - if long_ago { Span::from_hours(3) } else { Span::from_mins(1) };
    Some(Tried { responder, by, why, doctor, until })
}

const REASONS: [WhyNot; 5] = [WhyNot::Declined, WhyNot::Unreachable, WhyNot::Expired, WhyNot::Taken, WhyNot::Cancelled];

prop_compose! {
    fn world()(
        moment in select(MOMENTS.to_vec()),
        specs in proptest::collection::vec(spec(), 0..7),
        own in proptest::option::weighted(0.7, 0..8usize),
        care in select(vec![CareType::Consultation, CareType::Consultation, CareType::HomeVisit, CareType::Teleconsultation]),
        delay in select(LongestDelay::ALL.to_vec()),
        signed_quarters_ago in 0..12i64,
        bools in proptest::array::uniform4(proptest::bool::weighted(0.3)),
        duty_as_by_day in proptest::bool::weighted(0.3),
        place in (proptest::bool::weighted(0.8), proptest::bool::weighted(0.9)),
        regulators in proptest::collection::btree_set(0..7usize, 0..3),
        common in any::<bool>(),
        tried in proptest::collection::vec(
            (0..7usize, 0..4u8, select(REASONS.to_vec()), any::<bool>()), 0..3),
        sources in proptest::array::uniform3(0..6u8),
        opposes in proptest::bool::weighted(0.15),
    ) -> World {
        let mut world = World::at(moment).decided(care, delay);
        world.signed_at = world.now - Span::from_mins(15 * signed_quarters_ago);
        world = specs.iter().enumerate().fold(world, |world, (n, spec)| enter(world, n, spec));
        world.patient.own_gp = own.map(|n| responder_id(&format!("r{n}")));
        if opposes {
            let (recipient, wish) = (Recipient::Gp, Wish::Opposes);
            world.patient.consents.push(Consent { recipient, wish, form: None, at: None, noted_by: None });
        }
        if duty_as_by_day {
            world.territory.routing.pdsa = world.territory.routing.office_hours.clone();
        }
        let [ehpad, reduced, must_examine, home_only] = bools;
        (world.patient.ehpad, world.patient.reduced_mobility) = (ehpad, reduced);
        world.need.constraints.must_examine = must_examine;
        world.need.constraints.home_only = home_only && care != CareType::Consultation;
        if !place.0 { world.place.position = None; }
        if !place.1 { (world.place.commune, world.place.sector) = (None, None); }
        world.regulators.extend(regulators.iter().map(|n| person(&format!("dr-r{n}"))));
        if common { world.regulators.insert(person("dr-commun")); }
        world.tried = tried.into_iter().filter_map(|one| attempt(&world, one)).collect();
        let named = [Category::SasSlot, Category::FixedPoint, Category::HomeVisit];
        for (category, state) in named.into_iter().zip(sources) {
            match state {
                0 => drop(world.supply.sources.remove(&category)),
                1 => drop(world.supply.sources.insert(category, SourceState::SilentSince(world.now))),
                _ => {}
            }
        }
        world
    }
}

/// Each named option with the reason it was refused for, if it was.
fn verdicts(plan: &Plan) -> BTreeMap<(Category, ResponderId), Option<WhyNot>> {
    let why = |verdict| match verdict {
        Verdict::Kept { .. } => None,
        Verdict::Refused { why } => Some(why),
    };
    let named = plan.rows.iter().filter_map(|row| Some(((row.category, row.responder.clone()?), why(row.verdict))));
    named.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_kept_options_are_all_there_are_and_in_the_best_order(world in world()) {
        let expected: Vec<String> =
            if world.responders.is_empty() { Vec::new() } else {
                ways(&world).iter().map(|way| format!("{} {}", way.category, way.responder)).collect()
            };
        prop_assert_eq!(kept(&world.plan()), expected);
    }

    #[test]
    fn the_order_in_which_things_were_gathered_changes_nothing(world in world(), turn in 0..5usize) {
        let mut other = world.clone();
        other.responders.reverse();
        for slots in other.supply.slots.values_mut() {
            let by = turn.min(slots.len());
            slots.rotate_left(by);
        }
        other.supply.shifts.reverse();
        other.tried.reverse();
        prop_assert_eq!(world.plan(), other.plan());
    }

    #[test]
    fn another_responder_changes_no_other_verdict(world in world(), spec in spec()) {
        let more = enter(world.clone(), 9, &spec);
        let (before, after) = (verdicts(&world.plan()), verdicts(&more.plan()));
        for (key, why) in before.into_iter().filter(|_| !world.responders.is_empty()) {
            prop_assert_eq!(after.get(&key), Some(&why), "{:?}", key);
        }
    }

    #[test]
    fn nobody_kept_has_only_doctors_who_regulated(world in world()) {
        let directory = world.directory();
        for row in world.plan().rows.iter().filter(|row| matches!(row.verdict, Verdict::Kept { .. })) {
            let who = directory.get(row.responder.as_ref().unwrap()).unwrap();
            let left = who.doctors.iter().filter(|doctor| !world.regulators.contains(*doctor)).count();
            prop_assert!(who.doctors.is_empty() || left > 0, "{:?}", row);
        }
    }

    #[test]
    fn there_is_one_row_on_the_own_gp_and_ranks_run_from_one(world in world()) {
        let plan = world.plan();
        prop_assert_eq!(plan.rows.iter().filter(|row| row.category == Category::OwnGp).count(), 1);
        let kept = kept(&plan).len();
        for (at, row) in plan.rows.iter().enumerate() {
            match row.verdict {
                Verdict::Kept { rank } => prop_assert_eq!(rank as usize, at + 1),
                Verdict::Refused { .. } => prop_assert!(at >= kept && row.means.is_none()),
            }
        }
    }

    #[test]
    fn none_is_said_only_by_a_source_that_is_heard(world in world()) {
        let plan = world.plan();
        for source in plan.sources.iter().filter(|source| source.availability == Availability::None) {
            let unheard = |row: &&sas_dispatch::domain::routing::Row| row.category == source.category
                && matches!(row.verdict, Verdict::Refused { why: WhyNot::NotConnected | WhyNot::NoAnswer });
            prop_assert!(plan.rows.iter().filter(unheard).count() == 0, "{:?}", source);
            let asked = heard().contains_key(&source.category);
            prop_assert!(!asked || world.supply.sources.get(&source.category) == Some(&SourceState::Connected));
        }
    }
}

#[test]
fn generated_worlds_reach_every_kind_of_option_and_every_reason_a_responder_can_have() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..1_200 {
        let plan = world().new_tree(&mut runner).unwrap().current().plan();
        for row in plan.rows {
            let what = match row.verdict {
                Verdict::Kept { .. } => row.category.code(),
                Verdict::Refused { why } => why.code(),
            };
            *seen.entry(what.to_owned()).or_default() += 1;
        }
    }
    // The weekly limit stands in plans of earlier binaries only.
    let given = WhyNot::ALL.iter().filter(|why| **why != WhyNot::WeeklyCap);
    let wanted = Category::ALL.iter().map(|category| category.code()).chain(given.map(|why| why.code()));
    let missing: Vec<_> = wanted.filter(|what| !seen.contains_key(*what)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?} in {seen:?}");
}

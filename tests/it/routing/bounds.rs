//! A plan holds a bounded number of rows and counts the others.

use sas_dispatch::domain::routing::{Category, Verdict, WhyNot};

use super::world::{World, gp};

fn many(count: i64, with_slot: impl Fn(i64) -> bool) -> World {
    (0..count).fold(World::at("2024-12-19T10:00"), |world, n| {
        let id = format!("gp-{n:02}");
        let world = world.who(gp(&id, 100 * (count - n)));
        if with_slot(n) { world.slot(&id, 15) } else { world }
    })
}

#[test]
fn of_many_refused_options_the_nearest_are_shown_and_the_others_counted() {
    let plan = many(50, |_| false).plan();
    let shown: Vec<_> = plan.rows.iter().filter(|row| row.category == Category::SasSlot).collect();
    assert_eq!(shown.len(), 20);
    assert!(shown.iter().all(|row| row.distance_m.unwrap() <= 2_000), "the nearest 20");
    assert_eq!(plan.left_out, [(Category::SasSlot, WhyNot::NoFreeSlot, 30)]);
    assert!(plan.kept_left_out.is_empty());
}

#[test]
fn of_many_kept_options_the_best_are_shown_with_unbroken_ranks() {
    let plan = many(25, |_| true).plan();
    let ranks: Vec<_> = plan
        .rows
        .iter()
        .filter_map(|row| match row.verdict {
            Verdict::Kept { rank } => Some(rank),
            Verdict::Refused { .. } => None,
        })
        .collect();
    assert_eq!(ranks, (1..=20).collect::<Vec<u32>>());
    assert_eq!(plan.kept_left_out, [(Category::SasSlot, 5)]);
    assert_eq!(plan.first().unwrap().distance_m, Some(100));
}

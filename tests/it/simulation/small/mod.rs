//! The whole of a small world: three regulators, two cases, two slots, and every order in which their loads and commits can
//! fall, with leases that end, holds that end, consoles that die and instances that crash between load and commit.
//!
//! `decide` and `evolve` are the real ones. A commit is modelled exactly as the stores do it: what was decided on the loaded
//! records is written over whatever is there, and only the guards that the engine sets (the version of every record read,
//! the head of the queue) stand in its way. A record's content stands for its version: where a content comes again, a
//! guard on it lets through what a new load would decide in the same words.
//!
//! No order is left out: a client's next step is always possible, whatever the others do. States that differ in nothing but
//! who of the regulators is who are one state. Two of the three regulators decide and the third claims, gives back and falls
//! silent in one world; all three decide, and holds are declined as well, in the other. Both are visited whole. In the second a
//! load and its commit fall together, and a console that dies is one that does nothing more; the first shows that neither
//! leaves out any state of the records.

mod paths;
mod search;
mod world;

use search::{Form, Guards, orders, search, search_in};

/// More states than either world has.
const MOST: usize = 1_000_000;

#[test]
fn no_order_of_a_small_world_breaks_a_rule() {
    let found = search(Guards::All, Form::Apart, 2, MOST);
    println!(
        "info: {} states of a small world visited by {} steps, {} contents of records, {} full sets of them judged",
        found.states, found.steps, found.contents, found.judged
    );
    assert_eq!((found.wrong.as_ref(), found.cut), (None, false), "visited whole, and nothing breaks");
    assert!(found.states > 10_000, "the search has lost its world: {found:?}");
    // With two who decide there is always a slot left.
    let missing: Vec<_> =
        ["booked", "suspect", "two cases held"].iter().filter(|what| !found.reached.contains(**what)).collect();
    assert!(missing.is_empty(), "the search no longer reaches {missing:?}");
}

/// All three decide, and holds are declined: 182,551 states, 17 steps deep.
#[test]
fn no_order_of_three_who_decide_breaks_a_rule() {
    let found = search(Guards::All, Form::Fewest, 3, MOST);
    println!(
        "info: three who decide: {} states, {} steps deep, {} contents of records, {} sets judged",
        found.states, found.depth, found.contents, found.judged
    );
    assert_eq!((found.wrong.as_ref(), found.cut), (None, false), "visited whole, and nothing breaks");
    assert!(found.states > 100_000, "the search has lost its world: {found:?}");
    let kinds = ["booked", "suspect", "unanswered", "two cases held"];
    let missing: Vec<_> = kinds.iter().filter(|what| !found.reached.contains(**what)).collect();
    assert!(missing.is_empty(), "the search no longer reaches {missing:?}");
}

/// Every set of records that is met where something falls between a load and its commit is met where nothing does.
#[test]
fn a_load_and_its_commit_may_fall_together() {
    let (mut world, cases, slots) = world::World::new();
    let mut sets = |form| {
        let found = search_in(&mut world, (cases, slots), (Guards::All, form), 2, MOST);
        assert_eq!(found.wrong, None);
        let met: Vec<_> = world.sets().collect();
        world.forget_sets();
        let mut alike = std::collections::BTreeSet::new();
        for [one, other, a, b] in met {
            let places =
                orders(2).iter().map(|places| [world.renamed(one, *places), world.renamed(other, *places), a, b]);
            alike.extend(places.min());
        }
        (found.states, alike)
    };
    let ((apart, every), (together, most), (fewest, bare)) =
        (sets(Form::Apart), sets(Form::Together), sets(Form::Fewest));
    println!("info: {} sets in {fewest} states where nobody dies", bare.len());
    assert!(most.is_subset(&bare) && fewest < together, "to die is to do nothing more");
    println!("info: {} sets in {apart} states, {} sets in {together} states", every.len(), most.len());
    assert!(every.len() > 1_000 && every.is_subset(&most) && together < apart);
}

/// What a regulator comes to is what another comes to in his place.
#[test]
fn regulators_are_interchangeable() {
    let (mut world, cases, slots) = world::World::new();
    search_in(&mut world, (cases, slots), (Guards::All, Form::Together), 3, 2_000);
    let decided = world.decided();
    for (n, (question, outcome)) in decided.iter().enumerate().filter(|(n, _)| n % 5 == 0) {
        let (deed, who, case, slot) = *question;
        let places = orders(3)[1 + n / 5 % 5];
        let other = world.renamed(case, places);
        let found = world.does(deed, places[usize::from(who)], other, slot);
        let expected =
            outcome.clone().map(|made| made.map(|made| world::Made { case: world.renamed(made.case, places), ..made }));
        assert_eq!(found, expected, "{question:?} with {places:?}");
    }
    println!("info: {} outcomes compared", decided.len().div_ceil(5));
    assert!(decided.len() > 500);
}

/// The model is worth what it has in common with the engine: what a path makes of the model's records, it makes of the
/// engine's, whichever instance does which step.
#[test]
fn the_engine_goes_every_path_as_the_model_does() {
    let paths = super::budget("SAS_SIM_PATHS", 60);
    let gone = paths::compare(paths as u64, None).unwrap_or_else(|wrong| panic!("{wrong}"));
    println!("info: {paths} paths of the small world on the engine: done {:?}, refused {:?}", gone.done, gone.refused);
    let missing: Vec<_> = world::Deed::ALL.iter().filter(|deed| !gone.done.contains_key(deed)).collect();
    assert!(missing.is_empty(), "no path does {missing:?}");
}

/// An engine over a store that does not look at versions goes another way, and is found to.
#[test]
fn an_engine_that_goes_another_way_is_found() {
    let found = paths::compare(60, Some(super::plant::Plant::IgnoresVersions));
    println!("info: {found:?}");
    assert!(found.is_err());
}

/// A search that could not fail would prove nothing: without either guard a rule breaks.
#[test]
fn without_its_guards_the_small_world_breaks_rules() {
    for guards in [Guards::NoVersions, Guards::NoHead] {
        let found = search(guards, Form::Apart, 2, MOST);
        println!("info: {guards:?}: after {} states: {:?}", found.states, found.wrong);
        assert!(found.wrong.is_some(), "{guards:?} broke nothing");
    }
}

//! The whole of a small world: three regulators, two cases, two slots, and every order in which their loads and commits can
//! fall, with leases that end, holds that end, consoles that die and instances that crash between load and commit.
//!
//! `decide` and `evolve` are the real ones. A commit is modelled exactly as the stores do it: what was decided on the loaded
//! records is written over whatever is there, and only the guards that the engine sets (the version of every record read,
//! the head of the queue) stand in its way. A record's content stands for its version: where a content comes again, a
//! guard on it lets through what a new load would decide in the same words.
//!
//! No order is left out: a client's next step is always possible, whatever the others do. In the quick form two of the
//! three regulators decide and the third claims, gives back and falls silent; `SAS_SIM_DECIDING=3` (and `SAS_SIM_STATES`)
//! let all three decide, and holds be declined as well.

mod search;
mod world;

use search::{Guards, search};

#[test]
fn no_order_of_a_small_world_breaks_a_rule() {
    let deciding = super::budget("SAS_SIM_DECIDING", 2) as u8;
    let found = search(Guards::All, deciding, super::budget("SAS_SIM_STATES", 1_000_000));
    println!(
        "info: {} states of a small world visited by {} steps, {} contents of records, {} full sets of them judged",
        found.states, found.steps, found.contents, found.judged
    );
    assert_eq!(found.wrong, None);
    assert!(found.states > 10_000, "the search has lost its world: {found:?}");
    // With two who decide there is always a slot left.
    let kinds = ["booked", "suspect", "two cases held", "unanswered"];
    let met = &kinds[..if deciding == 3 { 4 } else { 3 }];
    let missing: Vec<&&str> = met.iter().filter(|what| !found.reached.contains(**what)).collect();
    assert!(missing.is_empty(), "the search no longer reaches {missing:?}");
}

/// A search that could not fail would prove nothing: without either guard a rule breaks.
#[test]
fn without_its_guards_the_small_world_breaks_rules() {
    for guards in [Guards::NoVersions, Guards::NoHead] {
        let found = search(guards, 2, 1_000_000);
        println!("info: {guards:?}: after {} states: {:?}", found.states, found.wrong);
        assert!(found.wrong.is_some(), "{guards:?} broke nothing");
    }
}

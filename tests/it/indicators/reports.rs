//! The reports on independence: what differs is flagged, what is chance or too little is not.

use std::collections::BTreeMap;

use sas_dispatch::domain::{
    directory::Directory,
    ids::PersonId,
    indicators::{AnswerKey, Class, Counts, Day, Filter, ReceivedKey, compare, compare_by_month, unmet},
    regulation::{decision::SupplyReason, need::CareType},
};

/// So many visits of a regulator, by who took them.
fn visits(rows: &[(&str, &str, u64)]) -> Day {
    let received = rows.iter().map(|(regulator, receiver, count)| {
        let key = ReceivedKey {
            regulator: regulator.parse().unwrap(),
            care: CareType::HomeVisit,
            receiver: Some((*receiver).to_owned()),
        };
        (key, *count)
    });
    Day { received: received.collect(), complete: true, ..Day::default() }
}

fn flagged(day: &Day, minimum: u64) -> Vec<(String, String)> {
    let rows = compare(day, minimum, &Directory::default()).into_iter().filter(|row| row.flagged);
    rows.map(|row| (row.regulator.to_string(), row.receiver.unwrap_or_default())).collect()
}

#[test]
fn a_regulator_whose_visits_go_to_one_association_is_flagged_and_his_colleagues_are_compared_without_him() {
    let day = visits(&[("r1", "sos-a", 58), ("r1", "sos-b", 2), ("r2", "sos-a", 28), ("r2", "sos-b", 32)]);
    let rows = compare(&day, 20, &Directory::default());
    let one = PersonId::try_from("r1".to_owned()).unwrap();
    let row = rows.iter().find(|row| row.regulator == one && row.receiver.as_deref() == Some("sos-a")).unwrap();
    assert!(row.flagged && row.p_adjusted.unwrap() < 0.001, "{row:?}");
    assert_eq!((row.count, row.of, row.others_of), (58, 60, 60));
    assert!(row.low < row.share && row.share < row.high && row.others_share < row.low, "{row:?}");
    // Everything he asks for is a visit, as it is for the other: that share differs from nobody's.
    let care = rows.iter().find(|row| row.regulator == one && row.receiver.is_none()).unwrap();
    assert!(!care.flagged && care.share == 1.0 && care.others_share == 1.0, "{care:?}");
}

#[test]
fn the_same_shares_of_few_decisions_are_shown_and_not_tested() {
    let day = visits(&[("r1", "sos-a", 14), ("r1", "sos-b", 0), ("r2", "sos-a", 2), ("r2", "sos-b", 12)]);
    let rows = compare(&day, 20, &Directory::default());
    assert!(!rows.is_empty() && rows.iter().all(|row| row.p_adjusted.is_none() && !row.flagged), "{rows:?}");
    assert!(!flagged(&day, 10).is_empty(), "with a lower minimum it would be");
}

#[test]
fn many_regulators_who_differ_by_chance_alone_are_not_flagged() {
    // Forty regulators who each send six in ten to the one association, give or take what chance does: no one stands out
    // once all are compared at once, though some would alone.
    let mut rows: Vec<(String, u64)> = (0..40).map(|n| (format!("r{n}"), 24)).collect();
    for (n, row) in rows.iter_mut().enumerate() {
        row.1 = [24, 20, 28, 22, 26, 30, 18, 24][n % 8];
    }
    let told: Vec<(&str, &str, u64)> = rows
        .iter()
        .flat_map(|(name, to_a)| [(name.as_str(), "sos-a", *to_a), (name.as_str(), "sos-b", 40 - *to_a)])
        .collect();
    assert!(flagged(&visits(&told), 20).is_empty());
    let rows = compare(&visits(&told), 20, &Directory::default());
    assert!(rows.iter().filter(|row| row.p_adjusted.is_some()).count() >= 80);
}

/// Each regulator sends as his colleagues of the month do; the habits of the house changed from November to December.
#[test]
fn regulators_are_compared_with_their_colleagues_of_the_same_month() {
    let november = visits(&[("r1", "sos-a", 54), ("r1", "sos-b", 6), ("r2", "sos-a", 18), ("r2", "sos-b", 2)]);
    let december = visits(&[("r1", "sos-a", 2), ("r1", "sos-b", 18), ("r2", "sos-a", 6), ("r2", "sos-b", 54)]);
    let days = BTreeMap::from([
        ("2024-11-30".parse().unwrap(), november.clone()),
        ("2024-12-01".parse().unwrap(), december.clone()),
    ]);
    let mut pooled = november;
    pooled.merge(&december);
    assert!(!flagged(&pooled, 20).is_empty(), "in one table the month on duty looks like a preference");
    let months = compare_by_month(&days, 20, &Directory::default());
    assert_eq!(months.keys().collect::<Vec<_>>(), ["2024-11", "2024-12"]);
    assert!(months.values().flatten().all(|row| !row.flagged && row.p_adjusted.is_some()), "{months:?}");
}

#[test]
fn unmet_needs_are_told_by_reason_sector_and_hour_among_the_needs_that_ask_for_a_responder() {
    let key = |sector: &str, hour, needs_supply, supply| AnswerKey {
        sector: Some(sector.parse().unwrap()),
        hour,
        needs_supply,
        supply,
    };
    let none = Some(SupplyReason::NoneBeforeDeadline);
    let answers = BTreeMap::from([
        (key("centre", 9, true, None), 8),
        (key("centre", 9, true, none), 2),
        (key("nord", 22, true, Some(SupplyReason::NoVisit)), 5),
        // Advice needs nobody: it says nothing about the supply.
        (key("nord", 22, false, None), 100),
    ]);
    let counts = Counts { answers, ..Counts::default() };
    let day = Day { classes: BTreeMap::from([(Class::default(), counts)]), complete: true, ..Day::default() };
    let rows = unmet(&day, Filter::default());
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.sector.as_ref().map(ToString::to_string), row.hour, row.supply, row.count, row.of))
        .collect();
    let at = |sector: &str, hour, supply, count, of| (Some(sector.to_owned()), Some(hour), supply, count, of);
    assert_eq!(
        told,
        [
            (None, None, None, 7, 15),
            (None, None, none, 2, 15),
            (None, None, Some(SupplyReason::NoVisit), 5, 15),
            at("centre", 9, none, 2, 10),
            at("nord", 22, Some(SupplyReason::NoVisit), 5, 5),
        ]
    );
}

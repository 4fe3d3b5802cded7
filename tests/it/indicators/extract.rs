//! The anonymised extract: what is shown is true, no small count is shown, and none can be worked out from what is shown.

use proptest::prelude::*;
use sas_dispatch::domain::{
    case::{Command, Event, command::Particulars, sealed::Identity, state::Patient},
    indicators::extract::{ALL, Anonymous, Bands, Column, Table, table},
    person::Private,
    regulation::qualification::Priority,
    time::Span,
};

use crate::domain::{
    stage::{Stage, arm, complete, qualify},
    transfers::border::{Border, receiver, refuse},
};

type Key = Vec<String>;

const SMALLEST: u64 = 3;

/// Days of a small territory: three columns with few values, most combinations rare.
fn days() -> impl Strategy<Value = Vec<Key>> {
    let row = (0..3_usize, 0..3_usize, 0..2_usize);
    prop::collection::vec(row, 0..60).prop_map(|rows| {
        let text = |letter: &str, n: usize| format!("{letter}{n}");
        rows.into_iter().map(|(a, b, c)| vec![text("a", a), text("b", b), text("c", c)]).collect()
    })
}

/// Whether a cell lies on the line of a total.
fn on(total: &[String], cell: &[String]) -> bool {
    total.iter().zip(cell).all(|(wanted, value)| wanted == ALL || wanted == value)
}

/// All a reader can do with sums: solve the totals, less what is shown, for the cells that are not. Answers those that have
/// one solution only; floating Gauss–Jordan over every combination of named values.
fn worked_out(shown: &Table) -> Vec<Key> {
    let width = shown.totals.first().map_or(0, |total| total.values.len());
    let values = |column: usize| {
        let named = shown.totals.iter().map(move |total| total.values[column].clone());
        named.filter(|value| value != ALL).collect::<Vec<_>>()
    };
    let mut unknown: Vec<Key> = vec![Vec::new()];
    for column in 0..width {
        let longer = unknown.iter().flat_map(|key| values(column).into_iter().map(|v| [key.clone(), vec![v]].concat()));
        unknown = longer.collect();
    }
    unknown.retain(|key| !shown.cells.iter().any(|cell| cell.values == *key));
    let mut rows: Vec<Vec<f64>> = shown
        .totals
        .iter()
        .map(|total| unknown.iter().map(|key| f64::from(u8::from(on(&total.values, key)))).collect())
        .collect();
    let mut done = 0;
    for column in 0..unknown.len() {
        let Some(pivot) = (done..rows.len()).find(|row| rows[*row][column].abs() > 1e-9) else { continue };
        rows.swap(done, pivot);
        let lead: Vec<f64> = rows[done].iter().map(|value| value / rows[done][column]).collect();
        rows[done].clone_from(&lead);
        for (at, row) in rows.iter_mut().enumerate().filter(|(at, _)| *at != done) {
            let _ = at;
            let factor = row[column];
            row.iter_mut().zip(&lead).for_each(|(value, of)| *value -= factor * of);
        }
        done += 1;
    }
    let alone = |row: &Vec<f64>| {
        let set: Vec<usize> = (0..row.len()).filter(|at| row[*at].abs() > 1e-9).collect();
        (set.len() == 1).then(|| unknown[set[0]].clone())
    };
    rows.iter().filter_map(alone).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_small_count_is_shown_or_can_be_worked_out(rows in days()) {
        let shown = table(rows.clone(), SMALLEST);
        for cell in shown.cells.iter().chain(&shown.totals) {
            prop_assert!(cell.count >= SMALLEST, "{:?}", cell);
        }
        if let Some(all) = shown.totals.first() {
            prop_assert_eq!(all.count, rows.len() as u64);
        }
        // The cells of each total that are not shown: none, or enough of them.
        for total in &shown.totals {
            let visible: u64 = shown.cells.iter().filter(|cell| on(&total.values, &cell.values)).map(|c| c.count).sum();
            let missing = total.count - visible;
            prop_assert!(missing == 0 || missing >= SMALLEST, "{:?} lacks {}", total, missing);
        }
        // Combinations nobody had look like hidden ones; whatever a reader can solve must be such a zero.
        for key in worked_out(&shown) {
            let named = |column: usize, value: &String| shown.totals.iter().any(|total| total.values[column] == *value);
            let means = |column: usize, row: &Key| match key[column].as_str() {
                "OTHER" => !named(column, &row[column]),
                value => row[column] == value,
            };
            let count = rows.iter().filter(|row| (0..key.len()).all(|column| means(column, row))).count() as u64;
            prop_assert!(count == 0, "{:?} counts {} and can be worked out", key, count);
        }
    }

    #[test]
    fn what_is_shown_is_what_was_counted(rows in days()) {
        let shown = table(rows.clone(), SMALLEST);
        for cell in shown.cells.iter().filter(|cell| !cell.values.iter().any(|value| value == "OTHER")) {
            let count = rows.iter().filter(|row| **row == cell.values).count() as u64;
            prop_assert_eq!(cell.count, count);
        }
    }
}

#[test]
fn a_single_small_cell_takes_others_with_it() {
    let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
    let mut rows = vec![row("fever", "F"); 20];
    rows.extend(vec![row("fever", "M"); 9]);
    rows.extend(vec![row("cough", "F"); 8]);
    rows.push(row("cough", "M"));
    let shown = table(rows, 5);
    // Alone, cough × M would be the total of cough less 8: the other three go with it, and the totals stay.
    assert!(shown.cells.is_empty(), "{:?}", shown.cells);
    assert_eq!((shown.hidden, shown.totals.len()), (4, 5));
}

#[test]
fn a_day_of_few_cases_shows_nothing() {
    let shown = table(vec![vec!["fever".to_owned()]; 4], 5);
    assert!(shown.cells.is_empty() && shown.totals.is_empty());
}

#[test]
fn rare_values_are_told_together() {
    let row = |a: &str| vec![a.to_owned(), "F".to_owned()];
    let rows = [vec![row("fever"); 9], vec![row("burn"); 2], vec![row("bite"); 1], vec![row("cough"); 6]].concat();
    let shown = table(rows, 5);
    let values: Vec<_> = shown.totals.iter().map(|total| (total.values[0].as_str(), total.count)).collect();
    assert!(values.contains(&("OTHER", 9)) && values.contains(&("fever", 9)), "{values:?}");
}

#[test]
fn an_age_is_told_as_its_band() {
    let bands = Bands(vec![2, 15, 65]);
    let told: Vec<_> = [0, 1, 2, 14, 15, 64, 65, 103].iter().map(|age| bands.of(*age)).collect();
    assert_eq!(told, ["0-1", "0-1", "2-14", "2-14", "15-64", "15-64", "65+", "65+"]);
}

#[test]
fn a_case_entered_after_its_day_was_told_does_not_take_the_place_of_the_whole_day() {
    let mut stage = Stage::new();
    stage.called();
    let (opened, zone) = (stage.log.last().unwrap().clone(), stage.territory.calendar.zone());
    let mut cases = Anonymous::new(zone, Bands(vec![2, 15]));
    cases.tell(&opened);
    let [day] = cases.days()[..] else { panic!("{:?}", cases.days()) };
    cases.forget(day);
    // Paper of that day is entered a week later.
    cases.tell(&opened);
    assert!(cases.days().is_empty(), "the extract of {day} would hold the latecomer alone");
    stage.pass(Span::from_hours(24));
    stage.called();
    cases.tell(stage.log.last().unwrap());
    assert_eq!(cases.days(), [day.succ_opt().unwrap()], "the next day is told");
}

/// The motives of a log's cases, all of one day.
fn motives(stage: &Stage, log: &[Event]) -> Vec<String> {
    let mut cases = Anonymous::new(stage.territory.calendar.zone(), Bands(vec![2, 15]));
    log.iter().for_each(|event| cases.tell(event));
    let rows = cases.days().into_iter().flat_map(|day| cases.of(day, &[Column::Motive]));
    rows.flatten().collect()
}

#[test]
fn a_motive_that_was_stated_after_the_qualification_is_told() {
    let mut stage = Stage::new();
    let case = stage.called();
    let without = sas_dispatch::domain::case::command::Qualify { motive: None, ..qualify(Priority::P0) };
    stage.done(&arm(), case, Command::Qualify(Box::new(without)));
    assert_eq!(motives(&stage, &stage.log), ["UNKNOWN"]);
    let completed = complete(stage.case(case));
    stage.done(&arm(), case, completed);
    assert_eq!(motives(&stage, &stage.log), ["M03.14"]);
}

#[test]
fn a_case_that_was_sent_back_is_told_by_its_sender_alone() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let both = |border: &Border| [&border.here, &border.there].map(|stage| motives(stage, &stage.log).len());
    assert_eq!(both(&border), [1, 1], "its answer is awaited");
    let copy = border.copy_id(case);
    border.there.done(&receiver(), copy, refuse());
    border.carry(case);
    assert_eq!(both(&border), [1, 0]);
}

#[test]
fn an_age_that_was_taken_back_and_a_patient_entered_by_mistake_are_not_told() {
    let mut stage = Stage::new();
    let case = stage.called();
    let zone = stage.territory.calendar.zone();
    let told = |stage: &Stage| {
        let mut cases = Anonymous::new(zone, Bands(vec![2, 15, 65]));
        stage.log.iter().for_each(|event| cases.tell(event));
        let rows = cases.days().into_iter().flat_map(|day| cases.of(day, &[Column::AgeBand]));
        rows.flatten().next().expect("the case has a row")
    };
    let amend = |stage: &mut Stage, number: u32, years: Option<u32>, noted_in_error: bool| {
        let patient = Patient { number, noted_in_error, ..Patient::default() };
        let identity = Identity { number, age_years: Private::new(years), ..Identity::default() };
        let said = Particulars { patients: vec![(patient, identity)], ..Particulars::default() };
        stage.done(&arm(), case, Command::Amend(Box::new(said)));
        told(stage)
    };
    assert_eq!(amend(&mut stage, 1, Some(3), false), "2-14");
    assert_eq!(amend(&mut stage, 1, None, false), "UNKNOWN");
    assert_eq!(amend(&mut stage, 1, Some(70), false), "65+");
    assert_eq!(amend(&mut stage, 2, Some(20), false), "65+", "the first patient is told");
    assert_eq!(amend(&mut stage, 1, Some(70), true), "15-64", "the other is the first now");
}

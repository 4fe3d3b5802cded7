//! Which counts of a table are shown, so that no count below the smallest one can be read or worked out.
//!
//! 1. Values of a column whose total is below the smallest count are put together as `OTHER`, with the next rarest until
//!    their total is large enough: every total by one column is then safe to show.
//! 2. Cells below the smallest count are hidden (primary).
//! 3. Beside each total, the hidden cells that add up to what is missing must be two at least, and count the smallest at
//!    least; else the smallest cell shown beside them is hidden too (complementary).
//! 4. All totals together are a system of equations in the hidden cells. While it determines one of them, the smallest
//!    cell shown beside that one is hidden too. What is left can be worked out by no addition and subtraction of totals.
//!
//! Cells that are hidden and combinations nobody had are both left out: a reader cannot tell them apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{ALL, OTHER};

/// A combination of values, one for each column.
type Key = Vec<String>;

/// One count that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// One value for each column; `*` in a total.
    pub values: Key,
    /// How many cases.
    pub count: u64,
}

/// A day's table as it may leave the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The total of all, where it is large enough, then the totals by each value of each column.
    pub totals: Vec<Cell>,
    /// The combinations that are shown.
    pub cells: Vec<Cell>,
    /// How many combinations are hidden.
    pub hidden: usize,
}

/// The table of these rows (one value for each column) in which no count is below `smallest`.
pub fn table(mut rows: Vec<Key>, smallest: u64) -> Table {
    let width = rows.first().map_or(0, Vec::len);
    if (rows.len() as u64) < smallest || width == 0 {
        return Table { totals: Vec::new(), cells: Vec::new(), hidden: usize::from(!rows.is_empty()) };
    }
    (0..width).for_each(|column| gather(&mut rows, column, smallest));
    let mut all: BTreeMap<Key, u64> = BTreeMap::new();
    for row in &rows {
        *all.entry(row.clone()).or_default() += 1;
    }
    let mut hidden: BTreeSet<Key> = all.iter().filter(|(_, n)| **n < smallest).map(|(key, _)| key.clone()).collect();
    while let Some(more) = exposed(&all, &hidden, width, smallest).or_else(|| determined(&all, &hidden, width)) {
        hidden.insert(more);
    }
    let shown = all.iter().filter(|(key, _)| !hidden.contains(*key));
    let cells = shown.map(|(key, count)| Cell { values: key.clone(), count: *count }).collect();
    let mut totals = totals(&rows, width);
    if !determinate(&all, &hidden, width).is_empty() {
        // Nothing is left to hide beside it: the totals themselves would tell.
        totals.truncate(1);
    }
    Table { totals, cells, hidden: hidden.len() }
}

/// Puts the rarest values of a column together until no total by it is below the smallest count.
fn gather(rows: &mut [Key], column: usize, smallest: u64) {
    loop {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for row in rows.iter() {
            *counts.entry(&row[column]).or_default() += 1;
        }
        let rarest = counts.iter().min_by_key(|(value, count)| (**count, **value == OTHER));
        let Some((rare, count)) = rarest.map(|(value, count)| ((*value).to_owned(), *count)) else { return };
        if count >= smallest || counts.len() == 1 {
            return;
        }
        let next = counts.iter().filter(|(value, _)| **value != rare).min_by_key(|(_, count)| **count);
        let next = next.map(|(value, _)| (*value).to_owned()).unwrap_or_default();
        for row in rows.iter_mut() {
            let value = &row[column];
            // `OTHER` alone takes its neighbour in; any other rare value joins it.
            if *value == rare || (rare == OTHER && *value == next) {
                row[column] = OTHER.to_owned();
            }
        }
    }
}

/// The totals that are shown: each is an equation that the hidden cells satisfy.
fn lines(width: usize, all: &BTreeMap<Key, u64>) -> Vec<(usize, String)> {
    let mut lines: BTreeSet<(usize, String)> = BTreeSet::new();
    for key in all.keys() {
        lines.extend((0..width).map(|column| (column, key[column].clone())));
    }
    lines.into_iter().collect()
}

/// The smallest cell shown beside hidden ones that are too few, or count too little, for their total to be shown.
fn exposed(all: &BTreeMap<Key, u64>, hidden: &BTreeSet<Key>, width: usize, smallest: u64) -> Option<Key> {
    lines(width, all).into_iter().find_map(|(column, value)| {
        let on = |key: &&Key| key[column] == value;
        let dark: Vec<u64> = hidden.iter().filter(on).map(|key| all[key]).collect();
        let thin = !dark.is_empty() && (dark.len() < 2 || dark.iter().sum::<u64>() < smallest);
        thin.then(|| smallest_shown(all, hidden, |key| key[column] == value)).flatten()
    })
}

fn smallest_shown(all: &BTreeMap<Key, u64>, hidden: &BTreeSet<Key>, on: impl Fn(&Key) -> bool) -> Option<Key> {
    let shown = all.iter().filter(|(key, _)| !hidden.contains(*key) && on(key));
    shown.min_by_key(|(_, count)| **count).map(|(key, _)| key.clone())
}

/// The smallest cell shown on a line of a hidden cell that all totals together determine; else the smallest shown at all.
fn determined(all: &BTreeMap<Key, u64>, hidden: &BTreeSet<Key>, width: usize) -> Option<Key> {
    let told = determinate(all, hidden, width);
    let beside = told
        .iter()
        .find_map(|cell| (0..width).find_map(|column| smallest_shown(all, hidden, |key| key[column] == cell[column])));
    beside.or_else(|| (!told.is_empty()).then(|| smallest_shown(all, hidden, |_| true)).flatten())
}

/// The hidden cells that all totals together determine.
fn determinate<'a>(all: &BTreeMap<Key, u64>, hidden: &'a BTreeSet<Key>, width: usize) -> Vec<&'a Key> {
    let cells: Vec<&Key> = hidden.iter().collect();
    let lines = lines(width, all).into_iter();
    let equations = lines.map(|(column, value)| cells.iter().map(|key| i64::from(key[column] == value)).collect());
    solved(equations.collect()).into_iter().map(|at| cells[at]).collect()
}

/// A prime below 2^31, so that products fit: a cell that is determined over the rationals is determined modulo it.
const PRIME: i64 = 2_147_483_629;

/// The unknowns that a system of equations determines: those alone in a row of its reduced form. Modulo a prime there may be
/// more of them than over the rationals, never fewer, but for a minor that the prime divides: chance, 1 in 2^31.
fn solved(mut rows: Vec<Vec<i64>>) -> Vec<usize> {
    let width = rows.first().map_or(0, Vec::len);
    let mut done = 0;
    for column in 0..width {
        let Some(pivot) = (done..rows.len()).find(|row| rows[*row][column] != 0) else { continue };
        rows.swap(done, pivot);
        let inverse = power(rows[done][column], PRIME - 2);
        rows[done].iter_mut().for_each(|value| *value = *value * inverse % PRIME);
        let lead = rows[done].clone();
        for (at, row) in rows.iter_mut().enumerate() {
            let factor = row[column];
            if at != done && factor != 0 {
                row.iter_mut().zip(&lead).for_each(|(value, of)| *value = (*value + (PRIME - factor) * of) % PRIME);
            }
        }
        done += 1;
    }
    let alone = |row: &Vec<i64>| {
        let mut set = row.iter().enumerate().filter(|(_, value)| **value != 0).map(|(at, _)| at);
        set.next().filter(|_| set.next().is_none())
    };
    rows.iter().filter_map(alone).collect()
}

fn power(base: i64, exponent: i64) -> i64 {
    let (mut base, mut exponent, mut result) = (base.rem_euclid(PRIME), exponent, 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    result
}

fn totals(rows: &[Key], width: usize) -> Vec<Cell> {
    let mut totals = vec![Cell { values: vec![ALL.to_owned(); width], count: rows.len() as u64 }];
    for column in 0..width {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for row in rows {
            *counts.entry(&row[column]).or_default() += 1;
        }
        totals.extend(counts.into_iter().map(|(value, count)| {
            let mut values = vec![ALL.to_owned(); width];
            values[column] = value.to_owned();
            Cell { values, count }
        }));
    }
    totals
}

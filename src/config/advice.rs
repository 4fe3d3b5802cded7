//! `config/advice.toml`: sentences a doctor picks, the nation's and a territory's own.

use std::{cell::RefCell, collections::BTreeSet, fs, path::Path};

use toml::de::DeValue;

use super::{
    fault::FaultLog,
    sheet::{Table, with_root},
    territory::motive,
    unreadable,
    values::{list, parsed, words},
};
use crate::domain::{
    age::Age,
    regulation::advice::{AdviceList, Sentence},
};

/// The file, beside `default.toml` and in a territory's folder.
pub(super) const FILE: &str = "advice.toml";

/// Longest code and longest sentence, characters: what a signature keeps and what fits on a button.
const LONGEST_CODE: usize = 32;
const LONGEST_TEXT: usize = 300;

/// The list of `dir`; one without a sentence says so in its file.
pub(super) fn national(dir: &Path, log: &FaultLog) -> AdviceList {
    let path = dir.join(FILE);
    let file = path.display().to_string();
    match fs::read_to_string(&path) {
        Ok(text) => AdviceList::new(sentences(&file, &text, log)),
        Err(error) => {
            log.add(&file, 1, unreadable(&error));
            AdviceList::default()
        }
    }
}

/// The sentences of one file.
pub(super) fn sentences(file: &str, text: &str, log: &FaultLog) -> Vec<Sentence> {
    with_root(file, text, log, |root| {
        let version = root.required("version", words).unwrap_or_default();
        let codes = RefCell::default();
        root.tables("sentence", |table| sentence(table, &version, &codes))
    })
}

fn sentence(table: &Table<'_>, version: &str, codes: &RefCell<BTreeSet<String>>) -> Option<Sentence> {
    let code = table.required("code", code);
    if code.as_ref().is_some_and(|code| !codes.borrow_mut().insert(code.clone())) {
        table.fault("code", "stands in this file already: each sentence has a code of its own");
    }
    let kind = table.required("kind", parsed);
    let text = table.required("text", short);
    let motives = table.or("motives", Vec::new(), list(motive));
    let (age_from, age_below): (Option<Age>, Option<Age>) =
        (table.optional("age_from", parsed), table.optional("age_below", parsed));
    if age_from.zip(age_below).is_some_and(|(from, below)| from >= below) {
        table.fault("age_below", "must lie above age_from: nobody has such an age");
    }
    Some(Sentence { code: code?, kind: kind?, text: text?, version: version.to_owned(), motives, age_from, age_below })
}

fn code(value: &DeValue<'_>) -> Result<String, String> {
    let code = words(value)?;
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "._-".contains(c);
    if code.len() <= LONGEST_CODE && code.chars().all(legal) {
        Ok(code)
    } else {
        Err(format!("expected 1 to {LONGEST_CODE} characters A-Z 0-9 . _ - such as \"DRINK.ORS\""))
    }
}

fn short(value: &DeValue<'_>) -> Result<String, String> {
    let text = words(value)?;
    match text.chars().count() {
        ..=LONGEST_TEXT => Ok(text),
        long => Err(format!("{long} characters: at most {LONGEST_TEXT}, a sentence and no leaflet")),
    }
}

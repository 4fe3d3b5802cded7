//! Vignettes as they are written: one JSON object a line, or one JSON list. Liberal in notation, exact in codes.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::age;
use crate::domain::regulation::{
    motives::Motive,
    protocols::{Answers, Book, COMPLAINT, Kind, Sex, Subject, Value},
    qualification::Priority,
};

/// The names under which each field is found, the documented one first; those of the age are [`age`]'s. What else stands in a
/// vignette is its author's.
const SEX: [&str; 2] = ["sex", "sexe"];
const PREGNANT: [&str; 3] = ["pregnant", "enceinte", "grossesse"];
const MOTIVE: [&str; 3] = ["motive", "motif", "motive_code"];
const ANSWERS: [&str; 3] = ["answers", "réponses", "reponses"];
const EXPECTED: [&str; 5] = ["expected", "expected_level", "level", "expected_priority", "attendu"];

/// One clinical story.
#[derive(Debug)]
pub(super) struct Vignette {
    pub(super) id: String,
    pub(super) subject: Subject,
    pub(super) motive: String,
    pub(super) answers: Answers,
    pub(super) expected: Priority,
}

/// What is wrong with one vignette.
#[derive(Debug, Serialize)]
pub(super) struct Unread {
    line: usize,
    id: String,
    field: String,
    problem: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ligne {} ({}) : {} : {}", self.line, self.id, self.field, self.problem)
    }
}

/// Every vignette that can be judged, and what is wrong with the others.
pub(super) fn all(text: &str, book: &Book) -> (Vec<Vignette>, Vec<Unread>) {
    let (mut vignettes, mut errors) = (Vec::new(), Vec::new());
    if let Some(items) = one_document(text.trim_start_matches('\u{feff}')) {
        for (at, item) in items.into_iter().enumerate() {
            sort(item, at + 1, book, &mut vignettes, &mut errors);
        }
        return (vignettes, errors);
    }
    for (at, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(item) => sort(item, at + 1, book, &mut vignettes, &mut errors),
            Err(error) => {
                let (id, field) = ("?".to_owned(), "line".to_owned());
                errors.push(Unread { line: at + 1, id, field, problem: format!("not JSON: {error}") });
            }
        }
    }
    (vignettes, errors)
}

/// The vignettes of a file that is one JSON document: a list, an object with a list, or one vignette over several lines.
fn one_document(text: &str) -> Option<Vec<Json>> {
    match serde_json::from_str(text).ok()? {
        Json::Array(items) => Some(items),
        Json::Object(mut fields) => match fields.remove("vignettes") {
            Some(Json::Array(items)) => Some(items),
            Some(_) => None,
            None => Some(vec![Json::Object(fields)]),
        },
        _ => None,
    }
}

fn sort(item: Json, line: usize, book: &Book, vignettes: &mut Vec<Vignette>, errors: &mut Vec<Unread>) {
    let Json::Object(fields) = item else {
        let problem = "expected an object with id, age, sex, motive, answers and expected".to_owned();
        return errors.push(Unread { line, id: "?".to_owned(), field: "line".to_owned(), problem });
    };
    let id = match fields.get("id") {
        Some(Json::String(id)) => id.clone(),
        Some(Json::Number(id)) => id.to_string(),
        _ => format!("ligne-{line}"),
    };
    let mut faults = Vec::new();
    let vignette = vignette(&fields, id.clone(), book, &mut faults);
    match vignette {
        Some(vignette) if faults.is_empty() => vignettes.push(vignette),
        _ => errors.extend(faults.into_iter().map(|(field, problem)| Unread { line, id: id.clone(), field, problem })),
    }
}

pub(super) type Faults = Vec<(String, String)>;

fn vignette(fields: &Map<String, Json>, id: String, book: &Book, faults: &mut Faults) -> Option<Vignette> {
    let field = |names: &[&str]| names.iter().find_map(|name| fields.get(*name));
    let age = age::age(fields, faults);
    let sex = sex(field(&SEX), faults);
    let pregnant = pregnant(field(&PREGNANT), faults);
    let motive = motive(field(&MOTIVE), faults);
    let answers = answers(field(&ANSWERS), book, faults);
    let expected = expected(field(&EXPECTED), faults);
    Some(Vignette { id, subject: Subject { age, sex, pregnant }, motive: motive?, answers, expected: expected? })
}

fn pregnant(given: Option<&Json>, faults: &mut Faults) -> Option<bool> {
    let given = given.filter(|given| !given.is_null())?;
    let read = yes(given);
    if read.is_none() {
        faults.push(("pregnant".to_owned(), "expected true, false or null".to_owned()));
    }
    read
}

fn sex(given: Option<&Json>, faults: &mut Faults) -> Option<Sex> {
    let text = match given? {
        Json::Null => return None,
        Json::String(text) => text.trim().to_uppercase(),
        _ => String::from("?"),
    };
    match text.as_str() {
        "F" | "FEMALE" | "FEMME" | "FILLE" | "FEMININ" | "FÉMININ" | "WOMAN" | "GIRL" => Some(Sex::Female),
        "M" | "H" | "MALE" | "HOMME" | "GARÇON" | "GARCON" | "MASCULIN" | "MAN" | "BOY" => Some(Sex::Male),
        "" | "O" | "U" | "UN" | "UNKNOWN" | "X" => None,
        _ => {
            faults.push(("sex".to_owned(), "expected \"F\", \"M\" or null".to_owned()));
            None
        }
    }
}

/// A code of the national list; words after it are a label.
fn motive(given: Option<&Json>, faults: &mut Faults) -> Option<String> {
    let text = given.and_then(Json::as_str).unwrap_or_default().trim().to_uppercase();
    let code = first_word(&text);
    match code.parse::<Motive>() {
        Ok(motive) if motive.is_known() => Some(motive.code().to_owned()),
        _ => {
            let problem = "expected a code of HubSante.motif such as M03.14; `protocols --json` lists them".to_owned();
            faults.push(("motive".to_owned(), problem));
            None
        }
    }
}

/// A code before its label: `M03.06: Douleur`, `P1 - prioritaire`.
fn first_word(text: &str) -> &str {
    text.split(|c: char| c.is_whitespace() || [':', ',', ';'].contains(&c))
        .find(|word| !word.is_empty())
        .unwrap_or_default()
}

fn expected(given: Option<&Json>, faults: &mut Faults) -> Option<Priority> {
    let level = match given {
        Some(Json::String(text)) => first_word(&text.to_uppercase()).to_owned(),
        Some(Json::Number(number)) => format!("P{number}"),
        _ => String::new(),
    };
    let known = super::LEVELS.into_iter().find(|priority| priority.code() == level);
    if known.is_none() {
        faults.push(("expected".to_owned(), "expected P0, P1, P2 or P3".to_owned()));
    }
    known
}

/// An object of codes and answers, or a list of `{"question", "value"}`, of pairs, or of signs that are there; null, and a
/// word that says so, is no answer.
fn answers(answers: Option<&Json>, book: &Book, faults: &mut Faults) -> Answers {
    let mut given: Vec<(String, Json)> = Vec::new();
    match answers {
        None | Some(Json::Null) => {}
        Some(Json::Object(answers)) => given.extend(answers.iter().map(|(code, value)| (code.clone(), value.clone()))),
        Some(Json::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                match listed(item) {
                    Some(answer) => given.push(answer),
                    None => {
                        let problem = "expected {\"question\": code, \"value\": answer}, [code, answer] or a code";
                        faults.push((format!("answers[{at}]"), problem.to_owned()));
                    }
                }
            }
        }
        Some(_) => faults.push(("answers".to_owned(), "expected an object of question codes and answers".to_owned())),
    }
    given.retain(|(_, raw)| !unsaid(raw));
    let mut answers = Answers::new();
    for (code, raw) in given {
        let code = code.trim().to_uppercase();
        let value = value(book, &code, &raw);
        let fault = value.as_ref().map_or(Some("no answer of this type".to_owned()), |value| book.fault(&code, value));
        let unknown = (!book.known(&code))
            .then(|| "no protocol has a question of this code; `protocols --json` lists them".to_owned());
        match (unknown.or(fault), value) {
            (None, Some(value)) => drop(answers.insert(code, value)),
            (problem, _) => faults.push((format!("answers.{code}"), problem.unwrap_or_default())),
        }
    }
    answers
}

/// One answer of a list; a code alone is a sign that is there.
fn listed(item: &Json) -> Option<(String, Json)> {
    match item {
        Json::String(code) => Some((code.clone(), Json::Bool(true))),
        Json::Array(pair) => match pair.as_slice() {
            [Json::String(code), value] => Some((code.clone(), value.clone())),
            _ => None,
        },
        Json::Object(fields) => {
            let field = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)).cloned();
            let code = field(&["question", "code"])?;
            Some((code.as_str()?.to_owned(), field(&["value", "answer", "valeur", "réponse", "reponse"])?))
        }
        _ => None,
    }
}

fn unsaid(raw: &Json) -> bool {
    const WORDS: [&str; 8] = ["", "?", "inconnu", "inconnue", "nsp", "ne sait pas", "non demandé", "unknown"];
    raw.is_null() || raw.as_str().is_some_and(|text| WORDS.contains(&text.trim().to_lowercase().as_str()))
}

/// A number, and the unit that may stand behind it.
fn measured(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', ".");
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    let unit = text[end..].trim().to_lowercase();
    ["", "°c", "°", "c", "/10", "sur 10", "g/l", "mmhg", "%"]
        .contains(&unit.as_str())
        .then(|| text[..end].parse().ok())?
}

/// An answer in the question's type.
fn value(book: &Book, code: &str, raw: &Json) -> Option<Value> {
    let kind = if code == COMPLAINT { None } else { Some(&book.question(code)?.kind) };
    match kind {
        Some(Kind::YesNo) => yes(raw).map(Value::Yes),
        Some(Kind::Number { or_no, .. }) => {
            let number = raw.as_f64().or_else(|| measured(raw.as_str()?)).map(Value::Number);
            number.or_else(|| yes(raw).filter(|yes| *or_no && !yes).map(Value::Yes))
        }
        Some(Kind::Choice(_)) | None => raw.as_str().map(|text| Value::Choice(text.trim().to_uppercase())),
    }
}

fn yes(raw: &Json) -> Option<bool> {
    match raw {
        Json::Bool(yes) => Some(*yes),
        Json::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Json::String(text) => match text.trim().to_lowercase().as_str() {
            "oui" | "yes" | "true" | "vrai" | "o" | "y" => Some(true),
            "non" | "no" | "false" | "faux" | "n" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

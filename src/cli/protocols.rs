//! `sas-dispatch protocols`: every triage protocol with its questions, codes, red flags, sources and signature.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Answer, Outcome, Shared, say, say_json};
use crate::domain::{
    ids::TerritoryId,
    regulation::{
        motives::MOTIVES,
        protocols::{Book, COMPLAINT, Condition, Kind, Protocol, Question, Rule, Seal, Source, Value},
    },
};

/// Arguments of `protocols`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Those of this territory, its own among them [default: the national ones]
    #[arg(long, value_name = "ID")]
    territory: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let (territory, book) = shared.book(args.territory.as_deref())?;
    if args.json {
        say_json(&document(territory.as_ref(), &book));
    } else {
        book.protocols().iter().for_each(|protocol| say(words(&book, protocol)));
        let whose = territory.map_or(String::new(), |id| format!("{id} : "));
        say(format!("{whose}{} protocoles, {} signé(s) ; {}", book.protocols().len(), signed(&book), sources(&book)));
    }
    Ok(Answer::Done)
}

fn signed(book: &Book) -> usize {
    book.protocols().iter().filter(|protocol| protocol.signed()).count()
}

fn document(territory: Option<&TerritoryId>, book: &Book) -> Json {
    let common = book.common();
    let everywhere = common.map(|common| flags(&common.red_flags)).unwrap_or_default();
    let protocols: Vec<Json> = book.protocols().iter().map(|known| protocol(book, known)).collect();
    let complaint = book.complaint(|_| true);
    json!({
        "territory": territory,
        "levels": ["P0", "P1", "P2", "P3"],
        "complaint": question(&complaint, false),
        "common_red_flags": everywhere,
        "signed": signed(book),
        "protocols": protocols,
    })
}

fn protocol(book: &Book, known: &Protocol) -> Json {
    let motives: Vec<Json> = known
        .motives
        .iter()
        .map(|code| {
            let label = MOTIVES.iter().find(|entry| entry.code == *code).map(|entry| entry.label);
            json!({ "code": code, "label": label })
        })
        .collect();
    let sources: Vec<Json> = known
        .sources
        .iter()
        .map(|source| {
            let opened = source.opened.map(|date| date.to_string());
            json!({ "title": source.title, "year": source.year, "url": source.url, "opened": opened })
        })
        .collect();
    let complaint = known
        .presentation
        .as_ref()
        .map(|known| json!({ "question": COMPLAINT, "value": known.code, "label": known.label }));
    json!({
        "code": known.code,
        "title": known.title,
        "version": known.version,
        "signed": known.signed(),
        "signature": signature(&known.seal),
        "digest": known.digest,
        "motives": motives,
        "complaint": complaint,
        "population": {
            "age_from": known.population.from.map(|age| age.to_string()),
            "age_below": known.population.below.map(|age| age.to_string()),
            "sex": known.population.sex.map(|sex| sex.code()),
        },
        "default": { "priority": known.default.code(), "stream": known.stream.code(), "reason": known.reason },
        "questions": questions(book, known),
        "red_flags": flags(&known.red_flags),
        "rules": flags(&known.rules),
        "sources": sources,
    })
}

fn signature(seal: &Seal) -> Json {
    match seal {
        Seal::Unsigned => Json::Null,
        Seal::Signed(by) => json!({ "committee": by.name, "date": by.date.to_string(), "state": "SIGNED" }),
        Seal::Changed(by) => json!({ "committee": by.name, "date": by.date.to_string(), "state": "CHANGED_SINCE" }),
    }
}

/// The main complaint where the motive has several, then what is asked in every case, then the protocol's own.
fn questions(book: &Book, known: &Protocol) -> Vec<Json> {
    let watched = known.watched();
    let common = book.common().map(Protocol::watched).unwrap_or_default();
    let complaint = book
        .shares_motive(known)
        .then(|| book.complaint(|other| other.motives.iter().any(|motive| known.motives.contains(motive))));
    let asked = book.asked_by(known).map(|asked| {
        let vital = common.contains(asked.code.as_str());
        let mut document = question(asked, vital || watched.contains(asked.code.as_str()));
        if let (true, Some(condition)) = (vital, &known.vital_signs_if) {
            document["asked_if"] = when(condition);
        }
        document
    });
    complaint.iter().map(|asked| question(asked, false)).chain(asked).collect()
}

fn question(known: &Question, red_flag: bool) -> Json {
    let mut document = Map::new();
    document.insert("code".into(), json!(known.code));
    document.insert("text".into(), json!(known.text));
    document.insert("type".into(), json!(known.kind.name()));
    match &known.kind {
        Kind::YesNo => drop(document.insert("values".into(), json!([true, false]))),
        Kind::Choice(choices) => {
            let values: Vec<_> =
                choices.iter().map(|choice| json!({ "code": choice.code, "label": choice.label })).collect();
            document.insert("values".into(), json!(values));
        }
        Kind::Number { unit, min, max, or_no } => {
            document.insert("unit".into(), json!(unit));
            document.insert("min".into(), json!(min));
            document.insert("max".into(), json!(max));
            if *or_no {
                document.insert("or".into(), json!([false]));
            }
        }
    }
    if known.code != COMPLAINT {
        document.insert("reassuring".into(), value(&known.reassuring));
    }
    document.insert("red_flag".into(), json!(red_flag));
    if let Some(condition) = &known.asked_if {
        document.insert("asked_if".into(), when(condition));
    }
    Json::Object(document)
}

fn flags(rules: &[Rule]) -> Vec<Json> {
    let one = |rule: &Rule| {
        let mut document = Map::new();
        document.insert("code".into(), json!(rule.code));
        document.insert("priority".into(), json!(rule.priority.code()));
        document.insert("stream".into(), json!(rule.stream.code()));
        document.insert("reason".into(), json!(rule.reason));
        if let Some(window) = rule.window {
            document.insert("window_hours".into(), json!(window.secs() / 3600));
        }
        document.insert("when".into(), when(&rule.when));
        Json::Object(document)
    };
    rules.iter().map(one).collect()
}

/// A condition in the notation of the files.
fn when(condition: &Condition) -> Json {
    let parts = |parts: &[Condition]| parts.iter().map(when).collect::<Vec<_>>();
    match condition {
        Condition::All(all) => json!({ "all": parts(all) }),
        Condition::Any(any) => json!({ "any": parts(any) }),
        Condition::Not(part) => json!({ "not": when(part) }),
        Condition::Is { question, values } => match values.as_slice() {
            [Value::Yes(true)] => json!({ "yes": question }),
            [Value::Yes(false)] => json!({ "no": question }),
            values => {
                let rest = values.iter().map(value);
                json!({ "is": std::iter::once(json!(question)).chain(rest).collect::<Vec<_>>() })
            }
        },
        Condition::AtLeast { question, number } => json!({ "at_least": [question, number] }),
        Condition::AtMost { question, number } => json!({ "at_most": [question, number] }),
        Condition::AgeBelow(age) => json!({ "age_below": age.to_string() }),
        Condition::AgeFrom(age) => json!({ "age_from": age.to_string() }),
        Condition::Sex(sex) => json!({ "sex": sex.code() }),
        Condition::Pregnant(pregnant) => json!({ "pregnant": pregnant }),
    }
}

fn value(value: &Value) -> Json {
    match value {
        Value::Yes(yes) => json!(yes),
        Value::Number(number) => json!(number),
        Value::Choice(code) => json!(code),
    }
}

fn words(book: &Book, known: &Protocol) -> String {
    let signed = match &known.seal {
        Seal::Unsigned => "non signé".to_owned(),
        Seal::Signed(by) => format!("signé : {}, {}", by.name, by.date),
        Seal::Changed(by) => format!("modifié depuis la signature : {}, {}", by.name, by.date),
    };
    let mut lines = vec![
        format!("{} — {} (version {}, {signed})", known.code, known.title, known.version),
        format!("  motifs {} ; par défaut {} : {}", known.motives.join(", "), known.default, known.reason),
    ];
    if let Some(complaint) = &known.presentation {
        lines.push(format!("  {COMPLAINT} = {}", complaint.code));
    }
    let watched = known.watched();
    for asked in book.asked_by(known) {
        let mark = if watched.contains(asked.code.as_str()) { "!" } else { " " };
        lines.push(format!("  {mark} {} {}{}", asked.code, asked.text, values(asked)));
    }
    lines.extend(
        known.red_flags.iter().map(|flag| format!("  drapeau {} {} : {}", flag.priority, flag.code, flag.reason)),
    );
    lines.extend(known.rules.iter().map(|rule| format!("  règle {} {} : {}", rule.priority, rule.code, rule.reason)));
    lines.extend(known.sources.iter().map(cited));
    lines.push(format!("  empreinte à signer : {}", known.digest));
    lines.join("\n")
}

fn cited(source: &Source) -> String {
    let opened = source.opened.map_or("jamais ouverte".to_owned(), |date| format!("ouverte le {date}"));
    let place = source.url.as_ref().map_or(String::new(), |url| format!(", {url}"));
    format!("  source : {} ({}{place}) — {opened}", source.title, source.year)
}

/// How many different sources there are, and how many of them nobody who wrote the files has opened.
fn sources(book: &Book) -> String {
    let all: BTreeMap<_, _> = book
        .protocols()
        .iter()
        .flat_map(|known| &known.sources)
        .map(|source| ((&source.title, source.year), source.opened.is_some()))
        .collect();
    let unopened = all.values().filter(|opened| !**opened).count();
    format!("{} sources, dont {unopened} que personne n'a ouvertes", all.len())
}

fn values(asked: &Question) -> String {
    match &asked.kind {
        Kind::YesNo => String::new(),
        Kind::Choice(choices) => {
            let codes: Vec<_> = choices.iter().map(|choice| choice.code.as_str()).collect();
            format!(" [{}]", codes.join(" "))
        }
        Kind::Number { unit, min, max, or_no } => {
            format!(" [{min} à {max} {unit}{}]", if *or_no { ", ou non" } else { "" })
        }
    }
}

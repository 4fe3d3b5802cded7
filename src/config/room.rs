//! What `[regulation]` says of the room: skills, hours without regulation, the split, the roster.

use std::collections::BTreeSet;

use super::{
    sheet::Table,
    values::{clock, date, list, parsed, seconds, words},
};
use crate::domain::{
    ids::Skill,
    regulation::{
        fallback::Stop,
        motives::MOTIVES,
        qualification::{Flag, Stream},
        split::SplitRules,
    },
    territory::{MOST_SKILLS, RegulationPolicy, Unrostered},
};

/// What is absent has its default.
pub(super) fn read(table: &Table<'_>, default: RegulationPolicy) -> RegulationPolicy {
    RegulationPolicy {
        skills: skills(table),
        stops: table.tables("stops", stop),
        split: table.table("split", split).unwrap_or_default(),
        unrostered: table.or("unrostered", default.unrostered, parsed::<Unrostered>),
        longest_surge: table.or("longest_surge_seconds", default.longest_surge, seconds),
        ..default
    }
}

fn skills(table: &Table<'_>) -> BTreeSet<Skill> {
    let named = table.or("skills", Vec::new(), list(parsed::<Skill>));
    let skills: BTreeSet<Skill> = named.iter().cloned().collect();
    if skills.len() < named.len() {
        table.fault("skills", "names one skill twice");
    }
    if skills.len() > MOST_SKILLS {
        table.fault("skills", format!("names {}, at most {MOST_SKILLS}: each has its own queue", skills.len()));
    }
    skills
}

fn stop(table: &Table<'_>) -> Option<Stop> {
    let stream = table.required("stream", parsed::<Stream>);
    let from = table.required("from", clock);
    let to = table.required("to", clock);
    let first = table.required("first_date", date);
    let last = table.optional("last_date", date);
    if stream == Some(Stream::Amu) {
        table.fault("stream", "the AMU regulates at every hour (R6311-2 CSP): name SNP, PSY or NEONAT");
    }
    if from.is_some() && from == to {
        table.fault("to", "must differ from 'from': a stream without regulation all day is not in the territory");
    }
    if last.zip(first).is_some_and(|(last, first)| last < first) {
        table.fault("last_date", "must not lie before 'first_date'");
    }
    Some(Stop { stream: stream?, from: from?, to: to?, first: first?, last })
}

fn split(table: &Table<'_>) -> SplitRules {
    let rules = SplitRules {
        places: table.or("hospital_places", Vec::new(), list(words)),
        motives: table.or("hospital_motives", Vec::new(), list(words)),
        flags: table.or("hospital_flags", Vec::new(), list(parsed::<Flag>)),
    };
    let place = |rule: &String| rule.len() >= 3 && rule.starts_with('L') && rule[1..].chars().all(code);
    if let Some(wrong) = rules.places.iter().position(|rule| !place(rule)) {
        let problem = format!("item {}: expected a code of HubSante.lieu or its beginning, such as \"L02\"", wrong + 1);
        table.fault("hospital_places", problem);
    }
    let motive = |rule: &String| MOTIVES.iter().any(|known| known.code.starts_with(rule.as_str()));
    if let Some(wrong) = rules.motives.iter().position(|rule| !motive(rule)) {
        let problem =
            format!("item {}: expected a code of HubSante.motif or its beginning, such as \"M01\"", wrong + 1);
        table.fault("hospital_motives", problem);
    }
    rules
}

fn code(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

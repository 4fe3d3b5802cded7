//! The answer of `replay`, for people and as one document.

use serde::Serialize;

use super::{
    Message,
    play::{Opened, Played},
};
use crate::{
    cli::{french::moment, say, say_json},
    config::Config,
    domain::{
        calendar::local,
        regulation::motives::Motive,
        routing::{Plan, Verdict, explain_french, sources_french},
    },
};

#[derive(Serialize)]
struct Document<'a> {
    messages: Vec<Entry<'a>>,
    opened: usize,
    refused: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    place: String,
    opened: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(flatten)]
    case: Option<CaseEntry<'a>>,
}

#[derive(Serialize)]
struct CaseEntry<'a> {
    territory: String,
    case_number: &'a str,
    priority: Option<&'static str>,
    stream: Option<&'static str>,
    motive: Option<&'a str>,
    period: Option<&'static str>,
    need: NeedEntry,
    plan: &'a Plan,
    explanation: Vec<String>,
    sources: Vec<String>,
}

#[derive(Serialize)]
struct NeedEntry {
    care_type: &'static str,
    level: &'static str,
    longest_delay: &'static str,
    signed: bool,
}

pub(super) fn print(config: &Config, messages: &[Message], played: &[Played], json: bool) {
    let entries: Vec<_> = messages.iter().zip(played).map(|(message, played)| entry(config, message, played)).collect();
    let opened = entries.iter().filter(|entry| entry.opened).count();
    let refused = entries.len() - opened;
    if json {
        return say_json(&Document { messages: entries, opened, refused });
    }
    for ((message, entry), played) in messages.iter().zip(&entries).zip(played) {
        text(config, message, entry, played);
    }
    say(format!("{opened} dossier(s) ouvert(s), {refused} message(s) refusé(s)"));
}

fn entry<'a>(config: &Config, message: &'a Message, played: &'a Played) -> Entry<'a> {
    let warnings = message.decoded.as_ref().map(|case| case.warnings.iter().map(ToString::to_string).collect());
    let (case, faults) = match &played.result {
        Ok(opened) => (Some(case(config, opened)), Vec::new()),
        Err(faults) => (None, faults.clone()),
    };
    let (file, place, opened) = (message.file.as_str(), message.place.to_string(), case.is_some());
    Entry { file, place, opened, faults, warnings: warnings.unwrap_or_default(), case }
}

fn case<'a>(config: &Config, opened: &'a Opened) -> CaseEntry<'a> {
    let qualification = opened.view.case.qualification.as_ref();
    let ground = config.territory(&opened.view.case.territory).ok();
    let zone = ground.as_ref().map(|ground| ground.0.calendar.zone());
    let empty = Default::default();
    let directory = ground.as_ref().map_or(&empty, |ground| &ground.1);
    CaseEntry {
        territory: opened.view.case.territory.to_string(),
        case_number: &opened.view.case_number,
        priority: qualification.map(|known| known.priority.code()),
        stream: qualification.map(|known| known.stream.code()),
        motive: qualification.and_then(|known| known.motive.as_deref()),
        period: opened.legal.as_ref().map(|legal| legal.period.code()),
        need: NeedEntry {
            care_type: opened.need.care.code(),
            level: opened.need.level.code(),
            longest_delay: opened.need.longest_delay.code(),
            signed: opened.signed,
        },
        plan: &opened.plan,
        explanation: explain_french(&opened.plan, directory),
        sources: zone.map(|zone| sources_french(&opened.plan, zone)).unwrap_or_default(),
    }
}

fn text(config: &Config, message: &Message, entry: &Entry<'_>, played: &Played) {
    say(format!("{} ({})", message.file, message.place));
    for fault in &entry.faults {
        say(format!("  refusé : {fault}"));
    }
    for warning in &entry.warnings {
        say(format!("  avertissement : {warning}"));
    }
    let (Some(case), Ok(opened)) = (&entry.case, &played.result) else { return say("") };
    let label = case.motive.and_then(|code| code.parse::<Motive>().ok()).and_then(|motive| motive.label());
    let ground = config.territory(&opened.view.case.territory).ok();
    let name = ground.as_ref().map_or("", |ground| ground.0.name.as_str());
    say(format!("  {} {name} — dossier {}", case.territory, case.case_number));
    if let Some(ground) = &ground {
        let at = local(ground.0.calendar.zone(), opened.view.case.opened);
        let period = opened.legal.as_ref().map_or("", |legal| legal.period.label());
        say(format!("  reçu {} — {period}", moment(at)));
    }
    let (priority, stream) = (case.priority.unwrap_or("?"), case.stream.unwrap_or("?"));
    say(format!("  {priority}, filière {stream} — {}", label.unwrap_or("motif hors liste")));
    let basis = if opened.signed { "signé dans la demande" } else { "supposé, le message n'en porte pas" };
    let need = &opened.need;
    say(format!("  besoin : {}, {}, {} ({basis})", need.care.label(), need.level.code(), need.longest_delay.label()));
    let kept = opened.plan.rows.iter().any(|row| matches!(row.verdict, Verdict::Kept { .. }));
    if need.care.needs_supply() && !kept {
        say("  personne : retour au régulateur, avec alarme");
    }
    case.explanation.iter().chain(&case.sources).for_each(|line| say(format!("    {line}")));
    say("");
}

//! The closing table, in French, for a head of service.

use std::{collections::BTreeMap, fmt::Write};

use crate::domain::{
    case::ActionKind,
    regulation::{
        decision::SupplyReason,
        need::CareType,
        qualification::{Priority, Stream},
    },
    routing::{Category, WhyNot},
    slots::SlotKind,
};

use super::{
    figures::{Document, Figures, Offers},
    quantiles::Quantiles,
};

/// Reasons shown of each kind of responder, the most frequent first.
const REASONS: usize = 2;

/// The table.
pub(super) fn table(document: &Document) -> String {
    let mut out = String::new();
    head(&mut out, document);
    let figures = &document.figures;
    calls(&mut out, figures);
    waits(&mut out, figures);
    decisions(&mut out, figures);
    destinations(&mut out, figures);
    offers(&mut out, figures);
    reasons(&mut out, figures);
    slots_and_visits(&mut out, figures);
    what_is_left(&mut out, figures);
    foot(&mut out, document);
    out
}

fn title(out: &mut String, text: &str) {
    line(out, format!("\n{text}"));
}

fn line(out: &mut String, text: impl std::fmt::Display) {
    writeln!(out, "{text}").expect("a String takes every line");
}

fn row(out: &mut String, label: &str, value: impl std::fmt::Display) {
    let dots = ".".repeat(58_usize.saturating_sub(label.chars().count()));
    line(out, format!("  {label} {dots} {value}"));
}

fn head(out: &mut String, document: &Document) {
    let day = &document.day;
    line(out, format!("{} ({}), {}", day.name, day.territory, day.date));
    let holiday = day.holiday.as_ref().map(|name| format!(", jour férié : {name}")).unwrap_or_default();
    line(out, format!("À midi : {}{holiday}. Règles {}.", day.period_label, day.rules));
    line(
        out,
        format!(
            "De {} à {} ; demande : {} dossiers par jour ({}) ; graine {}.",
            day.from, day.until, day.reference_files, day.reference, day.seed
        ),
    );
}

fn calls(out: &mut String, figures: &Figures) {
    let calls = &figures.calls;
    title(out, "APPELS");
    row(out, "appels reçus", calls.offered);
    row(out, "décrochés", share(calls.answered, calls.offered));
    row(out, "  dont en moins de 60 secondes", share(calls.answered_within_60s, calls.answered));
    row(out, "attente avant décroché", waited(calls.ring));
    row(out, "abandonnés", share(calls.abandoned, calls.offered));
    row(out, "  rappelés / joints", format!("{} / {}", calls.rung_back, calls.reached));
    row(out, "appels itératifs liés à un dossier antérieur", calls.repeats);
    row(out, "raccrochés en attendant le médecin, puis rappelés", calls.hung_up_waiting);
}

fn waits(out: &mut String, figures: &Figures) {
    title(out, "ATTENTE DU MÉDECIN RÉGULATEUR, depuis la qualification");
    for (key, waits) in &figures.waits {
        let mut parts = key.split(' ');
        let priority = parts.next().unwrap_or_default();
        let label = match parts.next() {
            None => format!("{priority} {}", french::<Priority>(priority, Priority::label)),
            Some(stream) => format!("  {priority}, {}", french::<Stream>(stream, Stream::label)),
        };
        row(out, &label, format!("{} ; hors délai {}", waited(waits.wait), waits.late));
    }
    row(
        out,
        "réévaluations d'attentes trop longues / aggravées",
        format!("{} / {}", figures.decisions.reassessed, figures.decisions.raised),
    );
}

fn decisions(out: &mut String, figures: &Figures) {
    let decisions = &figures.decisions;
    title(out, "DÉCISIONS");
    row(out, "dossiers (DR)", figures.cases);
    row(out, "dossiers régulés par un médecin (DRM/DR)", share(decisions.regulated, figures.cases));
    row(out, "  dont filière médecine générale", share(decisions.regulated_snp, decisions.regulated));
    row(out, "orientés par protocole (D6311-35)", decisions.by_protocol);
    row(out, "clos sans médecin (sans symptôme)", decisions.dismissed.values().sum::<u64>());
    let total = decisions.answers.values().sum();
    for (care, count) in by_count(&decisions.answers) {
        row(out, &format!("réponse : {}", french::<CareType>(care, CareType::label)), share(count, total));
    }
    for (reason, count) in by_count(&decisions.changed_by_supply) {
        let reason = format!("SUPPLY.{reason}");
        row(
            out,
            &format!("réponse autre que le besoin : {}", french::<SupplyReason>(&reason, SupplyReason::label)),
            count,
        );
    }
}

fn destinations(out: &mut String, figures: &Figures) {
    title(out, "OÙ CHAQUE DOSSIER EST ALLÉ");
    for (code, count) in by_count(&figures.destinations) {
        row(out, &destination(code), share(count, figures.cases));
    }
}

fn destination(code: &str) -> String {
    match code {
        "DISMISSED" => "clos par l'ARM".to_owned(),
        "NOT_DECIDED" => "pas encore décidé".to_owned(),
        "SEARCHING" => "effecteur encore recherché".to_owned(),
        _ => match code.parse::<Category>() {
            Ok(category) => category.label().to_owned(),
            Err(_) => french::<CareType>(code, CareType::label),
        },
    }
}

fn offers(out: &mut String, figures: &Figures) {
    title(out, "PROPOSITIONS AUX EFFECTEURS : acceptées / faites ; accord puis soin, depuis la réponse signée");
    for (code, offers) in &figures.offers {
        row(out, &french::<Category>(code, Category::label), offered(offers));
    }
}

fn offered(offers: &Offers) -> String {
    let closed: Vec<_> = by_count(&offers.closed)
        .into_iter()
        .map(|(why, count)| format!("{} {count}", french::<WhyNot>(why, WhyNot::label).to_lowercase()))
        .collect();
    let closed = if closed.is_empty() { String::new() } else { format!(" ({})", closed.join(", ")) };
    let medians = format!("médianes {} puis {}", span(offers.to_acceptance.p50_s), span(offers.to_care.p50_s));
    format!("{} / {}{closed} ; {medians}", offers.accepted, offers.made)
}

fn reasons(out: &mut String, figures: &Figures) {
    title(out, &format!("POURQUOI PAS AILLEURS ({} plans montrés aux régulateurs)", figures.plans));
    for category in Category::ALL {
        // That another kind of care was decided says nothing of the supply.
        let of_supply = |why: &str| why != WhyNot::OtherCareDecided.code();
        let rows = figures.why_not.iter().filter(|row| row.category == category.code() && of_supply(&row.why));
        for reason in rows.take(REASONS) {
            let why = french::<WhyNot>(&reason.why, WhyNot::label).to_lowercase();
            row(out, &format!("{} : {why}", category.label()), share(reason.plans, figures.plans));
        }
    }
}

fn slots_and_visits(out: &mut String, figures: &Figures) {
    let (slots, visits) = (&figures.slots, &figures.visits);
    title(out, "CRÉNEAUX");
    for (kind, count) in &slots.published {
        row(out, &format!("publiés : {}", french::<SlotKind>(kind, SlotKind::label)), count);
    }
    row(out, "retenus / pris", format!("{} / {}", slots.held, slots.booked));
    row(out, "venus / absents (jusqu'ici)", format!("{} / {}", slots.seen, slots.no_shows));
    title(out, "VISITES À DOMICILE");
    row(
        out,
        "décidées / acceptées / terminées",
        format!("{} / {} / {}", visits.decided, visits.accepted, visits.finished),
    );
    row(out, "de la décision à la porte", waited(visits.to_door));
    row(out, "arrivées avant le délai maximal", share(visits.within_longest_delay, visits.arrived));
}

fn what_is_left(out: &mut String, figures: &Figures) {
    title(out, "À LA FIN");
    let unanswered = &figures.unanswered;
    row(
        out,
        "dossiers un moment sans effecteur / encore sans réponse",
        format!("{} / {}", unanswered.ever, unanswered.at_the_end),
    );
    if figures.still_open.is_empty() {
        row(out, "actions encore ouvertes", "aucune");
    }
    for (kind, count) in by_count(&figures.still_open) {
        row(out, &format!("encore ouvert : {}", french::<ActionKind>(kind, ActionKind::label)), count);
    }
}

fn foot(out: &mut String, document: &Document) {
    let (figures, check, run) = (&document.figures, &document.check, &document.run);
    title(out, "VÉRIFICATION");
    row(out, "durabilité des accusés", &figures.durability);
    row(
        out,
        "appels gRPC",
        format!("{} en {:.1} s ({:.0} par seconde)", figures.rpcs, run.wall_seconds, run.rpcs_per_second),
    );
    row(out, "réponses « trop tard, relisez »", figures.refused.values().sum::<u64>());
    row(out, "messages reçus par les écrans", run.watch_messages);
    row(out, "commandes accusées / perdues", format!("{} / {}", check.acknowledged, check.lost));
    row(out, "événements relus / entrées d'index comparées", format!("{} / {}", check.events, check.index_entries));
    row(out, "plus long retard d'une alarme", span(check.longest_silence_s));
    if check.clean() {
        row(out, "verdict", "CONFORME : aucune règle enfreinte");
    } else {
        row(out, "verdict", format!("{} FAUTE(S)", check.found + check.lost));
        check.violations.iter().take(20).for_each(|violation| line(out, format!("    {violation}")));
    }
}

/// A count with its share of a whole.
fn share(count: u64, of: u64) -> String {
    match of {
        0 => count.to_string(),
        _ => format!("{count} ({:.0} %)", count as f64 * 100.0 / of as f64),
    }
}

fn waited(waits: Quantiles) -> String {
    if waits.count == 0 {
        return "aucune".to_owned();
    }
    format!("{} : p50 {}, p90 {}, p95 {}", waits.count, span(waits.p50_s), span(waits.p90_s), span(waits.p95_s))
}

/// `45 s`, `12 min`, `3 h 05`.
fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02}", seconds / 3_600, seconds % 3_600 / 60),
    }
}

fn by_count(map: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut rows: Vec<_> = map.iter().map(|(key, count)| (key.as_str(), *count)).collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    rows
}

/// The French label of a code; the code itself where the list does not have it.
fn french<T: std::str::FromStr>(code: &str, label: fn(T) -> &'static str) -> String {
    code.parse().map_or_else(|_| code.to_owned(), |value| label(value).to_owned())
}

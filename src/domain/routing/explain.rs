//! A plan in French: one line per row, for people at a console, a terminal or a command line.

use chrono::{DateTime, Datelike};
use chrono_tz::Tz;

use crate::domain::{
    calendar::{MONTHS, local, local_date},
    directory::{Directory, Responder},
    time::Instant,
};

use super::{Availability, Category, Means, Plan, Row, Verdict, WhyNot};

/// One line per row in the plan's order, then one per group of rows that were left out. Responders the directory lacks
/// are named by id.
pub fn explain_french(plan: &Plan, directory: &Directory) -> Vec<String> {
    let mut lines: Vec<_> = plan.rows.iter().map(|row| line(plan, row, directory)).collect();
    let kept =
        |(category, count): &(Category, u32)| format!("… {} : {count} autres retenus", capital(category.label()));
    let refused = |(category, why, count): &(Category, WhyNot, u32)| {
        format!("… {} : {count} autres écartés : {}", capital(category.label()), lower(why.label()))
    };
    lines.extend(plan.kept_left_out.iter().map(kept));
    lines.extend(plan.left_out.iter().map(refused));
    lines
}

/// One line per source that was asked, with its answer in words; hours in `zone`.
pub fn sources_french(plan: &Plan, zone: Tz) -> Vec<String> {
    let said = |availability| match availability {
        Availability::Found => "trouvé".to_owned(),
        Availability::None => "rien de disponible".to_owned(),
        Availability::NotConnected => "disponibilité inconnue, source non connectée".to_owned(),
        Availability::NoAnswerSince(since) => {
            format!("disponibilité inconnue, sans réponse depuis {}", since_when(plan.at, since, zone))
        }
    };
    let line = |source: &super::Source| format!("{} : {}", capital(source.category.label()), said(source.availability));
    plan.sources.iter().map(line).collect()
}

fn line(plan: &Plan, row: &Row, directory: &Directory) -> String {
    let responder = row.responder.as_ref().and_then(|id| directory.get(id));
    let named = responder.map(|who| who.name.clone()).or_else(|| row.responder.as_ref().map(ToString::to_string));
    let who = named.map(|name| format!(" : {name}")).unwrap_or_default();
    let distance = row.distance_m.map(|metres| format!(", à {}", kilometres(metres))).unwrap_or_default();
    let category = capital(row.category.label());
    match row.verdict {
        Verdict::Kept { rank } => {
            let cap = if row.snp_cap_reached { ", plafond hebdomadaire de majorations SNP atteint" } else { "" };
            format!("{rank}. {category}{who} — retenu{}{distance}{cap}", how(plan, row, responder))
        }
        Verdict::Refused { why } => {
            format!("–  {category}{who} — écarté : {}{distance}", because(plan, row, responder, why))
        }
    }
}

/// How and when a kept option is taken up.
fn how(plan: &Plan, row: &Row, responder: Option<&Responder>) -> String {
    let at = |instant| responder.map(|who| moment(plan.at, instant, who.hours.zone()));
    match (&row.means, row.earliest.and_then(at)) {
        (Some(Means::Slot { .. }), Some(at)) => format!(", créneau {at}"),
        (Some(Means::Ring), Some(_)) if row.earliest == Some(plan.at) => ", ouvert, à appeler".to_owned(),
        (Some(Means::Ring), Some(at)) => format!(", ouvert {at}, à appeler"),
        (Some(Means::Visit { sector }), Some(_)) => format!(", médecin libre dans le secteur {sector}"),
        (Some(Means::Visit { sector }), None) => format!(", médecins en visite dans le secteur {sector}"),
        _ => String::new(),
    }
}

/// Why a refused option is refused, with the dates that show it.
fn because(plan: &Plan, row: &Row, responder: Option<&Responder>, why: WhyNot) -> String {
    let label = lower(why.label());
    let Some(who) = responder else { return label };
    match (why, row.earliest) {
        (WhyNot::Absent, _) => who.absent_at(plan.at).map_or(label, |away| {
            let date = |day: chrono::NaiveDate| format!("{} {} {}", day_of_month(day), month(day), day.year());
            format!("absent du {} au {}", date(away.from), date(away.to))
        }),
        (WhyNot::SlotAfterDeadline, Some(at)) => format!("{label} ({})", moment(plan.at, at, who.hours.zone())),
        _ => label,
    }
}

/// `à 14 h 00`, with the date when it is another day than that of the plan.
fn moment(now: Instant, at: Instant, zone: Tz) -> String {
    let wall: DateTime<Tz> = local(zone, at);
    let hour = wall.format("%-H h %M");
    let day = wall.date_naive();
    if day == local_date(zone, now) {
        return format!("à {hour}");
    }
    format!("le {} {} à {hour}", day_of_month(day), month(day))
}

/// `14 h 48`, `le 18 décembre à 14 h 48`: after "depuis".
fn since_when(now: Instant, at: Instant, zone: Tz) -> String {
    let moment = moment(now, at, zone);
    moment.strip_prefix("à ").map(str::to_owned).unwrap_or(moment)
}

fn day_of_month(day: chrono::NaiveDate) -> String {
    if day.day() == 1 { "1er".to_owned() } else { day.day().to_string() }
}

fn month(day: chrono::NaiveDate) -> &'static str {
    MONTHS[day.month0() as usize]
}

/// `850 m`, `2,1 km`.
fn kilometres(metres: u32) -> String {
    if metres < 1_000 {
        return format!("{metres} m");
    }
    let tenths = (metres + 50) / 100;
    format!("{},{} km", tenths / 10, tenths % 10)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A label inside a sentence; an abbreviation at its head stays.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

//! The page: who hands over to whom, and what must not be forgotten on the way. As many lines as one A4 holds.

use std::cmp::Reverse;

use super::words::Words;
use crate::{
    domain::ids::TerritoryId,
    grpc::pb,
    sheet::page::{Page, Section},
};

/// Most lines of each part; together with their headings they fit on one A4, those of the teams in two rows each.
const TEAMS: usize = 4;
const ROSTER: usize = 7;
const URGENT: usize = 10;
const SUSPECT: usize = 4;
const UNANSWERED: usize = 6;
const LATE: usize = 8;
const NEXT: usize = 8;
const KINDS_PER_LINE: usize = 4;
const KINDS: usize = 3;

pub(super) fn of(territory: &TerritoryId, relay: &pb::GetRelayResponse, words: &Words) -> Page {
    let due = |known: &pb::Due| due(known, words);
    let told = |known: &pb::RelayCase| told(known, words);
    let dues = |known: &[pb::Due]| known.iter().map(due).collect::<Vec<_>>();
    let cases = |known: &[pb::RelayCase]| known.iter().map(told).collect::<Vec<_>>();
    let totals = relay.totals.unwrap_or_default();
    let first = |heading: &str, (lines, all): (Vec<String>, u32), most: usize| {
        Section::first(heading, !lines.is_empty(), (lines, all as usize), most)
    };
    let unserved = relay.streams.iter().any(|state| state.fallback != 0);
    Page {
        title: format!("Relève {territory} — état au {}", words.moment(relay.at_unix_ms)),
        under: format!("{} dossiers ouverts, journal {}", relay.open_cases, relay.seq),
        sections: vec![
            Section::of("Qui remet à qui", unserved, teams(relay, words), TEAMS).whole(),
            Section::of("Régulateurs des douze prochaines heures", false, roster(relay, words), ROSTER),
            Section::of("Tension", relay.surge.is_some(), surge(relay, words), 1),
            first("P0 et P1 ouverts", (cases(&relay.urgent), totals.urgent), URGENT),
            first("Consoles muettes", (cases(&relay.suspect), totals.suspect), SUSPECT),
            first("Sans réponse", (dues(&relay.unanswered), totals.unanswered), UNANSWERED),
            first("En retard", (dues(&relay.late), totals.late), LATE),
            Section::first("Prochaines échéances", false, (dues(&relay.next), totals.next as usize), NEXT),
            Section::of("À faire", false, kinds(relay, words), KINDS),
        ],
    }
}

/// One line for each stream that somebody works in, waits in, or answers for.
fn teams(relay: &pb::GetRelayResponse, words: &Words) -> Vec<String> {
    let line = |state: &pb::StreamState| {
        let of_stream = || relay.duties.iter().filter(|duty| duty.stream == state.stream);
        let here = of_stream().filter(|duty| duty.from_unix_ms <= relay.at_unix_ms);
        let here: Vec<String> =
            here.map(|duty| format!("{} (jusqu'à {})", duty.person, words.time(duty.until_unix_ms))).collect();
        let coming = of_stream().filter(|duty| duty.from_unix_ms > relay.at_unix_ms);
        let coming: Vec<String> =
            coming.map(|duty| format!("{} (dès {})", duty.person, words.time(duty.from_unix_ms))).collect();
        if here.is_empty() && coming.is_empty() && state.waiting == 0 && state.fallback == 0 {
            return None;
        }
        let here = if here.is_empty() { "PERSONNE n'est inscrit".to_owned() } else { here.join(", ") };
        let coming = if coming.is_empty() { "relève non inscrite".to_owned() } else { coming.join(", ") };
        let instead = match state.fallback {
            0 => String::new(),
            code => format!(" ; répond : {} ({})", words.stream(state.answered_by), words.fallback(code)),
        };
        let (code, waiting) = (words.stream(state.stream), state.waiting);
        Some(format!("{code} : {here} → {coming} ; {waiting} en attente{instead}"))
    };
    relay.streams.iter().filter_map(line).collect()
}

fn roster(relay: &pb::GetRelayResponse, words: &Words) -> Vec<String> {
    let line = |duty: &pb::Duty| {
        let hours = format!("{} – {}", words.time(duty.from_unix_ms), words.time(duty.until_unix_ms));
        let (stream, affiliation) = (words.stream_label(duty.stream), words.affiliation(duty.affiliation));
        let skills = if duty.skills.is_empty() { String::new() } else { format!(" · {}", duty.skills.join(", ")) };
        format!("{hours} {} · {stream} · {affiliation}{skills}", duty.person)
    };
    relay.duties.iter().map(line).collect()
}

fn surge(relay: &pb::GetRelayResponse, words: &Words) -> Vec<String> {
    let line = |known: &pb::Surge| {
        let (since, until) = (words.time(known.from_unix_ms), words.time(known.until_unix_ms));
        format!("{}, décidée par {} à {since}, jusqu'à {until}", words.surge(known.reason), known.by)
    };
    relay.surge.iter().map(line).collect()
}

fn told(known: &pb::RelayCase, words: &Words) -> String {
    let since = |unix_ms| words.time(unix_ms);
    let mut parts =
        vec![format!("{} {} {}", words.priority(known.priority), words.stream(known.stream), known.case_number)];
    parts.push(format!("appel de {}", since(known.opened_unix_ms)));
    if known.suspect_since_unix_ms != 0 {
        parts.push(format!("{} MUET depuis {}", known.holder, since(known.suspect_since_unix_ms)));
    } else if !known.holder.is_empty() {
        parts.push(format!("{} depuis {}", known.holder, since(known.held_since_unix_ms)));
    }
    let next = known.next.as_ref();
    parts.extend(next.map(|next| format!("{} avant {}", words.kind(next.kind), since(next.deadline_unix_ms))));
    parts.extend(Some(known.motive_label.clone()).filter(|label| !label.is_empty()));
    parts.join(" · ")
}

fn due(known: &pb::Due, words: &Words) -> String {
    let action = known.action.clone().unwrap_or_default();
    let (until, kind, owner) = (words.time(action.deadline_unix_ms), words.kind(action.kind), words.owner(&action));
    let priority = Some(words.priority(known.priority)).filter(|code| !code.is_empty()).unwrap_or("–");
    format!("{until} {kind} ({owner}) · {priority} {}", known.case_number)
}

/// How much of each kind is open, the most first.
fn kinds(relay: &pb::GetRelayResponse, words: &Words) -> Vec<String> {
    let mut open: Vec<_> = relay.open_actions.iter().map(|known| (known.open, words.kind(known.kind))).collect();
    open.sort_by_key(|(open, kind)| (Reverse(*open), *kind));
    let open: Vec<String> = open.into_iter().map(|(open, kind)| format!("{kind} : {open}")).collect();
    open.chunks(KINDS_PER_LINE).map(|line| line.join(" · ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_counts_what_the_service_did_not_list() {
        let (late, totals) = (vec![pb::Due::default(); 200], Some(pb::RelayTotals { late: 500, ..Default::default() }));
        let relay = pb::GetRelayResponse { late, totals, ..Default::default() };
        let words = Words { zone: chrono_tz::Europe::Paris, now: 0 };
        let text = of(&"fr-67".parse().expect("an id"), &relay, &words).text();
        assert!(text.contains("… et 493 autres"), "{text}");
    }
}

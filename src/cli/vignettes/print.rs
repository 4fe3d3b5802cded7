//! The table for people.

use super::{super::say, Document, LEVELS};

/// Prints shares, the confusion table and every vignette that was not agreed on.
pub(super) fn words(document: &Document) {
    say(format!("{} vignettes jugées, accord {}", document.vignettes, percent(document.agreement_share)));
    say(shares("sous-triage", document.under_triage_share, document.under_triage_interval_95));
    say(shares("sur-triage", document.over_triage_share, document.over_triage_interval_95));
    let head: Vec<_> = LEVELS.iter().map(|level| format!("{:>5}", level.code())).collect();
    say(format!("attendu \\ proposé {}", head.join("")));
    for expected in LEVELS {
        let cell = |proposed: &&str| document.confusion[expected.code()][*proposed].to_string();
        let codes: Vec<_> = LEVELS.iter().map(|level| level.code()).collect();
        let row: Vec<_> = codes.iter().map(|code| format!("{:>5}", cell(code))).collect();
        say(format!("{:<17} {}", expected.code(), row.join("")));
    }
    for result in document.results.iter().filter(|result| result.verdict != "agree") {
        let side = if result.verdict == "under" { "SOUS-TRIAGE" } else { "sur-triage" };
        say(format!(
            "{side} {} : attendu {}, proposé {} ({} de {} : {})",
            result.id, result.expected, result.proposed, result.rule.rule, result.rule.protocol, result.rule.reason
        ));
    }
    document.errors.iter().for_each(|error| say(format!("non jugée : {error}")));
    if !document.unsigned_protocols.is_empty() {
        let codes: Vec<_> = document.unsigned_protocols.iter().map(String::as_str).collect();
        say(format!("protocoles non signés : {}", codes.join(", ")));
    }
    if let Some(territory) = &document.territory {
        say(format!("protocoles de {territory}"));
    }
}

fn shares(what: &str, share: Option<f64>, interval: Option<[f64; 2]>) -> String {
    let [low, high] = interval.map(|bounds| bounds.map(Some)).unwrap_or_default();
    format!("{what} {} (intervalle à 95 % de Wilson : {} à {})", percent(share), percent(low), percent(high))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "?".to_owned(), |share| format!("{:.1} %", share * 100.0).replace('.', ","))
}

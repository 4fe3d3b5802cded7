//! The report of `check`, for people and as one document.

use std::path::PathBuf;

use serde::Serialize;

use super::judged::{Judged, Stored};
use crate::{
    cli::{logs::LeftOut, say, say_json},
    domain::{
        calendar::wall_time,
        case::replay::{
            Finding, Kind,
            border::{Between, Discord, Torn},
        },
        ids::{CaseId, TerritoryId},
        territory::Territory,
        time::{Instant, Span},
    },
};

#[derive(Serialize)]
struct Document<'a> {
    files: &'a [PathBuf],
    /// Ends of archive files that are no section.
    left_out: &'a [LeftOut],
    found: usize,
    territories: Vec<Section<'a>>,
    hand_overs: HandOvers<'a>,
}

#[derive(Serialize)]
struct Section<'a> {
    territory: &'a TerritoryId,
    events: u64,
    first_seq: u64,
    last_seq: u64,
    cases: usize,
    judged_until: String,
    /// What could not be judged.
    not_judged: NotJudged,
    silence: Silence,
    /// Entries of a history that a later epoch has overtaken: lost when an old backup was put back.
    overtaken: usize,
    findings: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct NotJudged {
    /// Events before the first of the files.
    events: u64,
    /// Cases that began before it.
    cases: usize,
    /// True when no file has the records as they are at the end: they were not compared with the log.
    records: bool,
}

/// Deadlines that had passed before anybody was told, milliseconds.
#[derive(Serialize)]
struct Silence {
    tolerated_ms: i64,
    total_ms: i64,
    longest_ms: i64,
}

#[derive(Serialize)]
struct Row<'a> {
    kind: Kind,
    rule: u8,
    what: &'a str,
    problem: &'a str,
    from_seq: u64,
    to_seq: u64,
    from: String,
    /// Absent while the end of the log still had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    seconds: i64,
}

/// Hand-overs between the territories of the files.
#[derive(Serialize)]
struct HandOvers<'a> {
    judged: usize,
    /// The log of the other territory is not among the files, or does not reach to where it would have to.
    not_judged: usize,
    findings: Vec<HandOver<'a>>,
}

#[derive(Serialize)]
struct HandOver<'a> {
    kind: Discord,
    rule: u8,
    problem: &'static str,
    sender: &'a TerritoryId,
    case: CaseId,
    /// The entry of the sender's log since which it was so; 0 where there is none.
    sender_seq: u64,
    receiver: &'a TerritoryId,
    copy: CaseId,
    /// The same of the receiver's.
    receiver_seq: u64,
    from: String,
    /// Absent while the end of one of the logs still had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
}

pub(super) fn json(files: &[PathBuf], left_out: &[LeftOut], judged: &[Judged], between: &Between) {
    let found = judged.iter().map(|judged| judged.findings.len()).sum::<usize>() + between.findings.len();
    let hand_overs = HandOvers {
        judged: between.judged,
        not_judged: between.not_judged,
        findings: between.findings.iter().map(hand_over).collect(),
    };
    let territories = judged.iter().map(section).collect();
    say_json(&Document { files, left_out, found, territories, hand_overs });
}

fn hand_over(torn: &Torn) -> HandOver<'_> {
    let Torn { kind, sender, receiver, case, copy, seqs, from, to } = torn;
    HandOver {
        kind: *kind,
        rule: kind.rule(),
        problem: kind.problem(),
        sender,
        case: *case,
        sender_seq: seqs.0,
        receiver,
        copy: *copy,
        receiver_seq: seqs.1,
        from: from.to_string(),
        to: to.map(|to| to.to_string()),
    }
}

fn section(judged: &Judged) -> Section<'_> {
    let not_judged = NotJudged {
        events: judged.first_seq.saturating_sub(1),
        cases: judged.not_judged,
        records: judged.stored != Stored::Compared,
    };
    Section {
        territory: &judged.territory,
        events: judged.events,
        first_seq: judged.first_seq,
        last_seq: judged.last_seq,
        cases: judged.cases,
        judged_until: judged.until.to_string(),
        not_judged,
        silence: Silence {
            tolerated_ms: judged.tolerated.ms(),
            total_ms: judged.silent.ms(),
            longest_ms: judged.longest_silence.ms(),
        },
        overtaken: judged.overtaken,
        findings: judged.findings.iter().map(|finding| row(finding, judged.until)).collect(),
    }
}

fn row(finding: &Finding, until: Instant) -> Row<'_> {
    let Finding { kind, rule, what, problem, seqs, from, to } = finding;
    Row {
        kind: *kind,
        rule: *rule,
        what,
        problem,
        from_seq: seqs.0,
        to_seq: seqs.1,
        from: from.to_string(),
        to: to.map(|to| to.to_string()),
        seconds: finding.seconds(until),
    }
}

pub(super) fn text(judged: &[Judged]) {
    for territory in judged {
        let Judged { territory: id, events, first_seq, last_seq, cases, .. } = territory;
        let until = moment(id, territory.until);
        say(format!("{id} : {events} événements ({first_seq} à {last_seq}), {cases} dossiers, jugés jusqu'au {until}"));
        not_judged(territory);
        say(silence(territory));
        territory.findings.iter().for_each(|finding| say(line(territory, finding)));
        match territory.findings.len() {
            0 => say("  aucune anomalie : chaque dossier ouvert avait un responsable, chaque échéance une alarme"),
            found => say(format!("  {found} anomalie(s)")),
        }
    }
}

fn silence(judged: &Judged) -> String {
    let seconds = |span: Span| format!("{},{} s", span.ms() / 1_000, span.ms() % 1_000 / 100);
    let (total, longest, tolerated) = (judged.silent, judged.longest_silence, judged.tolerated);
    format!(
        "  échéances passées avant leur alarme : {} en tout, {} au plus (jusqu'à {} : pas d'anomalie)",
        seconds(total),
        seconds(longest),
        seconds(tolerated)
    )
}

/// The hand-overs between territories; nothing when the logs tell of none.
pub(super) fn between(between: &Between) {
    let Between { judged, not_judged, findings } = between;
    if judged + not_judged == 0 {
        return;
    }
    say(format!("transferts entre territoires : {judged} confrontés d'un journal à l'autre"));
    if *not_judged > 0 {
        say(format!(
            "  non jugé : {not_judged} transferts dont le journal de l'autre territoire manque ou s'arrête trop tôt"
        ));
    }
    findings.iter().for_each(|torn| say(torn_line(torn)));
    match findings.len() {
        0 if *judged > 0 => say("  aucune anomalie : chaque dossier avait un territoire responsable, et un seul"),
        0 => {}
        found => say(format!("  {found} anomalie(s)")),
    }
}

fn torn_line(torn: &Torn) -> String {
    let Torn { kind, sender, receiver, case, copy, seqs, from, to } = torn;
    let to = to.map_or_else(|| "la fin d'un des journaux".to_owned(), |to| moment(sender, to));
    let (from, label, rule, problem) = (moment(sender, *from), kind.label(), kind.rule(), kind.problem());
    let entries = format!("entrées {} et {}", seqs.0, seqs.1);
    format!(
        "  {label} : dossier {case} de {sender}, copie {copy} de {receiver}, du {from} au {to}, {entries}, règle {rule} : \
         {problem}"
    )
}

fn not_judged(territory: &Judged) {
    if territory.first_seq > 1 {
        let (events, cases) = (territory.first_seq - 1, territory.not_judged);
        say(format!(
            "  non jugé : {events} événements absents des fichiers et {cases} dossiers commencés avant ; ajoutez ceux de \
             l'archive"
        ));
    }
    if territory.overtaken > 0 {
        say(format!(
            "  perdus : {} événements d'une époque dépassée (une ancienne sauvegarde a été remise en place) ; « export \
             --archive … --lost » les donne",
            territory.overtaken
        ));
    }
    match territory.stored {
        Stored::Compared => {}
        Stored::Absent => {
            say("  non jugé : les fiches enregistrées, absentes de ces fichiers (export sans --log-only)");
        }
        Stored::Older(seq) => say(format!(
            "  non jugé : les fiches enregistrées, qui datent de l'entrée {seq} ; ajoutez un export plus récent"
        )),
    }
}

fn line(territory: &Judged, finding: &Finding) -> String {
    let Finding { kind, rule, what, problem, seqs, from, to } = finding;
    let from = moment(&territory.territory, *from);
    let to = to.map_or_else(|| "la fin du journal".to_owned(), |to| moment(&territory.territory, to));
    let seconds = finding.seconds(territory.until);
    let what = french(what);
    let label = kind.label();
    let (first, last) = seqs;
    format!("  {label} : {what}, du {from} au {to} ({seconds} s), entrées {first} à {last}, règle {rule} : {problem}")
}

fn french(what: &str) -> String {
    match what.split_once([' ', '/']) {
        Some(("case", id)) => format!("dossier {id}"),
        Some(("slot", id)) => format!("créneau {id}"),
        Some(("shift", id)) => format!("garde {id}"),
        Some(("sheet", id)) => format!("fiche de patient remarquable {id}"),
        Some(("index", name)) => format!("index {name}"),
        Some(("counter", name)) => format!("compteur {name}"),
        Some(("seq", seq)) => format!("entrée {seq}"),
        _ => "journal".to_owned(),
    }
}

/// On the territory's wall clock; universal time for one the law does not know.
fn moment(territory: &TerritoryId, at: Instant) -> String {
    match Territory::from_law(territory) {
        Ok(known) => wall_time(known.calendar.zone(), at, "%d/%m/%Y %H:%M:%S"),
        Err(_) => at.to_string(),
    }
}

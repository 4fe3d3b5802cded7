//! `check` over logs that were tampered with: each kind of thing that must never be is found, with its seconds.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use sas_dispatch::{
    archive::{self, Content, Header},
    domain::{
        case::{Command, Event, Fact, action::End},
        ids::{CaseId, CommandId, OfferId},
        regulation::qualification::Priority,
        remarkable::{RemarkableKind, SheetWords},
        time::Span,
    },
    engine::codec,
    store::{Index, LogEntry, Member, Record, dump::Row},
};
use serde_json::Value;
use uuid::Uuid;

use super::{err, out, run};
use crate::{
    domain::stage::{arm, text},
    engine::desk::{Desk, regulator},
    store::{moving::dumped, stand::Stand},
};

/// A log under the hands of somebody who means no good.
pub(super) struct Log {
    pub head: sas_dispatch::store::dump::Head,
    rows: Vec<Row>,
    pub events: Vec<Event>,
    made: u128,
}

impl Log {
    pub async fn of(desk: &Desk) -> Self {
        let (head, rows) = dumped(&*desk.stand.whole, "fr-67").await;
        let events = desk.log().await;
        let rows = rows.into_iter().filter(|row| !matches!(row, Row::Log(_))).collect();
        Self { head, rows, events, made: 0 }
    }

    /// Adds an event of `case`, so long after the last.
    fn add(&mut self, case: CaseId, later: Span, facts: Vec<Fact>) {
        let last = self.events.last().unwrap().clone();
        self.made += 1;
        let (command_id, at) = (CommandId(Uuid::from_u128(self.made)), last.at + later);
        self.events.push(Event { command_id, at, case: Some(case), facts, words: Vec::new(), ..last });
        self.head.last = at;
    }

    pub fn entries(&self, first_seq: u64) -> impl Iterator<Item = LogEntry> {
        (first_seq..).zip(&self.events).map(|(seq, event)| LogEntry {
            seq,
            command_id: event.command_id,
            at: event.at,
            counts: Vec::new(),
            event: codec::encode_event(event),
        })
    }

    /// The report on the log with these entries, and the exit status.
    fn checked(&self, entries: Vec<LogEntry>, content: Content) -> (Value, i32) {
        let seqs = (entries[0].seq, entries.last().unwrap().seq);
        let dir = tempfile::tempdir().unwrap();
        report(&self.written(dir.path(), entries, content, seqs))
    }

    /// An export of these entries whose header says `seqs`.
    fn written(&self, dir: &Path, entries: Vec<LogEntry>, content: Content, seqs: (u64, u64)) -> PathBuf {
        let path = dir.join(format!("{content:?}.jsonl"));
        let head = sas_dispatch::store::dump::Head { seq: seqs.1, ..self.head };
        let header = Header::new("fr-67".parse().unwrap(), content, head, seqs, self.head.last);
        let mut section = archive::begin(File::create(&path).unwrap(), &header).unwrap();
        if content == Content::State {
            self.rows.iter().for_each(|row| section.row(row).unwrap());
        }
        entries.into_iter().for_each(|entry| section.row(&Row::Log(entry)).unwrap());
        section.end().unwrap();
        path
    }

    fn log(&self) -> (Value, i32) {
        self.checked(self.entries(1).collect(), Content::Log)
    }
}

fn report(path: &Path) -> (Value, i32) {
    let output = run(&["check", path.to_str().unwrap(), "--json"]);
    let document = serde_json::from_str(&out(&output)).unwrap_or_else(|_| panic!("{}", err(&output)));
    (document, output.status.code().unwrap())
}

/// Kind, subject, seconds and seqs of everything found.
fn found(document: &Value) -> Vec<(String, String, i64, (u64, u64))> {
    let rows = document["territories"][0]["findings"].as_array().unwrap().iter();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let seq = |row: &Value, name: &str| row[name].as_u64().unwrap();
    rows.map(|row| {
        let seqs = (seq(row, "from_seq"), seq(row, "to_seq"));
        (text(row, "kind"), text(row, "what"), row["seconds"].as_i64().unwrap(), seqs)
    })
    .collect()
}

#[track_caller]
fn has(document: &Value, kind: &str, what: &str, seconds: i64, seqs: (u64, u64)) {
    let wanted = (kind.to_owned(), what.to_owned(), seconds, seqs);
    assert!(found(document).contains(&wanted), "{wanted:?} is not in {document:#}");
}

/// Opened and qualified P2 (seq 1, 2), and a second case (3, 4).
pub(super) async fn two_cases() -> (Desk, CaseId, CaseId) {
    let desk = Desk::new(Stand::embedded().await);
    let first = desk.qualified(Priority::P2).await;
    let second = desk.qualified(Priority::P2).await;
    (desk, first, second)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_log_is_clean_and_says_what_it_could_not_judge() {
    let (desk, first, _) = two_cases().await;
    desk.done(&regulator(1), first, Command::Claim).await;
    desk.done(&arm(), first, Command::AddNote(text("note"))).await;
    let log = Log::of(&desk).await;
    let (document, status) = log.checked(log.entries(1).collect(), Content::State);
    assert_eq!(
        (status, &document["found"], &document["territories"][0]["events"]),
        (0, &0.into(), &6.into()),
        "{document:#}"
    );
    assert_eq!(
        document["territories"][0]["not_judged"],
        serde_json::json!({"events": 0, "cases": 0, "records": false})
    );
    // The same with its beginning trimmed: the first case is known at the end only.
    let rest: Vec<LogEntry> = log.entries(1).skip(2).collect();
    let (document, status) = log.checked(rest, Content::State);
    assert_eq!((status, &document["found"]), (0, &0.into()), "{document:#}");
    assert_eq!(
        document["territories"][0]["not_judged"],
        serde_json::json!({"events": 2, "cases": 1, "records": false})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_without_owner_is_found_to_the_second() {
    let (desk, first, _) = two_cases().await;
    let case = desk.read(first).await.case;
    let regulate = case.open_actions().next().unwrap().clone();
    let mut log = Log::of(&desk).await;
    log.add(first, Span::from_secs(60), vec![Fact::ActionEnded { action: regulate.id, end: End::Done }]);
    let id = sas_dispatch::domain::ids::ActionId(Uuid::from_u128(7));
    let again = sas_dispatch::domain::case::Action { id, ..regulate };
    log.add(first, Span::from_secs(301), vec![Fact::ActionOpened(again)]);
    let (document, status) = log.log();
    assert_eq!(status, 1);
    has(&document, "UNOWNED", &format!("case {first}"), 301, (5, 6));
    has(&document, "NO_DOCTOR", &format!("case {first}"), 301, (5, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_that_passed_in_silence_is_found_to_the_second() {
    let desk = Desk::new(Stand::embedded().await);
    let case = desk.qualified(Priority::P2).await;
    desk.stand.pass(Span::from_mins(17));
    desk.a.upkeep_once().await.unwrap();
    let mut log = Log::of(&desk).await;
    let (document, status) = log.log();
    assert_eq!(status, 1);
    has(&document, "SILENT", &format!("case {case}"), 120, (3, 3));
    // Nobody ever raised the alarm: silent until the last instant that the store used.
    log.events.truncate(2);
    let (document, _) = log.log();
    has(&document, "SILENT", &format!("case {case}"), 120, (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_of_two_cases_and_two_holders_are_found_to_the_second() {
    let desk = Desk::new(Stand::embedded().await);
    let slot = desk.slot(Span::from_hours(1)).await;
    let (first, second) = (desk.qualified(Priority::P2).await, desk.qualified(Priority::P2).await);
    desk.done(&regulator(1), first, Command::Claim).await;
    let mut log = Log::of(&desk).await;
    let offer = |n| OfferId(Uuid::from_u128(n));
    log.add(first, Span::from_secs(10), vec![Fact::SlotBooked { slot, offer: offer(1), own_patient: false }]);
    log.add(second, Span::from_secs(10), vec![Fact::SlotBooked { slot, offer: offer(2), own_patient: false }]);
    log.add(first, Span::from_secs(77), vec![Fact::SlotFreed { slot }]);
    let claimed = Fact::Claimed { no: 2, by: "dr-reg-2".parse().unwrap(), connection: None };
    log.add(first, Span::from_secs(3), vec![claimed]);
    log.add(first, Span::from_secs(42), vec![Fact::ClaimEnded { no: 1 }]);
    let (document, status) = log.log();
    assert_eq!(status, 1);
    has(&document, "SLOT", &format!("slot {slot}"), 77, (8, 9));
    has(&document, "HOLDERS", &format!("case {first}"), 42, (10, 11));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_log_itself_is_found() {
    let (desk, first, second) = two_cases().await;
    desk.stand.pass(Span::from_secs(30));
    desk.done(&arm(), first, Command::AddNote(text("note"))).await;
    let log = Log::of(&desk).await;
    let entries: Vec<LogEntry> = log.entries(1).collect();
    let without: Vec<LogEntry> = entries.iter().filter(|entry| entry.seq != 4).cloned().collect();
    let (document, status) = log.checked(without, Content::Log);
    assert_eq!(status, 1);
    has(&document, "GAP", "seq 4", 30, (4, 5));
    let mut twice = entries.clone();
    twice[4].command_id = twice[3].command_id;
    has(&log.checked(twice, Content::Log).0, "REPEATED", "log", 0, (5, 5));
    let mut foreign = entries.clone();
    foreign[4].event = b"not an event".to_vec();
    has(&log.checked(foreign, Content::Log).0, "UNREADABLE", "log", 0, (5, 5));
    let mut unfit = Log::of(&desk).await;
    let action = sas_dispatch::domain::ids::ActionId(Uuid::from_u128(9));
    unfit.add(second, Span::ZERO, vec![Fact::ActionEnded { action, end: End::Done }]);
    unfit.add(CaseId(Uuid::from_u128(3)), Span::ZERO, vec![Fact::CaseArchived]);
    let nobodys = sas_dispatch::domain::ids::ShiftId(Uuid::from_u128(4));
    unfit.add(first, Span::ZERO, vec![Fact::ShiftEnded { shift: nobodys }]);
    let (document, _) = unfit.log();
    has(&document, "UNFIT", &format!("case {first}"), 0, (8, 8));
    has(&document, "UNFIT", &format!("case {second}"), 0, (6, 6));
    has(&document, "UNFIT", &format!("case {}", CaseId(Uuid::from_u128(3))), 0, (7, 7));
    let lost: Vec<LogEntry> = entries[..4].to_vec();
    has(&log.checked(lost, Content::State).0, "STORED", &format!("case/{first}"), 0, (4, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_or_a_counter_that_does_not_fit_the_records_is_found() {
    let (desk, first, _) = two_cases().await;
    desk.done(&regulator(1), first, Command::Claim).await;
    let log = Log::of(&desk).await;
    let whole = |rows: Vec<Row>| Log { rows, events: log.events.clone(), ..log };
    let stored = |rows: Vec<Row>| {
        let (document, _) = {
            let log = whole(rows);
            log.checked(log.entries(1).collect(), Content::State)
        };
        let rows = document["territories"][0]["findings"].as_array().unwrap().iter();
        let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        rows.map(|row| (text(row, "what"), text(row, "problem"))).collect::<Vec<_>>()
    };
    let without = |name: &str| {
        let of = |row: &Row| matches!(row, Row::Entry(index, ..) if index.as_str().starts_with(name));
        log.rows.iter().filter(|row| !of(row)).cloned().collect::<Vec<_>>()
    };
    let moved = |name: &str| {
        let later = |row: &Row| match row {
            Row::Entry(index, score, member) if index.as_str().starts_with(name) => {
                Row::Entry(index.clone(), score + 1, member.clone())
            }
            row => row.clone(),
        };
        log.rows.iter().map(later).collect::<Vec<_>>()
    };
    assert_eq!(stored(log.rows.clone()), []);
    let named = |what: &str, problem: &str| (what.to_owned(), problem.to_owned());
    let held = format!("case/{first}");
    assert_eq!(stored(without("leases")), [named(&held, "its entry of index leases is missing")]);
    assert_eq!(stored(moved("leases")), [], "renewals move a lease");
    assert_eq!(stored(without("queue/")).len(), 1, "the other case still waits");
    assert!(stored(moved("queue/"))[0].1.contains("not at its place"));
    let lonely = [log.rows.clone(), vec![Row::Entry(Index::open(), 1, Member("nobody".to_owned()))]].concat();
    assert_eq!(stored(lonely), [named("index open", "no record makes its entry nobody")]);
    let uncounted = log.rows.iter().filter(|row| !matches!(row, Row::Counter(..))).cloned().collect();
    assert!(stored(uncounted)[0].0.starts_with("counter number/"));
    let unread = |row: &Row| match row {
        Row::Record(key, record) if key.as_str() == held => {
            Row::Record(key.clone(), Record { value: b"nonsense".to_vec(), ..record.clone() })
        }
        row => row.clone(),
    };
    assert!(stored(log.rows.iter().map(unread).collect()).iter().any(|(what, _)| *what == held));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_without_the_end_or_the_beginning_that_its_export_speaks_of_is_found() {
    let (desk, first, _) = two_cases().await;
    desk.stand.pass(Span::from_secs(30));
    desk.done(&arm(), first, Command::AddNote(text("note"))).await;
    let (log, dir) = (Log::of(&desk).await, tempfile::tempdir().unwrap());
    let some = |seqs: std::ops::RangeInclusive<u64>| log.entries(1).filter(|entry| seqs.contains(&entry.seq)).collect();
    // The last acknowledged entry is lost: the records still show what it did.
    let (document, status) = report(&log.written(dir.path(), some(1..=4), Content::State, (1, 5)));
    assert_eq!((status, &document["territories"][0]["last_seq"]), (1, &4.into()));
    has(&document, "GAP", "seq 5", 30, (5, 5));
    has(&document, "STORED", &format!("case/{first}"), 0, (5, 5));
    assert_eq!(document["territories"][0]["not_judged"]["records"], false);
    let (document, status) = report(&log.written(dir.path(), some(1..=3), Content::Log, (1, 5)));
    assert_eq!((status, found(&document).len()), (1, 1), "{document:#}");
    has(&document, "GAP", "seq 4", 30, (4, 5));
    // The first two are lost, which is not the same as trimmed.
    let (document, status) = report(&log.written(dir.path(), some(3..=5), Content::State, (1, 5)));
    assert_eq!((status, found(&document).len()), (1, 1), "{document:#}");
    has(&document, "GAP", "seq 1", 0, (1, 3));
    // Nothing is left of it.
    let (document, status) = report(&log.written(dir.path(), Vec::new(), Content::Log, (1, 5)));
    assert_eq!((status, found(&document).len()), (1, 1), "{document:#}");
    has(&document, "GAP", "seq 1", 0, (1, 5));
    // A state beside a log that goes on after it says so, and is not compared.
    let older = log.written(dir.path(), some(1..=2), Content::State, (1, 2));
    let newer = log.written(dir.path(), some(1..=5), Content::Log, (1, 5));
    let output = run(&["check", older.to_str().unwrap(), newer.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("les fiches enregistrées, qui datent de l'entrée 2"), "{}", out(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_cases_that_hold_one_slot_are_found_until_the_first_hold_runs_out() {
    let desk = Desk::new(Stand::embedded().await);
    let slot = desk.slot(Span::from_hours(1)).await;
    let (first, second) = (desk.qualified(Priority::P2).await, desk.qualified(Priority::P2).await);
    let mut log = Log::of(&desk).await;
    let held = |log: &mut Log, case, later, offer: u128, lasts| {
        let until = log.events.last().unwrap().at + Span::from_secs(later) + Span::from_secs(lasts);
        let offer = OfferId(Uuid::from_u128(offer));
        log.add(case, Span::from_secs(later), vec![Fact::SlotHeld { slot, offer, until }]);
    };
    held(&mut log, first, 10, 1, 60);
    // The first hold has 50 seconds left; then it blocks nobody, and the second is taken over by another of the first case.
    held(&mut log, second, 10, 2, 300);
    let doubled = log.log().0;
    log.add(second, Span::from_secs(100), vec![Fact::SlotFreed { slot }]);
    held(&mut log, first, 10, 3, 60);
    held(&mut log, second, 60, 4, 60);
    let (document, status) = log.log();
    assert_eq!(status, 1);
    let doubles = |document: &Value| {
        let rows = document["territories"][0]["findings"].as_array().unwrap().iter();
        let of_slot = rows.filter(|row| row["problem"] == "bound to two cases");
        of_slot.map(|row| (row["seconds"].clone(), row["from_seq"].clone(), row["to_seq"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(doubles(&document), [(50.into(), 7.into(), 8.into())], "a hold that ran out gives way to the next");
    assert_eq!(doubles(&doubled), [(0.into(), 7.into(), 7.into())], "still so at the end of the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sheet_of_a_remarkable_patient_is_compared_like_every_other_record() {
    let desk = Desk::new(Stand::embedded().await);
    let words = SheetWords {
        text: text("pas de réanimation"),
        author: text("Dr Exemple"),
        name: text("Camille Exemple"),
        birth_date: text("1950-01-01"),
        ..SheetWords::default()
    };
    let expires = desk.stand.clock.now() + Span::from_hours(24 * 30);
    let put = Command::PutSheet { sheet: None, kind: RemarkableKind::Palliative, expires, words: words.into() };
    desk.give(&regulator(1), None, put).await.unwrap();
    let log = Log::of(&desk).await;
    let (document, status) = log.checked(log.entries(1).collect(), Content::State);
    assert_eq!((status, &document["found"]), (0, &0.into()), "{document:#}");
    // One that no entry tells of, as a hand at the store would leave it.
    let mut planted = Log::of(&desk).await;
    planted.events.clear();
    let dir = tempfile::tempdir().unwrap();
    let path = planted.written(dir.path(), Vec::new(), Content::State, (1, 0));
    let output = run(&["check", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("fiche de patient remarquable"), "{}", out(&output));
}

#[test]
fn a_played_day_is_clean_and_a_file_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("day"), dir.path().join("day.jsonl.gz"));
    let name = |path: &Path| path.to_str().unwrap().to_owned();
    let done = |args: &[&str]| assert!(run(args).status.success(), "{args:?}");
    done(&["demo", "--hours", "2", "--json", "--keep", &name(&data)]);
    done(&["export", "--data", &name(&data), "--out", &name(&file)]);
    let output = run(&["check", &name(&file)]);
    let words = out(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(words.contains("fr-67 : ") && words.contains("aucune anomalie"), "{words}");
    let (document, _) = report(&file);
    assert!(document["territories"][0]["events"].as_u64().unwrap() > 500);
    assert_eq!(
        document["territories"][0]["not_judged"],
        serde_json::json!({"events": 0, "cases": 0, "records": false})
    );
    let none = dir.path().join("none");
    std::fs::write(&none, "nothing of ours\n").unwrap();
    let output = run(&["check", &name(&none)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("line 1"), "{}", err(&output));
}

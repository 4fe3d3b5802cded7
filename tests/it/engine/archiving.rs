//! What is over leaves the working set for files that lose nothing: not to a kill, not to another instance, not to a trim.

use std::{fs, path::PathBuf};

use sas_dispatch::{
    archive::{folder::Folder, history::History},
    domain::{
        case::{Command, Fact, Refusal},
        ids::CaseId,
        regulation::{need::CareType, qualification::Priority},
        time::Span,
    },
    engine::{Archive, Engine, Failure, Mutation, Options, Target, WatchFilter, codec},
    store::{Index, Key, LogEntry, Member, Op, dump::Row},
};
use tempfile::TempDir;

use super::{
    desk::{Desk, regulator},
    screen::{History as Shown, Screen},
};
use crate::{
    domain::stage::{self, SAS_DOCTOR, arm, doctor, text},
    store::{moving::dumped, on_every_engine, stand::Stand},
    support::gate::Gate,
};

on_every_engine! {
    what_is_over_leaves_and_the_store_is_as_small_as_on_an_empty_day
    an_archived_case_is_named_and_its_commands_are_still_answered
    two_instances_archive_at_once_and_every_event_stands_once
    whoever_is_killed_between_file_and_cursor_loses_nothing
    a_trimmed_log_is_checked_together_with_its_archive
    what_is_still_needed_stays
    what_is_read_from_a_store_that_takes_no_writes_goes_into_no_file
    a_record_that_cannot_be_read_stays_and_keeps_no_other_one
    a_console_that_comes_back_over_a_case_that_has_left_begins_again_and_says_so
}

const KEEP_CLOSED: Span = Span::from_hours(10);
const KEEP_LOG: Span = Span::from_hours(30);

/// A desk whose two instances share an archive.
struct Site {
    desk: Desk,
    a: Engine,
    b: Engine,
    dir: TempDir,
}

fn archiving(engine: &Engine, dir: &TempDir) -> Engine {
    keeping(engine, dir, KEEP_LOG)
}

fn keeping(engine: &Engine, dir: &TempDir, keep_log: Span) -> Engine {
    let folder = Folder::new(dir.path().join("archive"));
    engine.clone().with_archive(Archive { folder, keep_closed: KEEP_CLOSED, keep_log })
}

impl Site {
    fn new(stand: Stand) -> Self {
        let (desk, dir) = (Desk::new(stand), tempfile::tempdir().unwrap());
        let (a, b) = (archiving(&desk.a, &dir), archiving(&desk.b, &dir));
        Self { desk, a, b, dir }
    }

    /// A P3 that a regulator answered with advice, and the command that claimed it.
    async fn advised(&self) -> (CaseId, Mutation) {
        let case = self.desk.qualified(Priority::P3).await;
        (case, self.answers(case).await)
    }

    /// A regulator answers a case with advice; the command that claimed it.
    async fn answers(&self, case: CaseId) -> Mutation {
        let claim = self.desk.mutation();
        let held = self.a.act(&regulator(1), claim, Target::case(case), Command::Claim).await.unwrap();
        let need = Command::SignNeed(Box::new(stage::sign(held.reply.claim_no.unwrap(), CareType::Advice)));
        self.desk.done(&regulator(1), case, need).await;
        claim
    }

    fn folder(&self) -> Folder {
        Folder::new(self.dir.path().join("archive"))
    }

    /// Everything the files tell.
    fn history(&self) -> History {
        let (folder, territory) = (self.folder(), &self.desk.stand.territory);
        let mut history = History::default();
        for day in folder.days(territory).unwrap() {
            let read = folder.read(territory, day).unwrap();
            assert_eq!(read.torn, 0, "{day}");
            read.pieces.into_iter().for_each(|piece| history.add(&piece.header, piece.rows));
        }
        assert!(history.contradictions.is_empty());
        history
    }

    fn seqs(&self) -> Vec<u64> {
        self.history().entries().map(|entry| entry.seq).collect()
    }

    async fn head(&self) -> u64 {
        self.desk.stand.store.read(&self.desk.stand.territory, &[], None).await.unwrap().seq
    }

    async fn settles(&self) {
        while self.a.archive_once().await.unwrap() != self.b.archive_once().await.unwrap() {}
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = self.dir.path().join("archive/fr-67");
        let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.to_str().unwrap().ends_with(".gz"));
        files.sort();
        files
    }

    /// Puts the cursor back, as if the instance had died before it moved it.
    async fn forget_since(&self, seq: u64) {
        let mut touch = self.desk.stand.touch().await;
        touch.ops = vec![
            Op::Put { key: Key::reader("archive"), value: seq.to_string().into_bytes(), number: None },
            Op::IndexAdd(Index::cursors(), i64::try_from(seq).unwrap(), Member("archive".to_owned())),
        ];
        self.desk.stand.done(&touch).await;
    }
}

async fn what_is_over_leaves_and_the_store_is_as_small_as_on_an_empty_day(stand: Stand) {
    let site = Site::new(stand);
    let desk = &site.desk;
    let slot = desk.slot(Span::from_hours(1)).await;
    let withdrawn = desk.slot(Span::from_hours(2)).await;
    desk.give(&doctor(SAS_DOCTOR), None, Command::WithdrawSlot(withdrawn)).await.unwrap();
    let mut cases = Vec::new();
    for _ in 0..5 {
        cases.push(site.advised().await.0);
    }
    desk.stand.pass(Span::from_hours(24) + KEEP_CLOSED);
    site.settles().await;
    desk.stand.pass(KEEP_LOG);
    site.settles().await;
    let (head, rows) = dumped(&*desk.stand.whole, "fr-67").await;
    let mut left: Vec<String> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Record(key, _) => Some(key.to_string()),
            Row::Entry(index, _, member) => Some(format!("{index} {}", member.0)),
            Row::Counter(..) | Row::Receipt(_) => None,
            Row::Log(entry) => Some(format!("log {}", entry.seq)),
        })
        .collect();
    left.sort();
    assert_eq!(left, ["cursors archive".to_owned(), format!("log {}", head.seq), "reader/archive".to_owned()]);
    assert_eq!(site.seqs(), (1..=head.seq).collect::<Vec<_>>(), "every event is in the files");
    let history = site.history();
    for key in cases.iter().map(|id| Key::case(*id)).chain([Key::slot(slot), Key::slot(withdrawn)]) {
        assert!(history.records().any(|(kept, _)| *kept == key), "{key} left and is not in the archive");
    }
    let fifth = history.records().find(|(key, _)| **key == Key::case(cases[4]));
    assert_eq!(fifth.unwrap().1.number, Some(5), "with the number of its day");
    let report = site.b.check(&desk.stand.territory).await.unwrap();
    assert!(report.clean(), "{:#?}", report.violations);
    // Another day begins on what is left.
    site.advised().await;
    assert!(site.a.check(&desk.stand.territory).await.unwrap().clean());
}

async fn an_archived_case_is_named_and_its_commands_are_still_answered(stand: Stand) {
    let site = Site::new(stand);
    let (case, claim) = site.advised().await;
    site.desk.stand.pass(Span::from_hours(24) + KEEP_CLOSED);
    assert!(site.a.archive_once().await.unwrap().records > 0);
    for engine in [&site.a, &site.b] {
        let gone = engine.read_case(&regulator(1), case, 0).await.unwrap_err();
        assert_eq!(gone, Failure::Refused(Refusal::Archived(case)));
        assert!(gone.to_string().contains(&format!("export --archive DIR --case {case}")), "{gone}");
        let again = engine.act(&regulator(1), claim, Target::case(case), Command::Claim).await.unwrap();
        assert!(again.replayed && again.reply.claim_no == Some(1));
        let note = Command::AddNote(text("courrier"));
        let refused = engine.act(&arm(), site.desk.mutation(), Target::case(case), note).await.unwrap_err();
        assert_eq!(refused, Failure::Refused(Refusal::Archived(case)));
    }
}

async fn two_instances_archive_at_once_and_every_event_stands_once(stand: Stand) {
    let site = Site::new(stand);
    for _ in 0..6 {
        site.advised().await;
        let (a, b) = tokio::join!(site.a.archive_once(), site.b.archive_once());
        assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    }
    site.settles().await;
    assert_eq!(site.seqs(), (1..=site.head().await).collect::<Vec<_>>());
    site.desk.stand.pass(Span::from_hours(24) + KEEP_CLOSED);
    let (a, b) = tokio::join!(site.a.archive_once(), site.b.archive_once());
    assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    site.settles().await;
    let gone: Vec<_> = site
        .history()
        .entries()
        .filter_map(|entry: &LogEntry| {
            let event = codec::decode_event(&entry.event).unwrap();
            event.facts.contains(&Fact::CaseArchived).then_some(event.case)
        })
        .collect();
    assert_eq!(gone.len(), 6, "each case left once: {gone:?}");
    assert!(site.a.check(&site.desk.stand.territory).await.unwrap().clean());
}

async fn whoever_is_killed_between_file_and_cursor_loses_nothing(stand: Stand) {
    let site = Site::new(stand);
    site.advised().await;
    site.a.archive_once().await.unwrap();
    let (before, file) = (site.head().await, site.files().pop().unwrap());
    let sound = fs::metadata(&file).unwrap().len();
    site.advised().await;
    site.a.archive_once().await.unwrap();
    let whole = fs::read(&file).unwrap();
    let all: Vec<u64> = (1..=site.head().await).collect();
    let member = whole.len() as u64 - sound;
    // Killed after the file and before the cursor: the same is appended again and counts once.
    site.forget_since(before).await;
    site.b.archive_once().await.unwrap();
    assert!(fs::metadata(&file).unwrap().len() > whole.len() as u64);
    assert_eq!(site.seqs(), all);
    // Killed while the file was written: at any byte of it.
    for cut in (0..member).step_by(usize::try_from(member / 23).unwrap().max(1)) {
        fs::write(&file, &whole[..usize::try_from(sound + cut).unwrap()]).unwrap();
        let read = site.folder().read(&site.desk.stand.territory, file_day(&file)).unwrap();
        assert_eq!((read.torn, read.pieces.len()), (cut, 1), "what was flushed before is still read");
        site.forget_since(before).await;
        // A fresh process, which does not know how long the file was.
        let fresh = archiving(&Desk::engine(&site.desk.stand, Options::default()), &site.dir);
        fresh.archive_once().await.unwrap();
        assert_eq!(site.seqs(), all, "cut at {cut}");
    }
}

fn file_day(file: &std::path::Path) -> chrono::NaiveDate {
    file.file_name().unwrap().to_str().unwrap().trim_end_matches(".jsonl.gz").parse().unwrap()
}

async fn a_trimmed_log_is_checked_together_with_its_archive(stand: Stand) {
    let site = Site::new(stand);
    site.advised().await;
    site.desk.stand.pass(KEEP_LOG);
    let open = site.desk.qualified(Priority::P3).await;
    site.settles().await;
    let first = site.desk.stand.store.log(&site.desk.stand.territory, 0, 1).await.unwrap()[0].seq;
    assert!(first > 2, "the log should have been trimmed");
    let whole = site.a.check(&site.desk.stand.territory).await.unwrap();
    assert!(whole.clean(), "{:#?}", whole.violations);
    assert_eq!((whole.from_seq, whole.events, whole.cases), (1, site.head().await, 2));
    // Without the archive the rest is judged, and the report says from where on.
    let alone = Desk::engine(&site.desk.stand, Options::default()).check(&site.desk.stand.territory).await.unwrap();
    assert!(alone.clean(), "{:#?}", alone.violations);
    assert_eq!((alone.from_seq, alone.events), (first, site.head().await - first + 1));
    site.desk.done(&arm(), open, Command::AddNote(text("note"))).await;
}

async fn what_is_still_needed_stays(stand: Stand) {
    let site = Site::new(stand);
    let (closed, _) = site.advised().await;
    let mut touch = site.desk.stand.touch().await;
    touch.ops = vec![Op::IndexAdd(Index::cursors(), 2, Member("slow".to_owned()))];
    site.desk.stand.done(&touch).await;
    site.desk.stand.pass(Span::from_ms((24 + 10) * 3_600_000 - 1));
    let open = site.desk.opened().await;
    assert_eq!(site.a.archive_once().await.unwrap().records, 0, "not before its time");
    site.desk.read(closed).await;
    site.desk.stand.pass(Span::from_ms(1));
    assert_eq!(site.a.archive_once().await.unwrap().records, 1);
    site.desk.stand.pass(Span::from_hours(24 * 30));
    assert_eq!(site.a.archive_once().await.unwrap().records, 0);
    site.desk.read(open).await;
    let log = site.desk.stand.store.log(&site.desk.stand.territory, 0, 1).await.unwrap();
    assert_eq!(log[0].seq, 3, "a slow reader's place is never trimmed");
}

/// A primary that was left behind answers reads and has lost its replica: what it tells may be nobody's history.
async fn what_is_read_from_a_store_that_takes_no_writes_goes_into_no_file(stand: Stand) {
    let mut site = Site::new(stand);
    site.advised().await;
    site.desk.stand.pass(KEEP_CLOSED + Span::from_mins(1));
    let gate = Gate::before(site.desk.stand.store.clone());
    site.desk.stand.store = gate.clone();
    let apart = archiving(&Desk::engine(&site.desk.stand, Options::default()), &site.dir);
    gate.set_read_only(&["fr-67"]);
    drop(apart.archive_once().await);
    assert_eq!(site.folder().days(&site.desk.stand.territory).unwrap().len(), 0, "no file was begun");
    gate.set_read_only(&[]);
    site.settles().await;
    assert_eq!(site.seqs(), (1..=site.head().await).collect::<Vec<_>>());
}

async fn a_record_that_cannot_be_read_stays_and_keeps_no_other_one(stand: Stand) {
    let site = Site::new(stand);
    let (case, _) = site.advised().await;
    let strange = Key::from_stored("case/00000000-0000-7000-8000-00000000beef");
    let mut planted = site.desk.stand.touch().await;
    let over = Op::IndexAdd(Index::over(), 0, Member(strange.to_string()));
    planted.ops = vec![Op::Put { key: strange.clone(), value: b"of a newer binary".to_vec(), number: None }, over];
    site.desk.stand.done(&planted).await;
    site.desk.stand.pass(KEEP_CLOSED + Span::from_hours(24));
    assert_eq!(site.a.archive_once().await.unwrap().records, 1);
    let keys = [Key::case(case), strange];
    let left = site.desk.stand.store.read(&site.desk.stand.territory, &keys, None).await.unwrap();
    assert_eq!(keys.map(|key| left.records[&key].is_some()), [false, true]);
}

async fn a_console_that_comes_back_over_a_case_that_has_left_begins_again_and_says_so(stand: Stand) {
    let site = Site::new(stand);
    let beside = Desk::engine(&site.desk.stand, Options::default());
    let keeps_its_log = keeping(&beside, &site.dir, Span::from_hours(100));
    let (desk, mut history) = (&site.desk, Shown::default());
    let case = desk.qualified(Priority::P3).await;
    history.note(desk).await;
    let mut screen = Screen::new(&desk.a, WatchFilter::All).await;
    screen.catches_up(&history).await;
    assert!(screen.shown.contains_key(&case));
    // Asleep with its token, it comes back to an instance that has begun since.
    site.answers(case).await;
    desk.stand.pass(Span::from_hours(24) + KEEP_CLOSED);
    assert!(keeps_its_log.archive_once().await.unwrap().records > 0);
    assert_eq!(desk.stand.record(Key::case(case).as_str()).await, None, "the record has left");
    let log = desk.stand.store.log(&desk.stand.territory, 0, 100).await.unwrap();
    assert_eq!(log.len() as u64, site.head().await, "and the log has not");
    history.note(desk).await;
    screen.reconnects(&Desk::engine(&desk.stand, Options::default())).await;
    screen.catches_up(&history).await;
    assert_eq!((screen.resets, screen.shown.len()), (1, 0));
}

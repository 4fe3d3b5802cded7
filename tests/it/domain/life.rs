//! The national état against a table written down a second time, over files in every condition; and a file is completed
//! before it ends.

use chrono::{Datelike, Months, NaiveDate};
use proptest::{collection::vec, prelude::*, sample::select};
use sas_dispatch::domain::{
    case::{
        Action, ActionKind, ActionState, Case, Command, Owner, Refusal,
        command::{Open, Particulars},
        sealed::NoteKind,
        state::Patient,
        status::{Missing, Status, missing, stage as life, status},
    },
    ids::ActionId,
    regulation::{
        need::CareType,
        qualification::{Attribution, Priority},
    },
    time::{Instant, Span},
};
use uuid::Uuid;

use super::stage::{Stage, THURSDAY, arm, call, complete, regulator, sign, text};

/// What a file is like, as far as its état goes.
#[derive(Debug, Clone)]
struct File {
    open: Vec<ActionKind>,
    nameless: bool,
    stated_unknown: bool,
    motiveless: bool,
    unanswered: bool,
    dismissed: bool,
    activates_in_minutes: Option<i64>,
    qualified: bool,
    idle_hours: i64,
    days: i64,
    archived_after: Option<u32>,
}

fn file() -> impl Strategy<Value = File> {
    let open = vec(select(vec![ActionKind::CompleteFile, ActionKind::CompleteFile, ActionKind::FollowUp]), 0..3);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let ages = (select(vec![0, 1, 23, 24, 25, 900]), select(vec![1, 80, 89, 90, 91, 92, 93, 800, 1_900]));
    let early = proptest::option::of(select(vec![-5_i64, 0, 5]));
    (open, flags, ages, early, proptest::option::of(select(vec![3_u32, 24, 60]))).prop_map(
        |(
            open,
            (nameless, stated_unknown, motiveless, unanswered, dismissed, qualified),
            ages,
            early,
            archived_after,
        )| {
            let (idle_hours, days) = ages;
            let activates_in_minutes = early;
            let qualified = qualified || !open.is_empty() && !motiveless;
            File {
                open,
                nameless,
                stated_unknown,
                motiveless: motiveless || !qualified,
                unanswered,
                dismissed,
                activates_in_minutes,
                qualified,
                idle_hours,
                days,
                archived_after,
            }
        },
    )
}

/// The table of domain.md §2.7, read by itself.
fn table(file: &File, opened: NaiveDate, today: NaiveDate) -> Status {
    if !file.open.is_empty() {
        let early = !file.qualified && file.activates_in_minutes.is_some_and(|minutes| minutes > 0);
        let only_completing = file.open.iter().all(|kind| *kind == ActionKind::CompleteFile);
        return if early {
            Status::Planned
        } else if only_completing {
            Status::Achieved
        } else {
            Status::Active
        };
    }
    let lacks = (file.nameless && !file.stated_unknown) || file.motiveless || file.unanswered;
    if lacks && !file.dismissed {
        return Status::Achieved;
    }
    if file.idle_hours < 24 {
        return Status::Valid;
    }
    match file.archived_after {
        _ if today < months_later(opened, 3) => Status::Closed,
        Some(months) if today >= months_later(opened, months) => Status::Archived,
        _ => Status::Filed,
    }
}

/// The same day so many months later, or the last day of that month: counted by hand.
fn months_later(date: NaiveDate, months: u32) -> NaiveDate {
    let counted = date.year() * 12 + date.month0() as i32 + months as i32;
    let (year, month) = (counted.div_euclid(12), counted.rem_euclid(12) as u32 + 1);
    (1..=date.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day)).unwrap()
}

/// A finished case made like the file.
fn made(finished: &Case, file: &File, now: Instant) -> Case {
    let mut case = finished.clone();
    case.opened = Instant::from_unix_ms(now.unix_ms() - Span::from_hours(24 * file.days).ms());
    case.activates = file.activates_in_minutes.map(|minutes| Instant::from_unix_ms(now.unix_ms() + minutes * 60_000));
    if file.nameless {
        case.sealed.identities[0].name = text("");
    }
    case.patients[0].identity_unknown = file.stated_unknown;
    match (&mut case.qualification, file.qualified) {
        (Some(known), true) if file.motiveless => known.motive = None,
        (Some(_), true) => {}
        (known, _) => *known = None,
    }
    if file.unanswered {
        case.decisions[0].answer = None;
    }
    case.dismissed = file.dismissed.then_some(Attribution::WrongNumber);
    let state = ActionState::Open { alarmed: None };
    let action = |(n, kind): (usize, &ActionKind)| Action {
        id: ActionId(Uuid::from_u128(n as u128 + 1)),
        kind: *kind,
        owner: Owner::Person(regulator().person),
        opened: now,
        deadline: now,
        about: Default::default(),
        state: state.clone(),
    };
    case.actions.extend(file.open.iter().enumerate().map(action));
    let idle = Instant::from_unix_ms(now.unix_ms() - Span::from_hours(file.idle_hours).ms());
    case.idle_since = file.open.is_empty().then_some(idle);
    case
}

fn finished() -> Case {
    let mut stage = Stage::new();
    let (id, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), id, claim, CareType::Advice);
    stage.case(id).clone()
}

proptest! {
    #[test]
    fn the_etat_is_what_the_table_says(file in file()) {
        let case = made(&finished(), &file, THURSDAY);
        let (opened, today) = (case.opened.utc().date_naive(), THURSDAY.utc().date_naive());
        let found = life(&case, THURSDAY, file.archived_after.map(Months::new));
        prop_assert_eq!(found, table(&file, opened, today));
    }
}

#[test]
fn a_vital_emergency_ends_only_once_its_file_says_who_and_why() {
    let mut stage = Stage::new();
    let opened = Open { vital: true, particulars: Particulars::default(), ..call(stage.now) };
    let case = stage.opened(&arm(), opened);
    let claim_no = stage.done(&regulator(), case, Command::AcceptHandOver).claim_no.unwrap();
    let mut over = sign(claim_no, CareType::NoFurther);
    over.need.reasons.clear();
    stage.done(&regulator(), case, Command::SignNeed(Box::new(over)));
    assert_eq!(status(stage.case(case), stage.now), Status::Achieved);
    assert_eq!(missing(stage.case(case)), [Missing::Identity, Missing::Motive]);
    let action = stage.action(case, ActionKind::CompleteFile);
    let by_word = Command::EndAction { action: action.id, end: sas_dispatch::domain::case::End::Done, note: None };
    assert!(matches!(stage.refused(&arm(), case, by_word), Refusal::State { .. }), "only completing ends it");
    stage.late(case, ActionKind::CompleteFile);
    let whole = complete(stage.case(case));
    stage.done(&arm(), case, whole);
    assert_eq!(status(stage.case(case), stage.now), Status::Valid);
}

#[test]
fn a_patient_who_is_added_to_a_valid_file_has_to_be_decided_for_and_named() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    stage.need(&regulator(), case, claim, CareType::Advice);
    let patients = vec![(Patient { number: 2, ..Patient::default() }, Default::default())];
    let more = Particulars { patients, ..Particulars::default() };
    stage.done(&arm(), case, Command::Amend(Box::new(more)));
    assert_eq!(status(stage.case(case), stage.now), Status::Active);
    let claim = stage.claim(&regulator(), case);
    let mut second = super::stage::sign(claim, CareType::Advice);
    second.need.patient = 2;
    stage.done(&regulator(), case, Command::SignNeed(Box::new(second)));
    assert_eq!(status(stage.case(case), stage.now), Status::Achieved);
}

#[test]
fn what_is_written_into_a_valid_file_is_an_addendum() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    stage.done(&arm(), case, Command::AddNote(text("pendant l'appel")));
    stage.need(&regulator(), case, claim, CareType::Advice);
    stage.done(&arm(), case, Command::AddNote(text("après")));
    let kinds: Vec<_> = stage.case(case).sealed.notes.iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [NoteKind::Note, NoteKind::Addendum]);
}

#[test]
fn a_file_takes_words_only_while_its_record_has_room_for_what_keeps_the_case_safe() {
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    let long = "a".repeat(4_000);
    for _ in 0..32 {
        stage.done(&arm(), case, Command::AddNote(text(&long)));
    }
    let refused = stage.refused(&arm(), case, Command::AddNote(text(&long)));
    assert!(refused.to_string().contains("open a case for what is new and link it"), "{refused}");
    stage.done(&arm(), case, Command::Qualify(Box::new(super::stage::qualify(Priority::P0))));
}

#[test]
fn a_file_made_in_advance_is_planned_until_its_hour() {
    let mut stage = Stage::new();
    let hour = stage.now + Span::from_hours(20);
    let mut opened = call(stage.now);
    opened.particulars.activates = Some(hour);
    let case = stage.opened(&arm(), opened);
    assert_eq!(status(stage.case(case), stage.now), Status::Planned);
    assert_eq!(stage.action(case, ActionKind::Qualify).deadline, hour + Span::from_mins(5));
    stage.now = hour;
    assert_eq!(status(stage.case(case), stage.now), Status::Active);
    let qualify = Command::Qualify(Box::new(super::stage::qualify(Priority::P2)));
    stage.done(&arm(), case, qualify);
}

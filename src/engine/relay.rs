//! The room between two shifts: who regulates, what is open, what falls due next.

use std::collections::BTreeMap;

use crate::domain::{
    actor::{Actor, Role},
    case::{Action, ActionKind, Command, Refusal, command::StartDuty},
    regulation::{
        fallback::{Fallback, fallback},
        qualification::{Priority, Stream},
        queue,
        room::{Duty, Room, Surge},
    },
    time::{Instant, Span},
};

use super::{CaseView, Done, Engine, Failure, Mutation, Target, open::OpenCases};

/// How far ahead the page shows who comes on duty.
const AHEAD: Span = Span::from_hours(12);

/// How one stream is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    /// Which.
    pub stream: Stream,
    /// Regulators on duty.
    pub on_duty: usize,
    /// Cases that wait.
    pub waiting: usize,
    /// Who answers in its place, and under which code.
    pub stands_in: Option<(Stream, Fallback)>,
}

/// An open action that falls due, and the case it belongs to.
#[derive(Debug, Clone)]
pub struct DueAction {
    /// The case.
    pub case: CaseView,
    /// The action.
    pub action: Action,
}

/// The first of a list, as many as were asked for.
#[derive(Debug, Clone)]
pub struct First<T> {
    /// Those.
    pub shown: Vec<T>,
    /// How many there are in all.
    pub all: usize,
}

/// The room between two shifts.
#[derive(Debug, Clone)]
pub struct Relay {
    /// When.
    pub at: Instant,
    /// Who is on duty or comes on soon, by the start.
    pub duties: Vec<Duty>,
    /// The surge that is on.
    pub surge: Option<Surge>,
    /// How each stream is served.
    pub streams: Vec<StreamState>,
    /// Open cases.
    pub open_cases: usize,
    /// Open actions by kind.
    pub open_actions: BTreeMap<ActionKind, usize>,
    /// What is late, the oldest alarm first.
    pub late: First<DueAction>,
    /// What falls due next.
    pub next: First<DueAction>,
    /// P0 and P1, in the order of regulation.
    pub urgent: First<CaseView>,
    /// Held by somebody whose console is silent, the longest first.
    pub suspect: First<CaseView>,
    /// Nobody was left for them, the oldest first.
    pub unanswered: First<DueAction>,
    /// The least seq that all of it shows.
    pub seq: u64,
}

impl Engine {
    /// Who regulates, as stored now.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn roster(&self, actor: &Actor) -> Result<(Room, u64), Failure> {
        self.territory(&actor.territory)?;
        let (room, seq) = self.read_room(&actor.territory).await?;
        Ok((room.unwrap_or_default(), seq))
    }

    /// Puts a regulator on duty, with the shifts in view that he makes as a responder in the same hours.
    ///
    /// # Errors
    /// As [`Engine::act`].
    pub async fn start_duty(&self, actor: &Actor, mutation: Mutation, duty: StartDuty) -> Result<Done, Failure> {
        self.act(actor, mutation, Target::default(), Command::StartDuty(Box::new(duty))).await
    }

    /// The page of the relay, with at most `most` deadlines of each kind.
    ///
    /// # Errors
    /// A role that has no part in the room; when the store does not answer.
    pub async fn relay(&self, actor: &Actor, most: usize) -> Result<Relay, Failure> {
        for_the_room(actor)?;
        let place = self.territory(&actor.territory)?;
        let (room, seq) = self.roster(actor).await?;
        let OpenCases { cases, unreadable, seq: of_cases } = self.open_cases(&actor.territory).await?;
        let at = self.now();
        let state = |stream: Stream| StreamState {
            stream,
            on_duty: room.on_duty(at).filter(|duty| duty.stream == stream).count(),
            waiting: cases.iter().filter(|view| waits(view, stream)).count(),
            stands_in: fallback(stream, place.territory.stopped(stream, at), &room, at),
        };
        let mut open_actions = BTreeMap::new();
        for action in cases.iter().flat_map(|view| view.case.open_actions()) {
            *open_actions.entry(action.kind).or_insert(0) += 1;
        }
        let (late, next) = by_deadline(&cases, most);
        let mut duties: Vec<Duty> = room.duties.iter().filter(|duty| duty.overlaps(at, at + AHEAD)).cloned().collect();
        duties.sort_by(|a, b| (a.from, &a.person).cmp(&(b.from, &b.person)));
        Ok(Relay {
            at,
            duties,
            surge: room.surge_at(at).cloned(),
            streams: Stream::ALL.iter().copied().map(state).collect(),
            open_cases: cases.len() + unreadable.len(),
            open_actions,
            late,
            next,
            urgent: urgent(&cases, most),
            suspect: suspect(&cases, most),
            unanswered: unanswered(&cases, most),
            seq: seq.min(of_cases),
        })
    }
}

/// The page tells of every open case: numbers, motives, who holds it.
fn for_the_room(actor: &Actor) -> Result<(), Refusal> {
    Refusal::unless(actor.role, &Role::OF_THE_ROOM)
}

fn waits(view: &CaseView, stream: Stream) -> bool {
    let case = &view.case;
    case.claim.is_none() && case.open_action(ActionKind::Regulate).is_some() && case.before() == Some(stream)
}

fn by_deadline(cases: &[CaseView], most: usize) -> (First<DueAction>, First<DueAction>) {
    let all = cases.iter().flat_map(|view| view.case.open_actions().map(move |action| (view, action)));
    let (mut late, mut next): (Vec<_>, Vec<_>) = all.partition(|(_, action)| action.alarmed().is_some());
    late.sort_by_key(|(view, action)| (action.alarmed(), view.case.id));
    next.sort_by_key(|(view, action)| (action.deadline, view.case.id));
    let kept = |actions: Vec<(&CaseView, &Action)>| {
        let (all, first) = (actions.len(), actions.into_iter().take(most));
        let due = |(case, action): (&CaseView, &Action)| DueAction { case: case.clone(), action: action.clone() };
        First { shown: first.map(due).collect(), all }
    };
    (kept(late), kept(next))
}

fn urgent(cases: &[CaseView], most: usize) -> First<CaseView> {
    let order = |view: &CaseView| {
        let known = view.case.qualification.as_ref()?;
        let urgent = matches!(known.priority, Priority::P0 | Priority::P1);
        urgent.then(|| (queue::class(known.priority), known.due, view.case.id))
    };
    ordered(cases, most, order)
}

fn suspect(cases: &[CaseView], most: usize) -> First<CaseView> {
    ordered(cases, most, |view| Some((view.case.claim.as_ref()?.suspect?, view.case.id)))
}

/// Those that have a place in the order, as far as they fit.
fn ordered<K: Ord>(cases: &[CaseView], most: usize, place: impl Fn(&CaseView) -> Option<K>) -> First<CaseView> {
    let mut placed: Vec<_> = cases.iter().filter_map(|view| Some((place(view)?, view))).collect();
    placed.sort_by(|(a, _), (b, _)| a.cmp(b));
    let all = placed.len();
    First { shown: placed.into_iter().take(most).map(|(_, view)| view.clone()).collect(), all }
}

fn unanswered(cases: &[CaseView], most: usize) -> First<DueAction> {
    let lane = |view: &CaseView| view.case.open_action(ActionKind::Unanswered).map(|action| action.opened);
    let waiting = ordered(cases, most, |view| Some((lane(view)?, view.case.id)));
    let due = |case: CaseView| Some(DueAction { action: case.case.open_action(ActionKind::Unanswered)?.clone(), case });
    First { all: waiting.all, shown: waiting.shown.into_iter().filter_map(due).collect() }
}

//! A doctor's shifts: he is on duty once at a time, on one visit at a time, and regulates in none of his shifts, whichever
//! instance is asked.
//!
//! Which other shifts he has is found in memory, which another instance may be ahead of. Every record that is looked at is
//! guarded, and a new shift or duty also on the shift that he entered last: of two entered at once the later sees the earlier.
//! So is a case that he takes to regulate, which costs no round trip: without memory he is taken to have no shift. A new shift
//! is guarded on the roster too, which a duty writes, and on the cases that he holds. Where such a guard fails, the store's own
//! lists are looked at: they may hold what no memory has, such as a shift of long ago or one that an older binary ended.

use std::cmp::Reverse;

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{Command, Records, command::OfferAnswer, transfer::TransferAct},
        ids::{CaseId, PersonId, ShiftId},
        time::{Instant, Span},
        visits::{Shift, ShiftState},
    },
    store::{Conflict, Guard, Index, Key, MAX_READ, Member},
};

use super::{Done, Engine, Failure, Mutation, Target, act::Extra, codec::Entity};

/// Most shifts of one person that are looked at together.
const MOST_SHIFTS: usize = 8;

/// Looks at a doctor's shifts before the caller is told to try again: each was overtaken by another shift of his.
pub(super) const LOOKS: usize = 3;

/// What somebody does in the hours that a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Visits,
    Regulates,
    /// Takes a case to regulate it, now.
    Takes,
}

/// Whose hours a command is about.
pub(super) struct Hours {
    person: PersonId,
    from: Instant,
    until: Instant,
    does: Does,
}

impl Hours {
    /// Those of a shift or of a duty, which is its author's unless it names another, or the moment of taking a case; none for
    /// other commands.
    pub(super) fn of(actor: &Actor, command: &Command, now: Instant) -> Option<Self> {
        let (named, from, until, does) = match command {
            Command::OpenShift { doctor, start, end, .. } => (doctor, *start, *end, Does::Visits),
            Command::StartDuty(duty) => (&duty.person, duty.from, duty.until, Does::Regulates),
            Command::Claim | Command::AnswerReorientation { refused: None } => return Some(Self::now(actor, now)),
            Command::Transfer(act) if matches!(**act, TransferAct::Answer { refused: None }) => {
                return Some(Self::now(actor, now));
            }
            _ => return None,
        };
        Some(Self { person: named.as_ref().unwrap_or(&actor.person).clone(), from, until, does })
    }

    /// The moment at which somebody takes a case.
    pub(super) fn now(actor: &Actor, now: Instant) -> Self {
        Self { person: actor.person.clone(), from: now, until: now + Span::from_secs(1), does: Does::Takes }
    }

    /// How many of his shifts are looked at: of a case that is taken many queues are guarded.
    fn most(&self) -> usize {
        if self.does == Does::Takes { 1 } else { MOST_SHIFTS }
    }

    /// Whether a shift is his, still to be worked, and shares time with them.
    fn shares(&self, shift: &Shift) -> bool {
        own(shift, &self.person) && shift.overlaps(self.from, self.until)
    }
}

impl Engine {
    /// What memory says of the shifts of who takes a case; none where it was asked nothing yet.
    pub(super) fn beside_in_memory(&self, actor: &Actor, hours: &Hours) -> Extra {
        let known = self.0.supply.glance(&actor.territory, |known| beside(known, hours));
        known.unwrap_or_else(|| beside(&Records::default(), hours))
    }

    /// Carries out a command about somebody's hours with his shifts in them in view, once none has been entered meanwhile.
    pub(super) async fn beside_his_shifts(
        &self,
        actor: &Actor,
        mutation: Mutation,
        target: Target,
        hours: &Hours,
        mut command: Command,
    ) -> Result<Done, Failure> {
        let place = self.territory(&actor.territory)?;
        let at_least = self.own_place(&actor.territory);
        let mut extra = match hours.does {
            Does::Takes => self.beside_in_memory(actor, hours),
            Does::Visits | Does::Regulates => self.in_supply(&place, at_least, |known| beside(known, hours)).await?,
        };
        for _ in 0..LOOKS {
            if let Command::StartDuty(duty) = &mut command {
                duty.shifts.clone_from(&extra.shifts);
            }
            match self.act_guarded(actor, mutation, target, &command, extra).await {
                Err(Failure::Busy) => extra = self.stored_beside(actor, hours).await?,
                done => return done,
            }
        }
        Err(Failure::Busy)
    }

    /// The same as [`beside`], as the store has it now.
    pub(super) async fn stored_beside(&self, actor: &Actor, hours: &Hours) -> Result<Extra, Failure> {
        let index = Index::shifts_of(&hours.person);
        let (mut shifts, mut newest, mut after) = (Vec::new(), None, None);
        loop {
            let listed = self.0.store.range(&actor.territory, &index, after, MAX_READ).await?.entries;
            let key = |member: &Member| Some(Key::shift(member.0.parse().ok()?));
            let keys: Vec<Key> = listed.iter().filter_map(|(_, member)| key(member)).collect();
            let snapshot = self.read_store(&actor.territory, &keys, None).await?;
            let (read, _) = self.remember_readable(actor, &snapshot);
            let entered = read.values().flatten().filter_map(|known| match known.entity.as_ref() {
                Entity::Shift(shift) => Some(shift),
                _ => None,
            });
            let beside = entered.filter(|shift| hours.shares(shift));
            shifts.extend(beside.map(|shift| shift.id));
            newest = newest.or_else(|| listed.first().map(|(_, member)| member.clone()));
            after = listed.last().filter(|_| listed.len() == MAX_READ).cloned();
            if after.is_none() || shifts.len() >= MOST_SHIFTS {
                break;
            }
        }
        shifts.truncate(hours.most());
        let mut extra = Extra { guards: vec![Guard::First(index, newest)], shifts, ..Extra::default() };
        if hours.does == Does::Visits {
            let index = Index::claims(&hours.person);
            let first = self.0.store.range(&actor.territory, &index, None, 1).await?.entries.into_iter().next();
            let first = first.map(|(_, member)| member);
            extra.held.extend(first.iter().filter_map(|member| member.0.parse::<CaseId>().ok()));
            extra.guards.push(Guard::First(index, first));
        }
        Ok(extra)
    }

    /// The shifts on which it rests whether somebody may take a visit, or say no to one.
    pub(super) async fn shifts_beside(&self, actor: &Actor, command: &Command) -> Result<Vec<ShiftId>, Failure> {
        match command {
            Command::TakeVisit { shift, .. } => self.other_shifts(actor, *shift).await,
            Command::AnswerOffer { answer: OfferAnswer::Declined, .. } if actor.role == Role::Responder => {
                self.on_duty_beside(actor).await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Who is on duty now in the structures that somebody gives care for, his own shifts first: whether it is his to say no for
    /// them is judged on these.
    async fn on_duty_beside(&self, actor: &Actor) -> Result<Vec<ShiftId>, Failure> {
        let place = self.territory(&actor.territory)?;
        let now = self.now();
        let beside = |shift: &Shift| {
            let known = place.directory.get(&shift.responder);
            shift.on_duty(now) && known.is_some_and(|known| known.doctors.contains(&actor.person))
        };
        let look = |known: &Records| {
            let mut on_duty: Vec<&Shift> = known.shifts.values().filter(|shift| beside(shift)).collect();
            on_duty.sort_by_key(|shift| (shift.doctor != actor.person, Reverse(shift.start)));
            on_duty.into_iter().map(|shift| shift.id).take(MOST_SHIFTS).collect()
        };
        self.in_supply(&place, self.own_place(&actor.territory), look).await
    }

    /// The other shifts of the doctor of `shift`: he may still be on a visit in one that has run out.
    async fn other_shifts(&self, actor: &Actor, shift: ShiftId) -> Result<Vec<ShiftId>, Failure> {
        let place = self.territory(&actor.territory)?;
        let look = |known: &Records| {
            let doctor = &known.shifts.get(&shift)?.doctor;
            Some(picked(known, MOST_SHIFTS, |other| own(other, doctor) && other.id != shift))
        };
        if let Some(others) = self.in_supply(&place, self.own_place(&actor.territory), look).await? {
            return Ok(others);
        }
        // Entered a moment ago at another instance.
        let head = self.read_store(&actor.territory, &[], None).await?.seq;
        Ok(self.in_supply(&place, head, look).await?.unwrap_or_default())
    }
}

/// Those on a visit first, then those that begin last.
fn picked(known: &Records, most: usize, which: impl Fn(&Shift) -> bool) -> Vec<ShiftId> {
    let mut picked: Vec<&Shift> = known.shifts.values().filter(|shift| which(shift)).collect();
    let on_visit = |shift: &Shift| matches!(shift.state, ShiftState::OnVisit { .. });
    picked.sort_by_key(|shift| (!on_visit(shift), Reverse(shift.start)));
    picked.into_iter().map(|shift| shift.id).take(most).collect()
}

fn own(shift: &Shift, doctor: &PersonId) -> bool {
    shift.doctor == *doctor && shift.working()
}

/// The shifts of somebody that share time with these hours, and that no other has been entered meanwhile.
fn beside(known: &Records, hours: &Hours) -> Extra {
    let entered = known.shifts.values().filter(|shift| own(shift, &hours.person));
    let entered = entered.filter_map(|shift| Some((-shift.opened?.unix_ms(), Member::from(&shift.id))));
    let newest = entered.min_by(|one, other| (one.0, &one.1.0).cmp(&(other.0, &other.1.0)));
    let mut guards = vec![Guard::First(Index::shifts_of(&hours.person), newest.map(|(_, shift)| shift))];
    guards.extend((hours.does == Does::Visits).then(|| Guard::First(Index::claims(&hours.person), None)));
    Extra { guards, shifts: picked(known, hours.most(), |shift| hours.shares(shift)), ..Extra::default() }
}

/// Whether a conflict says that somebody has taken on another shift or case than a guard asked for.
pub(super) fn overtaken(guards: &[Guard], conflict: &Conflict) -> bool {
    guards.iter().any(|guard| match guard {
        Guard::First(index, asked) if index.is_of_person() => {
            conflict.heads.get(index).is_some_and(|head| head != asked)
        }
        _ => false,
    })
}

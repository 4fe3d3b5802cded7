//! Carrying hand-overs between territories: every instance looks at both records and takes the step that they ask for
//! (`domain::case::transfer`). There is no leader and nothing is kept in memory; a guard lets one instance win each step.

use crate::{
    domain::{
        actor::Actor,
        case::{
            Case, Command, FieldFault, Refusal,
            transfer::{Side, Step, TransferAct, act, next},
        },
        ids::{CaseId, TerritoryId},
        time::Instant,
    },
    store::{Committed, Digest, Guard, Index, Key, MAX_PAGE, Member, Policy, Score, StoreError, Txn, due_command},
};

use super::{
    CaseView, Engine, Failure, Mutation, Target,
    act::Extra,
    indexes::CARRIED_LATER,
    policy,
    upkeep::{OLDEST_CAUSE, PAGES, Silent, known_silent, upkeep},
};

/// Steps of one hand-over in one round: as many as the longest path has, and some notes more.
const STEPS: usize = 8;

/// One hand-over: the case at its sender, and its copy.
struct Pair {
    from: TerritoryId,
    case: CaseId,
    to: TerritoryId,
    there: CaseId,
}

impl Pair {
    /// The hand-overs that a case of `territory` has a part in.
    fn of(territory: &TerritoryId, case: &Case) -> Vec<Self> {
        let sent = case.sent().map(|transfer| Self {
            from: territory.clone(),
            case: case.id,
            to: transfer.to.clone(),
            there: transfer.there,
        });
        let received = case.received.as_ref().map(|received| Self {
            from: received.from.clone(),
            case: received.case,
            to: territory.clone(),
            there: case.id,
        });
        sent.into_iter().chain(received).collect()
    }

    fn other(&self, territory: &TerritoryId) -> &TerritoryId {
        if self.from == *territory { &self.to } else { &self.from }
    }
}

/// Both sides as they were read together.
struct Sides {
    sender: Option<CaseView>,
    copy: Option<CaseView>,
}

impl Engine {
    /// A case goes only where this service has somebody: a territory that has a folder of its own.
    pub(super) fn sent_where_served(&self, actor: &Actor, act: &TransferAct) -> Result<(), Failure> {
        let TransferAct::Send { to, .. } = act else { return Ok(()) };
        if self.0.served.contains(to) {
            return Ok(());
        }
        let others = self.0.served.iter().filter(|known| **known != actor.territory);
        let others = others.map(TerritoryId::as_str).collect::<Vec<_>>().join(", ");
        let problem = format!("no territory that this service is configured for; it knows {others}: ring the others");
        let mut fault = FieldFault::new("territory", problem);
        fault.french = format!("territoire non desservi par ce service ; connus : {others}");
        Err(Refusal::Fields(vec![fault]).into())
    }

    /// Takes every step that the hand-overs of a territory wait for, of one kind; answers how many. What cannot be reached on
    /// the other side is left for the next round, and holds nothing of this territory up; nor does a record that cannot be
    /// read.
    pub(super) async fn carry_transfers(
        &self,
        territory: &TerritoryId,
        which: Carried,
        silent: &Silent,
    ) -> Result<usize, Failure> {
        let mut taken = 0;
        for id in self.carried(territory, which).await? {
            let known = match self.side(territory, id).await {
                Ok(Some(known)) => known,
                Ok(None) => continue,
                Err(failure) if failure.is_of_one_record() => {
                    tracing::error!(%territory, case = %id, %failure, "a hand-over cannot be read");
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            for pair in Pair::of(territory, &known.case) {
                let other = pair.other(territory).clone();
                if known_silent(silent).contains(&other) || !self.0.served.contains(&other) {
                    continue;
                }
                match self.carry(&pair).await {
                    Ok(steps) => taken += steps,
                    Err(Stopped { failure, .. }) if failure.is_of_one_record() => {
                        tracing::error!(%territory, case = %id, %failure, "a hand-over cannot be carried");
                    }
                    Err(Stopped { at, failure }) => {
                        tracing::warn!(%territory, %other, %at, case = %id, %failure, "a hand-over waits for a territory");
                        // Where its own side does not go on, the other one may well do so with everybody else.
                        if at == other {
                            known_silent(silent).insert(other);
                        }
                    }
                }
            }
        }
        Ok(taken)
    }

    async fn carried(&self, territory: &TerritoryId, which: Carried) -> Result<Vec<CaseId>, Failure> {
        let (mut cases, mut after) = match which {
            Carried::Waiting => (Vec::new(), None),
            Carried::Later => (Vec::new(), Some((CARRIED_LATER, Member(String::new())))),
        };
        for _ in 0..PAGES {
            let page = self.0.store.range(territory, &Index::transfers(), after, MAX_PAGE).await?;
            after = page.entries.last().cloned();
            let of_kind = page.entries.iter().filter(|(score, _)| which.holds(*score));
            cases.extend(of_kind.filter_map(|(_, member)| member.0.parse::<CaseId>().ok()));
            let whole = page.entries.len() < MAX_PAGE;
            if whole || after.as_ref().is_none_or(|(score, _)| !which.holds(*score)) {
                break;
            }
        }
        Ok(cases)
    }

    async fn carry(&self, pair: &Pair) -> Result<usize, Stopped> {
        for taken in 0..STEPS {
            let sender = self.side(&pair.from, pair.case).await.map_err(Stopped::at(&pair.from))?;
            let copy = self.side(&pair.to, pair.there).await.map_err(Stopped::at(&pair.to))?;
            let sides = Sides { sender, copy };
            let case = |view| side(view).map(|side| side.case);
            let step = next(pair.there, case(&sides.sender), case(&sides.copy));
            let Some(step) = step else { return Ok(taken) };
            if !self.take(pair, step, &sides).await? {
                return Ok(taken);
            }
        }
        Ok(STEPS)
    }

    async fn side(&self, territory: &TerritoryId, case: CaseId) -> Result<Option<CaseView>, Failure> {
        let place = self.territory(territory)?;
        self.view_of(&upkeep(territory), &place, Some(case)).await
    }

    /// Takes one step; false when another instance did it, or things have changed: that is looked at in the next round.
    async fn take(&self, pair: &Pair, step: Step, sides: &Sides) -> Result<bool, Stopped> {
        let Some(asked) = self.asked(pair, step, sides).map_err(Stopped::at(&pair.from))? else { return Ok(false) };
        // What one side tells the other is as safe there as what is acknowledged, also when it tells that nothing is there:
        // an old primary or a replica may read so of what a doctor has meanwhile.
        let (territory, case, view) = match step {
            Step::Accept => (&pair.to, pair.there, &sides.copy),
            _ => (&pair.from, pair.case, &sides.sender),
        };
        let rests_on_it = matches!(step, Step::Accept | Step::Confirm | Step::End(_));
        if rests_on_it
            && !self.is_durable(territory, case, view.as_ref(), sides).await.map_err(Stopped::at(territory))?
        {
            return Ok(false);
        }
        let (territory, case) = if step.at_sender() { (&pair.from, pair.case) } else { (&pair.to, pair.there) };
        let at = asked.since.max(self.now() - OLDEST_CAUSE);
        let mutation =
            Mutation { command_id: due_command(&asked.cause, at), digest: Digest::of(asked.cause.as_bytes()) };
        let command = Command::Transfer(Box::new(asked.act));
        match self.act_guarded(&upkeep(territory), mutation, Target::case(case), &command, Extra::default()).await {
            Ok(done) => Ok(!done.replayed),
            Err(Failure::Refused(_) | Failure::Busy) => Ok(false),
            Err(failure) => Err(Stopped { at: territory.clone(), failure }),
        }
    }

    /// The command of a step and what names it: the sending command, the step, and how far it had come.
    fn asked(&self, pair: &Pair, step: Step, sides: &Sides) -> Result<Option<Asked>, Failure> {
        let (sender, copy) = (side(&sides.sender), side(&sides.copy));
        let Some(mut asked) = act(step, pair.there, sender, copy) else { return Ok(None) };
        if let TransferAct::Receive(packet) | TransferAct::Bring(packet) = &mut asked {
            let place = self.territory(&pair.from)?;
            sender.into_iter().for_each(|sender| packet.told_by(sender.case, &place.directory));
        }
        let transfer = sender.and_then(|sender| sender.case.transfer(pair.there));
        let received = copy.and_then(|copy| copy.case.received.as_deref());
        let sending = transfer.map(|known| (known.command, known.at));
        let Some((command, since)) = sending.or(received.map(|known| (known.command, known.sent))) else {
            return Ok(None);
        };
        let mut cause = format!("transfer/{}/{command}", step.name());
        if step == Step::Bring {
            let changed = transfer.map_or(0, |known| known.changed);
            cause += &format!("/{}/{changed}", copy.map_or(0, |copy| copy.case.sealed.notes.len()));
        }
        Ok(Some(Asked { act: asked, cause, since }))
    }

    /// Whether a record as read, or that there is none, is as safe as what is acknowledged: a read may show what a failover
    /// still takes back, or what it has taken back.
    async fn is_durable(
        &self,
        territory: &TerritoryId,
        case: CaseId,
        view: Option<&CaseView>,
        sides: &Sides,
    ) -> Result<bool, Failure> {
        let (epoch, key) = (self.epoch(&upkeep(territory)).await?, Key::case(case));
        let guards = vec![match view {
            Some(view) => Guard::Version(key, view.version),
            None => Guard::Absent(key),
        }];
        // A vital emergency waits for no replica, on whichever side it was found.
        let vital = [&sides.sender, &sides.copy].into_iter().flatten().any(|view| policy::vital(&view.case));
        let policy = if vital { Policy::Vital } else { Policy::Strict };
        let touch = Txn { guards, policy, ..Txn::touch(territory.clone(), epoch, self.now()) };
        match self.send_once(&touch).await {
            Ok(Committed::Done(_)) => return Ok(true),
            Ok(Committed::Clock(now)) => self.set_store_time(now),
            Ok(Committed::Conflict(_)) => {}
            Err(StoreError::Fenced { .. }) => self.0.memory.forget(territory),
            Err(error) => return Err(error.into()),
        }
        Ok(false)
    }
}

/// Which hand-overs are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// Those that wait for an answer or for its record: before what is late fires.
    Waiting,
    /// Those that may only be taken up again: after it.
    Later,
}

impl Carried {
    fn holds(self, score: Score) -> bool {
        (score >= CARRIED_LATER) == (self == Self::Later)
    }
}

/// Why a hand-over is not carried further, and whose state it was.
struct Stopped {
    at: TerritoryId,
    failure: Failure,
}

impl Stopped {
    fn at(territory: &TerritoryId) -> impl FnOnce(Failure) -> Self {
        let at = territory.clone();
        |failure| Self { at, failure }
    }
}

/// A step as a command.
struct Asked {
    act: TransferAct,
    cause: String,
    since: Instant,
}

fn side(view: &Option<CaseView>) -> Option<Side<'_>> {
    view.as_ref().map(|view| Side { case: &view.case, number: &view.case_number })
}

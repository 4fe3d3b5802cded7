//! The cases of telephone calls. An exchange uses its names of calls again: a name stands for the newest case opened under
//! it, and goes on standing for it until another call has begun.

use crate::{
    domain::{
        actor::Actor,
        case::{
            Case, Command, Records, Refusal, RestsOn,
            command::{CallEvent, CallReport, Open},
            leaving,
            state::Line,
        },
        ids::CaseId,
        person::Private,
        time::Instant,
    },
    store::{Conflict, Guard, Index, Member, Version},
};

use super::{
    Done, Engine, Failure, Mutation, Target,
    act::{Extra, Work},
    upkeep::upkeep,
};

impl Engine {
    /// The case of a telephone call: the newest opened under its name.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn find_call(&self, actor: &Actor, call: &str) -> Result<Option<CaseId>, Failure> {
        let index = Index::call(&self.0.lookup.hash(call));
        match self.0.memory.call(&actor.territory, &index) {
            Some(case) => Ok(Some(case)),
            None => self.newest_call(actor, call).await,
        }
    }

    /// As [`Self::find_call`], whatever this instance remembers.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn newest_call(&self, actor: &Actor, call: &str) -> Result<Option<CaseId>, Failure> {
        let index = Index::call(&self.0.lookup.hash(call));
        let page = self.0.store.range(&actor.territory, &index, None, 1).await?;
        let found = page.entries.first().and_then(|(_, member)| member.0.parse().ok());
        found.iter().for_each(|case| self.0.memory.rang(&actor.territory, &index, *case));
        Ok(found)
    }

    /// The case of a telephone call, when this instance has seen it. `None` says nothing.
    pub fn remembered_call(&self, actor: &Actor, call: &str) -> Option<CaseId> {
        self.0.memory.call(&actor.territory, &Index::call(&self.0.lookup.hash(call)))
    }

    /// Whether a call that rings is the one of `case`, whose name it has: then where that case stands, its version and the
    /// seq. `happened`: when it rang by the clock of the exchange; none: now.
    ///
    /// # Errors
    /// When the case is not there, or the store does not answer.
    pub async fn rings_again(
        &self,
        actor: &Actor,
        case: CaseId,
        open: &Open,
        happened: Option<Instant>,
    ) -> Result<Option<(Version, u64)>, Failure> {
        let (view, seq) = self.read_case(&upkeep(&actor.territory), case, 0).await?;
        let heard = view.case.line_heard.unwrap_or(view.case.opened);
        let later = happened.is_none_or(|happened| happened > heard);
        Ok((!is_another_call(&view.case, open, later)).then_some((view.version, seq)))
    }

    /// Opens the case of a call whose name stood for `earlier` until now, the case of another call.
    ///
    /// # Errors
    /// As [`Engine::act`]; `State` of the call when its name stands for another case by now.
    pub async fn open_another(
        &self,
        actor: &Actor,
        mutation: Mutation,
        open: Open,
        earlier: Option<CaseId>,
    ) -> Result<Done, Failure> {
        let guards = open.opened.call.iter().map(|call| self.newest_of_call(call, earlier)).collect();
        let command = Command::Open(Box::new(open));
        self.act_guarded(actor, mutation, Target::default(), &command, Extra { guards, ..Extra::default() }).await
    }

    /// An event of the call of a case, and what would open another one.
    ///
    /// # Errors
    /// As [`Engine::act`]; `State` of the call when it is over for that case, or its name stands for another one.
    pub async fn call_event(
        &self,
        actor: &Actor,
        mutation: Mutation,
        case: CaseId,
        (open, report): (&Open, CallReport),
    ) -> Result<Done, Failure> {
        let guards = open.opened.call.iter().map(|call| self.newest_of_call(call, Some(case))).collect();
        let extra = Extra { guards, number: number(open).cloned(), ..Extra::default() };
        self.act_guarded(actor, mutation, Target::case(case), &Command::Call(report), extra).await
    }

    /// On what a case is opened after all whose call has a case already. Who enters a call by hand may do so when its caller
    /// has long hung up: that it is told later says nothing. A vital emergency is opened whatever that case is: nothing that
    /// is not known of its caller may refuse it, nor may yet another case of that name; which it was is told.
    ///
    /// # Errors
    /// `State` of the call, with the case to go on with; or the store does not answer.
    pub(super) async fn call_begun_again(&self, actor: &Actor, open: &Open) -> Result<Extra, Failure> {
        let Some(call) = &open.opened.call else { return Ok(Extra::default()) };
        let earlier = self.newest_call(actor, call).await?;
        if open.vital {
            let told =
                |case| format!("CALL_KNOWN: the name of its call stood for case {case}: look whether it is the same");
            return Ok(Extra { warnings: earlier.map(told).into_iter().collect(), ..Extra::default() });
        }
        if let Some(case) = earlier
            && self.is_to_go_on_with(actor, case, open).await?
        {
            let problem =
                format!("it has case {case}: go on with that, or give the number of the caller if it is another");
            return Err(Refusal::resting(RestsOn::CallName, "call", problem).into());
        }
        Ok(Extra { guards: vec![self.newest_of_call(call, earlier)], ..Extra::default() })
    }

    async fn is_to_go_on_with(&self, actor: &Actor, case: CaseId, open: &Open) -> Result<bool, Failure> {
        match self.read_case(&upkeep(&actor.territory), case, 0).await {
            Ok((view, _)) => Ok(!is_another_call(&view.case, open, false)),
            Err(Failure::Refused(Refusal::NotFound(_) | Refusal::Archived(_))) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Two events of one new call may come at the same time: only one of them opens its case.
    pub(super) fn newest_of_call(&self, call: &str, case: Option<CaseId>) -> Guard {
        Guard::First(Index::call(&self.0.lookup.hash(call)), case.as_ref().map(Member::from))
    }
}

impl Failure {
    /// Whether it was refused since the name of its call stands for another case.
    pub fn is_of_its_call(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.rests_on(RestsOn::CallName))
    }
}

/// Whether a conflict says that the name of a call stands for another case than a guard asked for.
pub(super) fn another_case(guards: &[Guard], conflict: &Conflict) -> bool {
    guards.iter().any(|guard| match guard {
        Guard::First(index, asked) if index.is_call() => {
            conflict.heads.get(index).is_some_and(|head| head.is_some() && head != asked)
        }
        _ => false,
    })
}

/// Refuses an event of a call that the case of its name has nothing to do with any longer.
pub(super) fn goes_on(records: &Records, work: &Work<'_>, now: Instant) -> Result<(), Refusal> {
    let (Command::Call(report), Some(case)) = (work.command, work.target.case.and_then(|id| records.cases.get(&id)))
    else {
        return Ok(());
    };
    if is_of_another(case, *report, work.extra.number.as_ref(), now) {
        let problem = "its case is over, or of another caller: this is another call of the same name";
        return Err(Refusal::resting(RestsOn::CallName, "call", problem));
    }
    Ok(())
}

/// Who rang off is not answered again once nothing is left to do, and who is on the line again then comes to somebody by a
/// case of his own; a closed case has no caller, and when its caller is gone another number is another caller's. A caller who
/// hangs up when everything is decided is no new call; nor is what is told late of the old one.
fn is_of_another(case: &Case, report: CallReport, number: Option<&Private<String>>, now: Instant) -> bool {
    if case.heard_later_than(report) {
        return false;
    }
    let gone = case.line != Line::OnLine;
    let closed = leaving::closed_at(case).is_some_and(|at| at <= now);
    let begins = match report.event {
        CallEvent::Answered => gone,
        CallEvent::Reconnected => true,
        CallEvent::HungUp => false,
    };
    closed || (gone && is_of_another_number(case, number)) || (begins && over(case))
}

/// Whether a call that begins under the name of this case's call is another one: nothing is left to do for that case, or two
/// of three signs say so. Its caller has hung up, this caller has another number, this call began `later` than all that was
/// heard of it. One alone may be a report that comes late or twice, or a number that was mended. A call that is taken for
/// another one by mistake opens a case that resembles the first; one that is not has nobody who answers it.
fn is_another_call(case: &Case, open: &Open, later: bool) -> bool {
    let (gone, other) = (case.line != Line::OnLine, is_of_another_number(case, number(open)));
    over(case) || (gone && other) || (gone && later) || (other && later)
}

/// Whether a call came from another number than that of the case: both have to be known.
fn is_of_another_number(case: &Case, number: Option<&Private<String>>) -> bool {
    let known = &case.sealed.caller;
    let told = number.filter(|number| known.has_number() && !number.reveal().is_empty());
    told.is_some_and(|number| *number != known.phone && *number != known.call_back)
}

fn number(open: &Open) -> Option<&Private<String>> {
    open.particulars.caller.as_ref().map(|caller| &caller.phone)
}

fn over(case: &Case) -> bool {
    case.open_actions().next().is_none()
}

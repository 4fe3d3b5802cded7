//! The cases of telephone calls. An exchange uses its names of calls again: a name stands for the newest case opened under
//! it, and goes on standing for it until another call has begun.

use crate::{
    domain::{
        actor::Actor,
        case::{
            Case, Command, Records, Refusal,
            command::{CallEvent, CallReport, Open},
            leaving,
            state::Line,
        },
        ids::CaseId,
        time::Instant,
    },
    store::{Conflict, Guard, Index, Member, Version},
};

use super::{Done, Engine, Failure, Mutation, Target, act::Extra, upkeep::upkeep};

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

    /// An event of the call of a case.
    ///
    /// # Errors
    /// As [`Engine::act`]; `State` of the call when it is over for that case, or its name stands for another one.
    pub async fn call_event(
        &self,
        actor: &Actor,
        mutation: Mutation,
        (call, case): (&str, CaseId),
        report: CallReport,
    ) -> Result<Done, Failure> {
        let extra = Extra { guards: vec![self.newest_of_call(call, Some(case))], ..Extra::default() };
        self.act_guarded(actor, mutation, Target::case(case), &Command::Call(report), extra).await
    }

    /// The guards under which a case is opened after all whose call has a case already: `None` while that is the case to go
    /// on with. Who enters a call by hand may do so when its caller has long hung up: that it is told later says nothing.
    pub(super) async fn call_begun_again(&self, actor: &Actor, open: &Open) -> Result<Option<Vec<Guard>>, Failure> {
        let Some(call) = &open.opened.call else { return Ok(None) };
        let Some(earlier) = self.newest_call(actor, call).await? else { return Ok(None) };
        let begun_again = match self.read_case(&upkeep(&actor.territory), earlier, 0).await {
            Ok((view, _)) => is_another_call(&view.case, open, false),
            Err(Failure::Refused(Refusal::NotFound(_) | Refusal::Archived(_))) => true,
            Err(failure) => return Err(failure),
        };
        Ok(begun_again.then(|| vec![self.newest_of_call(call, Some(earlier))]))
    }

    /// Two events of one new call may come at the same time: only one of them opens its case.
    pub(super) fn newest_of_call(&self, call: &str, case: Option<CaseId>) -> Guard {
        Guard::First(Index::call(&self.0.lookup.hash(call)), case.as_ref().map(Member::from))
    }
}

impl Failure {
    /// Whether it was refused since the name of its call stands for another case.
    pub fn is_of_its_call(&self) -> bool {
        matches!(self, Self::Refused(Refusal::State { what, .. }) if what == "call")
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
pub(super) fn goes_on(records: &Records, target: Target, command: &Command, now: Instant) -> Result<(), Refusal> {
    let (Command::Call(report), Some(case)) = (command, target.case.and_then(|id| records.cases.get(&id))) else {
        return Ok(());
    };
    if is_of_another(case, *report, now) {
        return Err(Refusal::state("call", "its case is over: this is another call of the same name"));
    }
    Ok(())
}

/// Who rang off is not answered again once nothing is left to do, and a closed case has no caller. A caller who hangs up
/// when everything is decided is no new call; nor is what is told late of the old one.
fn is_of_another(case: &Case, report: CallReport, now: Instant) -> bool {
    if case.heard_later_than(report) {
        return false;
    }
    let closed = leaving::closed_at(case).is_some_and(|at| at <= now);
    match report.event {
        CallEvent::Answered => closed || (over(case) && case.line != Line::OnLine),
        CallEvent::HungUp => closed,
        CallEvent::Reconnected => false,
    }
}

/// Whether a call that begins under the name of this case's call is another one: nothing is left to do for that case, or two
/// of three signs say so. Its caller has hung up, this caller has another number, this call began `later` than all that was
/// heard of it. One alone may be a report that comes late or twice, or a number that was mended. A call that is taken for
/// another one by mistake opens a case that resembles the first; one that is not has nobody who answers it.
fn is_another_call(case: &Case, open: &Open, later: bool) -> bool {
    let gone = case.line != Line::OnLine;
    let known = &case.sealed.caller;
    let number = open.particulars.caller.as_ref().map(|caller| &caller.phone);
    let told = known.has_number() && number.is_some_and(|number| !number.reveal().is_empty());
    let other = told && number.is_some_and(|number| *number != known.phone && *number != known.call_back);
    over(case) || (gone && other) || (gone && later) || (other && later)
}

fn over(case: &Case) -> bool {
    case.open_actions().next().is_none()
}

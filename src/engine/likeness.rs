//! Earlier cases that may be of the same episode: found by number, patient and place within a window of time, proposed with
//! reasons and a score, never merged in silence.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::try_join_all;

use crate::{
    domain::{
        actor::Actor,
        case::{
            Case, Command, Refusal,
            command::{Particulars, Qualify},
            repeats::{RepeatReason, Resemblance, in_words, medical},
        },
        ids::CaseId,
        regulation::qualification::Priority,
        time::{Instant, Span},
    },
    store::{Index, Key, MAX_PAGE, MAX_READ, Member, Version},
};

use super::{
    CaseView, Engine, Failure, Place,
    repeat::{Trace, traces},
};

/// A case that may be of the same episode.
#[derive(Debug, Clone)]
pub struct PossibleRepeat {
    /// Which.
    pub case: CaseId,
    /// The number people say.
    pub case_number: String,
    /// When its request arrived.
    pub opened: Instant,
    /// The points of the reasons.
    pub score: u32,
    /// Why.
    pub reasons: Vec<RepeatReason>,
    /// The same in French.
    pub why: String,
    /// What it was about calls for a doctor; a call for a pharmacy's address does not.
    pub medical: bool,
}

/// Whether a case resembles an earlier one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Likeness {
    pub(super) found: bool,
    /// The version that was compared; none where it makes no difference.
    pub(super) version: Option<Version>,
}

impl Engine {
    /// Cases that may be of the same episode as `case`, the likeliest first, then the newest. A case that is linked already
    /// is not among them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn repeats(&self, actor: &Actor, case: &Case) -> Result<Vec<PossibleRepeat>, Failure> {
        let place = self.territory(&actor.territory)?;
        let window = place.territory.regulation.repeats.window;
        let own = traces(case);
        let since = (case.opened - window).unix_ms();
        let pages = own.iter().map(|trace| {
            let index = Index::repeat(&self.0.lookup.hash(&trace.text()));
            async move {
                let after = Some((since, Member(String::new())));
                self.0.store.range(&actor.territory, &index, after, MAX_PAGE).await
            }
        });
        let mut found = BTreeSet::new();
        for page in try_join_all(pages).await? {
            found.extend(page.entries.iter().filter_map(|(_, member)| member.0.parse::<CaseId>().ok()));
        }
        found.remove(&case.id);
        found.retain(|other| case.repeat_of != Some(*other));
        // Ids sort by arrival: of very many, the newest are looked at.
        let keys: Vec<Key> = found.iter().rev().take(MAX_READ).map(|id| Key::case(*id)).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let snapshot = self.read_store(&actor.territory, &keys, None).await?;
        let (others, _) = self.remember_readable(actor, &snapshot);
        let views = others.values().flatten().filter_map(|known| CaseView::new(&place, known, self.now()));
        let unlinked = views.filter(|view| view.case.repeat_of != Some(case.id));
        let mut proposals: Vec<_> = unlinked.map(|view| proposal(&place, case, &own, &view, window)).collect();
        proposals.retain(|proposal| !proposal.reasons.is_empty());
        proposals.sort_by_key(|proposal| std::cmp::Reverse((proposal.score, proposal.case)));
        Ok(proposals)
    }

    /// Whether a case resembles an earlier one so much that a doctor looks before it is deferred, ended or sent on by a
    /// protocol, where that is [`asked`].
    pub(super) async fn resembles(&self, actor: &Actor, case: CaseId, said: &Particulars) -> Result<Likeness, Failure> {
        self.alike(actor, case, said, |_| true).await
    }

    /// The same for what is only said of a case: where it was deferred, may wait, or was sent on without a doctor.
    pub(super) async fn resembles_unheard(
        &self,
        actor: &Actor,
        case: CaseId,
        said: &Particulars,
    ) -> Result<Likeness, Failure> {
        let unheard = |case: &Case| {
            let by_protocol = case.answered() == 0 && !case.decisions.is_empty();
            let deferred = case.qualification.as_ref().is_some_and(|known| known.priority == Priority::P3);
            case.repeat_of.is_none() && (by_protocol || deferred || case.may_wait.is_some())
        };
        self.alike(actor, case, said, unheard).await
    }

    /// The same for a case that nobody has qualified and that is to be ended without a doctor.
    pub(super) async fn resembles_unqualified(&self, actor: &Actor, case: CaseId) -> Result<Likeness, Failure> {
        let unqualified = |case: &Case| case.qualification.is_none() && case.repeat_of.is_none();
        self.alike(actor, case, &Particulars::default(), unqualified).await
    }

    /// Compares the case as it is remembered, where it is, with what is `said` of it by the same command: what is done on the
    /// answer stands or falls with that version.
    async fn alike(
        &self,
        actor: &Actor,
        case: CaseId,
        said: &Particulars,
        asked: impl Fn(&Case) -> bool,
    ) -> Result<Likeness, Failure> {
        let known = self.0.memory.get(&actor.territory, &Key::case(case));
        let (known, version) = match known.and_then(|known| Some((known.case().cloned().map(Arc::new)?, known.version)))
        {
            Some(known) => known,
            None => match self.read_case(actor, case, 0).await {
                Ok((view, _)) => (view.case, view.version),
                // Whether there is such a case is for the command itself to say.
                Err(Failure::Refused(Refusal::NotFound(_) | Refusal::Archived(_))) => return Ok(Likeness::default()),
                Err(failure) => return Err(failure),
            },
        };
        let version = Some(version);
        if !asked(&known) {
            return Ok(Likeness { found: false, version });
        }
        let threshold = self.territory(&actor.territory)?.territory.regulation.repeats.threshold;
        let known = if said.found_by() { Arc::new(known.with(said)) } else { known };
        let proposals = self.repeats(actor, &known).await?;
        let found = proposals.iter().any(|proposal| proposal.medical && proposal.score >= threshold);
        Ok(Likeness { found, version })
    }
}

/// Whether a command may rest on earlier cases.
pub(super) fn compared(command: &Command) -> bool {
    match command {
        Command::Qualify(_) | Command::Dismiss { .. } => true,
        Command::Amend(said) => said.found_by(),
        _ => false,
    }
}

/// Whether earlier cases and those that wait make a difference to a qualification: everything else waits for a doctor anyway.
pub(super) fn asked(command: &Qualify) -> bool {
    matches!(command.priority, Priority::P3 | Priority::NotRegulated) || command.protocol.is_some()
}

fn proposal(place: &Place, case: &Case, own: &BTreeSet<Trace<'_>>, other: &CaseView, window: Span) -> PossibleRepeat {
    let theirs = traces(&other.case);
    let kinds = |traces: &BTreeSet<Trace<'_>>| -> BTreeMap<u8, BTreeSet<String>> {
        let mut kinds: BTreeMap<u8, BTreeSet<String>> = BTreeMap::new();
        for trace in traces {
            let kind = match trace {
                Trace::Number(_) => 0,
                Trace::Patient(_) => 1,
                Trace::Place(_) => 2,
            };
            kinds.entry(kind).or_default().insert(trace.text());
        }
        kinds
    };
    let (mine, theirs) = (kinds(own), kinds(&theirs));
    let both = |kind: u8| mine.get(&kind).zip(theirs.get(&kind));
    let common = |kind: u8| both(kind).is_some_and(|(mine, theirs)| !mine.is_disjoint(theirs));
    let (early, late) = (case.opened.min(other.case.opened), case.opened.max(other.case.opened));
    let alike = Resemblance {
        patient: common(1),
        other_patient: both(1).is_some() && !common(1),
        number: common(0),
        professional: case.sealed.caller.professional() || other.case.sealed.caller.professional(),
        place: common(2),
        apart: late.since(early),
    };
    // An index entry may be older or newer than what the record says by now: then nothing is alike any more.
    let still = (alike.patient || alike.number || alike.place) && alike.apart <= window;
    let reasons = if still { alike.reasons() } else { Vec::new() };
    let zone = place.territory.calendar.zone();
    PossibleRepeat {
        case: other.case.id,
        case_number: other.case_number.clone(),
        opened: other.case.opened,
        score: alike.score(),
        why: in_words(&reasons, other.case.opened, zone),
        reasons,
        medical: medical(&other.case),
    }
}

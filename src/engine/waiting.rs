//! How many wait for a regulator: an input of whether a request may be deferred (P3).
//!
//! Counted in the store each time, not in the fronts that memory keeps: those learn of another instance's claims only when
//! they get in the way of one's own, so that they would count cases long taken. A P3 is looked up among earlier calls in the
//! store anyway ([`likeness`](super::likeness)), at the same time; no other command asks.

use futures_util::future::try_join_all;

use crate::{
    domain::{
        actor::Actor,
        case::command::Qualify,
        ids::CaseId,
        regulation::{
            qualification::{Priority, Stream},
            queue::class_bounds,
        },
    },
    store::Member,
};

use super::{Engine, Failure, draws};

impl Engine {
    /// How many cases wait now for a regulator of `stream`, those that are themselves deferred left out. Not counted further
    /// than the territory asks; none where it does not ask.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn waiting(&self, actor: &Actor, stream: Stream) -> Result<Option<u32>, Failure> {
        self.waiting_beside(actor, stream, None).await
    }

    /// The same for a qualification that defers, the case itself left out; none where the number does not matter.
    pub(super) async fn counted_for(
        &self,
        actor: &Actor,
        case: CaseId,
        command: &Qualify,
    ) -> Result<Option<u32>, Failure> {
        if command.priority != Priority::P3 {
            return Ok(None);
        }
        self.waiting_beside(actor, command.stream, Some(case)).await
    }

    async fn waiting_beside(
        &self,
        actor: &Actor,
        stream: Stream,
        case: Option<CaseId>,
    ) -> Result<Option<u32>, Failure> {
        let place = self.territory(&actor.territory)?;
        let asked = place.territory.regulation.p3.waiting_from;
        if asked == 0 {
            return Ok(None);
        }
        // The most urgent stand first, so that whoever is deferred is last; one place more for the case itself.
        let most = usize::try_from(asked).unwrap_or(usize::MAX).saturating_add(1);
        let (deferred, _) = class_bounds(Priority::P3);
        let own = case.map(|id| Member(id.to_string()));
        let former = self.0.former_skills.of(&actor.territory);
        let indexes = draws::of_stream((&place.territory, &former), stream);
        let pages = indexes.iter().map(|index| self.0.store.range(&actor.territory, index, None, most));
        let pages = try_join_all(pages).await?;
        let entries = pages.iter().flat_map(|page| &page.entries);
        let waiting = entries.filter(|(score, member)| *score < deferred && Some(member) != own.as_ref()).count();
        Ok(Some(u32::try_from(waiting).unwrap_or(u32::MAX).min(asked)))
    }
}

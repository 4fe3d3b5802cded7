//! What one committed event counts for: waits, decisions, offers, alarms. Labels are codes; nothing about a person.

use std::time::Duration;

use crate::{
    domain::{
        case::{Case, Event, Fact},
        ids::TerritoryId,
        regulation::{
            qualification::{Priority, Stream},
            queue::class_bounds,
        },
        routing::WhyNot,
        time::{Instant, Span},
    },
    store::{Index, MAX_PAGE},
    telemetry::{Metrics, labels::OfferOutcome},
};

use super::{Engine, Failure, codec::Entity, upkeep::in_turn};

/// Counts an event of a case as it was `before` and is after.
pub(super) fn event(
    metrics: &Metrics,
    territory: &TerritoryId,
    event: &Event,
    before: Option<&Entity>,
    after: Option<&Case>,
) {
    let Some(case) = after else { return };
    // A doctor who has decided no longer holds the case.
    let held = match before {
        Some(Entity::Case(before)) => before.claim.as_ref(),
        _ => None,
    };
    let class = case.qualification.as_ref().map_or(Priority::NotRegulated, |known| known.priority);
    for fact in &event.facts {
        match fact {
            Fact::Claimed { .. } => {
                let since = case.qualification.as_ref().map_or(case.opened, |known| known.at);
                metrics.claimed(territory, class, elapsed(since, event.at));
            }
            Fact::AnswerSigned { .. } => {
                if let Some(claim) = held {
                    metrics.decided(territory, class, elapsed(claim.at, event.at));
                }
            }
            Fact::Offered(offer) => metrics.offer(territory, offer.category, OfferOutcome::Made),
            Fact::OfferAccepted { offer, .. } => ended(metrics, territory, case, *offer, OfferOutcome::Accepted),
            Fact::OfferClosed { offer, why: WhyNot::Expired, .. } => {
                ended(metrics, territory, case, *offer, OfferOutcome::Expired);
            }
            Fact::OfferClosed { offer, .. } => ended(metrics, territory, case, *offer, OfferOutcome::Declined),
            Fact::OfferWithdrawn { offer } => ended(metrics, territory, case, *offer, OfferOutcome::Cancelled),
            Fact::ActionAlarmed { action } => {
                if let Some(action) = case.action(*action) {
                    metrics.alarm(territory, action.kind.code());
                }
            }
            _ => {}
        }
    }
}

fn ended(
    metrics: &Metrics,
    territory: &TerritoryId,
    case: &Case,
    offer: crate::domain::ids::OfferId,
    outcome: OfferOutcome,
) {
    if let Some(offer) = case.offer(offer) {
        metrics.offer(territory, offer.category, outcome);
    }
}

fn elapsed(since: Instant, at: Instant) -> Duration {
    let span: Span = at.since(since);
    Duration::from_millis(span.ms().unsigned_abs())
}

impl Engine {
    /// Reports how many cases wait in each queue and stand in the UNANSWERED lane, up to the first thousand of each. A
    /// territory that upkeep did not reach is not asked.
    ///
    /// # Errors
    /// When the store does not answer for some territory; the others have been measured.
    pub async fn measure_queues(&self) -> Result<(), Failure> {
        let unreached = self.0.outages.unreached();
        let all = self.territories().into_iter().map(|place| place.territory.id.clone());
        let measured = all.filter(|territory| !unreached.contains(territory)).map(|territory| async move {
            let measured = self.measure(&territory).await;
            (territory, measured)
        });
        in_turn(measured).await.into_iter().try_for_each(|(_, measured)| measured)
    }

    async fn measure(&self, territory: &TerritoryId) -> Result<(), Failure> {
        for stream in Stream::ALL {
            let page = self.0.store.range(territory, &Index::queue(stream.code()), None, MAX_PAGE).await?;
            for priority in [Priority::P1, Priority::P2, Priority::P3] {
                let (from, to) = class_bounds(priority);
                let waiting = page.entries.iter().filter(|(score, _)| from <= *score && *score < to).count();
                self.0.metrics.queue_depth(territory, *stream, priority, waiting as u64);
            }
        }
        let lane = self.0.store.range(territory, &Index::unanswered(), None, MAX_PAGE).await?;
        self.0.metrics.unanswered(territory, lane.entries.len() as u64);
        Ok(())
    }
}

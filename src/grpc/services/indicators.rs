//! What SupervisionService answers about a territory's days: indicators and the reports on independence.

use std::sync::Arc;

use tonic::{Request, Status};

use super::acts::call;
use crate::{
    domain::{
        actor::{Actor, Role},
        case::Refusal,
        indicators::unmet,
    },
    engine::{DaysAsked, DaysKnown, Engine, Place},
    grpc::{convert::indicators as convert, pb},
};

/// A supervisor's question about days.
struct Asked<'a, T> {
    engine: &'a Engine,
    place: Arc<Place>,
    request: T,
}

impl<'a, T> Asked<'a, T> {
    fn of(engine: &'a Engine, request: Request<T>) -> Result<Self, Status> {
        let (actor, request) = call(request)?;
        supervisor(&actor)?;
        let place = engine.territory(&actor.territory)?;
        Ok(Self { engine, place, request })
    }

    fn days(&self, selection: Option<&pb::DaySelection>) -> Result<DaysAsked, Status> {
        Ok(convert::days(selection, self.engine.today(&self.place), self.engine.statistics().most_days)?)
    }

    async fn known(&self, days: DaysAsked, at_least_seq: u64) -> Result<DaysKnown, Status> {
        Ok(self.engine.days(&self.place, days, at_least_seq).await?)
    }
}

fn supervisor(actor: &Actor) -> Result<(), Refusal> {
    Refusal::unless(actor.role, &[Role::Supervisor])
}

pub(super) async fn get(
    engine: &Engine,
    request: Request<pb::GetIndicatorsRequest>,
) -> Result<pb::GetIndicatorsResponse, Status> {
    let asked = Asked::of(engine, request)?;
    let (today, most) = (engine.today(&asked.place), engine.statistics().most_days);
    let (days, filter) = convert::asked(asked.request.selection.as_ref(), today, most)?;
    let known = asked.known(days, asked.request.at_least_seq).await?;
    let rules = engine.counting(&asked.place);
    let rows = known.days.iter().map(|(date, day)| convert::day(Some(*date), day, filter, &rules));
    Ok(pb::GetIndicatorsResponse {
        days: rows.collect(),
        total: Some(convert::day(None, &known.total, filter, &rules)),
        as_of_unix_ms: known.as_of.map_or(0, |at| at.unix_ms()),
        seq: known.seq,
    })
}

pub(super) async fn unmet_needs(
    engine: &Engine,
    request: Request<pb::GetUnmetNeedsRequest>,
) -> Result<pb::GetUnmetNeedsResponse, Status> {
    let asked = Asked::of(engine, request)?;
    let (today, most) = (engine.today(&asked.place), engine.statistics().most_days);
    let (days, filter) = convert::asked(asked.request.selection.as_ref(), today, most)?;
    let known = asked.known(days, asked.request.at_least_seq).await?;
    let rows = unmet(&known.total, filter).into_iter().map(convert::unmet).collect();
    Ok(pb::GetUnmetNeedsResponse { rows, complete: known.total.complete, seq: known.seq })
}

pub(super) async fn compare(
    engine: &Engine,
    request: Request<pb::CompareRegulatorsRequest>,
) -> Result<pb::CompareRegulatorsResponse, Status> {
    let asked = Asked::of(engine, request)?;
    let days = asked.days(asked.request.selection.as_ref())?;
    let known = asked.known(days, asked.request.at_least_seq).await?;
    let months = engine.compared(&asked.place, &known.days);
    Ok(convert::compared(months, known.total.complete, known.seq))
}

pub(super) async fn exceptions(
    engine: &Engine,
    request: Request<pb::ListIndependenceExceptionsRequest>,
) -> Result<pb::ListIndependenceExceptionsResponse, Status> {
    let asked = Asked::of(engine, request)?;
    let days = asked.days(asked.request.selection.as_ref())?;
    let known = asked.known(days, asked.request.at_least_seq).await?;
    let configured = &asked.place.territory.regulation.independence_exceptions;
    let exceptions = convert::exceptions(configured, &known.total, engine.now());
    Ok(pb::ListIndependenceExceptionsResponse { exceptions, complete: known.total.complete, seq: known.seq })
}

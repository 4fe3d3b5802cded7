//! Hand-overs between territories on the wire.

use crate::{
    domain::case::transfer::{Received, Transfer},
    grpc::pb,
};

use super::{super::codes::Coded, ms, text};

/// A hand-over to another territory.
pub(super) fn transfer(known: &Transfer) -> pb::Transfer {
    let ended = known.ended.as_ref();
    pb::Transfer {
        territory: known.to.to_string(),
        there_case_id: known.there.to_string(),
        there_case_number: ended.map(|ended| ended.number.clone()).unwrap_or_default(),
        by: known.by.to_string(),
        at_unix_ms: known.at.unix_ms(),
        end: ended.map_or(0, |ended| ended.how.wire()),
        ended_unix_ms: ms(ended.map(|ended| ended.at)),
        answered_by: text(ended.and_then(|ended| ended.by.as_ref())),
        goes_on_there_unix_ms: ms(known.goes_on),
        again_unix_ms: ms(known.again),
        label: known.label().to_owned(),
    }
}

/// Where a case came from.
pub(super) fn received(known: &Received) -> pb::ReceivedTransfer {
    let answered = known.answered.as_ref();
    pb::ReceivedTransfer {
        territory: known.from.to_string(),
        there_case_id: known.case.to_string(),
        there_case_number: known.number.clone(),
        by: known.by.to_string(),
        sent_unix_ms: known.sent.unix_ms(),
        answered_unix_ms: ms(answered.map(|answered| answered.at)),
        answered_by: text(answered.map(|answered| &answered.by)),
        refused: answered.is_some_and(|answered| answered.refused.is_some()),
        end: known.settled.map_or(0, |(_, how)| how.wire()),
        ended_unix_ms: ms(known.settled.map(|(at, _)| at)),
        goes_on: known.goes_on,
        sender_again_unix_ms: ms(known.again),
        label: known.label().to_owned(),
        answer_until_unix_ms: ms(known.until),
    }
}

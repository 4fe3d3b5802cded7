//! What is answered to an offer.

use crate::domain::time::Instant;

/// A responder's answer to an offer.
#[derive(Debug, Clone, PartialEq)]
pub enum OfferAnswer {
    /// Accepted: the care begins then (for a slot, its start).
    Accepted {
        /// When.
        appointment: Option<Instant>,
    },
    /// A held slot is confirmed: accepted for its start.
    Confirmed,
    /// Declined.
    Declined,
    /// Nobody answered the telephone.
    Unreachable,
}

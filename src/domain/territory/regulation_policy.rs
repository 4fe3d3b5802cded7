//! What a territory's convention sets for regulation: delays by priority, leases, deadlines, protocols, exceptions.
//!
//! All are elapsed times. The defaults are starting values for a board to change, not figures of a text.

use chrono::NaiveDate;

use crate::domain::time::{Instant, Span};

/// The rules of regulation in one territory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegulationPolicy {
    /// How soon after qualification a doctor should have the case.
    pub due: DueSpans,
    /// Claims of consoles.
    pub lease: LeaseSpans,
    /// When the alarm of each kind of action rings.
    pub deadlines: ActionDeadlines,
    /// Protocols by which an ARM may send straight to a coordinator (D6311-35 CSP). None unless named here.
    pub protocols: Vec<Protocol>,
    /// Periods in which a regulator may also be the responder, by convention. None unless named here.
    pub independence_exceptions: Vec<IndependenceException>,
}

impl RegulationPolicy {
    /// The exception to the independence of regulator and responder in force on a local date, to be audited.
    pub fn independence_exception(&self, date: NaiveDate) -> Option<&IndependenceException> {
        self.independence_exceptions.iter().find(|exception| exception.from <= date && date <= exception.to)
    }

    /// The protocol of this name in force on a local date that covers `motive`.
    pub fn protocol(&self, name: &str, motive: &str, date: NaiveDate) -> Option<&Protocol> {
        self.protocols.iter().find(|protocol| protocol.name == name && protocol.covers(motive, date))
    }
}

/// Longest wait for a doctor after qualification, by priority. P0 waits for nothing and has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueSpans {
    /// Prioritaire: at once.
    pub p1: Span,
    /// Non urgent: may wait without risk.
    pub p2: Span,
    /// Différé: a telephone appointment.
    pub p3: Span,
}

impl Default for DueSpans {
    fn default() -> Self {
        Self { p1: Span::from_mins(1), p2: Span::from_mins(15), p3: Span::from_hours(4) }
    }
}

/// A console's claim on a case is a lease; `renew` < `lease` < `suspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseSpans {
    /// A claim ends this long after its last renewal.
    pub lease: Span,
    /// A console renews this often.
    pub renew: Span,
    /// A case whose claim ended is shown as suspect to others until this long after the last renewal.
    pub suspect: Span,
}

impl Default for LeaseSpans {
    fn default() -> Self {
        Self { lease: Span::from_secs(30), renew: Span::from_secs(10), suspect: Span::from_secs(90) }
    }
}

impl LeaseSpans {
    /// When a claim renewed at `renewed` ends.
    pub fn ends(&self, renewed: Instant) -> Instant {
        renewed + self.lease
    }
}

/// How long each kind of open action may last before its alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionDeadlines {
    /// Answering the call.
    pub answer_call: Span,
    /// Qualifying it.
    pub qualify: Span,
    /// Accompanied hand-over of a P0 to the AMU.
    pub hand_over: Span,
    /// Ringing the patient's own GP.
    pub ring_gp: Span,
    /// Carrying out a decision that needs a responder.
    pub route: Span,
    /// How late a patient may be for an appointment before it counts as missed.
    pub appointment_grace: Span,
    /// An answer to a mission offered to a visiting doctor.
    pub visit_offer: Span,
    /// A visit, from acceptance to its end.
    pub visit: Span,
    /// The responder's report back to the case and the own GP.
    pub return_of_information: Span,
    /// A follow-up that a decision asked for without stating when.
    pub follow_up: Span,
    /// Delivery of a telephone prescription to the pharmacy.
    pub prescription: Span,
    /// The report of an ambulance.
    pub ambulance_report: Span,
    /// A case nobody took, back with a regulator.
    pub unanswered: Span,
    /// Calling back a lost or interrupted call.
    pub call_back: Span,
}

impl Default for ActionDeadlines {
    fn default() -> Self {
        Self {
            answer_call: Span::from_secs(60),
            qualify: Span::from_mins(5),
            hand_over: Span::from_mins(2),
            ring_gp: Span::from_mins(10),
            route: Span::from_mins(15),
            appointment_grace: Span::from_mins(30),
            visit_offer: Span::from_mins(5),
            visit: Span::from_hours(2),
            return_of_information: Span::from_hours(48),
            follow_up: Span::from_hours(24),
            prescription: Span::from_mins(30),
            ambulance_report: Span::from_hours(1),
            unanswered: Span::from_mins(5),
            call_back: Span::from_mins(10),
        }
    }
}

/// A protocol annexed to the convention: for the motives it names, an ARM may send the call straight to a coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// The name it has in the convention.
    pub name: String,
    /// Motive codes of the Hub Santé list, such as `M05.05`.
    pub motives: Vec<String>,
    /// First local date.
    pub from: NaiveDate,
    /// Last local date, included; `None` while no end is known.
    pub to: Option<NaiveDate>,
}

impl Protocol {
    /// Whether it is in force on `date` and names `motive`.
    pub fn covers(&self, motive: &str, date: NaiveDate) -> bool {
        self.from <= date && self.to.is_none_or(|to| date <= to) && self.motives.iter().any(|named| named == motive)
    }
}

/// A dated exception to "the regulator of a case never becomes its responder".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndependenceException {
    /// The convention that allows it, as audits name it.
    pub convention: String,
    /// Why.
    pub reason: String,
    /// First local date.
    pub from: NaiveDate,
    /// Last local date, included; an exception always ends.
    pub to: NaiveDate,
}

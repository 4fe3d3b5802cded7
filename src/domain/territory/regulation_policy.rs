//! What a territory's convention sets for regulation: delays by priority, leases, deadlines, protocols, exceptions.
//!
//! All are elapsed times. The defaults are starting values for a board to change, not figures of a text.

use std::collections::BTreeSet;

use chrono::{Months, NaiveDate};

use super::{Deferral, NumberForm, ReferralPolicy};
use crate::{
    coded_enum,
    domain::{
        ids::Skill,
        regulation::{
            fallback::Stop, independence::Exception, prescription::PrescriptionPolicy, protocol::Protocol,
            protocols::Seal, qualification::DueSpans, split::SplitRules,
        },
        time::{Instant, Span},
    },
};

/// The rules of regulation in one territory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegulationPolicy {
    /// How soon after qualification a doctor should have the case.
    pub due: DueSpans,
    /// The same for a P2 of a health professional, who has seen the patient: no later than any other P2.
    pub professional_p2: Span,
    /// When an earlier case is taken for one of the same episode.
    pub repeats: RepeatPolicy,
    /// How the number of a case is written.
    pub number_form: NumberForm,
    /// The longest time for which the sheet of a remarkable patient may hold.
    pub longest_sheet: Span,
    /// Claims of consoles.
    pub lease: LeaseSpans,
    /// When the alarm of each kind of action rings.
    pub deadlines: ActionDeadlines,
    /// What is done for a patient beside the care.
    pub referral: ReferralPolicy,
    /// When a request may be deferred to a telephone appointment.
    pub p3: Deferral,
    /// Codes of the triage protocols of this territory; none: all there are.
    pub triage: Option<Vec<String>>,
    /// Protocols by which an ARM may send straight to a coordinator (D6311-35 CSP). None unless named here.
    pub protocols: Vec<DatedProtocol>,
    /// Protocols of D6311-35 without a committee's signature apply as well: a demonstration, never a room.
    pub unsigned_run: bool,
    /// Persons who may answer cases they regulated, by convention and for a time. Nobody unless named here.
    pub independence_exceptions: Vec<Exception>,
    /// The longest that a regulator may let a case wait by his word.
    pub may_wait_longest: Span,
    /// What may be prescribed by telephone.
    pub prescription: PrescriptionPolicy,
    /// How long after its opening a filed case is archived (HubSante.etat: two or five years).
    pub archived_after: Months,
    /// What a case may ask of its regulator and a regulator may say of himself. None unless named here.
    pub skills: BTreeSet<Skill>,
    /// When a stream has no regulation, by the wall clock.
    pub stops: Vec<Stop>,
    /// What goes to the hospital's regulators.
    pub split: SplitRules,
    /// What becomes of a regulator who is not on a roster that is kept.
    pub unrostered: Unrostered,
    /// The longest surge that can be declared at once.
    pub longest_surge: Span,
}

coded_enum! {
    /// What becomes of a regulator who is not on a roster that is kept.
    Unrostered {
        /// Nothing is refused; the answer says so.
        Allow = "allow", "Autorisé";
        /// What is not urgent is refused; P0 and P1 never are.
        Refuse = "refuse", "Refusé hors P0 et P1";
    }
}

/// Most skills of one territory: each has its own queue in each stream, and a claim guards the heads of all it draws from.
pub const MOST_SKILLS: usize = 6;

impl Default for RegulationPolicy {
    fn default() -> Self {
        Self {
            due: DueSpans { p1: Span::from_mins(1), p2: Span::from_mins(15), p3: Span::from_hours(4) },
            professional_p2: Span::from_mins(5),
            repeats: RepeatPolicy::default(),
            number_form: NumberForm::default(),
            longest_sheet: Span::from_hours(366 * 24),
            lease: LeaseSpans::default(),
            deadlines: ActionDeadlines::default(),
            referral: ReferralPolicy::default(),
            p3: Deferral::default(),
            triage: None,
            protocols: Vec::new(),
            unsigned_run: false,
            independence_exceptions: Vec::new(),
            may_wait_longest: Span::from_hours(4),
            prescription: PrescriptionPolicy::default(),
            archived_after: Months::new(60),
            skills: BTreeSet::new(),
            stops: Vec::new(),
            split: SplitRules::default(),
            unrostered: Unrostered::Allow,
            longest_surge: Span::from_hours(12),
        }
    }
}

impl RegulationPolicy {
    /// The protocol of this name, when in force on a local date.
    pub fn protocol(&self, name: &str, date: NaiveDate) -> Option<&DatedProtocol> {
        let in_force = |dated: &&DatedProtocol| dated.from <= date && dated.to.is_none_or(|to| date <= to);
        self.protocols.iter().filter(in_force).find(|dated| dated.protocol.name == name)
    }

    /// Whether a committee has signed it, or unsigned ones apply here.
    pub fn applies(&self, dated: &DatedProtocol) -> bool {
        self.unsigned_run || matches!(dated.seal, Seal::Signed(_))
    }
}

/// When an earlier case is taken for one of the same episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatPolicy {
    /// How far back earlier cases are looked for.
    pub window: Span,
    /// From this score on a doctor looks before anything is deferred, dismissed or sent on by a protocol.
    pub threshold: u32,
}

impl Default for RepeatPolicy {
    fn default() -> Self {
        Self { window: Span::from_hours(72), threshold: 4 }
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
    /// The same while an exchange says that the caller is on the line: the doctor may still be speaking with him.
    pub suspect_on_call: Span,
}

impl Default for LeaseSpans {
    fn default() -> Self {
        Self {
            lease: Span::from_secs(30),
            renew: Span::from_secs(10),
            suspect: Span::from_secs(90),
            suspect_on_call: Span::from_mins(30),
        }
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
    /// How much later than the doctor's longest delay a practice may receive the patient; beyond, its yes is none.
    pub appointment_late: Span,
    /// What a visiting doctor who accepts has at least to be there, although the delay that was signed ends sooner.
    pub visit_offer: Span,
    /// A visit, from the doctor's arrival to its end. Until he is there, the delay that was signed alarms.
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
    /// An emergency department's word that it takes a patient.
    pub announce: Span,
    /// Asking again somebody who refused, or whom the words did not reach.
    pub ask_again: Span,
    /// A regulator's look at what a responder changed.
    pub counter_regulation: Span,
    /// Completing a file that lacks what the law asks.
    pub complete_file: Span,
    /// Asking the caller of a late case how the patient is.
    pub re_evaluate: Span,
    /// The answer of another stream to a P1 that was sent to it.
    pub reorient_p1: Span,
    /// The answer of another stream to any other case that was sent to it.
    pub reorient: Span,
    /// The answer of another territory to a case that was sent to it.
    pub transfer: Span,
    /// Getting an interpreter on the line.
    pub interpreter: Span,
    /// Asking a patient whether the health insurance or the social services may be told of him.
    pub ask_consent: Span,
    /// Referring him.
    pub referral: Span,
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
            appointment_late: Span::from_mins(30),
            visit_offer: Span::from_mins(5),
            visit: Span::from_hours(2),
            return_of_information: Span::from_hours(48),
            follow_up: Span::from_hours(24),
            prescription: Span::from_mins(30),
            ambulance_report: Span::from_hours(1),
            unanswered: Span::from_mins(5),
            call_back: Span::from_mins(10),
            announce: Span::from_mins(15),
            ask_again: Span::from_hours(1),
            counter_regulation: Span::from_hours(24),
            complete_file: Span::from_hours(24),
            re_evaluate: Span::from_mins(5),
            reorient_p1: Span::from_secs(60),
            reorient: Span::from_mins(5),
            transfer: Span::from_mins(5),
            interpreter: Span::from_mins(5),
            ask_consent: Span::from_hours(48),
            referral: Span::from_hours(120),
        }
    }
}

/// A protocol and the local dates on which it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedProtocol {
    /// What it allows.
    pub protocol: Protocol,
    /// First local date.
    pub from: NaiveDate,
    /// Last local date, included; `None` while no end is known.
    pub to: Option<NaiveDate>,
    /// Whether a committee has signed it; unsigned, it stays off.
    pub seal: Seal,
}

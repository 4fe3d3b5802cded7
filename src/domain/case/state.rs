//! The case as stored: a clear part, and a sealed part with everything about a person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    coded_enum,
    domain::{
        ids::{
            ActionId, CaseId, ConnectionId, DecisionId, OfferId, PersonId, ResponderId, SectorId, TerritoryId, VisitId,
        },
        person::unsaid,
        place::{InseeCode, Position},
        regulation::{
            decision::{Decision, MayWait},
            fallback::Fallback,
            need::Condition,
            qualification::{Attribution, Qualification, Stream},
        },
        routing::{Category, Means, Plan, WhyNot},
        territory::{LeaseSpans, NumberForm, Territory},
        time::{Instant, Span},
        visits::Visit,
    },
};

use super::{
    action::{Action, ActionKind, Owner},
    command::{CallEvent, CallReport},
    sealed::Sealed,
    transfer::{Received, Transfer},
};

pub use super::{patient::Patient, safety::ContactSafety};

/// Schema number of stored cases and events.
pub const SCHEMA: u32 = 1;

coded_enum! {
    /// How the request came in.
    Channel {
        /// A telephony integration.
        Telephony = "TELEPHONY", "Téléphonie";
        /// A console.
        Console = "CONSOLE", "Console";
        /// A Hub Santé message.
        Hub = "HUB", "Hub Santé";
        /// Paper, after an outage.
        Paper = "PAPER", "Papier";
        /// Another territory that handed it over.
        Transfer = "TRANSFER", "Autre territoire";
    }
}

coded_enum! {
    /// Whether the caller can be spoken to.
    Line {
        /// On the line now.
        OnLine = "ON_LINE", "En ligne";
        /// To be rung back.
        CallBack = "CALL_BACK", "À rappeler";
        /// Neither line nor number.
        NoContact = "NO_CONTACT", "Sans contact";
    }
}

coded_enum! {
    /// Whether the call of a case is up, as far as a telephone exchange has said.
    Connected {
        /// The exchange said that the caller is on the line.
        Yes = "YES", "En communication";
        /// Nobody is on the line.
        No = "NO", "Pas en communication";
        /// No exchange reports on this case.
        Unknown = "UNKNOWN", "Non connu";
    }
}

/// Where the patient is, as far as routing needs it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Whereabouts {
    /// Commune.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commune: Option<InseeCode>,
    /// Position, from the commune when nothing better is known. It may be somebody's door: stored in the sealed part.
    #[serde(skip)]
    pub position: Option<Position>,
    /// Sector of permanence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<SectorId>,
    /// Kind of place (HubSante.lieu), as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl Whereabouts {
    /// A commune and, when nothing better is known, its centre; the sector is the one in force at `at`.
    pub fn within(
        territory: &Territory,
        commune: Option<InseeCode>,
        position: Option<Position>,
        at: Instant,
    ) -> Whereabouts {
        let listed = commune.and_then(|code| territory.communes.get(&code));
        let legal = territory.period_at(at).ok();
        let sector = legal.zip(commune).and_then(|(legal, code)| territory.sector_of(code, &legal).cloned());
        Whereabouts { commune, position: position.or(listed.map(|commune| commune.position)), sector, kind: None }
    }
}

/// A regulator's hold on a case. `no` is the fencing token; the lease end lives in the store's lease index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Fencing number, unique in the case.
    pub no: u64,
    /// Who.
    pub by: PersonId,
    /// From which connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionId>,
    /// Since when.
    pub at: Instant,
    /// Since when the lease has ended without renewal: shown, not claimable by the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<Instant>,
    /// Why he regulates a case of another stream than his.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
}

/// Where an offer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OfferState {
    /// Until its deadline. Left by an answer, the deadline, or a withdrawal.
    Open,
    /// Final.
    Accepted {
        /// When.
        at: Instant,
        /// When the care begins.
        appointment: Instant,
    },
    /// Final.
    Closed {
        /// When.
        at: Instant,
        /// Why it led nowhere.
        why: WhyNot,
        /// The one doctor whose no it is: the others of the structure may still be asked. None: it is the structure's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doctor: Option<PersonId>,
    },
    /// Taken back by the regulator or a coordinator; final.
    Withdrawn {
        /// When.
        at: Instant,
    },
}

/// A mission put to one responder until a stated instant. Silence is never acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Its id.
    pub id: OfferId,
    /// The decision it carries out.
    pub decision: DecisionId,
    /// Kind of responder.
    pub category: Category,
    /// To whom.
    pub responder: ResponderId,
    /// How.
    pub means: Means,
    /// Since when.
    pub at: Instant,
    /// Until when it is thought to be answered; one that does not end by itself waits on, and rings.
    pub until: Instant,
    /// Where it stands.
    pub state: OfferState,
}

/// How far the clock of an exchange may be ahead of this service's before it is told so. Its calls are taken all the same.
pub const EXCHANGE_AHEAD: Span = Span::from_secs(2);

impl Case {
    /// What whoever is asked must be told of the constraints that the need was signed with: nothing at a distance.
    pub fn conditions(&self, offer: &Offer) -> Vec<Condition> {
        let seen = offer.category != Category::Teleconsultation;
        let need = self.decision(offer.decision).map(|decision| &decision.need).filter(|_| seen);
        need.map(|need| need.constraints.conditions(!offer.is_visit())).unwrap_or_default()
    }
}

impl Offer {
    /// Whether it is over when its time is: a hold, and what is put to a terminal. A practice is rung by a coordinator, whose
    /// silence is not its answer.
    pub fn ends_by_itself(&self) -> bool {
        self.means != Means::Ring
    }

    /// True when a home visit is offered.
    pub fn is_visit(&self) -> bool {
        matches!(self.means, Means::Visit { .. })
    }

    /// The one doctor whose no ended it, where it was not the structure's.
    pub fn refused_by(&self) -> Option<&PersonId> {
        match &self.state {
            OfferState::Closed { doctor, .. } => doctor.as_ref(),
            OfferState::Open | OfferState::Accepted { .. } | OfferState::Withdrawn { .. } => None,
        }
    }
}

/// The plan a decision was carried out by; earlier plans are in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// Which decision.
    pub decision: DecisionId,
    /// The last plan acted on, with its reasons.
    pub plan: Plan,
}

/// One request for care and all that happens to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Schema number.
    pub schema: u32,
    /// Its id.
    pub id: CaseId,
    /// Whose.
    pub territory: TerritoryId,
    /// How it came.
    pub channel: Channel,
    /// Code of the line that was called (HubSante.origine: `15`, `116117`, `PDSSOS` …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// When the request arrived.
    pub opened: Instant,
    /// When it was entered, if later than it arrived (paper, replay).
    pub entered: Instant,
    /// The telephone call, as the integration names it. Names of calls often hold the number: stored in the sealed part.
    #[serde(skip)]
    pub call: Option<String>,
    /// How its number is written, when not as the nation does.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub number_form: Option<NumberForm>,
    /// Whether the caller can be spoken to.
    pub line: Line,
    /// When the exchange says that the call last changed, by its own clock or, where it says no hour, by ours: what it tells of
    /// an earlier moment comes late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_heard: Option<Instant>,
    /// What the contact may be used for.
    pub safety: ContactSafety,
    /// Where the patient is.
    pub place: Whereabouts,
    /// The patients.
    pub patients: Vec<Patient>,
    /// The earlier case of the same episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_of: Option<CaseId>,
    /// The last qualification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualification: Option<Qualification>,
    /// Why the ARM ended it without a doctor, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<Attribution>,
    /// A regulator's word that it may wait; ended by what is heard anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_wait: Option<MayWait>,
    /// Made in advance: active from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activates: Option<Instant>,
    /// The last fencing number given out.
    pub last_claim: u64,
    /// Who holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// Everybody who signed or claimed as regulator.
    pub regulators: BTreeSet<PersonId>,
    /// Regulators who may respond all the same, each under a convention that the log names.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excepted: BTreeSet<PersonId>,
    /// Who accepted to give care in it, or gave it, in person and not on a visit, by which offer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub responders: BTreeSet<(OfferId, PersonId)>,
    /// Hand-overs to other territories, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<Transfer>,
    /// The territory that handed it over, and what became of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Box<Received>>,
    /// Decisions, in order.
    pub decisions: Vec<Decision>,
    /// The plans acted on.
    pub routes: Vec<Route>,
    /// Offers, in order.
    pub offers: Vec<Offer>,
    /// Doctors' answers there were when a regulator was last called for: he has decided once there are more.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub answered_before: u32,
    /// Home visits.
    pub visits: Vec<Visit>,
    /// Everything that was or is to be done.
    pub actions: Vec<Action>,
    /// When the last open action ended; none while one is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_since: Option<Instant>,
    /// Fields of a newer binary, kept.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
    /// Everything about a person; stored in the sealed part.
    #[serde(skip)]
    pub sealed: Sealed,
}

impl Case {
    /// Takes up the sealed part, and what of it stands in the clear part while in memory.
    pub fn unsealed(mut self, sealed: Sealed) -> Self {
        self.call = sealed.call.reveal().clone();
        self.place.position = *sealed.position.reveal();
        self.sealed = sealed;
        self
    }

    /// Leaves out everything about a person, for a reader without need for it.
    pub fn without_persons(&self) -> Self {
        self.clone().unsealed(Sealed::default())
    }

    /// Open actions.
    pub fn open_actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(|action| action.open())
    }

    /// The open action of a kind, if there is one.
    pub fn open_action(&self, kind: ActionKind) -> Option<&Action> {
        self.open_actions().find(|action| action.kind == kind)
    }

    /// Whether a regulator has it in hand, whose console is heard.
    pub fn in_hand(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.suspect.is_none())
    }

    /// The regulators before whom it waits: those of its stream or, while a re-orientation waits for their answer, those
    /// whom it was sent to.
    pub fn before(&self) -> Option<Stream> {
        let sent = self.open_action(ActionKind::Reorient).and_then(|action| match &action.owner {
            Owner::Desk(_, stream) => *stream,
            Owner::Person(_) | Owner::Responder(_) => None,
        });
        sent.or(self.qualification.as_ref().map(|known| known.stream))
    }

    /// Whether the caller is known to be on the line, known not to be, or nobody knows.
    pub fn connected(&self) -> Connected {
        match (self.line, &self.call) {
            (Line::OnLine, Some(_)) => Connected::Yes,
            (Line::OnLine, None) => Connected::Unknown,
            (Line::CallBack | Line::NoContact, _) => Connected::No,
        }
    }

    /// When what an exchange tells was heard, by its own clock: it orders the events of one call. A clock that is ahead by more
    /// than [`EXCHANGE_AHEAD`] orders nothing, and what it does not say happens now.
    pub fn heard_at(told: Option<Instant>, now: Instant) -> Instant {
        told.filter(|at| *at <= now + EXCHANGE_AHEAD).unwrap_or(now)
    }

    /// Whether the exchange has told of a later moment of the call before, so that the caller is not on the line for what it
    /// tells now. That somebody is gone is always believed: to ring back in vain harms nobody.
    pub fn heard_later_than(&self, report: CallReport) -> bool {
        let late = self.line_heard.zip(report.happened).is_some_and(|(heard, happened)| happened < heard);
        late && report.event != CallEvent::HungUp
    }

    /// How long a claim whose lease has ended is left to its holder.
    pub fn left_to_holder(&self, lease: LeaseSpans) -> Span {
        if self.connected() == Connected::Yes { lease.suspect_on_call } else { lease.suspect }
    }

    /// Everybody known to give or to have given its care here, in person: none of them regulates it. Who had accepted what was
    /// taken back gave none.
    pub fn gave_care(&self) -> impl Iterator<Item = &PersonId> {
        let visited = self.visits.iter().filter_map(|visit| visit.doctor.as_ref()).map(|(doctor, _)| doctor);
        let stands = |id| self.offer(id).is_some_and(|offer| matches!(offer.state, OfferState::Accepted { .. }));
        visited.chain(self.responders.iter().filter(move |(offer, _)| stands(*offer)).map(|(_, person)| person))
    }

    /// An action by id.
    pub fn action(&self, id: ActionId) -> Option<&Action> {
        self.actions.iter().find(|action| action.id == id)
    }

    /// A decision by id.
    pub fn decision(&self, id: DecisionId) -> Option<&Decision> {
        self.decisions.iter().find(|decision| decision.id == id)
    }

    /// An offer by id.
    pub fn offer(&self, id: OfferId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == id)
    }

    /// A visit by id.
    pub fn visit(&self, id: VisitId) -> Option<&Visit> {
        self.visits.iter().find(|visit| visit.id == id)
    }

    /// How many decisions a doctor has answered.
    pub fn answered(&self) -> u32 {
        let mut answered = 0;
        for decision in &self.decisions {
            answered += u32::from(decision.protocol.is_none() && decision.answer.is_some());
        }
        answered
    }

    /// The patients for whom nobody has decided: neither a doctor nor, where none is compulsory, a protocol.
    pub fn undecided(&self) -> Vec<u32> {
        let compulsory = self.qualification.as_ref().is_none_or(Qualification::needs_doctor);
        let decided = |number| {
            let own = self.decisions.iter().filter(|decision| decision.need.patient == number);
            own.into_iter().any(|known| known.answer.is_some() && (known.protocol.is_none() || !compulsory))
        };
        self.present().map(|patient| patient.number).filter(|number| !decided(*number)).collect()
    }

    /// The patients, without those who were entered by mistake.
    pub fn present(&self) -> impl Iterator<Item = &Patient> {
        self.patients.iter().filter(|patient| !patient.noted_in_error)
    }

    /// Whether there is one patient at most: what is said of the case is said of him.
    pub fn of_one_patient(&self) -> bool {
        self.present().nth(1).is_none()
    }

    /// A patient by number.
    pub fn patient(&self, number: u32) -> Option<&Patient> {
        self.patients.iter().find(|patient| patient.number == number)
    }

    /// Whether a doctor has said no to a visit for a decision, or called it off.
    pub fn refused_by(&self, decision: DecisionId, doctor: &PersonId) -> bool {
        let mut offers = self.offers.iter().filter(|offer| offer.decision == decision);
        offers.any(|offer| offer.refused_by() == Some(doctor))
    }

    /// What was taken back of a decision: slots that were held or booked for it, and practices that had given an hour. One that
    /// was only to be rung has said nothing.
    pub fn cancelled(&self, decision: DecisionId) -> impl Iterator<Item = &Offer> {
        let agreed = |offer: &Offer| {
            let of_offer =
                |action: &Action| action.kind == ActionKind::Appointment && action.about.offer == Some(offer.id);
            self.actions.iter().any(of_offer)
        };
        let withdrawn = self
            .offers
            .iter()
            .filter(move |offer| offer.decision == decision && matches!(offer.state, OfferState::Withdrawn { .. }));
        withdrawn.filter(move |offer| matches!(offer.means, Means::Slot { .. }) || agreed(offer))
    }

    /// What was tried for a decision and led nowhere.
    pub fn tried(&self, decision: DecisionId) -> impl Iterator<Item = (&Offer, WhyNot)> {
        self.offers.iter().filter(move |offer| offer.decision == decision).filter_map(|offer| match offer.state {
            OfferState::Closed { why, .. } => Some((offer, why)),
            _ => None,
        })
    }
}

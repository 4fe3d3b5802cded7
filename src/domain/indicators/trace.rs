//! What one case came to, as far as an indicator counts it: instants and codes; no patient, no place but the sector.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::domain::{
    calendar::local_date,
    case::{
        ActionKind, End, Event, Fact,
        fact::Opened,
        state::{Channel, Offer},
    },
    ids::{ActionId, CaseId, DecisionId, OfferId, PersonId, ResponderId, SectorId, VisitId},
    regulation::{
        decision::{Answer, Decision, SupplyReason},
        need::{CareLevel, CareType},
    },
    routing::{Category, Means, WhyNot},
    time::{Instant, Span},
    visits::{Visit, VisitStatus},
};

use super::{codes::Affiliation, counts::Class, roster::Roster};

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trace {
    pub day: NaiveDate,
    pub arrived: Instant,
    /// Entered afterwards from paper: counted, and none of its waits is measured.
    pub paper: bool,
    /// It came over the telephone exchange.
    pub call: bool,
    ringing: Option<ActionId>,
    /// Since when somebody speaks with the caller.
    pub answered: Option<Instant>,
    /// The ringing was seen, from its beginning to its end.
    pub rang: bool,
    /// When the caller gave up before anybody answered.
    pub given_up: Option<Instant>,
    pub class: Class,
    pub sector: Option<SectorId>,
    pub qualified: Option<Instant>,
    pub claimed: Option<Instant>,
    /// The present claim, until a need is signed under it.
    held: Option<Instant>,
    pub to_decision: Vec<Span>,
    pub dismissed: bool,
    pub decided: Vec<Decided>,
    pub gp: Vec<RungGp>,
    visits: Vec<(VisitId, DecisionId)>,
    offers: Vec<Mission>,
    pub appointments: Vec<Appointment>,
    /// Who accepted what he had regulated himself, and the convention that let him.
    pub excepted: BTreeMap<PersonId, String>,
    pub repeats: Option<CaseId>,
    /// How long after its arrival the first repeat call came.
    pub called_again: Option<Span>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decided {
    id: DecisionId,
    pub need: CareType,
    pub level: CareLevel,
    pub at: Instant,
    /// The doctor; none for a protocol.
    pub by: Option<PersonId>,
    /// On whose account he was on duty; none when no roster says.
    pub duty: Option<Affiliation>,
    /// A responder gave other care.
    pub countered: bool,
    pub answer: Option<(CareType, Option<SupplyReason>, Instant)>,
    /// Who took the mission that was accepted, and under which offer.
    pub received: Option<(OfferId, ResponderId)>,
    /// When the accepted appointment begins; none for a visit.
    pub appointment: Option<Instant>,
    /// When a visiting doctor arrived.
    pub arrived: Option<Instant>,
}

/// The own GP was rung for a decision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RungGp {
    offer: OfferId,
    /// Spoken to: accepted or declined. None while nothing is known.
    pub reached: Option<bool>,
}

/// A mission that was offered.
#[derive(Debug, Clone, PartialEq)]
struct Mission {
    offer: OfferId,
    decision: DecisionId,
    responder: ResponderId,
    visit: bool,
    /// The convention under which the only doctor of the responder was asked although he had regulated the case.
    under: Vec<(PersonId, String)>,
}

/// An appointment that was to come.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Appointment {
    action: ActionId,
    decision: Option<DecisionId>,
    /// Whether the patient came; none while nobody has said.
    pub seen: Option<bool>,
}

/// On whose account a decision was signed, as its signature says.
fn signed_for(decision: &Decision) -> Option<Affiliation> {
    decision.signed.source.map(Affiliation::from)
}

impl Trace {
    pub fn opened(opened: &Opened, zone: Tz) -> Self {
        let call = opened.channel == Channel::Telephony;
        Self {
            day: local_date(zone, opened.arrived),
            arrived: opened.arrived,
            paper: opened.channel == Channel::Paper,
            call,
            ringing: None,
            answered: Some(opened.arrived),
            rang: false,
            given_up: None,
            class: Class::default(),
            sector: None,
            qualified: None,
            claimed: None,
            held: None,
            to_decision: Vec::new(),
            dismissed: false,
            decided: Vec::new(),
            gp: Vec::new(),
            visits: Vec::new(),
            offers: Vec::new(),
            appointments: Vec::new(),
            excepted: BTreeMap::new(),
            repeats: None,
            called_again: None,
        }
    }

    /// Takes in what an event says of the case.
    pub fn tell(&mut self, event: &Event, roster: &Roster) {
        // By the clock that told of the ringing, where it tells of the answer too.
        let heard = |fact: &Fact| if let Fact::LineHeard(at) = fact { Some(*at) } else { None };
        let heard = event.facts.iter().find_map(heard).unwrap_or(event.at);
        event.facts.iter().for_each(|fact| self.fact(fact, (event.at, heard), roster));
        self.exceptions(event);
    }

    /// A convention is used when somebody accepts under it, once for each case: whoever is merely asked may decline.
    fn exceptions(&mut self, event: &Event) {
        let mut under = Vec::new();
        for fact in &event.facts {
            match fact {
                Fact::Excepted { person, convention } => under.push((person.clone(), convention.clone())),
                Fact::Offered(Offer { id, .. }) => {
                    let asked = self.offers.iter_mut().filter(|mission| mission.offer == *id);
                    asked.for_each(|mission| mission.under = std::mem::take(&mut under));
                }
                Fact::OfferAccepted { offer, .. } => {
                    let asked = self.offers.iter().filter(|mission| mission.offer == *offer);
                    under.extend(asked.flat_map(|mission| mission.under.clone()));
                    for (person, convention) in under.drain(..) {
                        self.excepted.entry(person).or_insert(convention);
                    }
                }
                _ => {}
            }
        }
    }

    fn fact(&mut self, fact: &Fact, (at, heard): (Instant, Instant), roster: &Roster) {
        match fact {
            Fact::PlaceSet(place) => self.sector = place.sector.clone(),
            Fact::RepeatOf(earlier) => self.repeats = Some(*earlier),
            Fact::Qualified(known) => {
                self.qualified = self.qualified.or(Some(known.at));
                self.dismissed = false;
                self.classed(Class { stream: Some(known.stream), priority: Some(known.priority) });
            }
            Fact::Requeued { stream, priority, .. } => {
                self.classed(Class { stream: Some(*stream), priority: Some(*priority) });
            }
            Fact::Dismissed(_) => self.dismissed = true,
            Fact::Claimed { .. } => {
                self.claimed = self.claimed.or(Some(at));
                self.held = Some(at);
            }
            Fact::ClaimEnded { .. } => self.held = None,
            Fact::NeedSigned(decision) => self.need(decision, roster),
            Fact::CounterRegulated { decision, .. } => self.decision(*decision, |known| known.countered = true),
            Fact::AnswerSigned { decision, answer } => self.response(*decision, answer),
            Fact::ActionOpened(action) => {
                // What is to be done again was not ended after all.
                self.dismissed = false;
                match action.kind {
                    ActionKind::AnswerCall => (self.ringing, self.answered) = (Some(action.id), None),
                    ActionKind::Appointment => self.appointments.push(Appointment {
                        action: action.id,
                        decision: action.about.decision,
                        seen: None,
                    }),
                    _ => {}
                }
            }
            Fact::ActionEnded { action, end } => self.ended(*action, *end, heard),
            fact => self.care(fact),
        }
    }

    /// The class a case is counted in is the one a doctor took it in: what is found out later moves it no more.
    fn classed(&mut self, class: Class) {
        if self.claimed.is_none() {
            self.class = class;
        }
    }

    fn need(&mut self, decision: &Decision, roster: &Roster) {
        let by = decision.protocol.is_none().then(|| decision.signed.by.clone());
        if by.is_some()
            && let Some(held) = self.held.take()
        {
            self.to_decision.push(decision.signed.at.since(held));
        }
        self.decided.push(Decided {
            id: decision.id,
            need: decision.need.care,
            level: decision.need.level,
            at: decision.signed.at,
            duty: by
                .as_ref()
                .and_then(|by| signed_for(decision).or_else(|| roster.affiliation(by, decision.signed.at))),
            by,
            countered: false,
            answer: None,
            received: None,
            appointment: None,
            arrived: None,
        });
        if let Some(answer) = &decision.answer {
            self.response(decision.id, answer);
        }
    }

    fn response(&mut self, id: DecisionId, answer: &Answer) {
        self.decision(id, |known| known.answer = Some((answer.care, answer.supply, answer.signed.at)));
    }

    fn decision(&mut self, id: DecisionId, change: impl FnOnce(&mut Decided)) {
        if let Some(known) = self.decided.iter_mut().find(|known| known.id == id) {
            change(known);
        }
    }

    fn ended(&mut self, action: ActionId, end: End, at: Instant) {
        if self.ringing == Some(action) {
            (self.ringing, self.rang) = (None, true);
            match end.bad() {
                true => self.given_up = Some(at),
                false => self.answered = Some(at),
            }
        }
        if let Some(known) = self.appointments.iter_mut().find(|known| known.action == action) {
            known.seen = match end {
                End::Done => Some(true),
                End::NoShow | End::Absent => Some(false),
                _ => known.seen,
            };
        }
    }

    fn care(&mut self, fact: &Fact) {
        match fact {
            Fact::Offered(offer) => self.offered(offer),
            Fact::OfferAccepted { offer, appointment } => {
                self.gp_said(*offer, Some(true));
                self.taken(*offer, *appointment);
            }
            Fact::OfferClosed { offer, why, .. } => {
                let reached = match why {
                    WhyNot::Declined => Some(true),
                    WhyNot::Unreachable | WhyNot::Expired => Some(false),
                    _ => None,
                };
                self.gp_said(*offer, reached);
                self.given_back(*offer);
            }
            Fact::OfferWithdrawn { offer } => self.given_back(*offer),
            Fact::VisitDecided(Visit { id, decision, .. }) => self.visits.push((*id, *decision)),
            Fact::VisitMoved { visit, status, happened } => {
                let there = matches!(status, VisitStatus::Arrived | VisitStatus::WithPatient | VisitStatus::Finished);
                let decision = self.visits.iter().find(|(id, _)| id == visit).map(|(_, decision)| *decision);
                if let Some(decision) = decision.filter(|_| there) {
                    self.decision(decision, |known| known.arrived = known.arrived.or(Some(*happened)));
                }
            }
            _ => {}
        }
    }

    fn offered(&mut self, offer: &Offer) {
        let Offer { id, decision, ref responder, .. } = *offer;
        let visit = matches!(offer.means, Means::Visit { .. });
        self.offers.push(Mission { offer: id, decision, responder: responder.clone(), visit, under: Vec::new() });
        if offer.category == Category::OwnGp && offer.means == Means::Ring {
            self.gp.push(RungGp { offer: id, reached: None });
        }
    }

    fn gp_said(&mut self, offer: OfferId, reached: Option<bool>) {
        let rung = self.gp.iter_mut().find(|rung| rung.offer == offer);
        rung.into_iter().for_each(|rung| rung.reached = reached.or(rung.reached));
    }

    fn taken(&mut self, offer: OfferId, appointment: Instant) {
        let Some(mission) = self.offers.iter().find(|mission| mission.offer == offer).cloned() else { return };
        self.decision(mission.decision, |known| {
            known.received = Some((offer, mission.responder));
            known.appointment = (!mission.visit).then_some(appointment);
        });
    }

    fn given_back(&mut self, offer: OfferId) {
        let mut decided = self.decided.iter_mut();
        if let Some(known) = decided.find(|known| known.received.as_ref().is_some_and(|(id, _)| *id == offer)) {
            (known.received, known.appointment) = (None, None);
        }
    }

    /// When the care of a decision began, as far as it is known; an appointment that was missed gave none.
    pub fn care_of(&self, decided: &Decided) -> Option<Instant> {
        let missed = |known: &&Appointment| known.decision == Some(decided.id) && known.seen == Some(false);
        let kept = decided.appointment.filter(|_| !self.appointments.iter().any(|known| missed(&known)));
        decided.arrived.or(kept)
    }
}

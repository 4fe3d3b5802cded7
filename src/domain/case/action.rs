//! Actions: what is still to be done for a case, each with one owner and one deadline (design.md §2).
//!
//! An open case always has one. A deadline that passes raises an alarm; a bad end opens an action for a regulator. Nothing
//! about a case is ended by forgetting.

use serde::{Deserialize, Serialize};

use crate::{
    coded_enum,
    domain::{
        actor::Role,
        ids::{ActionId, DecisionId, OfferId, PersonId, ResponderId, VisitId},
        person::unsaid,
        regulation::qualification::Stream,
        time::Instant,
    },
};

use super::{Case, OfferState, outgoing::Outgoing};

coded_enum! {
    /// What is to be done.
    ActionKind {
        /// Answer the call.
        AnswerCall = "ANSWER_CALL", "Décrocher";
        /// Qualify the request.
        Qualify = "QUALIFY", "Qualifier";
        /// Regulate: a doctor decides.
        Regulate = "REGULATE", "Réguler";
        /// Hand a P0 over to the AMU, accompanied.
        HandOver = "HAND_OVER", "Transférer à l'AMU, accompagné";
        /// Ring the caller back.
        CallBack = "CALL_BACK", "Rappeler";
        /// Ring the caller of a late case: is the patient worse?
        ReEvaluate = "RE_EVALUATE", "Rappeler et réévaluer";
        /// Find the responder of a signed answer.
        Route = "ROUTE", "Orienter";
        /// Ring the GP.
        RingGp = "RING_GP", "Appeler le médecin";
        /// Turn a held slot into an appointment.
        ConfirmSlot = "CONFIRM_SLOT", "Confirmer le créneau";
        /// A doctor on duty accepts a visit.
        AcceptVisit = "ACCEPT_VISIT", "Faire accepter la visite";
        /// An appointment to come: was the patient seen?
        Appointment = "APPOINTMENT", "Rendez-vous à venir";
        /// A visit under way.
        Visit = "VISIT", "Visite en cours";
        /// A prescription to deliver to a pharmacy.
        DeliverPrescription = "DELIVER_PRESCRIPTION", "Transmettre l'ordonnance";
        /// The report of an ambulance, of the AMU or of the emergency department.
        AwaitReport = "AWAIT_REPORT", "Attendre le bilan";
        /// Tell the own GP.
        ReturnOfInformation = "RETURN_OF_INFORMATION", "Informer le médecin traitant";
        /// Ask how the patient is.
        FollowUp = "FOLLOW_UP", "Suivre";
        /// Another stream's regulators accept a case that was sent to them, or refuse it.
        Reorient = "REORIENT", "Accepter la réorientation";
        /// Another territory's regulators answer for a case that was sent to them; it stays its sender's until they accept.
        Transfer = "TRANSFER", "Attendre la réponse de l'autre territoire";
        /// Nobody was left: a regulator must find another way.
        Unanswered = "UNANSWERED", "Sans réponse";
        /// Ring at the hour agreed with a caller whose request can wait (P3).
        TelephoneAppointment = "TELEPHONE_APPOINTMENT", "Rendez-vous téléphonique";
        /// Announce a patient to the emergency department, which accepts or not.
        AnnouncePatient = "ANNOUNCE_PATIENT", "Annoncer aux urgences";
        /// Complete a file that lacks what the law asks. All else is done when it is open alone.
        CompleteFile = "COMPLETE_FILE", "Compléter le dossier";
        /// Look at what a responder changed.
        SeeCounterRegulation = "SEE_COUNTER_REGULATION", "Voir la contre-régulation";
        /// Get an interpreter on the line as a third party.
        Interpreter = "INTERPRETER", "Joindre un interprète";
        /// Ask a patient without a GP whether the health insurance's mission may be told (domain.md §5).
        AskConsent = "ASK_CONSENT", "Recueillir l'accord pour la CPAM";
        /// Refer a patient without a GP to the health insurance's mission, with his consent (domain.md §5).
        Refer = "REFER", "Signaler à la mission accompagnement santé (CPAM)";
        /// Ask a patient who lives alone without help whether the town's social services may be told (domain.md §4).
        AskConsentCcas = "ASK_CONSENT_CCAS", "Recueillir l'accord pour le CCAS";
        /// Refer him to the town's social services, with his consent.
        ReferCcas = "REFER_CCAS", "Signaler au CCAS";
        /// Lay the document of the request into the patient's national record, unless he opposes it.
        DepositDocument = "DEPOSIT_DOCUMENT", "Déposer le document dans Mon espace santé";
        /// Arrange how a patient who cannot come by his own means is brought to his appointment.
        ArrangeTransport = "ARRANGE_TRANSPORT", "Organiser le transport du patient";
    }
}

impl ActionKind {
    /// True for what is done for a patient once he is answered: that it failed is no doctor's matter.
    pub const fn beside_the_care(self) -> bool {
        let asks = matches!(self, Self::AskConsent | Self::AskConsentCcas);
        asks || matches!(self, Self::Refer | Self::ReferCcas | Self::DepositDocument)
    }

    /// What leaves the room about the patient with it.
    pub const fn tells(self) -> Option<Outgoing> {
        match self {
            Self::ReturnOfInformation => Some(Outgoing::Gp),
            Self::Refer => Some(Outgoing::Cpam),
            Self::ReferCcas => Some(Outgoing::Ccas),
            Self::DepositDocument => Some(Outgoing::MonEspaceSante),
            _ => None,
        }
    }

    /// True for what is done about the file and not about the request: it keeps nobody waiting for care, so a bad end of it
    /// is no doctor's matter.
    pub const fn administrative(self) -> bool {
        matches!(self, Self::CompleteFile) || self.beside_the_care()
    }
}

/// Who has to do it: a person, a responder, or a desk that somebody always sits at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Owner {
    /// A named person.
    Person(PersonId),
    /// A responder of the directory.
    Responder(ResponderId),
    /// A desk: regulators of a stream, coordinators, ARM, dispatchers.
    Desk(Role, Option<Stream>),
}

coded_enum! {
    /// How an action ended.
    End {
        /// Done.
        Done = "DONE", "Fait";
        /// Another action took its place.
        Replaced = "REPLACED", "Remplacé";
        /// Refused by the responder or the patient.
        Refused = "REFUSED", "Refusé";
        /// Nobody could be reached.
        Unreachable = "UNREACHABLE", "Injoignable";
        /// The patient did not come.
        NoShow = "NO_SHOW", "Absent au rendez-vous";
        /// The patient was not there.
        Absent = "ABSENT", "Absent à la visite";
        /// Could not be delivered.
        Undelivered = "UNDELIVERED", "Non transmis";
        /// Its time ran out.
        Expired = "EXPIRED", "Délai dépassé";
    }
}

impl End {
    /// True when the patient is left without what was decided.
    pub fn bad(self) -> bool {
        !matches!(self, Self::Done | Self::Replaced)
    }
}

/// Where an action stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActionState {
    /// To be done; `alarmed` since its deadline passed. Left by an end.
    Open {
        /// When the alarm was raised.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alarmed: Option<Instant>,
    },
    /// Over; final.
    Ended {
        /// When.
        at: Instant,
        /// How.
        end: End,
    },
}

/// What an action is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct About {
    /// The decision it carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionId>,
    /// The offer it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// The visit it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<VisitId>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// What.
    pub kind: ActionKind,
    /// Who.
    pub owner: Owner,
    /// Since when.
    pub opened: Instant,
    /// Until when; then an alarm.
    pub deadline: Instant,
    /// What it is about.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub about: About,
    /// Where it stands.
    pub state: ActionState,
}

/// Ended actions of one kind about one thing that a case keeps: a line that breaks again and again must not fill its record.
/// The log keeps them all.
pub(super) const MOST_ENDED: usize = 20;

/// Forgets the oldest of the ended actions that are like `opened`.
pub(super) fn forget_old(actions: &mut Vec<Action>, opened: &Action) {
    let mut over = actions.iter().filter(|known| known.ended_like(opened)).count().saturating_sub(MOST_ENDED);
    actions.retain(|known| {
        let forgotten = over > 0 && known.ended_like(opened);
        over -= usize::from(forgotten);
        !forgotten
    });
}

impl Case {
    /// When the service looks at an open action: at its deadline and, where its alarm has rung before, at the end of an offer
    /// that ends by itself. None: the alarm has rung, and people go on with it.
    pub fn due(&self, action: &Action) -> Option<Instant> {
        match action.state {
            ActionState::Open { alarmed: None } => Some(action.deadline),
            ActionState::Open { alarmed: Some(_) } => {
                let offer = action.about.offer.and_then(|id| self.offer(id));
                offer.filter(|offer| offer.state == OfferState::Open && offer.ends_by_itself()).map(|offer| offer.until)
            }
            ActionState::Ended { .. } => None,
        }
    }

    /// Forgets of ended actions that are alike the oldest, as opening another one does.
    pub fn forget_old_actions(&mut self) {
        let known = self.actions.clone();
        known.iter().filter(|action| !action.open()).for_each(|ended| forget_old(&mut self.actions, ended));
    }
}

impl Action {
    /// True for one that is over, of the same kind about the same thing.
    pub(super) fn ended_like(&self, other: &Action) -> bool {
        !self.open() && self.kind == other.kind && self.about == other.about
    }

    /// True until it has ended.
    pub fn open(&self) -> bool {
        matches!(self.state, ActionState::Open { .. })
    }

    /// How it ended; none while it is open.
    pub fn ended_as(&self) -> Option<End> {
        match self.state {
            ActionState::Open { .. } => None,
            ActionState::Ended { end, .. } => Some(end),
        }
    }

    /// True when its alarm was raised and it is still open.
    pub fn alarmed(&self) -> Option<Instant> {
        match self.state {
            ActionState::Open { alarmed } => alarmed,
            ActionState::Ended { .. } => None,
        }
    }
}

//! What travels with a hand-over.

use serde_json::Map;

use crate::domain::{
    directory::Directory,
    ids::CaseId,
    person::Private,
    regulation::{protocols::Answers, qualification::Qualification},
    time::Instant,
};

use super::{
    super::{
        action::ActionKind,
        sealed::{Address, Caller, Identity, Note},
        state::{Case, ContactSafety, Offer, OfferState, Patient, Whereabouts},
    },
    Received, SaidHere,
};

/// Words of notes that one step brings, bytes: an event holds 64 KiB.
const MOST_WORDS: usize = 24 * 1_024;

/// What travels: everything the receiving regulator needs of a case, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// The copy's id.
    pub there: CaseId,
    /// Where it comes from.
    pub received: Received,
    /// When the request arrived.
    pub opened: Instant,
    /// Code of the line that was called.
    pub origin: Option<String>,
    /// How it was qualified.
    pub qualification: Qualification,
    /// The hour agreed with the caller for a telephone appointment.
    pub agreed: Option<Instant>,
    /// Who calls.
    pub caller: Caller,
    /// What the contact may be used for.
    pub safety: ContactSafety,
    /// Where, in words.
    pub address: Address,
    /// Where, for routing.
    pub place: Whereabouts,
    /// Who is ill, with their wishes.
    pub patients: Vec<(Patient, Identity)>,
    /// Answers to the questions of the protocols.
    pub answers: Private<Answers>,
    /// Notes that the copy lacks, as many as one event holds.
    pub notes: Vec<Note>,
}

impl Packet {
    /// Whether it says what the copy does not know yet.
    pub fn tells(&self, received: &Received) -> bool {
        !self.notes.is_empty() || self.received.as_of > received.as_of
    }

    pub(super) fn numbered(mut self, number: &str) -> Self {
        number.clone_into(&mut self.received.number);
        self
    }

    /// Adds what only the sender's `directory` knows of `case`: the names of GPs, and the doctors who are alone what was
    /// asked to give care, or gives it.
    pub fn told_by(&mut self, case: &Case, directory: &Directory) {
        let asked = |offer: &&Offer| matches!(offer.state, OfferState::Open | OfferState::Accepted { .. });
        for offer in case.offers.iter().filter(asked) {
            if let Some([alone]) = directory.get(&offer.responder).map(|known| known.doctors.as_slice()) {
                self.received.responders.insert(alone.clone());
            }
        }
        for (patient, identity) in &mut self.patients {
            let known = patient.own_gp.as_ref().and_then(|id| directory.get(id));
            if let Some(known) = known.filter(|_| identity.gp_name.reveal().is_empty()) {
                identity.gp_name = Private::new(known.name.clone());
            }
        }
    }
}

/// What travels of `case` for the hand-over `there`, less the notes that the copy has.
pub fn packet(case: &Case, there: CaseId, copy: Option<&Case>) -> Option<Packet> {
    let (transfer, qualification) = (case.transfer(there)?, case.qualification.clone()?);
    let (sealed, mut words) = (&case.sealed, 0);
    let brought = |id| copy.is_some_and(|copy| copy.sealed.notes.iter().any(|known| known.id == id));
    let lacking = sealed.notes.iter().filter(|note| !brought(note.id));
    let notes = lacking.take_while(|note| {
        let first = words == 0;
        words += note.text.reveal().len() + 1;
        first || words <= MOST_WORDS
    });
    let identity = |patient: &Patient| {
        let known = sealed.identities.iter().find(|who| who.number == patient.number).cloned();
        (patient.clone(), known.unwrap_or(Identity { number: patient.number, ..Identity::default() }))
    };
    let agreed = case.open_action(ActionKind::TelephoneAppointment).map(|action| action.deadline);
    let earlier = case.received.iter();
    let received = Received {
        from: case.territory.clone(),
        case: case.id,
        number: String::new(),
        command: transfer.command,
        by: transfer.by.clone(),
        sent: transfer.at,
        until: case.open_action(ActionKind::Transfer).map(|action| action.deadline),
        regulators: case.regulators.clone(),
        responders: case.gave_care().cloned().chain(earlier.flat_map(|from| from.responders.clone())).collect(),
        priority: Some(qualification.priority),
        here: SaidHere::default(),
        as_of: transfer.changed,
        answered: None,
        settled: None,
        goes_on: false,
        again: None,
        unknown: Map::new(),
    };
    Some(Packet {
        there,
        received,
        opened: case.opened,
        origin: case.origin.clone(),
        qualification,
        agreed,
        caller: sealed.caller.clone(),
        safety: case.safety,
        address: sealed.address.clone(),
        place: case.place.clone(),
        patients: case.patients.iter().map(identity).collect(),
        answers: sealed.answers.clone(),
        notes: notes.map(|note| Note { visit: None, decision: None, ..note.clone() }).collect(),
    })
}

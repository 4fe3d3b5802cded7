//! What may be sent, and to whom: the one answer that everything outgoing asks for (design.md §3, invariant 11).
//!
//! Nobody else reads the contact's safety, a request for secrecy or a wish to decide whether something leaves the room. Not
//! to know is not to forbid: what no rule withholds may be sent. A consent said in so many words opens the way to its
//! recipient again under violence or secrecy where the patient gave it himself: whoever represents him may be the one it is
//! kept from.

use crate::{
    coded_enum,
    domain::{directory::Directory, ids::ResponderId, routing::Category},
};

use super::{
    patient::{Consent, Patient, Recipient, Wish},
    safety::ContactSafety,
    state::{Case, Offer, OfferState},
};

coded_enum! {
    /// What may leave the room about a case.
    Outgoing {
        /// Ringing the contact back.
        CallBack = "CALL_BACK", "Rappel";
        /// A message left.
        VoiceMessage = "VOICE_MESSAGE", "Message vocal";
        /// A text to the contact.
        Text = "TEXT", "SMS";
        /// A visit announced before it arrives.
        ArrivalNotice = "ARRIVAL_NOTICE", "Avis d'arrivée de la visite";
        /// Anything said to others who live there.
        Household = "HOUSEHOLD", "Information de l'entourage";
        /// The return of information to the own GP.
        Gp = "GP", "Retour au médecin traitant";
        /// A document to the patient's national record.
        MonEspaceSante = "MON_ESPACE_SANTE", "Dépôt dans Mon espace santé";
        /// A referral to the health insurance.
        Cpam = "CPAM", "Signalement à la mission accompagnement santé";
        /// A referral to the town's social services.
        Ccas = "CCAS", "Signalement au CCAS";
    }
}

coded_enum! {
    /// Why something must not be sent.
    Withheld {
        /// Violence or maltreatment.
        Risk = "RISK", "Violences ou maltraitance : rien ne doit se savoir au domicile";
        /// A minor asks for secrecy.
        Secrecy = "SECRECY", "Un mineur demande le secret (L1111-5 CSP)";
        /// The contact may not be used so.
        Contact = "CONTACT", "Le contact ne le permet pas";
        /// The patient opposes it.
        Opposed = "OPPOSED", "Le patient s'y oppose";
        /// It needs a consent nobody has noted.
        NoConsent = "NO_CONSENT", "Consentement non recueilli";
    }
}

impl Outgoing {
    /// The recipient whose patient may consent or oppose; none for what goes to the contact or to the household.
    pub const fn recipient(self) -> Option<Recipient> {
        match self {
            Self::Gp => Some(Recipient::Gp),
            Self::MonEspaceSante => Some(Recipient::MonEspaceSante),
            Self::Cpam => Some(Recipient::Cpam),
            Self::Ccas => Some(Recipient::Ccas),
            Self::CallBack | Self::VoiceMessage | Self::Text | Self::ArrivalNotice | Self::Household => None,
        }
    }
}

/// What both of two who heard of a contact allow, with the risk that either knows.
pub fn stricter(one: ContactSafety, other: ContactSafety) -> ContactSafety {
    ContactSafety {
        may_ring: one.may_ring && other.may_ring,
        may_text: one.may_text && other.may_text,
        may_leave_message: one.may_leave_message && other.may_leave_message,
        risk: one.risk.or(other.risk),
    }
}

/// Whether `what` may be sent about patient `number` of the case; 0, or a number that no patient has, asks for the contact
/// alone.
///
/// # Errors
/// Why not.
pub fn may_send(case: &Case, number: u32, what: Outgoing) -> Result<(), Withheld> {
    let patient = case.patient(number);
    match what.recipient() {
        Some(recipient) => about_patient(case, patient, recipient),
        None => to_contact(case, what),
    }
}

/// What goes to the contact or the household: one contact serves all patients of a case, so one who asks for secrecy is
/// enough.
fn to_contact(case: &Case, what: Outgoing) -> Result<(), Withheld> {
    let safety = case.safety;
    let usable = match what {
        Outgoing::CallBack => safety.may_ring,
        Outgoing::VoiceMessage => safety.may_leave_message,
        Outgoing::Text | Outgoing::ArrivalNotice => safety.may_text,
        _ => true,
    };
    if !usable {
        return Err(Withheld::Contact);
    }
    let secrecy = case.patients.iter().any(|patient| patient.secrecy);
    // A person who rings hears who answers, and the number is the one that the patient gave; what is sent or left is read
    // by anybody.
    if what == Outgoing::CallBack {
        let others_line = secrecy && !case.sealed.caller.is_patient();
        return if others_line { Err(Withheld::Secrecy) } else { Ok(()) };
    }
    if safety.risk.is_some() {
        return Err(Withheld::Risk);
    }
    if secrecy { Err(Withheld::Secrecy) } else { Ok(()) }
}

fn about_patient(case: &Case, patient: Option<&Patient>, recipient: Recipient) -> Result<(), Withheld> {
    let said = patient.and_then(|patient| patient.said(recipient));
    match said.map(|said| said.wish) {
        Some(Wish::Opposes) => Err(Withheld::Opposed),
        Some(Wish::Consents) if said.is_some_and(Consent::by_the_patient) => Ok(()),
        _ if case.safety.risk.is_some() => Err(Withheld::Risk),
        _ if patient.is_some_and(|patient| patient.secrecy) => Err(Withheld::Secrecy),
        None if recipient.needs_consent() => Err(Withheld::NoConsent),
        Some(Wish::Consents) | None => Ok(()),
    }
}

/// Whether the patient has said that he opposes it.
pub fn opposes(patient: &Patient, what: Outgoing) -> bool {
    what.recipient().and_then(|recipient| patient.wish(recipient)) == Some(Wish::Opposes)
}

/// Whether the own GP of a patient knows of the case when this responder is asked in this category: however it is asked. What
/// was asked as the own GP or for him stays so when another is named since.
pub fn own_gp_knows(
    case: &Case,
    directory: &Directory,
    patient: u32,
    (category, responder): (Category, &ResponderId),
) -> bool {
    let own = case.patient(patient).and_then(|patient| patient.own_gp.as_ref());
    matches!(category, Category::OwnGp | Category::PracticeColleague)
        || own.is_some_and(|own| directory.lets_know(own, responder))
}

/// Under violence or secrecy the patient is asked before his GP is, in whatever way: that he may be is not said yet. Answers
/// why, for an offer that waits or was accepted.
pub fn ask_patient_first(case: &Case, directory: &Directory, offer: &Offer) -> Option<Withheld> {
    let patient = case.decision(offer.decision)?.need.patient;
    let live = matches!(offer.state, OfferState::Open | OfferState::Accepted { .. });
    let knows = live && own_gp_knows(case, directory, patient, (offer.category, &offer.responder));
    may_send(case, patient, Outgoing::Gp).err().filter(|_| knows)
}

/// Everything that must not be sent: what, about which patient (0: the contact of the whole case), and why.
pub fn withheld(case: &Case) -> Vec<(Outgoing, u32, Withheld)> {
    let mut all = Vec::new();
    for what in Outgoing::ALL.iter().copied() {
        let mut ask = |number| all.extend(may_send(case, number, what).err().map(|why| (what, number, why)));
        match what.recipient() {
            Some(_) => case.patients.iter().for_each(|patient| ask(patient.number)),
            None => ask(0),
        }
    }
    all
}

//! A patient of a case as far as routing, protocols and what may be sent need him; everything else is sealed.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    coded_enum,
    domain::{
        ids::{PersonId, ResponderId},
        person::unsaid,
        time::Instant,
    },
};

/// Below this age in years a patient is an infant (NOURRISSON, HubSante.patient).
pub const INFANT_BELOW_YEARS: u32 = 2;
/// Below this age in years a patient is a minor (article 414 of the Code civil).
pub const MINOR_BELOW_YEARS: u32 = 18;

coded_enum! {
    /// Who may be told about a patient.
    Recipient {
        /// The own GP.
        Gp = "GP", "Médecin traitant";
        /// The patient's national record.
        MonEspaceSante = "MON_ESPACE_SANTE", "Mon espace santé";
        /// The health insurance's mission for patients without a GP.
        Cpam = "CPAM", "Mission accompagnement santé (CPAM)";
        /// The town's social services.
        Ccas = "CCAS", "CCAS";
    }
}

impl Recipient {
    /// Told only with a consent. The GP and the national record are told unless the patient opposes it (L1110-4, L1111-14
    /// CSP); a referral to others needs the patient's agreement.
    pub const fn needs_consent(self) -> bool {
        matches!(self, Self::Cpam | Self::Ccas)
    }
}

coded_enum! {
    /// What a patient wants of a recipient.
    Wish {
        /// May be told.
        Consents = "CONSENTS", "Consent";
        /// Must not be told.
        Opposes = "OPPOSES", "S'oppose";
    }
}

coded_enum! {
    /// How a wish was expressed.
    ConsentForm {
        /// Said on the telephone.
        Oral = "ORAL", "À l'oral, au téléphone";
        /// In writing.
        Written = "WRITTEN", "Par écrit";
        /// By the legal representative.
        Representative = "REPRESENTATIVE", "Par le représentant légal";
        /// Recorded elsewhere (Mon espace santé, the health insurance).
        Elsewhere = "ELSEWHERE", "Enregistré ailleurs";
    }
}

/// What a patient wants of one recipient, with how and when it was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Whom it concerns.
    pub recipient: Recipient,
    /// What is wanted.
    pub wish: Wish,
    /// How it was said; not known of a wish noted before this was asked.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub form: Option<ConsentForm>,
    /// When; not known likewise.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub at: Option<Instant>,
    /// Who noted it.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub noted_by: Option<PersonId>,
}

impl Consent {
    /// The patient's own word. Not known how it was said is not known to be his.
    pub fn by_the_patient(&self) -> bool {
        matches!(self.form, Some(ConsentForm::Oral | ConsentForm::Written))
    }
}

/// What routing and protocols need of a patient.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Patient {
    /// From 1.
    pub number: u32,
    /// The declared GP or the collective practice that stands in; none when the patient has none.
    #[serde(skip_serializing_if = "unsaid")]
    pub own_gp: Option<ResponderId>,
    /// Says to have no GP: not the same as not knowing.
    #[serde(skip_serializing_if = "unsaid")]
    pub no_gp: bool,
    /// Long-term condition.
    #[serde(skip_serializing_if = "unsaid")]
    pub ald: bool,
    /// Lives in an EHPAD.
    #[serde(skip_serializing_if = "unsaid")]
    pub ehpad: bool,
    /// Can hardly move.
    #[serde(skip_serializing_if = "unsaid")]
    pub reduced_mobility: bool,
    /// Lives alone and has nobody who helps.
    #[serde(skip_serializing_if = "unsaid")]
    pub isolated: bool,
    /// Pregnant.
    #[serde(skip_serializing_if = "unsaid")]
    pub pregnant: bool,
    /// An infant.
    #[serde(skip_serializing_if = "unsaid")]
    pub infant: bool,
    /// Under 18.
    #[serde(skip_serializing_if = "unsaid")]
    pub minor: bool,
    /// A minor asks that nobody with parental authority hear of it (L1111-5 CSP).
    #[serde(skip_serializing_if = "unsaid")]
    pub secrecy: bool,
    /// Stated: nobody knows who it is.
    #[serde(skip_serializing_if = "unsaid")]
    pub identity_unknown: bool,
    /// Entered by mistake: kept in the file, and nobody decides or is told about him.
    #[serde(skip_serializing_if = "unsaid")]
    pub noted_in_error: bool,
    /// Wishes, one for each recipient at most.
    #[serde(alias = "opposes_return", deserialize_with = "wishes", skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
}

impl Patient {
    /// Has no GP and cannot do without: a long-term condition, an EHPAD, or a patient who can hardly move (domain.md §5).
    pub fn needs_a_gp(&self) -> bool {
        self.no_gp && self.own_gp.is_none() && (self.ald || self.ehpad || self.reduced_mobility)
    }

    /// Lives alone without help and not in an EHPAD: whom the town's social services look for (domain.md §4).
    pub fn needs_help(&self) -> bool {
        self.isolated && !self.ehpad && !self.minor && !self.infant
    }

    /// The same, with the secrecy and every opposition that `other` knows of him.
    pub fn protected_as(&self, other: &Self) -> Self {
        let mut patient = Self { secrecy: self.secrecy || other.secrecy, ..self.clone() };
        for opposed in other.consents.iter().filter(|known| known.wish == Wish::Opposes) {
            if patient.wish(opposed.recipient) != Some(Wish::Opposes) {
                patient.consents.retain(|known| known.recipient != opposed.recipient);
                patient.consents.push(opposed.clone());
            }
        }
        patient
    }

    /// What the patient wants of a recipient, if he has said it.
    pub fn wish(&self, recipient: Recipient) -> Option<Wish> {
        self.said(recipient).map(|known| known.wish)
    }

    /// The wish about a recipient, with how and when it was said.
    pub fn said(&self, recipient: Recipient) -> Option<&Consent> {
        self.consents.iter().find(|known| known.recipient == recipient)
    }
}

/// The wishes; an older record holds only whether the patient opposes that the GP be told.
fn wishes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Consent>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Wishes(Vec<Consent>),
        OpposesReturn(bool),
    }
    Ok(match Stored::deserialize(deserializer)? {
        Stored::Wishes(known) => known,
        Stored::OpposesReturn(false) => Vec::new(),
        Stored::OpposesReturn(true) => {
            let (recipient, wish) = (Recipient::Gp, Wish::Opposes);
            vec![Consent { recipient, wish, form: None, at: None, noted_by: None }]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_record_keeps_its_opposition_and_an_empty_one_takes_no_room() {
        let old = r#"{"number":1,"own_gp":null,"ald":false,"ehpad":true,"reduced_mobility":false,"infant":false,"opposes_return":true}"#;
        let read: Patient = serde_json::from_str(old).expect("an older record reads");
        assert_eq!((read.ehpad, read.wish(Recipient::Gp)), (true, Some(Wish::Opposes)));
        let again: Patient = serde_json::from_value(serde_json::to_value(&read).expect("it writes")).expect("it reads");
        assert_eq!(again, read);
        let plain = Patient { number: 1, ..Patient::default() };
        assert_eq!(serde_json::to_string(&plain).expect("it writes"), r#"{"number":1}"#);
    }
}

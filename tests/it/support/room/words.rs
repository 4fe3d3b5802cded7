//! What people say and write: patients, qualifications, needs. Every person here is invented.

use sas_dispatch::grpc::pb::{
    self, AskedState, CallAgain, CareLevel, CareType, LongestDelay, PrescriptionSituation, Priority, Stream,
};

/// A patient of forty.
pub fn ill() -> pb::Patient {
    let (name, birth_date) = ("Camille Exemple".to_owned(), "1984-03-02".to_owned());
    pb::Patient { number: 1, name, birth_date, ..Default::default() }
}

/// An elderly patient who lives in an EHPAD and can hardly move.
pub fn lives_in_ehpad() -> pb::Patient {
    let birth_date = "1934-03-02".to_owned();
    pb::Patient { ehpad: true, reduced_mobility: true, birth_date, ..ill() }
}

/// Says more of a patient.
pub trait Patient: Sized {
    /// Whose patient.
    fn of(self, gp: &str) -> Self;
    /// Can hardly move.
    fn hardly_moves(self) -> Self;
    /// Opposes that the own GP be told.
    fn opposes_return(self) -> Self;
    /// Ten months old.
    fn an_infant(self) -> Self;
}

impl Patient for pb::Patient {
    fn of(self, gp: &str) -> Self {
        Self { own_gp_id: gp.to_owned(), ..self }
    }

    fn hardly_moves(self) -> Self {
        Self { reduced_mobility: true, ..self }
    }

    fn opposes_return(self) -> Self {
        let (recipient, wish) = (pb::Recipient::Gp.into(), pb::Wish::Opposes.into());
        Self { consents: vec![pb::Consent { recipient, wish, ..Default::default() }], ..self }
    }

    fn an_infant(self) -> Self {
        Self { infant: Some(true), birth_date: String::new(), ..self }
    }
}

/// A qualification for the regulation of unscheduled care, with symptoms heard.
pub fn qualified(priority: Priority, motive: &str) -> pb::QualifyRequest {
    pb::QualifyRequest {
        priority: priority.into(),
        stream: Stream::Snp.into(),
        motive: motive.to_owned(),
        symptoms: true,
        ..Default::default()
    }
}

/// A need of the first patient.
pub fn need(care: CareType, level: CareLevel, longest_delay: LongestDelay) -> pb::Need {
    let (care, level, longest_delay) = (care.into(), level.into(), longest_delay.into());
    pb::Need { patient: 1, care, level, longest_delay, ..Default::default() }
}

/// A prescription of one drug for an adult, sent to a pharmacy, with all that is asked.
pub fn prescription() -> pb::Prescription {
    let drug = pb::DrugLine {
        drug: "Fosfomycine".to_owned(),
        dose: "3 g, dose unique".to_owned(),
        days: 1,
        atc: "J01XX01".to_owned(),
    };
    pb::Prescription {
        situation: PrescriptionSituation::WrittenOrder.into(),
        lines: vec![drug],
        allergies: answered("aucune"),
        pregnancy: asked(AskedState::NotConcerned),
        weight: asked(AskedState::NotConcerned),
        treatments: asked(AskedState::Unknown),
        prior_examination: answered("aucun"),
        pharmacy: "Pharmacie Inventée, fax".to_owned(),
        ..Default::default()
    }
}

/// A question that was asked, without words.
pub fn asked(state: AskedState) -> Option<pb::Asked> {
    Some(pb::Asked { state: state.into(), answer: String::new() })
}

/// A question that was answered.
pub fn answered(words: &str) -> Option<pb::Asked> {
    Some(pb::Asked { state: AskedState::Answered.into(), answer: words.to_owned() })
}

/// What to watch for, and the 15.
pub fn safety_net() -> pb::SafetyNet {
    pb::SafetyNet {
        watch_for: vec!["DYSPNOEA".to_owned()],
        words: "Rappeler si elle respire mal".to_owned(),
        call_again: CallAgain::Fifteen.into(),
        texts: Vec::new(),
    }
}

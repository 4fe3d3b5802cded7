//! What people say and write: patients, qualifications, needs. Every person here is invented.

use sas_dispatch::grpc::pb::{self, CareLevel, CareType, LongestDelay, Priority, Stream};

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

//! Who can give care in a territory: doctors, practices, fixed points, associations, and whether each is at work.
//!
//! Decides nothing by itself: it answers who there is, who works with whom, and who is open or away at an instant. The
//! own GP (L162-5-3 CSS) is declared per patient and stands in the case as a [`ResponderId`]; a collective practice may
//! stand in for one (the programme of Sens). Never reachable from regulation: the need is decided without it.

mod responder;

use std::collections::BTreeMap;

pub use responder::{
    Absence, CollectiveProgramme, Connection, ConventionFlags, FixedPointKind, Responder, ResponderKind,
};

use super::{
    ids::{PersonId, ResponderId},
    place::InseeCode,
};

/// All responders of one territory.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    responders: BTreeMap<ResponderId, Responder>,
    /// For whom each person gives care: asked with every signature.
    of_person: BTreeMap<PersonId, Vec<ResponderId>>,
}

impl Directory {
    /// A directory of `responders`; of two with one id the later stays.
    pub fn new(responders: impl IntoIterator<Item = Responder>) -> Self {
        let responders: BTreeMap<_, _> =
            responders.into_iter().map(|responder| (responder.id.clone(), responder)).collect();
        let mut of_person: BTreeMap<PersonId, Vec<ResponderId>> = BTreeMap::new();
        for (id, doctor) in responders.iter().flat_map(|(id, known)| known.doctors.iter().map(move |one| (id, one))) {
            let of_doctor = of_person.entry(doctor.clone()).or_default();
            if of_doctor.last() != Some(id) {
                of_doctor.push(id.clone());
            }
        }
        Self { responders, of_person }
    }

    /// The responder with this id.
    pub fn get(&self, id: &ResponderId) -> Option<&Responder> {
        self.responders.get(id)
    }

    /// Every responder, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Responder> {
        self.responders.values()
    }

    /// Whether no source of supply is known at all.
    pub fn is_empty(&self) -> bool {
        self.responders.is_empty()
    }

    /// How many responders there are.
    pub fn len(&self) -> usize {
        self.responders.len()
    }

    /// Responders of one kind, by id.
    pub fn of_kind(&self, kind: ResponderKind) -> impl Iterator<Item = &Responder> {
        self.iter().filter(move |responder| responder.kind == kind)
    }

    /// Responders whose premises are in a commune, by id.
    pub fn in_commune(&self, commune: InseeCode) -> impl Iterator<Item = &Responder> {
        self.iter().filter(move |responder| responder.commune == commune)
    }

    /// The other doctors of the practice of `id`, by id.
    pub fn practice_colleagues<'a>(&'a self, id: &'a ResponderId) -> impl Iterator<Item = &'a Responder> {
        let practice = self.get(id).and_then(|responder| responder.practice.as_ref());
        self.doctors_beside(id).filter(move |other| practice.is_some() && other.practice.as_ref() == practice)
    }

    /// The other doctors of the CPTS of `id`, outside the practice of `id`, by id.
    pub fn cpts_colleagues<'a>(&'a self, id: &'a ResponderId) -> impl Iterator<Item = &'a Responder> {
        let own = self.get(id);
        let practice = own.and_then(|responder| responder.practice.as_ref());
        let cpts = own.and_then(|responder| responder.cpts.as_ref());
        self.doctors_beside(id).filter(move |other| {
            cpts.is_some() && other.cpts.as_ref() == cpts && (practice.is_none() || other.practice.as_ref() != practice)
        })
    }

    /// Whether asking `other` lets the own GP know: it is the own GP himself, his practice, or somebody of his practice.
    pub fn lets_know(&self, own: &ResponderId, other: &ResponderId) -> bool {
        let practice = |id| self.get(id).and_then(|responder| responder.practice.as_ref());
        let of_practice = |known| known == other || practice(other) == Some(known);
        own == other || practice(own).is_some_and(of_practice)
    }

    /// The responders a person gives care for: what a regulator must not become in a case he regulated.
    pub fn of_person<'a>(&'a self, person: &'a PersonId) -> impl Iterator<Item = &'a Responder> {
        self.of_person.get(person).into_iter().flatten().filter_map(|id| self.get(id))
    }

    fn doctors_beside<'a>(&'a self, id: &'a ResponderId) -> impl Iterator<Item = &'a Responder> {
        self.of_kind(ResponderKind::Gp).filter(move |other| other.id != *id)
    }
}

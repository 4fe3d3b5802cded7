//! Who decides: an independent regulator, or, as a counterfactual, each responder for himself over the same demand.
//!
//! The counterfactual changes nothing but what is found to be needed: of the files that are no vital emergency, 92.5 in 100
//! end in an act, seven visits for three consultations, as SOS Médecins' national figures have it (domain notes §8, A10).
//! Callers, hours, staff and supply are the same, from the same seed. The populations behind the two sets of shares are not:
//! what the comparison shows is consistent with an effect of independent regulation and proves none.

use serde::Serialize;

use crate::{domain::indicators::AVOIDED_CAVEAT, grpc::pb::CareType};

use super::{
    callers::Caller,
    dice::Dice,
    figures::{Document, Figures},
    wants::need,
};

/// Acts for 100 files, and visits among 100 acts (SOS Médecins, national, undated).
const ACTS_PER_100: f64 = 92.5;
const VISITS_PER_100_ACTS: f64 = 70.0;

/// Who decides what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Policy {
    /// A regulator who is never the responder
    Independent,
    /// Each responder for himself: plays both over the same demand and prints them side by side
    ResponderDecides,
}

/// What each responder would find to be needed, in the place of what a regulator finds.
pub(super) fn responder_decides(callers: &mut [Caller], seed: u64) {
    for (number, caller) in callers.iter_mut().enumerate() {
        let mut dice = Dice::new(seed, &format!("responder {number}"));
        let frail = caller.patient.reduced_mobility;
        let motive = caller.want.motive;
        let Some(known) = caller.want.need.as_mut().filter(|known| known.care() != CareType::Amu) else { continue };
        let care = match (dice.percent(ACTS_PER_100), dice.percent(VISITS_PER_100_ACTS)) {
            (false, _) => CareType::Advice,
            (true, true) => CareType::HomeVisit,
            (true, false) => CareType::Consultation,
        };
        *known = need(care, motive, frail, &mut dice);
    }
}

/// Both days and what they differ in.
#[derive(Debug, Serialize)]
pub(super) struct Both {
    /// The regulator is never the responder.
    pub(super) independent: Document,
    /// Each responder decides.
    pub(super) responder_decides: Document,
    /// Line by line.
    pub(super) compared: Vec<Line>,
    /// What it does not show; to be read with it.
    pub(super) caveat: &'static str,
}

/// One figure of both days.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) what: &'static str,
    pub(super) independent: f64,
    pub(super) responder_decides: f64,
}

impl Both {
    pub(super) fn of(independent: Document, responder_decides: Document) -> Self {
        let (one, two) = (&independent.figures, &responder_decides.figures);
        let line = |what, of: fn(&Figures) -> f64| Line { what, independent: of(one), responder_decides: of(two) };
        let compared = vec![
            line("dossiers", |figures| figures.cases as f64),
            line("dossiers régulés par un médecin", |figures| figures.decisions.regulated as f64),
            line("dossiers à voir en présence, pour 100 dossiers régulés", needed_per_100),
            line("  que l'offre a permis (réponses signées), pour 100", answered_per_100),
            line("réponses autres que le besoin, faute d'offre, pour 100", unmet_per_100),
            line("visites décidées", |figures| figures.visits.decided as f64),
            line("visites terminées dans le temps joué", |figures| figures.visits.finished as f64),
            line("rendez-vous pris", |figures| figures.slots.booked as f64),
            line("dossiers un moment sans effecteur", |figures| figures.unanswered.ever as f64),
        ];
        Self { independent, responder_decides, compared, caveat: AVOIDED_CAVEAT }
    }

    /// Both logs are in order.
    pub(super) fn clean(&self) -> bool {
        self.independent.check.clean() && self.responder_decides.check.clean()
    }

    /// Side by side, with the caveat.
    pub(super) fn table(&self) -> String {
        let mut lines = vec![
            "\nQUI DÉCIDE : même jour, mêmes appels, même offre".to_owned(),
            format!("  {:<58} {:>12} {:>12}", "", "indépendant", "effecteur"),
        ];
        let rows = self.compared.iter();
        lines.extend(
            rows.map(|row| format!("  {:<58} {:>12.1} {:>12.1}", row.what, row.independent, row.responder_decides)),
        );
        let (one, two) = (needed_per_100(&self.independent.figures), needed_per_100(&self.responder_decides.figures));
        if two > 0.0 {
            let fewer = (1.0 - one / two) * 100.0;
            lines.push(format!("  {:<58} {:>12.0} %", "dossiers à voir en présence en moins", fewer));
        }
        lines.push(format!("  À lire avec ces nombres : {}.", self.caveat));
        lines.push(
            "  Dans la seconde journée seule la décision change : 92,5 actes pour 100 dossiers hors urgence vitale (SOS Médecins)."
                .to_owned(),
        );
        lines.join("\n")
    }
}

fn per_100(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 * 100.0 / of as f64 }
}

fn needed_per_100(figures: &Figures) -> f64 {
    per_100(figures.decisions.face_to_face_needed, figures.decisions.regulated)
}

fn answered_per_100(figures: &Figures) -> f64 {
    per_100(figures.decisions.face_to_face_answered, figures.decisions.regulated)
}

fn unmet_per_100(figures: &Figures) -> f64 {
    per_100(figures.decisions.changed_by_supply.values().sum(), figures.decisions.answers.values().sum())
}

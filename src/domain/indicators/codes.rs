//! The closed lists of the indicators.

use crate::coded_enum;

coded_enum! {
    /// A wait of a case, in the order in which they come.
    Stage {
        /// From the ringing to the answer of the front line; answered calls only.
        Answer = "ANSWER", "Décroché (N1)";
        /// From the answer (or the opening, when nothing rang) to the first qualification.
        Qualification = "QUALIFICATION", "Qualification";
        /// From the first qualification to the first claim by a regulator.
        Regulation = "REGULATION", "Attente du médecin régulateur";
        /// From a claim to the first need signed under it.
        Decision = "DECISION", "De la prise du dossier à la décision";
        /// From a need to its answer, for needs that ask for a responder.
        Response = "RESPONSE", "De la décision à la réponse signée";
        /// From a need to the beginning of the care: the appointment, or the doctor's arrival.
        Care = "CARE", "De la décision au soin";
    }
}

coded_enum! {
    /// For whom a doctor regulates.
    Affiliation {
        /// The hospital of the SAMU.
        Hospital = "HOSPITAL", "Hospitalier";
        /// His own practice.
        Liberal = "LIBERAL", "Libéral";
        /// The platform of an association, under convention (R6315-3 CSP).
        Association = "ASSOCIATION", "Association";
        /// Neither a roster nor the directory says.
        Unknown = "UNKNOWN", "Non renseigné";
    }
}

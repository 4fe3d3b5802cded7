//! What goes with an act of a doctor or a responder: what is said, written and stated beside it.

use crate::domain::{
    person::Private,
    regulation::{
        decision::CounterReason,
        dialogue::{Dialogue, PatientRefusal},
        national::Stated,
        need::CareType,
        prescription::Prescription,
    },
};

/// What a doctor says, hears and writes beside a signature.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beside {
    /// What was told.
    pub dialogue: Option<Dialogue>,
    /// What to watch for, in words.
    pub watch_for: Option<Private<String>>,
    /// That the patient refuses.
    pub refusal: Option<PatientRefusal>,
    /// What is prescribed; its decision's id is put in when it is signed.
    pub prescription: Option<Box<Prescription>>,
    /// Resource and destination, where the care leaves a choice.
    pub stated: Stated,
}

/// Other care than was decided, as a responder tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Counter {
    /// What was done instead.
    pub care: CareType,
    /// Why.
    pub reasons: Vec<CounterReason>,
    /// In words.
    pub note: Option<Private<String>>,
}

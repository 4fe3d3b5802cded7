//! What was answered to the questions of the protocols.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Yes(bool),
    /// A measure, in the question's unit.
    Number(f64),
    /// The code of one of the choices.
    Choice(String),
}

/// Answers by question code; a question that is absent was not answered.
pub type Answers = BTreeMap<String, Value>;

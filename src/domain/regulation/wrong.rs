//! A wrong field of a doctor's act: which, what to do, and the same in French. Never the value.

use std::borrow::Cow;

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Path of the field in the request.
    pub field: Cow<'static, str>,
    /// What to do.
    pub problem: Cow<'static, str>,
    /// What to do, in French.
    pub french: &'static str,
}

impl Wrong {
    /// A wrong field.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        problem: impl Into<Cow<'static, str>>,
        french: &'static str,
    ) -> Self {
        Self { field: field.into(), problem: problem.into(), french }
    }
}

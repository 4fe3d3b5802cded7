//! Regulated unscheduled care.
#![allow(missing_docs)]

pub mod clock;
pub mod domain;
pub mod store;

//! Regulated unscheduled care.

pub mod clock;
pub mod domain;
pub mod interop;
pub mod store;
pub mod telemetry;

//! Regulated unscheduled care.

pub mod clock;
pub mod config;
pub mod domain;
pub mod interop;
pub mod store;
pub mod telemetry;

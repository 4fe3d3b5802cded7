//! Regulated unscheduled care.

pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod grpc;
pub mod interop;
pub mod store;
pub mod telemetry;

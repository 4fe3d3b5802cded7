//! One integration binary.

mod hub;
mod otlp;
mod telemetry;
mod tidy;

mod calendar;
mod store;

//! One integration binary.

mod otlp;
mod telemetry;
mod tidy;

mod calendar;
mod store;

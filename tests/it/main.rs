//! One integration binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod calendar;
mod cli;
mod config;
mod demo;
mod domain;
mod engine;
mod grpc;
mod hub;
mod independence;
mod indicators;
mod otlp;
mod replay;
mod rough;
mod routing;
mod secrecy;
mod services;
mod sheet;
mod simulation;
mod store;
mod stories;
mod support;
mod telemetry;
mod tidy;

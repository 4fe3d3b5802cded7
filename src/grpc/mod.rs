//! gRPC: services, conversions, status mapping. The only place that names tonic or generated types; no rule lives here.

mod actor;
mod admission;
pub mod client;
pub mod codec;
pub mod convert;
mod layer;
mod origin;
pub mod pb;
mod server;
pub mod services;
pub mod status;

pub use server::{ServeError, ServerOptions, serve};

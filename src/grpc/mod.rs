//! gRPC: services, conversions, status mapping. The only place that names tonic or generated types; no rule lives here.

mod actor;
pub mod convert;
pub mod pb;
pub mod services;
pub mod status;

//! Doors to the outside: messages of other systems, turned into the service's own terms.
//!
//! Decoding is pure: bytes in, an [`incoming::IncomingCase`] or every fault at once out. A fault names its JSON path,
//! the shape that was expected and the shape that was found, never the value, which may be a patient's. serde's derive
//! stops at the first fault and quotes the value in its message; [`json`] reads the parsed document instead.

pub mod fault;
pub mod hub;
pub mod incoming;
pub mod intake;
pub mod json;
pub mod messages;
mod remarks;
pub mod request_line;
pub mod shapes;

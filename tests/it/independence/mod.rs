//! Invariant 6 through gRPC: what is decided does not depend on what there is to give, and whoever regulates a case never
//! becomes its responder.

mod need_first;
mod responder;
mod same_decisions;

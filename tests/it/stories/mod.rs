//! What people would tell of a day in the regulation room. Every word goes through gRPC; time is the test's.

mod advice;
mod counter;
mod deadlines;
mod decisions;
mod effort;
mod front_line;
mod holiday;
mod offers;
mod ordinary;
mod outages;
mod overload;
mod paper;
mod protocol;
mod reconnecting;
mod regulators;
mod remarkable;
mod repeated;
mod slots;
mod streams;
mod telephone;
mod thousand;
pub mod transfers;
mod triage;
mod visits;
mod vital;
mod weekday;

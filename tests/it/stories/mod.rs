//! What people would tell of a day in the regulation room. Every word goes through gRPC; time is the test's.

mod advice;
mod deadlines;
mod effort;
mod holiday;
mod offers;
mod ordinary;
mod outages;
mod overload;
mod paper;
mod protocol;
mod reconnecting;
mod regulators;
mod repeated;
mod slots;
mod streams;
mod telephone;
mod thousand;
mod visits;
mod vital;
mod weekday;

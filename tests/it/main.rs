//! One integration binary.

mod tidy;

mod calendar;
mod store;

//! The rules, pure: no async, no clock, no input or output, no log, no wire type.
//!
//! Each folder holds the types, the rules and the reasons of one matter. `now` is always a parameter, and a decision is
//! a function of what it was given, so that every choice can be played again years later.

pub mod actor;
pub mod age;
pub mod calendar;
pub mod case;
pub mod codes;
pub mod digest;
pub mod directory;
pub mod ids;
pub mod indicators;
pub mod ins;
pub mod person;
pub mod phone;
pub mod place;
pub mod regulation;
pub mod remarkable;
pub mod routing;
pub mod slots;
pub mod store_address;
pub mod territory;
pub mod time;
pub mod visits;

//! One thin implementation per service: convert, ask the engine, convert.

mod acts;
mod common;
pub mod directory;
mod indicators;
pub mod intake;
mod pages;
pub mod regulation;
pub mod routing;
pub mod slot;
pub mod supervision;
pub mod telephony;
pub mod visit;

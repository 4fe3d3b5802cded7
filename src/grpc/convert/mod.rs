//! Wire to domain, every wrong field at once; domain to wire.

pub mod advice;
mod beside;
pub mod case;
pub mod codes;
pub mod directory;
pub mod fields;
pub mod hub;
pub mod indicators;
pub mod intake;
pub mod particulars;
mod patient;
pub mod phone;
pub mod protocols;
pub mod regulation;
pub mod reply;
pub mod room;
pub mod routing;
pub mod search;
pub mod sheets;
pub mod slot;
pub mod supervision;
pub mod telephony;
pub mod transfer;
pub mod visit;
pub mod watch;

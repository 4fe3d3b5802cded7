//! Wire to domain, every wrong field at once; domain to wire.

pub mod case;
pub mod codes;
pub mod fields;
pub mod phone;
pub mod reply;

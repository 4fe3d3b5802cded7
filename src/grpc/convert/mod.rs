//! Wire to domain, every wrong field at once; domain to wire.

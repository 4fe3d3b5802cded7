//! Real parts that several stories start for themselves.

pub mod redis;
pub mod room;

//! Real parts that several stories start for themselves.

pub mod gate;
pub mod redis;
pub mod room;
pub mod topology;

//! One thin implementation per service: convert, ask the engine, convert.

mod common;

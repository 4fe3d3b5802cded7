//! The API as its clients meet it: real calls on a real port.

mod bad_input;
mod desk;
mod door;
mod path;
mod watching;

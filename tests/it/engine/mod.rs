//! The engine's promises as stories, each told on both stores with real files and a real Redis.

mod agendas;
mod apart;
mod archiving;
mod checking;
mod claiming;
pub mod desk;
mod due;
mod fenced;
mod moved;
mod numbers;
mod offered;
mod outrun;
mod repeating;
mod replica;
mod screen;
mod shifts;
mod takeover;
pub mod transfers;
mod trips;
mod unreadable;
mod watching;

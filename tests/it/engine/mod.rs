//! The engine's promises as stories, each told on both stores with real files and a real Redis.

mod checking;
mod claiming;
mod desk;
mod due;
mod moved;
mod outrun;
mod repeating;
mod screen;
mod trips;
mod watching;

//! Regulated unscheduled care: calls in, medical regulation, own GP, SAS slot or SOS Médecins visit out.
//!
//! # The map
//!
//! ```text
//! cli ──► app ──► grpc, interop, sheet ──► engine ──► archive ──► store
//!  │                                          │                      │
//!  └─────────► config ───────────────────► domain ◄──────────────────┘
//! ```
//!
//! | room | what it decides or does |
//! |---|---|
//! | [`domain`] | the rules, pure: `decide(state, command, now) → outcome or refusal`, and `evolve` |
//! | [`store`] | state: one conditional commit, one read, one range, one log; two engines, one contract |
//! | [`archive`] | a territory's rows as files: exports, and the days of what left the working set |
//! | [`engine`] | the use cases: load → decide → commit → retry; planning, upkeep, watching |
//! | [`grpc`] | the API: messages in and out, the actor of a call, the one mapping of refusals to statuses |
//! | [`interop`] | messages of other systems, decoded with every fault at once |
//! | [`sheet`] | the shift sheet: every open case on paper, for the hour when nothing else works |
//! | [`config`] | reads and checks `config/` |
//! | [`app`] | wires a service: store, engine, upkeep, doors |
//! | [`cli`] | the command line |
//! | [`telemetry`] | logs, traces, metrics; never anything about a person |
//! | [`clock`] | the one place that reads time |
//!
//! A tidy test holds these arrows over the whole module graph, and that `domain::regulation` reaches neither routing nor
//! slots, visits, the directory or the case: a need is decided without seeing who could answer it.
//!
//! # One command, from door to disk
//!
//! 1. A layer of [`grpc`] takes the actor from the call's metadata; the service turns the message into a
//!    [`domain::case::Command`], with every wrong field at once.
//! 2. [`engine::Engine::act`] loads the records the command concerns, from memory if it has seen them.
//! 3. [`domain::case::decide`] gives facts, or one typed refusal. A refusal is never given from memory: the records are
//!    read and the command is decided again first.
//! 4. The outcome is checked against what must never happen ([`domain::case::invariants`]).
//! 5. One [`store::Txn`] guards on the version of every record read and writes records, index entries (a pure function of
//!    the records), the event and the receipt. A conflict answers with the current records: back to 3.
//! 6. The receipt, kept 72 hours, answers a repeated command.
//!
//! # Time
//!
//! Clinical delays are elapsed time; legal periods are wall-clock time in the territory's zone ([`domain::calendar`]).
//! `now` is always a parameter. A deadline is an index entry that any instance may fire; a guard lets one win.

pub mod app;
pub mod archive;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod grpc;
pub mod interop;
pub mod sheet;
pub mod store;
pub mod telemetry;

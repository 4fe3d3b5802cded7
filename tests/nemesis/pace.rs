//! Chance and time of a run: choices that come from the seed, and pauses that end with the run.

use std::{
    future::pending,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sas_dispatch::clock::Clock;
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

/// A stream of choices (SplitMix64): the same seed and label give the same choices.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64, label: &str) -> Self {
        let hash = label
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let mut dice = Self(seed ^ hash);
        dice.next();
        dice
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `n`; 0 when `n` is.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }

    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from).max(1)
    }

    /// One of `things`; none when there are none.
    pub fn any<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        things.get(self.below(things.len()))
    }

    /// A new order of `things`.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            things.swap(at, self.below(at + 1));
        }
    }

    /// A command id of this instant (UUIDv7).
    pub fn command(&mut self) -> String {
        let mut bytes = [self.next().to_be_bytes(), self.next().to_be_bytes()].concat();
        bytes[..6].copy_from_slice(&unix_ms().to_be_bytes()[2..]);
        bytes[6] = (bytes[6] & 0x0f) | 0x70;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid::from_slice(&bytes).expect("sixteen bytes are a UUID").to_string()
    }
}

/// The wall clock, for what the API wants in Unix milliseconds.
pub fn unix_ms() -> i64 {
    Clock::System.now().unix_ms()
}

/// The time of one run: microseconds since its beginning, and whether the load goes on.
#[derive(Debug, Clone)]
pub struct Pace {
    started: Instant,
    over: watch::Receiver<bool>,
}

impl Pace {
    pub fn start() -> (Self, watch::Sender<bool>) {
        let (end, over) = watch::channel(false);
        (Self { started: Instant::now(), over }, end)
    }

    /// Microseconds since the beginning, on the monotonic clock: what real-time order is judged by.
    pub fn us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Waits so long, or until the load ends; true when it goes on.
    pub async fn pause(&self, ms: u64) -> bool {
        let mut over = self.over.clone();
        timeout(Duration::from_millis(ms), over.wait_for(|over| *over)).await.is_err()
    }
}

/// Lets so much time pass: what a fault lasts, how often a condition is looked at.
pub async fn pass(ms: u64) {
    let _ = timeout(Duration::from_millis(ms), pending::<()>()).await;
}

/// The content of a lock; a thread that panicked left it whole, since nothing here is changed in steps.
pub fn own<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

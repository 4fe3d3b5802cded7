//! From a run that failed to the smallest one that still fails in the same way.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    plant::Planted,
    play::{Played, Player},
    step::{Move, Program, programs},
};

/// Runs of one shrinking.
const MOST: usize = 3_000;

/// Plays a program; a panic of product or judge is a verdict like any other.
pub fn play(program: &Program, plant: Planted) -> Result<Played, String> {
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        // Nothing here may yield by itself: what goes on is the program's to say. No loop of an instance meets a fault, so
        // that none of them ever waits for a time; the timers are there for limits that are never reached.
        runtime.block_on(tokio::task::unconstrained(async { Player::new(program, plant).play(program).await }))
    }));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

/// The program of a seed: always the same.
pub fn program(seed: u64, moves: usize) -> Program {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    programs(moves).new_tree(&mut runner).expect("every program is allowed").current()
}

/// A failing program on its way to a small one.
struct Shrinking<'a> {
    best: Program,
    wrong: String,
    plant: &'a Planted,
    left: usize,
}

impl Shrinking<'_> {
    /// Takes `moves` over when they fail in the same way.
    fn takes(&mut self, moves: Vec<Move>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let program = Program { level: self.best.level, moves };
        match play(&program, self.plant.clone()) {
            Err(wrong) if rule(&wrong) == rule(&self.wrong) => {
                (self.best, self.wrong) = (program, wrong);
                true
            }
            _ => false,
        }
    }

    /// Leaves out ever smaller parts, from the end.
    fn shorten(&mut self) -> bool {
        let (mut part, mut shorter) = (self.best.moves.len() / 2, false);
        while part > 0 {
            let mut end = self.best.moves.len();
            while end > 0 {
                let from = end.saturating_sub(part);
                let moves = &self.best.moves;
                let without = moves[..from].iter().chain(&moves[end.min(moves.len())..]).cloned().collect();
                shorter |= self.takes(without);
                end = from;
            }
            part /= 2;
        }
        shorter
    }

    /// Makes each move that is left as plain as it can be.
    fn plainer(&mut self) {
        for place in 0..self.best.moves.len() {
            for plain in self.best.moves[place].plainer() {
                let mut moves = self.best.moves.clone();
                moves[place] = plain;
                self.takes(moves);
            }
        }
    }
}

/// The smallest program on the way from this one that breaks the same rule, and what it breaks.
pub fn smallest(program: Program, plant: &Planted, wrong: String) -> (Program, String) {
    let mut shrinking = Shrinking { best: program, wrong, plant, left: MOST };
    while shrinking.shorten() {}
    shrinking.plainer();
    while shrinking.shorten() {}
    (shrinking.best, shrinking.wrong)
}

/// What a verdict is about: its text without numbers and ids.
fn rule(wrong: &str) -> String {
    let wrong = wrong.rsplit_once(": ").map_or(wrong, |(_, last)| last);
    wrong.chars().filter(|c| c.is_alphabetic() && !c.is_ascii_hexdigit() || c.is_whitespace()).collect()
}

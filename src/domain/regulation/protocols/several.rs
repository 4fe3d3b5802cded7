//! Several patients of one request: the answers are the call's, and whoever of them is worst off decides.

use super::{
    answer::Answers,
    book::Book,
    propose::{Fired, Proposal, propose, urgency},
    subject::Subject,
};

/// Proposes for each patient with the answers of the call, and takes the most urgent with everything that was heard for any of
/// them; the first of equals stays. Nobody is deferred unless all are. Without a patient, one of whom nothing is known.
pub fn propose_for_all(book: &Book, subjects: &[Subject], motive: &str, answers: &Answers) -> Proposal {
    let one = |subject: &Subject| propose(book, subject, motive, answers);
    let unknown = || one(&Subject::default());
    subjects.iter().map(one).reduce(worse).unwrap_or_else(unknown)
}

fn worse(first: Proposal, second: Proposal) -> Proposal {
    let second_is_worse = urgency(&second.rule) < urgency(&first.rule);
    let (worst, other) = if second_is_worse { (second, first) } else { (first, second) };
    let window = worst.window.zip(other.window).map(|(one, another)| one.min(another));
    let mut red_flags = worst.red_flags;
    for flag in other.red_flags {
        let same = |known: &Fired| (&known.protocol, &known.rule) == (&flag.protocol, &flag.rule);
        if !red_flags.iter().any(same) {
            red_flags.push(flag);
        }
    }
    red_flags.sort_by_key(urgency);
    let (open, open_there) = (worst.open_red_flags, other.open_red_flags);
    let mut unanswered = worst.unanswered[..open].to_vec();
    add(&mut unanswered, &other.unanswered[..open_there]);
    let open_red_flags = unanswered.len();
    add(&mut unanswered, &worst.unanswered[open..]);
    add(&mut unanswered, &other.unanswered[open_there..]);
    let (mut unsigned, mut off) = (worst.unsigned, worst.off);
    add(&mut unsigned, &other.unsigned);
    add(&mut off, &other.off);
    Proposal { red_flags, unanswered, open_red_flags, window, unsigned, off, ..worst }
}

fn add(known: &mut Vec<String>, more: &[String]) {
    for one in more {
        if !known.contains(one) {
            known.push(one.clone());
        }
    }
}

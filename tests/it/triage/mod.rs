//! Triage: what must hold for every set of answers, whatever the protocols say, and what the shipped ones say.

mod heard;
mod oracle;
mod properties;
mod shipped;

use std::{path::Path, sync::OnceLock};

use proptest::{prelude::*, sample::select};
use sas_dispatch::{
    config::Config,
    domain::regulation::{
        motives::MOTIVES,
        protocols::{Age, Answers, Book, Kind, Sex, Subject, Value},
    },
};

/// The shipped protocols, in force although nobody has signed them.
pub fn book() -> &'static Book {
    static BOOK: OnceLock<Book> = OnceLock::new();
    BOOK.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        Book::clone(&Config::load(&dir).unwrap().book).with_unsigned()
    })
}

/// Every answer to a question that some case could give.
fn answers_to(code: &str) -> Vec<Value> {
    let choices = |kind: &Kind| match kind {
        Kind::YesNo => vec![Value::Yes(false), Value::Yes(true)],
        Kind::Choice(choices) => choices.iter().map(|choice| Value::Choice(choice.code.clone())).collect(),
        Kind::Number { min, max, .. } => {
            (0..=20).map(|step| Value::Number(min + (max - min) * f64::from(step) / 20.0)).collect()
        }
    };
    choices(&book().question(code).unwrap().kind)
}

fn subject() -> impl Strategy<Value = Subject> {
    let ages = [10, 40, 89, 150, 300, 800, 2_000, 5_000, 7_000, 15_000, 20_000, 25_000, 30_000];
    let age = proptest::option::weighted(0.9, select(ages.to_vec()).prop_map(Age::from_days));
    let sex = proptest::option::of(select(Sex::ALL));
    (age, sex, proptest::option::of(any::<bool>())).prop_map(|(age, sex, pregnant)| Subject { age, sex, pregnant })
}

fn motive() -> impl Strategy<Value = String> {
    (0..MOTIVES.len()).prop_map(|at| MOTIVES[at].code.to_owned())
}

/// What was asked under a motive: some of its questions, most with a reassuring answer; now and then one of another motive.
fn story() -> impl Strategy<Value = (Subject, String, Answers)> {
    (subject(), motive()).prop_flat_map(|(subject, motive)| {
        let of_motive: Vec<String> = book()
            .protocols()
            .iter()
            .filter(|known| known.motives.contains(&motive))
            .flat_map(|known| book().asked_by(known).map(|asked| asked.code.clone()))
            .collect();
        let anywhere = book().protocols().iter().flat_map(|known| &known.questions).map(|asked| asked.code.clone());
        let anywhere: Vec<String> = anywhere.collect();
        let codes = if of_motive.is_empty() { anywhere.clone() } else { of_motive };
        let answer = |codes: Vec<String>| {
            (select(codes), any::<prop::sample::Index>(), 0..10_u8).prop_map(|(code, pick, worry)| {
                let values = answers_to(&code);
                let calm = book().question(&code).unwrap().reassuring.clone();
                let value = if worry < 7 { calm } else { values[pick.index(values.len())].clone() };
                (code, value)
            })
        };
        let own = proptest::collection::vec(answer(codes), 0..40);
        let other = proptest::collection::vec(answer(anywhere), 0..2);
        let complaint = proptest::option::of(select(complaints(&motive)));
        (Just(subject), Just(motive), own, other, complaint).prop_map(|(subject, motive, own, other, complaint)| {
            let mut answers: Answers = own.into_iter().chain(other).collect();
            answers.extend(complaint.flatten().map(|code| ("PLAINTE".to_owned(), Value::Choice(code))));
            (subject, motive, answers)
        })
    })
}

fn complaints(motive: &str) -> Vec<Option<String>> {
    let of_motive = book().protocols().iter().filter(|known| known.motives.iter().any(|code| code == motive));
    let mut codes: Vec<_> =
        of_motive.filter_map(|known| known.presentation.as_ref()).map(|known| Some(known.code.clone())).collect();
    codes.push(None);
    codes
}

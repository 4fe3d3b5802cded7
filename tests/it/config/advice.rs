//! Sentences a doctor picks: shipped, a territory's own, and every fault with its line.

use std::fs;

use rstest::rstest;
use sas_dispatch::domain::{
    digest::digest,
    regulation::{
        advice::{AdviceList, Sentence, SentenceKind},
        dialogue::{CallAgain, Dialogue, SafetyNet},
    },
};

use super::Copy;

const FILE: &str = "advice.toml";

#[rstest]
#[case("code = \"REST\"", "code = \"repos\"", "sentence.code: expected 1 to 32 characters A-Z")]
#[case("code = \"REST\"", "code = \"GP.48H\"", "sentence.code: stands in this file already")]
#[case("motives = [\"M02.05\"]", "motives = [\"M92.05\"]", "sentence.motives: item 1: expected a motive code")]
#[case("age_below = \"P6Y\"", "age_below = \"six ans\"", "sentence.age_below: age: expected a duration")]
#[case("text = \"Ne conduisez pas.\"", "text = \"\"", "sentence.text: expected some words")]
#[case("text = \"Ne conduisez pas.\"", "texte = \"Ne conduisez pas.\"", "sentence.texte: unknown key")]
fn a_fault_of_a_sentence_has_its_line(#[case] old: &str, #[case] new: &str, #[case] told: &str) {
    let copy = Copy::of_shipped();
    copy.replace(FILE, old, new);
    let faults = copy.faults();
    let here = |fault: &&String| fault.starts_with(&format!("{FILE}:")) && fault.contains(told);
    assert!(faults.iter().any(|fault| here(&fault)), "{told}\nin {faults:#?}");
}

#[test]
fn a_territory_has_its_own_sentences_and_its_rules_are_another_version() {
    let copy = Copy::of_shipped();
    let list = |territory: &str| {
        let ground = copy.load().unwrap().territory(&territory.parse().unwrap()).unwrap();
        (ground.0.advice.as_ref().clone(), ground.0.version.digest.clone())
    };
    let (shipped, before) = list("fr-67");
    let of = |list: &AdviceList, kind| list.iter().filter(|known| known.kind == kind).count();
    assert!(of(&shipped, SentenceKind::Advice) >= 10 && of(&shipped, SentenceKind::SafetyNet) >= 8);
    let own = "version = \"67.1\"\n[[sentence]]\ncode = \"REST\"\nkind = \"ADVICE\"\ntext = \"Repos à la maison.\"\n";
    fs::write(copy.path().join("territories/fr-67").join(FILE), own).unwrap();
    let (changed, after) = list("fr-67");
    let rest = changed.get("REST").unwrap();
    assert_eq!((rest.text.as_str(), rest.version.as_str()), ("Repos à la maison.", "67.1"));
    assert_eq!(changed.iter().count(), shipped.iter().count(), "it took the place of the shipped one");
    assert_ne!(before, after, "a signature says which text it was");
    assert_ne!(list("fr-89").0.get("REST").unwrap().text, rest.text);
}

#[test]
fn without_a_list_any_code_is_taken() {
    let net = SafetyNet { watch_for: vec!["ANYTHING".to_owned()], call_again: CallAgain::Fifteen };
    let told = Dialogue { advice: vec!["SOMETHING".to_owned()], safety_net: Some(net), ..Dialogue::default() };
    assert_eq!(AdviceList::default().faults(&told), []);
}

fn sentence(code: &str, text: &str) -> Sentence {
    let (kind, version) = (SentenceKind::Advice, "2026.1".to_owned());
    let (code, text) = (code.to_owned(), text.to_owned());
    Sentence { code, kind, text, version, motives: Vec::new(), age_from: None, age_below: None }
}

#[test]
fn what_is_signed_keeps_its_words_and_of_what_has_no_room_the_digest() {
    let words: Vec<String> = (0..32).map(|n| format!("{n:02}{}", "é".repeat(298))).collect();
    let codes: Vec<String> = (0..32).map(|n| format!("LONG.{n:02}")).collect();
    let list = AdviceList::new(codes.iter().zip(&words).map(|(code, text)| sentence(code, text)));
    let net = SafetyNet { watch_for: codes[16..].to_vec(), call_again: CallAgain::Fifteen };
    let twice = codes[..16].iter().chain(&codes[..1]).cloned().collect();
    let told = list.worded(Dialogue { advice: twice, safety_net: Some(net), ..Dialogue::default() });
    assert_eq!(told.said.len(), 32, "each once");
    let kept: usize = told.said.iter().map(|said| said.text.len()).sum();
    assert!(kept > 7_000 && kept <= 8_192, "{kept}");
    assert_eq!(told.words(&codes[0]), Some(words[0].as_str()));
    for (said, text) in told.said.iter().zip(&words) {
        let of_words = digest([text.as_bytes()]);
        assert!(said.text == *text && said.digest.is_empty() || said.text.is_empty() && said.digest == of_words);
    }
    assert!(serde_json::to_vec(&told).unwrap().len() < 16 * 1_024, "an event holds 64 KiB, and more than this");
    // What the shipped list has fits whole, however much of it is told at once.
    let shipped = Copy::of_shipped().load().unwrap().territory(&"fr-67".parse().unwrap()).unwrap().0.advice.clone();
    let all: Vec<String> = shipped.iter().take(32).map(|known| known.code.clone()).collect();
    let told = shipped.worded(Dialogue { advice: all, ..Dialogue::default() });
    assert!(told.said.iter().all(|said| !said.text.is_empty()));
}

#[test]
fn what_was_signed_before_words_were_kept_still_reads() {
    let old = r#"{"advice":["REST"],"safety_net":{"watch_for":["PURPURA"],"call_again":"15"},"understood":"YES"}"#;
    let read: Dialogue = serde_json::from_str(old).unwrap();
    assert_eq!((read.said.len(), read.words("REST")), (0, None));
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}

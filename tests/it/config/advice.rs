//! Sentences a doctor picks: shipped, a territory's own, and every fault with its line.

use std::fs;

use rstest::rstest;
use sas_dispatch::domain::regulation::{
    advice::{AdviceList, SentenceKind},
    dialogue::{CallAgain, Dialogue, SafetyNet},
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

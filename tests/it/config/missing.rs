//! What is not there, cannot be read or is misspelt: nothing that a site has is left out without a word.

use std::{
    fs::{self, remove_dir_all, remove_file},
    path::Path,
};

use rstest::rstest;
use sas_dispatch::config::Config;

use super::Copy;

type Change = fn(&Path) -> std::io::Result<()>;

/// Found by testing: without its folder a site had no red flag at all, and the configuration was called faultless.
#[rstest]
#[case(|at: &Path| remove_dir_all(at.join("protocols")), &["protocols:1: no such folder; it is required"])]
#[case(
    |at: &Path| fs::rename(at.join("protocols"), at.join("protocoles")),
    &["protocoles:1: nobody reads this; known here: default.toml, advice.toml, protocols, territories",
        "protocols:1: no such folder; it is required"]
)]
#[case(
    |at: &Path| remove_dir_all(at.join("protocols")).and_then(|()| fs::write(at.join("protocols"), "")),
    &["protocols:1: expected a folder"]
)]
#[case(
    |at: &Path| remove_dir_all(at.join("protocols")).and_then(|()| fs::create_dir(at.join("protocols"))),
    &["protocols/commun.toml:1: no such file; it is required"]
)]
#[case(
    |at: &Path| {
        let common = fs::read(at.join("protocols/commun.toml"))?;
        remove_dir_all(at.join("protocols"))?;
        fs::create_dir(at.join("protocols"))?;
        fs::write(at.join("protocols/commun.toml"), common)
    },
    &["protocols:1: holds no protocol but the common one"]
)]
#[case(
    |at: &Path| fs::write(at.join("territories/fr-67/protocols"), ""),
    &["territories/fr-67/protocols:1: expected a folder"]
)]
#[case(|at: &Path| remove_file(at.join("advice.toml")), &["advice.toml:1: no such file; it is required"])]
#[case(|at: &Path| remove_dir_all(at.join("territories")), &["territories:1: no such folder; it is required"])]
#[case(
    |at: &Path| remove_dir_all(at.join("territories")).and_then(|()| fs::create_dir(at.join("territories"))),
    &["territories:1: holds no territory; each is a folder such as fr-67"]
)]
#[case(|at: &Path| fs::write(at.join("defaut.toml"), ""), &["defaut.toml:1: nobody reads this; known here: default.toml"])]
fn what_is_missing_or_misspelt_in_the_folder_is_a_fault(#[case] change: Change, #[case] told: &[&str]) {
    let copy = Copy::of_shipped();
    change(copy.path()).unwrap();
    let faults = copy.faults();
    for told in told {
        assert!(faults.iter().any(|fault| fault.starts_with(told)), "{told}\nin {faults:#?}");
    }
}

#[test]
fn dot_files_and_what_holds_no_rules_may_stand_in_the_folder_or_not() {
    let copy = Copy::of_shipped();
    for name in [".gitignore", "nos-vignettes.jsonl", "default.toml.bak"] {
        fs::write(copy.path().join(name), "").unwrap();
    }
    remove_file(copy.path().join("vignettes.jsonl")).unwrap();
    assert!(copy.load().is_ok());
}

#[test]
fn without_a_folder_everything_comes_with_the_program() {
    let config = Config::shipped().unwrap();
    assert!(config.territories.is_empty() && config.book.protocols().len() >= 75);
}

#[test]
fn a_triage_protocol_that_is_not_there_is_named_at_its_line() {
    let copy = Copy::of_shipped();
    let territory = "territories/fr-67/territory.toml";
    let named = "# triage_protocols = [\"THORAX\", \"FIEVRE_ADULTE\"]";
    let line = copy.replace(territory, named, "triage_protocols = [\"THORAX\", \"FIEVRE\"]");
    let told = format!("{territory}:{line}: regulation.triage_protocols: item 2: 'FIEVRE' is no triage protocol here");
    assert_eq!(copy.faults(), [told]);
}

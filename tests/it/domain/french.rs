//! In French, what is refused most often: each sentence belongs to a refusal that the rules still give.

use std::{fs, path::Path};

use sas_dispatch::domain::case::{Refusal, french::STATES};

fn source(dir: &Path, into: &mut String) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source(&path, into);
        } else if path.file_name().is_some_and(|name| name != "french.rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn each_sentence_belongs_to_a_refusal_that_is_given() {
    let mut rules = String::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    source(&root.join("domain"), &mut rules);
    source(&root.join("engine"), &mut rules);
    let joined: String = rules.split("\\\n").map(str::trim_start).collect();
    for (what, begins, french) in STATES {
        assert!(joined.contains(begins), "nothing is refused with '{begins}'");
        let refusal = Refusal::state(*what, format!("{begins} and more"));
        assert_eq!(refusal.french(), *french, "{what}: {begins}: another one comes before it");
        assert!(french.ends_with('.') && french.len() < 200, "{french}");
    }
    assert!(Refusal::state("offer", "anything else").french().contains("voyez le détail"));
}

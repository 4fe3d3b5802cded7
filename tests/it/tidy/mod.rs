//! The rules of layout and size over the whole source (design.md §3 (6), §4), as a test, and a test of the checker.

mod cases;
mod lex;
mod rings;
mod shape;
mod tree;
mod uses;

use std::path::Path;

use tree::{Finding, Tree};
use uses::Graph;

fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = rings::check(&Graph::of(tree));
    findings.extend(shape::check(tree));
    findings
}

fn repository() -> Tree {
    Tree::read(Path::new(env!("CARGO_MANIFEST_DIR")))
}

#[test]
fn the_repository_keeps_its_own_rules() {
    let tree = repository();
    for (path, text) in tree.rust("src/").filter(|(_, text)| text.lines().count() > shape::USUAL_LINES) {
        println!("info: {path} has {} lines, about {} is usual", text.lines().count(), shape::USUAL_LINES);
    }
    let findings: Vec<String> = check(&tree).iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// An empty graph would keep every rule.
#[test]
fn the_graph_sees_the_real_modules_and_what_they_name() {
    let graph = Graph::of(&repository());
    let named = |from: &str, to: &str| {
        graph.namings.iter().any(|naming| {
            naming.from.join("::").starts_with(from)
                && match &naming.to {
                    uses::Target::Ours(module) => module.join("::") == to,
                    uses::Target::Other(path) => path[0] == to,
                }
        })
    };
    assert!(named("store", "domain::ids"));
    assert!(named("domain", "serde"));
    assert!(named("clock", "domain::time"));
    assert!(graph.modules.keys().any(|module| module.starts_with(&rings::regulation()) && module.len() > 2));
}

//! The checker, on small trees that each break one rule.

use super::{
    check,
    tree::{Finding, Tree},
};

const MANIFEST: &str = "[dependencies]\nredis = \"1\"\ntonic = \"0\"\nserde = \"1\"\ntracing = \"0\"\ntokio = \"1\"\n\
                        opentelemetry = \"0\"\nchrono = \"0\"\n[dev-dependencies]\nproptest = \"1\"\n";

/// A tree of small modules that keeps every rule, with the `extra` files put in or replaced.
fn with(extra: &[(&str, &str)]) -> Tree {
    let mut files = vec![
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "//! Map.\npub mod cli;\npub mod clock;\npub mod domain;\npub mod engine;\npub mod store;\n"),
        ("src/main.rs", "//! Binary.\nfn main() { sas_dispatch::cli::run() }\n"),
        ("src/cli/mod.rs", "//! Cli.\npub fn run() { println!(\"{}\", crate::engine::act()); }\n"),
        ("src/clock.rs", "//! Clock.\npub fn now() { chrono::Utc::now(); }\n"),
        ("src/engine/mod.rs", "//! Engine.\nuse crate::{domain::case, store::{self, redis}};\npub fn act() {}\n"),
        ("src/store/mod.rs", "//! Store.\npub mod redis;\npub fn keep() {}\n"),
        ("src/store/redis.rs", "//! Redis.\nuse redis::Client;\n"),
        (
            "src/domain/mod.rs",
            "//! Domain.\npub mod case;\npub mod regulation;\npub mod routing;\npub mod territory;\npub mod time;\n\
             pub use time::Instant;\npub use routing::Plan;\n",
        ),
        ("src/domain/case.rs", "//! Case.\nuse super::{regulation::need, routing::Plan};\n"),
        ("src/domain/regulation/mod.rs", "//! Need.\nuse crate::domain::Instant;\npub fn need() {}\n"),
        ("src/domain/routing.rs", "//! Plan.\nuse serde::Serialize;\npub struct Plan;\n"),
        ("src/domain/territory.rs", "//! Territory.\n"),
        (
            "src/domain/time.rs",
            "//! Time.\npub struct Instant;\n#[cfg(test)]\nmod tests { use proptest::prelude::*; }\n",
        ),
    ];
    for (path, text) in extra {
        files.retain(|(known, _)| known != path);
        files.push((path, text));
    }
    Tree::of(&files)
}

/// Each line: what it shows, the file, the rule it breaks, a part of the message, and the file's code after its head
/// (`/` stands for a new line).
fn hold(cases: &str) {
    for case in cases.lines().filter(|line| !line.trim().is_empty()) {
        let columns: Vec<&str> = case.splitn(5, " | ").map(str::trim).collect();
        let [what, file, rule, part, code] = columns[..] else { panic!("five columns: {case}") };
        caught(what, &[(file, &format!("//! H.\n{}\n", code.replace(" / ", "\n")))], rule, part);
    }
}

fn caught(what: &str, files: &[(&str, &str)], rule: &str, part: &str) {
    let findings = check(&with(files));
    let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(findings.len(), 1, "{what}: {told:#?}");
    assert_eq!(findings[0].rule, rule, "{what}: {told:#?}");
    assert!(findings[0].message.contains(part), "{what}: {told:#?}");
}

#[test]
fn a_tree_that_keeps_the_rules_has_no_finding() {
    assert_eq!(check(&with(&[])), []);
}

#[test]
fn a_ring_that_names_a_higher_one_is_caught_however_it_is_written() {
    hold("
        plain use | src/store/mod.rs | direction | `store` names `engine` | pub mod redis; / use crate::engine::act;
        nested | src/store/mod.rs | direction | `engine` | pub mod redis; / use crate::{domain::{time}, engine::{self as e}};
        super | src/store/redis.rs | direction | `engine` | use super::super::engine;
        inline | src/store/mod.rs | direction | `engine` | pub mod redis; / fn f() { crate::engine::act() }
        by an alias | src/store/redis.rs | direction | `engine` | use crate as ours; / fn f() { ours::engine::act() }
        in a macro | src/store/mod.rs | direction | `engine` | pub mod redis; / fn f() { assert!(crate::engine::act()) }
        in a string | src/store/redis.rs | direction | `engine` | #[serde(with = \"crate::engine::act\")] / struct S;
        main | src/main.rs | direction | `main` names `store` | fn main() { sas_dispatch::store::keep() }
        domain | src/domain/territory.rs | direction | nothing outside itself | use crate::clock;
        domain test | src/domain/territory.rs | direction | nothing | #[cfg(test)] / mod tests { use crate::clock; }
        no module | src/store/lost.rs | orphan | no `mod` | pub fn f() {}
    ");
}

#[test]
fn a_ring_without_a_place_is_caught() {
    let lib = "//! M.\nmod cli;\nmod clock;\nmod domain;\nmod engine;\nmod store;\nmod util;\n";
    let util = "//! U.\nuse crate::store;\n";
    caught("a new ring", &[("src/lib.rs", lib), ("src/util.rs", util)], "direction", "`util` has no place");
}

#[test]
fn a_crate_outside_its_ring_is_caught() {
    hold(
        "
        redis | src/engine/mod.rs | owned crate | outside `store` | pub fn act() {} / use redis::Client as C;
        redis in full | src/engine/mod.rs | owned crate | outside `store` | pub fn act(c: ::redis::Client) {}
        tonic | src/engine/mod.rs | owned crate | outside `grpc` | pub fn act() -> tonic::Status {}
        own meter | src/engine/mod.rs | owned crate | `telemetry` | pub fn act() { opentelemetry::global::meter(1) }
        log | src/domain/case.rs | pure domain | tracing::info | fn f() { tracing::info!(1) }
        file | src/domain/case.rs | pure domain | std::fs | use std::{fmt, fs::File};
        async | src/domain/case.rs | pure domain | no async | async fn f() {}
    ",
    );
}

#[test]
fn a_way_from_regulation_to_supply_is_printed_step_by_step() {
    hold("
        direct | src/domain/regulation/mod.rs | independence | mod.rs:2) → domain::routing | pub fn need(p: crate::domain::routing::Plan) {}
        by re-export | src/domain/regulation/mod.rs | independence | → domain::routing | pub fn need() {} / use crate::domain::Plan;
        by the case | src/domain/regulation/mod.rs | independence | → domain::case | pub fn need() {} / use super::case;
        by a glob | src/domain/regulation/mod.rs | independence | → domain ( | pub fn need() {} / use super::*;
    ");
    let files = [
        ("src/domain/regulation/mod.rs", "//! N.\nmod queue;\npub fn need() {}\n"),
        ("src/domain/regulation/queue.rs", "//! Q.\nuse super::super::territory;\n"),
        ("src/domain/territory.rs", "//! T.\nuse super::routing::Plan;\n"),
    ];
    let way = "domain::regulation::queue (src/domain/regulation/queue.rs:2) → \
               domain::territory (src/domain/territory.rs:2) → domain::routing";
    caught("from a child, by a third module", &files, "independence", way);
}

#[test]
fn sizes_and_heads_are_held() {
    let long_function = format!("//! E.\npub fn act() {{\n{}}}\n", "    let _ = 1;\n".repeat(69));
    let long_file = format!("//! E.\npub fn act() {{}}\n{}", "const _: u8 = 1;\n".repeat(499));
    for (text, rule) in [(&long_function, "function size"), (&long_file, "file size")] {
        let findings = check(&with(&[("src/engine/mod.rs", text)]));
        assert_eq!(findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [rule]);
        let shorter: Vec<&str> = text.lines().enumerate().filter(|(at, _)| *at != 2).map(|(_, line)| line).collect();
        assert_eq!(check(&with(&[("src/engine/mod.rs", &format!("{}\n", shorter.join("\n")))])), []);
    }
    caught("no head", &[("src/engine/mod.rs", "pub fn act() {}\n")], "head", "//!");
    caught("no head in a test", &[("tests/it/main.rs", "mod x;\n")], "head", "//!");
    caught("one folder more", &[("docs/a.md", "x")], "top level", "fixed");
    caught("not Rust", &[("tests/it/story.rs", "//! S.\nfn f( {\n")], "parse", "");
}

#[test]
fn what_no_file_may_hold_is_caught() {
    hold("
        unwrap | src/engine/mod.rs | unwrap | expect | pub fn act() { f().unwrap() }
        todo | src/engine/mod.rs | unfinished | todo | pub fn act() { todo!() }
        dbg | tests/it/story.rs | unfinished | dbg | fn f() { dbg!(1); }
        print | src/engine/mod.rs | print | tracing | pub fn act() { println!() }
        clock | src/engine/mod.rs | clock | src/clock.rs | pub fn act() { std::time::Instant::now(); }
        id | src/engine/mod.rs | clock | src/clock.rs | pub fn act() { Uuid::now_v7(); }
        allow | src/engine/mod.rs | allow | expect | #[allow(dead_code)] / pub fn act() {}
        allow all | src/engine/mod.rs | allow | expect | #![allow(dead_code)] / pub fn act() {}
        allow if | src/engine/mod.rs | allow | expect | #[cfg_attr(x, allow(dead_code))] / pub fn act() {}
        ignore | tests/it/story.rs | ignore | does not run | #[test] / #[ignore = \"slow\"] / fn f() {}
        instrument | src/engine/mod.rs | instrument | skip_all | #[tracing::instrument(fields(a = 1))] / pub fn act() {}
        path | tests/it/story.rs | path | where its name says | #[path = \"x\"] / mod f;
        sleep | tests/it/story.rs | sleep | condition | fn f() { tokio::time::sleep(d) }
        unit sleep | src/engine/mod.rs | sleep | condition | pub fn act() {} / #[tokio::test] / async fn f() { sleep(d) }
        banner | src/engine/mod.rs | banner | banner | // ----- acts / pub fn act() {}
    ");
    caught("in a script", &[("tests/run", "echo\n##### stages\n")], "banner", "banner");
    caught("a machine's path", &[("deploy/docs/a.md", concat!("see /wo", "rk/x\n"))], "machine", "one machine's");
    caught("a package service", &[("README.md", concat!("from py", "pi.org\n"))], "machine", "service's");
}

#[test]
fn what_looks_like_an_offence_and_is_none_passes() {
    let engine = "//! E.\n//!\n//! | a | b |\n//! |---|---|\n//! ```text\n//! console ----> grpc\n//! ```\n\
                  use std::time::Duration;\n\
                  pub fn act() -> impl Sized + use<> { let todo = \"x.unwrap() // ---- todo!()\"; todo }\n\
                  #[cfg(test)]\nmod tests { #[test] fn f() { super::g().unwrap(); println!(); } }\n";
    assert_eq!(check(&with(&[("src/engine/mod.rs", engine)])), []);
    let span = "//! E.\n#[tracing::instrument(skip_all, fields(seq))]\npub fn act() {}\n";
    assert_eq!(check(&with(&[("src/engine/mod.rs", span)])), []);
    let shared = concat!("[ -d ../shared/wo", "rk/ ]\n# a - b -- c\n");
    assert_eq!(check(&with(&[("tests/run", shared)])), []);
}

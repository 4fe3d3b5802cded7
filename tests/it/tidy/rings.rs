//! Which ring may name which, which crates belong to one ring, and what regulation must never reach.

use std::collections::{BTreeMap, VecDeque};

use super::{
    tree::Finding,
    uses::{Graph, Module, Naming, Target},
};

/// Each ring and the rings it may name. `clock` and `telemetry` are the floor under every ring but the pure ones.
const RINGS: [(&str, &[&str]); 14] = [
    ("main", &["cli", "app"]),
    (
        "cli",
        &[
            "app",
            "grpc",
            "telephony",
            "interop",
            "sheet",
            "engine",
            "archive",
            "store",
            "domain",
            "config",
            "clock",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "grpc",
            "telephony",
            "interop",
            "sheet",
            "engine",
            "archive",
            "store",
            "domain",
            "config",
            "clock",
            "telemetry",
        ],
    ),
    // One rpc takes a message of the Hub as it is: the door decodes it, the engine acts.
    ("grpc", &["interop", "engine", "store", "domain", "clock", "telemetry"]),
    ("telephony", &["engine", "store", "domain", "clock", "telemetry"]),
    ("sheet", &["engine", "domain", "clock", "telemetry"]),
    ("interop", &["engine", "store", "domain", "clock", "telemetry"]),
    ("engine", &["archive", "store", "domain", "clock", "telemetry"]),
    // Files of a territory's rows: they know rows, and nothing of what a row means.
    ("archive", &["store", "domain", "clock", "telemetry"]),
    ("store", &["domain", "clock", "telemetry"]),
    ("config", &["domain"]),
    ("clock", &["domain"]),
    ("telemetry", &["domain"]),
    ("domain", &[]),
];

/// Crates that only one ring names, by the start of their names.
const OWNED: [(&str, &str); 7] = [
    ("redis", "store"),
    ("redb", "store"),
    ("tonic", "grpc"),
    ("prost", "grpc"),
    ("opentelemetry", "telemetry"),
    ("tracing_opentelemetry", "telemetry"),
    ("tracing_subscriber", "telemetry"),
];

/// What the domain may name beside itself: data, calendars, and digests of what was configured.
const PURE: [&str; 11] = [
    "std",
    "core",
    "alloc",
    "serde",
    "serde_json",
    "chrono",
    "chrono_tz",
    "uuid",
    "thiserror",
    "opening_hours",
    "sha2",
];

/// Parts of `std` that reach outside the process or wait.
const IMPURE_STD: [&str; 10] = ["fs", "io", "net", "env", "process", "thread", "os", "future", "task", "time"];

/// What qualification, queue order and the need must not reach, by any way: supply, and the case that holds it.
const SUPPLY: [&str; 5] = ["routing", "slots", "visits", "directory", "case"];

/// All findings of the three rules.
pub fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = graph.findings.clone();
    for naming in &graph.namings {
        findings.extend(match &naming.to {
            Target::Ours(to) => direction(naming, to),
            Target::Other(path) => owned(naming, path).or_else(|| pure(naming, path)),
        });
    }
    findings.extend(independence(graph));
    findings
}

fn ring(module: &Module) -> &str {
    module.first().map_or("", String::as_str)
}

fn direction(naming: &Naming, to: &Module) -> Option<Finding> {
    let (from, to) = (ring(&naming.from), ring(to));
    if from == to || from.is_empty() || to.is_empty() {
        return None;
    }
    let message = match RINGS.iter().find(|(name, _)| *name == from) {
        None => format!("`{from}` has no place in the direction of dependency: give it one in the tidy test's table"),
        Some((_, below)) if below.contains(&to) => return None,
        Some((_, [])) => format!("`{from}` names `{to}`: it may name nothing outside itself"),
        Some((_, below)) => format!("`{from}` names `{to}`: it may name only {}", below.join(", ")),
    };
    Some(Finding::new("direction", &naming.file, naming.line, message))
}

fn owned(naming: &Naming, path: &[String]) -> Option<Finding> {
    let from = ring(&naming.from);
    let (_, owner) = OWNED.iter().find(|(start, _)| path[0].starts_with(start))?;
    (from != *owner).then(|| {
        let message = format!("`{}` is named outside `{owner}`: go through `crate::{owner}`", path[0]);
        Finding::new("owned crate", &naming.file, naming.line, message)
    })
}

fn pure(naming: &Naming, path: &[String]) -> Option<Finding> {
    if ring(&naming.from) != "domain" || naming.test {
        return None;
    }
    let duration = path.get(2).is_some_and(|item| item == "Duration");
    let impure = path.len() > 1 && path[0] == "std" && IMPURE_STD.contains(&path[1].as_str()) && !duration;
    (impure || !PURE.contains(&path[0].as_str())).then(|| {
        let message = format!("the domain is pure and names `{}`", path.join("::"));
        Finding::new("pure domain", &naming.file, naming.line, message)
    })
}

/// The first way from `domain::regulation` to each part that holds supply, tests left out.
fn independence(graph: &Graph) -> Vec<Finding> {
    let mut edges: BTreeMap<&Module, Vec<(&Module, &Naming)>> = BTreeMap::new();
    for naming in graph.namings.iter().filter(|naming| !naming.test) {
        if let Target::Ours(to) = &naming.to {
            edges.entry(&naming.from).or_default().push((to, naming));
        }
    }
    let starts = graph.modules.iter().filter(|(module, test)| !**test && module.starts_with(&regulation()));
    let mut queue: VecDeque<&Module> = starts.map(|(module, _)| module).collect();
    let mut came: BTreeMap<&Module, Option<(&Module, &Naming)>> = queue.iter().map(|start| (*start, None)).collect();
    let mut findings = Vec::new();
    while let Some(at) = queue.pop_front() {
        if at.len() > 1 && at[0] == "domain" && SUPPLY.contains(&at[1].as_str()) {
            findings.push(offence(at, &came));
            continue;
        }
        for (to, naming) in edges.get(at).into_iter().flatten() {
            if !came.contains_key(to) {
                came.insert(to, Some((at, naming)));
                queue.push_back(to);
            }
        }
    }
    findings
}

/// Where the independence rule starts.
pub fn regulation() -> Module {
    ["domain", "regulation"].map(str::to_owned).to_vec()
}

fn offence(reached: &Module, came: &BTreeMap<&Module, Option<(&Module, &Naming)>>) -> Finding {
    let mut steps = vec![reached.join("::")];
    let mut at = reached;
    let mut last = None;
    while let Some(Some((from, naming))) = came.get(at) {
        steps.push(format!("{} ({}:{})", from.join("::"), naming.file, naming.line));
        (at, last) = (*from, Some(*naming));
    }
    steps.reverse();
    let (file, line) = last.map_or(("src/domain/regulation", 0), |naming| (naming.file.as_str(), naming.line));
    Finding::new("independence", file, line, format!("regulation reaches supply: {}", steps.join(" → ")))
}

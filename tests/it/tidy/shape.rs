//! Sizes, and what no file may hold: unfinished work, silent panics, clock reads, sleeps, banners, machine names.

use super::{
    lex::{self, Token, reads},
    tree::{Finding, Tree},
};

/// The longest function, in lines from `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;
/// The longest Rust file.
const FILE_LINES: usize = 500;
/// The usual length; longer files are only listed.
pub const USUAL_LINES: usize = 150;

/// The visible names the root may have; `target` and `data` are made by building and running.
const ROOT: [&str; 10] =
    ["Cargo.toml", "Cargo.lock", "README.md", "config", "console", "data", "deploy", "proto", "src", "target"];

/// Texts of one machine or of a package service, each in two halves so that this file does not hold it.
const MACHINE: [(&str, &str); 14] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("/tmp", "/wt"),
    ("/tmp", "/build"),
    ("/tmp", "/env"),
    ("crates", ".io"),
    ("py", "pi.org"),
    ("python", "hosted.org"),
    ("npm", "js.org"),
    ("static.rust", "-lang.org"),
    ("deb.debian", ".org"),
    ("proxy.golang", ".org"),
];

/// All findings of this file's rules.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree
        .visible
        .iter()
        .filter(|name| !ROOT.contains(&name.as_str()) && *name != "tests")
        .map(|name| Finding::new("top level", name, 0, "the visible top level is fixed by the design"))
        .collect();
    for (path, text) in &tree.files {
        lines(path, text, &mut findings);
    }
    for (path, text) in ["src/", "tests/", "proto/"].iter().flat_map(|folder| tree.rust(folder)) {
        file(path, text, &mut findings);
        match lex::lex(text) {
            Ok(tokens) => code(path, &tokens, &mut findings),
            Err(error) => findings.push(Finding::new("parse", path, 0, error)),
        }
    }
    findings
}

fn file(path: &str, text: &str, findings: &mut Vec<Finding>) {
    if !text.starts_with("//!") {
        findings.push(Finding::new("head", path, 1, "open the file with `//!` and what it decides"));
    }
    let lines = text.lines().count();
    if lines > FILE_LINES {
        let message = format!("{lines} lines: split it, {FILE_LINES} is the limit and {USUAL_LINES} is usual");
        findings.push(Finding::new("file size", path, lines, message));
    }
}

fn lines(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (at, line) in text.lines().enumerate() {
        if banner(path, line) {
            findings.push(Finding::new("banner", path, at + 1, "no banner lines: a heading is a module or a sentence"));
        }
        // The lock file names the registry on every entry; nobody writes it.
        let machine = MACHINE.iter().map(|(a, b)| format!("{a}{b}")).find(|name| names(line, name));
        if let Some(name) = machine.filter(|_| path != "Cargo.lock") {
            findings.push(Finding::new("machine", path, at + 1, format!("`{name}` is one machine's or one service's")));
        }
    }
}

/// True when `name` stands in `line`, and for a path not as the tail of a longer one.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !name.starts_with('/') || !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}'))
    })
}

/// True for a comment that draws a line: `// -----`, `# ==== Title ====`. In a doc comment only a line of nothing else.
fn banner(path: &str, line: &str) -> bool {
    let leads: &[&str] = match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "rs" | "proto" => &["///", "//!", "//"],
        "lua" => &["--"],
        "md" | "csv" | "json" | "lock" => return false,
        _ => &["#"],
    };
    let Some(lead) = leads.iter().find(|lead| line.trim_start().starts_with(**lead)) else { return false };
    let body = line.trim_start()[lead.len()..].trim();
    let drawn = |chars: &mut dyn Iterator<Item = char>| {
        let first = chars.next().filter(|c| "-=*~#/_+─═".contains(*c));
        first.map_or(0, |first| 1 + chars.take_while(|c| *c == first).count())
    };
    let (start, end) = (drawn(&mut body.chars()), drawn(&mut body.chars().rev()));
    if lead.len() == 3 && path.ends_with(".rs") {
        return start >= 4 && start == body.chars().count();
    }
    start >= 4 || end >= 4
}

fn code(path: &str, tokens: &[Token], findings: &mut Vec<Finding>) {
    let mut find = |rule, at: usize, message: &str| findings.push(Finding::new(rule, path, tokens[at].line, message));
    let in_tests = path.starts_with("tests/");
    let prints = path.starts_with("src/cli/") || path == "src/main.rs" || !path.starts_with("src/");
    for at in 0..tokens.len() {
        let test = in_tests || tokens[at].test;
        let call = |names: &[&str], next: &str| {
            names.contains(&tokens[at].text.as_str()) && tokens.get(at + 1).is_some_and(|token| token.text == next)
        };
        if call(&["todo", "unimplemented", "dbg"], "!") {
            find("unfinished", at, "finish it: no `todo!`, `unimplemented!` or `dbg!`");
        }
        if call(&["println", "print", "eprintln", "eprint"], "!") && !prints && !test {
            find("print", at, "only `cli` prints: use `tracing`");
        }
        if reads(tokens, at, &[".", "unwrap", "("]) && !test {
            find("unwrap", at, "say why it cannot fail with `expect`, or handle it");
        }
        if call(&["sleep", "sleep_until", "sleep_ms"], "(") && test {
            find("sleep", at, "a test waits for a condition, never for a time");
        }
        if reads_clock(tokens, at) && path.starts_with("src/") && path != "src/clock.rs" {
            find("clock", at, "only `src/clock.rs` reads time: take `now`, or ask the clock");
        }
        attribute(tokens, at, &mut find);
        domain(path, tokens, at, &mut find);
    }
    functions(path, tokens, findings);
}

fn reads_clock(tokens: &[Token], at: usize) -> bool {
    let source = |text: &str| matches!(text, "SystemTime" | "Instant" | "Utc" | "Local" | "OffsetDateTime");
    let now = reads(tokens, at + 1, &["::", "now"]) && source(&tokens[at].text);
    now || matches!(tokens[at].text.as_str(), "now_v7" | "now_v1" | "now_v6")
}

/// `#[allow(…)]`, `#[ignore]`, `#[path]`, also inside `cfg_attr`; and `#[instrument]`, which by itself writes down every
/// argument.
fn attribute(tokens: &[Token], at: usize, find: &mut impl FnMut(&'static str, usize, &str)) {
    let open = at + if reads(tokens, at, &["#", "!"]) { 2 } else { 1 };
    if tokens[at].text != "#" || tokens.get(open).is_none_or(|token| token.text != "[") {
        return;
    }
    for word in open + 1..tokens[open].close {
        let starts = matches!(tokens[word - 1].text.as_str(), "[" | "," | "(");
        match tokens[word].text.as_str() {
            "allow" if starts => find("allow", word, "use `#[expect(…, reason = …)]`: it says why and ends by itself"),
            "ignore" if starts => find("ignore", word, "a test that does not run shows nothing"),
            "instrument" if !arguments_skipped(&tokens[open..tokens[open].close]) => {
                find("instrument", word, "write `skip_all` and name each field: arguments may be a patient's");
            }
            "path" if word == open + 1 => find("path", word, "a module lies where its name says"),
            _ => {}
        }
    }
}

fn arguments_skipped(attribute: &[Token]) -> bool {
    attribute.iter().any(|token| token.text == "skip_all")
}

fn domain(path: &str, tokens: &[Token], at: usize, find: &mut impl FnMut(&'static str, usize, &str)) {
    if path.starts_with("src/domain/") && !tokens[at].test && matches!(tokens[at].text.as_str(), "async" | "await") {
        find("pure domain", at, "the domain has no async");
    }
}

fn functions(path: &str, tokens: &[Token], findings: &mut Vec<Finding>) {
    for at in 0..tokens.len().saturating_sub(1) {
        if tokens[at].text != "fn" || !tokens[at + 1].is_word() {
            continue;
        }
        let end = lex::item_end(tokens, at);
        let lines = tokens[end].line + 1 - tokens[at].line;
        if lines > FUNCTION_LINES {
            let message = format!("`{}` has {lines} lines, {FUNCTION_LINES} is the limit", tokens[at + 1].text);
            findings.push(Finding::new("function size", path, tokens[at].line, message));
        }
    }
}

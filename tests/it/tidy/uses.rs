//! Which module names what: every `use` and every path of `src/`, resolved to a module of ours or to another crate.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    lex::{self, Token},
    tree::{Finding, Tree},
};

/// A module's place below the crate root; the root itself is empty, `main.rs` is `main`.
pub type Module = Vec<String>;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A path of this crate, and the module that holds its item (re-exports followed).
    Ours(Module),
    /// A path of another crate, its name first.
    Other(Vec<String>),
}

/// One naming of something from somewhere.
#[derive(Debug, Clone)]
pub struct Naming {
    /// The module that names.
    pub from: Module,
    /// Its file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// Only compiled for tests.
    pub test: bool,
    /// What is named.
    pub to: Target,
}

/// A path as written in a module.
struct Written {
    from: Module,
    line: usize,
    test: bool,
    path: Vec<String>,
}

/// The module graph of `src/`.
#[derive(Default)]
pub struct Graph {
    /// Every module, with whether only tests compile it.
    pub modules: BTreeMap<Module, bool>,
    /// Every naming, in the order of files and lines.
    pub namings: Vec<Naming>,
    /// What could not be read.
    pub findings: Vec<Finding>,
    imports: BTreeMap<(Module, String), Vec<String>>,
    crates: BTreeSet<String>,
}

/// The module of a file below `src/`.
fn module_of(file: &str) -> Module {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Module = path.split('/').map(str::to_owned).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

impl Graph {
    /// Reads all of `src/`.
    pub fn of(tree: &Tree) -> Self {
        let mut graph = Self { crates: tree.crates(), ..Self::default() };
        let mut written = Vec::new();
        let mut declared = BTreeMap::new();
        for (file, text) in tree.rust("src/") {
            let module = module_of(file);
            graph.modules.entry(module.clone()).or_insert(false);
            match lex::lex(text) {
                Ok(tokens) => {
                    let mut scan = Scan { tokens: &tokens, modules: Vec::new(), written: Vec::new() };
                    scan.modules(&module, &mut graph.modules, &mut declared);
                    scan.paths(&mut graph.imports);
                    written.extend(scan.written.into_iter().map(|path| (file.to_owned(), path)));
                }
                Err(error) => graph.findings.push(Finding::new("parse", file, 0, error)),
            }
        }
        graph.orphans(tree, &declared);
        for (module, test) in declared {
            graph.modules.entry(module).and_modify(|known| *known |= test);
        }
        graph.namings = written.into_iter().filter_map(|(file, path)| graph.naming(file, path)).collect();
        graph
    }

    /// A file that no `mod` names is dead text; one reached by `#[path]` would hide from this graph.
    fn orphans(&mut self, tree: &Tree, declared: &BTreeMap<Module, bool>) {
        for (file, _) in tree.rust("src/") {
            let module = module_of(file);
            if !module.is_empty() && module != ["main"] && !declared.contains_key(&module) {
                self.findings.push(Finding::new("orphan", file, 0, "no `mod` names this file"));
            }
        }
    }

    fn naming(&self, file: String, written: Written) -> Option<Naming> {
        let to = match self.resolve(&written.from, &written.path, 0)? {
            Target::Ours(path) => Target::Ours(self.home(path, 0)),
            other => other,
        };
        let from = self.enclosing(&written.from).to_vec();
        let test = written.test || (1..=from.len()).any(|n| self.modules.get(&from[..n]) == Some(&true));
        Some(Naming { from, file, line: written.line, test, to })
    }

    /// The absolute form of `path` as written in `module`; nothing for names this graph does not know (locals, types).
    fn resolve(&self, module: &Module, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let below = |base: &[String]| Some(Target::Ours([base, rest].concat()));
        match first.as_str() {
            "crate" if module.first().is_some_and(|name| name == "main") => return below(&module[..1]),
            "crate" | "sas_dispatch" => return below(&[]),
            "self" => return below(module),
            "super" => {
                let parent = module.split_last().map_or(Vec::new(), |(_, parent)| parent.to_vec());
                return match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(&parent, rest, depth),
                    _ => below(&parent),
                };
            }
            _ => {}
        }
        if first == "::" {
            return rest.first().filter(|name| self.crates.contains(*name)).map(|_| Target::Other(rest.to_vec()));
        }
        if let Some(import) = self.imports.get(&(module.clone(), first.clone()))
            && depth < 8
            && import.first() != Some(first)
        {
            return self.resolve(module, &[import, rest].concat(), depth + 1);
        }
        let child = [module.as_slice(), std::slice::from_ref(first)].concat();
        if self.modules.contains_key(&child) {
            return below(&child);
        }
        self.crates.contains(first).then(|| Target::Other(path.to_vec()))
    }

    /// The longest known module that `path` starts with.
    fn enclosing<'a>(&self, path: &'a [String]) -> &'a [String] {
        (0..=path.len()).rev().map(|n| &path[..n]).find(|start| self.modules.contains_key(*start)).unwrap_or(&[])
    }

    /// The module that defines the item at `path`, re-exports of ours followed.
    fn home(&self, path: Module, depth: usize) -> Module {
        let module = self.enclosing(&path).to_vec();
        let Some(item) = path.get(module.len()) else { return module };
        let Some(import) = self.imports.get(&(module.clone(), item.clone())).filter(|_| depth < 8) else {
            return module;
        };
        match self.resolve(&module, import, depth) {
            Some(Target::Ours(target)) => self.home([target, path[module.len() + 1..].to_vec()].concat(), depth + 1),
            _ => module,
        }
    }
}

/// One file's tokens on the way to modules and paths.
struct Scan<'a> {
    tokens: &'a [Token],
    /// Inline modules as (first token, last token, module); the file's own comes first.
    modules: Vec<(usize, usize, Module)>,
    written: Vec<Written>,
}

impl Scan<'_> {
    /// Finds `mod name;` and `mod name { … }`, inner ones below outer ones.
    fn modules(&mut self, file: &Module, known: &mut BTreeMap<Module, bool>, declared: &mut BTreeMap<Module, bool>) {
        self.modules.push((0, self.tokens.len(), file.clone()));
        for at in 0..self.tokens.len().saturating_sub(2) {
            let [keyword, name, next] = &self.tokens[at..at + 3] else { continue };
            if keyword.text != "mod" || !name.is_word() {
                continue;
            }
            let mut module = self.module_at(at);
            // `main.rs` and `lib.rs` are two roots; the files belong to the library.
            module.push(name.text.clone());
            match next.text.as_str() {
                ";" => drop(declared.insert(module, keyword.test)),
                "{" => {
                    known.insert(module.clone(), keyword.test);
                    self.modules.push((at, next.close, module));
                }
                _ => {}
            }
        }
    }

    fn module_at(&self, at: usize) -> Module {
        let inside = self.modules.iter().rev().find(|(start, end, _)| (*start..=*end).contains(&at));
        inside.map(|(_, _, module)| module.clone()).unwrap_or_default()
    }

    /// Finds every `use`, every path of two words or more, and every path in an attribute's string.
    fn paths(&mut self, imports: &mut BTreeMap<(Module, String), Vec<String>>) {
        let mut at = 0;
        while at < self.tokens.len() {
            let token = &self.tokens[at];
            if token.text == "use" && self.tokens.get(at + 1).is_some_and(|next| next.text != "<") {
                let end = lex::use_end(self.tokens, at);
                self.import(at + 1, end, imports);
                at = end;
            } else if token.text.starts_with("\"crate::") || token.text.starts_with("\"super::") {
                let path = token.text.trim_matches('"').split("::").map(str::to_owned).collect();
                self.write(at, path);
            } else if let Some((path, next)) = self.path(at) {
                self.write(at, path);
                at = next;
                continue;
            }
            at += 1;
        }
    }

    fn write(&mut self, at: usize, path: Vec<String>) {
        let token = &self.tokens[at];
        self.written.push(Written { from: self.module_at(at), line: token.line, test: token.test, path });
    }

    /// The path that starts at `at` and the token after it, when it has two words or a leading `::`.
    fn path(&self, at: usize) -> Option<(Vec<String>, usize)> {
        let word = |at: usize| self.tokens.get(at).is_some_and(Token::is_word);
        let colons = |at: usize| self.tokens.get(at).is_some_and(|token| token.text == "::");
        let mut path = Vec::new();
        let mut next = at;
        if colons(at) && word(at + 1) && (at == 0 || !(word(at - 1) || self.tokens[at - 1].text == ">")) {
            path.push("::".to_owned());
            next += 1;
        } else if !word(at) || !colons(at + 1) || (at > 0 && colons(at - 1)) {
            return None;
        }
        path.push(self.tokens[next].text.clone());
        while colons(next + 1) && word(next + 2) {
            next += 2;
            path.push(self.tokens[next].text.clone());
        }
        Some((path, next + 1))
    }

    /// The leaves of a `use` tree between `at` and `end`.
    fn import(&mut self, at: usize, end: usize, imports: &mut BTreeMap<(Module, String), Vec<String>>) {
        let mut leaves = Vec::new();
        self.leaves(at, end, &[], &mut leaves);
        for (at, mut path, alias) in leaves {
            let glob = path.last().is_some_and(|last| last == "*");
            if glob || path.last().is_some_and(|last| last == "self") && path.len() > 1 {
                path.pop();
            }
            let name = alias.or_else(|| path.last().cloned()).filter(|_| !glob);
            if let Some(name) = name {
                imports.entry((self.module_at(at), name)).or_insert_with(|| path.clone());
            }
            self.write(at, path);
        }
    }

    fn leaves(&self, at: usize, end: usize, base: &[String], out: &mut Vec<(usize, Vec<String>, Option<String>)>) {
        let mut path = base.to_vec();
        let (mut start, mut next, mut alias) = (at, at, None);
        let mut open = false;
        while next < end {
            let token = &self.tokens[next];
            match token.text.as_str() {
                "," => {
                    if open {
                        out.push((start, std::mem::replace(&mut path, base.to_vec()), alias.take()));
                    }
                    path = base.to_vec();
                    (start, open) = (next + 1, false);
                }
                "::" if path.is_empty() => path.push("::".to_owned()),
                "::" => {}
                "{" => {
                    self.leaves(next + 1, token.close, &path, out);
                    (next, open) = (token.close, false);
                }
                "as" => {
                    alias = Some(self.tokens[next + 1].text.clone());
                    next += 1;
                }
                word => {
                    path.push(word.to_owned());
                    open = true;
                }
            }
            next += 1;
        }
        if open {
            out.push((start, path, alias));
        }
    }
}

//! The files under check: the repository's own, or a synthetic tree that breaks a rule on purpose.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};

/// Where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's short name.
    pub rule: &'static str,
    /// The file, from the repository's root.
    pub file: String,
    /// Line from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// A finding of `rule` at `file`:`line`.
    pub fn new(rule: &'static str, file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { rule, file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] {}", self.file, self.line, self.rule, self.message)
    }
}

/// Text files by path from the root, and the visible names at the root.
#[derive(Debug, Default)]
pub struct Tree {
    /// Content by path, with `/` between folders.
    pub files: BTreeMap<String, String>,
    /// Names at the root that do not start with a dot.
    pub visible: BTreeSet<String>,
}

impl Tree {
    /// The tree on disk. Left out: version control, build output, a local store, and what is not UTF-8.
    pub fn read(root: &Path) -> Self {
        let mut tree = Self::default();
        tree.walk(root, "");
        tree
    }

    /// A tree made of `(path, content)`.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, content) in files {
            tree.see(path.split('/').next().unwrap_or_default());
            tree.files.insert((*path).to_owned(), (*content).to_owned());
        }
        tree
    }

    fn see(&mut self, name: &str) {
        if !name.starts_with('.') {
            self.visible.insert(name.to_owned());
        }
    }

    fn walk(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).expect("a folder of the repository can be read") {
            let entry = entry.expect("an entry of the repository can be read");
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == "target" || prefix.is_empty() && matches!(name.as_str(), ".git" | "data") {
                continue;
            }
            if prefix.is_empty() {
                self.see(&name);
            }
            let path = format!("{prefix}{name}");
            if entry.path().is_dir() {
                self.walk(&entry.path(), &format!("{path}/"));
            } else if let Ok(content) = fs::read_to_string(entry.path()) {
                self.files.insert(path, content);
            }
        }
    }

    /// The Rust files below `folder` (`src/`, `tests/`).
    pub fn rust<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let ours = move |path: &str| path.starts_with(folder) && path.ends_with(".rs");
        self.files.iter().filter(move |(path, _)| ours(path)).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every crate the manifest names, as code writes it.
    pub fn crates(&self) -> BTreeSet<String> {
        let manifest = self.files.get("Cargo.toml").map_or("", String::as_str);
        let manifest: toml::Table = manifest.parse().expect("Cargo.toml is TOML");
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        let named = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
        let mut crates: BTreeSet<String> =
            named.flat_map(|table| table.keys().map(|name| name.replace('-', "_"))).collect();
        crates.extend(["std", "core", "alloc"].map(str::to_owned));
        crates
    }
}

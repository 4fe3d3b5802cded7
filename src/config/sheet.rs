//! A TOML file read key by key: every fault with its line, keys nobody asked for refused.

use std::{cell::RefCell, collections::BTreeSet};

use toml::de::{DeTable, DeValue};

use super::fault::FaultLog;

/// A text file and where its faults go.
pub(super) struct Sheet<'a> {
    pub file: &'a str,
    text: &'a str,
    log: &'a FaultLog,
    /// The TOML itself is at fault, so a key may only seem to be missing.
    broken: bool,
}

/// Parses `text` and hands its root table to `read`, which must ask for every key it knows.
pub(super) fn with_root<T>(file: &str, text: &str, log: &FaultLog, read: impl FnOnce(&Table<'_>) -> T) -> T {
    let (root, errors) = DeTable::parse_recoverable(text);
    let sheet = Sheet { file, text, log, broken: !errors.is_empty() };
    for error in errors {
        sheet.fault(error.span().map_or(0, |span| span.start), format!("not TOML: {}", error.message()));
    }
    let table = Table::new(&sheet, String::new(), 0, root.get_ref());
    let value = read(&table);
    table.refuse_unknown_keys();
    value
}

impl Sheet<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }

    fn fault(&self, offset: usize, message: String) {
        self.log.add(self.file, self.line(offset), message);
    }
}

/// One table of the file.
pub(super) struct Table<'a> {
    sheet: &'a Sheet<'a>,
    /// Dotted name with a trailing dot, for messages; empty for the root.
    prefix: String,
    offset: usize,
    entries: &'a DeTable<'a>,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Table<'a> {
    fn new(sheet: &'a Sheet<'a>, prefix: String, offset: usize, entries: &'a DeTable<'a>) -> Self {
        Self { sheet, prefix, offset, entries, asked: RefCell::default() }
    }

    /// The line of `key`, or of the table where the key is absent.
    fn line_of(&self, key: &str) -> usize {
        self.sheet.line(self.entries.get_key_value(key).map_or(self.offset, |(key, _)| key.span().start))
    }

    /// Whether `key` stands here, readable or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Adds a fault at `key`.
    pub(super) fn fault(&self, key: &str, problem: impl AsRef<str>) {
        let message = format!("{}{key}: {}", self.prefix, problem.as_ref());
        self.sheet.log.add(self.sheet.file, self.line_of(key), message);
    }

    /// The value of `key` as `read` understands it; a fault and `None` when it does not, `None` when it is absent.
    pub(super) fn optional<T>(&self, key: &str, read: impl FnOnce(&DeValue<'_>) -> Result<T, String>) -> Option<T> {
        self.asked.borrow_mut().insert(key.to_owned());
        let value = self.entries.get(key)?;
        read(value.get_ref()).map_err(|problem| self.fault(key, problem)).ok()
    }

    /// The value of `key`; absence is a fault.
    pub(super) fn required<T>(&self, key: &str, read: impl FnOnce(&DeValue<'_>) -> Result<T, String>) -> Option<T> {
        if !self.entries.contains_key(key) && !self.sheet.broken {
            self.fault(key, "missing; it must be set here");
        }
        self.optional(key, read)
    }

    /// The value of `key`, or `default` when it is absent.
    pub(super) fn or<T>(&self, key: &str, default: T, read: impl FnOnce(&DeValue<'_>) -> Result<T, String>) -> T {
        self.optional(key, read).unwrap_or(default)
    }

    /// Hands the table `key` to `read` where there is one.
    pub(super) fn table<T>(&self, key: &str, read: impl FnOnce(&Table<'_>) -> T) -> Option<T> {
        self.asked.borrow_mut().insert(key.to_owned());
        let (name, value) = self.entries.get_key_value(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            self.fault(key, format!("expected a table, got {}", kind(value.get_ref())));
            return None;
        };
        let table = Table::new(self.sheet, format!("{}{key}.", self.prefix), name.span().start, entries);
        let value = read(&table);
        table.refuse_unknown_keys();
        Some(value)
    }

    /// Like [`Self::table`]; absence is a fault.
    pub(super) fn required_table<T>(&self, key: &str, read: impl FnOnce(&Table<'_>) -> T) -> Option<T> {
        if !self.entries.contains_key(key) && !self.sheet.broken {
            self.fault(key, "missing table");
        }
        self.table(key, read)
    }

    /// Hands each table of the array `key` to `read`.
    pub(super) fn tables<T>(&self, key: &str, mut read: impl FnMut(&Table<'_>) -> Option<T>) -> Vec<T> {
        self.asked.borrow_mut().insert(key.to_owned());
        let Some(value) = self.entries.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.fault(key, format!("expected an array of tables, got {}", kind(value.get_ref())));
            return Vec::new();
        };
        let one = |item: &toml::Spanned<DeValue<'_>>| {
            let Some(entries) = item.get_ref().as_table() else {
                self.sheet.fault(item.span().start, format!("{}{key}: expected a table", self.prefix));
                return None;
            };
            let table = Table::new(self.sheet, format!("{}{key}.", self.prefix), item.span().start, entries);
            let value = read(&table);
            table.refuse_unknown_keys();
            value
        };
        array.iter().filter_map(one).collect()
    }

    /// The texts under `keys` in each table of the array `key`, without a fault for anything.
    pub(super) fn texts_of<const N: usize>(&self, key: &str, keys: [&str; N]) -> Vec<[Option<&str>; N]> {
        let tables = self.entries.get(key).and_then(|value| value.get_ref().as_array());
        let tables = tables.into_iter().flatten().filter_map(|item| item.get_ref().as_table());
        tables.map(|table| keys.map(|key| table.get(key)?.get_ref().as_str())).collect()
    }

    /// The text above the line on which the table `key` of the root begins, all of it where there is none. That table must be
    /// the last: anything else below that line is a fault with `problem`, however it is written.
    pub(super) fn text_above_last(&self, key: &str, problem: &str) -> &'a str {
        let text = self.sheet.text;
        let Some((name, _)) = self.entries.get_key_value(key) else { return text };
        let start = text[..name.span().start].rfind('\n').map_or(0, |end| end + 1);
        // Read by itself, so that the rest of a list or a table that began above shows as well.
        let (below, errors) = DeTable::parse_recoverable(&text[start..]);
        let others: Vec<_> = below.get_ref().keys().filter(|other| other.get_ref() != key).collect();
        for other in &others {
            self.sheet.fault(start + other.span().start, format!("{}: {problem}", other.get_ref()));
        }
        if others.is_empty() && !errors.is_empty() && !self.sheet.broken {
            self.fault(key, problem);
        }
        &text[..start]
    }

    /// Every key of a table whose keys are names of the operator's choosing.
    pub(super) fn keys(&self) -> Vec<String> {
        self.entries.keys().map(|key| key.get_ref().to_string()).collect()
    }

    fn refuse_unknown_keys(&self) {
        let asked = self.asked.borrow();
        for key in self.entries.keys().filter(|key| !asked.contains(key.get_ref().as_ref())) {
            let known: Vec<_> = asked.iter().map(String::as_str).collect();
            let message = format!("{}{}: unknown key; known here: {}", self.prefix, key.get_ref(), known.join(", "));
            self.sheet.fault(key.span().start, message);
        }
    }
}

/// The kind of a value, for messages that must not show it.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

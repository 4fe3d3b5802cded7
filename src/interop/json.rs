//! A reader of parsed JSON that goes on after a fault, so that a sender learns of all of them at once.
//!
//! A [`Node`] is a place in the document, perhaps an empty one. Asking it for a shape yields the value, or records a
//! [`Fault`] and yields nothing. An object's properties that nobody asked for are faults, as the national schemas say
//! (`additionalProperties: false`): so ask for every property before using any.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::{
    fault::{Fault, Limits, Warning},
    shapes,
};
use crate::domain::{ids::TerritoryId, person::Private, time::Instant};

/// What stands in for what a message must say and does not, where it is read in spite of its faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The territory for which it is read.
    pub territory: TerritoryId,
    /// The present instant.
    pub now: Instant,
}

/// Collects the faults and warnings of one message.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    fallback: Option<Fallback>,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Warning>>,
}

impl Reader {
    /// A reader of one message.
    pub fn new(limits: Limits) -> Self {
        Self { limits, fallback: None, faults: RefCell::default(), warnings: RefCell::default() }
    }

    /// A reader of a message that is read in spite of its faults.
    pub fn lenient(limits: Limits, fallback: Fallback) -> Self {
        Self { fallback: Some(fallback), ..Self::new(limits) }
    }

    /// The root of a document; its path is empty.
    pub fn root<'a>(&'a self, value: &'a Value) -> Node<'a> {
        Node { value: Some(value), path: String::new(), reader: self }
    }

    /// The warnings, of a message whose faults stop nothing.
    pub fn warnings(self) -> Vec<Warning> {
        self.warnings.into_inner()
    }

    /// The outcome: what was read with its warnings, or every fault.
    pub fn finish<T>(self, read: Option<T>) -> Result<(T, Vec<Warning>), Vec<Fault>> {
        let mut faults = self.faults.into_inner();
        match read {
            Some(value) if faults.is_empty() => Ok((value, self.warnings.into_inner())),
            _ => {
                if faults.is_empty() {
                    faults.push(Fault {
                        path: String::new(),
                        expected: "a message of a known kind".into(),
                        found: "one that could not be read".into(),
                    });
                }
                if faults.len() > self.limits.max_faults {
                    faults.truncate(self.limits.max_faults);
                    faults.push(Fault {
                        path: String::new(),
                        expected: format!("at most {} faults to tell", self.limits.max_faults),
                        found: "more".into(),
                    });
                }
                Err(faults)
            }
        }
    }
}

/// A place in a document, and what stands there, if anything.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    value: Option<&'a Value>,
    path: String,
    reader: &'a Reader,
}

impl<'a> Node<'a> {
    /// Records that `expected` is not what stands here.
    pub fn fault(&self, expected: impl Into<String>) {
        self.fault_found(expected, shapes::describe(self.value));
    }

    /// The same, with words of its own for what was found.
    pub fn fault_found(&self, expected: impl Into<String>, found: impl Into<String>) {
        let mut faults = self.reader.faults.borrow_mut();
        if faults.len() <= self.reader.limits.max_faults {
            faults.push(Fault { path: self.path.clone(), expected: expected.into(), found: found.into() });
        }
    }

    /// Records something odd that does not stop the case.
    pub fn warn(&self, text: impl Into<String>) {
        let mut warnings = self.reader.warnings.borrow_mut();
        if warnings.len() < self.reader.limits.max_faults {
            warnings.push(Warning { path: self.path.clone(), text: text.into() });
        }
    }

    /// What stands in for what is missing, where the message is read in spite of its faults.
    pub fn fallback(&self) -> Option<&'a Fallback> {
        self.reader.fallback.as_ref()
    }

    /// Whether an object with this property stands here.
    pub fn has(&self, key: &str) -> bool {
        self.value.and_then(Value::as_object).is_some_and(|map| map.contains_key(key))
    }

    /// An object, read by `read`, which asks for every property it knows.
    pub fn object<T>(&self, read: impl FnOnce(&Object<'a>) -> Option<T>) -> Option<T> {
        let Some(map) = self.value.and_then(Value::as_object) else {
            self.fault("an object");
            return None;
        };
        let object = Object { map, node: self.clone(), asked: RefCell::default() };
        let result = read(&object);
        object.refuse_what_nobody_asked_for();
        result
    }

    /// A list of at least `least` entries, each read by `read`; faulty ones and those beyond the bound are left out.
    pub fn list<T>(&self, least: usize, read: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        let most = self.reader.limits.max_list;
        let entries = self.value.and_then(Value::as_array);
        if entries.is_none_or(|entries| !(least..=most).contains(&entries.len())) {
            self.fault(format!("a list of {least} to {most} entries"));
        }
        let numbered = entries?.iter().take(most).enumerate();
        let each = numbered.filter_map(|(n, entry)| {
            read(&Node { value: Some(entry), path: format!("{}[{n}]", self.path), reader: self.reader })
        });
        Some(each.collect())
    }

    /// Any text within the bound.
    pub fn text(&self) -> Option<&'a str> {
        let most = self.reader.limits.max_text_chars;
        self.matching(&format!("a text of at most {most} characters"), |text| text.chars().nth(most).is_none())
    }

    /// Any text within the bound, about a person.
    pub fn private(&self) -> Option<Private<String>> {
        self.text().map(|text| Private::new(text.to_owned()))
    }

    /// A text that passes `test`, which `expected` puts into words.
    pub fn matching(&self, expected: &str, test: impl FnOnce(&str) -> bool) -> Option<&'a str> {
        let text = self.value.and_then(Value::as_str).filter(|text| test(text));
        if text.is_none() {
            self.fault(expected);
        }
        text
    }

    /// A text that parses; the error of the type is the expectation.
    pub fn parsed<T: std::str::FromStr>(&self, expected: &str) -> Option<T> {
        let parsed = self.value.and_then(Value::as_str).and_then(|text| text.parse().ok());
        if parsed.is_none() {
            self.fault(expected);
        }
        parsed
    }

    /// One of the codes of a list, as the list's own text.
    pub fn code(&self, list: &'static [&'static str]) -> Option<&'static str> {
        let text = self.value.and_then(Value::as_str);
        let code = list.iter().copied().find(|code| Some(*code) == text);
        if code.is_none() {
            self.fault(shapes::one_of(list));
        }
        code
    }

    /// One value of a closed list of the domain, by its code.
    pub fn one<T: Copy>(&self, all: &[T], code: fn(T) -> &'static str) -> Option<T> {
        let text = self.value.and_then(Value::as_str);
        let one = all.iter().copied().find(|one| Some(code(*one)) == text);
        if one.is_none() {
            self.fault(shapes::one_of(&all.iter().map(|one| code(*one)).collect::<Vec<_>>()));
        }
        one
    }

    /// A number, whole or not.
    pub fn number(&self) -> Option<f64> {
        let number = self.value.and_then(Value::as_f64);
        if number.is_none() {
            self.fault("a number");
        }
        number
    }

    /// A whole number from `least` to `most`.
    pub fn whole(&self, least: u64, most: u64) -> Option<u64> {
        let number = self.value.and_then(Value::as_u64).filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.fault(format!("a whole number from {least} to {most}"));
        }
        number
    }

    /// True or false.
    pub fn flag(&self) -> Option<bool> {
        let flag = self.value.and_then(Value::as_bool);
        if flag.is_none() {
            self.fault("true or false");
        }
        flag
    }

    /// A date and time of the national schemas: whole seconds and a numeric offset, no `Z`.
    pub fn hub_date_time(&self) -> Option<Instant> {
        let text = self.matching("a date and time such as 2024-12-26T10:00:00+01:00 (no Z)", |text| {
            shapes::hub_date_time(text) && shapes::instant(text).is_some()
        })?;
        shapes::instant(text)
    }

    /// An RFC 3339 date and time with any offset or `Z`.
    pub fn date_time(&self) -> Option<Instant> {
        let text = self.matching("an RFC 3339 date and time such as 2024-12-26T10:00:00+01:00", |text| {
            shapes::instant(text).is_some()
        })?;
        shapes::instant(text)
    }
}

/// An object being read.
#[derive(Debug)]
pub struct Object<'a> {
    map: &'a Map<String, Value>,
    node: Node<'a>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Object<'a> {
    /// A property that must be there.
    pub fn required<T>(&self, key: &'static str, read: impl FnOnce(&Node<'a>) -> Option<T>) -> Option<T> {
        read(&self.at(key))
    }

    /// A property that may be missing; when present it must have its shape (`null` has none).
    pub fn optional<T>(&self, key: &'static str, read: impl FnOnce(&Node<'a>) -> Option<T>) -> Option<T> {
        let node = self.at(key);
        node.value.and_then(|_| read(&node))
    }

    /// A list that may be missing.
    pub fn entries<T>(&self, key: &'static str, read: impl Fn(&Node<'a>) -> Option<T>) -> Vec<T> {
        self.optional(key, |node| node.list(0, read)).unwrap_or_default()
    }

    /// The place of a property, empty when missing.
    pub fn at(&self, key: &'static str) -> Node<'a> {
        self.asked.borrow_mut().push(key);
        Node { value: self.map.get(key), path: join(&self.node.path, key), reader: self.node.reader }
    }

    /// The place of the object itself.
    pub fn here(&self) -> &Node<'a> {
        &self.node
    }

    fn refuse_what_nobody_asked_for(&self) {
        let asked = self.asked.borrow();
        for (key, value) in self.map.iter().filter(|(key, _)| !asked.contains(&key.as_str())) {
            let path = join(&self.node.path, &shapes::safe_key(key));
            let unknown = Node { value: Some(value), path, reader: self.node.reader };
            unknown.fault_found("no such property", shapes::describe(Some(value)));
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

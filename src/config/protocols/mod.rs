//! `config/protocols/*.toml`: triage protocols, national ones and a territory's own.
//!
//! `commun.toml` holds what is asked in every case and the questions that several protocols share; each other file is one
//! protocol. A signature covers a file up to its `[committee]` table, which is the last, and the common file: whoever changes
//! either takes the signature away, without a fault. Every condition is checked against the questions and the patients there are.
//!
//! A source has a `url` where title and address were borne out by a page, and `opened` with the date on which somebody had the
//! document before his eyes. `vital_signs_if` says when what is asked in every case is asked: not of who wants a document.

mod condition;
mod contradictions;
mod question;
mod rule;
mod shipped;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    fault::FaultLog,
    listed,
    sheet::{Table, with_root},
    territory::{motive, signature},
    unreadable,
    values::{date, list, parsed, whole, words},
};
use crate::domain::{
    regulation::{
        protocols::{Age, Book, Population, Presentation, Protocol, Question, Rule, Seal, Source, psychiatric},
        qualification::{Priority, Stream},
    },
    territory::digest,
};
use question::code;

/// The file with what every protocol shares.
const COMMON: &str = "commun.toml";
/// The last table of a file: the signature, and no longer what is signed.
const SIGNATURE: &str = "committee";
/// Of what stands below it, which the digest would not cover.
const UNSIGNED: &str =
    "stands below [committee], where no signature covers it: put it above, and have the new digest signed";

/// What is known while the files of one book are read.
struct Shelf {
    common: Option<Protocol>,
    library: Vec<Question>,
    common_text: String,
    /// Where each question and protocol code stands.
    codes: RefCell<BTreeMap<String, String>>,
}

/// Reads the files of `dir`. Without one of them its red flags would be off, so that an empty folder is a fault as well.
pub(super) fn national(dir: &Path, log: &FaultLog) -> Book {
    let Some(paths) = listed(dir, log) else { return book(Vec::new(), log) };
    if !paths.iter().any(|path| path.ends_with(COMMON)) {
        log.add(
            &dir.join(COMMON).display().to_string(),
            1,
            "no such file; it is required: it asks what every case is asked",
        );
    } else if paths.len() == 1 {
        let problem = "holds no protocol but the common one; a territory that uses none says triage_protocols = []";
        log.add(&dir.display().to_string(), 1, problem);
    }
    book(files(paths, log), log)
}

/// The protocols shipped with the service.
pub(super) fn shipped(log: &FaultLog) -> Book {
    let files = shipped::FILES.iter().map(|(name, text)| (Path::new("protocols").join(name), (*text).to_owned()));
    book(files.collect(), log)
}

/// The protocols of these files.
fn book(files: Vec<(PathBuf, String)>, log: &FaultLog) -> Book {
    let (common, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| path.ends_with(COMMON));
    let mut shelf = Shelf { common: None, library: Vec::new(), common_text: String::new(), codes: RefCell::default() };
    if let Some((path, text)) = common.into_iter().next() {
        shelf.common_text.clone_from(&text);
        let file = path.display().to_string();
        let (common, library) = with_root(&file, &text, log, |root| self::common(root, &shelf, &file));
        (shelf.common, shelf.library) = (common, library);
    }
    let protocols = others.iter().filter_map(|(path, text)| one(&path.display().to_string(), text, &shelf, log));
    let protocols = protocols.collect();
    Book::new(shelf.common, shelf.library, protocols)
}

/// The national book with a territory's own protocols, each in the place of a national one of its code; most have none.
pub(super) fn with_own(national: &Book, dir: &Path, log: &FaultLog) -> Book {
    let codes = national.protocols().iter().flat_map(|known| {
        known.questions.iter().map(|question| (question.code.clone(), format!("the protocol {}", known.code)))
    });
    let common_text = fs::read_to_string(dir.join("../../../protocols").join(COMMON)).unwrap_or_default();
    let codes: BTreeMap<String, String> = codes.collect();
    let own = if fs::symlink_metadata(dir).is_ok() { listed(dir, log).unwrap_or_default() } else { Vec::new() };
    files(own, log).into_iter().fold(national.clone(), |book, (path, text)| {
        let file = path.display().to_string();
        let replaced = |code: &str| text.lines().any(|line| line.trim() == format!("code = \"{code}\""));
        let place = national.protocols().iter().find(|known| replaced(&known.code));
        let mut codes = codes.clone();
        place.iter().flat_map(|known| &known.questions).for_each(|question| drop(codes.remove(&question.code)));
        let shelf = Shelf {
            common: national.common().cloned(),
            library: national.library().to_vec(),
            common_text: common_text.clone(),
            codes: RefCell::new(codes),
        };
        match one(&file, &text, &shelf, log) {
            Some(protocol) => book.with(protocol),
            None => book,
        }
    })
}

fn files(paths: Vec<PathBuf>, log: &FaultLog) -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| {
        let place = path.display().to_string();
        if path.extension().is_none_or(|known| known != "toml") {
            log.add(&place, 1, "unexpected file; each protocol is a file such as fievre-enfant.toml");
            return None;
        }
        let text = fs::read_to_string(&path).map_err(|error| log.add(&place, 1, unreadable(&error))).ok()?;
        Some((path, text))
    };
    paths.into_iter().filter_map(read).collect()
}

fn common(root: &Table<'_>, shelf: &Shelf, file: &str) -> (Option<Protocol>, Vec<Question>) {
    let library: Vec<_> = root.tables("library", |table| question::question(table, shelf, file, &[]));
    let library: Vec<_> = library.into_iter().map(|(question, _)| question).collect();
    let shelf = Shelf { common: None, library, common_text: String::new(), codes: shelf.codes.clone() };
    let protocol = read(root, &shelf, file, true, String::new(), Seal::Unsigned);
    (protocol, shelf.library)
}

/// One protocol. Its digest is over the common file and its own text up to the signature.
fn one(file: &str, text: &str, shelf: &Shelf, log: &FaultLog) -> Option<Protocol> {
    with_root(file, text, log, |root| {
        let signed = root.text_above_last(SIGNATURE, UNSIGNED);
        let digest = digest([shelf.common_text.as_bytes(), signed.trim_end().as_bytes()]);
        let seal = root.table(SIGNATURE, signature).flatten();
        let seal = seal.map_or(Seal::Unsigned, |(committee, of)| Seal::of(committee, &of, &digest));
        read(root, shelf, file, false, digest, seal)
    })
}

fn read(root: &Table<'_>, shelf: &Shelf, file: &str, common: bool, digest: String, seal: Seal) -> Option<Protocol> {
    let code = root.required("code", code);
    if let Some(code) = &code
        && let Some(place) = shelf.codes.borrow_mut().insert(format!("protocol {code}"), file.to_owned())
    {
        root.fault("code", format!("stands in {place} already; each protocol has its own code"));
    }
    let title = root.required("title", words);
    let version = root.required("version", words);
    let motives = if common { Some(Vec::new()) } else { root.required("motives", list(motive)) };
    let presentation = root.optional("presentation", question::code);
    let population = population(root);
    let stream = root.or("stream", Stream::Snp, parsed::<Stream>);
    let default = if common { Some(Priority::P3) } else { root.required("default", default) };
    let reason = if common { Some(String::new()) } else { root.required("reason", words) };
    let uses = root.or("use", Vec::new(), list(question::code));
    for used in uses.iter().filter(|used| !shelf.library.iter().any(|known| known.code == **used)) {
        root.fault("use", format!("'{used}' is no question of the library in {COMMON}"));
    }
    let sources = root.tables("sources", source);
    if sources.is_empty() {
        root.fault("sources", "name at least one published source");
    }
    let own = questions(root, shelf, file, stream);
    let known = rule::Known::new(shelf, &own, &uses, population, (default, stream));
    let vital_signs_if = root.optional("vital_signs_if", |value| known.condition(value));
    let (questions, inline): (Vec<_>, Vec<_>) = own.into_iter().unzip();
    let mut red_flags: Vec<Rule> = inline.into_iter().flatten().collect();
    red_flags.extend(root.tables("red_flags", |table| rule::red_flag(table, &known)));
    let rules = root.tables("rules", |table| rule::rule(table, &known));
    rule::distinct(root, &red_flags, &rules);
    let deferred = rules.iter().any(|rule| rule.priority == Priority::P3);
    let (code, title, version) = (code?, title?, version?);
    let (motives, default, reason) = (motives?, default?, reason?);
    if deferred && motives.iter().any(|motive| psychiatric(motive)) {
        root.fault("rules", "a psychiatric or suicidal motive is never P3");
    }
    let presentation = presentation.map(|code| Presentation { code, label: title.clone() });
    let protocol = Protocol {
        code,
        title,
        version,
        motives,
        presentation,
        population,
        sources,
        questions,
        uses,
        vital_signs_if,
        red_flags,
        rules,
        default,
        stream,
        reason,
        digest,
        seal,
    };
    Some(protocol)
}

type Own = Vec<(Question, Vec<Rule>)>;

fn questions(root: &Table<'_>, shelf: &Shelf, file: &str, stream: Stream) -> Own {
    let mut own: Own = Vec::new();
    root.tables("questions", |table| {
        let earlier: Vec<Question> = own.iter().map(|(question, _)| question.clone()).collect();
        let (question, flags) = question::question(table, shelf, file, &earlier)?;
        let flags = flags.into_iter().map(|flag| rule::streamed(flag, stream)).collect();
        own.push((question, flags));
        Some(())
    });
    own
}

fn population(root: &Table<'_>) -> Population {
    let from = root.optional("age_from", parsed::<Age>);
    let below = root.optional("age_below", parsed::<Age>);
    if from.zip(below).is_some_and(|(from, below)| from >= below) {
        root.fault("age_below", "must lie above age_from: nobody has such an age");
    }
    Population { from, below, sex: root.optional("sex", parsed) }
}

fn default(value: &toml::de::DeValue<'_>) -> Result<Priority, String> {
    match parsed::<Priority>(value)? {
        Priority::P0 => Ok(Priority::P0),
        Priority::P1 => Ok(Priority::P1),
        Priority::P2 => Ok(Priority::P2),
        Priority::P3 | Priority::NotRegulated => {
            Err("expected P0, P1 or P2: what is less urgent than P2 needs a rule that says why".into())
        }
    }
}

fn source(table: &Table<'_>) -> Option<Source> {
    let title = table.required("title", words);
    let year = table.required("year", whole(1990..=2100));
    let url = table.optional("url", words);
    let opened = table.optional("opened", date);
    Some(Source { title: title?, year: u16::try_from(year?).ok()?, url, opened })
}

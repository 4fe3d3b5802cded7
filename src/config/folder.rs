//! One territory's folder.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use super::{
    Ground, Shared, advice, calendar,
    fault::FaultLog,
    geography::{self, Communes},
    listed, protocols,
    responders::{self, Ground as RespondersGround},
    sheet::with_root,
    territory as rules, unreadable,
    values::words,
};
use crate::domain::{
    calendar::{CalendarRules, LawTerritory, law_territory},
    directory::Directory,
    ids::{SectorId, TerritoryId},
    regulation::{advice::AdviceList, protocols::Book},
    territory::{RegulationPolicy, RoutingPolicy, RuleVersion, Sectors, Territory, digest},
};

const REQUIRED: [&str; 2] = ["territory.toml", "communes.csv"];
/// Folder of the territory's own triage protocols.
const OWN_PROTOCOLS: &str = "protocols";
const OPTIONAL: [&str; 4] = ["sectors.csv", "responders.toml", "protocols.toml", advice::FILE];

/// Reads the folder; `None` when so much is at fault that no territory results. Faults go to `log`.
pub(super) fn read(folder: &Path, shared: Shared<'_>, log: &FaultLog) -> Option<Ground> {
    let law = law_of(folder, log)?;
    let files = Files::read(folder, log);
    let book = protocols::with_own(shared.book, &folder.join(OWN_PROTOCOLS), log);
    let board = files.with("territory.toml", |file, text| board(file, text, (&law, &book), log));
    // Its absence is a fault already; the other files are still checked, against the defaults.
    let board = board.unwrap_or_else(|| self::board("", "", (&law, &book), &FaultLog::default()));
    // Of the national protocols and its own only those named count, when any are named.
    let book = match &board.regulation.triage {
        Some(named) => book.only(|protocol| named.contains(&protocol.code)),
        None => book,
    };
    let own = files.with(advice::FILE, |file, text| advice::sentences(file, text, log));
    let advice = shared.advice.with(own.unwrap_or_default());
    Some(assemble(&law, board, (book, advice), &files, log))
}

fn board(file: &str, text: &str, (law, book): (&LawTerritory, &Book), log: &FaultLog) -> Board {
    with_root(file, text, log, |root| {
        let calendar = CalendarRules::new(law, calendar::policy(root, &law.id));
        Board {
            name: root.required("name", words),
            version: root.required("version", words),
            sector_names: rules::sector_names(root),
            regulation: rules::regulation(root, calendar.zone(), book),
            routing: rules::routing(root),
            calendar,
        }
    })
}

/// What `territory.toml` states.
struct Board {
    name: Option<String>,
    version: Option<String>,
    calendar: CalendarRules,
    sector_names: BTreeMap<SectorId, String>,
    regulation: RegulationPolicy,
    routing: RoutingPolicy,
}

fn assemble(
    law: &LawTerritory,
    board: Board,
    (book, advice): (Book, AdviceList),
    files: &Files,
    log: &FaultLog,
) -> Ground {
    let communes = files.with("communes.csv", |file, text| geography::communes(file, text, &law.id, log));
    let communes = communes.unwrap_or_else(Communes::unread);
    let assignments =
        files.with("sectors.csv", |file, text| geography::sectors(file, text, &communes, &board.sector_names, log));
    let ground = RespondersGround { calendar: &board.calendar, communes: &communes, sectors: &board.sector_names };
    let directory = files.with("responders.toml", |file, text| {
        with_root(file, text, log, |root| Directory::new(responders::responders(root, &ground)))
    });
    let protocols = files.with("protocols.toml", |file, text| with_root(file, text, log, rules::protocols));
    let territory = Territory {
        id: law.id.clone(),
        name: board.name.unwrap_or_default(),
        calendar: board.calendar,
        communes: communes.known,
        sectors: Sectors { names: board.sector_names, assignments: assignments.unwrap_or_default() },
        regulation: RegulationPolicy { protocols: protocols.unwrap_or_default(), ..board.regulation },
        routing: board.routing,
        version: RuleVersion { name: board.version.unwrap_or_default(), digest: files.digest(&book, &advice) },
        book: Arc::new(book),
        advice: Arc::new(advice),
        configured: true,
    };
    (territory, directory.unwrap_or_default())
}

fn law_of(folder: &Path, log: &FaultLog) -> Option<LawTerritory> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let place = folder.display().to_string();
    if !folder.is_dir() {
        log.add(&place, 1, "unexpected file; each territory is a folder such as fr-67");
        return None;
    }
    let id = name.parse::<TerritoryId>().map_err(|error| log.add(&place, 1, error.to_string())).ok()?;
    law_territory(&id).map_err(|error| log.add(&place, 1, error.to_string())).ok()
}

/// The texts of a folder's files, by name.
struct Files {
    folder: String,
    texts: BTreeMap<String, String>,
}

impl Files {
    fn read(folder: &Path, log: &FaultLog) -> Self {
        let place = |name: &str| folder.join(name).display().to_string();
        let paths = listed(folder, log).unwrap_or_default();
        let names = paths.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy()));
        for name in names.filter(|name| name != OWN_PROTOCOLS) {
            if !REQUIRED.iter().chain(&OPTIONAL).any(|known| *known == name) {
                let known = [REQUIRED.as_slice(), &OPTIONAL].concat().join(", ");
                log.add(&place(&name), 1, format!("unexpected file; known here: {known}"));
            }
        }
        let mut texts = BTreeMap::new();
        for name in REQUIRED.iter().chain(&OPTIONAL) {
            match fs::read_to_string(folder.join(name)) {
                Ok(text) => drop(texts.insert((*name).to_owned(), text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && OPTIONAL.contains(name) => {}
                Err(error) => log.add(&place(name), 1, unreadable(&error)),
            }
        }
        Self { folder: folder.display().to_string(), texts }
    }

    fn with<T>(&self, name: &str, read: impl FnOnce(&str, &str) -> T) -> Option<T> {
        let file = Path::new(&self.folder).join(name).display().to_string();
        self.texts.get(name).map(|text| read(&file, text))
    }

    /// Over every file's name and content, in the order of names, every triage protocol that may propose here, and every
    /// sentence that may be picked.
    fn digest(&self, book: &Book, advice: &AdviceList) -> String {
        let files = self.texts.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
        let sentences = advice.iter().flat_map(|known| [known.code.as_bytes(), known.text.as_bytes()]);
        let protocols = book.protocols().iter().map(|protocol| protocol.digest.as_bytes());
        digest(files.chain(protocols).chain(sentences))
    }
}

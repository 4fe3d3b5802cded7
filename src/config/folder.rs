//! One territory's folder.

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    Ground, calendar,
    fault::FaultLog,
    geography::{self, Communes},
    responders::{self, Ground as RespondersGround},
    sheet::with_root,
    territory as rules, unreadable,
    values::words,
};
use crate::domain::{
    calendar::{CalendarRules, LawTerritory, law_territory},
    directory::Directory,
    ids::{SectorId, TerritoryId},
    territory::{RegulationPolicy, RoutingPolicy, RuleVersion, Sectors, Territory, digest},
};

const REQUIRED: [&str; 2] = ["territory.toml", "communes.csv"];
const OPTIONAL: [&str; 3] = ["sectors.csv", "responders.toml", "protocols.toml"];

/// Reads the folder; `None` when so much is at fault that no territory results. Faults go to `log`.
pub(super) fn read(folder: &Path, log: &FaultLog) -> Option<Ground> {
    let law = law_of(folder, log)?;
    let files = Files::read(folder, log);
    let board = files.with("territory.toml", |file, text| board(file, text, &law, log));
    // Its absence is a fault already; the other files are still checked, against the defaults.
    let board = board.unwrap_or_else(|| self::board("", "", &law, &FaultLog::default()));
    Some(assemble(&law, board, &files, log))
}

fn board(file: &str, text: &str, law: &LawTerritory, log: &FaultLog) -> Board {
    with_root(file, text, log, |root| {
        let calendar = CalendarRules::new(law, calendar::policy(root, &law.id));
        Board {
            name: root.required("name", words),
            version: root.required("version", words),
            sector_names: rules::sector_names(root),
            regulation: rules::regulation(root, calendar.zone()),
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

fn assemble(law: &LawTerritory, board: Board, files: &Files, log: &FaultLog) -> Ground {
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
        version: RuleVersion { name: board.version.unwrap_or_default(), digest: files.digest() },
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
        let names = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        for name in names.filter(|name| !name.starts_with('.')) {
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

    /// Over every file's name and content, in the order of names.
    fn digest(&self) -> String {
        digest(self.texts.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]))
    }
}

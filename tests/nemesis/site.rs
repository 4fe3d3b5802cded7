//! The site under test: the shipped configuration with short leases, so that they end within a run, and where people are.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sas_dispatch::{
    config::Config,
    domain::{
        directory::{Connection, Responder, ResponderKind},
        ids::TerritoryId,
    },
    grpc::pb::SlotKind,
};

/// Short enough that a frozen service outlives them, long enough that a working one renews.
const SPANS: [(&str, &str); 4] = [
    ("lease_seconds = 30", "lease_seconds = 6"),
    ("renew_seconds = 10", "renew_seconds = 2"),
    ("suspect_seconds = 90", "suspect_seconds = 6"),
    ("transfer_seconds = 300", "transfer_seconds = 20"),
];
/// Names calls of one number alike on every instance.
pub const LOOKUP_KEY: &str = "one key for all instances of a run";
const KEY: &str = "# lookup_key = \"at least sixteen characters of randomness\"";

/// Configuration and places of one run.
#[derive(Debug)]
pub struct Site {
    pub folder: PathBuf,
    pub config: Config,
    pub grounds: Vec<Ground>,
}

/// What the actors of one territory know of it.
#[derive(Debug, Clone)]
pub struct Ground {
    pub territory: String,
    pub communes: Vec<String>,
    /// The territories that its cases may be handed over to.
    pub beyond: Vec<String>,
    /// Who publishes slots, and of which kind.
    pub agendas: Vec<(Responder, SlotKind)>,
    /// Structures that visit.
    pub visiting: Vec<Responder>,
}

impl Site {
    /// Copies the shipped configuration to `folder`, with `store` as further lines of `[store]`.
    pub fn prepare(folder: PathBuf, territories: &[&str], store: &[(&str, String)]) -> io::Result<Self> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let settings = fs::read_to_string(shipped.join("default.toml"))?;
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("default.toml"), with_store(&settings, store))?;
        fs::copy(shipped.join("advice.toml"), folder.join("advice.toml"))?;
        copy_folder(&shipped.join("protocols"), &folder.join("protocols"))?;
        for territory in territories {
            let (from, to) = (shipped.join("territories").join(territory), folder.join("territories").join(territory));
            if from.exists() {
                copy_folder(&from, &to)?;
            }
        }
        let config = Config::load(&folder).map_err(|faults| io::Error::other(faults.to_string()))?;
        let grounds = territories.iter().map(|territory| Ground::of(&config, territory, territories)).collect();
        Ok(Self { folder, config, grounds })
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let mut text = fs::read_to_string(entry.path())?;
        for (long, short) in SPANS {
            text = text.replace(long, short);
        }
        fs::write(to.join(entry.file_name()), text)?;
    }
    Ok(())
}

/// The shipped settings with the given keys of `[store]` in the place of theirs.
fn with_store(settings: &str, store: &[(&str, String)]) -> String {
    let said = |line: &str, key: &str| {
        let line = line.trim_start_matches(['#', ' ']);
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let mut lines: Vec<String> = Vec::new();
    for line in settings.lines().filter(|line| !store.iter().any(|(key, _)| said(line, key))) {
        lines.push(if line == KEY { format!("lookup_key = \"{LOOKUP_KEY}\"") } else { line.to_owned() });
        if line == "[store]" {
            lines.extend(store.iter().map(|(key, value)| format!("{key} = {value}")));
        }
    }
    lines.join("\n")
}

impl Ground {
    fn of(config: &Config, territory: &str, played: &[&str]) -> Self {
        let id: TerritoryId = territory.parse().expect("the territories of a run are well written");
        let mut ground = Self {
            territory: territory.to_owned(),
            communes: Vec::new(),
            beyond: Vec::new(),
            agendas: Vec::new(),
            visiting: Vec::new(),
        };
        let Some(known) = config.territories.get(&id) else { return ground };
        let others = config.territories.keys().filter(|other| **other != id && played.contains(&other.as_str()));
        ground.beyond = others.map(ToString::to_string).collect();
        ground.communes = known.0.communes.keys().map(ToString::to_string).collect();
        for who in known.1.iter().filter(|who| who.connection == Connection::Connected) {
            ground.agendas.extend(kind_of(who).map(|kind| (who.clone(), kind)));
            if !who.visit_sectors.is_empty() && !who.doctors.is_empty() {
                ground.visiting.push(who.clone());
            }
        }
        ground
    }
}

fn kind_of(who: &Responder) -> Option<SlotKind> {
    match who.kind {
        ResponderKind::FixedPoint => Some(SlotKind::FixedPoint),
        ResponderKind::SasProfessional | ResponderKind::Gp => Some(SlotKind::Snp),
        _ => None,
    }
}

//! The store that a subcommand works on beside the service: the one that is named, or the configuration's.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::ExposeSecret;

use super::WrongUse;
use crate::{
    clock::Clock,
    config::Config,
    store::{
        Settings,
        dump::{Portable, open_portable},
        embedded::Embedded,
        fence::kept,
        redis::RedisOptions,
    },
};

/// Which store.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// Folder of an embedded store; the service that uses it must be stopped [default: the configuration's]
    #[arg(long, value_name = "DIR", conflicts_with = "redis")]
    data: Option<PathBuf>,
    /// Redis instead of an embedded store, such as redis://127.0.0.1:6379/ or unix:///run/redis.sock
    #[arg(long, value_name = "URL", env = "SAS_DISPATCH_REDIS", hide_env_values = true)]
    redis: Option<String>,
}

impl Place {
    /// Opens the store. An embedded one that is not there is made only when it is to be `filled`.
    pub async fn open(&self, config: &Config, filled: bool) -> Result<Arc<dyn Portable>, WrongUse> {
        let settings = &config.settings.store;
        let folder = match (&self.data, &self.redis, &settings.redis_url) {
            (Some(data), ..) => data,
            (None, Some(url), _) => return redis(url).await,
            (None, None, Some(url)) => return redis(url.expose_secret()).await,
            (None, None, None) => &settings.data_dir,
        };
        embedded(folder, filled).await
    }
}

impl Place {
    /// Where the instances of this machine keep what they acknowledged in that store, and the store's name there.
    pub fn acknowledged(&self, config: &Config) -> (PathBuf, String) {
        let settings = &config.settings.store;
        let configured = settings.redis_url.as_ref().map(|url| url.expose_secret());
        let redis = match (&self.data, &self.redis) {
            (_, Some(url)) => Some(url.as_str()),
            (Some(_), None) => None,
            (None, None) => configured,
        };
        let folder = settings.acknowledged_dir.clone().or_else(|| self.data.clone());
        (folder.unwrap_or_else(|| settings.data_dir.clone()), kept::store_name(redis))
    }
}

async fn redis(url: &str) -> Result<Arc<dyn Portable>, WrongUse> {
    open_portable(Settings::Redis(RedisOptions::new(url))).await.map_err(WrongUse::new)
}

async fn embedded(folder: &Path, filled: bool) -> Result<Arc<dyn Portable>, WrongUse> {
    if !filled && !Embedded::is_in(folder) {
        let problem = format!("{}: no store here; name another folder with --data", folder.display());
        return Err(WrongUse::new(problem));
    }
    let settings = Settings::Embedded { data: folder.to_owned(), clock: Clock::System };
    open_portable(settings).await.map_err(|error| {
        WrongUse::new(format!("{error}\nan embedded store has one user at a time: stop the service first"))
    })
}

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

/// Which store an instance of this machine serves, and the folder of what stays here beside it.
#[derive(Debug, clap::Args)]
pub(super) struct Site {
    /// Folder of the embedded store; with Redis, of what stays on this machine [default: the configuration's]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Redis 7 or later instead of the embedded store: redis://127.0.0.1:6379/, unix:///run/redis.sock,
    /// redis-sentinel://HOST:PORT,HOST:PORT/MASTER or redis-cluster://HOST:PORT,HOST:PORT
    #[arg(long, value_name = "URL", env = "SAS_DISPATCH_REDIS", hide_env_values = true)]
    redis: Option<String>,
    /// The embedded store, whatever Redis is configured
    #[arg(long)]
    embedded: bool,
}

impl Site {
    /// The Redis that is named, or the configuration's; none for the embedded store.
    pub fn redis<'a>(&'a self, config: &'a Config) -> Option<&'a str> {
        let configured = config.settings.store.redis_url.as_ref().map(|url| url.expose_secret());
        self.redis.as_deref().or(configured).filter(|_| !self.embedded)
    }

    /// The folder of what stays on this machine.
    pub fn folder<'a>(&'a self, config: &'a Config) -> &'a Path {
        self.data.as_deref().unwrap_or(&config.settings.store.data_dir)
    }

    /// Opens the store, as [`Place::open`].
    pub async fn open(&self, config: &Config, filled: bool) -> Result<Arc<dyn Portable>, WrongUse> {
        match self.redis(config) {
            Some(url) => redis(url).await,
            None => embedded(self.folder(config), filled).await,
        }
    }

    /// Where the instances of this machine keep what they acknowledged in that store, and the store's name there.
    pub fn acknowledged(&self, config: &Config) -> (PathBuf, String) {
        let folder = config.settings.store.acknowledged_dir.as_deref().unwrap_or_else(|| self.folder(config));
        (folder.to_owned(), kept::store_name(self.redis(config)))
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
    open_portable(settings).await.map_err(WrongUse::new)
}

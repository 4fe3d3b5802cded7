//! `sas-dispatch serve`: the service, until it is asked to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::net::TcpListener;

use super::{Answer, Outcome, Shared, WrongUse, place::Site, say, stop};
use crate::{
    app::{self, Setup, StorePlace, Upkeep},
    clock::Clock,
    config::{self, Config},
    telemetry::{self, LogFormat, TelemetrySettings},
};

/// How often timers are looked at. A deadline is seconds to hours: a quarter of a second late is on time.
const UPKEEP: Duration = Duration::from_millis(250);

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port of gRPC and gRPC-web [default: the configuration's]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    site: Site,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let config = shared.load()?;
    let runtime = app::runtime(config.settings.server.runtime_threads).map_err(WrongUse::new)?;
    runtime.block_on(serve(args, config))
}

async fn serve(args: &Args, mut config: Config) -> Outcome {
    let guard = telemetry::init(&telemetry_settings(&config)).map_err(WrongUse::new)?;
    let listen = args.listen.unwrap_or(config.settings.server.listen);
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| WrongUse::new(format!("cannot listen on {listen} ({error}): choose another with --listen")))?;
    let (store, kind) = match args.site.redis(&config) {
        Some(url) => (StorePlace::Redis(url.to_owned()), "Redis"),
        None => (StorePlace::Embedded(args.site.folder(&config).to_owned()), "embarqué"),
    };
    if let Some(data) = &args.site.data {
        config.settings.store.data_dir.clone_from(data);
    }
    let (config, upkeep) = (Arc::new(config), Upkeep::Every(UPKEEP));
    let setup = Setup { config, clock: Clock::System, store, upkeep, metrics: guard.metrics() };
    let service = app::start(setup, listener).await.map_err(WrongUse::new)?;
    // Whoever reads that it listens may ask it to stop at once.
    let asked = stop::asked().map_err(WrongUse::new)?;
    say(format!("sas-dispatch écoute sur {} (gRPC et gRPC-web ; état : {kind})", service.address));
    let (durability, promised) = (&service.durability, service.promised);
    if durability.level < promised {
        say(format!(
            "ATTENTION : durabilité {}, alors que {promised} est promise ({})",
            durability.level,
            durability.remarks.join(" ; ")
        ));
    }
    if !service.lookup_lost.is_empty() {
        let territories: Vec<_> = service.lookup_lost.iter().map(ToString::to_string).collect();
        say(format!(
            "ATTENTION : la clé de recherche (lookup.key) n'est plus celle d'avant ({}) : les dossiers en cours ne sont plus \
             retrouvés par leur numéro. Remettez l'ancienne si elle existe encore, et redémarrez",
            territories.join(", ")
        ));
    }
    asked.await;
    say("arrêt demandé : les appels en cours se terminent");
    service.stop().await;
    guard.shutdown().await;
    Ok(Answer::Done)
}

fn telemetry_settings(config: &Config) -> TelemetrySettings {
    let configured = &config.settings.telemetry;
    let log_format = match configured.log_format {
        config::LogFormat::Text => LogFormat::Text,
        config::LogFormat::Json => LogFormat::Json,
    };
    let (filter, otlp_endpoint) = (configured.log_filter.clone(), configured.otlp_endpoint.clone());
    TelemetrySettings { log_format, filter, otlp_endpoint, ..TelemetrySettings::default() }
}

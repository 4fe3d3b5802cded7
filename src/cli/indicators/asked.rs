//! The reports of a running service.

use std::{fmt::Display, net::SocketAddr};

use super::{Args, Reply, Report, WrongUse};
use crate::{
    domain::{
        actor::{Actor, Role},
        ids::TerritoryId,
    },
    grpc::{
        client::{self, Clients},
        pb,
    },
};

pub(super) fn ask(args: &Args, address: SocketAddr) -> Result<(TerritoryId, Reply), WrongUse> {
    let territory = args.territory.clone().ok_or_else(|| WrongUse::new("name the territory with --territory"))?;
    let actor =
        Actor { person: args.person.clone(), role: Role::Supervisor, territory: territory.clone(), connection: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(WrongUse::new)?;
    let reply = runtime.block_on(async {
        let link = client::connect(address).await.map_err(WrongUse::new)?;
        reply(args, link.acting_as(&actor)).await
    })?;
    Ok((territory, reply))
}

async fn reply(args: &Args, mut service: Clients) -> Result<Reply, WrongUse> {
    let (selection, at_least_seq) = (Some(args.selection()), 0);
    let service = &mut service.supervision;
    Ok(match args.report {
        Report::Figures => {
            let request = pb::GetIndicatorsRequest { selection, at_least_seq };
            Reply::Figures(Box::new(service.get_indicators(request).await.map_err(refused)?.into_inner()))
        }
        Report::Unmet => {
            let request = pb::GetUnmetNeedsRequest { selection, at_least_seq };
            Reply::Unmet(service.get_unmet_needs(request).await.map_err(refused)?.into_inner())
        }
        Report::Regulators => {
            let request = pb::CompareRegulatorsRequest { selection, at_least_seq };
            Reply::Regulators(service.compare_regulators(request).await.map_err(refused)?.into_inner())
        }
        Report::Exceptions => {
            let request = pb::ListIndependenceExceptionsRequest { selection, at_least_seq };
            Reply::Exceptions(service.list_independence_exceptions(request).await.map_err(refused)?.into_inner())
        }
    })
}

fn refused(status: client::Status) -> WrongUse {
    let told: &dyn Display = &status.message();
    WrongUse::new(format!("the service answered: {told}"))
}

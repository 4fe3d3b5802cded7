//! One Redis with an append-only file, and a way of its own to it for every instance.

use std::{io, path::Path};

use super::{Node, Servers, Topology};
use crate::proxy::Proxy;

pub(super) async fn start(instances: usize, folder: &Path) -> io::Result<Servers> {
    let mut node = Node::new(1, "redis", folder, &[]).await?;
    node.process.start()?;
    let mut fronts = Vec::new();
    for _ in 0..instances {
        fronts.push(Proxy::before(node.at).await?);
    }
    let urls = fronts.iter().map(|front| format!("redis://{}/", front.at)).collect();
    let url = format!("redis://{}/", node.at);
    let (sentinels, bus) = (Vec::new(), Vec::new());
    Ok(Servers { topology: Topology::Single, nodes: vec![node], sentinels, fronts, bus, urls, url })
}

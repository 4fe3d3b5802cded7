//! One Redis with an append-only file, and a way of its own to it for every instance.

use std::{io, path::Path};

use super::{Node, Servers};
use crate::proxy::Proxy;

pub(super) async fn start(instances: usize, folder: &Path) -> io::Result<Servers> {
    let mut node = Node::new("redis", folder, &[])?;
    node.process.start()?;
    node.ready().await?;
    let mut fronts = Vec::new();
    for _ in 0..instances {
        fronts.push(Proxy::before(node.port).await?);
    }
    let urls = fronts.iter().map(|front| format!("redis://127.0.0.1:{}/", front.port)).collect();
    let url = format!("redis://127.0.0.1:{}/", node.port);
    Ok(Servers { nodes: vec![node], fronts, urls, url, settings: Vec::new(), level: "D1" })
}

//! The store's contract as stories, each told to both engines.

pub mod callers;
mod durability;
mod embedded;
pub mod fence;
pub mod fuzz;
mod guards;
mod log;
pub mod moving;
mod ranges;
mod receipts;
mod records;
mod redis;
pub mod stand;
mod time;
mod topology;
mod torn;
mod trimming;
mod waiting;

/// Runs each named story of this module on every engine.
macro_rules! on_every_engine {
    ($($story:ident)*) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story($crate::store::stand::Stand::embedded().await).await;
            })*
        }
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story($crate::store::stand::Stand::redis().await).await;
            })*
        }
    };
}
pub(crate) use on_every_engine;

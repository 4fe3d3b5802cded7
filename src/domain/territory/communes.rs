//! Communes as the configuration lists them.

use crate::domain::place::Position;

/// A commune of the territory.
#[derive(Debug, Clone, PartialEq)]
pub struct Commune {
    /// French name.
    pub name: String,
    /// Where its centre is, for straight-line distances.
    pub position: Position,
}

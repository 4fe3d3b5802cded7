//! Routing: stories of each rule, a naive oracle both ways, properties, the shipped territories.

mod bounds;
mod explained;
mod independence;
mod oracle;
mod own_gp;
mod properties;
mod shipped;
mod slots;
mod sources;
mod visits;
mod world;

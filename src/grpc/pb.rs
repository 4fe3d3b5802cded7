//! What is generated from `proto/`: messages, service traits and clients of `sas.dispatch.v1`.
#![expect(clippy::large_enum_variant, reason = "generated")]

tonic::include_proto!("sas.dispatch.v1");

/// The compiled proto files with everything they import, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sas_dispatch.bin"));

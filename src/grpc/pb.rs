//! What is generated from `proto/`: messages, service traits and clients of `sas.dispatch.v1`.
#![expect(missing_docs, clippy::all, reason = "generated: the proto files hold the documentation")]

tonic::include_proto!("sas.dispatch.v1");

/// The compiled proto files with everything they import, for reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sas_dispatch.bin"));

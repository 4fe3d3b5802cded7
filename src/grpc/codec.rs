//! How a message becomes the bytes of an answer: written whole first, then copied into the transport's buffer.
//!
//! An answer is some hundred short fields: into the transport's own buffer, each by itself, they cost twice what they cost
//! into a plain one.

use std::marker::PhantomData;

use prost::{Message, bytes::BufMut};
use tonic::{
    Status,
    codec::{Codec, EncodeBuf, Encoder},
};
use tonic_prost::ProstDecoder;

/// The codec of every generated service and client (`proto/build.rs` names it).
#[derive(Debug)]
pub struct Whole<T, U>(PhantomData<fn(T) -> U>);

impl<T, U> Default for Whole<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for Whole<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = WholeEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> WholeEncoder<T> {
        WholeEncoder(PhantomData)
    }

    fn decoder(&mut self) -> ProstDecoder<U> {
        ProstDecoder::default()
    }
}

/// See [`Whole`].
#[derive(Debug)]
pub struct WholeEncoder<T>(PhantomData<fn(T)>);

impl<T: Message> Encoder for WholeEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item.encode_to_vec());
        Ok(())
    }
}

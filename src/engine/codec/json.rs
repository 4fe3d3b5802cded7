//! Domain values as JSON, byte for byte as `serde_json` writes them, with less work: a commit writes some two hundred short
//! texts. Of a value sixteen bytes are looked at together for what must be escaped; names of fields never need it.

use serde::{Serialize, ser};

/// What cannot be written: a key that is no text, or a serializer's own refusal. Domain types have neither.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoJson(String);

impl ser::Error for NoJson {
    fn custom<T: std::fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

/// Appends `value` to `out`.
pub(super) fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), NoJson> {
    value.serialize(Writer(out))
}

/// Writes one value.
struct Writer<'a>(&'a mut Vec<u8>);

/// Writes the entries of a list or the fields of an object, and what closes it.
struct Entries<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
    end: &'static [u8],
}

/// Bytes looked at together.
const LANES: usize = 16;

/// Whether none of the bytes is a control character, a quotation mark or a backslash. Without a way out in the middle, so
/// that the compiler compares them all at once.
fn plain(bytes: &[u8; LANES]) -> bool {
    let escaped = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    !bytes.iter().fold(false, |any, byte| any | escaped(byte))
}

fn is_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<LANES>() {
        // The last may overlap those before.
        return plain(last) && text.as_chunks::<LANES>().0.iter().all(plain);
    }
    let mut padded = [b' '; LANES];
    padded[..text.len()].copy_from_slice(text);
    plain(&padded)
}

/// The name of a field or a variant, which Rust's rules for names keep plain.
fn name(out: &mut Vec<u8>, name: &str) {
    debug_assert!(is_plain(name.as_bytes()));
    out.reserve(name.len() + 3);
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if is_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.bytes().for_each(|byte| escaped(out, byte));
    }
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        8 => b'b',
        9 => b't',
        10 => b'n',
        12 => b'f',
        13 => b'r',
        0..=0x1f => {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

fn whole(out: &mut Vec<u8>, negative: bool, mut number: u64) {
    if negative {
        out.push(b'-');
    }
    if number < 10 {
        return out.push(b'0' + number as u8);
    }
    let mut digits = [0; 20];
    let mut at = digits.len();
    while number >= 10 {
        at -= 2;
        [digits[at], digits[at + 1]] = PAIRS[(number % 100) as usize];
        number /= 100;
    }
    if number > 0 {
        at -= 1;
        digits[at] = b'0' + number as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// What is rare is written by `serde_json` itself.
fn rare<T: Serialize>(out: &mut Vec<u8>, value: T) -> Result<(), NoJson> {
    serde_json::to_writer(out, &value).map_err(ser::Error::custom)
}

impl<'a> Writer<'a> {
    fn word(self, word: &[u8]) -> Result<(), NoJson> {
        self.0.extend_from_slice(word);
        Ok(())
    }

    fn entries(self, begin: u8, end: &'static [u8]) -> Result<Entries<'a>, NoJson> {
        self.0.push(begin);
        Ok(Entries { out: self.0, first: true, end })
    }

    /// `{"name":` before the content of a variant.
    fn variant(self, of: &str) -> Self {
        self.0.push(b'{');
        name(self.0, of);
        self
    }
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = NoJson;
    type SerializeSeq = Entries<'a>;
    type SerializeTuple = Entries<'a>;
    type SerializeTupleStruct = Entries<'a>;
    type SerializeTupleVariant = Entries<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Entries<'a>;
    type SerializeStructVariant = Entries<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), NoJson> {
        self.word(if value { b"true" } else { b"false" })
    }

    fn serialize_i8(self, value: i8) -> Result<(), NoJson> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), NoJson> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), NoJson> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), NoJson> {
        whole(self.0, value < 0, value.unsigned_abs());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), NoJson> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), NoJson> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), NoJson> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), NoJson> {
        whole(self.0, false, value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), NoJson> {
        rare(self.0, value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), NoJson> {
        rare(self.0, value)
    }

    fn serialize_char(self, value: char) -> Result<(), NoJson> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), NoJson> {
        text(self.0, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), NoJson> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), NoJson> {
        self.word(b"null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoJson> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoJson> {
        self.word(b"null")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoJson> {
        self.word(b"null")
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), NoJson> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), NoJson> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NoJson> {
        let inner = self.variant(variant);
        value.serialize(Writer(inner.0))?;
        inner.word(b"}")
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Entries<'a>, NoJson> {
        self.entries(b'[', b"]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Entries<'a>, NoJson> {
        self.entries(b'[', b"]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Entries<'a>, NoJson> {
        self.entries(b'[', b"]")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries<'a>, NoJson> {
        self.variant(variant).entries(b'[', b"]}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'a>, NoJson> {
        self.entries(b'{', b"}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries<'a>, NoJson> {
        self.entries(b'{', b"}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries<'a>, NoJson> {
        self.variant(variant).entries(b'{', b"}}")
    }
}

impl Entries<'_> {
    fn next(&mut self) -> Writer<'_> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        Writer(self.out)
    }

    fn field<T: Serialize + ?Sized>(&mut self, of: &str, value: &T) -> Result<(), NoJson> {
        let out = self.next().0;
        name(out, of);
        value.serialize(Writer(out))
    }

    fn close(self) -> Result<(), NoJson> {
        self.out.extend_from_slice(self.end);
        Ok(())
    }
}

macro_rules! list {
    ($($of:ident::$method:ident),*) => {$(
        impl ser::$of for Entries<'_> {
            type Ok = ();
            type Error = NoJson;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoJson> {
                value.serialize(self.next())
            }

            fn end(self) -> Result<(), NoJson> {
                self.close()
            }
        }
    )*};
}

list!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! object {
    ($($of:ident),*) => {$(
        impl ser::$of for Entries<'_> {
            type Ok = ();
            type Error = NoJson;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, of: &'static str, value: &T) -> Result<(), NoJson> {
                self.field(of, value)
            }

            fn end(self) -> Result<(), NoJson> {
                self.close()
            }
        }
    )*};
}

object!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = NoJson;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoJson> {
        let out = self.next().0;
        let begun = out.len();
        key.serialize(Writer(out))?;
        match out.get(begun) {
            Some(b'"') => {}
            // A number is quoted to be a key.
            Some(b'0'..=b'9' | b'-') => {
                out.insert(begun, b'"');
                out.push(b'"');
            }
            _ => return Err(NoJson("a key that is neither text nor number".to_owned())),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoJson> {
        self.out.push(b':');
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), NoJson> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    #[derive(Debug, Clone, Serialize)]
    enum Kind {
        Unit,
        New(Option<String>),
        Pair(i64, u8),
        Named { text: String, number: f64 },
    }

    #[derive(Debug, Clone, Serialize)]
    struct All {
        kinds: Vec<Kind>,
        keys: BTreeMap<i32, (bool, char)>,
        none: Option<()>,
        tuple: (i8, u64, f32),
        #[serde(flatten)]
        unknown: Map<String, Value>,
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Unit),
            any::<Option<String>>().prop_map(Kind::New),
            any::<(i64, u8)>().prop_map(|(a, b)| Kind::Pair(a, b)),
            (any::<String>(), any::<f64>()).prop_map(|(text, number)| Kind::Named { text, number }),
        ]
    }

    fn written<T: Serialize + ?Sized>(value: &T) -> String {
        let mut out = Vec::new();
        append(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn every_value_is_written_as_serde_json_writes_it(
            kinds in prop::collection::vec(kind(), 0..4),
            keys in any::<BTreeMap<i32, (bool, char)>>(),
            tuple in any::<(i8, u64, f32)>(),
            unknown in any::<BTreeMap<String, Option<String>>>(),
        ) {
            let unknown = unknown.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
            let all = All { kinds, keys, none: None, tuple, unknown };
            prop_assert_eq!(written(&all), serde_json::to_string(&all).unwrap());
        }
    }

    #[test]
    fn every_byte_of_a_text_is_escaped_as_serde_json_escapes_it_wherever_it_stands() {
        for char in (0..0x180).filter_map(char::from_u32) {
            for before in 0..17 {
                let text = format!("{}{char}é", "a".repeat(before));
                assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    #[test]
    fn a_key_that_is_no_text_is_refused() {
        assert!(append(&mut Vec::new(), &BTreeMap::from([(Some(true), 1)])).is_err());
    }
}

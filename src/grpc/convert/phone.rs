//! A telephone number of a request.

use std::fmt::Display;

use crate::domain::{person::Private, phone::e164};

use super::fields::Fields;

const SHAPE: &str = "expected + and 6 to 15 digits (E.164), or a French number of ten digits beginning with 0";

/// A number that may be left out; answered as E.164.
pub fn phone(fields: &mut Fields, field: impl Display, text: &str) -> Option<Private<String>> {
    if text.trim().is_empty() {
        return None;
    }
    match e164(text) {
        Some(number) => Some(Private::new(number)),
        None => fields.fault(field, format!("{SHAPE}, got {} characters of another shape", text.chars().count())),
    }
}

//! Places as figures: INSEE commune codes, positions and straight-line distances.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ids::{BadId, Canonical, TerritoryId};

/// An INSEE commune code, five characters (`67482`, `2A004`, `97411`). Which codes exist is configuration's to say.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InseeCode([u8; 5]);

impl InseeCode {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        // Only ASCII bytes pass `from_str`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The département of the code as a territory id: two characters, or three overseas.
    pub fn territory(&self) -> TerritoryId {
        let digits = if self.0.starts_with(b"97") || self.0.starts_with(b"98") { 3 } else { 2 };
        let id = format!("fr-{}", self.as_str()[..digits].to_ascii_lowercase());
        id.parse().expect("two or three lower-case alphanumerics after 'fr-' are a legal id")
    }
}

impl FromStr for InseeCode {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId {
            what: "commune",
            problem: format!(
                "expected an INSEE code of 5 characters (digits, or 2A/2B first), got {} characters",
                text.chars().count()
            ),
        };
        let bytes: [u8; 5] = text.as_bytes().try_into().map_err(|_| bad())?;
        let corsican = bytes[0] == b'2' && matches!(bytes[1], b'A' | b'B');
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        if digits(&bytes) || (corsican && digits(&bytes[2..])) { Ok(Self(bytes)) } else { Err(bad()) }
    }
}

impl TryFrom<String> for InseeCode {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}

impl From<InseeCode> for String {
    fn from(code: InseeCode) -> String {
        code.as_str().to_owned()
    }
}

impl Canonical for InseeCode {
    fn text(&self) -> String {
        self.as_str().to_owned()
    }
}

impl fmt::Display for InseeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for InseeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A position in degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Degrees north, −90 to 90.
    pub lat: f64,
    /// Degrees east, −180 to 180.
    pub lon: f64,
}

impl Position {
    /// Great-circle distance in whole metres.
    pub fn metres_to(self, other: Position) -> u32 {
        const EARTH_RADIUS_M: f64 = 6_371_008.8;
        let (lat1, lat2) = (self.lat.to_radians(), other.lat.to_radians());
        let half = |a: f64| (a / 2.0).sin().powi(2);
        let h = half(lat2 - lat1) + lat1.cos() * lat2.cos() * half((other.lon - self.lon).to_radians());
        (2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin()).round() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_territory_is_the_departement_of_the_code() {
        let territory = |code: &str| code.parse::<InseeCode>().unwrap().territory().to_string();
        assert_eq!(territory("67482"), "fr-67");
        assert_eq!(territory("2A004"), "fr-2a");
        assert_eq!(territory("97411"), "fr-974");
        assert!("6748".parse::<InseeCode>().is_err());
        assert!("67B82".parse::<InseeCode>().is_err());
    }

    #[test]
    fn strasbourg_to_sens_is_about_330_km() {
        let strasbourg = Position { lat: 48.5734, lon: 7.7521 };
        let sens = Position { lat: 48.1975, lon: 3.2833 };
        assert!((325_000..340_000).contains(&strasbourg.metres_to(sens)), "{}", strasbourg.metres_to(sens));
    }
}

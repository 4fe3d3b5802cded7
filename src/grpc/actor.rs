//! Who acts: from metadata on loopback, until real identities come from certificate and token. The one place that makes an
//! [`Actor`] out of a call.

use std::{fmt::Display, str::FromStr};

use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::{Request, Status};

use crate::domain::{
    actor::{Actor, Role},
    case::FieldFault,
    ids::ConnectionId,
};

use super::status;

// Names that are parsed once, not with every call.
static PERSON: HeaderName = HeaderName::from_static("x-sas-person");
static ROLE: HeaderName = HeaderName::from_static("x-sas-role");
static TERRITORY: HeaderName = HeaderName::from_static("x-sas-territory");
static CONNECTION: HeaderName = HeaderName::from_static("x-sas-connection");

struct Headers<'a> {
    headers: &'a HeaderMap,
    faults: Vec<FieldFault>,
}

impl<'a> Headers<'a> {
    fn required<T: FromStr<Err: Display>>(&mut self, name: &HeaderName) -> Option<T> {
        self.required_text(name).and_then(|text| self.parsed(name, text))
    }

    fn optional<T: FromStr<Err: Display>>(&mut self, name: &HeaderName) -> Option<T> {
        let value = self.headers.get(name)?;
        self.text(name, value).and_then(|text| self.parsed(name, text))
    }

    fn required_text(&mut self, name: &HeaderName) -> Option<&'a str> {
        match self.headers.get(name) {
            Some(value) => self.text(name, value),
            None => self.fault(name, "must be set in the metadata of every call"),
        }
    }

    fn text(&mut self, name: &HeaderName, value: &'a HeaderValue) -> Option<&'a str> {
        value.to_str().ok().or_else(|| self.fault(name, "expected visible ASCII characters"))
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, name: &HeaderName, text: &str) -> Option<T> {
        text.parse().map_err(|error: T::Err| self.fault::<T>(name, error.to_string())).ok()
    }

    /// Any role but the service's own.
    fn role(&mut self) -> Option<Role> {
        let name = self.required_text(&ROLE)?;
        let outside = || Role::ALL.iter().copied().filter(|role| *role != Role::Upkeep);
        outside().find(|role| role.code() == name).or_else(|| {
            let codes = outside().map(Role::code).collect::<Vec<_>>().join(", ");
            self.fault(&ROLE, format!("expected one of {codes}, got {} characters", name.len()))
        })
    }

    fn fault<T>(&mut self, name: &HeaderName, problem: impl Into<String>) -> Option<T> {
        self.faults.push(FieldFault::new(name.as_str(), problem));
        None
    }
}

/// The actor that the metadata names.
///
/// # Errors
/// UNAUTHENTICATED with every header that is missing or has the wrong shape; never the value.
pub(super) fn from_metadata(headers: &HeaderMap) -> Result<Actor, Box<Status>> {
    let mut read = Headers { headers, faults: Vec::new() };
    let (person, role) = (read.required(&PERSON), read.role());
    let territory = read.required(&TERRITORY);
    let connection: Option<ConnectionId> = read.optional(&CONNECTION);
    match (person, role, territory) {
        (Some(person), Some(role), Some(territory)) if read.faults.is_empty() => {
            Ok(Actor { person, role, territory, connection })
        }
        _ => Err(Box::new(status::unauthenticated(read.faults))),
    }
}

/// The actor of a call. The layer has put it there for every service of this package.
pub(super) fn acting<T>(request: &Request<T>) -> Result<Actor, Status> {
    let actor = request.extensions().get::<Actor>().cloned();
    actor.ok_or_else(|| Status::internal("the layer that says who acts is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_whole_actor_is_read() {
        let pairs = [("x-sas-person", "arm-1"), ("x-sas-role", "ARM"), ("x-sas-territory", "fr-67")];
        let actor = from_metadata(&headers(&pairs)).unwrap();
        assert_eq!((actor.person.as_str(), actor.role, actor.territory.as_str()), ("arm-1", Role::Arm, "fr-67"));
    }

    #[test]
    fn every_wrong_header_is_named_at_once_and_upkeep_is_nobody() {
        let pairs = [("x-sas-person", "Jean Dupont"), ("x-sas-role", "UPKEEP")];
        let status = from_metadata(&headers(&pairs)).unwrap_err();
        assert_eq!(status.code(), tonic::Code::Unauthenticated);
        for part in ["x-sas-person: person id: expected", "x-sas-role: expected one of ARM", "x-sas-territory: must be"]
        {
            assert!(status.message().contains(part), "{}", status.message());
        }
        assert!(!status.message().contains("Dupont"));
    }
}

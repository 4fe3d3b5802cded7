//! Which web pages are believed. A browser says with every gRPC-web call which page makes it; a page from elsewhere can
//! make this machine's name its own (DNS rebinding) and would then act as anybody.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, Uri, header::ORIGIN};
use tonic::Status;

use crate::domain::case::FieldFault;

use super::status;

/// The pages that may call: those of this machine, and those that the settings name.
#[derive(Debug, Clone, Default)]
pub(super) struct Pages(Arc<[String]>);

impl Pages {
    pub(super) fn new(named: &[String]) -> Self {
        Self(named.iter().map(|origin| origin.to_ascii_lowercase()).collect())
    }

    /// # Errors
    /// UNAUTHENTICATED when a page from elsewhere makes the call. What is no browser names no page.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), Box<Status>> {
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        if of_this_machine(&origin) || self.0.contains(&origin) {
            return Ok(());
        }
        let problem =
            "this page may not call: name it in server.browser_origins, or open the console from this machine";
        Err(Box::new(status::unauthenticated(vec![FieldFault::new(ORIGIN.as_str(), problem)])))
    }
}

/// `http://localhost:8080`, `https://127.0.0.1`, `http://[::1]:50051`.
fn of_this_machine(origin: &str) -> bool {
    let uri = origin.parse::<Uri>().ok().filter(|uri| uri.scheme().is_some());
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        Pages::new(&["https://Console.example:8443".to_owned()]).admit(&headers).is_ok()
    }

    #[test]
    fn a_page_of_this_machine_and_a_named_one_may_call_and_no_other() {
        for page in ["http://localhost:50051", "https://127.0.0.1", "http://[::1]:1", "https://console.example:8443"] {
            assert!(admits(page), "{page}");
        }
        for page in ["http://localhost.example:50051", "http://127.0.0.1.example", "null", "", "localhost", "file://"] {
            assert!(!admits(page), "{page}");
        }
        for page in ["https://console.example", "http://console.example:8443", "http://10.0.0.1", "http://user@evil"] {
            assert!(!admits(page), "{page}");
        }
        assert!(Pages::default().admit(&HeaderMap::new()).is_ok(), "no browser");
    }
}

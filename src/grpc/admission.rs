//! Which calls are worked on at once when there are too many: what a room cannot wait for has a share of its own.
//!
//! Without it an overload of lists and searches would keep the renewals out, and make every holder of a case suspect.
//! Nothing waits here: a call beyond the limit is answered at once, before it was read, and its caller tries again.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The methods with a share of their own: a call that comes in, its qualification, the renewal of a claim, a hand-over and its
/// answer, a decision.
const VITAL: [&str; 17] = [
    "IntakeService/OpenCase",
    "IntakeService/OpenCaseFromHub",
    "TelephonyService/ReportCallEvent",
    "RegulationService/Qualify",
    "RegulationService/ClaimNext",
    "RegulationService/Claim",
    "RegulationService/RenewClaim",
    "RegulationService/ResumeClaim",
    "RegulationService/ReleaseClaim",
    "RegulationService/AcceptHandOver",
    "RegulationService/ListHandOvers",
    "RegulationService/SignNeed",
    "RegulationService/SignAnswer",
    "RegulationService/Reorient",
    "RegulationService/AnswerReorientation",
    "RegulationService/TransferCase",
    "RegulationService/AnswerTransfer",
];

/// Whether `rpc`, as `package.Service/Method`, has the reserved share.
pub(super) fn vital(rpc: &str) -> bool {
    rpc.strip_prefix(super::layer::PACKAGE)
        .and_then(|rest| rest.strip_prefix('.'))
        .is_some_and(|method| VITAL.contains(&method))
}

/// The places of one port. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    all: Arc<Semaphore>,
    ordinary: Arc<Semaphore>,
}

/// A place in hand, given back when dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    _all: OwnedSemaphorePermit,
    _ordinary: Option<OwnedSemaphorePermit>,
}

impl Admission {
    /// `in_hand` calls at one time, of them `reserved` for the vital ones alone.
    pub(super) fn new(in_hand: usize, reserved: usize) -> Self {
        let places = |number| Arc::new(Semaphore::new(number));
        Self { all: places(in_hand), ordinary: places(in_hand.saturating_sub(reserved)) }
    }

    /// A place for one call, or none when the share it may use is full.
    pub(super) fn admit(&self, vital: bool) -> Option<Admitted> {
        let ordinary = if vital { None } else { Some(self.ordinary.clone().try_acquire_owned().ok()?) };
        Some(Admitted { _all: self.all.clone().try_acquire_owned().ok()?, _ordinary: ordinary })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vital_method_is_served() {
        let served: Vec<_> = super::super::layer::services()
            .into_iter()
            .flat_map(|(service, methods)| methods.into_iter().map(move |method| format!("{service}/{method}")))
            .collect();
        assert_eq!(served.iter().filter(|rpc| vital(rpc)).count(), VITAL.len(), "{served:?}");
    }

    #[test]
    fn who_sends_a_case_and_who_answers_for_it_have_the_reserved_share() {
        for method in ["Reorient", "AnswerReorientation", "TransferCase", "AnswerTransfer"] {
            let rpc = format!("{}.RegulationService/{method}", super::super::layer::PACKAGE);
            assert!(vital(&rpc), "{rpc}");
        }
    }

    #[test]
    fn ordinary_calls_never_take_the_reserved_share() {
        let port = Admission::new(3, 1);
        let listed: Vec<_> = (0..3).filter_map(|_| port.admit(false)).collect();
        assert_eq!(listed.len(), 2);
        let renewal = port.admit(true).expect("its share is free");
        assert!(port.admit(true).is_none(), "three are in hand");
        drop(listed);
        assert!(port.admit(true).is_some(), "vital calls use what is free");
        drop(renewal);
        assert!(port.admit(false).is_some());
    }
}

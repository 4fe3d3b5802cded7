//! A visit is accepted or declined, and goes on to its report.

use sas_dispatch::{domain::actor::Role, grpc::pb};

use super::{Act, by, change};
use crate::load::Caller;

pub(super) async fn perform(caller: &mut Caller, case: &str, act: Act) {
    let (case_id, version) = (case.to_owned(), Vec::new());
    match act {
        Act::AcceptVisit(offer_id, on_duty) => {
            let draft = by("AcceptVisit", &on_duty.doctor, Role::Responder, case, None);
            let shift_id = on_duty.shift.clone();
            change!(caller, draft, visits.accept_visit, |id| pb::AcceptVisitRequest {
                command_id: id,
                case_id,
                version,
                offer_id,
                shift_id
            });
        }
        Act::DeclineVisit(offer_id, on_duty) => {
            let draft = by("DeclineVisit", &on_duty.doctor, Role::Responder, case, None);
            change!(caller, draft, visits.decline_visit, |id| pb::DeclineVisitRequest {
                command_id: id,
                case_id,
                version,
                offer_id
            });
        }
        Act::Progress(visit_id, doctor, status) => {
            let draft = by("ProgressVisit", &doctor, Role::Responder, case, None);
            let status = status.into();
            change!(caller, draft, visits.progress_visit, |id| pb::ProgressVisitRequest {
                command_id: id,
                case_id,
                version,
                visit_id,
                status,
                happened_unix_ms: 0
            });
        }
        Act::Report(visit_id, doctor) => {
            let draft = by("ReportVisit", &doctor, Role::Responder, case, None);
            let report = "Examen fait à domicile, traitement symptomatique.".to_owned();
            change!(caller, draft, visits.report_visit, |id| pb::ReportVisitRequest {
                counter_regulation: None,
                command_id: id,
                case_id,
                version,
                visit_id,
                report
            });
        }
        _ => {}
    }
}

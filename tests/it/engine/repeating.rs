//! A command takes effect once, whoever repeats it and wherever; a refusal comes from what is stored, not from memory.

use sas_dispatch::{
    domain::{
        case::{
            Command, Refusal,
            command::{Particulars, Qualify},
            sealed::Caller,
            state::Patient,
        },
        regulation::qualification::{Attribution, Flag, Priority, Stream},
    },
    engine::{Failure, Target},
    store::{Digest, StoreError},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{arm, call, supervisor, text},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    a_repeated_command_is_told_the_same_and_changes_nothing
    the_same_id_with_another_request_is_refused
    a_repeated_claim_next_gives_the_same_case
    a_stale_version_is_judged_by_what_is_stored
    a_number_that_another_instance_entered_is_looked_for_too
    a_repeat_call_is_seen_in_whatever_command_tells_of_it
}

async fn a_repeated_command_is_told_the_same_and_changes_nothing(stand: Stand) {
    let desk = Desk::new(stand);
    let mutation = desk.mutation();
    let open = || Command::Open(Box::new(call(desk.stand.clock.now())));
    let first = desk.a.act(&arm(), mutation, Target::default(), open()).await.unwrap();
    for engine in [&desk.a, &desk.b] {
        let again = engine.act(&arm(), mutation, Target::default(), open()).await.unwrap();
        assert!(again.replayed && !first.replayed);
        assert_eq!((&again.reply, again.seq, again.at), (&first.reply, first.seq, first.at));
    }
    assert_eq!(desk.log().await.len(), 1);
    // A refusal of the second run may not hide that the first was carried out.
    let case = first.reply.case.unwrap();
    let qualify = || Command::Qualify(Box::new(crate::domain::stage::qualify(Priority::P2)));
    desk.done(&arm(), case, qualify()).await;
    let claim = desk.mutation();
    let held = desk.a.act(&regulator(1), claim, Target::case(case), Command::Claim).await.unwrap();
    let again = desk.b.act(&regulator(1), claim, Target::case(case), Command::Claim).await.unwrap();
    assert_eq!(again.reply.claim_no, held.reply.claim_no);
    desk.clean().await;
}

async fn the_same_id_with_another_request_is_refused(stand: Stand) {
    let desk = Desk::new(stand);
    let mutation = desk.mutation();
    let open = || Command::Open(Box::new(call(desk.stand.clock.now())));
    desk.a.act(&arm(), mutation, Target::default(), open()).await.unwrap();
    let other = sas_dispatch::engine::Mutation { digest: Digest::of(b"another request"), ..mutation };
    for engine in [&desk.a, &desk.b] {
        let refused = engine.act(&arm(), other, Target::default(), open()).await.unwrap_err();
        assert_eq!(refused, Failure::Store(StoreError::OtherPayload(mutation.command_id)));
    }
    assert_eq!(desk.log().await.len(), 1);
}

async fn a_repeated_claim_next_gives_the_same_case(stand: Stand) {
    let desk = Desk::new(stand);
    for _ in 0..3 {
        desk.qualified(Priority::P2).await;
    }
    let lost_reply = desk.mutation();
    let first = desk.a.claim_next(&regulator(1), lost_reply, Stream::Snp).await.unwrap();
    let again = desk.b.claim_next(&regulator(1), lost_reply, Stream::Snp).await.unwrap();
    assert_eq!((first.reply.case, first.reply.claim_no), (again.reply.case, again.reply.claim_no));
    let next = desk.a.claim_next(&regulator(1), desk.mutation(), Stream::Snp).await.unwrap();
    assert_ne!(next.reply.case, first.reply.case);
    desk.clean().await;
}

async fn a_stale_version_is_judged_by_what_is_stored(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    let read = desk.a.read_case(&supervisor(), case, 0).await.unwrap().0.version;
    let note = |words: &str| Command::AddNote(text(words));
    let changed = desk.b.act(&arm(), desk.mutation(), Target::case(case), note("par un autre poste")).await.unwrap();
    let on = |version| Target { case: Some(case), version: Some(version) };
    // Instance a remembers the old version, which the command names: it must not be taken for the current one.
    let stale = desk.a.act(&arm(), desk.mutation(), on(read), note("trop tard")).await.unwrap_err();
    assert_eq!(stale, Failure::Refused(Refusal::Stale("case".to_owned())));
    let changed = desk.b.act(&arm(), desk.mutation(), on(changed.case.unwrap().version), note("encore")).await.unwrap();
    // Nor may it refuse the current version because it remembers an older one.
    desk.a.act(&arm(), desk.mutation(), on(changed.case.unwrap().version), note("à jour")).await.unwrap();
    let vital = Command::Qualify(Box::new(crate::domain::stage::qualify(Priority::P0)));
    desk.a.act(&arm(), desk.mutation(), on(read), vital).await.expect("a P0 is never refused for a stale version");
    desk.clean().await;
}

/// Whether it is a repeat call was asked of what this instance remembered, before the number was known.
async fn a_number_that_another_instance_entered_is_looked_for_too(stand: Stand) {
    let desk = Desk::new(stand);
    let earlier = desk.qualified(Priority::P2).await;
    let phone = desk.read(earlier).await.case.sealed.caller.phone.clone();
    let mut open = call(desk.stand.clock.now());
    open.particulars.caller = None;
    let case = desk.give(&arm(), None, Command::Open(Box::new(open))).await.unwrap().reply.case.unwrap();
    desk.b.read_case(&arm(), case, 0).await.unwrap();
    let caller = Some(Caller { phone, ..Caller::default() });
    desk.done(&arm(), case, Command::Amend(Box::new(Particulars { caller, ..Particulars::default() }))).await;

    let ends = Command::Dismiss { attribution: Attribution::WrongNumber, possible_repeat: false };
    let refused = desk.b.act(&arm(), desk.mutation(), Target::case(case), ends).await;
    assert!(matches!(&refused, Err(Failure::Refused(Refusal::State { .. }))), "{refused:?}");
    desk.clean().await;
}

/// Who is calling came with the qualification itself, or was said after it: the request was deferred beside the earlier one.
async fn a_repeat_call_is_seen_in_whatever_command_tells_of_it(stand: Stand) {
    let desk = Desk::new(stand);
    let earlier = desk.qualified(Priority::P2).await;
    let known = desk.read(earlier).await.case.sealed.clone();
    let unknown = || async {
        let mut open = call(desk.stand.clock.now());
        let other = Caller { phone: text("+33639985678"), ..Caller::default() };
        (open.particulars.caller, open.particulars.patients) = (Some(other), Vec::new());
        desk.give(&arm(), None, Command::Open(Box::new(open))).await.unwrap().reply.case.unwrap()
    };
    let said = || Particulars {
        caller: Some(known.caller.clone()),
        patients: vec![(Patient { number: 1, ..Patient::default() }, known.identities[0].clone())],
        ..Particulars::default()
    };
    let deferred = |particulars| Qualify { particulars, ..crate::domain::stage::qualify(Priority::P3) };
    let desk = &desk;
    let seen = |case: sas_dispatch::domain::ids::CaseId| async move {
        let known = desk.read(case).await.case.qualification.clone().unwrap();
        (known.priority, known.flags.contains(&Flag::PossibleRepeat))
    };
    let at_once = unknown().await;
    desk.done(&arm(), at_once, Command::Qualify(Box::new(deferred(said())))).await;
    assert_eq!(seen(at_once).await, (Priority::P2, true));
    let later = unknown().await;
    desk.done(&arm(), later, Command::Qualify(Box::new(deferred(Particulars::default())))).await;
    assert_eq!(seen(later).await, (Priority::P3, false));
    desk.done(&arm(), later, Command::Amend(Box::new(said()))).await;
    assert_eq!(seen(later).await, (Priority::P2, true));
    desk.clean().await;
}

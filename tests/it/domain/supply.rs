//! Who says what is free: the owner of an agenda or a shift, or the back office for him.

use sas_dispatch::domain::{
    actor::Role,
    calendar::local_date,
    case::{Command, Refusal},
    directory::{Absence, Directory},
    ids::SlotId,
    slots::SlotKind,
    time::Span,
};

use super::stage::{GP_DOCTOR, SAS, SAS_DOCTOR, SECTOR, SOS, SOS_DOCTOR, Stage, doctor, someone};

fn publish(stage: &Stage, slot: Option<SlotId>, begins: Span, ends: Span) -> Command {
    let (responder, kind) = (SAS.parse().unwrap(), SlotKind::Snp);
    Command::PublishSlot { slot, responder, kind, start: stage.now + begins, end: stage.now + ends }
}

#[test]
fn an_agenda_is_its_owners_or_the_back_offices() {
    let mut stage = Stage::new();
    let command = publish(&stage, None, Span::from_hours(1), Span::from_hours(2));
    assert!(matches!(stage.give(&doctor(GP_DOCTOR), None, &command), Err(Refusal::Role { .. })));
    let office = someone("secretariat", Role::BackOffice);
    let slot = stage.give(&office, None, &command).unwrap().slot;
    let again = publish(&stage, slot, Span::from_hours(2), Span::from_hours(3));
    stage.give(&doctor(SAS_DOCTOR), None, &again).unwrap();
    assert_eq!(stage.records.slots.len(), 1, "published again, not twice");
}

#[test]
fn a_slot_has_a_length_and_lies_ahead() {
    let mut stage = Stage::new();
    let wrong = [
        publish(&stage, None, Span::from_hours(2), Span::from_hours(1)),
        publish(&stage, None, Span::from_hours(1), Span::from_hours(6)),
        publish(&stage, None, Span::ZERO, Span::ZERO),
    ];
    for command in wrong {
        assert!(matches!(stage.give(&doctor(SAS_DOCTOR), None, &command), Err(Refusal::Fields(_))));
    }
    let unknown = publish(&stage, Some(SlotId(uuid::Uuid::from_u128(7))), Span::ZERO, Span::from_hours(1));
    assert!(matches!(stage.give(&doctor(SAS_DOCTOR), None, &unknown), Err(Refusal::NotFound(_))));
}

/// Found by reading: an agenda that began anew published its hours a second time, and two patients were sent to one doctor.
#[test]
fn a_doctor_of_his_own_has_one_slot_at_a_time_and_a_structure_several() {
    let mut stage = Stage::new();
    let office = someone("secretariat", Role::BackOffice);
    let (hours, mins) = (Span::from_hours, Span::from_mins);
    let first = publish(&stage, None, hours(2), hours(2) + mins(20));
    let slot = stage.give(&office, None, &first).unwrap().slot.unwrap();
    for (begins, ends) in [(120, 140), (110, 125), (139, 150), (100, 200), (125, 130)] {
        let again = publish(&stage, None, mins(begins), mins(ends));
        let refusal = stage.give(&office, None, &again).unwrap_err();
        assert!(matches!(&refusal, Refusal::State { what, .. } if what == "slot"), "{refusal}");
        assert!(refusal.to_string().contains(&slot.to_string()), "it names the other: {refusal}");
    }
    let (responder, start, end) = (SAS.parse().unwrap(), stage.now + hours(2), stage.now + hours(2) + mins(20));
    let public = Command::PublishSlot { slot: None, responder, kind: SlotKind::Public, start, end };
    assert!(stage.give(&office, None, &public).is_err(), "whomever it is published for");
    for (begins, ends) in [(100, 120), (140, 160)] {
        let beside = publish(&stage, None, mins(begins), mins(ends));
        stage.give(&office, None, &beside).unwrap();
    }
    let moved = publish(&stage, Some(slot), mins(125), mins(140));
    stage.give(&office, None, &moved).expect("a slot is not in its own way");
    stage.give(&office, None, &Command::WithdrawSlot(slot)).unwrap();
    let instead = publish(&stage, None, mins(120), mins(140));
    stage.give(&office, None, &instead).expect("what was withdrawn takes no time");
    for _ in 0..3 {
        let (responder, kind) = (SOS.parse().unwrap(), SlotKind::FixedPoint);
        let of_structure = Command::PublishSlot { slot: None, responder, kind, start, end };
        stage.give(&office, None, &of_structure).expect("its doctors see several patients at once");
    }
}

#[test]
fn a_held_slot_is_not_published_again() {
    let mut stage = Stage::new();
    let (slot, means) = stage.slot(Span::from_hours(1));
    let (case, decision) = stage.decided(sas_dispatch::domain::regulation::need::CareType::Consultation);
    stage.offered(case, decision, SAS, means);
    let moved = publish(&stage, Some(slot), Span::from_hours(2), Span::from_hours(3));
    assert!(matches!(stage.give(&doctor(SAS_DOCTOR), None, &moved), Err(Refusal::State { .. })));
}

fn wrong_field<T>(given: Result<T, Refusal>) -> String {
    match given {
        Err(Refusal::Fields(faults)) => faults[0].field.clone(),
        Err(refusal) => panic!("{refusal}"),
        Ok(_) => panic!("nothing was refused"),
    }
}

#[test]
fn a_dispatch_desk_opens_the_shift_of_a_doctor_it_names_and_who_is_of_the_structure() {
    let mut stage = Stage::new();
    let desk = someone("disp-1", Role::Dispatcher);
    let open = |stage: &Stage, doctor: Option<&str>| Command::OpenShift {
        responder: SOS.parse().unwrap(),
        sectors: vec![SECTOR.parse().unwrap()],
        start: stage.now,
        end: stage.now + Span::from_hours(8),
        position: None,
        doctor: doctor.map(|doctor| doctor.parse().unwrap()),
    };
    for nobody in [None, Some(GP_DOCTOR)] {
        let command = open(&stage, nobody);
        assert_eq!(wrong_field(stage.give(&desk, None, &command)), "doctor", "{nobody:?}");
    }
    let command = open(&stage, Some(SOS_DOCTOR));
    let shift = stage.give(&desk, None, &command).unwrap().shift.unwrap();
    assert_eq!(stage.records.shifts[&shift].doctor.as_str(), SOS_DOCTOR);
    assert!(matches!(stage.give(&desk, None, &command), Err(Refusal::State { .. })), "one shift at a time");
}

#[test]
fn a_shift_is_opened_by_its_doctor_for_sectors_the_structure_serves() {
    let mut stage = Stage::new();
    let open = |stage: &Stage, who: &str, sectors: &[&str]| Command::OpenShift {
        responder: who.parse().unwrap(),
        sectors: sectors.iter().map(|sector| sector.parse().unwrap()).collect(),
        start: stage.now,
        end: stage.now + Span::from_hours(8),
        position: None,
        doctor: None,
    };
    let elsewhere = open(&stage, SOS, &[SECTOR, "wissembourg"]);
    let Err(Refusal::Fields(faults)) = stage.give(&doctor(SOS_DOCTOR), None, &elsewhere) else { panic!() };
    assert_eq!(faults[0].field, "sectors[1]");
    let nowhere = open(&stage, SOS, &[]);
    assert!(matches!(stage.give(&doctor(SOS_DOCTOR), None, &nowhere), Err(Refusal::Fields(_))));
    let stranger = open(&stage, SOS, &[SECTOR]);
    assert!(matches!(stage.give(&doctor(GP_DOCTOR), None, &stranger), Err(Refusal::Role { .. })));
    let for_another = match open(&stage, SOS, &[SECTOR]) {
        Command::OpenShift { responder, sectors, start, end, position, .. } => {
            let doctor = Some("dr-67-sos-brume".parse().unwrap());
            Command::OpenShift { responder, sectors, start, end, position, doctor }
        }
        _ => unreachable!(),
    };
    assert_eq!(wrong_field(stage.give(&doctor(SOS_DOCTOR), None, &for_another)), "doctor");
    let shift = stage.on_duty(SOS_DOCTOR);
    let by_another = stage.give(&doctor("dr-67-sos-brume"), None, &Command::EndShift(shift));
    assert!(matches!(by_another, Err(Refusal::Role { .. })));
    stage.give(&doctor(SOS_DOCTOR), None, &Command::EndShift(shift)).unwrap();
}

/// Its shift was accepted, and no plan ever looked at it.
#[test]
fn nobody_goes_on_duty_for_a_collective_practice_but_for_the_association_that_visits_its_patients() {
    let mut stage = Stage::of(&super::stage::yonne());
    let open = |who: &str| Command::OpenShift {
        responder: who.parse().unwrap(),
        sectors: vec!["sens".parse().unwrap()],
        start: stage.now,
        end: stage.now + Span::from_hours(8),
        position: None,
        doctor: None,
    };
    let (practice, association) = (open("programme-sens"), open("sos-medecins-sens"));
    let Err(Refusal::Fields(faults)) = stage.give(&doctor("dr-89-sos-basalte"), None, &practice) else { panic!() };
    assert_eq!(faults[0].field, "responder_id");
    assert!(faults[0].problem.contains("sos-medecins-sens"), "{}", faults[0].problem);
    stage.give(&doctor("dr-89-sos-basalte"), None, &association).unwrap();
}

#[test]
fn a_slot_of_a_doctor_who_is_away_is_published_with_a_warning() {
    let mut stage = Stage::new();
    let day = local_date(stage.territory.calendar.zone(), stage.now);
    let mut known: Vec<_> = stage.directory.iter().cloned().collect();
    let maree = known.iter_mut().find(|known| known.id.as_str() == SAS).unwrap();
    let there = publish(&stage, None, Span::from_hours(1), Span::from_hours(2));
    assert_eq!(stage.give(&doctor(SAS_DOCTOR), None, &there).unwrap().warnings, [""; 0]);
    maree.absences = vec![Absence { from: day, to: day }];
    stage.directory = Directory::new(known);
    let away = publish(&stage, None, Span::from_hours(2), Span::from_hours(3));
    let warnings = stage.give(&doctor(SAS_DOCTOR), None, &away).unwrap().warnings;
    assert!(warnings[0].starts_with("RESPONDER_ABSENT: "), "{warnings:?}");
}

#[test]
fn who_withdraws_a_slot_that_a_patient_has_is_told_who_cancels_his_appointment() {
    let mut stage = Stage::new();
    let (slot, means) = stage.slot(Span::from_hours(1));
    let (case, decision) = stage.decided(sas_dispatch::domain::regulation::need::CareType::Consultation);
    stage.offered(case, decision, SAS, means);
    let refused = stage.give(&doctor(SAS_DOCTOR), None, &Command::WithdrawSlot(slot)).unwrap_err();
    assert!(refused.to_string().contains("a coordinator or a regulator"), "{refused}");
    assert!(refused.french().contains("coordinateur ou un régulateur"), "{}", refused.french());
}

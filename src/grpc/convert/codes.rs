//! Closed lists on the wire: each enum of the domain and its twin in the protos, value by value, so that the compiler finds
//! one that lacks its twin.

use crate::{domain, grpc::pb};

/// A closed list of the domain that has a twin on the wire.
pub trait Coded: Copy {
    /// The names of the values on the wire, joined with commas.
    fn names() -> String;

    /// Its number on the wire.
    fn wire(self) -> i32;

    /// From the number on the wire; `None` when it is unspecified or not of the list.
    fn of_wire(number: i32) -> Option<Self>;
}

macro_rules! coded {
    ($($domain:ty = $wire:ident { $($value:ident)* })*) => {
        $(
            impl Coded for $domain {
                fn names() -> String {
                    [$(pb::$wire::$value.as_str_name()),*].join(", ")
                }

                fn wire(self) -> i32 {
                    (match self { $(Self::$value => pb::$wire::$value),* }) as i32
                }

                fn of_wire(number: i32) -> Option<Self> {
                    match pb::$wire::try_from(number).ok()? {
                        pb::$wire::Unspecified => None,
                        $(pb::$wire::$value => Some(Self::$value),)*
                    }
                }
            }
        )*

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn every_value_goes_to_the_wire_and_back() {
                $($(assert_eq!(<$domain>::of_wire(<$domain>::$value.wire()), Some(<$domain>::$value));)*
                assert_eq!(<$domain>::of_wire(0), None);
                assert_eq!(<$domain>::of_wire(i32::MAX), None);)*
            }
        }
    };
}

coded! {
    domain::regulation::qualification::Priority = Priority {
        P0 P1 P2 P3 NotRegulated
    }
    domain::regulation::qualification::Stream = Stream {
        Amu Snp Psy Neonat
    }
    domain::regulation::qualification::Flag = Flag {
        RedFlag RepeatCall Infant CommunicationBarrier LostCall PossibleRepeat
    }
    domain::regulation::qualification::Attribution = Attribution {
        WrongNumber Silent Malicious Fax Repeat Administrative Personal Arm DoctorInformation
        PharmacyInformation DentistInformation GeneralInformation FireService Police
    }
    domain::regulation::need::CareType = CareType {
        Advice PhonePrescription Consultation HomeVisit Teleconsultation Ambulance EmergencyDepartment Amu
        OtherResource NoFurther RefusedByPatient
    }
    domain::regulation::need::CareLevel = CareLevel {
        R1 R2 R3 R4
    }
    domain::regulation::need::LongestDelay = LongestDelay {
        Immediate Asap M30 M45 H1 H2 H4 H8 H12 H24 H48
    }
    domain::regulation::decision::SupplyReason = SupplyReason {
        NoneBeforeDeadline NoVisit SourceSilent NotConnected AllDeclined OutOfReach
    }
    domain::case::state::Channel = Channel {
        Telephony Console Hub Paper Transfer
    }
    domain::case::state::Line = LineState {
        OnLine CallBack NoContact
    }
    domain::case::ActionKind = ActionKind {
        AnswerCall Qualify Regulate HandOver CallBack Route RingGp ConfirmSlot AcceptVisit Appointment Visit
        DeliverPrescription AwaitReport ReturnOfInformation FollowUp Unanswered AnnouncePatient CompleteFile
        SeeCounterRegulation TelephoneAppointment ReEvaluate Reorient Transfer Interpreter AskConsent Refer
        AskConsentCcas ReferCcas DepositDocument ArrangeTransport
    }
    domain::case::transfer::TransferEnd = TransferEnd {
        Accepted Refused Expired TakenBack Requalified Vital Unknown
    }
    domain::case::transfer::TransferState = TransferState {
        Awaited ToAnswer ToConfirm GoesOn SenderAgain
    }
    domain::regulation::fallback::Fallback = Fallback {
        NoLiberal LiberalUnavailable EmergencyUnavailable Emergency
    }
    domain::case::state::Connected = CallConnected {
        Yes No Unknown
    }
    domain::regulation::room::Affiliation = Affiliation {
        Hospital Liberal Association
    }
    domain::regulation::room::SurgeReason = SurgeReason {
        Epidemic MassCasualty CallLoad Staffing Technical
    }
    domain::case::End = ActionEnd {
        Done Replaced Refused Unreachable NoShow Absent Undelivered Expired
    }
    domain::case::status::Status = CaseStatus {
        Active Achieved Valid Closed Planned Filed Archived
    }
    domain::case::status::Missing = MissingItem {
        Identity Motive Regulator Outcome
    }
    domain::regulation::dialogue::Understanding = Understanding {
        Yes No NotAsked Barrier
    }
    domain::regulation::dialogue::CallAgain = CallAgain {
        Fifteen Service OwnGp Responder
    }
    domain::regulation::dialogue::Capacity = Capacity {
        Capable Representative Impaired
    }
    domain::regulation::prescription::Situation = PrescriptionSituation {
        WrittenOrder FamilyPharmacy Adaptation
    }
    domain::regulation::prescription::AskedState = AskedState {
        Answered Unknown NotConcerned
    }
    domain::regulation::advice::SentenceKind = SentenceKind {
        Advice SafetyNet
    }
    domain::regulation::national::DecisionType = DecisionType {
        Advice Prescription Intervention Orientation NoFurther
    }
    domain::regulation::national::ResourceType = ResourceType {
        Smur SmurAdult SmurPaediatric SmurSpecial Cump Hospital Liberal Gp Pharmacist Nurse Physiotherapist
        DutyAssociation DutyCentre HealthCentre SamuCorrespondent Specialist Dentist Laboratory
        OtherProfessional PrivateAmbulance FireService FireServiceDoctor FireServiceNurse FireServiceRescuer
        RescueAssociation Police NationalPolice Gendarmerie MunicipalPolice Customs Other SocialServices
        Defibrillator OtherMeans
    }
    domain::regulation::national::Destination = Destination {
        Emergency IntensiveCare Hospital Practice Home NursingHome Other
    }
    domain::regulation::decision::CounterReason = CounterReason {
        Worse Better OtherMatter NotFeasible PatientWish
    }
    domain::case::sealed::Sex = Sex {
        Female Male Other Unknown
    }
    domain::case::sealed::NoteKind = NoteKind {
        Note Late Advice Report Reason SafetyNet Addendum CounterRegulation
    }
    domain::ins::InsStatus = InsStatus {
        Provisional Recovered Validated Qualified
    }
    domain::ins::InsAuthority = InsAuthority {
        Nir Nia Test Demo
    }
    domain::case::patient::Recipient = Recipient {
        Gp MonEspaceSante Cpam Ccas
    }
    domain::case::patient::Wish = Wish {
        Consents Opposes
    }
    domain::case::patient::ConsentForm = ConsentForm {
        Oral Written Representative Elsewhere
    }
    domain::case::safety::ContactRisk = ContactRisk {
        Violence Maltreatment
    }
    domain::case::outgoing::Outgoing = OutgoingKind {
        CallBack VoiceMessage Text ArrivalNotice Household Gp MonEspaceSante Cpam Ccas
    }
    domain::case::outgoing::Withheld = WithheldReason {
        Risk Secrecy Contact Opposed NoConsent
    }
    domain::case::repeats::RepeatReason = RepeatReason {
        SamePatient SameNumber SamePlace Recent OtherPatient
    }
    domain::remarkable::RemarkableKind = RemarkableKind {
        Palliative Had Lata Other
    }
    domain::remarkable::RemarkableMatch = RemarkableMatch {
        Ins Traits Phone
    }
    domain::routing::Category = RouteCategory {
        OwnGp PracticeColleague CptsColleague SasSlot FixedPoint HomeVisit Teleconsultation
    }
    domain::routing::WhyNot = WhyNot {
        RegulatedCase NoOwnGp Absent ClosedBeforeDeadline NoFreeSlot SlotAfterDeadline TooFar
        NotInThisPeriod PatientCannotLeave OtherCareDecided MustExamine NotConnected NoAnswer Declined
        Unreachable Expired Taken WeeklyCap SectorNotServed NobodyOnDuty OwnPatientsOnly PlaceUnknown PatientOpposes
        Cancelled
    }
    domain::slots::SlotKind = SlotKind {
        Public Pro Snp Cpts FixedPoint
    }
    domain::visits::VisitStatus = VisitStatus {
        Decided Dispatched EnRoute CalledOff Arrived WithPatient Finished
    }
    domain::directory::ResponderKind = ResponderKind {
        Gp Practice Cpts SasProfessional FixedPoint SosMedecins CollectivePractice
    }
    domain::directory::FixedPointKind = FixedPointKind {
        Mmg Sos
    }
    domain::directory::Connection = Connection {
        Connected NotConnected
    }
    domain::calendar::Period = LegalPeriod {
        OfficeHours PdsaNight PdsaSundayHoliday PdsaSaturday PdsaBridge
    }
    domain::calendar::Band = NightBand {
        Evening DeepNight Early
    }
    domain::indicators::Stage = WaitStage {
        Answer Qualification Regulation Decision Response Care
    }
    domain::indicators::Affiliation = RegulatorAffiliation {
        Hospital Liberal Association Unknown
    }
    domain::actor::Role = Role {
        Arm Regulator Coordinator Responder Dispatcher Telephony Supervisor BackOffice Upkeep
    }
}

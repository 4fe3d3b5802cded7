//! A decision in the words of the nation: its type, the kind of resource and the destination (HubSante.typeDecision,
//! typeRessource, typeOrientation; domain.md §2.5).
//!
//! Resource and destination are compulsory for INTER and ORIENT, and both follow from the care; who signs states them only
//! where the care leaves a choice (a VSAV for an ambulance, a dentist for another resource). They name a kind, never a
//! responder.

use crate::coded_enum;

use super::{need::CareType, wrong::Wrong};

coded_enum! {
    /// What a decision is (HubSante.typeDecision).
    DecisionType {
        /// Medical advice.
        Advice = "CONSEIL", "#Conseil Médical";
        /// A prescription by telephone.
        Prescription = "PMT", "#PMT";
        /// A mobile means is sent.
        Intervention = "INTER", "#Intervention";
        /// The patient is sent or brought somewhere.
        Orientation = "ORIENT", "#Orientation Transport";
        /// No further decision.
        NoFurther = "PASPLUS", "#Décision";
    }
}

coded_enum! {
    /// Which kind of resource carries it out (HubSante.typeRessource).
    ResourceType {
        /// A SMUR, of whatever kind.
        Smur = "SMUR", "Smur";
        /// A general SMUR.
        SmurAdult = "SMUR.ADULT", "Smur Généraliste";
        /// A paediatric or neonatal SMUR.
        SmurPaediatric = "SMUR.PED", "Smur Pédiatrique ou Néonat";
        /// A specialised SMUR.
        SmurSpecial = "SMUR.UMH-S", "Smur Spécialisé";
        /// The medico-psychological emergency cell.
        Cump = "SMUR.CUMP", "Cellule d'Urgence Médico Psychologique";
        /// A hospital, beside its SMUR.
        Hospital = "HOSPIT", "Hospitaliers (hors Smur)";
        /// A liberal professional, of whatever kind.
        Liberal = "LIBERAL", "Professionnels Libéraux";
        /// A general practitioner.
        Gp = "LIBERAL.MG", "Médecin Généraliste";
        /// A pharmacist.
        Pharmacist = "LIBERAL.PHARM", "Pharmacien";
        /// A nurse.
        Nurse = "LIBERAL.INF", "Infirmier";
        /// A physiotherapist.
        Physiotherapist = "LIBERAL.KINE", "Kinésithérapeuthes";
        /// An association of the permanence of care, such as SOS Médecins.
        DutyAssociation = "LIBERAL.SOS", "Association de permanence de soins";
        /// A maison médicale de garde.
        DutyCentre = "LIBERAL.MMG", "Maison médicale de garde";
        /// A maison de santé.
        HealthCentre = "LIBERAL.MSPD", "Maison de Santé Pluri Disciplinaire";
        /// A médecin correspondant du SAMU.
        SamuCorrespondent = "LIBERAL.MCS", "Médecin Correspondant de Samu";
        /// A doctor of another speciality.
        Specialist = "LIBERAL.SPEMED", "Médecin autre spécialité";
        /// A dentist.
        Dentist = "LIBERAL.DENT", "Dentiste";
        /// A laboratory.
        Laboratory = "LIBERAL.LABO", "Laboratoire d'analyses médicales";
        /// Another health professional.
        OtherProfessional = "LIBERAL.AUTREPRO", "Autre professionnel de santé";
        /// A private ambulance.
        PrivateAmbulance = "TSU", "Ambulanciers privés (Transporteurs Sanitaires Urgent)";
        /// The fire service (VSAV).
        FireService = "SIS", "Pompiers";
        /// A doctor of the fire service.
        FireServiceDoctor = "SIS.MEDSP", "Medecin Sapeur-Pompier";
        /// A nurse of the fire service.
        FireServiceNurse = "SIS.ISP", "Infirmier Sapeur-Pompier";
        /// A rescuer of the fire service.
        FireServiceRescuer = "SIS.SP", "Secouriste";
        /// An association of rescuers.
        RescueAssociation = "AASC", "Sécurité civile, secouriste";
        /// The police, of whatever kind.
        Police = "FDO", "Force de l'Ordre et douanes";
        /// The national police.
        NationalPolice = "FDO.PN", "Police Nationale";
        /// The gendarmerie.
        Gendarmerie = "FDO.GEND", "Gendarmerie Nationale";
        /// The municipal police.
        MunicipalPolice = "FDO.PM", "Police Municipale";
        /// The customs.
        Customs = "FDO.DOUANES", "Douane";
        /// Another resource.
        Other = "AUTRE", "Autres ressources";
        /// Administrative and social institutions.
        SocialServices = "AUTRE.ADM", "Institutions administratives et sociales";
        /// A defibrillator.
        Defibrillator = "AUTRE.DAE", "Défibrillateur Automatique";
        /// Another means.
        OtherMeans = "AUTRE.AUTRE", "Autre moyen";
    }
}

coded_enum! {
    /// Where the patient is cared for or brought (HubSante.typeOrientation).
    Destination {
        /// The emergency department of a hospital.
        Emergency = "URGENCES", "Service d'urgences d'un établissement de sante";
        /// Resuscitation or intensive care.
        IntensiveCare = "REA-USI", "Service de réanimation ou de soins intensifs";
        /// Another service of a hospital.
        Hospital = "SANTE", "Autres services d'un établissement de sante";
        /// A health professional's practice.
        Practice = "CABINET", "Cabinet d'un professionnel de sante";
        /// Home.
        Home = "DOMICILE", "Domicile";
        /// A home for the elderly (the list writes `EPHAD`).
        NursingHome = "EPHAD", "EPHAD ou Long séjour";
        /// Another place.
        Other = "AUTRE", "Autre";
    }
}

/// What the doctor states where the care leaves a choice. Nothing of it is compulsory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stated {
    /// Which kind of resource.
    pub resource: Option<ResourceType>,
    /// Where to.
    pub destination: Option<Destination>,
}

impl CareType {
    /// The national decision type.
    pub const fn national(self) -> DecisionType {
        match self {
            Self::Advice => DecisionType::Advice,
            Self::PhonePrescription => DecisionType::Prescription,
            Self::HomeVisit | Self::Ambulance | Self::Amu => DecisionType::Intervention,
            Self::Consultation | Self::Teleconsultation | Self::EmergencyDepartment | Self::OtherResource => {
                DecisionType::Orientation
            }
            Self::NoFurther | Self::RefusedByPatient => DecisionType::NoFurther,
        }
    }

    /// The resource where nothing finer is known.
    pub const fn national_resource(self) -> Option<ResourceType> {
        match self {
            Self::Consultation | Self::Teleconsultation | Self::HomeVisit => Some(ResourceType::Gp),
            Self::Ambulance => Some(ResourceType::PrivateAmbulance),
            Self::Amu => Some(ResourceType::Smur),
            Self::EmergencyDepartment => Some(ResourceType::Hospital),
            Self::OtherResource => Some(ResourceType::OtherProfessional),
            Self::Advice | Self::PhonePrescription | Self::NoFurther | Self::RefusedByPatient => None,
        }
    }

    /// The destination where nothing finer is known.
    pub const fn national_destination(self) -> Option<Destination> {
        match self {
            Self::Consultation => Some(Destination::Practice),
            Self::HomeVisit | Self::Teleconsultation => Some(Destination::Home),
            Self::Ambulance | Self::EmergencyDepartment => Some(Destination::Emergency),
            Self::Amu => Some(Destination::IntensiveCare),
            Self::OtherResource => Some(Destination::Other),
            Self::Advice | Self::PhonePrescription | Self::NoFurther | Self::RefusedByPatient => None,
        }
    }

    /// The families of resources that may carry it out: a code and all that begin with it and a point.
    const fn families(self) -> &'static [&'static str] {
        match self {
            Self::Consultation | Self::Teleconsultation | Self::HomeVisit => &["LIBERAL"],
            Self::Ambulance => &["TSU", "SIS", "AASC"],
            Self::Amu => &["SMUR", "LIBERAL.MCS", "SIS"],
            Self::EmergencyDepartment => &["HOSPIT"],
            Self::OtherResource => &["LIBERAL", "FDO", "AUTRE"],
            Self::Advice | Self::PhonePrescription | Self::NoFurther | Self::RefusedByPatient => &[],
        }
    }
}

/// Why what was stated does not go with the care. Empty: it does.
pub fn stated_faults(care: CareType, stated: Stated) -> Vec<Wrong> {
    let of = |family: &&str, code: &str| {
        code.strip_prefix(*family).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut found = Vec::new();
    let families = care.families();
    if stated.resource.is_some_and(|resource| !families.iter().any(|family| of(family, resource.code()))) {
        let problem = match families {
            [] => format!("care {care} sends nobody: leave it out"),
            _ => format!("care {care} is carried out by {}: choose one of these, or leave it out", families.join(", ")),
        };
        found.push(Wrong::new("resource_type", problem, "ce moyen ne va pas avec cette réponse"));
    }
    if stated.destination.is_some() && care.national_destination().is_none() {
        let problem = format!("care {care} brings the patient nowhere: leave it out");
        found.push(Wrong::new("destination", problem, "cette réponse n'a pas de destination"));
    }
    found
}

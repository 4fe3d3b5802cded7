//! In French, what a coordinator or a terminal is most often told of the state of something: by what it concerns and how the
//! refusal begins. Whatever is not here is told in a general sentence.

/// What it concerns, how the problem begins, and the sentence for a screen.
pub const STATES: &[(&str, &str, &str)] = &[
    (
        "offer",
        "it was answered, withdrawn or has expired",
        "Cette proposition n'attend plus de réponse : rouvrez le dossier.",
    ),
    ("offer", "a visit is accepted by a doctor on duty", "Une visite est acceptée par le médecin de garde."),
    ("offer", "it is over: nothing is left to cancel", "Il n'y a plus rien à annuler ici."),
    (
        "offer",
        "the doctor is there: it ends with the visit",
        "Le médecin est sur place : cela se termine avec sa visite.",
    ),
    ("offer", "only a held slot can be held longer", "Seul un créneau réservé peut être gardé plus longtemps."),
    (
        "offer",
        "you have said no to this visit",
        "Vous avez décliné cette visite : à vos collègues ou au standard d'y répondre.",
    ),
    (
        "offer",
        "you are not on duty in this sector, and a colleague is",
        "Vous n'êtes pas de garde : à votre collègue de garde, ou au standard, d'y répondre.",
    ),
    ("offer", "no slot is held by it", "Aucun créneau n'est réservé ici : notez la réponse du cabinet."),
    ("offer", "it is no visit", "Ce n'est pas une visite : notez la réponse du cabinet."),
    ("offer", "no appointment to come belongs to it", "Aucun rendez-vous à venir n'y est lié."),
    (
        "appointment",
        "it begins on",
        "Il est trop tôt pour dire si le patient est venu : annulez le rendez-vous s'il n'a pas lieu.",
    ),
    ("decision", "its answer is not signed yet", "La réponse du médecin n'est pas encore signée."),
    ("decision", "it does not wait for routing", "Rien à orienter : une proposition est en cours, ou c'est déjà fait."),
    ("decision", "it is answered already", "Réponse déjà signée : signez un nouveau besoin pour décider autrement."),
    ("decision", "it needs no responder", "Cette décision ne demande aucun effecteur."),
    ("slot", "the slot belongs to another case", "Ce créneau vient d'être pris pour un autre dossier."),
    ("slot", "the slot was withdrawn by its owner", "Ce créneau a été retiré par son médecin."),
    ("slot", "the slot has begun", "Ce créneau a déjà commencé."),
    ("slot", "the hold ran out", "La réservation a expiré : réservez un autre créneau."),
    ("slot", "its owner published it again with other times", "Ce créneau a changé d'horaire : relancez la recherche."),
    (
        "slot",
        "a patient has it",
        "Un patient a ce créneau : faites d'abord annuler son rendez-vous par un coordinateur ou un régulateur.",
    ),
    ("slot", "only a free slot of the same responder", "Seul un créneau libre du même médecin peut être republié."),
    ("slot", "this doctor sees one patient at a time", "Ce médecin a déjà un créneau à ces heures."),
    ("shift", "it is another structure's", "Cette garde est celle d'une autre structure."),
    (
        "shift",
        "not on duty in this sector",
        "Pas de garde dans ce secteur, ou encore en visite : choisissez un autre médecin.",
    ),
    (
        "shift",
        "the doctor is on a visit in another shift",
        "Le médecin est encore en visite sur une autre garde : terminez-la d'abord.",
    ),
    (
        "shift",
        "this doctor has said no to this visit",
        "Ce médecin a décliné ou annulé cette visite : un autre la prend.",
    ),
    (
        "shift",
        "this doctor is on duty already in that time",
        "Ce médecin est déjà de garde à ces heures : terminez d'abord cette garde.",
    ),
    ("shift", "a visit is under way", "Une visite est en cours : terminez-la ou annulez-la d'abord."),
    ("shift", "it has ended: go on duty first", "Cette garde est terminée : prenez-en une autre."),
    ("visit", "it has ended, and nothing follows", "La visite est terminée ou annulée : plus rien ne la suit."),
    ("visit", "no doctor has taken it", "Aucun médecin ne l'a encore prise : acceptez-la d'abord."),
    (
        "visit",
        "the doctor is there",
        "Le médecin est sur place : si le patient est absent, terminez l'action de la visite par ABSENT.",
    ),
    ("visit", "the doctor is with the patient", "Le médecin est auprès du patient : signalez FINPEC à la fin."),
    ("visit", "a visit only moves on", "Une visite ne revient pas en arrière : signalez un statut suivant."),
    ("visit", "it has not ended", "La visite n'est pas terminée : signalez d'abord FINPEC."),
    ("action", "it is over already", "Cette action est déjà terminée."),
    ("action", "it ends with the offer's answer", "Elle se termine avec la réponse à la proposition."),
    ("action", "it ends with the attendance", "Elle se termine quand on note si le patient est venu."),
    (
        "action",
        "it ends when the plan is advanced",
        "Elle se termine quand l'option suivante est prise, ou en échec : un régulateur décide alors.",
    ),
    ("action", "it ends when the visit has ended", "Elle se termine avec la visite (FINPEC)."),
    ("action", "it ends with the visit's report", "Elle se termine avec le compte rendu de la visite."),
    ("action", "it ends with a doctor's decision", "Elle se termine avec la décision d'un médecin."),
];

/// The sentence for a refusal for the state of something.
pub(super) fn state(what: &str, problem: &str) -> &'static str {
    let known = STATES.iter().find(|(of, begins, _)| *of == what && problem.starts_with(begins));
    known.map_or("Action impossible dans l'état actuel : voyez le détail.", |(_, _, french)| french)
}

//! Who calls: people plainly made up, spread over the communes as the population is.
//!
//! What a caller knows (who is ill, where, who the own GP is, how long patience lasts) is said on the telephone; nothing
//! else in the demo may read it.

use chrono::NaiveDate;

use crate::{
    config::Ground,
    domain::{
        directory::{Responder, ResponderKind},
        place::{InseeCode, Position},
        time::{Instant, Span},
    },
    grpc::pb,
};

use super::{
    dice::Dice,
    wants::{Want, by_protocol, want},
};

/// Municipal populations of the largest communes of Bas-Rhin (INSEE, populations légales, Licence Ouverte), used as weights.
const POPULATION: [(&str, u32); 48] = [
    ("67482", 293_771),
    ("67180", 36_391),
    ("67447", 34_708),
    ("67218", 27_872),
    ("67267", 20_826),
    ("67462", 19_589),
    ("67043", 18_558),
    ("67365", 13_946),
    ("67348", 12_587),
    ("67046", 12_242),
    ("67204", 11_742),
    ("67437", 11_460),
    ("67130", 10_790),
    ("67067", 10_499),
    ("67300", 9_318),
    ("67471", 8_239),
    ("67152", 7_919),
    ("67544", 7_566),
    ("67118", 7_157),
    ("67021", 7_057),
    ("67506", 6_137),
    ("67313", 6_087),
    ("67028", 5_973),
    ("67131", 5_878),
    ("67519", 5_864),
    ("67343", 5_857),
    ("67137", 5_780),
    ("67520", 5_780),
    ("67411", 5_457),
    ("67388", 5_418),
    ("67106", 5_388),
    ("67309", 5_322),
    ("67151", 5_312),
    ("67458", 5_182),
    ("67372", 5_102),
    ("67472", 4_740),
    ("67389", 4_732),
    ("67194", 4_694),
    ("67205", 4_570),
    ("67378", 4_492),
    ("67281", 4_398),
    ("67495", 4_398),
    ("67324", 4_347),
    ("67073", 4_294),
    ("67339", 4_231),
    ("67551", 4_217),
    ("67282", 4_185),
    ("67202", 4_038),
];
/// The mean of the communes that are not named above.
const SMALL_COMMUNE: u32 = 944;
/// Declared own GP: 88 in a hundred (12 to 15 % are without, domain notes §5).
const WITH_GP_PERCENT: f64 = 88.0;
/// Who calls again about the same episode within hours.
const REPEAT_PERCENT: f64 = 2.5;
/// Hang up within seconds whatever happens: wrong number, changed mind.
const HASTY_PERCENT: f64 = 9.0;

const FIRST_NAMES: [&str; 16] = [
    "Odile", "Gaspard", "Lison", "Anselme", "Fantine", "Barnabé", "Clarisse", "Thibaud", "Ondine", "Melchior",
    "Aurore", "Florent", "Perrine", "Zacharie", "Solveig", "Hector",
];
const SURNAMES: [&str; 16] = [
    "Fictif-Tournesol",
    "Inventé-Cerfeuil",
    "Exemple-Bruyère",
    "Imaginaire-Grelot",
    "Fictif-Papyrus",
    "Inventé-Nacelle",
    "Exemple-Sarrasin",
    "Imaginaire-Tisane",
    "Fictif-Girandole",
    "Inventé-Marmotte",
    "Exemple-Pervenche",
    "Imaginaire-Luciole",
    "Fictif-Ritournelle",
    "Inventé-Mésange",
    "Exemple-Colchique",
    "Imaginaire-Farandole",
];
const STREETS: [&str; 6] = [
    "rue de l'Exemple",
    "impasse Inventée",
    "allée des Fictions",
    "quai de l'Imaginaire",
    "place du Modèle",
    "rue d'Essai",
];

/// One caller.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// When the telephone rings.
    pub(super) arrives: Instant,
    /// The exchange's name of the call.
    pub(super) call: String,
    /// How long the caller lets it ring.
    pub(super) patience: Span,
    /// How long the caller waits for a doctor on the line.
    pub(super) hold: Span,
    /// Calls again for the same episode as this earlier caller.
    pub(super) again: bool,
    /// Who, with the number to ring back; empty when withheld.
    pub(super) who: pb::Caller,
    /// Where.
    pub(super) place: pb::Place,
    /// For whom.
    pub(super) patient: pb::Patient,
    /// What it is about.
    pub(super) want: Want,
}

/// Makes up the callers of a day, in order of arrival.
pub(super) fn callers(ground: &Ground, date: NaiveDate, arrivals: &[Instant], seed: u64) -> Vec<Caller> {
    let by_protocol = by_protocol(&ground.0, date);
    let towns = towns(ground);
    let mut callers: Vec<Caller> = Vec::with_capacity(arrivals.len());
    for (number, arrives) in arrivals.iter().enumerate() {
        let mut dice = Dice::new(seed, &format!("caller/{number}"));
        let earlier = dice.percent(REPEAT_PERCENT).then(|| earlier(&callers, *arrives, &mut dice)).flatten();
        let mut caller = caller(ground, &towns, (number, *arrives), by_protocol, &mut dice);
        if let Some(earlier) = earlier {
            let known: &Caller = &callers[earlier];
            let (who, place, patient) = (known.who.clone(), known.place.clone(), known.patient.clone());
            let want = Want { symptoms: true, ..known.want.clone() };
            caller = Caller { again: true, who, place, patient, want, ..caller };
        }
        callers.push(caller);
    }
    callers
}

/// An earlier caller of the last hours who can be recognised by the number and is medical.
fn earlier(callers: &[Caller], now: Instant, dice: &mut Dice) -> Option<usize> {
    let recent = |caller: &Caller| now.since(caller.arrives) < Span::from_hours(5);
    let fits: Vec<usize> = (0..callers.len())
        .filter(|at| recent(&callers[*at]) && !callers[*at].who.phone.is_empty() && callers[*at].want.need.is_some())
        .collect();
    (!fits.is_empty()).then(|| *dice.any(&fits))
}

fn caller(
    ground: &Ground,
    towns: &[((InseeCode, Position), u32)],
    (number, arrives): (usize, Instant),
    by_protocol: bool,
    dice: &mut Dice,
) -> Caller {
    let (commune, position) = *dice.pick(towns);
    let ehpad = dice.percent(2.5);
    let age = if ehpad { 78 + dice.below(20) } else { age(dice) } as u32;
    let frail = ehpad || (age >= 75 && dice.percent(25.0));
    let withheld = dice.percent(3.0);
    let phone = if withheld { String::new() } else { format!("+3363998{:04}", number % 10_000) };
    let hasty = dice.percent(HASTY_PERCENT);
    let patience = dice.waiting(Span::from_secs(if hasty { 4 } else { 150 })) + Span::from_secs(1);
    let name = format!("{} {}", dice.any(&FIRST_NAMES), dice.any(&SURNAMES));
    let gp = dice.percent(WITH_GP_PERCENT).then(|| own_gp(ground, position, dice)).flatten();
    let want = want(dice, age, frail, by_protocol);
    let patient = pb::Patient {
        number: 1,
        own_gp_id: gp.map(|gp| gp.id.to_string()).unwrap_or_default(),
        ald: dice.percent(if age >= 60 { 45.0 } else { 9.0 }),
        ehpad,
        reduced_mobility: frail,
        infant: Some(age < 2),
        consents: if dice.percent(1.0) { vec![no_return()] } else { Vec::new() },
        name: name.clone(),
        age_years: Some(age),
        sex: (if dice.percent(54.0) { pb::Sex::Female } else { pb::Sex::Male }).into(),
        ..Default::default()
    };
    let street = format!("{} {}", 1 + dice.below(90), dice.any(&STREETS));
    Caller {
        arrives,
        call: format!("demo-{number:05}"),
        patience,
        hold: dice.waiting(Span::from_mins(90)) + Span::from_mins(2),
        again: false,
        who: pb::Caller {
            name,
            phone,
            kind: if dice.percent(45.0) { "SUJET" } else { "FAMILLE" }.to_owned(),
            language: "fr".to_owned(),
            ..Default::default()
        },
        place: pb::Place { commune: commune.to_string(), street, ..Default::default() },
        patient,
        want,
    }
}

/// The patient opposes that the own GP be told.
fn no_return() -> pb::Consent {
    let (recipient, wish) = (pb::Recipient::Gp.into(), pb::Wish::Opposes.into());
    pb::Consent { recipient, wish, ..Default::default() }
}

/// Callers' patients by age: many small children and many old people.
fn age(dice: &mut Dice) -> usize {
    let (from, to) = *dice.pick(&[((0, 2), 6), ((2, 15), 15), ((15, 45), 30), ((45, 70), 24), ((70, 97), 25)]);
    from + dice.below(to - from)
}

/// Communes with their weights.
fn towns((territory, _): &Ground) -> Vec<((InseeCode, Position), u32)> {
    let weight =
        |code: &InseeCode| POPULATION.iter().find(|(known, _)| *known == code.as_str()).map(|(_, weight)| *weight);
    let all = territory.communes.iter();
    all.map(|(code, commune)| ((*code, commune.position), weight(code).unwrap_or(SMALL_COMMUNE))).collect()
}

/// One of the four nearest GPs, when there is one within 20 km; people farther away name one the directory lacks.
fn own_gp<'a>((_, directory): &'a Ground, home: Position, dice: &mut Dice) -> Option<&'a Responder> {
    const NEAR_M: u32 = 20_000;
    let mut near: Vec<_> = directory
        .of_kind(ResponderKind::Gp)
        .map(|gp| (gp.position.metres_to(home), gp))
        .filter(|(metres, _)| *metres < NEAR_M)
        .collect();
    near.sort_by_key(|(metres, gp)| (*metres, gp.id.clone()));
    // Where many share a town's centre, any of them; elsewhere one of the four nearest.
    let count = near.iter().filter(|(metres, _)| *metres < 3_000).count().max(4).min(near.len());
    (count > 0).then(|| near[dice.below(count)].1)
}

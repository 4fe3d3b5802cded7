//! One case on the sheet: what somebody with a pencil needs to go on.

use chrono_tz::Tz;

use crate::{
    domain::{
        calendar::{local_date, wall_time},
        case::{
            Action, ActionKind, Case, OfferState, Owner, callers,
            outgoing::{Outgoing, may_send},
            sealed::{Identity, Representative},
        },
        ids::ResponderId,
        regulation::{
            motives::Motive,
            prescription::{DrugLine, Prescription},
            qualification::Priority,
            queue,
        },
        routing::Means,
        time::Instant,
    },
    engine::{CaseView, FoundSheet, Place},
};

use super::site;

/// A case in words.
pub(super) struct Entry {
    /// Its number.
    pub number: String,
    /// Priority, stream and since when.
    pub heading: String,
    /// Label and text, in the order they are read.
    pub fields: Vec<(&'static str, String)>,
    /// Somebody has to act first here: a vital emergency or an alarm.
    pub urgent: bool,
    place: (i64, i64, String),
}

/// What is needed to put a case into words.
struct Reader<'a> {
    case: &'a Case,
    known: Option<&'a [FoundSheet]>,
    place: &'a Place,
    zone: Tz,
    now: Instant,
}

impl Entry {
    /// `known`: the sheets of its remarkable patients; none where they could not be read.
    pub fn of(view: &CaseView, known: Option<&[FoundSheet]>, place: &Place, now: Instant) -> Self {
        let zone = place.territory.calendar.zone();
        let reader = Reader { case: &view.case, known, place, zone, now };
        let alarmed = view.case.open_actions().any(|action| action.alarmed().is_some());
        let priority = view.case.qualification.as_ref().map(|known| known.priority);
        let due = view.case.qualification.as_ref().map_or(view.case.opened, |known| known.due);
        // A case nobody has qualified yet stands where a P1 would: what is in it is not known.
        let class = queue::class(priority.unwrap_or(Priority::P1));
        Self {
            number: view.case_number.clone(),
            heading: reader.heading(),
            fields: reader.fields(),
            urgent: alarmed || priority == Some(Priority::P0),
            place: (class, due.unix_ms(), view.case.id.to_string()),
        }
    }

    /// An open case whose record cannot be read. What is in it is not known: it stands before all others.
    pub fn unreadable(id: &String) -> Self {
        Self {
            number: "?".to_owned(),
            heading: format!("dossier illisible {id}"),
            fields: vec![("À faire", "Prévenir le support ; retrouver l'appel sur la feuille précédente.".to_owned())],
            urgent: true,
            place: (i64::MIN, 0, id.clone()),
        }
    }

    /// The order of the sheet: that of regulation.
    pub fn place(&self) -> (i64, i64, String) {
        self.place.clone()
    }
}

impl Reader<'_> {
    fn heading(&self) -> String {
        let since = format!("appel de {}", self.time(self.case.opened));
        match &self.case.qualification {
            None => format!("NON QUALIFIÉ · {since}"),
            Some(known) => {
                let word = self.case.may_wait.as_ref();
                let word =
                    word.map(|said| format!(" · peut attendre jusqu'à {} ({})", self.time(said.until), said.signed.by));
                format!("{} · {} · {since}{}", known.priority.code(), known.stream.label(), word.unwrap_or_default())
            }
        }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("À faire", self.to_do()), ("Motif", self.motive()), ("Contact", self.contact())];
        fields.push(("À savoir", self.to_know()));
        fields.push(("Langue", self.understanding()));
        fields.push(("Lieu", self.location()));
        fields.push(("Patients", self.patients()));
        fields.push(("Régulateur", self.holder()));
        fields.push(("Territoires", self.territories()));
        fields.push(("Décisions", self.decisions()));
        fields.push(("Effecteurs", self.missions()));
        fields.push(("Notes", self.notes()));
        fields.retain(|(_, text)| !text.is_empty());
        fields
    }

    /// The time on the wall, with the date when it is another day's.
    fn time(&self, at: Instant) -> String {
        let today = local_date(self.zone, at) == local_date(self.zone, self.now);
        wall_time(self.zone, at, if today { "%H:%M" } else { "%d/%m %H:%M" })
    }

    fn to_do(&self) -> String {
        lines(self.case.open_actions().map(|action| self.action(action)))
    }

    /// What was written down about its patients before they called. A sheet that is over is named and not repeated.
    fn to_know(&self) -> String {
        let Some(known) = self.known else { return "fiches de patients remarquables non lues".to_owned() };
        lines(known.iter().map(|found| {
            let (sheet, words) = (&found.sheet, &found.sheet.words);
            let whose = match found.patient {
                0 => format!("{} (trouvé par le numéro de téléphone : à vérifier)", words.name.reveal()),
                number => format!("patient {number}"),
            };
            let what = format!("{} — {whose} — {}", sheet.kind.label(), words.author.reveal());
            let over = self.time(sheet.over());
            match sheet.valid(self.now) {
                true => format!("{what}, jusqu'à {over} : {}", words.text.reveal()),
                false => format!("{what} — PLUS VALABLE depuis {over}"),
            }
        }))
    }

    fn action(&self, action: &Action) -> String {
        let late = if action.alarmed().is_some() { " — EN RETARD" } else { "" };
        let until = self.time(action.deadline);
        format!("{} ({}) avant {until}{late}", action.kind.label(), self.owner(&action.owner))
    }

    fn owner(&self, owner: &Owner) -> String {
        match owner {
            Owner::Person(person) => person.to_string(),
            Owner::Responder(id) => self.responder(id),
            Owner::Desk(role, None) => role.label().to_owned(),
            Owner::Desk(role, Some(stream)) => format!("{} {}", role.label(), stream.code()),
        }
    }

    fn responder(&self, id: &ResponderId) -> String {
        match self.place.directory.get(id) {
            Some(known) if known.phone.reveal().is_empty() => known.name.clone(),
            Some(known) => format!("{}, tél. {}", known.name, known.phone.reveal()),
            None => id.to_string(),
        }
    }

    fn motive(&self) -> String {
        let code = self.case.qualification.as_ref().and_then(|known| known.motive.clone()).unwrap_or_default();
        let label = code.parse::<Motive>().ok().and_then(|motive| motive.label());
        let flags = self.case.qualification.iter().flat_map(|known| &known.flags).map(|flag| flag.label());
        let known = [Some(code.as_str()), label].into_iter().flatten().filter(|text| !text.is_empty());
        known.chain(flags).collect::<Vec<_>>().join(" · ")
    }

    fn contact(&self) -> String {
        let caller = &self.case.sealed.caller;
        let words = [caller.name.reveal(), caller.phone.reveal(), caller.call_back.reveal()];
        let mut words: Vec<&str> = words.into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        words.extend(caller.kind.as_deref().and_then(|code| callers::label(&callers::KINDS, code)));
        words.push(self.case.line.label());
        // Violence, maltreatment, a minor's secrecy: on paper too.
        let forbidden = [
            (Outgoing::CallBack, "NE PAS RAPPELER"),
            (Outgoing::VoiceMessage, "NE PAS LAISSER DE MESSAGE"),
            (Outgoing::Text, "PAS DE SMS"),
            (Outgoing::Household, "NE RIEN DIRE À L'ENTOURAGE"),
        ];
        words
            .extend(forbidden.iter().filter(|(what, _)| may_send(self.case, 0, *what).is_err()).map(|(_, word)| *word));
        words.join(" · ")
    }

    /// The language, what makes it hard to understand each other, and the centre that passed the call on.
    fn understanding(&self) -> String {
        let caller = &self.case.sealed.caller;
        let language = caller.language.as_deref().filter(|code| *code != "fr").map(|code| format!("langue : {code}"));
        let difficulty = caller.difficulty.as_deref().filter(|_| caller.barrier());
        let difficulty = difficulty.and_then(|code| callers::label(&callers::DIFFICULTIES, code)).map(str::to_owned);
        let partner = [caller.partner.reveal().as_str(), caller.partner_reference.reveal().as_str()];
        let partner = partner.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let partner = Some(partner).filter(|words| !words.is_empty()).map(|words| format!("transmis par {words}"));
        [language, difficulty, partner].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    fn location(&self) -> String {
        let address = &self.case.sealed.address;
        let place = &self.case.place;
        let listed = place.commune.and_then(|code| self.place.territory.communes.get(&code));
        let commune = place.commune.map(|code| listed.map_or_else(|| code.to_string(), |commune| commune.name.clone()));
        let kind = place.kind.as_deref().map(site::in_words);
        // The centre of the commune stands where nothing better is known: it would send somebody to the town hall.
        let known = place.position.filter(|position| listed.is_none_or(|commune| commune.position != *position));
        let position = known.map(|position| format!("GPS {:.5}, {:.5}", position.lat, position.lon));
        let words = [Some(address.street.reveal().clone()), commune, kind, position, Some(address.way_in_words())];
        words.into_iter().flatten().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    fn patients(&self) -> String {
        lines(self.case.present().map(|patient| {
            let identity = self.case.sealed.identities.iter().find(|known| known.number == patient.number);
            let mut words = vec![format!("{}.", patient.number)];
            if let Some(identity) = identity {
                words.extend([identity.name.reveal().clone(), identity.birth_date.reveal().clone()]);
                words.push(age(identity));
                words.extend(
                    identity.weight_grams.reveal().map(|grams| format!("{} kg", f64::from(grams.div_ceil(100)) / 10.0)),
                );
                words.push(representative(&identity.representative));
                words.extend(identity.sex.reveal().map(|sex| sex.label().to_owned()));
            }
            words.extend(patient.own_gp.as_ref().map(|gp| format!("médecin traitant : {}", self.responder(gp))));
            let opposed = may_send(self.case, patient.number, Outgoing::Gp).is_err();
            let traits = [
                (patient.ald, "ALD"),
                (patient.ehpad, "EHPAD"),
                (patient.reduced_mobility, "mobilité réduite"),
                (patient.isolated, "vit seul sans aide"),
                (patient.pregnant, "enceinte"),
                (patient.minor, "mineur"),
                (patient.no_gp, "sans médecin traitant"),
                (opposed && patient.own_gp.is_some(), "NE PAS INFORMER LE MÉDECIN TRAITANT"),
            ];
            words.extend(traits.into_iter().filter(|(known, _)| *known).map(|(_, word)| word.to_owned()));
            words.retain(|word| !word.is_empty());
            words.join(" ")
        }))
    }

    fn holder(&self) -> String {
        let claim = self.case.claim.as_ref();
        claim.map(|claim| format!("{} depuis {}", claim.by, self.time(claim.at))).unwrap_or_default()
    }

    /// Where it was sent, and where it came from.
    fn territories(&self) -> String {
        let sent = self.case.transfers.last();
        let sent = sent.map(|known| format!("envoyé à {} à {} : {}", known.to, self.time(known.at), known.label()));
        let received = self.case.received.as_ref().map(|known| {
            let at = self.time(known.sent);
            format!("reçu de {} (dossier {}) à {at} : {}", known.from, known.number, known.label())
        });
        lines(received.into_iter().chain(sent))
    }

    fn decisions(&self) -> String {
        lines(self.case.decisions.iter().map(|decision| {
            let (need, signed) = (&decision.need, &decision.signed);
            let deadline = self.time(decision.deadline());
            let (by, at) = (&signed.by, self.time(signed.at));
            let answer = match &decision.answer {
                Some(answer) if answer.care != need.care => format!(" ; réponse : {}", answer.care.label()),
                Some(_) => String::new(),
                None => " ; réponse à signer".to_owned(),
            };
            let written = self.case.sealed.prescriptions.iter().find(|written| written.decision == decision.id);
            let drugs = written.map(|written| self.drugs(written)).unwrap_or_default();
            format!("{} {} avant {deadline}, signé {by} à {at}{answer}{drugs}", need.care.label(), need.level.code())
        }))
    }

    /// What is prescribed, as a pharmacy is told it.
    fn drugs(&self, written: &Prescription) -> String {
        let line = |line: &DrugLine| format!("{} {}, {} j", line.drug.reveal(), line.dose.reveal(), line.days);
        let lines = written.lines.iter().map(line).collect::<Vec<_>>().join(" ; ");
        format!(" — {lines} → {}", written.pharmacy.reveal())
    }

    fn missions(&self) -> String {
        lines(self.case.offers.iter().filter_map(|offer| {
            let responder = self.responder(&offer.responder);
            match &offer.state {
                OfferState::Open => Some(format!("{responder} : proposé jusqu'à {}", self.time(offer.until))),
                OfferState::Accepted { appointment, .. } if self.unfinished(offer.id) => {
                    let what = if matches!(offer.means, Means::Visit { .. }) { "visite" } else { "rendez-vous" };
                    Some(format!("{responder} : {what} à {}", self.time(*appointment)))
                }
                OfferState::Accepted { .. } | OfferState::Closed { .. } | OfferState::Withdrawn { .. } => None,
            }
        }))
    }

    fn unfinished(&self, offer: crate::domain::ids::OfferId) -> bool {
        self.case
            .open_actions()
            .any(|action| action.about.offer == Some(offer) && action.kind != ActionKind::ReturnOfInformation)
    }

    fn notes(&self) -> String {
        let notes = self.case.sealed.notes.iter();
        lines(notes.map(|note| format!("{} {} : {}", self.time(note.at), note.by, note.text.reveal())))
    }
}

/// The age as it was said, when the birth date is not known.
fn age(who: &Identity) -> String {
    match (who.age.reveal(), who.age_years.reveal()) {
        (Some(age), _) => age.in_french(),
        (None, Some(years)) => format!("{years} ans"),
        (None, None) => String::new(),
    }
}

fn representative(who: &Representative) -> String {
    let words = [&who.tie, &who.name, &who.phone].into_iter().map(|word| word.reveal().as_str());
    let words = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if words.is_empty() { words } else { format!("(représentant : {words})") }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

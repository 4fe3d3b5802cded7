//! Sentences a doctor picks, on the wire.

use crate::{
    domain::{
        age::Age,
        regulation::{
            advice::{AdviceList, Sentence},
            dialogue::Dialogue,
            motives::Motive,
        },
    },
    engine::Failure,
    grpc::pb,
};

use super::{codes::Coded, fields::Fields, protocols::first_of};

/// A page of the sentences that are asked for; `rows`: how many a page has when so many are wanted.
///
/// # Errors
/// Every wrong field at once.
pub fn listed(
    request: &pb::ListAdviceRequest,
    list: &AdviceList,
    rows: impl Fn(usize) -> usize,
) -> Result<pb::ListAdviceResponse, Failure> {
    let mut fields = Fields::default();
    let motive = fields.optional::<Motive>("motive", &request.motive);
    let age = fields.optional::<Age>("age", &request.age);
    let page = first_of(&mut fields, request.page_size, &request.page_token);
    let (first, size) = fields.done(page.map(|(first, size)| (first, rows(size))))?;
    let motive = motive.as_ref().map(Motive::code);
    let fitting: Vec<&Sentence> = list.iter().filter(|known| known.fits(motive, age)).collect();
    let next = first.saturating_add(size);
    let next_page_token = if next < fitting.len() { next.to_string() } else { String::new() };
    Ok(pb::ListAdviceResponse {
        sentences: fitting.into_iter().skip(first).take(size).map(sentence).collect(),
        next_page_token,
    })
}

fn sentence(known: &Sentence) -> pb::AdviceSentence {
    pb::AdviceSentence {
        code: known.code.clone(),
        kind: known.kind.wire(),
        text: known.text.clone(),
        version: known.version.clone(),
        motives: known.motives.clone(),
        age_from: known.age_from.map(|age| age.to_string()).unwrap_or_default(),
        age_below: known.age_below.map(|age| age.to_string()).unwrap_or_default(),
    }
}

/// The sentences of these codes: as they were signed, or as the list has them now where that was not kept; a code it has no more
/// stands for itself.
pub(super) fn texts(list: &AdviceList, told: &Dialogue, codes: &[String]) -> Vec<String> {
    let now = |code: &str| list.get(code).map(|known| known.text.as_str());
    let text = |code: &String| told.words(code).or_else(|| now(code)).unwrap_or(code).to_owned();
    codes.iter().map(text).collect()
}

//! Page tokens bound to the list they were given for: a token of another call, territory or filter names a place that the
//! list asked for does not have, and would be answered with an end that is none.

use prost::Message;

use crate::{
    domain::{actor::Actor, case::Refusal, digest::digest},
    engine::Failure,
    grpc::pb,
};

/// Hexadecimal digits by which lists are told apart: against mistakes, not against forgers, who learn nothing they may not see.
const DIGITS: usize = 12;
/// Between the list and the place in it.
const MARK: char = '~';

/// A request for one page of a list.
pub(super) trait Paged: Message + Clone {
    /// The request itself, which no other call has.
    const NAME: &'static str;

    fn token(&mut self) -> &mut String;

    /// The request without what differs from page to page.
    fn whole_list(&self) -> Self;
}

macro_rules! paged {
    ($($request:ident { $($of_a_page:ident),* })*) => {$(
        impl Paged for pb::$request {
            const NAME: &'static str = stringify!($request);

            fn token(&mut self) -> &mut String {
                &mut self.page_token
            }

            fn whole_list(&self) -> Self {
                let mut whole = self.clone();
                (whole.page_size, whole.page_token) = (0, String::new());
                $(whole.$of_a_page = 0;)*
                whole
            }
        }
    )*};
}

paged! {
    ListQueueRequest { at_least_seq }
    ListHandOversRequest { at_least_seq }
    ListTransfersRequest { at_least_seq }
    ListCasesRequest { at_least_seq }
    ListAlarmsRequest { at_least_seq }
    ListOpenCasesRequest { at_least_seq }
    ListDutiesRequest { at_least_seq }
    ListOffersRequest { at_least_seq }
    ListUnansweredRequest { at_least_seq }
    ListShiftsRequest { at_least_seq }
    ListMissionsRequest { at_least_seq }
    ListSlotsRequest { at_least_seq }
    SearchSlotsRequest { at_least_seq }
    ListRespondersRequest { at_least_seq }
    FindOwnGpRequest { at_least_seq }
    ListRemarkableSheetsRequest { at_least_seq }
    ListProtocolsRequest {}
    ListAdviceRequest {}
}

/// The list that a page is of.
pub(super) struct Pages(String);

impl Pages {
    /// Takes the list out of a token: what stays in the request is the place in it. A token without a list is of nobody, and
    /// is left to the conversion, which names it with every other wrong field.
    ///
    /// # Errors
    /// A token of another list.
    pub(super) fn open<T: Paged>(actor: &Actor, request: &mut T) -> Result<Self, Failure> {
        let filter = request.whole_list().encode_to_vec();
        let mut list = digest([T::NAME.as_bytes(), actor.territory.as_str().as_bytes(), &filter]);
        list.truncate(DIGITS);
        let token = request.token();
        if token.is_empty() {
            return Ok(Self(list));
        }
        *token = match token.split_once(MARK) {
            Some((of, place)) if of == list && !place.is_empty() => place.to_owned(),
            Some((of, _)) if of.len() == DIGITS => {
                let foreign = "a token of another list or filter: begin again without it";
                return Err(Refusal::field("page_token", foreign).into());
            }
            _ => MARK.to_string(),
        };
        Ok(Self(list))
    }

    /// The token of the page that begins at `next`; empty when this was the last.
    pub(super) fn token(&self, next: Option<String>) -> String {
        next.filter(|place| !place.is_empty()).map_or_else(String::new, |place| format!("{}{MARK}{place}", self.0))
    }
}

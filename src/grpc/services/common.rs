//! What every handler does before and after its one question to the engine.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};
use tokio::time::timeout;
use tonic::{Request, Status};

use crate::{
    domain::{
        actor::{Actor, Role},
        case::Refusal,
        ids::ResponderId,
    },
    engine::{CaseView, Done, Engine, Failure, Listing, Place, WatchFilter},
    grpc::{
        actor,
        convert::{
            case,
            fields::Act,
            reply::{receipt, unread_sheets},
            sheets,
            watch::Messages,
        },
        pb,
    },
};

/// How long the answer of an act waits for the sheets of remarkable patients, where they are not in memory.
const GLANCE: Duration = Duration::from_millis(500);

/// The messages of a watch.
pub(super) type Told<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Who acts: put into the call by the layer, never read from a message.
pub(super) fn actor<T>(request: &Request<T>) -> Result<Actor, Status> {
    actor::acting(request)
}

/// Lists of what is done for patients are not for who has no part in the care, whatever is left out of them.
///
/// # Errors
/// `WRONG_ROLE` for a telephony integration and the back office.
pub(super) fn has_part_in_the_care(actor: &Actor) -> Result<(), Status> {
    Ok(Refusal::unless(actor.role, &Role::IN_THE_CARE)?)
}

/// A list of one responder is of one whom the directory has: that an unknown one has nothing would say too much.
///
/// # Errors
/// `NOT_FOUND`.
pub(super) fn in_directory(engine: &Engine, actor: &Actor, responder: Option<&ResponderId>) -> Result<(), Status> {
    let place = engine.territory(&actor.territory)?;
    match responder.is_none_or(|id| place.directory.get(id).is_some()) {
        true => Ok(()),
        false => Err(Refusal::NotFound("responder".to_owned()).into()),
    }
}

/// What a handler works with: who acts, where, on which engine.
pub(super) struct Desk<'a> {
    pub(super) engine: &'a Engine,
    pub(super) actor: Actor,
    pub(super) ground: Arc<Place>,
}

/// An act on a case, carried out.
pub(super) struct Carried {
    pub(super) case: Option<pb::CaseView>,
    pub(super) receipt: Option<pb::Receipt>,
    pub(super) done: Done,
    /// What is to be known of the patients, where it was asked for ([`Desk::shown`]).
    pub(super) remarkable: Vec<pb::RemarkableSheet>,
}

impl<'a> Desk<'a> {
    /// Of one call.
    pub(super) fn of<T>(engine: &'a Engine, request: &Request<T>) -> Result<Self, Status> {
        let actor = actor(request)?;
        let ground = engine.territory(&actor.territory)?;
        Ok(Self { engine, actor, ground })
    }

    /// A case as the caller may see it.
    pub(super) fn view(&self, known: &CaseView) -> pb::CaseView {
        case::view(&self.actor, &self.ground, known)
    }

    /// Carries out what was read and answers the case as it left it.
    pub(super) async fn act(&self, act: Result<Act, Failure>) -> Result<Carried, Status> {
        let Act { mutation, target, command, warnings } = act?;
        // A future of its own: the call's is moved several times on its way here.
        let done = Box::pin(self.engine.act(&self.actor, mutation, target, command)).await?;
        if done.case.is_none() {
            return Err(Refusal::Broken("an act on a case answered without the case".to_owned()).into());
        }
        Ok(self.carried(done, warnings))
    }

    /// What an acknowledged command answers.
    pub(super) fn carried(&self, done: Done, warnings: Vec<pb::Warning>) -> Carried {
        let case = done.case.as_ref().map(|known| self.view(known));
        Carried { case, receipt: Some(receipt(&done, warnings)), done, remarkable: Vec::new() }
    }

    /// An act by which somebody takes a case in, or up, with the sheets of its remarkable patients. The act holds whatever
    /// becomes of the sheets, and its answer waits a moment for them: where they cannot be read, its receipt says so.
    pub(super) async fn shown(&self, mut carried: Carried) -> Carried {
        let Some(known) = &carried.done.case else { return carried };
        match timeout(GLANCE, self.remarkable(known)).await {
            Ok(Ok(sheets)) => carried.remarkable = sheets,
            Ok(Err(_)) | Err(_) => {
                carried.receipt.iter_mut().for_each(|receipt| receipt.warnings.push(unread_sheets()))
            }
        }
        carried
    }

    /// The sheets of a case's remarkable patients, for who decides about it.
    pub(super) async fn remarkable(&self, known: &CaseView) -> Result<Vec<pb::RemarkableSheet>, Failure> {
        if !self.decides() {
            return Ok(Vec::new());
        }
        let found = self.engine.remarkable(&self.actor, &known.case).await?;
        Ok(found.iter().map(|found| sheets::found(found, self.engine.now())).collect())
    }

    /// Whether the caller decides about cases, and so sees what else is known of their patients.
    pub(super) fn decides(&self) -> bool {
        matches!(self.actor.role, Role::Arm | Role::Regulator | Role::Coordinator)
    }

    /// The cases of a page.
    pub(super) fn views(&self, listing: &Listing<CaseView>) -> Vec<pb::CaseView> {
        listing.items.iter().map(|known| self.view(known)).collect()
    }

    /// Watches what `filter` shows, from `token` on; `wrap` makes the response of a message.
    pub(super) async fn watch<T: 'static>(
        &self,
        token: &[u8],
        filter: WatchFilter,
        wrap: fn(pb::WatchEvent) -> T,
    ) -> Result<Told<T>, Status> {
        let resume = Messages::resume(token);
        let messages = Messages::new(self.actor.clone(), self.ground.clone());
        let changes = self.engine.watch(&self.actor, resume, filter).await?;
        let told = changes.map(move |change| Ok(wrap(messages.message(change?))));
        Ok(Box::pin(told))
    }
}

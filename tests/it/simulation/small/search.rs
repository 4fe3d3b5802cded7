//! Every state that three clients can bring the small world to: a search in breadth with a set of what was visited.

use std::{
    collections::{BTreeSet, HashSet, VecDeque, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use sas_dispatch::domain::{
    case::{ActionKind, Case},
    slots::SlotState,
};

use super::world::{Deed, Id, Made, Places, World, waits};

/// Which guards the modelled commit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guards {
    All,
    NoVersions,
    NoHead,
}

/// Which orders are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Whatever the others do may fall between a load and its commit.
    Apart,
    /// A load and its commit fall together. With all guards that is every order: a commit on what has changed since it was
    /// loaded only leads back, and one on what has not does what it would do if it were loaded now. A slot alone may have
    /// been chosen earlier, or none may have been free then: any free one is taken, and none.
    Together,
    /// As `Together`, and of states that differ only in what a client leaves undone the one in which it may still do it: a
    /// console that dies is one that does nothing more, and whoever is refused may ask again. Whoever has lost his case can
    /// do nothing more; who stands behind a decision that a coordinator carries out changes places with who has left.
    Fewest,
}

/// What a client has loaded to decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Loaded {
    deed: Deed,
    at: u8,
    case: Id,
    slot: Option<(u8, Id)>,
    /// Another case was first, or a record has changed since: whatever is decided on it meets a conflict.
    stale: bool,
}

/// Where a regulator's console stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Client {
    /// Wants the next case.
    Idle,
    /// Holds this case, as it was told, and has signed nothing.
    Holds(u8),
    /// The need is signed.
    Signed(u8),
    /// The answer is signed: a coordinator carries it out.
    Decided(u8),
    /// A slot is held.
    Offered(u8),
    /// Nothing more is done here.
    Over,
    /// Between load and commit of a deed; the first is where it began.
    Deciding(u8, Loaded),
}

/// Everything there is: what is stored, and where each client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State {
    cases: [Id; 2],
    slots: [Id; 2],
    clients: [Client; 3],
}

/// What a search came to.
#[derive(Debug, Default)]
pub struct Found {
    pub states: usize,
    pub steps: usize,
    pub contents: usize,
    pub judged: usize,
    pub wrong: Option<String>,
    /// Every order of so many steps was gone through.
    pub depth: usize,
    /// There was more than was to be visited.
    pub cut: bool,
    /// Kinds of states that were met.
    pub reached: BTreeSet<&'static str>,
}

/// How the regulators may change places: those who decide among themselves.
pub fn orders(deciding: u8) -> &'static [Places] {
    if deciding == 3 {
        &[[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    } else {
        &[[0, 1, 2], [1, 0, 2]]
    }
}

impl State {
    /// The first of all states that differ from this one in nothing but who of the regulators is who.
    fn first_alike(self, world: &mut World, deciding: u8, form: Form) -> State {
        if form == Form::Fewest && deciding == 3 {
            return self.by_appearance(world).sorted();
        }
        let alike = orders(deciding).iter().map(|places| self.renamed(world, *places));
        alike.min().expect("it is like itself")
    }

    /// Who has lost the case he held can do nothing more with it.
    fn at_rest(mut self, world: &World) -> State {
        for (who, client) in (0..).zip(&mut self.clients) {
            if let Client::Holds(at) | Client::Signed(at) = *client
                && !world.holds(who, self.cases[usize::from(at)])
            {
                *client = Client::Over;
            }
        }
        self
    }

    /// Names the regulators in the order in which the cases speak of them, then by where they stand.
    fn by_appearance(self, world: &mut World) -> State {
        let mut order: Vec<u8> = Vec::new();
        for who in self.cases.iter().flat_map(|id| world.speaks_of(*id)).copied() {
            if !order.contains(&who) {
                order.push(who);
            }
        }
        let mut others: Vec<u8> = (0..3).filter(|who| !order.contains(who)).collect();
        others.sort_by_key(|who| self.clients[usize::from(*who)]);
        order.extend(others);
        let mut places: Places = [0; 3];
        for (place, who) in (0..).zip(order) {
            places[usize::from(who)] = place;
        }
        self.renamed(world, places)
    }

    fn sorted(mut self) -> State {
        let behind = |client: &Client| matches!(client, Client::Decided(_) | Client::Offered(_) | Client::Over);
        let mut theirs: Vec<Client> = self.clients.iter().copied().filter(behind).collect();
        theirs.sort_unstable();
        let mut theirs = theirs.into_iter();
        for client in self.clients.iter_mut().filter(|client| behind(client)) {
            *client = theirs.next().expect("as many as there were");
        }
        self
    }

    fn renamed(self, world: &mut World, places: Places) -> State {
        let mut other = State { cases: self.cases.map(|id| world.renamed(id, places)), ..self };
        for (who, client) in self.clients.into_iter().enumerate() {
            other.clients[usize::from(places[who])] = match client {
                Client::Deciding(from, loaded) => {
                    Client::Deciding(from, Loaded { case: world.renamed(loaded.case, places), ..loaded })
                }
                standing => standing,
            };
        }
        other
    }

    /// What is remembered of a state that was visited: two that differ share it once in 10^38.
    fn mark(&self) -> u128 {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, self).hash(&mut hasher);
            u128::from(hasher.finish())
        };
        (half(0) << 64) | half(1)
    }
}

/// Visits every state of a new world, or ends at the first that breaks a rule, or when there are more than `most`.
pub fn search(guards: Guards, form: Form, deciding: u8, most: usize) -> Found {
    let (mut world, cases, slots) = World::new();
    search_in(&mut world, (cases, slots), (guards, form), deciding, most)
}

/// The same in a world that may have been searched before.
pub fn search_in(
    world: &mut World,
    (cases, slots): ([Id; 2], [Id; 2]),
    (guards, form): (Guards, Form),
    deciding: u8,
    most: usize,
) -> Found {
    let first = State { cases, slots, clients: [Client::Idle; 3] };
    let (mut visited, mut waiting) = (HashSet::from([first.mark()]), VecDeque::from([(first, 0)]));
    let mut found = Found::default();
    while let Some((state, depth)) = waiting.pop_front() {
        found.depth = depth;
        found.note(world, &state);
        let mut next = Vec::new();
        let stepped = Stepper { world: &mut *world, guards, form, deciding, state, next: &mut next }.all();
        found.wrong = stepped.err().or_else(|| world.broken(state.cases, state.slots));
        found.cut = visited.len() > most;
        if found.wrong.is_some() || found.cut {
            break;
        }
        found.steps += next.len();
        let fewest = |state: State| if form == Form::Fewest { state.at_rest(world) } else { state };
        let next: Vec<State> = next.into_iter().map(fewest).collect();
        let alike = next.into_iter().map(|state| state.first_alike(world, deciding, form));
        let new = alike.filter(|state| visited.insert(state.mark()));
        waiting.extend(new.map(|state| (state, depth + 1)));
    }
    (found.states, found.contents, found.judged) = (visited.len(), world.contents(), world.judged());
    found
}

impl Found {
    fn note(&mut self, world: &World, state: &State) {
        let cases = state.cases.map(|id| world.case(id));
        let suspect = |case: &Case| case.claim.as_ref().is_some_and(|claim| claim.suspect.is_some());
        let booked = |id: &Id| matches!(world.slot(*id).state, SlotState::Booked { .. });
        let marks = [
            ("booked", state.slots.iter().all(booked)),
            ("suspect", cases.iter().any(|case| suspect(case))),
            ("unanswered", cases.iter().any(|case| case.open_action(ActionKind::Unanswered).is_some())),
            ("two cases held", cases.iter().all(|case| case.claim.is_some())),
        ];
        self.reached.extend(marks.into_iter().filter(|(_, met)| *met).map(|(name, _)| name));
    }
}

/// The steps out of one state.
struct Stepper<'a> {
    world: &'a mut World,
    guards: Guards,
    form: Form,
    /// So many of the regulators decide; the others claim, give back and fall silent.
    deciding: u8,
    state: State,
    next: &'a mut Vec<State>,
}

impl Stepper<'_> {
    fn all(&mut self) -> Result<(), String> {
        for who in 0..3_u8 {
            match self.state.clients[usize::from(who)] {
                Client::Deciding(from, loaded) => self.commit(who, from, loaded)?,
                Client::Over => {}
                standing => {
                    self.loads(who, standing)?;
                    // The console dies; what it holds is left to its lease.
                    if self.form != Form::Fewest {
                        self.moved(who, Client::Over);
                    }
                }
            }
        }
        for at in 0..2_u8 {
            for deed in [Deed::LeaseEnds, Deed::SuspectEnds, Deed::HoldEnds] {
                self.falls_due(deed, at)?;
            }
        }
        Ok(())
    }

    fn moved(&mut self, who: u8, client: Client) {
        let mut state = self.state;
        state.clients[usize::from(who)] = client;
        self.next.push(state);
    }

    fn loads(&mut self, who: u8, standing: Client) -> Result<(), String> {
        match standing {
            Client::Idle => {
                if let Some(at) = self.world.head(self.state.cases) {
                    self.load(who, 0, Deed::Claim, at as u8, None)?;
                }
                // A P1 whose holder is silent may be taken over by name.
                for at in 0..2_u8 {
                    let case = self.world.case(self.state.cases[usize::from(at)]);
                    if case.claim.as_ref().is_some_and(|claim| claim.suspect.is_some()) {
                        self.load(who, 5, Deed::Claim, at, None)?;
                    }
                }
            }
            Client::Holds(at) => {
                self.load(who, 1, Deed::Release, at, None)?;
                if who < self.deciding {
                    self.load(who, 1, Deed::Need, at, None)?;
                }
            }
            Client::Signed(at) => self.load(who, 2, Deed::Answer, at, None)?,
            Client::Decided(at) if self.form == Form::Apart => {
                let slot = self.world.free(self.state.slots);
                self.load(who, 3, Deed::Advance, at, slot)?;
            }
            Client::Decided(at) => {
                self.load(who, 3, Deed::Advance, at, None)?;
                for slot in self.world.all_free(self.state.slots) {
                    self.load(who, 3, Deed::Advance, at, Some(slot))?;
                }
            }
            Client::Offered(at) => {
                let answers = [Deed::Book, Deed::Decline];
                for deed in answers.into_iter().take(if self.deciding == 3 { 2 } else { 1 }) {
                    let slot = self.world.held(deed, self.state.cases[usize::from(at)], self.state.slots);
                    self.load(who, 4, deed, at, slot)?;
                }
            }
            Client::Over | Client::Deciding(..) => {}
        }
        Ok(())
    }

    fn load(&mut self, who: u8, from: u8, deed: Deed, at: u8, slot: Option<usize>) -> Result<(), String> {
        let case = self.state.cases[usize::from(at)];
        let slot = slot.map(|place| (place as u8, self.state.slots[place]));
        let loaded = Loaded { deed, at, case, slot, stale: false };
        if self.form != Form::Apart {
            return self.commit(who, from, loaded);
        }
        self.moved(who, Client::Deciding(from, loaded));
        Ok(())
    }

    /// Where a deed begins, for whoever meets a conflict or crashes before the commit.
    fn back(from: u8, at: u8) -> Client {
        match from {
            1 => Client::Holds(at),
            2 => Client::Signed(at),
            3 => Client::Decided(at),
            4 => Client::Offered(at),
            _ => Client::Idle,
        }
    }

    fn commit(&mut self, who: u8, from: u8, loaded: Loaded) -> Result<(), String> {
        let Loaded { deed, at, case, slot, stale } = loaded;
        // The instance crashes between load and commit, and somebody asks again elsewhere.
        self.moved(who, Self::back(from, at));
        let first = deed != Deed::Claim || from == 5 || self.world.head(self.state.cases) == Some(usize::from(at));
        if stale && self.guards != Guards::NoVersions || !first && self.guards != Guards::NoHead {
            return Ok(());
        }
        let Some(made) = self.world.does(deed, who, case, slot.map(|(_, id)| id))? else {
            // Refused: the case is another's, or what was to be done has been done.
            if self.form != Form::Fewest {
                self.moved(who, if deed == Deed::Claim { Client::Idle } else { Client::Over });
            }
            return Ok(());
        };
        if deed == Deed::Claim && from != 5 {
            self.in_order(usize::from(at))?;
        }
        let after = match deed {
            Deed::Claim => Client::Holds(at),
            Deed::Need => Client::Signed(at),
            Deed::Answer => Client::Decided(at),
            Deed::Advance if made.slot.is_some() => Client::Offered(at),
            _ => Client::Over,
        };
        self.written(Some((who, after)), at, slot, made);
        Ok(())
    }

    /// Nobody who comes before the claimed case waits.
    fn in_order(&self, at: usize) -> Result<(), String> {
        match self.world.head(self.state.cases) {
            Some(head) if head != at && waits(self.world.case(self.state.cases[at])) => {
                Err(format!("rule 8: case {at} was claimed while case {head} waited before it"))
            }
            _ => Ok(()),
        }
    }

    /// What is written makes what others have loaded of it stale.
    fn written(&mut self, client: Option<(u8, Client)>, at: u8, slot: Option<(u8, Id)>, made: Made) {
        let before = self.state;
        let mut state = before;
        state.cases[usize::from(at)] = made.case;
        if let (Some((place, _)), Some(id)) = (slot, made.slot) {
            state.slots[usize::from(place)] = id;
        }
        if let Some((who, after)) = client {
            state.clients[usize::from(who)] = after;
        }
        for client in &mut state.clients {
            if let Client::Deciding(from, loaded) = client {
                let slot = loaded.slot.is_some_and(|(place, id)| state.slots[usize::from(place)] != id);
                loaded.stale |= slot || state.cases[usize::from(loaded.at)] != loaded.case;
                if loaded.stale && self.guards != Guards::NoVersions {
                    // It can only meet its conflict, which leads back and changes nothing: it might as well be there.
                    *client = Self::back(*from, loaded.at);
                }
            }
        }
        self.next.push(state);
    }

    /// Upkeep fires a timer: load and commit in one, since with anything between them it is the same from the beginning.
    fn falls_due(&mut self, deed: Deed, at: u8) -> Result<(), String> {
        let case = self.state.cases[usize::from(at)];
        let slot = match deed {
            Deed::HoldEnds => self.world.held(deed, case, self.state.slots),
            _ => None,
        };
        let slot = slot.map(|place| (place as u8, self.state.slots[place]));
        if deed == Deed::HoldEnds && slot.is_none() {
            return Ok(());
        }
        if let Some(made) = self.world.does(deed, 0, case, slot.map(|(_, id)| id))? {
            self.written(None, at, slot, made);
        }
        Ok(())
    }
}

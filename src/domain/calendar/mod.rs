//! Which legal period of unscheduled care it is in a territory, and when a responder is at work.
//!
//! Decides the period from article R6315-1 CSP (permanence des soins ambulatoires) and its complement, the hours of the
//! service d'accès aux soins (L6311-3 CSP), on the wall clock of the territory's zone. The half days of the bridges come
//! from annexe X of the 2011 medical convention. Public holidays: L3133-1, L3134-13 (Alsace-Moselle) and L3422-2
//! (overseas) of the code du travail. What 3° of R6315-1 leaves to each territory is [`CalendarPolicy`].
//!
//! Present law is applied to every year from 2000 to 2099; other years are refused.

mod bands;
mod care_hours;
mod holidays;
mod notation;
mod period;
mod policy;
mod wall;
mod zones;

pub use bands::{Band, Bands};
pub use care_hours::{BadHours, CareHours, PublicHolidays};
pub use holidays::{Feast, Holiday, easter_sunday, holidays_by_law};
pub use period::{FIRST_YEAR, LAST_YEAR, Legal, OutOfYears, Period, Status, period_at};
pub use policy::{CalendarPolicy, CalendarRules};
pub use wall::{MONTHS, local, local_date, monday, to_instant, wall_time};
pub use zones::{LawTerritory, UnknownTerritory, law_territories, law_territory};

//! `location` of RS-EDA: commune, address, way in, position.

use super::codes;
use crate::{
    domain::{
        calendar::law_territory,
        person::Private,
        place::{InseeCode, Position},
    },
    interop::{
        incoming::IncomingPlace,
        json::{Node, Object},
        shapes,
    },
};

/// The place; its commune must be there: it gives the territory.
pub(super) fn location(node: &Node) -> Option<IncomingPlace> {
    node.object(|o| {
        let name = o.optional("name", Node::private);
        o.entries("externalLocationId", external_location_id);
        let address = o.optional("detailedAddress", detailed_address);
        let city = o.required("city", city);
        let way_in = o.optional("access", access).unwrap_or_default();
        let (position, precision) = o.optional("geometry", geometry).unwrap_or_default();
        o.entries("externalInfo", external_info);
        let note = o.optional("freetext", Node::private);
        let (commune, commune_name) = city.unwrap_or_default();
        Some(IncomingPlace {
            commune,
            commune_name,
            name,
            address,
            access: way_in.texts,
            phone: way_in.phone,
            position,
            precision,
            note,
        })
    })
}

fn city(node: &Node) -> Option<(Option<InseeCode>, Option<Private<String>>)> {
    node.object(|o| {
        let name = o.optional("name", Node::private);
        let code = o.required("inseeCode", |node| {
            commune(node, "an INSEE commune code of five characters such as 67482 (it gives the territory)")
        });
        Some((code, name))
    })
}

/// A commune of a territory that the law of unscheduled care knows.
pub(in crate::interop) fn commune(node: &Node, expected: &str) -> Option<InseeCode> {
    let code: InseeCode = node.parsed(expected)?;
    if law_territory(&code.territory()).is_err() {
        node.fault_found("a commune of a département (fr-01 to fr-95, fr-971 to fr-978)", "a code of none of them");
        return None;
    }
    Some(code)
}

fn detailed_address(node: &Node) -> Option<Private<String>> {
    node.object(|o| {
        let complete = o.required("complete", Node::private);
        o.optional("number", Node::text);
        o.optional("wayName", |node| {
            node.object(|o| {
                o.required("complete", Node::text);
                o.optional("type", Node::text);
                o.optional("name", Node::text);
                Some(())
            })
        });
        o.optional("highway", |node| {
            node.object(|o| {
                for key in ["name", "pk", "direction"] {
                    o.optional(key, Node::text);
                }
                Some(())
            })
        });
        complete
    })
}

#[derive(Default)]
struct WayIn {
    texts: Vec<(String, Private<String>)>,
    phone: Option<Private<String>>,
}

fn access(node: &Node) -> Option<WayIn> {
    node.object(|o| {
        let keys = ["floor", "roomNumber", "interphone", "elevator", "buildingName", "entrance", "entity"];
        let mut texts: Vec<_> = keys.into_iter().filter_map(|key| named_text(o, key)).collect();
        for (n, code) in o.entries("accessCode", Node::private).into_iter().enumerate() {
            texts.push((format!("accessCode[{n}]"), code));
        }
        let phone =
            o.optional("phoneNumber", |node| node.matching("a telephone number: + and 5 to 18 digits", shapes::phone));
        Some(WayIn { texts, phone: phone.map(|number| Private::new(number.to_owned())) })
    })
}

fn named_text(o: &Object, key: &'static str) -> Option<(String, Private<String>)> {
    o.optional(key, Node::private).map(|text| (key.to_owned(), text))
}

type Where = (Option<Private<Position>>, Option<&'static str>);

fn geometry(node: &Node) -> Option<Where> {
    node.object(|o| {
        o.required("datetime", Node::hub_date_time);
        let point = o.optional("point", |node| {
            node.object(|o| {
                o.optional("isAml", Node::flag);
                o.required("coord", coord)
            })
        });
        Some(point.unwrap_or_default())
    })
}

fn coord(node: &Node) -> Option<Where> {
    node.object(|o| {
        let lat = o.required("lat", Node::number);
        let lon = o.required("lon", Node::number);
        o.optional("height", Node::number);
        let precision = o.required("precision", |node| node.code(codes::PRECISIONS));
        let position = Position { lat: lat?, lon: lon? };
        if !on_the_globe(position) {
            o.here().warn("the position lies outside -90 to 90 and -180 to 180 degrees; left out");
            return Some((None, precision));
        }
        Some((Some(Private::new(position)), precision))
    })
}

/// Whether the degrees are a place on Earth.
pub(in crate::interop) fn on_the_globe(position: Position) -> bool {
    (-90.0..=90.0).contains(&position.lat) && (-180.0..=180.0).contains(&position.lon)
}

/// FINESS, SIRET …: checked; a destination or place is kept by its words.
pub(super) fn external_location_id(node: &Node) -> Option<()> {
    node.object(|o| {
        o.required("source", |node| node.code(codes::PLACE_ID_SOURCES));
        o.required("value", |node| {
            node.matching("a FINESS, SIREN, SIRET or APE/NAF number without spaces", shapes::place_number)
        });
        Some(())
    })
}

fn external_info(node: &Node) -> Option<()> {
    node.object(|o| {
        o.required("freetext", |node| node.code(codes::INFO_SOURCES));
        o.optional("type", |node| node.code(codes::INFO_KINDS));
        o.required("uri", Node::text);
        Some(())
    })
}

//! Any bytes: a case or at least one fault, never a panic.

use proptest::prelude::*;
use sas_dispatch::interop::{
    fault::Limits,
    messages::{decode, messages},
};
use serde_json::Value;

use super::{own, rich, schema::pointers};

fn holds(bytes: &[u8]) {
    if let Err(faults) = decode(bytes, &Limits::DEFAULT) {
        assert!(!faults.is_empty());
    }
    for (_, decoded) in messages(bytes, &Limits::DEFAULT) {
        assert!(decoded.map_or_else(|faults| !faults.is_empty(), |_| true));
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[A-Z0-9.:+-]{0,26}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z]{1,8}", inner), 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(decode(&bytes, &Limits::DEFAULT).is_err());
        holds(&bytes);
    }

    #[test]
    fn a_real_message_with_broken_bytes_never_panics(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(), lines in any::<bool>(),
    ) {
        let mut bytes = own(if lines { "day.ndjson" } else { "strasbourg-fever.json" });
        let at = at.index(bytes.len());
        bytes[at] = byte;
        holds(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        holds(&bytes);
    }

    #[test]
    fn a_real_message_with_a_changed_value_never_panics(which in any::<prop::sample::Index>(), value in any_json()) {
        let mut message = rich();
        let mut all = Vec::new();
        pointers(&message, String::new(), &mut |pointer, _| all.push(pointer.to_owned()));
        *message.pointer_mut(&all[which.index(all.len())]).unwrap() = value;
        holds(message.to_string().as_bytes());
    }
}

//! The control key of a French social security number (NIR).

/// Whether a NIR of 13 characters and a key of two has the right key: 97 less the number modulo 97, with `2A` and `2B`
/// of Corsica counted as 19 and 18 (INSEE). False too for any other shape.
pub fn nir_key_holds(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| *c != ' ').collect();
    if compact.len() != 15 || !compact.is_ascii() {
        return false;
    }
    let number = match &compact[5..7] {
        "2A" => format!("{}19{}", &compact[..5], &compact[7..13]),
        "2B" => format!("{}18{}", &compact[..5], &compact[7..13]),
        _ => compact[..13].to_owned(),
    };
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    matches!((digits(&number), digits(&compact[13..])), (Some(number), Some(key)) if key == 97 - number % 97)
}

#[cfg(test)]
mod tests {
    use super::nir_key_holds;

    #[test]
    fn the_key_is_97_less_the_remainder() {
        // Made up: month 13 of no birth register, commune 999.
        assert!(nir_key_holds("2 55 13 99 999 999 49"));
        assert!(!nir_key_holds("2 55 13 99 999 999 50"));
        assert!(!nir_key_holds("25513999999994900"));
        assert!(!nir_key_holds(""));
    }

    #[test]
    fn corsica_counts_as_19_and_18() {
        let key = |number: u64| 97 - number % 97;
        assert!(nir_key_holds(&format!("255132A999999{:02}", key(2_551_319_999_999))));
        assert!(nir_key_holds(&format!("255132B999999{:02}", key(2_551_318_999_999))));
    }
}

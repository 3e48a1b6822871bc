//! Unified social credit codes (GB 32100-2015) with both of their check characters. The organisation part begins with
//! `XK`, which no registrar issues, so a sample code never names a real firm.

/// The 31 characters of the code; I, O, S, V and Z are not used.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The code of the n-th sample firm. `kind` is the registrar and category (`91` firm, `52` private non-enterprise unit,
/// `53` foundation), `region` a GB/T 2260 code of six digits.
pub(crate) fn credit_code(kind: &str, region: &str, serial: usize) -> String {
    let organisation = format!("XK{:06}", serial % 1_000_000);
    let mut code = format!("{kind}{region}{organisation}{}", organisation_check(&organisation));
    code.push(check(&code));
    code
}

/// GB 11714-1997: weights 3 7 9 10 5 8 4 2 modulo 11; ten is X, eleven is 0.
fn organisation_check(body: &str) -> char {
    let sum: u32 = body
        .chars()
        .zip([3, 7, 9, 10, 5, 8, 4, 2])
        .map(|(character, weight)| character.to_digit(36).unwrap_or(0) * weight)
        .sum();
    match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    }
}

/// GB 32100-2015 section 5.2.5: weights are powers of 3 modulo 31; the check completes the sum to a multiple of 31.
fn check(body: &str) -> char {
    let mut weight = 1;
    let mut sum = 0;
    for byte in body.bytes().take(17) {
        let value = ALPHABET.iter().position(|letter| *letter == byte).unwrap_or(0);
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    ALPHABET.get((31 - sum % 31) % 31).copied().map_or('0', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    // D2143569-X is the example of GB 11714; 91350100M000100Y43 is the usual example of GB 32100.
    #[test]
    fn checks_agree_with_published_codes() {
        assert_eq!(organisation_check("D2143569"), 'X');
        assert_eq!(check("91350100M000100Y4"), '3');
    }

    #[test]
    fn codes_have_eighteen_characters_of_the_alphabet() {
        for serial in 0..500 {
            let code = credit_code("91", "310115", serial);
            assert_eq!(code.len(), 18);
            assert!(code.bytes().all(|byte| ALPHABET.contains(&byte)), "{code}");
        }
    }
}

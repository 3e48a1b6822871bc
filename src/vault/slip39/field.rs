//! Shamir's arithmetic over GF(256) as SLIP-0039 wants it (the polynomial of AES). No tables and no branches on secret
//! bytes: which cache line is read must not tell what they are. It knows nothing of words, sets or people.

use zeroize::Zeroizing;

/// A point of the polynomials: where, and one byte of each.
pub(super) struct Point<'a> {
    pub(super) at: u8,
    pub(super) value: &'a [u8],
}

/// The product in GF(256) modulo x⁸ + x⁴ + x³ + x + 1.
fn times(a: u8, b: u8) -> u8 {
    let (mut a, mut product) = (a, 0);
    for bit in 0..8 {
        product ^= a & (((b >> bit) & 1).wrapping_neg());
        a = (a << 1) ^ (0x1b & (a >> 7).wrapping_neg());
    }
    product
}

/// The inverse: a²⁵⁴. Zero has none and gives zero; the callers ask for differences of distinct places only.
fn inverse(a: u8) -> u8 {
    // 254 = 2 + 4 + 8 + 16 + 32 + 64 + 128.
    let (mut square, mut product) = (a, 1);
    for _ in 0..7 {
        square = times(square, square);
        product = times(product, square);
    }
    product
}

/// The value at `at` of the polynomials of lowest degree through the points, whose places differ.
pub(super) fn interpolate(points: &[Point<'_>], at: u8) -> Zeroizing<Vec<u8>> {
    let length = points.iter().map(|point| point.value.len()).min().unwrap_or(0);
    let mut value = Zeroizing::new(vec![0u8; length]);
    for point in points {
        let mut weight = 1;
        for other in points.iter().filter(|other| other.at != point.at) {
            weight = times(weight, times(at ^ other.at, inverse(point.at ^ other.at)));
        }
        for (sum, byte) in value.iter_mut().zip(point.value) {
            *sum ^= times(weight, *byte);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197, section 4.2.
        assert_eq!((times(0x57, 0x83), times(0x57, 0x13)), (0xc1, 0xfe));
        for a in 1..=255u8 {
            assert_eq!(times(a, inverse(a)), 1, "{a}");
        }
        assert_eq!(inverse(0), 0);
    }

    #[test]
    fn points_lie_on_their_polynomial() {
        let (first, second, third) = ([1u8, 200], [77u8, 0], [255u8, 31]);
        let points =
            [Point { at: 0, value: &first }, Point { at: 7, value: &second }, Point { at: 255, value: &third }];
        for point in &points {
            assert_eq!(interpolate(&points, point.at).as_slice(), point.value);
        }
        let (moved, places) = (interpolate(&points, 3), interpolate(&points, 4));
        let others = [Point { at: 3, value: &moved }, Point { at: 4, value: &places }, Point { at: 7, value: &second }];
        assert_eq!(interpolate(&others, 0).as_slice(), first);
    }
}

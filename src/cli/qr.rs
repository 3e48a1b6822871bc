//! A QR code as SVG, for sheets that are printed. It draws what it is given and keeps nothing.

use kernel::Code;
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;
use zeroize::Zeroizing;

use crate::cli::failure::Failure;

/// Light modules around the code (ISO/IEC 18004 wants four).
const MARGIN: usize = 4;

/// The code of a text, `side` millimetres wide with its margin.
pub(crate) fn svg(text: &str, side: u32) -> Result<Zeroizing<String>, Failure> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| Failure::new(Code::Internal, format!("a QR code: {error}")))?;
    let (width, colours) = (code.width(), code.to_colors());
    let whole = width + 2 * MARGIN;
    let mut svg = Zeroizing::new(String::with_capacity(64 * 1024));
    let _ = write!(
        svg,
        "<svg viewBox=\"0 0 {whole} {whole}\" style=\"width:{side}mm;height:{side}mm\" \
         shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"QR\"><path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/><path d=\""
    );
    for (at, colour) in colours.iter().enumerate() {
        if *colour == Color::Dark {
            let _ = write!(svg, "M{} {}h1v1h-1z", at % width + MARGIN, at / width + MARGIN);
        }
    }
    svg.push_str("\"/></svg>");
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_eyes_and_a_margin() {
        let svg = svg("academic acid acne", 40).unwrap();
        // The corner of the first eye, its middle, and nothing in the margin.
        assert!(svg.contains("M4 4h1v1h-1z") && svg.contains("M6 6h1v1h-1z"));
        assert!(!svg.contains("M3 4h") && !svg.contains("M5 5h"));
        let modules = svg.matches("h1v1h-1z").count();
        let wanted = QrCode::with_error_correction_level("academic acid acne", EcLevel::M).unwrap();
        assert_eq!(modules, wanted.to_colors().iter().filter(|colour| **colour == Color::Dark).count());
    }
}

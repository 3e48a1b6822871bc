//! Streaming decoder: bytes in any encoding become UTF-8, in constant memory. A malformed sequence is an error with
//! its line and offset; it is never replaced, because a replacement character in a customer's name is a silent loss.

use super::scan::{LineCounter, Position};
use encoding_rs::{Decoder, DecoderResult, Encoding};
use std::io::{self, Read};

const CHUNK_BYTES: usize = 64 * 1024;

/// A sequence that does not belong to the encoding.
#[derive(Debug, thiserror::Error)]
#[error("line {}, byte {}: not valid {encoding}", at.line, at.offset)]
pub(crate) struct DecodeError {
    /// Where the sequence begins.
    pub(crate) at: Position,
    /// The name of the encoding.
    pub(crate) encoding: &'static str,
}

/// A reader of UTF-8 over a reader of another encoding.
pub struct Decoded<R> {
    source: R,
    decoder: Decoder,
    input: Vec<u8>,
    input_from: usize,
    input_to: usize,
    output: Vec<u8>,
    output_from: usize,
    output_to: usize,
    ended: bool,
    finished: bool,
    failure: Option<Position>,
    consumed: u64,
    lines: LineCounter,
}

/// Decodes `source` from `encoding`; a byte order mark of that encoding is removed.
pub fn decode<R: Read>(source: R, encoding: &'static Encoding) -> Decoded<R> {
    Decoded {
        source,
        decoder: encoding.new_decoder_with_bom_removal(),
        input: vec![0; CHUNK_BYTES],
        input_from: 0,
        input_to: 0,
        output: vec![0; CHUNK_BYTES],
        output_from: 0,
        output_to: 0,
        ended: false,
        finished: false,
        failure: None,
        consumed: 0,
        lines: LineCounter::default(),
    }
}

impl<R> Decoded<R> {
    /// Bytes of the file taken so far, for progress.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }
}

impl<R: Read> Decoded<R> {
    /// Fills the output buffer as far as one step of the decoder goes.
    fn advance(&mut self) -> io::Result<()> {
        if self.input_from >= self.input_to && !self.ended {
            self.input_from = 0;
            self.input_to = self.source.read(&mut self.input)?;
            self.ended = self.input_to == 0;
        }
        let input = self.input.get(self.input_from..self.input_to).unwrap_or_default();
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(input, &mut self.output, self.ended);
        self.input_from = self.input_from.saturating_add(read);
        self.consumed = self.consumed.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        self.output_from = 0;
        self.output_to = written;
        self.lines.feed(self.output.get(..written).unwrap_or_default());
        match result {
            DecoderResult::InputEmpty => self.finished = self.ended,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(bad, after) => {
                let back = u64::from(bad).saturating_add(u64::from(after));
                let offset = self.consumed.saturating_sub(back);
                self.failure = Some(Position { line: self.lines.line(), offset });
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let ready = self.output.get(self.output_from..self.output_to).unwrap_or_default();
            if !ready.is_empty() {
                let count = ready.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
                    to.copy_from_slice(from);
                }
                self.output_from = self.output_from.saturating_add(count);
                return Ok(count);
            }
            if let Some(at) = self.failure {
                let error = DecodeError { at, encoding: self.decoder.encoding().name() };
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
            if self.finished {
                return Ok(0);
            }
            match self.advance() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => other?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{GB18030, UTF_8, UTF_16LE};

    fn all(bytes: &[u8], encoding: &'static Encoding) -> io::Result<String> {
        let mut text = String::new();
        decode(bytes, encoding).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn a_bad_byte_far_in_is_told_with_its_line_and_offset() {
        let mut bytes = "名称,城市\n".repeat(20_000).into_bytes();
        let offset = bytes.len();
        bytes.extend_from_slice(b"\xFFoops\n");
        let error = all(&bytes, UTF_8).unwrap_err();
        let inner = error.get_ref().unwrap().downcast_ref::<DecodeError>().unwrap();
        assert_eq!(inner.at, Position { line: 20_001, offset: offset as u64 });
    }

    #[test]
    fn a_cut_off_character_at_the_end_is_an_error() {
        assert!(all(b"abc\xE5\x90", UTF_8).is_err());
        assert!(all(b"abc\xB9", GB18030).is_err());
        assert!(all(b"a\0b", UTF_16LE).is_err());
    }

    #[test]
    fn byte_order_marks_are_removed() {
        assert_eq!(all(b"\xEF\xBB\xBFa", UTF_8).unwrap(), "a");
        assert_eq!(all(b"\xFF\xFEa\0", UTF_16LE).unwrap(), "a");
    }
}

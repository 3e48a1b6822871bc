//! Cursors come back from outside: what was written is read again, and anything else is refused or reads to the same.

use proptest::prelude::*;
use store::Cursor;

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Some(cursor) = Cursor::from_bytes(&bytes) {
            let again = Cursor::from_bytes(&cursor.to_bytes());
            prop_assert!(again.is_some_and(|again| again.to_bytes() == cursor.to_bytes()));
        }
    }

    #[test]
    fn what_begins_like_a_cursor_is_no_exception(id in any::<[u8; 16]>(), tail in proptest::collection::vec(any::<u8>(), 0..40), count in 0u8..24) {
        let mut bytes = vec![0x80 | count, 0x50];
        bytes.extend(id);
        bytes.extend(&tail);
        if let Some(cursor) = Cursor::from_bytes(&bytes) {
            let again = Cursor::from_bytes(&cursor.to_bytes()).map(|again| again.to_bytes());
            prop_assert_eq!(again, Some(cursor.to_bytes()));
        }
    }
}

#[test]
fn nothing_follows_a_cursor() {
    let mut bytes = vec![0x81, 0x50];
    bytes.extend([7; 16]);
    assert!(Cursor::from_bytes(&bytes).is_some());
    bytes.push(0xf6);
    assert!(Cursor::from_bytes(&bytes).is_none());
    assert!(Cursor::from_bytes(&[0xff; 9000]).is_none());
}

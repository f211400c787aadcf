//! Pictures that show nothing: the one pixel that keeps a table open.
//!
//! Input: a file's bytes. Output: whether a GIF, PNG or WebP has one pixel and little besides.
//! What its source shows in letters is read all the same. Infallible, linear in the bytes.

/// The largest such file, in bytes: a palette and a few notes of the program that made it.
const BYTES_MAX: usize = 1_200;

/// Whether a picture has one pixel.
pub fn is_blank(bytes: &[u8]) -> bool {
    if bytes.len() > BYTES_MAX {
        return false;
    }
    match bytes {
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', 1, 0, 1, 0, flags, _, _, rest @ ..] => {
            rest.get(palette(*flags)..).is_some_and(has_small_frames)
        }
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0, 0, 0, 13, b'I', b'H', b'D', b'R', size @ ..] => {
            size.starts_with(&[0, 0, 0, 1, 0, 0, 0, 1]) && memchr::memmem::find(bytes, b"IDAT").is_some()
        }
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', b'V', b'P', b'8', chunk @ ..] => match chunk {
            // Width and height less one, in fourteen bits each, behind the chunk's size and a sign.
            [b'L', _, _, _, _, 0x2f, 0, 0, 0, flags, ..] => flags & 0x0f == 0,
            [b' ', _, _, _, _, _, _, _, 0x9d, 1, 0x2a, 1, 0, 1, 0, ..] => true,
            _ => false,
        },
        _ => false,
    }
}

/// How long a palette is, by the flags before it.
fn palette(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Whether every frame of a GIF, behind its head, has one pixel.
fn has_small_frames(mut rest: &[u8]) -> bool {
    loop {
        let from = match rest {
            [0x3b] | [] => return true,
            [0x21, _, ..] => 2,
            [0x2c, _, _, _, _, 1, 0, 1, 0, flags, ..] => 11 + palette(*flags),
            _ => return false,
        };
        let mut at = from;
        loop {
            match rest.get(at) {
                Some(0) => break,
                Some(length) => at += usize::from(*length) + 1,
                None => return false,
            }
        }
        rest = &rest[at + 1..];
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn one_pixel_is_blank_and_two_are_not() {
        for (file, expected) in [
            ("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", true),
            ("R0lGODlhAQABAAD/ACwAAAAAAQABAAACADs=", true),
            ("R0lGODlhAgABAIAAAAAAAP///yH5BAEAAAAALAAAAAACAAEAAAIBRAA7", false),
            ("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAACAAEAAAIBRAA7", false),
            ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", true),
            ("iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==", false),
            ("iVBORw0KGgoAAAANSUhEUg==", false),
            ("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==", true),
        ] {
            assert_eq!(is_blank(&STANDARD.decode(file).unwrap()), expected, "{file}");
        }
        assert!(!is_blank(b"") && !is_blank(b"GIF89a"));
    }
}

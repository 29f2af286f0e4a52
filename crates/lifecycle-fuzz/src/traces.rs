//! Assertions about results: each id comes from the input, and no text is longer than the input allows.

use lifecycle_core::{Fault, InstanceId};

/// Panics if the fault is much longer than the input: `{:?}` writes up to eight characters for one
/// byte.
#[track_caller]
pub(crate) fn assert_bounded(fault: &Fault, input: &[u8]) {
    let limit = 8 * input.len() + 4096;
    let shown = format!("{fault} {fault:?}").len();
    // `Display` and `Debug` write the message and the code once each.
    assert!(
        shown <= 4 * limit,
        "{shown} bytes of fault for {} bytes of input",
        input.len()
    );
    assert!(fault.instances().len() <= input.len());
}

/// Panics if `id` is neither requested nor in the input.
#[track_caller]
pub(crate) fn assert_in_input(id: &InstanceId, requested: &[InstanceId], input: &[u8]) {
    if requested.contains(id) || contains(input, id.as_str()) {
        return;
    }
    // Comments, CDATA and character references of XML can stand inside an id.
    let is_xml_with_parts =
        input.contains(&b'<') && (contains(input, "<!") || contains(input, "<?"));
    if is_xml_with_parts || input.contains(&b'&') {
        return;
    }
    assert!(
        contains(&unescaped(input), id.as_str()),
        "the id {id} is not in the input"
    );
}

/// Compares without case: the ids of a cloud can be compared without case, too.
fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// Replaces `\u00XX` of JSON by the character. An id has ASCII characters only.
fn unescaped(input: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((first, after)) = rest.split_first() {
        let escape = rest.get(..6).filter(|escape| escape.starts_with(b"\\u00"));
        let code = escape
            .and_then(|escape| str::from_utf8(&escape[4..]).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                text.push(code);
                rest = &rest[6..];
            }
            None => {
                text.push(*first);
                rest = after;
            }
        }
    }
    text
}

//! Sections of a seed: a first line, then parts that begin with a line `== KIND ARGUMENT`.

/// One part.
pub(crate) struct Section<'a> {
    pub(crate) kind: String,
    pub(crate) argument: String,
    pub(crate) content: &'a [u8],
}

/// Returns the first line and the sections.
pub(crate) fn parse(data: &[u8]) -> (String, Vec<Section<'_>>) {
    const MARK: &[u8] = b"\n== ";
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
        parts.push(&rest[..at]);
        rest = &rest[at + MARK.len()..];
    }
    parts.push(rest);
    let first = String::from_utf8_lossy(parts[0]).trim().to_owned();
    (first, parts[1..].iter().map(|part| section(part)).collect())
}

fn section(part: &[u8]) -> Section<'_> {
    let end = part.iter().position(|byte| *byte == b'\n');
    let (line, content) = match end {
        Some(end) => (&part[..end], &part[end + 1..]),
        None => (part, &[][..]),
    };
    let line = String::from_utf8_lossy(line);
    let (kind, argument) = line.split_once(' ').unwrap_or((&line, ""));
    Section {
        kind: kind.to_owned(),
        argument: argument.trim().to_owned(),
        content,
    }
}

//! `tidy`: the check of the prose of comments: odd beginnings of doc comments, and pronouns.
//!
//! Model for the limits: tokio, reqwest, tower and hyper have about 3 pronouns in 100 words of
//! comment, and at most 6 % odd beginnings.

use std::{collections::BTreeMap, fmt, ops::AddAssign};

use super::{
    files::Files,
    rust::{Part, keep},
};

/// The allowed percentage of doc comments with an odd beginning.
const MAX_ODD_STARTS: f64 = 5.0;
/// The pronouns allowed in 100 words of comment.
const MAX_PRONOUNS: f64 = 5.0;

/// First words of a doc comment without a verb in the third person and without a noun.
const ODD_STARTS: &str = "
    what how where when why whether which who whom whose that this these it its they them their those
    with without as so of to for from in on at by if after before between under over until since while
    because like unlike during against among within through into up down out off there here then
    is are was were be been does do did may can could would will must should might not never only
    also just still even such nothing nobody nowhere something somebody somewhere everything
    everybody everywhere anything anybody anywhere elsewhere";
/// Words after "One" and "This" as a pronoun.
const AFTER_PRONOUN: &str = "that which whose who with where is are was were has does can may must will would and or to of for in on";
const PRONOUNS: &str = "it its itself one ones that those they them their what";

/// Returns a finding for each figure above the limit.
pub(super) fn above_limits(files: &Files) -> Vec<String> {
    let mut all = Figures::default();
    rust_files(files).for_each(|(_, text)| all += Figures::of(text));
    let hint = "see `cargo xtask tidy --prose`";
    let odd = (all.odd_percent() > MAX_ODD_STARTS)
        .then(|| format!("{all}; at most {MAX_ODD_STARTS} % may begin oddly; {hint}"));
    let pronouns = (all.pronoun_percent() > MAX_PRONOUNS)
        .then(|| format!("{all}; at most {MAX_PRONOUNS} pronouns are allowed; {hint}"));
    odd.into_iter().chain(pronouns).collect()
}

/// Lists the figures of each crate and of the worst files, or of each file below `paths` with every
/// odd beginning.
pub(super) fn report(files: &Files, paths: &[String]) -> Vec<String> {
    let wanted = |path: &str| {
        let paths = paths.iter().map(|wanted| wanted.trim_start_matches("./"));
        paths.into_iter().any(|wanted| path.starts_with(wanted))
    };
    let mut crates: BTreeMap<&str, Figures> = BTreeMap::new();
    let mut all = Figures::default();
    let mut ranking = Vec::new();
    let mut lines = Vec::new();
    for (path, text) in rust_files(files) {
        let figures = Figures::of(text);
        *crates.entry(crate_of(path)).or_default() += figures;
        all += figures;
        ranking.push((figures, path));
        if wanted(path) {
            lines.push(format!("{path}: {figures}"));
            let odd = doc_starts(text).filter(|(_, start)| is_odd(start));
            lines.extend(odd.map(|(number, start)| format!("{path}:{number}: {start}")));
        }
    }
    if paths.is_empty() {
        lines.extend(
            crates
                .iter()
                .map(|(name, figures)| format!("{name}: {figures}")),
        );
        lines.push(format!("all: {all}"));
        lines.push("the files furthest above the limits:".to_owned());
        ranking.sort_by(|(a, _), (b, _)| b.excess().total_cmp(&a.excess()));
        let worst = ranking.iter().take(30);
        lines.extend(worst.map(|(figures, path)| format!("{path}: {figures}")));
    }
    lines
}

/// Returns the Rust files with counted comments.
fn rust_files(files: &Files) -> impl Iterator<Item = (&str, &str)> {
    files.texts("", ".rs").filter(|(path, _)| {
        let parts: Vec<&str> = path.split('/').collect();
        matches!(
            parts[..],
            ["crates", _, "src" | "tests", ..] | ["xtask", "src" | "templates", ..]
        )
    })
}

fn crate_of(path: &str) -> &str {
    path.strip_prefix("crates/")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or("xtask")
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Figures {
    docs: usize,
    odd: usize,
    words: usize,
    pronouns: usize,
}

impl Figures {
    fn of(text: &str) -> Self {
        let mut figures = Self::default();
        for (_, start) in doc_starts(text) {
            figures.docs += 1;
            figures.odd += usize::from(is_odd(start));
        }
        for line in comments(text) {
            let (words, pronouns) = count(line.text);
            figures.words += words;
            figures.pronouns += pronouns;
        }
        figures
    }

    fn odd_percent(&self) -> f64 {
        percent(self.odd, self.docs)
    }

    fn pronoun_percent(&self) -> f64 {
        percent(self.pronouns, self.words)
    }

    /// Returns the number of changes that bring both figures to the limits.
    fn excess(&self) -> f64 {
        let over =
            |number, limit: f64, of| (percent(number, of) - limit).max(0.0) * small(of) / 100.0;
        over(self.odd, MAX_ODD_STARTS, self.docs) + over(self.pronouns, MAX_PRONOUNS, self.words)
    }
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.docs += other.docs;
        self.odd += other.odd;
        self.words += other.words;
        self.pronouns += other.pronouns;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} % of {} doc comments begin oddly, {:.1} pronouns in 100 of {} words",
            self.odd_percent(),
            self.docs,
            self.pronoun_percent(),
            self.words
        )
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * small(part) / small(whole.max(1))
}

fn small(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// A line of a comment outside of fences.
#[derive(Debug, PartialEq, Eq)]
struct CommentLine<'a> {
    number: usize,
    text: &'a str,
    starts_doc: bool,
}

/// Returns the first line of each doc comment.
fn doc_starts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    comments(text)
        .into_iter()
        .filter(|line| line.starts_doc)
        .map(|line| (line.number, line.text))
}

fn comments(text: &str) -> Vec<CommentLine<'_>> {
    let mut found = Vec::new();
    let mut previous = "";
    let mut is_fenced = false;
    let masked = keep(&[Part::Comment], text);
    for (number, (line, masked)) in (1..).zip(text.lines().zip(masked.lines())) {
        let begin = masked.len() - masked.trim_start().len();
        let comment = &line[begin..masked.trim_end().len().max(begin)];
        let mark = ["///", "//!", "//"]
            .into_iter()
            .find(|mark| comment.starts_with(mark) && !comment.starts_with("////"))
            .unwrap_or("");
        let begins = mark != previous || !line[..begin].trim().is_empty();
        previous = mark;
        let text = comment[mark.len()..].trim();
        let is_fence = text.starts_with("```");
        is_fenced = (is_fenced && !begins) ^ is_fence;
        if !mark.is_empty() && !is_fenced && !is_fence {
            found.push(CommentLine {
                number,
                text,
                starts_doc: begins && mark != "//",
            });
        }
    }
    found
}

/// Reports whether a doc comment begins without a verb in the third person and without a noun.
fn is_odd(start: &str) -> bool {
    let mut words = start.split_whitespace().map(|word| {
        let end = word.find(|letter: char| !letter.is_ascii_alphabetic());
        word[..end.unwrap_or(word.len())].to_ascii_lowercase()
    });
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    let is_fragment = second.is_none() && first.len() + 1 >= start.len() && !first.is_empty();
    let is_pronoun = first == "one" && second.is_some_and(|second| holds(AFTER_PRONOUN, &second));
    is_fragment || is_pronoun || holds(ODD_STARTS, &first)
}

/// Counts the words and the pronouns of a line, without code in backticks.
fn count(line: &str) -> (usize, usize) {
    let prose = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let in_word = |letter: char| letter.is_alphanumeric() || "'’-".contains(letter);
    // A mark between words ends a noun phrase, as a verb does.
    let spaced: String = prose
        .chars()
        .flat_map(|letter| match letter {
            letter if in_word(letter) => vec![letter.to_ascii_lowercase()],
            letter => vec![' ', letter, ' '],
        })
        .collect();
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let is_word = |token: &str| token.starts_with(char::is_alphabetic);
    let stands_alone = |next: &str| !next.starts_with(in_word) || holds(AFTER_PRONOUN, next);
    let pronouns = tokens
        .iter()
        .enumerate()
        .filter(|(at, token)| match **token {
            "this" | "these" => tokens.get(at + 1).is_some_and(|next| stands_alone(next)),
            word => word
                .split(['\'', '’'])
                .next()
                .is_some_and(|word| holds(PRONOUNS, word)),
        });
    let pronouns = pronouns.count();
    (
        tokens.iter().filter(|token| is_word(token)).count(),
        pronouns,
    )
}

fn holds(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doc_that_begins_with_a_verb_or_a_noun_is_not_odd() {
        for start in [
            "Returns the state.",
            "The state of an instance.",
            "Every instance of the batch.",
            "All clouds of this build.",
            "One request.",
            "`Running`",
            "[`Client`] with its parts",
            "404 from the metadata service.",
            "",
        ] {
            assert!(!is_odd(start), "{start}");
        }
    }

    #[test]
    fn doc_that_begins_with_a_particle_or_is_one_word_is_odd() {
        for start in [
            "What the cloud said.",
            "Whether it runs.",
            "It's up.",
            "With a key.",
            "One that runs.",
            "Is the key there?",
            "Up.",
            "Running",
        ] {
            assert!(is_odd(start), "{start}");
        }
    }

    #[test]
    fn pronouns_count_outside_of_code() {
        assert_eq!(count("It's the one: `it.that` and its key"), (6, 3));
        assert_eq!(count("this key, that key, and this is it."), (8, 3));
        assert_eq!(count("by this, in 100 words"), (4, 1));
    }

    #[test]
    fn only_the_first_line_of_a_doc_comment_starts_one() {
        let text = "//! A file.\n//! What else.\n\n/// A function.\n/// ```\n/// what\n/// ```\n/// Up.\n\
                    fn f() {} // what\n// What.\n// More.\n/// What follows.\n";
        let starts: Vec<(usize, &str)> = doc_starts(text).collect();

        assert_eq!(
            starts,
            [(1, "A file."), (4, "A function."), (12, "What follows.")]
        );
        assert_eq!(
            Figures::of(text),
            Figures {
                docs: 3,
                odd: 1,
                words: 12,
                pronouns: 4
            }
        );
    }

    #[test]
    fn unclosed_fence_ends_with_the_comment() {
        let text = "/// A call.\n/// ```\n/// what\nfn f() {}\n/// A word.\n";

        assert_eq!(Figures::of(text).words, 4);
    }

    #[test]
    fn repository_above_a_limit_is_a_finding() {
        let good = "/// Returns the state of the instance.\n";
        let odd = "/// What the cloud reports about a batch of instances of the account.\n";
        let files = Files::of([
            ("crates/a/src/lib.rs", good),
            ("crates/a/benches/b.rs", odd),
            ("crates/a/README.md", odd),
        ]);
        assert_eq!(above_limits(&files), Vec::<String>::new());

        let files = Files::of([("crates/a/tests/a.rs", good), ("xtask/src/a.rs", odd)]);
        let findings = above_limits(&files);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("50.0 % of 2 doc comments begin oddly, 5.6 pronouns"));
    }

    #[test]
    fn report_lists_odd_starts_of_the_given_paths() {
        let files = Files::of([
            ("crates/a/src/lib.rs", "/// What.\n/// More.\n"),
            ("xtask/src/a.rs", "/// How.\n"),
        ]);

        let lines = report(&files, &["./crates/a".to_owned()]);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[1], "crates/a/src/lib.rs:1: What.");

        let lines = report(&files, &[]);
        assert!(lines[0].starts_with("a: 100.0 %"), "{lines:?}");
        assert!(lines[1].starts_with("xtask: 100.0 %"), "{lines:?}");
        assert!(lines[2].starts_with("all: 100.0 %"), "{lines:?}");
    }
}

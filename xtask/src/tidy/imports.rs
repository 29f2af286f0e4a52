//! `tidy`: reads the imports between the files of one crate, tests excluded.
//!
//! A path to a re-export counts as an import of the file with the definition.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    files::Files,
    rust::{Part, keep, without_tests},
    source::is_test,
};

/// One path from a file to another file of the same crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import<'a> {
    pub(super) from: &'a str,
    pub(super) line: usize,
    pub(super) to: &'a str,
    /// The import is a `pub use`.
    pub(super) is_re_export: bool,
}

/// The name of a module, such as `["power", "send"]`. The name of the root is empty.
type Name = Vec<String>;

/// One file of a crate.
struct Module<'a> {
    file: &'a str,
    paths: Vec<CodePath>,
}

/// One path in the code, such as `super::wire::Body`.
#[derive(Clone, Debug)]
struct CodePath {
    line: usize,
    /// The parts from the root of the crate; `None` for another crate.
    parts: Option<Name>,
    /// The name of the item after a `use`.
    alias: Option<String>,
    is_public: bool,
}

/// Returns the imports inside each crate, by the folder of the crate.
pub(super) fn imports_by_crate(files: &Files) -> BTreeMap<&str, Vec<Import<'_>>> {
    let mut crates: BTreeMap<&str, BTreeMap<Name, Module<'_>>> = BTreeMap::new();
    let xtask = files.texts("xtask/src/", ".rs");
    for (path, text) in files
        .sources()
        .chain(xtask)
        .filter(|(path, _)| !is_test(path))
    {
        let Some((folder, name)) = module_name(path) else {
            continue;
        };
        let code = keep(&[Part::Code], &without_tests(text));
        let paths = PathReader::new(&name, &code).read();
        let module = Module { file: path, paths };
        // A program beside a library uses the library as another crate.
        let modules = crates.entry(folder).or_default();
        if !path.ends_with("src/main.rs") || !modules.contains_key(&name) {
            modules.insert(name, module);
        }
    }
    crates
        .into_iter()
        .map(|(folder, modules)| (folder, imports(&modules)))
        .collect()
}

/// Returns the folder of the crate and the name of the module. Files below `src/bin` are other
/// crates.
fn module_name(path: &str) -> Option<(&str, Name)> {
    let (folder, file) = path.split_once("/src/")?;
    let mut name: Name = file
        .strip_suffix(".rs")?
        .split('/')
        .map(str::to_owned)
        .collect();
    let last = name.last()?.as_str();
    if last == "mod" || (name.len() == 1 && ["lib", "main"].contains(&last)) {
        name.pop();
    }
    (name.first().map(String::as_str) != Some("bin")).then_some((folder, name))
}

fn imports<'a>(modules: &BTreeMap<Name, Module<'a>>) -> Vec<Import<'a>> {
    let mut found = Vec::new();
    for module in modules.values() {
        for path in &module.paths {
            let target = path
                .parts
                .as_ref()
                .and_then(|parts| resolve(modules, parts, 0));
            if let Some(to) = target.filter(|to| *to != module.file) {
                found.push(Import {
                    from: module.file,
                    line: path.line,
                    to,
                    is_re_export: path.is_public,
                });
            }
        }
    }
    found
}

/// Returns the file with the definition of an item; `None` for an item of another crate.
fn resolve<'a>(
    modules: &BTreeMap<Name, Module<'a>>,
    parts: &[String],
    depth: usize,
) -> Option<&'a str> {
    const MAX_DEPTH: usize = 8;
    let split = (0..=parts.len())
        .rev()
        .find(|at| modules.contains_key(&parts[..*at]))?;
    let module = &modules[&parts[..split]];
    let (Some(name), true) = (parts.get(split), depth < MAX_DEPTH) else {
        return Some(module.file);
    };
    let has_name = |path: &&CodePath| path.alias.as_ref() == Some(name);
    match module.paths.iter().find(has_name) {
        Some(import) => {
            let target = [import.parts.as_ref()?, &parts[split + 1..]].concat();
            resolve(modules, &target, depth + 1)
        }
        None => Some(module.file),
    }
}

/// Reads the paths of one file.
struct PathReader<'a> {
    tokens: Vec<(usize, &'a str)>,
    at: usize,
    /// The module of the file and the inline modules around the current place.
    module: Name,
    /// The depth of braces around each inline module.
    inline: Vec<usize>,
    depth: usize,
    children: BTreeSet<&'a str>,
    paths: Vec<CodePath>,
}

impl<'a> PathReader<'a> {
    fn new(module: &[String], code: &'a str) -> Self {
        let tokens: Vec<(usize, &str)> = (1..)
            .zip(code.lines())
            .flat_map(|(number, line)| tokens(line).into_iter().map(move |token| (number, token)))
            .collect();
        let children = tokens
            .windows(3)
            .filter(|window| window[0].1 == "mod" && window[2].1 == ";")
            .map(|window| window[1].1)
            .collect();
        Self {
            tokens,
            at: 0,
            module: module.to_owned(),
            inline: Vec::new(),
            depth: 0,
            children,
            paths: Vec::new(),
        }
    }

    fn token(&self, offset: isize) -> &'a str {
        let at = self.at.checked_add_signed(offset);
        at.and_then(|at| self.tokens.get(at))
            .map_or("", |(_, token)| token)
    }

    fn read(mut self) -> Vec<CodePath> {
        while self.at < self.tokens.len() {
            match self.token(0) {
                "{" => self.depth += 1,
                "}" => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.inline.last() == Some(&self.depth) {
                        self.inline.pop();
                        self.module.pop();
                    }
                }
                "mod" if self.token(2) == "{" => {
                    self.inline.push(self.depth);
                    self.module.push(self.token(1).to_owned());
                }
                // `use<…>` is a bound of a return type.
                "use" if self.token(1) != "<" => self.read_use(),
                first if self.starts_path(first) => self.read_inline_path(),
                _ => {}
            }
            self.at += 1;
        }
        self.paths
    }

    /// Reports whether a path into this crate starts here, outside of `use`.
    fn starts_path(&self, first: &str) -> bool {
        let is_visibility = self.token(-1) == "in" && self.token(-3) == "pub";
        let is_relative = ["crate", "self", "super"].contains(&first);
        self.token(1) == "::"
            && !["::", "."].contains(&self.token(-1))
            && !is_visibility
            && (is_relative || self.children.contains(first))
    }

    fn read_inline_path(&mut self) {
        let line = self.tokens[self.at].0;
        let mut written = vec![self.token(0)];
        while self.token(1) == "::" && is_word(self.token(2)) {
            written.push(self.token(2));
            self.at += 2;
        }
        let parts = self.parts_of(&written);
        self.paths.push(CodePath {
            line,
            parts,
            alias: None,
            is_public: false,
        });
    }

    /// Reads the tree of a `use` up to its semicolon.
    fn read_use(&mut self) {
        let is_public = self.token(-1) == "pub" || self.token(-1) == ")";
        self.at += 1;
        self.read_tree(&mut Vec::new(), is_public);
    }

    /// Reads one branch; `written` holds the parts in front of the branch.
    fn read_tree(&mut self, written: &mut Vec<&'a str>, is_public: bool) {
        let length = written.len();
        while self.at < self.tokens.len() {
            match self.token(0) {
                "::" => {}
                "{" => {
                    self.at += 1;
                    while !["}", ";", ""].contains(&self.token(0)) {
                        self.read_tree(written, is_public);
                        if self.token(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    written.truncate(length);
                    return;
                }
                "," | "}" | ";" | "as" => break,
                part => written.push(part),
            }
            self.at += 1;
        }
        let line = self.tokens[self.at.saturating_sub(1)].0;
        if written.len() > 1 && written.last() == Some(&"self") {
            written.pop();
        }
        let mut alias = written.last().copied();
        if self.token(0) == "as" {
            alias = Some(self.token(1));
            self.at += 2;
        }
        let parts = self.parts_of(written);
        let alias = alias.map(str::to_owned);
        self.paths.push(CodePath {
            line,
            parts,
            alias,
            is_public,
        });
        written.truncate(length);
    }

    fn parts_of(&self, written: &[&str]) -> Option<Name> {
        let mut base = self.module.clone();
        let mut rest = written;
        match rest.first()? {
            &"crate" => {
                base.clear();
                rest = &rest[1..];
            }
            &"self" => rest = &rest[1..],
            &"super" => {}
            child if self.children.contains(child) => {}
            _ => return None,
        }
        while rest.first() == Some(&"super") {
            base.pop();
            rest = &rest[1..];
        }
        let names = rest.iter().filter(|part| **part != "*");
        base.extend(names.map(|part| (*part).to_owned()));
        Some(base)
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

fn tokens(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while let Some(letter) = rest.chars().next() {
        let end = if is_word(rest) {
            rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_')
        } else {
            Some(if rest.starts_with("::") {
                2
            } else {
                letter.len_utf8()
            })
        };
        let (token, after) = rest.split_at(end.unwrap_or(rest.len()));
        found.push(token);
        rest = after.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the imports of `text`, the file `power/send.rs` of a small crate.
    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        let files = Files::of([
            (
                "crates/a/src/lib.rs",
                "mod call;\nmod error;\nmod power;\npub use error::Error;\npub use other::Fault;\n",
            ),
            (
                "crates/a/src/call/mod.rs",
                "pub(crate) mod clock;\npub(crate) use clock::{Clock as Watch};\n",
            ),
            ("crates/a/src/call/clock.rs", ""),
            ("crates/a/src/error.rs", ""),
            (
                "crates/a/src/power/mod.rs",
                "mod send;\nmod plan;\nuse self::plan::Plan;\n",
            ),
            ("crates/a/src/power/plan.rs", ""),
            ("crates/a/src/power/send.rs", text),
            ("crates/a/src/power/send/tests.rs", "use crate::call;\n"),
        ]);
        let crates = imports_by_crate(&files);
        let found: Vec<(usize, &str)> = crates["crates/a"]
            .iter()
            .filter(|import| import.from.ends_with("send.rs"))
            .map(|import| (import.line, &import.to["crates/a/src/".len()..]))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn use_trees_are_read() {
        check(
            "use crate::{\n    call::{self, clock::*, Other as It},\n    error,\n};\n",
            &[
                (2, "call/mod.rs"),
                (2, "call/clock.rs"),
                (2, "call/mod.rs"),
                (3, "error.rs"),
            ],
        );
        check(
            "use super::{plan, super::error::Error};\n",
            &[(1, "power/plan.rs"), (1, "error.rs")],
        );
        check(
            "pub(in crate::power) use std::fmt;\nuse http::{Method, header};\n",
            &[],
        );
    }

    #[test]
    fn capturing_bound_is_not_an_import() {
        check(
            "fn f() -> impl Sized + use<T> { a; b }\nuse crate::call;\n",
            &[(2, "call/mod.rs")],
        );
    }

    #[test]
    fn re_exports_lead_to_the_definition() {
        check(
            "use crate::{Error, Fault, Missing};\n",
            &[(1, "error.rs"), (1, "lib.rs")],
        );
        check("use crate::call::Watch;\n", &[(1, "call/clock.rs")]);
        check("use super::Plan;\n", &[(1, "power/plan.rs")]);
    }

    #[test]
    fn paths_in_code_are_imports() {
        check(
            "fn f() -> crate::Error {\n    super::plan::make::<u8>(self::g())\n}\n",
            &[(1, "error.rs"), (2, "power/plan.rs")],
        );
        check(
            "mod inner {\n    use super::super::plan;\n}\nuse super::plan;\n",
            &[(2, "power/plan.rs"), (4, "power/plan.rs")],
        );
    }

    #[test]
    fn tests_comments_and_strings_are_not_imports() {
        check(
            "#[cfg(test)]\nuse crate::{call, error};\n#[cfg(test)]\nmod tests { use crate::call; fn f() {} }\n\
             // crate::error\nconst A: &str = \"crate::error\";\n",
            &[],
        );
    }

    #[test]
    fn child_of_a_module_is_an_import_of_the_parent() {
        let files = Files::of([
            (
                "crates/a/src/lib.rs",
                "mod b;\npub use b::C;\nfn f() { b::g() }\n",
            ),
            ("crates/a/src/b.rs", ""),
        ]);
        let lines: Vec<(usize, bool)> = imports_by_crate(&files)["crates/a"]
            .iter()
            .map(|import| (import.line, import.is_re_export))
            .collect();

        assert_eq!(lines, [(2, true), (3, false)]);
    }
}

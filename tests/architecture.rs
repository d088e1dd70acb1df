//! DESIGN §3 as a test: rooms import only to the left, nothing runs in a circle, and each foreign
//! crate stays where it belongs. It reads the sources as text, macros and test modules too.
//!
//! If you are here because it failed: move the code to the room whose question it answers, or hand
//! the value in from above. Change a list below only together with DESIGN §3.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// The rooms from left to right; the rings stand behind them, side by side.
const LINE: [&str; 11] = [
    "kernel",
    "entity",
    "db",
    "catalogue",
    "registry",
    "usage",
    "firmware",
    "planning",
    "visits",
    "incidents",
    "reports",
];
const RINGS: [&str; 4] = ["jobs", "seeding", "graphql", "ingest"];

/// Crates that only the storage files name.
const STORAGE: [&str; 5] = ["sea_orm", "sea_query", "sqlx", "sea_orm_migration", "tillkeep_migrations"];

/// Where a foreign crate may be named: folders end with `/`.
const HOMES: [(&str, &[&str]); 4] = [
    ("async_graphql", &["graphql/", "app/http.rs"]),
    ("axum", &["app/", "main.rs"]),
    ("clap", &["main.rs"]),
    ("cron", &["kernel/calendar/"]),
];

/// Its macro writes `crate::$room::Error` for the capabilities it is called with; a variable cannot
/// be followed here.
const NAMES_ROOMS_BY_MACRO: &str = "graphql/errors.rs";

const MAX_LINES: usize = 1_000;

// Reading Rust: words instead of text, then the paths a file names.

/// A word, `::` or one other character.
#[derive(Clone, Debug)]
struct Token {
    text: String,
    line: usize,
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
}

fn word(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |t| t.text.as_str())
}

/// Cuts Rust into tokens. Comments are left out, and texts too unless they hold a path of ours, as
/// in `#[graphql(remote = "crate::kernel::text::Language")]`.
fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut found = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let begin = i;
        match (at(i), at(i + 1)) {
            ('/', '/') => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            ('/', '*') => i = comment_end(&chars, i),
            ('"', _) => {
                i = text_end(&chars, i);
                let text: String = chars[begin + 1..i].iter().collect();
                if text.starts_with("crate::") {
                    let path = tokens(text.trim_end_matches('"'));
                    found.extend(path.into_iter().map(|t| Token { line, ..t }));
                }
            }
            ('\'', _) => i = quote_end(&chars, i),
            (':', ':') => {
                found.push(Token { text: "::".to_owned(), line });
                i += 2;
            }
            (c, _) if c.is_alphanumeric() || c == '_' || c == '$' => {
                i += 1;
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
                let text: String = chars[begin..i].iter().collect();
                let raw = if matches!(text.as_str(), "r" | "br" | "cr") { raw_text_end(&chars, i) } else { None };
                match (raw, text.as_str()) {
                    (Some(end), _) => i = end,
                    (None, "$") => {}
                    (None, "$crate") => found.push(Token { text: "crate".to_owned(), line }),
                    (None, _) => found.push(Token { text, line }),
                }
            }
            (c, _) => {
                if !c.is_whitespace() {
                    found.push(Token { text: c.to_string(), line });
                }
                i += 1;
            }
        }
        line += chars[begin..i].iter().filter(|c| **c == '\n').count();
    }
    found
}

/// Where a block comment ends; they nest.
fn comment_end(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0_usize, start);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1).copied()) {
            ('/', Some('*')) => {
                depth += 1;
                i += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    chars.len()
}

fn text_end(chars: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

/// Where a raw text ends whose `#`s or quote stand at `start`; none when it is a raw identifier.
fn raw_text_end(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + hashes).copied() != Some('"') {
        return None;
    }
    let mut i = start + hashes + 1;
    while i < chars.len() {
        let closing = chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count();
        if chars[i] == '"' && closing == hashes {
            return Some(i + 1 + hashes);
        }
        i += 1;
    }
    Some(chars.len())
}

/// Where a character or a lifetime ends.
fn quote_end(chars: &[char], start: usize) -> usize {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut i = start + 1;
    if at(i) == '\\' {
        // What is escaped may be a quote itself.
        i += 2;
        while i < chars.len() && at(i) != '\'' {
            i += 1;
        }
        return (i + 1).min(chars.len());
    }
    if at(start + 2) == '\'' {
        return start + 3;
    }
    while at(i).is_alphanumeric() || at(i) == '_' {
        i += 1;
    }
    i
}

/// A path that a file names, in a `use` or in its code.
#[derive(Clone, Debug)]
struct Import {
    /// The module it is said in: the file's, or one written inside it.
    scope: Vec<String>,
    /// As written; a glob's without the `*`.
    path: Vec<String>,
    /// What it is called here; `*` for a glob.
    name: String,
    line: usize,
    is_use: bool,
    is_public: bool,
}

/// What a source file says.
#[derive(Debug)]
struct File {
    /// Below `src/`.
    path: String,
    module: Vec<String>,
    imports: Vec<Import>,
    /// Items it defines itself.
    items: BTreeSet<String>,
    /// Words of its code outside `use`.
    words: BTreeSet<String>,
    /// Macros it puts into the root of the crate.
    root_macros: Vec<String>,
    lines: usize,
}

fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// Whether the `use` at a place is a `pub use` of any kind.
fn is_public(tokens: &[Token], at: usize) -> bool {
    if at == 0 || word(tokens, at - 1) != ")" {
        return at > 0 && word(tokens, at - 1) == "pub";
    }
    let open = (0..at).rev().find(|i| word(tokens, *i) == "(");
    open.is_some_and(|i| i > 0 && word(tokens, i - 1) == "pub")
}

/// Whether a path begins at a place; `pub(in a::b)` is none.
fn begins_path(tokens: &[Token], at: usize) -> bool {
    let before = |n: usize| if at >= n { word(tokens, at - n) } else { "" };
    let is_middle = before(1) == "::" && (is_word(before(2)) || before(2) == ">");
    let is_visibility = before(1) == "in" && before(2) == "(" && before(3) == "pub";
    is_word(word(tokens, at)) && word(tokens, at + 1) == "::" && before(1) != "." && !is_middle && !is_visibility
}

/// Reads one tree of a `use`; gives the place behind it. A leading `::` stays in the path.
fn use_tree(tokens: &[Token], start: usize, prefix: &[String], found: &mut Vec<(Vec<String>, String, usize)>) -> usize {
    let (mut i, mut path) = (start, prefix.to_vec());
    loop {
        match word(tokens, i) {
            "::" => {
                if path.is_empty() {
                    path.push("::".to_owned());
                }
                i += 1;
            }
            "{" => {
                i += 1;
                while !matches!(word(tokens, i), "}" | "") {
                    i = use_tree(tokens, i, &path, found);
                    if word(tokens, i) == "," {
                        i += 1;
                    }
                }
                return i + 1;
            }
            "*" => {
                found.push((path, "*".to_owned(), tokens[i].line));
                return i + 1;
            }
            text if is_word(text) => {
                let line = tokens[i].line;
                i += 1;
                // The `self` of a group is the group's own path.
                if text != "self" || path.is_empty() {
                    path.push(text.to_owned());
                }
                if word(tokens, i) == "::" {
                    continue;
                }
                let mut name = path.last().cloned().unwrap_or_default();
                if word(tokens, i) == "as" {
                    name = word(tokens, i + 1).to_owned();
                    i += 2;
                }
                found.push((path, name, line));
                return i;
            }
            _ => return i + 1,
        }
    }
}

impl File {
    fn read(path: &str, source: &str) -> Self {
        let tokens = tokens(source);
        let mut file = Self {
            path: path.to_owned(),
            module: module_of(path),
            imports: Vec::new(),
            items: BTreeSet::new(),
            words: BTreeSet::new(),
            root_macros: Vec::new(),
            lines: source.lines().count(),
        };
        let mut scope = file.module.clone();
        // Braces that are open, and at which of them a module began.
        let (mut depth, mut inner) = (0_usize, Vec::new());
        let mut i = 0;
        while i < tokens.len() {
            let (text, next) = (word(&tokens, i), word(&tokens, i + 1));
            match text {
                "mod" if is_word(next) && word(&tokens, i + 2) == "{" => {
                    scope.push(next.to_owned());
                    inner.push(depth);
                    depth += 1;
                    i += 3;
                    continue;
                }
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    if inner.last() == Some(&depth) {
                        inner.pop();
                        scope.pop();
                    }
                }
                // `use<'a>` says what an opaque type captures.
                "use" if next != "<" => {
                    let is_public = is_public(&tokens, i);
                    let mut found = Vec::new();
                    i = use_tree(&tokens, i + 1, &[], &mut found);
                    for (path, name, line) in found {
                        file.imports.push(Import { scope: scope.clone(), path, name, line, is_use: true, is_public });
                    }
                    continue;
                }
                _ if begins_path(&tokens, i) => {
                    let line = tokens[i].line;
                    let mut path = vec![text.to_owned()];
                    if i > 0 && word(&tokens, i - 1) == "::" {
                        path.insert(0, "::".to_owned());
                    }
                    while word(&tokens, i + 1) == "::" && is_word(word(&tokens, i + 2)) {
                        path.push(word(&tokens, i + 2).to_owned());
                        i += 2;
                    }
                    file.words.insert(text.to_owned());
                    let name = path.last().cloned().unwrap_or_default();
                    let scope = scope.clone();
                    file.imports.push(Import { scope, path, name, line, is_use: false, is_public: false });
                }
                _ if is_word(text) => {
                    file.words.insert(text.to_owned());
                    let before = |n: usize| if i >= n { word(&tokens, i - n) } else { "" };
                    // An attribute such as `#[sea_orm(…)]` names its crate.
                    if before(1) == "[" && before(2) == "#" {
                        let (scope, path, name) = (scope.clone(), vec![text.to_owned()], text.to_owned());
                        let line = tokens[i].line;
                        file.imports.push(Import { scope, path, name, line, is_use: false, is_public: false });
                    }
                    let is_type = matches!(text, "struct" | "enum" | "trait" | "type" | "const" | "static" | "union");
                    if is_type || text == "fn" && depth == 0 {
                        file.items.insert(next.to_owned());
                    }
                    if text == "macro_rules" && before(1) == "]" && before(2) == "macro_export" {
                        file.root_macros.push(word(&tokens, i + 2).to_owned());
                    }
                }
                _ => {}
            }
            i += 1;
        }
        file
    }

    fn room(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

/// The sources by module, and how paths lead from one to another.
struct Tree {
    files: BTreeMap<Vec<String>, File>,
    /// The module whose file defines a macro of the crate's root.
    root_macros: BTreeMap<String, Vec<String>>,
}

impl Tree {
    fn read<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = Self { files: BTreeMap::new(), root_macros: BTreeMap::new() };
        for (path, source) in sources {
            let file = File::read(path, source);
            for name in &file.root_macros {
                tree.root_macros.insert(name.clone(), file.module.clone());
            }
            tree.files.insert(file.module.clone(), file);
        }
        tree
    }

    fn imports(&self) -> impl Iterator<Item = (&File, &Import)> {
        self.files.values().flat_map(|file| file.imports.iter().map(move |import| (file, import)))
    }

    /// A path of ours from the crate's root; none when it is another crate's.
    fn path_of(&self, import: &Import) -> Option<Vec<String>> {
        let mut path = import.scope.clone();
        let mut rest = import.path.as_slice();
        match rest.first().map_or("", String::as_str) {
            // The command line is a crate of its own and calls ours by name.
            "crate" | "tillkeep" => {
                path.clear();
                rest = &rest[1..];
            }
            "self" | "super" => {
                while let Some((first, tail)) = rest.split_first() {
                    match first.as_str() {
                        "self" => {}
                        "super" => {
                            path.pop();
                        }
                        _ => break,
                    }
                    rest = tail;
                }
            }
            // A module may name its own children without `self`.
            first => {
                let child: Vec<String> = path.iter().cloned().chain([first.to_owned()]).collect();
                if !self.files.contains_key(&child) {
                    return None;
                }
            }
        }
        path.extend(rest.iter().cloned());
        if let Some(module) = path.first().and_then(|name| self.root_macros.get(name)) {
            path = module.iter().cloned().chain(path).collect();
        }
        Some(path)
    }

    /// The name a path begins with, a crate's or a type's; none when the path is ours.
    fn crate_of<'i>(&self, import: &'i Import) -> Option<&'i str> {
        if self.path_of(import).is_some() {
            return None;
        }
        import.path.iter().map(String::as_str).find(|part| *part != "::")
    }

    /// The file a path leads into, and what is left of the path there.
    fn enter<'t, 'p>(&'t self, path: &'p [String]) -> Option<(&'t File, &'p [String])> {
        (1..=path.len()).rev().find_map(|n| self.files.get(&path[..n]).map(|file| (file, &path[n..])))
    }

    /// The file that holds what a path names, followed through re-exports.
    fn home(&self, path: &[String]) -> Option<&File> {
        let mut path = path.to_vec();
        // More hops than any honest chain of re-exports has.
        for _ in 0..8 {
            let (file, rest) = self.enter(&path)?;
            let Some(name) = rest.first() else { return Some(file) };
            let Some(next) = self.passed_on(file, name) else { return Some(file) };
            path = next;
        }
        self.enter(&path).map(|(file, _)| file)
    }

    /// Where a file has a name from when it is not its own.
    fn passed_on(&self, file: &File, name: &str) -> Option<Vec<String>> {
        let uses: Vec<&Import> = file.imports.iter().filter(|i| i.is_use && i.scope == file.module).collect();
        if let Some(import) = uses.iter().find(|i| i.name == name) {
            return self.path_of(import);
        }
        if file.items.contains(name) {
            return None;
        }
        uses.iter().filter(|i| i.name == "*").find_map(|import| {
            let mut path = self.path_of(import)?;
            let (target, rest) = self.enter(&path)?;
            let holds_it = rest.is_empty() && target.items.contains(name);
            path.push(name.to_owned());
            holds_it.then_some(path)
        })
    }

    /// Whether an import only hands on what belongs to a file's own children: the face of a folder,
    /// on which nothing in the file itself depends.
    fn is_face(&self, file: &File, import: &Import, path: &[String]) -> bool {
        if !import.is_public || path.len() <= file.module.len() || !path.starts_with(&file.module) {
            return false;
        }
        if import.name != "*" {
            return !file.words.contains(&import.name);
        }
        self.enter(path).is_none_or(|(target, _)| target.items.is_disjoint(&file.words))
    }

    /// The files of its own room that a file depends on.
    fn links(&self, file: &File) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for import in &file.imports {
            let Some(path) = self.path_of(import) else { continue };
            if self.is_face(file, import, &path) {
                continue;
            }
            if let Some(target) = self.home(&path)
                && target.room() == file.room()
                && target.path != file.path
            {
                found.insert(target.path.as_str());
            }
        }
        found
    }
}

fn at(file: &File, import: &Import) -> String {
    format!("src/{}:{} names {}", file.path, import.line, import.path.join("::"))
}

// The rules. Each gives what is wrong, one line each.

/// The place of a room in the order; rings share one.
fn rank(room: &str) -> Option<usize> {
    if RINGS.contains(&room) {
        return Some(LINE.len());
    }
    match room {
        "app" => Some(LINE.len() + 1),
        "main" => Some(LINE.len() + 2),
        _ => LINE.iter().position(|r| *r == room),
    }
}

/// Why one room may not import another.
fn why_not(from: &str, to: &str) -> Option<&'static str> {
    if from == to {
        return None;
    }
    match (from, to) {
        ("lib", _) => Some("lib.rs only declares the rooms"),
        ("config", "kernel") | ("app" | "main", "config") => None,
        ("config", _) => Some("config imports the kernel and nothing else"),
        (_, "config") => Some("only main.rs and app know the settings; hand the value in"),
        _ => match (rank(from), rank(to)) {
            (Some(from), Some(to)) if to < from => None,
            (Some(from), Some(to)) if to == from => {
                Some("rings do not import each other; what they share belongs to a room")
            }
            (Some(_), Some(_)) => {
                Some("rooms import only to the left; let the room above observe, or hand the value in")
            }
            _ => Some("no such room; give it its place in DESIGN §3 and in LINE"),
        },
    }
}

fn wrong_directions(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (file, import) in tree.imports() {
        let Some(path) = tree.path_of(import) else { continue };
        let Some(to) = path.first() else { continue };
        if to.starts_with('$') && file.path == NAMES_ROOMS_BY_MACRO {
            continue;
        }
        if let Some(why) = why_not(file.room(), to) {
            found.push(format!("{}: {why}", at(file, import)));
        }
    }
    found
}

/// Circles between the files of one room. `entity` and `graphql` are flat rings: tables and types
/// point both ways by nature, in `graphql` from folder to folder.
fn circles(tree: &Tree) -> Vec<String> {
    let mut graph = BTreeMap::new();
    for file in tree.files.values().filter(|f| f.room() != "entity") {
        let mut links = tree.links(file);
        if file.room() == "graphql" {
            links.retain(|to| folder(to) == folder(&file.path));
        }
        graph.insert(file.path.as_str(), links);
    }
    let (mut found, mut told) = (Vec::new(), BTreeSet::new());
    for start in graph.keys().copied() {
        if told.contains(start) {
            continue;
        }
        if let Some(circle) = shortest_circle(&graph, start) {
            told.extend(circle.iter().copied());
            found.push(format!("{}: move what both need into a file of its own", circle.join(" -> ")));
        }
    }
    found
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The shortest way from a file back to itself, both ends named.
fn shortest_circle<'a>(graph: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&'a str, &'a str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for next in graph.get(file).into_iter().flatten().copied() {
            if next == start {
                let (mut circle, mut step) = (vec![start], file);
                while step != start {
                    circle.push(step);
                    step = came_from[step];
                }
                circle.push(start);
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    None
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_store(name: &str) -> bool {
    name == "store" || name.ends_with("_store")
}

/// The ORM and the tables, named outside `entity/`, `db/` and the stores.
fn storage_leaks(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (file, import) in tree.imports() {
        let name = file_name(&file.path).trim_end_matches(".rs");
        if matches!(file.room(), "entity" | "db") || is_store(name) {
            continue;
        }
        let is_table = tree.path_of(import).is_some_and(|p| p.first().is_some_and(|room| room == "entity"));
        if is_table || tree.crate_of(import).is_some_and(|name| STORAGE.contains(&name)) {
            found.push(format!("{}: only entity/, db/ and store.rs files do; ask the room's store", at(file, import)));
        }
    }
    found
}

/// Foreign crates named away from home.
fn strayed_crates(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (file, import) in tree.imports() {
        let Some(name) = tree.crate_of(import) else { continue };
        let Some((_, homes)) = HOMES.iter().find(|(home, _)| *home == name) else { continue };
        if !homes.iter().any(|home| file.path == *home || home.ends_with('/') && file.path.starts_with(*home)) {
            found.push(format!("{}: {name} is named only in {}", at(file, import), homes.join(", ")));
        }
    }
    found
}

/// Models and rules that reach for storage, a use case or the time instead of being given facts.
fn impure(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (file, import) in tree.imports() {
        if !matches!(file_name(&file.path), "model.rs" | "rules.rs") && !file.path.contains("/rules/") {
            continue;
        }
        let end = |n: usize| import.path.len().checked_sub(n).map_or("", |i| import.path[i].as_str());
        let mut reached = None;
        if end(1) == "now" && matches!(end(2), "Utc" | "Local" | "SystemTime" | "Instant") {
            reached = Some("the time");
        }
        if let Some(mut path) = tree.path_of(import) {
            // What is re-exported counts as what it is.
            path.extend(tree.home(&path).into_iter().flat_map(|home| home.module.iter().cloned()));
            for part in path.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str())) {
                match part {
                    ("db", _) => reached = Some("the database"),
                    ("kernel", "clock") => reached = Some("the clock"),
                    (_, "service") => reached = Some("a use case"),
                    (_, name) if is_store(name) => reached = Some("a store"),
                    _ => {}
                }
            }
        }
        if let Some(what) = reached {
            found.push(format!("{}: models and rules are pure and are given facts, not {what}", at(file, import)));
        }
    }
    found
}

fn too_long(tree: &Tree) -> Vec<String> {
    let mut files: Vec<&File> = tree.files.values().filter(|f| f.lines > MAX_LINES).collect();
    files.sort_by_key(|f| std::cmp::Reverse(f.lines));
    let said =
        |f: &&File| format!("src/{} has {} lines: split it by what it answers, at most {MAX_LINES}", f.path, f.lines);
    files.iter().map(said).collect()
}

// The rules on our own sources.

fn collect(folder: &Path, below: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), found);
        } else if path.ends_with(".rs") {
            found.push((path, fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

fn ours() -> Tree {
    let mut sources = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), "", &mut sources);
    Tree::read(sources.iter().map(|(path, source)| (path.as_str(), source.as_str())))
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "DESIGN §3 is broken in {} places:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn the_sources_are_read_at_all() {
    let tree = ours();
    for path in ["lib.rs", "main.rs", "config.rs", "app/mod.rs", "planning/store.rs", "planning/rules/due.rs"] {
        let file = tree.files.get(&module_of(path));
        assert_eq!(file.map(|f| f.path.as_str()), Some(path));
        assert!(path == "lib.rs" || file.is_some_and(|f| !f.imports.is_empty()), "{path} seems to import nothing");
    }
}

#[test]
fn rooms_import_only_to_the_left() {
    assert_none(&wrong_directions(&ours()));
}

#[test]
fn no_room_has_a_circle() {
    assert_none(&circles(&ours()));
}

#[test]
fn only_stores_name_the_orm_and_the_tables() {
    assert_none(&storage_leaks(&ours()));
}

#[test]
fn foreign_crates_stay_at_home() {
    assert_none(&strayed_crates(&ours()));
}

#[test]
fn models_and_rules_are_pure() {
    assert_none(&impure(&ours()));
}

#[test]
fn no_file_is_too_long_to_read() {
    assert_none(&too_long(&ours()));
}

// The rules on small examples, so that a blind rule is noticed.

type Rule = fn(&Tree) -> Vec<String>;

/// What a rule says about files that are right but for the first.
fn says(rule: Rule, path: &str, source: &str) -> Vec<String> {
    let beside = [
        ("kernel/clock.rs", "pub trait Clock {}"),
        ("kernel/code.rs", "#[macro_export]\nmacro_rules! code_enum { () => {}; }"),
        ("db/mod.rs", "pub mod error;\npub use error::StoreError;"),
        ("db/error.rs", "pub enum StoreError {}"),
        ("registry/mod.rs", "pub mod model;\npub mod service;\npub use service::RegistryService;"),
        ("registry/model.rs", "pub struct Device;"),
        ("registry/service.rs", "pub struct RegistryService;"),
    ];
    let others = beside.into_iter().filter(|(p, _)| *p != path);
    rule(&Tree::read(others.chain([(path, source)])))
}

fn refused(rule: Rule, path: &str, source: &str) {
    let said = says(rule, path, source);
    assert_eq!(said.len(), 1, "{path} should be refused once:\n{source}\nsaid: {said:?}");
    assert!(said[0].contains(path), "{} should name {path}", said[0]);
}

fn passes(rule: Rule, path: &str, source: &str) {
    assert_eq!(says(rule, path, source), Vec::<String>::new(), "{path} should pass:\n{source}");
}

#[test]
fn an_import_to_the_right_is_seen_however_it_is_written() {
    for source in [
        "use crate::planning::model::Plan;",
        "use crate::{\n    db::{self, Db},\n    planning::{model as m},\n};",
        "pub use crate::planning::Error;",
        "pub(crate) use crate::planning::Error;",
        "use super::super::planning::*;",
        "use self::super::super::planning::model;",
        "mod tests {\n    use super::super::super::planning::model;\n}",
        "fn due() -> u8 {\n    crate::planning::rules::due()\n}",
        "fn due() -> u8 {\n    super::super::planning::rules::due()\n}",
        "macro_rules! due { () => { $crate::planning::due() }; }",
        "#[graphql(remote = \"crate::planning::model::Kind\")]\nenum Kind {}",
        "/* a /* nested */ comment */ use crate::planning::model;",
        "const QUOTE: char = '\"'; use crate::planning::model; const OTHER: char = '\"';",
        "fn f<'a>(x: &'a str) -> char { let _ = r#\"\"\"#; crate::planning::of(x, '\\'') }",
    ] {
        refused(wrong_directions, "registry/service.rs", source);
    }
}

#[test]
fn what_only_looks_like_an_import_passes() {
    for source in [
        "// use crate::planning::model;",
        "//! See [`crate::planning::model`].",
        "/* use crate::planning::model; */",
        "const HELP: &str = \"use crate::planning::model;\";",
        "const HELP: &str = r#\"a \" use crate::planning::model;\"#;",
        "pub(in crate::registry) fn f() {}",
        "use serde::planning::x;",
        "fn f() -> impl Sized + use<> { g.planning::<u8>() }",
    ] {
        passes(wrong_directions, "registry/service.rs", source);
    }
}

#[test]
fn each_room_reaches_what_stands_left_of_it() {
    for (path, source) in [
        ("db/tx.rs", "use crate::entity::lease;\nuse crate::kernel::clock::Clock;"),
        ("visits/service.rs", "use crate::planning::store;\nuse super::super::firmware::model;"),
        ("visits/model.rs", "use crate::code_enum;\nuse super::error::Error;"),
        ("graphql/node.rs", "use crate::visits::model;\nuse crate::reports::model;"),
        ("app/mod.rs", "use crate::config::Config;\nuse crate::graphql::schema;\nuse crate::jobs::Jobs;"),
        ("main.rs", "use tillkeep::{app::App, config::Config, seeding};"),
        ("config.rs", "use crate::kernel::clock::Clock;\nuse config::Environment;"),
        ("lib.rs", "pub mod kernel;"),
        ("graphql/errors.rs", "macro_rules! from { ($room:ident) => { crate::$room::Error }; }"),
    ] {
        passes(wrong_directions, path, source);
    }
}

#[test]
fn each_wrong_direction_is_refused() {
    for (path, source) in [
        ("kernel/ids.rs", "use crate::entity::device;"),
        ("entity/device.rs", "use crate::db::Db;"),
        ("firmware/service.rs", "use crate::planning::model;"),
        ("planning/service.rs", "use crate::visits::model;"),
        ("visits/service.rs", "use crate::graphql::node;"),
        ("jobs/mod.rs", "use crate::seeding::demo;"),
        ("seeding/mod.rs", "use crate::ingest::csv;"),
        ("graphql/node.rs", "use crate::jobs::Jobs;"),
        ("graphql/node.rs", "use crate::app::App;"),
        ("ingest/mod.rs", "use crate::graphql::scalars;"),
        ("app/mod.rs", "use crate::main;"),
        ("jobs/mod.rs", "use crate::config::Config;"),
        ("config.rs", "use crate::db::Db;"),
        ("lib.rs", "pub use crate::kernel::clock;"),
        ("kernel/calendar.rs", "use crate::code_enums;"),
        ("jobs/mod.rs", "use crate::utils::helper;"),
        ("usage/error.rs", "macro_rules! from { ($room:ident) => { crate::$room::Error }; }"),
    ] {
        refused(wrong_directions, path, source);
    }
}

#[test]
fn a_circle_is_refused_and_named() {
    let tree = |sources: &[(&'static str, &'static str)]| circles(&Tree::read(sources.iter().copied()));
    let three = tree(&[
        ("usage/a.rs", "use super::b::B;\npub struct A;"),
        ("usage/b.rs", "fn f() { crate::usage::c::g() }\npub struct B;"),
        ("usage/c.rs", "use crate::usage::{a::A};\npub fn g() {}"),
        ("usage/d.rs", "use super::a::A;"),
    ]);
    assert_eq!(three.len(), 1, "{three:?}");
    assert!(three[0].starts_with("usage/a.rs -> usage/b.rs -> usage/c.rs -> usage/a.rs:"), "{}", three[0]);
    for (name, sources) in [
        (
            "a parent that uses its child",
            [("usage/mod.rs", "mod a;\nuse a::A;\npub struct Own;"), ("usage/a.rs", "use super::Own;\npub struct A;")],
        ),
        (
            "a parent that calls its child",
            [
                ("usage/mod.rs", "mod a;\nfn f() { a::g() }\npub struct Own;"),
                ("usage/a.rs", "use super::*;\npub fn g() {}"),
            ],
        ),
        (
            "a parent that hands on what it uses",
            [
                ("usage/mod.rs", "mod a;\npub use a::A;\npub struct Own(A);"),
                ("usage/a.rs", "use super::Own;\npub struct A;"),
            ],
        ),
        (
            "a parent that hands on everything and uses some",
            [("usage/mod.rs", "pub use a::*;\npub struct Own(A);"), ("usage/a.rs", "use super::Own;\npub struct A;")],
        ),
        (
            "two files of one folder of the graphql ring",
            [("graphql/usage/types.rs", "use super::inputs::I;"), ("graphql/usage/inputs.rs", "use super::types::T;")],
        ),
    ] {
        let said = tree(&sources);
        assert_eq!(said.len(), 1, "{name} is a circle: {said:?}");
    }
}

#[test]
fn what_only_points_both_ways_passes() {
    for (name, sources) in [
        ("a line", [("usage/a.rs", "use super::b::B;"), ("usage/b.rs", "pub struct B;")]),
        (
            "a folder's face",
            [
                ("usage/mod.rs", "mod a;\npub use a::A;\npub struct Own;"),
                ("usage/a.rs", "use super::Own;\npub struct A;"),
            ],
        ),
        (
            "a folder's face with everything",
            [
                ("usage/mod.rs", "mod a;\npub use a::*;\npub struct Own;"),
                ("usage/a.rs", "use super::Own;\npub struct A;"),
            ],
        ),
        ("a test module", [("usage/a.rs", "mod tests { use super::*; }"), ("usage/b.rs", "use super::a::A;")]),
        ("two tables", [("entity/a.rs", "use super::b::B;"), ("entity/b.rs", "use super::a::A;")]),
        (
            "two folders of the graphql ring",
            [
                ("graphql/a/types.rs", "use crate::graphql::b::types::B;"),
                ("graphql/b/types.rs", "use crate::graphql::a::types::A;"),
            ],
        ),
    ] {
        assert_eq!(circles(&Tree::read(sources)), Vec::<String>::new(), "{name} is no circle");
    }
}

#[test]
fn what_a_face_hands_on_is_followed_to_its_file() {
    let said = circles(&Tree::read([
        ("usage/mod.rs", "pub use service::Service;"),
        ("usage/service.rs", "use super::store::load;\npub struct Service;"),
        ("usage/store.rs", "use crate::usage::Service;\npub fn load() {}"),
    ]));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("usage/service.rs -> usage/store.rs -> usage/service.rs:"), "{}", said[0]);
}

#[test]
fn storage_outside_the_stores_is_refused() {
    for source in [
        "use sea_orm::EntityTrait;",
        "use sea_orm as orm;",
        "use ::sqlx::query;",
        "fn f() { sqlx::query(\"\") }",
        "#[sea_orm(table_name = \"x\")]\nstruct X;",
        "use crate::entity::device;",
        "fn f() { super::super::super::entity::device::load() }",
    ] {
        refused(storage_leaks, "visits/service/late.rs", source);
        for path in ["visits/store.rs", "registry/file_store.rs", "db/lease.rs", "entity/device.rs"] {
            passes(storage_leaks, path, source);
        }
    }
    passes(storage_leaks, "visits/service.rs", "use crate::db::Db;\nfn f(entity: u8, sqlx: u8) { g(entity, sqlx) }");
    refused(storage_leaks, "visits/stores.rs", "use sea_orm::EntityTrait;");
}

#[test]
fn a_strayed_crate_is_refused() {
    for (path, source) in [
        ("planning/model.rs", "#[derive(async_graphql::Enum)]\nenum Kind {}"),
        ("app/mod.rs", "use async_graphql::Schema;"),
        ("graphql/schema.rs", "use axum::Router;"),
        ("app/mod.rs", "use clap::Parser;"),
        ("config.rs", "#[clap(long)]\nstruct X;"),
        ("planning/rules/due.rs", "fn f() { cron::Schedule::from_str(\"\") }"),
        ("jobs/mod.rs", "use {std::fmt, cron::Schedule};"),
    ] {
        refused(strayed_crates, path, source);
    }
    for (path, source) in [
        ("graphql/planning/types.rs", "use async_graphql::Object;"),
        ("app/http.rs", "use async_graphql::Request;\nuse axum::Router;"),
        ("main.rs", "use clap::Parser;\nfn f() { axum::serve() }"),
        ("kernel/calendar/grid.rs", "use cron::Schedule;"),
        ("planning/model.rs", "enum Trigger { Fixed { cron: String } }\nfn f(cron: &str) { g(cron) }"),
    ] {
        passes(strayed_crates, path, source);
    }
}

#[test]
fn a_model_or_rule_that_reaches_out_is_refused() {
    for source in [
        "use super::store;",
        "use crate::registry::file_store::Head;",
        "use crate::registry::service::CLOCK_SKEW;",
        "use crate::registry::RegistryService;",
        "use crate::db::stamp;",
        "use crate::db::{StoreError};",
        "use crate::kernel::clock::Clock;",
        "fn f() { Utc::now() }",
        "fn f() { std::time::Instant::now() }",
        "fn f() { super::super::registry::service::find() }",
    ] {
        for path in ["visits/rules.rs", "visits/model.rs"] {
            refused(impure, path, source);
        }
        passes(impure, "visits/service.rs", source);
    }
    refused(impure, "visits/rules/late.rs", "use crate::visits::store;");
    for source in [
        "use super::error::Error;\nuse crate::registry::model::Device;",
        "use crate::kernel::calendar::Grid;\nfn f(now: DateTime<Utc>, store: u8) { g(now, store) }",
    ] {
        passes(impure, "visits/rules.rs", source);
    }
    passes(impure, "visits/error.rs", "use crate::db::StoreError;");
}

#[test]
fn a_file_of_more_than_a_thousand_lines_is_refused() {
    refused(too_long, "visits/service.rs", &"\n".repeat(MAX_LINES + 1));
    passes(too_long, "visits/service.rs", &"\n".repeat(MAX_LINES));
}

//! What the documents name exists: files, `make` targets, commands of `tillkeep`, and the pages
//! they link to. If you are here because it failed: correct the document, not this test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a word has to begin with to be taken as a path of ours.
const FOLDERS: [&str; 8] = ["src/", "docs/", "seeds/", "tests/", "scripts/", "migrations/", "benches/", "web/"];

fn read(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(ROOT).join(path)).ok()
}

/// The documents that are there, by path.
fn documents() -> Vec<(String, String)> {
    let mut paths = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
    collect("docs", &mut paths);
    paths.sort();
    paths.into_iter().filter_map(|path| read(&path).map(|text| (path, text))).collect()
}

fn collect(folder: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(Path::new(ROOT).join(folder)) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&path, found);
        } else if path.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The code of a page with its lines: what stands in backticks, and each line of a fenced block.
fn code(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (mut prose, mut is_fenced) = (String::new(), false);
    for (above, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced {
            found.push((above + 1, line.to_owned()));
        } else {
            prose.push_str(line);
        }
        prose.push('\n');
    }
    let mut from = 0;
    while let Some(open) = prose[from..].find('`').map(|at| from + at) {
        let ticks = run_of_ticks(&prose[open..]);
        let begin = open + ticks;
        // A wrapped line may stand between two backticks, a paragraph's end cannot.
        let limit = prose[begin..].find("\n\n").map_or(prose.len(), |at| begin + at);
        from = begin;
        if let Some(length) = closing(&prose[begin..limit], ticks) {
            let line = 1 + prose[..open].matches('\n').count();
            found.push((line, prose[begin..begin + length].replace('\n', " ")));
            from = begin + length + ticks;
        }
    }
    found
}

fn run_of_ticks(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'`').count()
}

/// Where just so many backticks stand.
fn closing(text: &str, ticks: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find('`').map(|at| from + at) {
        let run = run_of_ticks(&text[at..]);
        if run == ticks {
            return Some(at);
        }
        from = at + run;
    }
    None
}

/// The paths in a piece of code. Of `src/<room>/model.rs` only what comes before the `<`.
fn paths(code: &str) -> Vec<String> {
    let words = code.split(|c: char| c.is_whitespace() || "\"'`,;()[]|".contains(c));
    words
        .map(|word| word.trim_start_matches("./"))
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
        .map(|word| {
            // `src/main.rs:12` and `docs/glossary.md#meter` name their file.
            let path = word.split([':', '#']).next().unwrap_or(word);
            let open = path.find(['<', '{', '*', '$', '…']);
            let fixed = open.map_or(path, |at| path[..at].rsplit_once('/').map_or("", |(folder, _)| folder));
            fixed.trim_end_matches(['.', '/']).to_owned()
        })
        .collect()
}

/// Where the links of a page lead to inside the project, without their `#…`.
fn links(page: &str) -> Vec<String> {
    let ends = page.match_indices("](").filter_map(|(at, _)| page[at + 2..].split([')', ' ', '\n']).next());
    ends.filter(|to| !to.contains(':') && !to.starts_with('#'))
        .map(|to| to.split('#').next().unwrap_or(to).to_owned())
        .collect()
}

/// The commands in a piece of code, as words.
fn commands(code: &str) -> Vec<Vec<&str>> {
    code.split(['|', ';', '&', '·'])
        .map(|command| {
            let words = command.split_whitespace().take_while(|word| !word.starts_with('#'));
            words.skip_while(|word| *word == "$" || word.contains('=')).collect()
        })
        .collect()
}

/// The targets of a Makefile.
fn targets(makefile: &str) -> BTreeSet<&str> {
    let rules = makefile.lines().filter(|line| !line.starts_with(['\t', ' ', '#', '.']) && !line.contains('='));
    rules.filter_map(|line| line.split_once(':')).flat_map(|(names, _)| names.split_whitespace()).collect()
}

/// The commands that the command line's `enum Command` declares.
fn subcommands(main: &str) -> BTreeSet<String> {
    let (_, body) = main.split_once("enum Command {\n").expect("src/main.rs declares enum Command");
    let (body, _) = body.split_once("\n}").expect("enum Command ends");
    let variants = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    names.map(|line| kebab(line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(line))).collect()
}

/// `ImportAll` as clap calls it: `import-all`.
fn kebab(variant: &str) -> String {
    let mut name = String::new();
    for (place, c) in variant.chars().enumerate() {
        if c.is_ascii_uppercase() && place > 0 {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// What is wrong with a command, if it is one of ours.
fn wrong(command: &[&str], targets: &BTreeSet<&str>, subcommands: &BTreeSet<String>) -> Option<String> {
    match command {
        ["make", words @ ..] => {
            let named =
                words.iter().take_while(|word| !word.contains('=')).filter(|word| !word.starts_with(['-', '<']));
            named.copied().find(|word| !targets.contains(word)).map(|word| format!("the Makefile has no target {word}"))
        }
        ["cargo", "run", words @ ..] => {
            let ours = words.iter().position(|word| *word == "--").map_or(words.len(), |at| at + 1);
            wrong_subcommand(&words[ours..], subcommands)
        }
        [program, words @ ..] if *program == "tillkeep" || program.ends_with("/tillkeep") => {
            wrong_subcommand(words, subcommands)
        }
        _ => None,
    }
}

fn wrong_subcommand(words: &[&str], subcommands: &BTreeSet<String>) -> Option<String> {
    let is_known = |word: &str| subcommands.contains(word) || word == "help";
    let first = words.first()?.trim_end_matches(['.', ',', ':', ')']);
    // `tillkeep <command>` names none; `tillkeep --config FILE serve` names its command later.
    if is_known(first) || first.is_empty() || first.starts_with(['<', '[', '{', '…', '$']) {
        return None;
    }
    if first.starts_with('-') {
        let says_which =
            words.iter().any(|word| is_known(word) || matches!(*word, "--help" | "--version" | "-h" | "-V"));
        return (!says_which).then(|| format!("tillkeep {first} … names no command"));
    }
    Some(format!("tillkeep has no command {first}"))
}

#[test]
fn the_documents_that_everyone_reads_first_are_there() {
    for (path, purpose) in [
        ("README.md", "what tillkeep is, how to run it, where to read on"),
        ("CHANGELOG.md", "what changed for users, newest first"),
    ] {
        assert!(read(path).is_some_and(|text| !text.trim().is_empty()), "write {path}: {purpose}");
    }
}

#[test]
fn every_path_and_command_in_the_documents_exists() {
    let (makefile, main) = (read("Makefile").unwrap_or_default(), read("src/main.rs").unwrap_or_default());
    let (targets, subcommands) = (targets(&makefile), subcommands(&main));
    let mut problems = Vec::new();
    for (document, page) in documents() {
        for (line, code) in code(&page) {
            for path in paths(&code).into_iter().filter(|path| !Path::new(ROOT).join(path).exists()) {
                problems.push(format!("{document}:{line}: {path} is not there"));
            }
            for command in commands(&code) {
                problems.extend(wrong(&command, &targets, &subcommands).map(|why| format!("{document}:{line}: {why}")));
            }
        }
    }
    assert!(problems.is_empty(), "correct the documents:\n{}", problems.join("\n"));
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let mut problems = Vec::new();
    for (document, page) in documents() {
        let folder = Path::new(ROOT).join(&document).parent().expect("a document stands in a folder").to_owned();
        for to in links(&page).into_iter().filter(|to| !folder.join(to).exists()) {
            problems.push(format!("{document}: {to} is not there"));
        }
    }
    assert!(problems.is_empty(), "correct the links:\n{}", problems.join("\n"));
}

// The checks on small examples, so that a blind one is noticed.

#[test]
fn code_is_found_in_backticks_and_in_blocks() {
    let page = "Run `make run`, then ``a ` b``.\n\n```sh\nmake test\n```\n\n\
                A `path that\nwraps` and a lone ` here.\n\nAnd `c`.\n";
    let mut found = code(page);
    found.sort();
    let expected = [(1_usize, "a ` b"), (1, "make run"), (4, "make test"), (7, "path that wraps"), (10, "c")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}

#[test]
fn paths_are_told_from_other_words() {
    for (code, expected) in [
        ("src/planning/rules/due.rs", vec!["src/planning/rules/due.rs"]),
        (
            "see ./scripts/test, (docs/glossary.md#meter) and src/main.rs:12.",
            vec!["scripts/test", "docs/glossary.md", "src/main.rs"],
        ),
        ("tests/it/<capability>/<rule>.rs", vec!["tests/it"]),
        ("src/{app,graphql}/", vec!["src"]),
        ("seeds/*.json", vec!["seeds"]),
        ("seeds/", vec!["seeds"]),
        ("target/release/tillkeep and /etc/tests/x and make docs", vec![]),
    ] {
        assert_eq!(paths(code), expected, "{code}");
    }
}

#[test]
fn links_inside_the_project_are_told_from_others() {
    let page = "[a](docs/a.md) [b](../b.md#part \"title\") [c](https://example.org/c) [d](#d) ![e](e.svg)";
    assert_eq!(links(page), ["docs/a.md", "../b.md", "e.svg"]);
}

#[test]
fn targets_and_subcommands_are_read_from_their_sources() {
    let makefile = "# help: none\n.PHONY: run test\nARGS := --x:y\n\nrun test: build\n\techo run: it\nlint:\n";
    assert_eq!(targets(makefile), BTreeSet::from(["run", "test", "lint"]));
    let main = "enum Other {\n    No,\n}\n\
                enum Command {\n    /// Serve\n    Serve {\n        /// Where\n        bind: Option<String>,\n    },\n\
                \x20   #[command]\n    ImportAll,\n    Take(What),\n}\n\
                enum Last {\n    Never,\n}\n";
    assert_eq!(subcommands(main), BTreeSet::from(["serve", "import-all", "take"].map(str::to_owned)));
}

#[test]
fn the_command_line_is_read_at_all() {
    let commands = subcommands(&read("src/main.rs").expect("src/main.rs"));
    for command in ["serve", "demo", "migrate", "seed", "import", "plan", "verify", "schema", "config"] {
        assert!(commands.contains(command), "{command} is promised in API.md");
    }
    let makefile = read("Makefile").expect("Makefile");
    assert!(targets(&makefile).is_superset(&BTreeSet::from(["run", "test", "lint", "bench"])));
}

#[test]
fn a_command_that_is_not_there_is_seen() {
    let (targets, subcommands) =
        (BTreeSet::from(["run", "test"]), BTreeSet::from(["serve".to_owned(), "import".to_owned()]));
    let said = |code: &str| -> Vec<String> {
        commands(code).iter().filter_map(|command| wrong(command, &targets, &subcommands)).collect()
    };
    for code in [
        "make run ARGS=\"--devices 2000\"",
        "$ CARGO_TERM_COLOR=never make test   # all of them",
        "tillkeep",
        "tillkeep <command>",
        "tillkeep import merchants|sites FILE",
        "tillkeep --config x.toml serve",
        "tillkeep --version",
        "tillkeep.toml",
        "cargo run --release -- serve --bind 127.0.0.1:9000",
        "cargo run",
        "make run && make test",
    ] {
        assert_eq!(said(code), Vec::<String>::new(), "{code}");
    }
    for code in [
        "make build",
        "make test build",
        "make run && make build",
        "tillkeep forecast FILE",
        "./target/release/tillkeep start",
        "tillkeep --config x.toml start",
        "cargo run -- start",
        "curl x | tillkeep start",
    ] {
        assert_eq!(said(code).len(), 1, "{code}: {:?}", said(code));
    }
}

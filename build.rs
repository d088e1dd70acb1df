//! Makes the query page: its files go to `OUT_DIR/page`, their list to `OUT_DIR/page_assets.rs`.
//!
//! With npm at hand the page is GraphiQL, bundled from its packages; otherwise, and whenever
//! anything about that goes wrong, it is the small page of `web/fallback`. A missing or broken npm
//! never fails the build. `TILLKEEP_PAGE=small` skips npm altogether.
#![allow(clippy::disallowed_methods, reason = "cargo speaks to a build script through the environment")]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// What the page is made of, under `web/`; a change to any of it makes the page again.
const SOURCES: [&str; 9] = [
    "src",
    "fallback",
    "index.html",
    "icon.svg",
    "examples.json",
    "build.mjs",
    "package.json",
    "package-lock.json",
    ".npmrc",
];

/// How long npm and the bundler may take together: 90 s of 100 ms looks.
const LOOKS: u32 = 900;
const LOOK: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let web = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").ok_or("no CARGO_MANIFEST_DIR")?).join("web");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("no OUT_DIR")?);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=TILLKEEP_PAGE");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", web.join(source).display());
    }

    let page = out.join("page");
    let is_small = std::env::var_os("TILLKEEP_PAGE").is_some_and(|v| v == "small");
    let made = if is_small { Ok(false) } else { graphiql(&web, &out, &page) };
    if !matches!(made, Ok(true)) {
        if let Err(problem) = made {
            println!("cargo::warning=GraphiQL could not be bundled, so the page at / is the small one: {problem}");
            println!("cargo::warning=`make page` tries again; TILLKEEP_PAGE=small asks for the small one");
        }
        clear(&page)?;
        copy(&web.join("fallback"), &page)?;
        for shared in ["examples.json", "icon.svg"] {
            fs::copy(web.join(shared), page.join(shared))?;
        }
    }
    fs::write(out.join("page_assets.rs"), listing(&page)?)?;
    Ok(())
}

/// Puts GraphiQL into `page`; false when there is no npm.
fn graphiql(web: &Path, out: &Path, page: &Path) -> Result<bool, Box<dyn Error>> {
    let dist = web.join("dist");
    if let Ok(built) = newest(&dist.join("index.html")) {
        let mut is_current = true;
        for source in SOURCES {
            is_current &= newest(&web.join(source))? <= built;
        }
        if is_current {
            clear(page)?;
            copy(&dist, page)?;
            return Ok(true);
        }
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let mut version = Command::new(npm);
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().is_ok_and(|s| s.success()) {
        return Ok(false);
    }
    // In a copy, so that the source tree stays clean and two builds do not meet.
    let work = out.join("web");
    let made = bundle(npm, web, &work, &out.join("page.log"), page);
    fs::remove_dir_all(&work)?;
    made.map(|()| true)
}

/// Installs the packages in `work` and bundles them into `page`.
fn bundle(npm: &str, web: &Path, work: &Path, log: &Path, page: &Path) -> Result<(), Box<dyn Error>> {
    clear(work)?;
    for source in SOURCES {
        let (from, to) = (web.join(source), work.join(source));
        if from.is_dir() { copy(&from, &to)? } else { fs::copy(&from, &to).map(|_| ())? }
    }
    let mut looks = LOOKS;
    // Few retries: without the internet the small page should not keep anyone waiting.
    let few = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"];
    let mut install = Command::new(npm);
    install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).args(few);
    run(&mut install, work, log, &mut looks)?;
    clear(page)?;
    run(Command::new("node").arg("build.mjs").arg(page), work, log, &mut looks)
}

/// Runs a command in `folder`, its output going to `log`, for as long as there are looks left.
fn run(command: &mut Command, folder: &Path, log: &Path, looks: &mut u32) -> Result<(), Box<dyn Error>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let written = fs::File::create(log)?;
    let mut child = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(written.try_clone()?)
        .stderr(written)
        .spawn()
        .map_err(|e| format!("{name} does not start: {e}"))?;
    loop {
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(()) } else { Err(format!("{name} failed, see {}", log.display()).into()) };
        }
        if *looks == 0 {
            child.kill()?;
            child.wait()?;
            return Err(format!("{name} took longer than {} s", LOOKS / 10).into());
        }
        *looks -= 1;
        sleep(LOOK);
    }
}

/// The latest change of a file, or of any file in a folder.
fn newest(path: &Path) -> Result<SystemTime, Box<dyn Error>> {
    let mut latest = fs::metadata(path)?.modified()?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            latest = latest.max(newest(&entry?.path())?);
        }
    }
    Ok(latest)
}

/// Makes `folder` an empty folder.
fn clear(folder: &Path) -> Result<(), Box<dyn Error>> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// Copies the files of a folder; the page's folders are flat.
fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The Rust text that embeds the page.
fn listing(page: &Path) -> Result<String, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(page)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut text = String::from(
        "/// The files of the query page: name, media type, content.\npub static ASSETS: &[(&str, &str, &[u8])] = &[\n",
    );
    for name in names {
        let media_type = match name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("json") => "application/json",
            Some("svg") => "image/svg+xml",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        };
        let path = format!("/page/{name}");
        writeln!(text, "    ({name:?}, {media_type:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), {path:?}))),")?;
    }
    text.push_str("];\n");
    Ok(text)
}

//! The files under `seeds/` as data: what they name exists, what they count adds up, and no number
//! stands there without saying where it is from. That seeding twice adds nothing needs a database
//! and is tested in `tests/it`.

use chrono::{Datelike, NaiveDate};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use tillkeep::catalogue::model::{ComponentKind, FailureFamily, FailureMode, FailureOrigin, ReplaceableAt};
use tillkeep::kernel::calendar::{Grid, Period, parse_zone};
use tillkeep::registry::model::{DeviceStatus, SiteEnvironment};

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds");

/// The page that says what of the domain is left out, and why.
const NOT_LOADED: &str = "NOT_LOADED.md";

/// The maintenance plans of the domain collection the seeds are made from, by their codes there.
const DOMAIN_PLANS: [&str; 15] = [
    "PM-PREINST",
    "PM-CLEAN-READER",
    "PM-PRINT-HEAD",
    "PM-POWER",
    "PM-DISPLAY",
    "PM-ENV",
    "PM-BATTERY",
    "PM-TAMPER",
    "PM-FW",
    "PM-RESOURCE",
    "PM-COMMS",
    "PM-PATROL",
    "PM-DORMANT",
    "PM-DRILL",
    "PM-TRAIN",
];

/// Every file, by name.
fn files() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(SEEDS).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if name == NOT_LOADED {
            continue;
        }
        assert!(name.ends_with(".json"), "seeds/{name}: seeds are readable JSON; put anything else elsewhere");
        let text = fs::read_to_string(format!("{SEEDS}/{name}")).unwrap();
        let file = serde_json::from_str(&text).unwrap_or_else(|e| panic!("seeds/{name} cannot be read: {e}"));
        found.push((name, file));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn file(name: &str) -> Value {
    files().into_iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("seeds/{name} is missing")).1
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().unwrap_or_else(|| panic!("{key} is no list in {of}"))
}

fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {of}"))
}

fn texts<'a>(of: &'a Value, key: &str) -> Vec<&'a str> {
    list(of, key).iter().map(|v| v.as_str().unwrap_or_else(|| panic!("{key} holds {v}, which is no text"))).collect()
}

fn count(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_else(|| panic!("{key} is no count in {of}"))
}

fn number(of: &Value, key: &str) -> f64 {
    of[key].as_f64().unwrap_or_else(|| panic!("{key} is no number in {of}"))
}

fn numbers(of: &Value, key: &str) -> Vec<f64> {
    list(of, key).iter().map(|v| v.as_f64().unwrap_or_else(|| panic!("{key} holds {v}, which is no number"))).collect()
}

fn sum(of: &[Value], value: impl Fn(&Value) -> u64) -> u64 {
    of.iter().map(value).sum()
}

fn codes(of: &Value, key: &str) -> BTreeSet<String> {
    list(of, key).iter().map(|v| text(v, "code").to_owned()).collect()
}

fn assert_none(problems: &[String], what_to_do: &str) {
    assert!(problems.is_empty(), "{what_to_do}:\n{}", problems.join("\n"));
}

// Where numbers come from.

/// Whether a source says where a number is from: `SOURCED: …`, `SOURCED_LOW: …`, or `ASSUMED`
/// with or without more.
fn is_marked(source: &Value) -> bool {
    let Some(source) = source.as_str() else { return false };
    let (mark, rest) = source.split_once([':', ' ']).unwrap_or((source, ""));
    match mark {
        "ASSUMED" => true,
        "SOURCED" | "SOURCED_LOW" => !rest.trim().is_empty(),
        _ => false,
    }
}

/// Whether a pair of basis and source says it, as facts and rated lives do.
fn is_based(basis: &Value, source: &Value) -> bool {
    matches!(basis.as_str(), Some("ASSUMED" | "SOURCED" | "SOURCED_LOW"))
        && source.as_str().is_some_and(|s| !s.trim().is_empty())
}

/// Parts of a trigger about which the trigger's own source speaks.
const OF_A_TRIGGER: [&str; 2] = ["clauses", "guard"];

/// The numbers that do not say where they are from. They may say it beside them (`source`, or
/// `x_basis` and `x_source`), in the `sources` of their object, in the source of their trigger, or in
/// the file's `assumptions`.
fn unmarked(path: &str, value: &Value, assumptions: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let path = format!("{path}.{key}");
                let is_told_by_trigger = OF_A_TRIGGER.contains(&key.as_str())
                    && object.contains_key("kind")
                    && object.get("source").is_some_and(is_marked);
                if is_told_by_trigger {
                    continue;
                }
                if !inner.is_number() {
                    unmarked(&path, inner, assumptions, found);
                } else if !says_why(object, key) && !is_marked(&assumptions[key]) {
                    found.push(path);
                }
            }
        }
        Value::Array(values) => {
            for (place, inner) in values.iter().enumerate() {
                unmarked(&format!("{path}[{place}]"), inner, assumptions, found);
            }
        }
        Value::Number(_) => found.push(path.to_owned()),
        _ => {}
    }
}

fn says_why(object: &Map<String, Value>, key: &str) -> bool {
    let beside = |name: String| object.get(&name).unwrap_or(&Value::Null);
    is_marked(beside("source".to_owned()))
        || is_marked(&beside("sources".to_owned())[key])
        || is_based(beside(format!("{key}_basis")), beside(format!("{key}_source")))
}

/// Lists in which one code or date stands twice.
fn doubled(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                doubled(&format!("{path}.{key}"), inner, found);
            }
        }
        Value::Array(values) => {
            let mut seen = BTreeSet::new();
            for (place, inner) in values.iter().enumerate() {
                for key in ["code", "date"] {
                    if let Some(known) = inner.get(key).and_then(Value::as_str)
                        && !seen.insert(known)
                    {
                        found.push(format!("{path}[{place}].{key} is {known} again"));
                    }
                }
                doubled(&format!("{path}[{place}]"), inner, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_file_can_be_read_and_says_what_it_is() {
    let files = files();
    for name in [
        "demo.json",
        "device_models.json",
        "failure_codes.json",
        "holidays.json",
        "maintenance_plans.json",
        "meters.json",
    ] {
        assert!(files.iter().any(|(n, _)| n == name), "seeds/{name} is missing");
    }
    for (name, file) in &files {
        assert!(
            !text(file, "about").is_empty() && !text(file, "marks").is_empty(),
            "seeds/{name} needs about and marks"
        );
    }
}

#[test]
fn no_code_stands_twice_in_a_list() {
    let mut found = Vec::new();
    for (name, file) in files() {
        doubled(&name, &file, &mut found);
    }
    assert_none(&found, "seeding knows things by their code; give each its own");
}

#[test]
fn every_number_says_where_it_is_from() {
    let mut found = Vec::new();
    for (name, file) in files() {
        // The demo fleet is invented as a whole, and says so once.
        if name == "demo.json" {
            assert!(text(&file, "marks").starts_with("ASSUMED: every figure in this file"), "{name} says so no more");
            continue;
        }
        unmarked(&name, &file, &file["assumptions"], &mut found);
    }
    assert_none(&found, "add a source (SOURCED: where, SOURCED_LOW: where) or ASSUMED for");
}

#[test]
fn what_is_no_number_says_where_it_is_from_too() {
    let mut found = Vec::new();
    for meter in list(&file("meters.json"), "meters") {
        if !is_marked(&meter["source"]) {
            found.push(format!("meter {}", text(meter, "code")));
        }
    }
    for model in list(&file("device_models.json"), "models") {
        let code = text(model, "code");
        if !is_marked(&model["source"]) {
            found.push(format!("model {code}"));
        }
        for fact in list(model, "facts") {
            if !is_based(&fact["basis"], &fact["source"]) {
                found.push(format!("model {code}: {}", text(fact, "fact")));
            }
        }
        for part in list(model, "components") {
            if !matches!(text(part, "basis"), "ASSUMED" | "SOURCED" | "SOURCED_LOW") {
                found.push(format!("model {code}: component {}", text(part, "kind")));
            }
        }
    }
    for plan in list(&file("maintenance_plans.json"), "plans") {
        let code = text(plan, "code");
        for trigger in list(plan, "triggers") {
            if !is_marked(&trigger["source"]) {
                found.push(format!("plan {code}: trigger {}", text(trigger, "kind")));
            }
        }
        let covers = plan.get("covers").map(|_| "covers");
        for decided in ["priority", "channel", "steps"].into_iter().chain(covers) {
            if !is_marked(&plan["sources"][decided]) {
                found.push(format!("plan {code}: {decided}"));
            }
        }
        for blackout in plan["blackouts"].as_array().into_iter().flatten().chain(plan.get("season")) {
            if !is_marked(&blackout["source"]) {
                found.push(format!("plan {code}: from {} on", text(blackout, "from")));
            }
        }
        for note in list(plan, "steps").iter().flat_map(|s| s["model_notes"].as_array().into_iter().flatten()) {
            if !is_marked(&note["source"]) {
                found.push(format!("plan {code}: {}", text(&note["text"], "en")));
            }
        }
    }
    let failures = file("failure_codes.json");
    for kind in ["mechanisms", "causes", "remedies"] {
        for entry in list(&failures, kind) {
            if !is_marked(&entry["source"]) {
                found.push(format!("{kind}: {}", text(entry, "code")));
            }
        }
    }
    for failure in list(&failures, "codes") {
        if !is_based(&failure["basis"], &failure["source"]) {
            found.push(format!("failure {}", text(failure, "code")));
        }
    }
    for decided in ["mechanism", "mode", "origin", "is_remote_fixable", "causes", "remedies"] {
        if !is_marked(&failures["assumptions"][decided]) {
            found.push(format!("failures: {decided}"));
        }
    }
    for country in list(&file("holidays.json"), "countries") {
        for year in list(country, "years") {
            if !is_marked(&year["source"]) {
                found.push(format!("holidays of {} in {}", text(country, "country"), count(year, "year")));
            }
        }
    }
    assert_none(&found, "add a source (SOURCED: where, SOURCED_LOW: where) or ASSUMED for");
}

/// Meters a trigger or a step names, wherever in it.
fn named_meters<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                match (key.as_str(), inner) {
                    ("meter" | "numerator" | "denominator", Value::String(code)) => found.push(code),
                    _ => named_meters(inner, found),
                }
            }
        }
        Value::Array(values) => {
            for inner in values {
                named_meters(inner, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_meter_that_is_named_exists() {
    let known = codes(&file("meters.json"), "meters");
    let mut found = Vec::new();
    for model in list(&file("device_models.json"), "models") {
        let code = text(model, "code");
        let own: Vec<&str> = list(model, "meters").iter().map(|m| text(m, "meter")).collect();
        found.extend(own.iter().filter(|m| !known.contains(**m)).map(|m| format!("model {code}: {m}")));
        if own.iter().collect::<BTreeSet<_>>().len() < own.len() {
            found.push(format!("model {code} has one of its meters twice: {}", own.join(" ")));
        }
        // A part wears by what its own model counts.
        let worn = list(model, "components").iter().filter_map(|c| c["rated_meter"].as_str());
        found.extend(worn.filter(|m| !own.contains(m)).map(|m| format!("model {code}: a component is rated by {m}")));
    }
    for plan in list(&file("maintenance_plans.json"), "plans") {
        let mut named = Vec::new();
        for part in list(plan, "triggers").iter().chain(list(plan, "steps")) {
            named_meters(part, &mut named);
        }
        found
            .extend(named.iter().filter(|m| !known.contains(**m)).map(|m| format!("plan {}: {m}", text(plan, "code"))));
    }
    let demo = file("demo.json");
    let meter = text(&demo["usage"], "meter");
    if !known.contains(meter) {
        found.push(format!("the demo fleet: {meter}"));
    }
    assert_none(&found, "put these meters into seeds/meters.json or name others");
}

/// What every condition keeps: at most three clauses, a sample below every ratio, and a level of
/// clearing that is not beyond the limit.
fn check_condition(code: &str, trigger: &Value) {
    assert!(trigger["hold_hours"].is_u64() && trigger["cool_down_days"].is_u64(), "{code}: {trigger}");
    let clauses = list(trigger, "clauses");
    assert!((1..=3).contains(&clauses.len()), "{code}: one to three clauses");
    for clause in clauses {
        let (measure, operator) = (text(&clause["measure"], "kind"), text(clause, "operator"));
        let limit = match text(&clause["limit"], "kind") {
            "VALUE" => number(&clause["limit"], "value"),
            "SHARE_OF_RATING" => number(&clause["limit"], "share"),
            other => panic!("{code}: {other} is no limit"),
        };
        if matches!(measure, "RATIO" | "RATIO_TO_BASELINE") {
            assert!(count(&clause["measure"], "window_days") > 0, "{code}: a ratio has a window");
            assert!(number(clause, "min_sample") > 0.0, "{code}: a ratio of few says little; give min_sample");
        }
        if let Some(clear_at) = clause["clear_at"].as_f64() {
            let is_within = match operator {
                "ABOVE" | "AT_LEAST" => clear_at <= limit,
                "BELOW" | "AT_MOST" => clear_at >= limit,
                other => panic!("{code}: {other} is no operator"),
            };
            assert!(is_within, "{code}: {measure} clears at {clear_at}, beyond its limit {limit}");
        }
    }
}

#[test]
fn every_trigger_can_be_read() {
    for plan in list(&file("maintenance_plans.json"), "plans") {
        let code = text(plan, "code");
        for trigger in list(plan, "triggers") {
            match text(trigger, "kind") {
                "CALENDAR_FIXED" => {
                    let cron = text(trigger, "cron");
                    let grid = Grid::parse(cron).unwrap_or_else(|e| panic!("{code}: {cron}: {e}"));
                    let (band, gap) = (count(plan, "early_days") + count(plan, "late_days"), grid.shortest_gap_days());
                    assert!(band < u64::from(gap), "{code}: a band of {band} days reaches the grid's gap of {gap}");
                }
                "CALENDAR_FLOATING" => {
                    let every = text(trigger, "every");
                    Period::parse(every).unwrap_or_else(|e| panic!("{code}: {every}: {e}"));
                }
                "USAGE" => assert!(number(trigger, "every") > 0.0, "{code}: a usage interval is above zero"),
                "CONDITION" => check_condition(code, trigger),
                "FIRMWARE" => {
                    assert_eq!(
                        (text(plan, "kind"), text(plan, "channel")),
                        ("FIRMWARE_UPDATE", "REMOTE"),
                        "{code}: firmware goes out from afar"
                    );
                }
                "EVENT" => {
                    assert!(count(trigger, "within_days") > 0, "{code}: an event gives a day at least");
                    let is_idle = text(trigger, "event") == "AFTER_INACTIVITY";
                    assert_eq!(trigger["inactive_days"].is_u64(), is_idle, "{code}: idle days go with idleness alone");
                }
                other => panic!("{code}: nobody reads the trigger {other} yet"),
            }
        }
    }
}

#[test]
fn every_step_can_be_answered() {
    let units: BTreeMap<String, String> = list(&file("meters.json"), "meters")
        .iter()
        .map(|m| (text(m, "code").to_owned(), text(m, "unit").to_owned()))
        .collect();
    for plan in list(&file("maintenance_plans.json"), "plans") {
        let code = text(plan, "code");
        for step in list(plan, "steps") {
            let (asked, kind) = (text(&step["text"], "en"), step["kind"].as_str().unwrap_or("PASS_FAIL"));
            assert!(!asked.is_empty() && !text(&step["text"], "zh").is_empty(), "{code}: a step in both languages");
            // Beyond min and max it has failed; beyond lowest and highest it cannot be.
            let limits: Vec<f64> =
                ["lowest", "min", "max", "highest"].iter().filter_map(|key| step[*key].as_f64()).collect();
            let takes_limits = matches!(kind, "NUMBER" | "METER_READING");
            assert!(takes_limits || limits.is_empty(), "{code}: {asked}: only a number has limits");
            assert!(limits.is_sorted(), "{code}: {asked}: the limits {limits:?} leave nothing");
            assert_eq!(step["meter"].is_string(), kind == "METER_READING", "{code}: {asked}: a meter for a reading");
            assert_eq!(step["choices"].is_array(), kind == "CHOICE", "{code}: {asked}: choices for a choice");
            match kind {
                "PASS_FAIL" | "TEXT" | "SERIAL_SCAN" => {}
                "NUMBER" => {
                    assert!(!text(step, "unit").is_empty(), "{code}: {asked}: a number has a unit");
                    assert!(!limits.is_empty(), "{code}: {asked}: a number has limits");
                }
                "METER_READING" => {
                    let unit = units.get(text(step, "meter"));
                    assert_eq!(Some(text(step, "unit")), unit.map(String::as_str), "{code}: {asked}: the meter's unit");
                }
                "CHOICE" => {
                    let choices = list(step, "choices");
                    assert!(choices.len() > 1, "{code}: {asked}: a choice is between two at least");
                    for choice in choices {
                        let shown = &choice["text"];
                        assert!(!text(shown, "en").is_empty() && !text(shown, "zh").is_empty(), "{code}: {asked}");
                    }
                }
                other => panic!("{code}: {other} is no kind of step"),
            }
            let is_fallible = match kind {
                "PASS_FAIL" | "SERIAL_SCAN" => true,
                "NUMBER" | "METER_READING" => step["min"].is_number() || step["max"].is_number(),
                "CHOICE" => list(step, "choices").iter().any(|c| c["is_failure"] == true),
                _ => false,
            };
            let opens = step["opens_corrective"] == true;
            assert!(!opens || is_fallible, "{code}: {asked}: what cannot fail opens no corrective work");
        }
    }
}

#[test]
fn what_a_plan_covers_is_another_plan() {
    let file = file("maintenance_plans.json");
    let known = codes(&file, "plans");
    for plan in list(&file, "plans") {
        let code = text(plan, "code");
        for covered in plan["covers"].as_array().into_iter().flatten().map(|c| c.as_str().unwrap_or_default()) {
            assert!(known.contains(covered) && covered != code, "{code} covers {covered}");
        }
    }
}

#[test]
fn days_of_the_year_that_plans_name_are_days() {
    // A leap year, so that 29 February is one.
    let is_day = |text: &str| format!("2028-{text}").parse::<NaiveDate>().is_ok();
    for plan in list(&file("maintenance_plans.json"), "plans") {
        for span in plan["blackouts"].as_array().into_iter().flatten().chain(plan.get("season")) {
            assert!(is_day(text(span, "from")) && is_day(text(span, "to")), "{}: {span}", text(plan, "code"));
        }
    }
}

#[test]
fn a_failure_names_causes_remedies_and_a_mechanism_that_exist() {
    let failures = file("failure_codes.json");
    let known = ["mechanisms", "causes", "remedies"].map(|kind| codes(&failures, kind));
    let [mechanisms, causes, remedies] = &known;
    let mut named = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    for failure in list(&failures, "codes") {
        let code = text(failure, "code");
        let mechanism = text(failure, "mechanism");
        assert!(mechanisms.contains(mechanism), "{code}: the mechanism {mechanism}");
        named[0].insert(mechanism.to_owned());
        for (place, (key, of)) in [("causes", causes), ("remedies", remedies)].into_iter().enumerate() {
            let own = texts(failure, key);
            assert!(!own.is_empty(), "{code} has no {key}");
            for one in own {
                assert!(of.contains(one), "{code}: {key}: {one}");
                named[place + 1].insert(one.to_owned());
            }
        }
        let severity = count(failure, "severity");
        assert!((1..=5).contains(&severity), "{code}: severity {severity}");
        assert!(FailureFamily::parse(text(failure, "family")).is_some(), "{code}: family");
        assert!(FailureMode::parse(text(failure, "mode")).is_some(), "{code}: mode");
        assert!(FailureOrigin::parse(text(failure, "origin")).is_some(), "{code}: origin");
        let component = failure["component"].as_str();
        assert!(component.is_none_or(|kind| ComponentKind::parse(kind).is_some()), "{code}: component");
    }
    assert_eq!(named, known, "what no failure names is of no use");
    assert_eq!(list(&failures, "codes").len(), 34);
}

#[test]
fn failures_are_named_in_both_languages() {
    let failures = file("failure_codes.json");
    let mut found = Vec::new();
    let mut check = |place: String, value: &Value| {
        let is_there = |key: &str| value[key].as_str().is_some_and(|t| !t.trim().is_empty());
        if !is_there("en") || !is_there("zh") || value["en"] == value["zh"] {
            found.push(place);
        }
    };
    for kind in ["mechanisms", "causes", "remedies", "codes"] {
        for entry in list(&failures, kind) {
            check(format!("{kind}: {}", text(entry, "code")), &entry["name"]);
        }
    }
    for failure in list(&failures, "codes") {
        let code = text(failure, "code");
        assert!(!list(failure, "detection").is_empty(), "{code}: nothing shows it");
        for sign in list(failure, "detection") {
            check(format!("{code}: {sign}"), sign);
        }
        if !failure["note"].is_null() {
            check(format!("{code}: note"), &failure["note"]);
        }
    }
    assert_none(&found, "write an English and a Chinese text for");
}

/// Whether a page names a code as a word: PM-FW is not named by PM-FWX.
fn names(page: &str, code: &str) -> bool {
    page.match_indices(code).any(|(at, _)| {
        let after = page[at + code.len()..].chars().next();
        after.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-')
    })
}

#[test]
fn a_plan_of_the_domain_is_seeded_or_the_page_says_why_not() {
    let page = fs::read_to_string(format!("{SEEDS}/{NOT_LOADED}")).unwrap();
    let seeded = codes(&file("maintenance_plans.json"), "plans");
    let missing: Vec<&str> =
        DOMAIN_PLANS.into_iter().filter(|code| !seeded.contains(*code) && !names(&page, code)).collect();
    assert!(missing.is_empty(), "seed these plans, or say in seeds/{NOT_LOADED} why not: {missing:?}");
    // The collection itself, where it was checked out beside the product.
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/domain/maintenance_plans.json");
    let Ok(text_of_domain) = fs::read_to_string(beside) else { return };
    let domain: Value = serde_json::from_str(&text_of_domain).unwrap();
    let listed: BTreeSet<&str> = list(&domain, "plans").iter().map(|p| text(p, "id")).collect();
    assert_eq!(listed, BTreeSet::from(DOMAIN_PLANS), "the collection has changed; change the list here, and the seeds");
}

#[test]
fn plans_select_what_exists() {
    let models = codes(&file("device_models.json"), "models");
    for plan in list(&file("maintenance_plans.json"), "plans") {
        let (code, selector) = (text(plan, "code"), &plan["selector"]);
        for model in texts(selector, "model_codes") {
            assert!(models.contains(model), "{code} selects the model {model}, which is not seeded");
        }
        for status in texts(selector, "device_statuses") {
            assert!(DeviceStatus::parse(status).is_some(), "{code} selects {status}, which is no status");
        }
        for guard in list(plan, "triggers").iter().map(|t| &t["guard"]).filter(|g| g.is_object()) {
            for model in texts(guard, "model_codes") {
                assert!(models.contains(model), "{code} is guarded by the model {model}, which is not seeded");
            }
            for environment in texts(guard, "environments") {
                assert!(SiteEnvironment::parse(environment).is_some(), "{code}: {environment} is no environment");
            }
        }
        for note in list(plan, "steps").iter().flat_map(|s| s["model_notes"].as_array().into_iter().flatten()) {
            for model in texts(note, "model_codes") {
                assert!(models.contains(model), "{code} has a note for the model {model}, which is not seeded");
            }
        }
    }
}

#[test]
fn every_part_says_where_it_can_be_replaced() {
    let mut seen = BTreeSet::new();
    for model in list(&file("device_models.json"), "models") {
        for part in list(model, "components") {
            let (kind, place) = (text(part, "kind"), text(part, "replaceable_at"));
            assert!(ComponentKind::parse(kind).is_some(), "{}: {kind} is no part", text(model, "code"));
            assert!(ReplaceableAt::parse(place).is_some(), "{}: {kind} at {place}", text(model, "code"));
            seen.insert(place.to_owned());
        }
    }
    assert_eq!(seen.len(), ReplaceableAt::ALL.len(), "parts for each place: {seen:?}");
}

#[test]
fn a_holiday_has_one_date_and_a_moved_working_day_is_a_weekend() {
    for country in list(&file("holidays.json"), "countries") {
        let name = text(country, "country");
        let mut seen = BTreeSet::new();
        for year in list(country, "years") {
            for day in list(year, "days") {
                let date = text(day, "date").parse::<NaiveDate>().unwrap_or_else(|e| panic!("{name}: {day}: {e}"));
                assert!(seen.insert(date), "{name} has {date} twice");
                assert_eq!(
                    date.year().to_string(),
                    count(year, "year").to_string(),
                    "{name}: {date} is in the wrong year"
                );
                let is_weekend = date.weekday().number_from_monday() > 5;
                let is_working_day = day["is_working_day"].as_bool().unwrap_or_else(|| panic!("{name}: {day}"));
                assert!(
                    is_weekend || !is_working_day,
                    "{name}: {date} is a working day anyway, so it cannot be moved to"
                );
            }
        }
    }
}

#[test]
fn the_demo_fleet_adds_up() {
    let demo = file("demo.json");
    let fleet = &demo["fleet"];
    let sizes = list(fleet, "site_sizes");
    let merchants = list(fleet, "merchants_by_sites");
    let devices = count(fleet, "devices");
    assert_eq!(devices, count(&demo["defaults"], "devices"), "counts are given for the default number of devices");
    assert_eq!(sum(sizes, |s| count(s, "sites")), count(fleet, "sites"), "sites");
    assert_eq!(sum(sizes, |s| count(s, "sites") * count(s, "devices")), count(fleet, "field_devices"), "field devices");
    assert_eq!(sum(merchants, |m| count(m, "merchants")), count(fleet, "merchants"), "merchants");
    assert_eq!(
        sum(merchants, |m| count(m, "merchants") * count(m, "sites")),
        count(fleet, "sites"),
        "sites of merchants"
    );
    let (field, other) = (list(fleet, "field_statuses"), list(fleet, "other_statuses"));
    assert_eq!(sum(field, |s| count(s, "devices")), count(fleet, "field_devices"), "field statuses");
    assert_eq!(sum(field, |s| count(s, "devices")) + sum(other, |s| count(s, "devices")), devices, "all statuses");
    let mut seen = BTreeSet::new();
    for status in field.iter().chain(other).map(|s| text(s, "status")) {
        assert!(DeviceStatus::parse(status).is_some() && seen.insert(status), "{status} is no status, or there twice");
    }
    let hypermarket = sizes.iter().find(|s| s["role"] == "hypermarket").expect("one site is the hypermarket");
    let positions = sum(list(&demo["hypermarket"], "positions"), |p| count(p, "count"));
    assert_eq!(positions, count(hypermarket, "devices"), "a device for each of the hypermarket's positions");
}

#[test]
fn the_demo_fleets_shares_are_a_whole() {
    let is_one = |sum: f64, tolerance: f64| (sum - 1.0).abs() < tolerance;
    let demo = file("demo.json");
    for part in ["models", "kinds", "provinces"] {
        let sum: f64 = list(&demo, part).iter().map(|v| number(v, "share")).sum();
        assert!(is_one(sum, 1e-9), "the shares of {part} add up to {sum}, not 1");
    }
    let visits = &demo["visits"];
    let shares = ["on_time_share", "late_share", "no_access_share"].map(|key| number(visits, key));
    assert!(is_one(shares.iter().sum(), 1e-9), "the shares of visits add up to {}, not 1", shares.iter().sum::<f64>());
    for kind in list(&demo, "kinds") {
        let code = text(kind, "code");
        let hours = numbers(kind, "hours");
        let (weekdays, months) = (numbers(kind, "weekdays"), numbers(kind, "months"));
        assert_eq!((weekdays.len(), months.len(), hours.len()), (7, 12, 24), "{code}: days, months and hours");
        // Written with three places, so a few thousandths are lost to rounding.
        assert!(is_one(hours.iter().sum(), 0.005), "{code}: the hours add up to {}", hours.iter().sum::<f64>());
        assert!(is_one(weekdays.iter().sum::<f64>() / 7.0, 0.01), "{code}: weekdays are 1 on average");
        assert!(is_one(months.iter().sum::<f64>() / 12.0, 0.01), "{code}: months are 1 on average");
    }
}

#[test]
fn the_demo_fleet_names_what_exists() {
    let demo = file("demo.json");
    let models = codes(&file("device_models.json"), "models");
    let plans = codes(&file("maintenance_plans.json"), "plans");
    let holidays = file("holidays.json");
    let festivals: BTreeSet<&str> = list(&holidays, "countries")
        .iter()
        .filter(|c| c["country"] == demo["country"])
        .flat_map(|c| list(c, "years"))
        .flat_map(|y| list(y, "days"))
        .map(|d| text(&d["name"], "en"))
        .collect();
    let mut found = Vec::new();
    let shown: BTreeSet<String> = texts(&demo, "plans").into_iter().map(str::to_owned).collect();
    assert_eq!(shown, plans, "the demo shows every plan that is seeded, and no other");
    let told = list(&demo, "odd_cases").iter().chain(list(&demo["repairs"], "scenarios"));
    let named = told.flat_map(|case| case["plans"].as_array().into_iter().flatten().map(|p| p.as_str().unwrap()));
    found.extend(named.filter(|p| !plans.contains(*p)).map(|p| format!("the plan {p}")));
    let shared = list(&demo, "models").iter().map(|m| text(m, "model"));
    let odd = list(&demo, "odd_cases").iter().flat_map(|case| {
        let several = case["models"].as_array().into_iter().flatten();
        several.chain(case.get("model")).map(|m| m.as_str().unwrap_or_default())
    });
    found.extend(shared.chain(odd).filter(|m| !models.contains(*m)).map(|m| format!("the model {m}")));
    for kind in list(&demo, "kinds") {
        let named = kind["holidays"].as_object().into_iter().flat_map(|h| h.keys());
        found.extend(named.filter(|h| !festivals.contains(h.as_str())).map(|h| format!("the holiday {h}")));
    }
    let zone = text(&demo["organization"], "time_zone");
    if parse_zone(zone).is_err() {
        found.push(format!("the time zone {zone}"));
    }
    assert_none(&found, "the demo fleet names what no seed file has");
}

#[test]
fn what_breaks_in_the_demo_is_of_the_closed_lists() {
    let (demo, lists) = (file("demo.json"), file("failure_codes.json"));
    let of_code = |code: &str| list(&lists, "codes").iter().find(|c| text(c, "code") == code);
    let scenarios = list(&demo["repairs"], "scenarios");
    let outage = &demo["usage"]["outage"]["failure"];
    for scenario in scenarios.iter().chain([outage]) {
        let code = text(scenario, "failure_code");
        let known = of_code(code).unwrap_or_else(|| panic!("{code} is no failure code"));
        for (key, among) in [("cause_code", "causes"), ("remedy_code", "remedies")] {
            assert!(texts(known, among).contains(&text(scenario, key)), "{code}: {} is not usual", text(scenario, key));
        }
        if let Some(part) = scenario["part"].as_str() {
            assert!(ComponentKind::parse(part).is_some(), "{code}: {part} is no part");
        }
    }
    let share: f64 = scenarios.iter().map(|s| number(s, "share")).sum();
    assert!((share - 1.0).abs() < 1e-9, "the shares of failures add up to {share}, not 1");
    // Some speak against devices and some do not, so that reports have both.
    let origins: BTreeSet<&str> =
        scenarios.iter().filter_map(|s| of_code(text(s, "failure_code"))).map(|c| text(c, "origin")).collect();
    for origin in ["DEVICE", "SITE", "NETWORK", "CARD", "NONE_FOUND"] {
        assert!(origins.contains(origin), "nothing breaks by {origin}");
    }
    for case in list(&demo, "odd_cases").iter().filter(|c| c["replaced"].is_object()) {
        let code = text(&case["replaced"], "failure_code");
        assert!(scenarios.iter().any(|s| text(s, "failure_code") == code), "{code} is no scenario");
    }
}

#[test]
fn the_demos_odd_cases_can_show_what_they_say() {
    let (demo, models, plans) = (file("demo.json"), file("device_models.json"), file("maintenance_plans.json"));
    let mut serials = BTreeSet::new();
    for case in list(&demo, "odd_cases") {
        let code = text(case, "code");
        for key in ["serial_number", "old_serial_number", "new_serial_number"] {
            if let Some(serial) = case[key].as_str() {
                assert!(serials.insert(serial.to_owned()), "{code}: {serial} is there twice");
            }
        }
        for language in ["en", "zh"] {
            assert!(!text(&case["about"], language).is_empty(), "{code} is not told in {language}");
        }
        let model = list(&models, "models").iter().find(|m| case["model"] == m["code"]);
        for curve in case["meters"].as_array().into_iter().flatten() {
            let meter = text(curve, "meter");
            let known = list(model.unwrap(), "meters").iter().any(|m| text(m, "meter") == meter);
            assert!(known, "{code}: the model has no {meter}");
            let days: Vec<f64> = list(curve, "points").iter().map(|p| p[0].as_f64().unwrap()).collect();
            assert!(days.is_sorted_by(|a, b| a > b) && days.last() == Some(&0.0), "{code}: {meter} ends before today");
        }
        if let Some(environment) = case["environment"].as_str() {
            assert!(SiteEnvironment::parse(environment).is_some(), "{code}: {environment}");
        }
        if case["failed_step"].is_object() {
            let failed = &case["failed_step"];
            let plan = list(&plans, "plans").iter().find(|p| p["code"] == failed["plan"]).unwrap();
            let step = &list(plan, "steps")[count(failed, "step") as usize - 1];
            assert_eq!((&step["kind"], &step["opens_corrective"]), (&Value::from("NUMBER"), &Value::from(true)));
            assert!(number(failed, "number") > number(step, "max"), "{code}: the step does not fail");
        }
    }
}

#[test]
fn the_demos_firmware_leads_to_its_targets() {
    let demo = file("demo.json");
    let firmware = &demo["firmware"];
    let releases = list(firmware, "releases");
    let versions: Vec<&str> = releases.iter().map(|r| text(r, "version")).collect();
    let model = list(&demo, "models").iter().find(|m| m["model"] == firmware["model"]).expect("the model is shown");
    // Each asks for the one before, so that every device has a way.
    for (n, release) in releases.iter().enumerate() {
        let before = release["minimum_prior_version"].as_str();
        assert_eq!(before, n.checked_sub(1).map(|n| versions[n]), "{}", versions[n]);
        for fix in list(release, "fixes") {
            assert!(!text(fix, "en").is_empty() && !text(fix, "zh").is_empty(), "{fix}");
        }
    }
    assert_eq!(versions.last(), Some(&text(&firmware["target"], "version")));
    assert!(versions.contains(&text(&firmware["override"], "version")));
    assert!(texts(model, "firmware").iter().any(|v| !versions.contains(v)), "some are older than every release");
    // Set after the last night of the window, which is a week before the day after tomorrow.
    assert!((1..5).contains(&count(&firmware["target"], "days_ago")));
}

#[test]
fn the_demo_fleets_regions_agree() {
    let demo = file("demo.json");
    let (mut cities, mut seen, mut found) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for province in list(&demo, "provinces") {
        let above = text(province, "prefix");
        if text(province, "code") != format!("{above}0000") {
            found.push(format!("province {} has the prefix {above}", text(province, "code")));
        }
        for city in list(province, "cities") {
            let (code, prefix) = (text(city, "code"), text(city, "prefix"));
            if code != format!("{prefix}00") || !prefix.starts_with(above) || prefix.len() != 4 {
                found.push(format!("city {code} has the prefix {prefix} and its province {above}"));
            }
            if !cities.insert(prefix) {
                found.push(format!("city {code} is there twice"));
            }
            for district in list(city, "districts") {
                let code = text(district, "code");
                if !code.starts_with(prefix) || code.len() != 6 || !seen.insert(code) {
                    found.push(format!("district {code} is not in {prefix}, or there twice"));
                }
            }
        }
    }
    let technicians = list(&demo, "technicians");
    let of_technicians = technicians.iter().flat_map(|t| texts(t, "region_codes"));
    let same_name = &demo["names"]["same_name"];
    let named =
        of_technicians.chain(texts(same_name, "city_prefixes")).chain([text(&demo["hypermarket"], "city_prefix")]);
    found.extend(named.filter(|p| !cities.contains(p)).map(|p| format!("{p} is the prefix of no city")));
    assert_none(&found, "a province's code is the prefix of its cities' and theirs of their districts'");
    assert_eq!(texts(same_name, "city_prefixes").len() as u64, count(same_name, "sites"), "a city for each same name");
}

#[test]
fn the_demo_fleets_people_can_be_told_apart_and_not_be_called() {
    let demo = file("demo.json");
    let mut seen = BTreeSet::new();
    for technician in list(&demo, "technicians") {
        for key in ["employee_number", "phone"] {
            assert!(seen.insert(text(technician, key)), "{technician} has the {key} of another");
        }
        assert!(text(technician, "phone").starts_with("100"), "{technician}: a number that nobody can dial");
        assert!(!texts(technician, "region_codes").is_empty(), "{technician} works nowhere");
    }
    let phone = text(&demo["contacts"], "phone");
    assert!(phone.starts_with("1001") && phone.contains("{sequence7}"), "{phone}: a number that nobody can dial");
}

// The checks on small examples, so that a blind one is noticed.

#[test]
fn a_number_without_a_source_is_seen() {
    let said = |value: Value| {
        let mut found = Vec::new();
        unmarked("it", &value, &value["assumptions"], &mut found);
        found
    };
    let good = serde_json::json!({
        "assumptions": {"max_per_day": "ASSUMED for all: ten times the busiest"},
        "meters": [
            {"max_per_day": 5, "rated_life": 9, "rated_life_basis": "SOURCED_LOW", "rated_life_source": "a forum"},
        ],
        "triggers": [
            {"every": 3500, "source": "SOURCED: a manual"},
            {"kind": "CONDITION", "hold_hours": 24, "clauses": [{"limit": {"value": 3}}], "source": "ASSUMED"},
        ],
        "early_days": 7, "sources": {"early_days": "ASSUMED"},
    });
    assert_eq!(said(good), Vec::<String>::new());
    let bad = serde_json::json!({
        "assumptions": {"max_per_day": "ten times the busiest"},
        "meters": [{"max_per_day": 5, "rated_life": 9, "rated_life_basis": "KNOWN", "rated_life_source": "a forum"}],
        "triggers": [
            {"every": 3500, "source": "SOURCED:"}, {"every": 3, "source": "a manual"},
            {"kind": "CONDITION", "clauses": [{"limit": {"value": 3}}], "source": "a manual"},
        ],
        "early_days": 7, "late_days": 8, "sources": {"early_days": "ASSUMED"}, "hours": [0.5],
    });
    let expected = [
        "it.hours[0]",
        "it.late_days",
        "it.meters[0].max_per_day",
        "it.meters[0].rated_life",
        "it.triggers[0].every",
        "it.triggers[1].every",
        "it.triggers[2].clauses[0].limit.value",
    ];
    let mut found = said(bad);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_code_that_stands_twice_is_seen() {
    let said = |value: Value| {
        let mut found = Vec::new();
        doubled("it", &value, &mut found);
        found
    };
    let good = serde_json::json!({"a": [{"code": "X", "b": [{"code": "X"}]}, {"code": "Y", "b": [{"code": "X"}]}]});
    assert_eq!(said(good), Vec::<String>::new());
    let day = serde_json::json!({"date": "2026-01-01"});
    let bad = serde_json::json!({"a": [{"b": [day, day]}, {"code": "X"}, {"code": "X"}]});
    assert_eq!(said(bad), ["it.a[0].b[1].date is 2026-01-01 again", "it.a[2].code is X again"]);
}

//! The schema as a client sees it: `schema.graphql` is what the code says, everything in it is
//! described, and the names clients were promised are there.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition};
use std::collections::BTreeMap;
use std::fs;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Names of the contract that are not built yet, and what they wait for. Take a name out when it
/// is there; it covers its arguments, and its fields when it is a type.
const NOT_YET: &[(&str, &str)] = &[];

/// Names the contract promises in its comments only.
const PROMISED_IN_WORDS: &[&str] = &[
    "DeviceMeter.latestValue",
    "DeviceMeter.lifeCounter",
    "DeviceMeter.ratedLifeUsed",
    "DeviceMeter.dataAgeHours",
    "UsagePattern.dailyRate",
    "UsagePattern.weekdayRates",
    "UsagePattern.hourRates",
    "UsagePattern.spread",
    "UsagePattern.asOf",
    "HistoryIntegrity.isIntact",
    "HistoryIntegrity.eventCount",
    "HistoryIntegrity.headHash",
    "HistoryIntegrity.firstBadSequence",
    "DueForecast.p10",
    "DueForecast.p50",
    "DueForecast.p90",
    "DueAdjustment.kind",
    "DueAdjustment.from",
    "DueAdjustment.to",
    "DueAdjustment.reason",
    "WorkOrderOrderField.DUE_AT",
    "WorkOrderOrderField.CREATED_AT",
    "WorkOrderOrderField.SCHEDULED_FOR",
    "WorkOrderOrderField.PRIORITY",
    "RecordReadingsPayload.acceptedCount",
    "RecordReadingsPayload.rejected",
    "RejectedReading.row",
    "RejectedReading.code",
    "RejectedReading.message",
    "LogServiceVisitPayload.serviceVisit",
    "LogServiceVisitPayload.results",
    "VisitLineResult.line",
    "VisitLineResult.code",
    "VisitLineResult.workOrder",
];

/// One name of a schema: `Type`, `Type.field`, `Type.field(argument)`, `Enum.VALUE`,
/// `Type implements Interface`.
struct Named {
    /// Its type as written, or what it is.
    is: String,
    is_described: bool,
}

type Names = BTreeMap<String, Named>;

fn has_text(description: Option<&Positioned<String>>) -> bool {
    description.is_some_and(|d| !d.node.trim().is_empty())
}

fn add_values(names: &mut Names, values: &[Positioned<InputValueDefinition>], path_of: impl Fn(&str) -> String) {
    for value in values {
        let named = Named { is: value.node.ty.to_string(), is_described: has_text(value.node.description.as_ref()) };
        names.insert(path_of(value.node.name.node.as_str()), named);
    }
}

fn add_fields(names: &mut Names, of: &str, fields: &[Positioned<FieldDefinition>]) {
    for field in fields {
        let path = format!("{of}.{}", field.node.name);
        let named = Named { is: field.node.ty.to_string(), is_described: has_text(field.node.description.as_ref()) };
        add_values(names, &field.node.arguments, |argument| format!("{path}({argument})"));
        names.insert(path, named);
    }
}

/// Every name of a schema; directives are the library's own.
fn names_of(sdl: &str) -> Names {
    let document = parse_schema(sdl).unwrap_or_else(|e| panic!("this is no schema: {e}"));
    let mut names = Names::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let definition = definition.node;
        let name = definition.name.to_string();
        let is_described = has_text(definition.description.as_ref());
        let is = |names: &mut Names, what: &str| {
            names.insert(name.clone(), Named { is: what.to_owned(), is_described });
        };
        match &definition.kind {
            TypeKind::Scalar => is(&mut names, "scalar"),
            TypeKind::Object(object) => {
                is(&mut names, "type");
                for interface in &object.implements {
                    let named = Named { is: String::new(), is_described: true };
                    names.insert(format!("{name} implements {interface}"), named);
                }
                add_fields(&mut names, &name, &object.fields);
            }
            TypeKind::Interface(interface) => {
                is(&mut names, "interface");
                add_fields(&mut names, &name, &interface.fields);
            }
            TypeKind::Union(_) => is(&mut names, "union"),
            TypeKind::Enum(list) => {
                is(&mut names, "enum");
                for value in &list.values {
                    let named =
                        Named { is: "value".to_owned(), is_described: has_text(value.node.description.as_ref()) };
                    names.insert(format!("{name}.{}", value.node.value), named);
                }
            }
            TypeKind::InputObject(input) => {
                is(&mut names, "input");
                add_values(&mut names, &input.fields, |field| format!("{name}.{field}"));
            }
        }
    }
    names
}

fn schema() -> Names {
    names_of(&tillkeep::graphql::schema::sdl())
}

/// Whether a name is excused by a list, itself or by what it belongs to.
fn waits(list: &[(&str, &str)], name: &str) -> bool {
    list.iter().any(|(waiting, _)| {
        name.strip_prefix(*waiting).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '(', ' ']))
    })
}

fn is_not_yet(name: &str) -> bool {
    waits(NOT_YET, name)
}

/// What a schema lacks of a contract, a line each.
fn missing(contract: &Names, schema: &Names) -> Vec<String> {
    let mut found = Vec::new();
    for (name, promised) in contract.iter().filter(|(name, _)| !is_not_yet(name)) {
        match schema.get(name) {
            None => found.push(format!("{name} is missing")),
            Some(there) if there.is != promised.is => {
                found.push(format!("{name} is {}, not {}", there.is, promised.is));
            }
            Some(_) => {}
        }
    }
    found
}

/// The names of a schema that nobody described.
fn undescribed(schema: &Names) -> Vec<&str> {
    schema.iter().filter(|(_, named)| !named.is_described).map(|(name, _)| name.as_str()).collect()
}

/// The ```graphql block of the contract; absent where only the product was checked out.
fn contract() -> Option<Names> {
    let Ok(text) = fs::read_to_string(format!("{ROOT}/../shared/API.md")) else {
        eprintln!("../shared/API.md is not here, so its names are not compared");
        return None;
    };
    let (_, block) = text.split_once("```graphql\n").expect("API.md has a ```graphql block");
    let (block, _) = block.split_once("\n```").expect("the block of API.md ends");
    Some(names_of(block))
}

#[test]
fn the_file_is_what_the_code_says() {
    let file = fs::read_to_string(format!("{ROOT}/schema.graphql")).unwrap_or_default();
    let (file, code) = (file.trim_end(), tillkeep::graphql::schema::sdl());
    let code = code.trim_end();
    let drift = file.lines().zip(code.lines()).position(|(a, b)| a != b);
    let line = 1 + drift.unwrap_or_else(|| file.lines().count().min(code.lines().count()));
    assert!(
        file == code,
        "schema.graphql differs from the code at line {line}; mend it with: cargo run -- schema > schema.graphql"
    );
}

#[test]
fn everything_in_the_schema_is_described() {
    let schema = schema();
    let bare = undescribed(&schema);
    assert!(bare.is_empty(), "write a doc comment, with units, at:\n{}", bare.join("\n"));
}

#[test]
fn every_promised_name_is_there() {
    let Some(contract) = contract() else { return };
    let stale: Vec<&str> = NOT_YET.iter().map(|(name, _)| *name).filter(|name| !contract.contains_key(*name)).collect();
    assert!(stale.is_empty(), "API.md does not promise these; take them out of NOT_YET:\n{}", stale.join("\n"));
    let missing = missing(&contract, &schema());
    assert!(
        missing.is_empty(),
        "clients rely on the names of API.md; build these, or put them into NOT_YET with a reason:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_name_promised_in_words_is_there() {
    let schema = schema();
    let missing: Vec<&str> = PROMISED_IN_WORDS.iter().copied().filter(|name| !schema.contains_key(*name)).collect();
    assert!(missing.is_empty(), "clients rely on what API.md says in words; build:\n{}", missing.join("\n"));
}

#[test]
fn what_is_not_built_yet_is_really_not_there() {
    let schema = schema();
    let built: Vec<&str> = NOT_YET.iter().map(|(name, _)| *name).filter(|name| schema.contains_key(*name)).collect();
    assert!(built.is_empty(), "built by now; take out of NOT_YET:\n{}", built.join("\n"));
    assert!(NOT_YET.iter().all(|(_, reason)| !reason.is_empty()), "each name of NOT_YET says what it waits for");
}

#[test]
fn every_mutation_takes_one_input_with_a_key_and_answers_user_errors() {
    let schema = schema();
    let mut wrong = Vec::new();
    for name in schema.keys().filter_map(|path| path.strip_prefix("Mutation.")) {
        if let Some((mutation, argument)) = name.split_once('(') {
            if argument != "input)" {
                wrong.push(format!("{mutation} takes {argument} beside its input"));
            }
            continue;
        }
        let (first, rest) = name.split_at(1);
        let title = format!("{}{rest}", first.to_uppercase());
        for (path, is) in [
            (format!("Mutation.{name}"), format!("{title}Payload!")),
            (format!("Mutation.{name}(input)"), format!("{title}Input!")),
            (format!("{title}Input.idempotencyKey"), "String".to_owned()),
            (format!("{title}Payload.userErrors"), "[UserError!]!".to_owned()),
        ] {
            if schema.get(&path).is_none_or(|named| named.is != is) {
                wrong.push(format!("{path} should be {is}"));
            }
        }
    }
    assert!(wrong.is_empty(), "mutations have one shape (DESIGN §6):\n{}", wrong.join("\n"));
}

// The checks on small examples, so that a blind one is noticed.

#[test]
fn a_missing_or_changed_name_is_seen() {
    let contract = names_of(
        "type Site implements Node { id: ID!, name: String!  devices(first: Int, after: String): [Device!]! }
         input SiteFilter { name: String }  enum Kind { A B }  scalar Date",
    );
    assert_eq!(missing(&contract, &contract), Vec::<String>::new());
    let schema = names_of(
        "type Site { id: ID! name: String devices(first: Int!): [Device!]! extra: Int }
         input SiteFilter { names: [String!] } enum Kind { A }",
    );
    assert_eq!(
        missing(&contract, &schema),
        [
            "Date is missing",
            "Kind.B is missing",
            "Site implements Node is missing",
            "Site.devices(after) is missing",
            "Site.devices(first) is Int!, not Int",
            "Site.name is String, not String!",
            "SiteFilter.name is missing",
        ]
    );
}

#[test]
fn a_name_that_waits_excuses_what_belongs_to_it_and_nothing_else() {
    let list = [("Query.search", "search"), ("Subscription", "news"), ("Query.devices(asOf)", "the past")];
    for name in ["Query.search", "Query.search(text)", "Subscription", "Subscription.deviceFileAppended(deviceId)"] {
        assert!(waits(&list, name), "{name}");
    }
    for name in ["Query.searches", "Query.devices", "Query.devices(first)", "SubscriptionKind", "TriggerKind.USAGE"] {
        assert!(!waits(&list, name), "{name}");
    }
}

#[test]
fn an_undescribed_name_is_seen() {
    let schema = names_of(
        r#""A." type A { "B." b("C." c: Int, d: Int): Int, e: Int, " " f: Int }
           type G { "H." h: Int }  "I." input I { j: Int }  "K." enum K { "L." L, M }  scalar N  "O." union O = A | G"#,
    );
    assert_eq!(undescribed(&schema), ["A.b(d)", "A.e", "A.f", "G", "I.j", "K.M", "N"]);
}

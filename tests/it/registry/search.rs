//! Search: one line of text over everything people know by a number or a name.

use crate::support::builders::MAKER;
use crate::support::{TestApp, text};
use serde_json::{Value, json};

const SEARCH: &str = "query($text: String!, $types: [SearchType!], $first: Int, $after: String) {
    search(text: $text, types: $types, first: $first, after: $after) {
        totalCount
        nodes {
            type matchedField matchedText rank
            node {
                id
                ... on Device { serialNumber }
                ... on Merchant { name }
                ... on Site { name merchant { name } }
                ... on Position { terminalNumber site { name } }
                ... on Technician { name }
                ... on WorkOrder { number }
                ... on ServiceVisit { number }
            }
        }
        pageInfo { hasNextPage endCursor }
    }
}";

/// What a search finds: type, field, text and rank of each row.
async fn found(app: &TestApp, typed: &str) -> Vec<(String, String, String, String)> {
    rows(app, json!({"text": typed})).await
}

async fn rows(app: &TestApp, variables: Value) -> Vec<(String, String, String, String)> {
    let data = app.gql(SEARCH, variables).await;
    let rows = data["search"]["nodes"].as_array().unwrap();
    let part = |row: &Value, name: &str| text(&row[name]);
    rows.iter().map(|r| (part(r, "type"), part(r, "matchedField"), part(r, "matchedText"), part(r, "rank"))).collect()
}

fn row(of: &str, field: &str, text: &str, rank: &str) -> (String, String, String, String) {
    (of.to_owned(), field.to_owned(), text.to_owned(), rank.to_owned())
}

/// A merchant with a site, a device at its counter and a visit to it.
async fn shop() -> TestApp {
    let app = TestApp::start().await;
    let input = json!({"name": "老王面馆", "merchantNumber": "898440154110001"});
    let merchant = text(&app.mutate("createMerchant", "merchant { id }", input).await["merchant"]["id"]);
    let site = json!({
        "merchantId": merchant, "name": "老王面馆（中山路店）", "timeZone": "Asia/Shanghai",
        "contact": {"name": "王小姐", "phone": "138-0013-8000"},
    });
    let site = text(&app.mutate("createSite", "site { id contact { name phone } }", site).await["site"]["id"]);
    let position = app.position(&site, "Counter 1", Some("10412345")).await;
    let register = json!({
        "manufacturer": MAKER, "modelId": app.model().await, "serialNumber": "0821887552", "assetTag": "TAG-7",
        "externalIds": [{"system": "TMS", "value": "tms-000077"}],
    });
    let device = text(&app.mutate("registerDevice", "device { id }", register).await["device"]["id"]);
    app.install(&device, &position, "2026-05-04T01:00:00Z").await;
    let technician = json!({"name": "Li Wei", "employeeNumber": "E-0042", "phone": "+86 139 0000 1111"});
    let technician = text(&app.mutate("createTechnician", "technician { id }", technician).await["technician"]["id"]);
    app.plan_usage_or_days("CLEAN", 5_000.0, "P10D").await;
    app.run_planner().await;
    app.log_visit(&site, &technician, "2026-05-04T07:00:00Z", vec![json!({"deviceId": device})]).await;
    app
}

#[tokio::test]
async fn a_number_finds_what_it_is_the_number_of() {
    let app = shop().await;
    for (typed, expected) in [
        ("0821887552", vec![row("DEVICE", "SERIAL_NUMBER", "0821887552", "EXACT")]),
        ("082188", vec![row("DEVICE", "SERIAL_NUMBER", "0821887552", "PREFIX")]),
        ("tag-7", vec![row("DEVICE", "ASSET_TAG", "TAG-7", "EXACT")]),
        ("TMS-0000", vec![row("DEVICE", "EXTERNAL_ID", "tms-000077", "PREFIX")]),
        ("898440154110001", vec![row("MERCHANT", "MERCHANT_NUMBER", "898440154110001", "EXACT")]),
        (
            "10412345",
            vec![
                row("DEVICE", "TERMINAL_NUMBER", "10412345", "EXACT"),
                row("POSITION", "TERMINAL_NUMBER", "10412345", "EXACT"),
            ],
        ),
        ("e-0042", vec![row("TECHNICIAN", "EMPLOYEE_NUMBER", "E-0042", "EXACT")]),
        ("no such thing", vec![]),
        // Not wildcards.
        ("%", vec![]),
        ("08218_7552", vec![]),
    ] {
        assert_eq!(found(&app, typed).await, expected, "{typed}");
    }
    let order = found(&app, "wo-2026-").await;
    assert!(order.len() == 1 && order[0].0 == "WORK_ORDER" && order[0].3 == "PREFIX", "{order:?}");
    let visit = app.gql("{ serviceVisits { nodes { number } } }", json!({})).await;
    let number = text(&visit["serviceVisits"]["nodes"][0]["number"]);
    assert_eq!(found(&app, &number.to_lowercase()).await, [row("SERVICE_VISIT", "NUMBER", &number, "EXACT")]);
}

#[tokio::test]
async fn names_are_found_by_any_part_in_any_language() {
    let app = shop().await;
    let (merchant, site) = ("老王面馆", "老王面馆（中山路店）");
    assert_eq!(
        found(&app, "老王面馆").await,
        [row("MERCHANT", "NAME", merchant, "EXACT"), row("SITE", "NAME", site, "PREFIX")]
    );
    assert_eq!(
        found(&app, "面馆").await,
        [row("MERCHANT", "NAME", merchant, "CONTAINS"), row("SITE", "NAME", site, "CONTAINS")]
    );
    assert_eq!(found(&app, "中山路").await, [row("SITE", "NAME", site, "CONTAINS")]);
    // The width of brackets and letters does not matter.
    assert_eq!(found(&app, "面馆（中山").await.len(), 1);
    assert_eq!(found(&app, "Ｔａｇ－７").await, [row("DEVICE", "ASSET_TAG", "TAG-7", "EXACT")]);
    assert_eq!(found(&app, "WEI").await, [row("TECHNICIAN", "NAME", "Li Wei", "CONTAINS")]);
    // One character is looked for at the beginning only.
    assert!(found(&app, "面").await.is_empty());
    assert_eq!(found(&app, "老").await.len(), 2);
}

#[tokio::test]
async fn a_phone_is_found_by_its_digits() {
    let app = shop().await;
    for typed in ["13800138000", "138 0013 8000", "１３８００１３８０００", "0013-8000"] {
        let hits = found(&app, typed).await;
        assert!(hits.len() == 1 && hits[0].0 == "SITE" && hits[0].1 == "PHONE", "{typed}: {hits:?}");
    }
    let hits = found(&app, "13900001111").await;
    assert_eq!(hits, [row("TECHNICIAN", "PHONE", "+86 139 0000 1111", "CONTAINS")]);
}

#[tokio::test]
async fn only_the_types_asked_for_are_found_and_pages_go_on() {
    let app = shop().await;
    let types = |types: &[&str]| json!({"text": "老王", "types": types});
    assert_eq!(rows(&app, types(&["SITE"])).await.len(), 1);
    assert_eq!(rows(&app, types(&["DEVICE", "MERCHANT"])).await.len(), 1);
    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        let data = app.gql(SEARCH, json!({"text": "老王", "first": 1, "after": after})).await;
        assert_eq!(data["search"]["totalCount"], 2);
        seen.push(text(&data["search"]["nodes"][0]["type"]));
        if data["search"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = data["search"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ["MERCHANT", "SITE"]);
    for (variables, word) in [
        (json!({"text": " 　"}), "empty"),
        (json!({"text": "x".repeat(201)}), "200"),
        (json!({"text": "王", "after": after}), "another list"),
    ] {
        let answer = app.try_gql(SEARCH, variables.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{variables}: {answer:#}");
        assert!(text(&answer["errors"][0]["message"]).contains(word), "{variables}: {answer:#}");
    }
}

#[tokio::test]
async fn an_exact_number_is_found_however_many_names_contain_it() {
    let app = TestApp::start().await;
    for n in 0..200 {
        app.technician(&format!("Shift E77 number {n}")).await;
    }
    let named = json!({"name": "Li Wei", "employeeNumber": "E77"});
    app.mutate("createTechnician", "", named).await;
    let first = rows(&app, json!({"text": "e77", "types": ["TECHNICIAN"], "first": 1})).await;
    assert_eq!(first, [row("TECHNICIAN", "EMPLOYEE_NUMBER", "E77", "EXACT")]);
}

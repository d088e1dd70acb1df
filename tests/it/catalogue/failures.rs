//! Failure codes with their causes and remedies, as people read them.

use crate::support::{TestApp, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CODES: &str = "query($component: ComponentKind) { failureCodes(component: $component) {
    code name { en zh } family component mode mechanism { number name { en zh } }
    severity isRemoteFixable isCompliance origin
    causes { code name { en zh } source } remedies { code name { en zh } source }
    detection { en zh } note { en zh } source basis
} }";

async fn failure_codes(app: &TestApp, component: Option<&str>) -> Vec<Value> {
    let data = app.gql(CODES, json!({"component": component})).await;
    data["failureCodes"].as_array().expect("a list").clone()
}

fn find<'a>(codes: &'a [Value], code: &str) -> &'a Value {
    codes.iter().find(|c| c["code"] == code).unwrap_or_else(|| panic!("no {code}"))
}

#[tokio::test]
async fn failure_codes_say_in_both_languages_what_fails_why_and_what_helps() {
    let app = TestApp::start().await;
    app.seed().await;
    let codes = failure_codes(&app, None).await;
    assert_eq!(codes.len(), 34);
    let dirty = find(&codes, "CRD-MSR-01");
    assert_eq!(dirty["name"], json!({"en": "Magstripe misread: dirty head", "zh": "磁条读取失败：磁头脏污"}));
    assert_eq!(dirty["family"], "CARD_READ_FAILURE");
    assert_eq!(dirty["component"], "MAGSTRIPE_READER");
    assert_eq!(dirty["mode"], "DEGRADED");
    assert_eq!(dirty["mechanism"], json!({"number": "5.2", "name": {"en": "Contamination", "zh": "污染"}}));
    assert_eq!((&dirty["severity"], &dirty["origin"]), (&json!(3), &json!("DEVICE")));
    assert_eq!((&dirty["isRemoteFixable"], &dirty["isCompliance"]), (&json!(false), &json!(false)));
    assert_eq!(dirty["basis"], "SOURCED_LOW");
    let named = |list: &Value| -> Vec<(String, String)> {
        let rows = list.as_array().expect("a list").iter();
        rows.map(|row| (text(&row["code"]), text(&row["name"]["zh"]))).collect()
    };
    let pair = |code: &str, name: &str| (code.to_owned(), name.to_owned());
    assert_eq!(named(&dirty["causes"]), [pair("contamination_head", "磁头脏污"), pair("no_cleaning_done", "未做清洁")]);
    assert_eq!(
        named(&dirty["remedies"]),
        [
            pair("clean_head_with_card", "用清洁卡清洁磁头"),
            pair("test_swipe_3_cards", "用三张卡试刷"),
            pair("reset_error_window", "重新开始统计错误"),
        ],
        "in the order to try them"
    );
    for code in &codes {
        for shown in [&code["causes"], &code["remedies"], &code["detection"]] {
            assert!(shown.as_array().is_some_and(|list| !list.is_empty()), "{code:#}");
        }
    }
    // What is about no part of the device, and what to mind.
    let host = find(&codes, "DLY-HST-01");
    assert_eq!((&host["component"], &host["origin"]), (&Value::Null, &json!("HOST")));
    assert!(text(&host["note"]["en"]).contains("never one order per terminal"), "{host:#}");
    let none = find(&codes, "UNK-NFF-00");
    assert_eq!((&none["origin"], &none["mode"]), (&json!("NONE_FOUND"), &json!("NO_FAILURE")));
}

#[tokio::test]
async fn failure_codes_of_a_part_are_those_alone() {
    let app = TestApp::start().await;
    app.seed().await;
    for (component, expected) in [
        ("MAGSTRIPE_READER", vec!["CRD-MSR-01", "CRD-MSR-02", "CRD-MSR-03"]),
        ("COIN_CELL", vec!["PWR-COI-01"]),
        ("CAMERA", vec![]),
    ] {
        let found: Vec<String> = failure_codes(&app, Some(component)).await.iter().map(|c| text(&c["code"])).collect();
        assert_eq!(found, expected, "{component}");
    }
}

#[tokio::test]
async fn causes_and_remedies_are_listed_and_every_code_names_some_of_them() {
    let app = TestApp::start().await;
    app.seed().await;
    let query = "{ failureCauses { code name { en zh } source } failureRemedies { code name { en zh } source } }";
    let data = app.gql(query, json!({})).await;
    let codes = failure_codes(&app, None).await;
    for (list, key) in [("failureCauses", "causes"), ("failureRemedies", "remedies")] {
        let rows = data[list].as_array().expect("a list");
        let listed: Vec<String> = rows.iter().map(|r| text(&r["code"])).collect();
        assert!(listed.is_sorted() && listed.len() > 50, "{list}: {listed:?}");
        for row in rows {
            for language in ["en", "zh"] {
                assert!(!text(&row["name"][language]).is_empty(), "{row:#}");
            }
        }
        let named: BTreeSet<String> =
            codes.iter().flat_map(|c| c[key].as_array().into_iter().flatten()).map(|r| text(&r["code"])).collect();
        assert_eq!(named, listed.into_iter().collect::<BTreeSet<String>>(), "{list}");
    }
}

#[tokio::test]
async fn an_organization_without_seeds_has_empty_lists() {
    let app = TestApp::start().await;
    let query = "{ failureCodes { code } failureCauses { code } failureRemedies { code } freezePeriods { code } }";
    let empty = json!({"failureCodes": [], "failureCauses": [], "failureRemedies": [], "freezePeriods": []});
    assert_eq!(app.gql(query, json!({})).await, empty);
}

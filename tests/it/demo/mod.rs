//! The demo fleet shows every kind of maintenance, and says why each is due.

use crate::support::{TestApp, text};
use serde_json::{Value, json};

/// A Wednesday at 11:00 in Shanghai.
const NOW: &str = "2026-11-25T03:00:00Z";
/// Enough for every odd case to find a shop of its own.
const DEVICES: usize = 200;

/// Odd cases by serial number, the plan that shows each and the trigger that wins.
const SHOWN: [(&str, &str, &str); 18] = [
    ("0821990011", "PM-CLEAN-READER", "CONDITION"),
    ("NL2107990012", "PM-CLEAN-READER", "CONDITION"),
    ("1851990013", "PM-POWER", "CONDITION"),
    ("NL2107990014", "PM-BATTERY", "CONDITION"),
    ("1851990015", "PM-BATTERY", "CONDITION"),
    ("514990016", "PM-POWER", "CONDITION"),
    ("P20A29900171", "PM-DISPLAY", "CONDITION"),
    ("1240990018", "PM-ENV", "CONDITION"),
    ("21179900191", "PM-ENV", "CONDITION"),
    ("P20A29900201", "PM-RESOURCE", "CONDITION"),
    ("401990021", "PM-COMMS", "CONDITION"),
    ("NL2107990022", "PM-CLEAN-READER", "CONDITION"),
    ("1851990023", "PM-TAMPER", "EVENT"),
    ("0821990024", "PM-TAMPER", "EVENT"),
    ("3A199025", "PM-POWER", "EVENT"),
    ("0821990026", "PM-PREINST", "EVENT"),
    ("0821990028", "PM-FW", "FIRMWARE"),
    ("0821990029", "PM-FW", "FIRMWARE"),
];

/// What is due of a device in the next two months.
async fn upcoming(app: &TestApp, serial: &str) -> Vec<Value> {
    let device =
        app.gql("query($serial: String!) { device(serialNumber: $serial) { id } }", json!({"serial": serial})).await;
    let query = "query($device: ID!) {
        upcomingMaintenance(dueBefore: \"2027-01-25T00:00:00Z\", filter: {deviceId: $device}, first: 100) { nodes {
            plan { code } isOverdue workOrder { kind state }
            explanation { trigger en: summary(language: EN) zh: summary(language: ZH) }
        } }
    }";
    let data = app.gql(query, json!({"device": text(&device["device"]["id"])})).await;
    data["upcomingMaintenance"]["nodes"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn the_demo_shows_every_kind_of_maintenance_and_says_why() {
    let app = TestApp::start_at(NOW).await;
    app.demo(DEVICES).await;
    let mut wrong = Vec::new();
    for (serial, plan, trigger) in SHOWN {
        let rows = upcoming(&app, serial).await;
        let Some(row) = rows.iter().find(|r| r["plan"]["code"] == plan) else {
            wrong.push(format!("{serial}: nothing of {plan} is due"));
            continue;
        };
        let why = &row["explanation"];
        if why["trigger"] != trigger || row["isOverdue"] == true {
            wrong.push(format!("{serial} {plan}: {row}"));
        }
        let (en, zh) = (text(&why["en"]), text(&why["zh"]));
        let is_chinese = zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        if !en.starts_with("Due ") || !is_chinese {
            wrong.push(format!("{serial} {plan}: {en} / {zh}"));
        }
        // A repair that did not help is not silent.
        if serial == "NL2107990022" && row["workOrder"]["kind"] != "CORRECTIVE" {
            wrong.push(format!("{serial}: {row}"));
        }
    }
    // The step that failed opened an order without a plan.
    let repairs = upcoming(&app, "20309900311").await;
    if !repairs.iter().any(|r| r["plan"].is_null() && r["workOrder"]["kind"] == "CORRECTIVE") {
        wrong.push(format!("20309900311: no corrective order in {repairs:?}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let counts = app
        .gql(
            "{ all: upcomingMaintenance(dueBefore: \"2027-01-06T00:00:00Z\") { totalCount }
               late: upcomingMaintenance(dueBefore: \"2027-01-06T00:00:00Z\", filter: {overdueOnly: true}) { totalCount } }",
            json!({}),
        )
        .await;
    let [all, late] = ["all", "late"].map(|key| counts[key]["totalCount"].as_u64().expect("a count"));
    assert!(late > 0 && late * 12 < all, "{late} of {all} are overdue: a few percent are");
}

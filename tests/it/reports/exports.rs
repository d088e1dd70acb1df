//! Lists as CSV: by HTTP and by the command line's own way, safe in a spreadsheet, and back again.

use super::*;
use crate::ingest::take_in;
use crate::planning::{device_at, floating, make_plan};
use std::io::Write;
use tempfile::NamedTempFile;
use tillkeep::ingest::Kind;

/// Serial numbers that a spreadsheet would run, and one it must not touch.
const ODD: [&str; 7] = ["=HYPERLINK(\"http://x\",\"y\")", "+1", "@x", "-2+3", "-12.5", "'=1", "老王,1"];

/// A file as the server sends it.
async fn fetch(app: &TestApp, path: &str) -> String {
    let response = app.http.get(format!("{}{path}", app.url)).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200, "{path}");
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8");
    assert!(header("content-disposition").starts_with("attachment; filename="), "{path}");
    response.text().await.unwrap()
}

/// Columns and rows of a file.
fn read(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = cells(reader.headers().unwrap());
    let rows = reader.records().map(|record| cells(&record.unwrap())).collect();
    (columns, rows)
}

/// The cells of a column.
fn column(text: &str, name: &str) -> Vec<String> {
    let (columns, rows) = read(text);
    let place = columns.iter().position(|c| c == name).unwrap_or_else(|| panic!("no column {name} in {columns:?}"));
    rows.into_iter().map(|mut row| row.swap_remove(place)).collect()
}

#[tokio::test]
async fn devices_that_are_exported_and_imported_elsewhere_are_the_same_devices() {
    let app = TestApp::start_at(START).await;
    let model = app.model().await;
    for serial in ODD {
        app.device(&model, serial).await;
    }
    let till = app.fielded("HX1", START).await;
    let input = json!({"deviceId": till.device, "assetTag": "=A1+1", "firmwareVersion": "3.2.1"});
    app.mutate("updateDevice", "", input).await;
    let file = fetch(&app, "/export/devices.csv").await;
    let serials = column(&file, "serial_number");
    for (cell, serial) in serials.iter().zip(ODD) {
        assert!(!cell.starts_with(['=', '+', '@']), "{cell}");
        assert!(cell == serial || *cell == format!("'{serial}"), "{cell}");
    }
    assert_eq!(serials[4], "-12.5", "a number stays a number");
    assert_eq!(column(&file, "asset_tag")[7], "'=A1+1");

    let other = TestApp::start_at(START).await;
    other.model().await;
    let site = other.site(&other.merchant("Merchant").await).await;
    other.position(&site, "Counter 1", Some("THX1")).await;
    let mut saved = NamedTempFile::new().unwrap();
    saved.write_all(file.as_bytes()).unwrap();
    let report = take_in(&other, Kind::Devices, saved.path()).await.unwrap();
    assert_eq!((report.added, report.refused_count), (8, 0), "{report}");
    assert_eq!(fetch(&other, "/export/devices.csv").await, file, "and out again as it came");
    let query = "query($serial: String) { device(serialNumber: $serial) { serialNumber status } }";
    for serial in ODD {
        let data = other.gql(query, json!({"serial": serial})).await;
        assert_eq!(data["device"], json!({"serialNumber": serial, "status": "IN_STOCK"}));
    }
    let query = "{ device(terminalNumber: \"THX1\") { serialNumber installedAt assetTag firmwareVersion } }";
    let data = other.gql(query, json!({})).await;
    let (tag, version) = (&data["device"]["assetTag"], &data["device"]["firmwareVersion"]);
    assert_eq!((tag, version), (&json!("=A1+1"), &json!("3.2.1")));
}

#[tokio::test]
async fn upcoming_work_says_when_where_and_why_in_the_readers_language() {
    let app = TestApp::start_at(START).await;
    let site = site_named(&app, "=cmd|' /C calc'!A0", Some("310101")).await;
    for serial in ["HX1", "HX2"] {
        device_at(&app, &site, serial, START).await;
    }
    make_plan(&app, "DAYS", &[floating("P30D")], json!({"name": {"en": "Cleaning", "zh": "清洁"}})).await;
    app.set_clock("2026-05-21T02:00:00Z");
    app.run_planner().await;
    let file = fetch(&app, "/export/upcoming.csv").await;
    assert_eq!(column(&file, "due_on"), ["2026-06-03", "2026-06-03"]);
    assert_eq!(column(&file, "site"), ["'=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"]);
    assert!(column(&file, "reason").iter().all(|reason| reason.starts_with("Due 2026-06-03: ")), "{file}");
    assert_eq!(column(&file, "plan_name"), ["Cleaning", "Cleaning"]);
    assert!(column(&file, "work_order").iter().all(|number| number.starts_with("WO-2026-")), "{file}");
    assert_eq!(read(&fetch(&app, "/export/upcoming.csv?days=3").await).1.len(), 0, "not within three days");

    let request = app.http.get(format!("{}/export/upcoming.csv", app.url)).header("accept-language", "zh-CN");
    let chinese = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(column(&chinese, "plan_name"), ["清洁", "清洁"]);
}

#[tokio::test]
async fn visits_are_exported_line_by_line() {
    let app = TestApp::start_at(START).await;
    let till = app.fielded("HX1", START).await;
    let plan = make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-06-01T02:00:00Z");
    app.run_planner().await;
    let lines = vec![
        json!({"deviceId": till.device, "planIds": [plan], "findings": "-1+1, \"dusty\""}),
        json!({"serialNumber": "NOBODY", "outcome": "DEVICE_NOT_FOUND"}),
    ];
    app.log_visit(&till.site, &technician, "2026-06-01T02:00:00Z", lines).await;
    let file = fetch(&app, "/export/visits.csv").await;
    assert_eq!(column(&file, "visit"), ["SV-2026-000001", "SV-2026-000001"]);
    assert_eq!(column(&file, "serial_number"), ["HX1", "NOBODY"]);
    assert_eq!(column(&file, "outcome"), ["DONE", "DEVICE_NOT_FOUND"]);
    assert_eq!(column(&file, "findings"), ["'-1+1, \"dusty\"", ""]);
    assert_eq!(column(&file, "plans"), ["DAYS", ""]);
    assert_eq!(column(&file, "technician"), ["Li Wei", "Li Wei"]);
}

#[tokio::test]
async fn a_list_of_several_pages_is_one_file_with_one_header() {
    const COUNT: usize = 1_203;
    let app = TestApp::start_at(START).await;
    app.model().await;
    let rows: String = (0..COUNT).map(|n| format!("Huaxin,HX-1,F{n:05}\n")).collect();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(format!("manufacturer,model,serial_number\n{rows}").as_bytes()).unwrap();
    let report = take_in(&app, Kind::Devices, file.path()).await.unwrap();
    assert_eq!(report.added as usize, COUNT, "{report}");
    let serials = column(&fetch(&app, "/export/devices.csv").await, "serial_number");
    let expected: Vec<String> = (0..COUNT).map(|n| format!("F{n:05}")).collect();
    assert_eq!(serials, expected);
}

#[tokio::test]
async fn a_file_that_is_not_there_and_days_that_cannot_be_are_refused() {
    let app = TestApp::start_at(START).await;
    for (path, status) in [
        ("/export/merchants.csv", 404),
        ("/export/devices", 404),
        ("/export/upcoming.csv?days=0", 400),
        ("/export/upcoming.csv?days=3661", 400),
        ("/export/upcoming.csv?days=soon", 400),
    ] {
        let response = app.http.get(format!("{}{path}", app.url)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{path}: {answer:#}");
    }
}

//! Files taken in: what is good stays, what is wrong is told by line, and again adds nothing.

use crate::support::builders::MAKER;
use crate::support::{TestApp, at, instant, only, text};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;
use tillkeep::ingest::{Error, ImportReport, Kind, Rooms, run};

/// A row that is refused: its line, its code, and words of its reason.
type RefusedLine = (u64, &'static str, &'static str);

const MERCHANTS: &str = "merchant_number,name\nM1,老王面馆\nM2,\"Café, 拾光\"\n";
const SITES: &str = "merchant_number,name,time_zone,region_code,positions\n\
    M1,文三路店,Asia/Shanghai,330106,Counter 1=33010001;Counter 2=33010002\n\
    M2,Bund,Asia/Shanghai,310101,Bar=31010001\n";
const DEVICES: &str = "manufacturer,model,serial_number,terminal_number,installed_at,status\n\
    Huaxin,HX-1,HX1,33010001,2026-05-01T10:00:00+08:00,IN_SERVICE\n\
    Huaxin,HX-1,HX2,31010001,2026-05-02T10:00:00+08:00,\n\
    Huaxin,HX-1,HX3,,,\n";
const READINGS: &str = "serial_number,terminal_number,meter,value,read_at\n\
    HX1,,TRANSACTIONS,160,2026-05-02T22:00:00+08:00\n\
    ,31010001,TRANSACTIONS,40,2026-05-02T22:00:00+08:00\n\
    HX1,,TRANSACTIONS,100,2026-05-01T22:00:00+08:00\n";

/// Takes a file in, as the command line does.
pub async fn take_in(app: &TestApp, kind: Kind, path: &Path) -> Result<ImportReport, Error> {
    let call = || app.app.system_call("importer");
    let rooms =
        Rooms { catalogue: &app.app.catalogue, registry: &app.app.registry, usage: &app.app.usage, call: &call };
    run(rooms, kind, path, false).await
}

/// The bytes of a file as gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// What a file that can be read to its end comes to.
async fn report(app: &TestApp, kind: Kind, bytes: &[u8]) -> ImportReport {
    take_in(app, kind, file(bytes).path()).await.unwrap_or_else(|e| panic!("{}: {e}", kind.as_str()))
}

/// Rows, and of them added, unchanged and refused.
fn counts(report: &ImportReport) -> (u64, u64, u64, u64) {
    (report.rows, report.added, report.unchanged, report.refused_count)
}

#[tokio::test]
async fn a_fleet_comes_in_by_files_plain_or_gzip_and_again_adds_nothing() {
    let app = TestApp::start().await;
    app.model().await;
    for (place, (kind, csv)) in
        [(Kind::Merchants, MERCHANTS), (Kind::Sites, SITES), (Kind::Devices, DEVICES), (Kind::Readings, READINGS)]
            .into_iter()
            .enumerate()
    {
        let mut forms = [csv.as_bytes().to_vec(), gzip(csv.as_bytes())];
        forms.rotate_left(place % 2);
        let rows = csv.lines().count() as u64 - 1;
        let first = report(&app, kind, &forms[0]).await;
        assert_eq!(counts(&first), (rows, rows, 0, 0), "{}: {first}", kind.as_str());
        let again = report(&app, kind, &forms[1]).await;
        assert_eq!(counts(&again), (rows, 0, rows, 0), "{} again: {again}", kind.as_str());
    }

    let query = r#"{
        one: device(terminalNumber: "33010001") {
            serialNumber status installedAt merchant { name merchantNumber } site { name regionCode timeZone }
            meters { code lifeCounter latestAt } historyIntegrity { isIntact eventCount }
        }
        two: device(serialNumber: "HX2") { status terminalNumber meters { lifeCounter } }
        three: device(serialNumber: "HX3") { status site { name } }
        devices { totalCount } sites { totalCount } merchants { totalCount }
    }"#;
    let data = app.gql(query, json!({})).await;
    let one = &data["one"];
    assert_eq!((&one["serialNumber"], &one["status"]), (&json!("HX1"), &json!("IN_SERVICE")));
    assert_eq!(instant(&one["installedAt"]), at("2026-05-01T02:00:00Z"));
    assert_eq!(one["merchant"], json!({"name": "老王面馆", "merchantNumber": "M1"}));
    assert_eq!(one["site"], json!({"name": "文三路店", "regionCode": "330106", "timeZone": "Asia/Shanghai"}));
    let meter = only(&one["meters"]);
    assert_eq!((&meter["code"], meter["lifeCounter"].as_f64()), (&json!("TRANSACTIONS"), Some(160.0)));
    assert_eq!(instant(&meter["latestAt"]), at("2026-05-02T14:00:00Z"));
    assert_eq!(one["historyIntegrity"], json!({"isIntact": true, "eventCount": 2}), "registered and installed, once");
    let two = &data["two"];
    assert_eq!((&two["status"], &two["terminalNumber"]), (&json!("INSTALLED"), &json!("31010001")));
    assert_eq!(only(&two["meters"])["lifeCounter"], 40.0, "sent by terminal number");
    assert_eq!(data["three"], json!({"status": "IN_STOCK", "site": null}));
    let all = ["devices", "sites", "merchants"].map(|list| data[list]["totalCount"].as_u64());
    assert_eq!(all, [Some(3), Some(2), Some(2)]);
}

#[tokio::test]
async fn bad_rows_are_told_by_line_and_reason_the_others_stay_and_the_repaired_file_completes_it() {
    let app = TestApp::start().await;
    app.model().await;
    let cases: [(Kind, &str, u64, &[RefusedLine]); 4] = [
        (
            Kind::Merchants,
            "merchant_number,name\nM1,One\n,Nameless\nM2,Two\nM1,Another\nM3\nM4,Four\n",
            3,
            &[
                (3, "REQUIRED", "merchant_number must not be empty"),
                (5, "ALREADY_EXISTS", "is \"One\"'s"),
                (6, "INVALID", "the row has 1 fields, the header 2"),
            ],
        ),
        (
            Kind::Sites,
            "merchant_number,name,time_zone,positions\nM1,A,Asia/Shanghai,Lane=T1\nM9,B,Asia/Shanghai,\n\
             M1,C,Asia/Nowhere,\nM2,D,Asia/Shanghai,Lane=T1\nM2,E,Asia/Shanghai,\n",
            2,
            &[
                (3, "NOT_FOUND", "import the merchants first"),
                (4, "UNKNOWN_TIME_ZONE", "Asia/Nowhere"),
                (5, "ALREADY_EXISTS", "the site was added, but not every position"),
            ],
        ),
        (
            Kind::Devices,
            "manufacturer,model,serial_number,status,terminal_number,installed_at\n\
             Huaxin,HX-1,D1,,T1,2026-05-01T10:00:00+08:00\nHuaxin,HX-9,D2,,,\nHuaxin,HX-1,D3,ASLEEP,,\n\
             Huaxin,HX-1,D4,,T1,2026-05-01T11:00:00+08:00\nHuaxin,HX-1,D5,,T1,yesterday\nHuaxin,HX-1,D6,,,\n",
            2,
            &[
                (3, "NOT_FOUND", "no model HX-9 of Huaxin"),
                (4, "INVALID", "status is \"ASLEEP\"; give one of ORDERED, IN_STOCK"),
                (5, "POSITION_OCCUPIED", "the device was registered, but not installed"),
                (6, "INVALID_INSTANT", "installed_at is \"yesterday\""),
            ],
        ),
        (
            Kind::Readings,
            "serial_number,meter,value,read_at\nD1,TRANSACTIONS,100,2026-05-01T22:00:00+08:00\n\
             D1,TRANSACTIONS,many,2026-05-02T22:00:00+08:00\nD7,TRANSACTIONS,5,2026-05-02T22:00:00+08:00\n\
             D1,PAGES,5,2026-05-02T22:00:00+08:00\nD1,TRANSACTIONS,-1,2026-05-02T22:00:00+08:00\n\
             D1,TRANSACTIONS,130,2026-05-02\nD1,TRANSACTIONS,999999,2026-05-02T21:00:00+08:00\n\
             D1,TRANSACTIONS,160,2026-05-03T22:00:00+08:00\n",
            2,
            &[
                (3, "INVALID_NUMBER", "value is \"many\""),
                (4, "NOT_FOUND", "D7"),
                (5, "UNKNOWN_METER", "PAGES"),
                (6, "INVALID_NUMBER", "negative"),
                (7, "INVALID_INSTANT", "read_at is \"2026-05-02\""),
                (8, "OUT_OF_RANGE", "kept aside"),
            ],
        ),
    ];
    for (kind, csv, added, refused) in cases {
        let report = report(&app, kind, csv.as_bytes()).await;
        assert_eq!((report.added, report.unchanged), (added, 0), "{}: {report}", kind.as_str());
        let told: Vec<(u64, &str)> = report.refused.iter().map(|r| (r.row, r.code.as_str())).collect();
        let expected: Vec<(u64, &str)> = refused.iter().map(|(line, code, _)| (*line, *code)).collect();
        assert_eq!(told, expected, "{}: {report}", kind.as_str());
        for (row, (line, _, part)) in report.refused.iter().zip(refused) {
            assert!(row.message.contains(part), "{} line {line}: no \"{part}\" in: {}", kind.as_str(), row.message);
            assert_eq!(row.is_kept_aside, row.code.as_str() == "OUT_OF_RANGE");
        }
    }

    let repaired = "serial_number,meter,value,read_at\nD1,TRANSACTIONS,100,2026-05-01T22:00:00+08:00\n\
        D1,TRANSACTIONS,130,2026-05-02T22:00:00+08:00\nD1,TRANSACTIONS,160,2026-05-03T22:00:00+08:00\n";
    let report = report(&app, Kind::Readings, repaired.as_bytes()).await;
    assert_eq!(counts(&report), (3, 1, 2, 0), "{report}");
    let query =
        "query($maker: String) { device(serialNumber: \"D1\", manufacturer: $maker) { meters { lifeCounter } } }";
    let data = app.gql(query, json!({"maker": MAKER})).await;
    assert_eq!(only(&data["device"]["meters"])["lifeCounter"], 160.0);
}

#[tokio::test]
async fn a_file_that_is_wrong_as_a_whole_is_named_with_the_reason_and_nothing_of_it_stays() {
    let app = TestApp::start().await;
    let cut_off = gzip(MERCHANTS.as_bytes());
    let cases: [(Kind, &[u8], &str); 7] = [
        (Kind::Merchants, b"merchant_number,nmae\nM1,One\n", "has no column name"),
        (Kind::Merchants, b"merchant_number,name,colour\nM1,One,red\n", "unknown column \"colour\""),
        (Kind::Merchants, b"merchant_number,name,name\nM1,One,One\n", "has the column name twice"),
        (Kind::Readings, b"meter,value,read_at\n", "has no column serial_number or terminal_number"),
        (Kind::Devices, b"", "is empty; its first line must name the columns: manufacturer, model, serial_number"),
        (Kind::Merchants, &cut_off[..cut_off.len() - 1], "is a damaged or cut-off gzip file"),
        (Kind::Merchants, b"merchant_number,n\xffme\nM1,One\n", "is not UTF-8 text"),
    ];
    for (kind, bytes, part) in cases {
        let file = file(bytes);
        let error = take_in(&app, kind, file.path()).await.err().unwrap_or_else(|| panic!("not refused: {part}"));
        let (said, name) = (error.to_string(), file.path().display().to_string());
        assert!(said.contains(part) && said.contains(&name), "no \"{part}\" or {name} in: {said}");
    }
    let absent = take_in(&app, Kind::Merchants, Path::new("no/such.csv")).await.err().unwrap().to_string();
    assert!(absent.starts_with("cannot open no/such.csv: "), "{absent}");
    let header_only = report(&app, Kind::Merchants, b"merchant_number,name\n").await;
    assert_eq!(counts(&header_only), (0, 0, 0, 0));
    let data = app.gql("{ merchants { totalCount } }", json!({})).await;
    assert_eq!(data["merchants"]["totalCount"], 0);

    let whole = report(&app, Kind::Merchants, &gzip(MERCHANTS.as_bytes())).await;
    assert_eq!(counts(&whole), (2, 2, 0, 0), "copied again, the file goes in");
}

#[tokio::test]
async fn a_file_saved_by_a_spreadsheet_reads_like_any_other() {
    let app = TestApp::start().await;
    let saved = format!("\u{feff}{}", MERCHANTS.replace('\n', "\r\n")) + ",\u{65e0}\u{540d}\r\n";
    let report = report(&app, Kind::Merchants, saved.as_bytes()).await;
    assert_eq!(counts(&report), (3, 2, 0, 1), "{report}");
    assert_eq!((report.refused[0].row, report.refused[0].code.as_str()), (4, "REQUIRED"));
    let data = app.gql("{ merchants { nodes { name } } }", json!({})).await;
    let names: Vec<String> =
        data["merchants"]["nodes"].as_array().into_iter().flatten().map(|m| text(&m["name"])).collect();
    assert_eq!(names, ["老王面馆", "Café, 拾光"]);
}

//! Parts replaced on a visit: both histories keep them, and only their own life begins anew.

use super::*;
use crate::bad_input::refused_all;
use crate::planning::{START, told};
use crate::support::builders::MAKER;
use crate::support::{Fielded, at, instant, only};

/// A device in the field whose battery is rated for 10,000 TRANSACTIONS; its display is replaced in
/// the workshop, its camera at the maker's.
async fn till(app: &TestApp, model: &str, serial: &str) -> Fielded {
    let merchant = app.merchant(&format!("Merchant of {serial}")).await;
    let site = app.site(&merchant).await;
    let position = app.position(&site, "Counter 1", Some(&format!("T{serial}"))).await;
    let device = app.device(model, serial).await;
    app.install(&device, &position, START).await;
    Fielded { device, site, position, merchant, model: model.to_owned() }
}

async fn model(app: &TestApp) -> String {
    let input = json!({
        "manufacturer": MAKER,
        "name": "HX-P",
        "meters": [{"code": "TRANSACTIONS", "maxPerDay": 20_000, "planningPerDay": 15, "ratedLife": 10_000}],
        "components": [
            {"kind": "BATTERY", "replaceableAt": "FIELD", "ratedMeter": "TRANSACTIONS"},
            {"kind": "PRINTER", "replaceableAt": "FIELD"},
            {"kind": "DISPLAY", "replaceableAt": "DEPOT"},
            {"kind": "CAMERA", "replaceableAt": "FACTORY"},
        ],
    });
    text(&app.mutate("createDeviceModel", "deviceModel { id }", input).await["deviceModel"]["id"])
}

fn replaced(device: &str, part: Value) -> Value {
    json!({"deviceId": device, "partsReplaced": [part]})
}

/// The parts of a kind a device has and had, the one that is in last.
async fn parts(app: &TestApp, device: &str, kind: &str) -> Vec<Value> {
    let query = "query($id: ID!) { device(id: $id) { components {
        kind serialNumber partNumber installedAt removedAt warrantyEndsOn ratedMeter unitsSinceInstalled lifeUsed
    } } }";
    let data = app.gql(query, json!({"id": device})).await;
    let all = data["device"]["components"].as_array().expect("a device").clone();
    let mut of_kind: Vec<Value> = all.into_iter().filter(|c| c["kind"] == kind).collect();
    of_kind.sort_by_key(|c| (c["removedAt"].is_null(), c["removedAt"].as_str().map(at)));
    of_kind
}

#[tokio::test]
async fn a_replaced_part_begins_a_life_of_its_own_and_nothing_else_does() {
    let app = TestApp::start_at(START).await;
    let till = till(&app, &model(&app).await, "HX1").await;
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-20T02:00:00Z");
    app.read(&till.device, "TRANSACTIONS", 1_000.0, "2026-05-05T02:00:00Z").await;
    app.read(&till.device, "TRANSACTIONS", 4_000.0, "2026-05-08T02:00:00Z").await;
    let before = parts(&app, &till.device, "BATTERY").await;
    let battery = only_one(&before);
    assert_eq!((&battery["unitsSinceInstalled"], &battery["lifeUsed"]), (&json!(4_000.0), &json!(0.4)));

    let part = json!({
        "componentKind": "BATTERY", "oldSerialNumber": "B-1", "newSerialNumber": "B-2", "partNumber": "BP-7",
        "warrantyEndsOn": "2027-05-08",
    });
    let line = replaced(&till.device, part.clone());
    let logged = app.log_visit(&till.site, &technician, "2026-05-08T03:00:00Z", vec![line]).await;
    assert_eq!(codes(&logged, 1), [["RECORDED"]]);
    app.read(&till.device, "TRANSACTIONS", 5_000.0, "2026-05-10T02:00:00Z").await;

    let [old, new]: [Value; 2] = parts(&app, &till.device, "BATTERY").await.try_into().expect("two batteries");
    assert_eq!((&old["serialNumber"], &new["serialNumber"]), (&json!("B-1"), &json!("B-2")));
    assert_eq!(instant(&old["removedAt"]), at("2026-05-08T03:00:00Z"));
    assert_eq!((instant(&new["installedAt"]), &new["removedAt"]), (at("2026-05-08T03:00:00Z"), &Value::Null));
    assert_eq!((&new["partNumber"], &new["warrantyEndsOn"]), (&json!("BP-7"), &json!("2027-05-08")));
    assert_eq!((&old["unitsSinceInstalled"], &old["lifeUsed"]), (&json!(4_000.0), &json!(0.4)));
    assert_eq!((&new["unitsSinceInstalled"], &new["lifeUsed"]), (&json!(1_000.0), &json!(0.1)));
    let printer = parts(&app, &till.device, "PRINTER").await;
    let printer = only_one(&printer);
    assert_eq!((&printer["ratedMeter"], &printer["lifeUsed"]), (&Value::Null, &Value::Null));
    let query = "query($id: ID!) { device(id: $id) { meters { lifeCounter } } }";
    let data = app.gql(query, json!({"id": till.device})).await;
    assert_eq!(only(&data["device"]["meters"])["lifeCounter"], 5_000.0, "the device's own counter goes on");

    let told = told(&app, &till.device, &["COMPONENT_REPLACED"]).await;
    let [event] = told.as_slice() else { panic!("{told:#?}") };
    let payload = &event["payload"];
    assert_eq!((&payload["oldSerialNumber"], &payload["newSerialNumber"]), (&json!("B-1"), &json!("B-2")));
    assert_eq!(differences(&app).await, Vec::<String>::new());
    let query = "{ serviceVisits { nodes { lines { partsReplaced {
        componentKind oldSerialNumber newSerialNumber partNumber warrantyEndsOn
    } } } } }";
    let data = app.gql(query, json!({})).await;
    assert_eq!(only(&data["serviceVisits"]["nodes"])["lines"][0]["partsReplaced"], json!([part]));
}

#[tokio::test]
async fn a_part_put_in_before_the_first_reading_has_not_the_life_of_the_device() {
    let app = TestApp::start_at(START).await;
    let till = till(&app, &model(&app).await, "HX1").await;
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-20T02:00:00Z");
    let part = json!({"componentKind": "BATTERY", "newSerialNumber": "B-2"});
    app.log_visit(&till.site, &technician, "2026-05-08T02:00:00Z", vec![replaced(&till.device, part)]).await;
    let used = async || {
        let all = parts(&app, &till.device, "BATTERY").await;
        all.last().map(|new| new["unitsSinceInstalled"].clone()).expect("a battery")
    };
    assert_eq!(used().await, Value::Null, "nobody read the meter yet");
    app.read(&till.device, "TRANSACTIONS", 4_000.0, "2026-05-10T02:00:00Z").await;
    assert_eq!(used().await, json!(0.0));
    app.read(&till.device, "TRANSACTIONS", 5_000.0, "2026-05-11T02:00:00Z").await;
    assert_eq!(used().await, json!(1_000.0));
}

fn only_one(list: &[Value]) -> &Value {
    match list {
        [one] => one,
        _ => panic!("{list:#?}"),
    }
}

#[tokio::test]
async fn a_part_that_went_from_one_device_to_another_is_in_both_histories() {
    let app = TestApp::start_at(START).await;
    let model = model(&app).await;
    let (first, second) = (till(&app, &model, "HX1").await, till(&app, &model, "HX2").await);
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-08T02:00:00Z");
    let give = json!({"componentKind": "PRINTER", "oldSerialNumber": "P-1", "newSerialNumber": "P-2"});
    app.log_visit(&first.site, &technician, "2026-05-06T02:00:00Z", vec![replaced(&first.device, give)]).await;
    let take = json!({"componentKind": "PRINTER", "newSerialNumber": "P-1"});
    app.log_visit(&second.site, &technician, "2026-05-07T02:00:00Z", vec![replaced(&second.device, take)]).await;

    let of_first = told(&app, &first.device, &["COMPONENT_REPLACED"]).await;
    assert_eq!(of_first.len(), 2, "{of_first:#?}");
    assert_eq!(of_first[1]["payload"]["toSerialNumber"], "HX2");
    let of_second = told(&app, &second.device, &["COMPONENT_REPLACED"]).await;
    assert_eq!(of_second.len(), 1, "{of_second:#?}");
    assert_eq!(of_second[0]["payload"]["newSerialNumber"], "P-1");
    assert!(of_second[0]["payload"]["fromDevice"].is_string(), "{of_second:#?}");
    let query = "query($id: ID!) { device(id: $id) { history(kinds: [COMPONENT_REPLACED]) { nodes {
        en: summary(language: EN) zh: summary(language: ZH)
    } } } }";
    let data = app.gql(query, json!({"id": first.device})).await;
    let lines = &data["device"]["history"]["nodes"];
    assert_eq!(lines[0], json!({"en": "Printer replaced, out: P-1, in: P-2", "zh": "更换打印机，换下P-1，换上P-2"}));
    assert_eq!(lines[1]["en"], "Part P-1 (printer) is in another device now");
    assert_eq!(differences(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_replacement_told_late_takes_its_place_between_those_known() {
    let app = TestApp::start_at(START).await;
    let till = till(&app, &model(&app).await, "HX1").await;
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-20T02:00:00Z");
    for (serial, performed_at) in [("B-3", "2026-05-15T02:00:00Z"), ("B-2", "2026-05-10T02:00:00Z")] {
        let part = json!({"componentKind": "BATTERY", "newSerialNumber": serial});
        app.log_visit(&till.site, &technician, performed_at, vec![replaced(&till.device, part)]).await;
    }
    let found = parts(&app, &till.device, "BATTERY").await;
    let shown: Vec<(Value, Value)> =
        found.iter().map(|p| (p["serialNumber"].clone(), p["removedAt"].clone())).collect();
    assert_eq!(shown.len(), 3);
    assert_eq!(shown[0].0, Value::Null);
    assert_eq!((&shown[1].0, instant(&shown[1].1)), (&json!("B-2"), at("2026-05-15T02:00:00Z")));
    assert_eq!(shown[2], (json!("B-3"), Value::Null));
    assert_eq!(differences(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_part_is_in_one_device_at_a_time_and_may_have_been_in_another_before() {
    let app = TestApp::start_at(START).await;
    let model = model(&app).await;
    let (first, second) = (till(&app, &model, "HX1").await, till(&app, &model, "HX2").await);
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-20T02:00:00Z");
    let put = |till: &Fielded, serial: &str, moment: &str| {
        let part = json!({"componentKind": "BATTERY", "newSerialNumber": serial});
        visit(&till.site, &technician, moment, replaced(&till.device, part))
    };
    // B-1 is in the second device since the 12th.
    for (till, serial, moment) in [(&second, "B-1", "2026-05-12T02:00:00Z"), (&first, "B-2", "2026-05-10T02:00:00Z")] {
        let input = put(till, serial, moment);
        app.mutate("logServiceVisit", "", input).await;
    }
    // Told late: it was in the first one from the 6th to the 10th, and did not stay until the 15th.
    let input = put(&first, "B-1", "2026-05-06T02:00:00Z");
    app.mutate("logServiceVisit", "", input).await;
    let clash = put(&first, "B-1", "2026-05-15T02:00:00Z");
    refused_all(
        &app,
        vec![("logServiceVisit", clash, "PART_SERIAL_IN_USE", "lines.0.partsReplaced.0.newSerialNumber")],
    )
    .await;
    let found = parts(&app, &first.device, "BATTERY").await;
    let serials: Vec<&Value> = found.iter().map(|p| &p["serialNumber"]).collect();
    assert_eq!(serials, [&Value::Null, &json!("B-1"), &json!("B-2")]);
    assert_eq!(differences(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn of_two_visits_at_once_with_one_serial_number_one_is_refused_by_name() {
    let app = TestApp::start_at(START).await;
    let model = model(&app).await;
    let (first, second) = (till(&app, &model, "HX1").await, till(&app, &model, "HX2").await);
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-08T02:00:00Z");
    let put = |till: &Fielded| {
        let part = json!({"componentKind": "BATTERY", "newSerialNumber": "B-9"});
        visit(&till.site, &technician, "2026-05-07T02:00:00Z", replaced(&till.device, part))
    };
    let (one, other) = tokio::join!(
        app.payload("logServiceVisit", "", put(&first)),
        app.payload("logServiceVisit", "", put(&second)),
    );
    let refused: Vec<&Value> = [&one, &other].into_iter().filter_map(|p| p["userErrors"].get(0)).collect();
    assert_eq!(refused.len(), 1, "{one:#} {other:#}");
    assert_eq!(refused[0]["code"], "PART_SERIAL_IN_USE", "{refused:#?}");
}

#[tokio::test]
async fn a_part_that_cannot_have_been_replaced_so_is_refused() {
    let app = TestApp::start_at(START).await;
    let model = model(&app).await;
    let (first, second) = (till(&app, &model, "HX1").await, till(&app, &model, "HX2").await);
    let technician = app.technician("Li Wei").await;
    app.set_clock("2026-05-08T02:00:00Z");
    for (till, serial) in [(&first, "B-1"), (&second, "B-2")] {
        let part = json!({"componentKind": "BATTERY", "newSerialNumber": serial});
        app.log_visit(&till.site, &technician, "2026-05-06T02:00:00Z", vec![replaced(&till.device, part)]).await;
    }
    let when = "2026-05-07T02:00:00Z";
    let of = |part: Value| visit(&first.site, &technician, when, replaced(&first.device, part));
    let battery =
        |old: &str, new: &str| json!({"componentKind": "BATTERY", "oldSerialNumber": old, "newSerialNumber": new});
    let part = |field: &str| format!("lines.0.partsReplaced.0.{field}");
    let (kind, old, new) = (part("componentKind"), part("oldSerialNumber"), part("newSerialNumber"));
    let mut no_access = of(battery("B-1", "B-3"));
    no_access["lines"][0]["outcome"] = json!("NO_ACCESS");
    let mut of_site = of(battery("B-1", "B-3"));
    of_site["lines"][0]["deviceId"] = Value::Null;
    let cases = vec![
        ("logServiceVisit", of(battery("B-1", "B-1")), "PART_REPLACED_BY_ITSELF", new.as_str()),
        ("logServiceVisit", of(battery("B-1", "B-2")), "PART_SERIAL_IN_USE", new.as_str()),
        ("logServiceVisit", of(battery("B-9", "B-3")), "PART_SERIAL_MISMATCH", old.as_str()),
        ("logServiceVisit", of(json!({"componentKind": "KEYPAD"})), "PART_NOT_IN_MODEL", kind.as_str()),
        ("logServiceVisit", of(json!({"componentKind": "CAMERA"})), "PART_NOT_REPLACEABLE_HERE", kind.as_str()),
        ("logServiceVisit", of(json!({"componentKind": "DISPLAY"})), "PART_NOT_REPLACEABLE_HERE", kind.as_str()),
        ("logServiceVisit", no_access, "INVALID", "lines.0.partsReplaced"),
        ("logServiceVisit", of_site, "REQUIRED", "lines.0.deviceId"),
    ];
    refused_all(&app, cases).await;
    let (_, message, _) = app.refused("logServiceVisit", of(battery("B-9", "B-3"))).await;
    assert!(message.contains("B-1"), "it says what is known: {message}");

    // In the workshop the display is replaced, the camera is not.
    let input = json!({"deviceId": first.device, "removedAt": "2026-05-06T12:00:00Z", "status": "IN_REPAIR"});
    app.mutate("removeDevice", "", input).await;
    app.mutate("logServiceVisit", "", of(json!({"componentKind": "DISPLAY", "newSerialNumber": "D-2"}))).await;
    let camera =
        ("logServiceVisit", of(json!({"componentKind": "CAMERA"})), "PART_NOT_REPLACEABLE_HERE", kind.as_str());
    refused_all(&app, vec![camera]).await;
    assert_eq!(differences(&app).await, Vec::<String>::new());
}

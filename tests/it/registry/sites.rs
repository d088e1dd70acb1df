//! Sites change, and what stands on them follows.

use crate::bad_input::world::{World, with};
use crate::support::{TestApp, at, instant};
use serde_json::{Value, json};

const SITE: &str = "site {
    name address regionCode timeZone openingHours { weekday opens closes } closedDays observesHolidays environment
    country version
}";

#[tokio::test]
async fn a_site_changes_in_the_parts_given_and_keeps_the_others() {
    let app = TestApp::start().await;
    let merchant = app.merchant("Wang's Noodles").await;
    let input = json!({
        "merchantId": merchant, "name": "Branch", "address": "Road 1", "regionCode": "4403",
        "timeZone": "Asia/Shanghai",
        "openingHours": [{"weekday": 1, "opens": "09:00", "closes": "02:00"}], "closedDays": ["2026-10-01"],
        "observesHolidays": true, "country": "cn", "environment": "FOOD_SERVICE",
    });
    let made = app.mutate("createSite", &format!("{SITE} found: site {{ id }}"), input).await;
    let mut expected = json!({
        "name": "Branch", "address": "Road 1", "regionCode": "4403", "timeZone": "Asia/Shanghai",
        "openingHours": [{"weekday": 1, "opens": "09:00", "closes": "02:00"}], "closedDays": ["2026-10-01"],
        "observesHolidays": true, "environment": "FOOD_SERVICE", "country": "CN", "version": 1,
    });
    assert_eq!(made["site"], expected);
    let id = &made["found"]["id"];

    for (version, (field, value)) in (2..).zip([
        ("name", json!("叁号店𠮷")),
        ("address", json!("Road 2")),
        ("regionCode", json!("5101")),
        ("timeZone", json!("Asia/Urumqi")),
        ("openingHours", json!([])),
        ("closedDays", json!(["2027-01-01", "2027-01-02"])),
        ("observesHolidays", json!(false)),
        ("environment", json!("OUTDOOR")),
    ]) {
        expected[field] = value.clone();
        expected["version"] = json!(version);
        let changed = app.mutate("updateSite", SITE, json!({"siteId": id, field: value})).await;
        assert_eq!(changed["site"], expected, "{field}");
    }
    // An empty text takes away what may be absent.
    expected["address"] = Value::Null;
    expected["version"] = json!(10);
    let changed = app.mutate("updateSite", SITE, json!({"siteId": id, "address": " "})).await;
    assert_eq!(changed["site"], expected);
}

#[tokio::test]
async fn devices_are_found_by_the_region_of_their_site_as_it_is_now() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let site = &world.fielded.site;
    let query = "query($codes: [String!]!) { devices(filter: { regionCodes: $codes }) { nodes { serialNumber } } }";
    for (region, codes, expected) in [
        ("4403", json!(["44"]), json!([{"serialNumber": "HX1"}])),
        ("5101", json!(["44"]), json!([])),
        ("5101", json!(["44", "51"]), json!([{"serialNumber": "HX1"}])),
        ("", json!(["44", "51"]), json!([])),
    ] {
        app.mutate("updateSite", "", json!({"siteId": site, "regionCode": region})).await;
        let data = app.gql(query, json!({"codes": codes})).await;
        assert_eq!(data["devices"]["nodes"], expected, "{region} by {codes}");
    }
}

#[tokio::test]
async fn due_dates_follow_the_zone_of_the_site() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let due = async || {
        let query = "query($id: ID!) { node(id: $id) { ... on MaintenanceItem { dueAt } } }";
        instant(&app.gql(query, json!({"id": world.item})).await["node"]["dueAt"])
    };
    assert_eq!(due().await, at("2026-08-01T16:00:00Z"), "90 days after 4 May in Shanghai");
    let input = json!({"siteId": world.fielded.site, "timeZone": "America/New_York"});
    app.mutate("updateSite", "", input).await;
    let run = app.run_planner().await;
    assert_eq!(run["itemsWritten"], 1, "{run:#}");
    assert_eq!(due().await, at("2026-08-01T04:00:00Z"), "90 days after 3 May in New York");
}

#[tokio::test]
async fn a_site_somebody_else_changed_is_shown_as_it_is() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    app.mutate("updateSite", "", json!({"siteId": world.fielded.site, "name": "First", "expectedVersion": 1})).await;
    let second = with(world.input("updateSite"), "expectedVersion", json!(1));
    let payload = app.payload("updateSite", "site { name version }", second).await;
    assert_eq!(payload["site"], json!({"name": "First", "version": 2}));
    assert_eq!(payload["userErrors"][0]["code"], "CONFLICT");
}

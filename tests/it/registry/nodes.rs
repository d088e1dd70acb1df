//! Everything that has a global id is found again by it, and only in its own organization.

use crate::bad_input::world::{World, give_away};
use crate::support::{TestApp, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tillkeep::kernel::ids::join_global;
use uuid::Uuid;

/// An id of each kind.
async fn one_of_each(app: &TestApp, world: &World) -> BTreeMap<&'static str, String> {
    let line = json!({"deviceId": world.fielded.device});
    let logged = app.log_visit(&world.fielded.site, &world.technician, "2026-05-04T02:00:00Z", vec![line]).await;
    let upcoming = r#"{ upcomingMaintenance(dueBefore: "2026-12-01T00:00:00Z", first: 1) { nodes { id } } }"#;
    let upcoming = app.gql(upcoming, json!({})).await;
    let fielded = &world.fielded;
    BTreeMap::from([
        ("Device", fielded.device.clone()),
        ("Merchant", fielded.merchant.clone()),
        ("Site", fielded.site.clone()),
        ("Position", fielded.position.clone()),
        ("DeviceModel", fielded.model.clone()),
        ("Technician", world.technician.clone()),
        ("FirmwareRelease", world.release.clone()),
        ("MaintenancePlan", world.plan.clone()),
        ("MaintenanceItem", world.item.clone()),
        ("WorkOrder", world.order.clone()),
        ("ServiceVisit", text(&logged["serviceVisit"]["id"])),
        ("UpcomingMaintenance", text(&upcoming["upcomingMaintenance"]["nodes"][0]["id"])),
    ])
}

/// What `nodes` answers.
async fn nodes(app: &TestApp, ids: &[String]) -> Value {
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
    app.gql(query, json!({"ids": ids})).await["nodes"].take()
}

/// What `node` answers.
async fn node(app: &TestApp, id: &str) -> Value {
    app.gql("query($id: ID!) { node(id: $id) { __typename id } }", json!({"id": id})).await["node"].take()
}

#[tokio::test]
async fn every_kind_of_node_is_found_by_its_id() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let each = one_of_each(&app, &world).await;
    let data = app.gql("{ __type(name: \"Node\") { possibleTypes { name } } }", json!({})).await;
    let known: BTreeSet<String> =
        data["__type"]["possibleTypes"].as_array().into_iter().flatten().map(|t| text(&t["name"])).collect();
    let here: BTreeSet<String> = each.keys().map(|kind| (*kind).to_owned()).collect();
    assert_eq!(here, known, "every kind of node, and no other");

    for (kind, id) in &each {
        assert_eq!(node(&app, id).await, json!({"__typename": kind, "id": id}));
    }
    let mut ids: Vec<String> = each.values().cloned().collect();
    ids.reverse();
    // In the order asked, again where asked again.
    ids.push(ids[0].clone());
    let answered = nodes(&app, &ids).await;
    let found: Vec<String> = answered.as_array().unwrap().iter().map(|n| text(&n["id"])).collect();
    assert_eq!(found, ids);
}

#[tokio::test]
async fn what_is_not_there_or_somebody_elses_is_null() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    let each = one_of_each(&app, &world).await;
    let mut unknown: Vec<String> = each.keys().map(|kind| join_global(kind, Uuid::from_u128(7))).collect();
    // Ids of what is no node, and one whose kind is not its own.
    let viewer = app.gql("{ viewer { organization { id } } }", json!({})).await;
    unknown.push(text(&viewer["viewer"]["organization"]["id"]));
    unknown.push(join_global("Nonsense", Uuid::from_u128(7)));
    let nothing = json!(vec![Value::Null; unknown.len()]);
    assert_eq!(nodes(&app, &unknown).await, nothing);
    for id in &unknown {
        assert_eq!(node(&app, id).await, Value::Null);
    }
    let known = nodes(&app, &[unknown[0].clone(), world.order.clone()]).await;
    assert_eq!(known, json!([null, {"__typename": "WorkOrder", "id": world.order}]));

    give_away(&app).await;
    let ids: Vec<String> = each.into_values().collect();
    assert_eq!(nodes(&app, &ids).await, json!(vec![Value::Null; ids.len()]));
}

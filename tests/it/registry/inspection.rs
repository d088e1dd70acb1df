//! The gate before service: no device becomes READY or IN_SERVICE without a passed inspection, while a
//! plan of kind PRE_INSTALLATION is active.

use crate::bad_input::outcome;
use crate::planning::{START, change_status, floating, item, make_plan, order, told};
use crate::support::{Fielded, TestApp, at, instant, text};
use serde_json::{Value, json};
use tillkeep::kernel::scope::Scope;

/// A plan to inspect devices before they are installed, of two required steps and one that is not.
async fn plan(app: &TestApp) -> String {
    let step = |en: &str, is_required: bool| json!({"text": {"en": en}, "isRequired": is_required});
    let steps = json!([step("Seal", true), step("Self-test", true), step("Training", false)]);
    let more = json!({
        "kind": "PRE_INSTALLATION", "channel": "DEPOT", "selector": {"deviceStatuses": ["IN_STOCK"]}, "steps": steps,
    });
    make_plan(app, "PREINST", &[floating("P365D")], more).await
}

/// A device in stock, and a site whose visits can be logged.
struct World {
    app: TestApp,
    till: Fielded,
    stock: String,
    technician: String,
    plan: String,
}

impl World {
    async fn make() -> Self {
        let app = TestApp::start_at(START).await;
        let till = app.fielded("HX1", START).await;
        let stock = app.device(&till.model, "HX2").await;
        let technician = app.technician("Li Wei").await;
        let plan = plan(&app).await;
        app.set_clock("2026-05-06T02:00:00Z");
        Self { app, till, stock, technician, plan }
    }

    /// Logs an inspection of a device with answers to steps, and says the codes of its line.
    async fn inspect(&self, device: &str, performed_at: &str, passed: &[(u32, bool)]) -> Vec<String> {
        let answer = |(step, passed): &(u32, bool)| json!({"step": step, "isDone": true, "passed": passed});
        let results: Vec<Value> = passed.iter().map(answer).collect();
        let line = json!({"deviceId": device, "planIds": [self.plan], "stepResults": results});
        let logged = self.app.log_visit(&self.till.site, &self.technician, performed_at, vec![line]).await;
        logged["results"].as_array().into_iter().flatten().map(|r| text(&r["code"])).collect()
    }

    /// Logs work that names plans and orders, all steps passed, and says the codes of its line.
    async fn pass(&self, device: &str, performed_at: &str, plans: &[&str], orders: &[&str]) -> Vec<String> {
        let results: Vec<Value> =
            ALL.iter().map(|(step, passed)| json!({"step": step, "isDone": true, "passed": passed})).collect();
        let line = json!({"deviceId": device, "planIds": plans, "workOrderIds": orders, "stepResults": results});
        let logged = self.app.log_visit(&self.till.site, &self.technician, performed_at, vec![line]).await;
        logged["results"].as_array().into_iter().flatten().map(|r| text(&r["code"])).collect()
    }

    async fn become_(&self, device: &str, status: &str) -> (String, String) {
        let input = json!({"deviceId": device, "status": status});
        let found = outcome(&self.app, "changeDeviceStatus", &input).await;
        (found.code, found.message)
    }

    async fn inspected_at(&self, device: &str) -> Value {
        let query = "query($id: ID!) { device(id: $id) { inspectedAt } }";
        self.app.gql(query, json!({"id": device})).await["device"]["inspectedAt"].take()
    }

    async fn differences(&self) -> Vec<String> {
        let checks = self.app.services().registry.verify_page(&Scope::DEFAULT, None, 100).await.unwrap();
        checks.into_iter().flat_map(|check| check.differences).collect()
    }
}

const ALL: [(u32, bool); 2] = [(1, true), (2, true)];

#[tokio::test]
async fn a_device_becomes_ready_only_after_a_passed_inspection() {
    let world = World::make().await;
    let (code, message) = world.become_(&world.stock, "READY").await;
    assert_eq!(code, "INSPECTION_REQUIRED");
    assert!(message.contains("PRE_INSTALLATION") && message.contains("every required step"), "{message}");

    for passed in [&[(1, true)][..], &[(1, true), (2, false)]] {
        let said = world.inspect(&world.stock, "2026-05-05T02:00:00Z", passed).await;
        assert!(said.contains(&"INSPECTION_NOT_PASSED".to_owned()), "{said:?}");
    }
    assert_eq!(world.become_(&world.stock, "READY").await.0, "INSPECTION_REQUIRED");

    // The device stands nowhere: the work counts for its item wherever it was done.
    let said = world.inspect(&world.stock, "2026-05-05T03:00:00Z", &ALL).await;
    assert_eq!(said, ["COUNTED", "INSPECTION_PASSED"]);
    assert_eq!(instant(&world.inspected_at(&world.stock).await), at("2026-05-05T03:00:00Z"));
    let told = told(&world.app, &world.stock, &["INSPECTION_PASSED"]).await;
    assert_eq!((told.len(), instant(&told[0]["occurredAt"])), (1, at("2026-05-05T03:00:00Z")));
    assert_eq!(world.become_(&world.stock, "READY").await.0, "DONE");
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_goes_into_service_by_another_way() {
    let world = World::make().await;
    let app = &world.app;
    assert_eq!(world.become_(&world.till.device, "IN_SERVICE").await.0, "INSPECTION_REQUIRED");
    let position = app.position(&world.till.site, "Counter 2", None).await;
    let mut install = json!({
        "deviceId": world.stock, "positionId": position, "installedAt": "2026-05-06T01:00:00Z", "inService": true,
    });
    assert_eq!(outcome(app, "installDevice", &install).await.code, "INSPECTION_REQUIRED");
    let register = json!({
        "manufacturer": "Huaxin", "modelId": world.till.model, "serialNumber": "HX3", "status": "READY",
    });
    assert_eq!(outcome(app, "registerDevice", &register).await.code, "INSPECTION_REQUIRED");
    // To stand there is not to be in service.
    install["inService"] = json!(false);
    app.mutate("installDevice", "", install).await;
    world.inspect(&world.stock, "2026-05-06T01:30:00Z", &ALL).await;
    change_status(app, &world.stock, "IN_SERVICE").await;
    // A device that was swapped in for one in service would be in service.
    let fresh = app.device(&world.till.model, "HX4").await;
    let swap = json!({
        "oldDeviceId": world.stock, "newDeviceId": fresh, "swappedAt": "2026-05-06T02:00:00Z", "reason": "broken",
        "oldDeviceStatus": "IN_REPAIR",
    });
    assert_eq!(outcome(app, "swapDevice", &swap).await.code, "INSPECTION_REQUIRED");
    world.inspect(&fresh, "2026-05-06T01:45:00Z", &ALL).await;
    app.mutate("swapDevice", "", swap).await;
}

#[tokio::test]
async fn an_inspection_counts_until_the_device_is_repaired_or_comes_back() {
    let world = World::make().await;
    let app = &world.app;
    world.inspect(&world.stock, "2026-05-05T02:00:00Z", &ALL).await;
    change_status(app, &world.stock, "IN_REPAIR").await;
    assert!(world.inspected_at(&world.stock).await.is_null());
    app.set_clock("2026-05-06T03:00:00Z");
    change_status(app, &world.stock, "IN_STOCK").await;
    let (code, message) = world.become_(&world.stock, "READY").await;
    assert_eq!(code, "INSPECTION_REQUIRED");
    assert!(message.contains("since it came back, or failed one, on 2026-05-06"), "{message}");
    // One from before is in the file and counts no more.
    assert!(world.inspect(&world.stock, "2026-05-05T03:00:00Z", &ALL).await.contains(&"INSPECTION_PASSED".to_owned()));
    assert!(world.inspected_at(&world.stock).await.is_null());
    world.inspect(&world.stock, "2026-05-06T02:30:00Z", &ALL).await;
    assert_eq!(world.become_(&world.stock, "READY").await.0, "DONE");

    // Out of the field it begins anew.
    world.inspect(&world.till.device, "2026-05-06T02:30:00Z", &ALL).await;
    let input = json!({"deviceId": world.till.device, "removedAt": "2026-05-06T02:45:00Z", "status": "IN_STOCK"});
    app.mutate("removeDevice", "", input).await;
    assert_eq!(world.become_(&world.till.device, "READY").await.0, "INSPECTION_REQUIRED");
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_gate_stands_while_a_plan_for_it_is_active() {
    let world = World::make().await;
    let app = &world.app;
    let requires = async || {
        let data = app.gql("{ viewer { organization { requiresInspection } } }", json!({})).await;
        data["viewer"]["organization"]["requiresInspection"].as_bool().expect("a claim")
    };
    assert!(requires().await);
    app.mutate("updateMaintenancePlan", "", json!({"planId": world.plan, "isActive": false})).await;
    assert!(!requires().await);
    assert_eq!(world.become_(&world.stock, "READY").await.0, "DONE");
    app.mutate("updateMaintenancePlan", "", json!({"planId": world.plan, "isActive": true})).await;
    assert!(requires().await);
    app.mutate("updateMaintenancePlan", "", json!({"planId": world.plan, "kind": "INSPECTION"})).await;
    assert!(!requires().await);
}

#[tokio::test]
async fn what_no_plan_requires_opens_no_gate() {
    let world = World::make().await;
    let app = &world.app;
    let required = json!([{"text": {"en": "Seal"}}, {"text": {"en": "Self-test"}}]);
    let mut orders = Vec::new();
    for steps in [json!([]), required.clone()] {
        let input = json!({
            "deviceId": world.stock, "kind": "PRE_INSTALLATION", "dueAt": "2026-05-06T02:00:00Z", "steps": steps,
        });
        let made = app.mutate("createWorkOrder", "workOrder { id }", input).await;
        orders.push(text(&made["workOrder"]["id"]));
    }
    let kind = |steps: Value| json!({"kind": "PRE_INSTALLATION", "channel": "DEPOT", "steps": steps});
    let old = make_plan(app, "OLD", &[floating("P365D")], kind(required)).await;
    app.mutate("updateMaintenancePlan", "", json!({"planId": old, "isActive": false})).await;
    let optional = json!([{"text": {"en": "Seal"}, "isRequired": false}, {"text": {"en": "Lid"}, "isRequired": false}]);
    let lax = make_plan(app, "LAX", &[floating("P365D")], kind(optional)).await;

    for (plans, orders) in
        [(vec![], vec![&*orders[0]]), (vec![], vec![&*orders[1]]), (vec![&*old], vec![]), (vec![&*lax], vec![])]
    {
        let said = world.pass(&world.stock, "2026-05-05T02:00:00Z", &plans, &orders).await;
        assert!(said.contains(&"INSPECTION_NOT_PASSED".to_owned()), "{plans:?} {orders:?}: {said:?}");
    }
    assert!(world.inspected_at(&world.stock).await.is_null());
    assert_eq!(world.become_(&world.stock, "READY").await.0, "INSPECTION_REQUIRED");
    assert_eq!(
        world.pass(&world.stock, "2026-05-05T02:00:00Z", &[&world.plan], &[]).await.last().map(String::as_str),
        Some("INSPECTION_PASSED")
    );
    assert_eq!(world.become_(&world.stock, "READY").await.0, "DONE");
}

#[tokio::test]
async fn a_failed_inspection_is_not_done_and_takes_back_the_one_passed_before() {
    let world = World::make().await;
    let app = &world.app;
    world.inspect(&world.stock, "2026-05-05T02:00:00Z", &ALL).await;
    let input = json!({
        "deviceId": world.stock, "kind": "PRE_INSTALLATION", "dueAt": "2026-05-06T02:00:00Z",
        "steps": [{"text": {"en": "Seal"}}],
    });
    let made = app.mutate("createWorkOrder", "workOrder { id }", input).await;
    let by_hand = text(&made["workOrder"]["id"]);
    let failed = json!({
        "deviceId": world.stock, "workOrderIds": [by_hand], "stepResults": [{"step": 1, "isDone": true, "passed": false}],
    });
    app.log_visit(&world.till.site, &world.technician, "2026-05-05T01:00:00Z", vec![failed]).await;
    assert_eq!(order(app, &by_hand).await["state"], "PLANNED", "it is to be inspected again");
    assert!(!world.inspected_at(&world.stock).await.is_null(), "it failed before it passed");

    let said = world.inspect(&world.stock, "2026-05-05T03:00:00Z", &[(1, true), (2, false)]).await;
    assert_eq!(said, ["STEP_FAILED", "INSPECTION_NOT_PASSED"], "nothing was counted");
    let found = item(app, &world.stock, "PREINST").await;
    assert_eq!((&found["cycle"], instant(&found["lastDoneAt"])), (&json!(1), at("2026-05-05T02:00:00Z")));
    assert!(world.inspected_at(&world.stock).await.is_null());
    let events = told(app, &world.stock, &["INSPECTION_FAILED"]).await;
    assert_eq!(events.last().map(|e| instant(&e["occurredAt"])), Some(at("2026-05-05T03:00:00Z")));
    assert_eq!(world.become_(&world.stock, "READY").await.0, "INSPECTION_REQUIRED");
    // One passed before it failed is in the file and counts no more.
    world.inspect(&world.stock, "2026-05-05T02:30:00Z", &ALL).await;
    assert!(world.inspected_at(&world.stock).await.is_null());
    let query =
        "query($at: DateTime) { devices(asOf: $at, filter: {serialNumbers: [\"HX2\"]}) { nodes { inspectedAt } } }";
    for (moment, passed) in [("2026-05-05T02:15:00Z", true), ("2026-05-05T03:30:00Z", false)] {
        let then = app.gql(query, json!({"at": moment})).await;
        assert_eq!(then["devices"]["nodes"][0]["inspectedAt"].is_string(), passed, "{moment}: {then:#}");
    }

    world.inspect(&world.stock, "2026-05-05T04:00:00Z", &ALL).await;
    assert_eq!(world.become_(&world.stock, "READY").await.0, "DONE");
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_device_is_ready_from_its_inspection_on_and_not_before() {
    let world = World::make().await;
    world.inspect(&world.stock, "2026-05-05T03:00:00Z", &ALL).await;
    let at = |moment: &str| json!({"deviceId": world.stock, "status": "READY", "changedAt": moment});
    let before = outcome(&world.app, "changeDeviceStatus", &at("2026-05-05T02:59:59Z")).await;
    assert_eq!(before.code, "INSPECTION_REQUIRED");
    world.app.mutate("changeDeviceStatus", "", at("2026-05-05T03:00:00Z")).await;
}

#[tokio::test]
async fn a_plan_for_sites_closes_no_gate() {
    let app = TestApp::start_at(START).await;
    let more = json!({"kind": "PRE_INSTALLATION", "subject": "SITE"});
    make_plan(&app, "SURVEY", &[floating("P365D")], more).await;
    let data = app.gql("{ viewer { organization { requiresInspection } } }", json!({})).await;
    assert_eq!(data["viewer"]["organization"]["requiresInspection"], false);
}

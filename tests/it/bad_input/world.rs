//! One of everything, and a good request of each kind: what bad input differs from in one place.

use super::database::sql;
use crate::support::builders::MAKER;
use crate::support::{Fielded, TestApp, text};
use serde_json::{Value, json};

/// Every mutation that names something or carries texts, in an order in which all good requests
/// can be sent one after the other.
pub const MUTATIONS: [&str; 24] = [
    "createMerchant",
    "createSite",
    "updateSite",
    "createPosition",
    "createTechnician",
    "createDeviceModel",
    "putFreezePeriod",
    "removeFreezePeriod",
    "registerDevice",
    "updateDevice",
    "publishFirmwareRelease",
    "setFirmwareTarget",
    "createMaintenancePlan",
    "updateMaintenancePlan",
    "createWorkOrder",
    "scheduleWorkOrder",
    "changeWorkOrderState",
    "postponeOccurrence",
    "skipOccurrence",
    "relocateDevice",
    "removeDevice",
    "swapDevice",
    "changeDeviceStatus",
    "installDevice",
];

/// One of everything.
pub struct World {
    /// A device in the field since 09:00 at the site, HX1.
    pub fielded: Fielded,
    /// Another, HX2.
    pub other: Fielded,
    /// A device in stock, HX3.
    pub stock: String,
    /// Another in stock, HX4.
    pub fresh: String,
    /// Two free positions at HX1's site.
    pub free: [String; 2],
    /// A technician.
    pub technician: String,
    /// A plan for all devices: 20,000 TRANSACTIONS or 90 days; its code is CLEAN.
    pub plan: String,
    /// HX1's item of that plan, due on 2 August.
    pub item: String,
    /// An order for HX1 made by hand.
    pub order: String,
    /// A firmware release for the devices' model, 3.2.1.
    pub release: String,
}

/// When devices were installed: 09:00 at the site, seven hours before now.
pub const INSTALLED: &str = "2026-05-04T01:00:00Z";

impl World {
    /// Makes it, at 16:00 on 4 May at the site.
    pub async fn make(app: &TestApp) -> Self {
        let fielded = app.fielded("HX1", INSTALLED).await;
        let other = app.fielded("HX2", INSTALLED).await;
        let stock = app.device(&fielded.model, "HX3").await;
        let fresh = app.device(&fielded.model, "HX4").await;
        let free = [
            app.position(&fielded.site, "Counter 2", Some("T2")).await,
            app.position(&fielded.site, "Counter 3", Some("T3")).await,
        ];
        let technician = app.technician("Li Wei").await;
        let plan = app.plan_usage_or_days("CLEAN", 20_000.0, "P90D").await;
        app.run_planner().await;
        let item = item_of(app, &fielded.device, "CLEAN").await;
        let input = json!({"deviceId": fielded.device, "kind": "CORRECTIVE", "dueAt": "2026-05-20T02:00:00Z"});
        let made = app.mutate("createWorkOrder", "workOrder { id }", input).await;
        let order = text(&made["workOrder"]["id"]);
        let release = release(app, &fielded.model, "3.2.1", None).await;
        Self { fielded, other, stock, fresh, free, technician, plan, item, order, release }
    }

    /// A request that is done.
    pub fn input(&self, mutation: &str) -> Value {
        let Fielded { device, site, merchant, model, .. } = &self.fielded;
        let text = |en: &str, zh: &str| json!({"en": en, "zh": zh});
        match mutation {
            "createMerchant" => json!({"name": "Wang's Noodles", "merchantNumber": "M-9"}),
            "createSite" => json!({
                "merchantId": merchant, "name": "Branch", "address": "Road 1", "regionCode": "4403",
                "timeZone": "Asia/Shanghai", "country": "CN",
            }),
            "updateSite" => json!({
                "siteId": site, "name": "Branch", "address": "Road 1", "regionCode": "4403",
                "timeZone": "Asia/Shanghai",
            }),
            "createPosition" => json!({"siteId": site, "name": "Counter 9", "terminalNumber": "T9"}),
            "createTechnician" => json!({
                "name": "Zhao Min", "employeeNumber": "E-9", "phone": "13800138000", "regionCodes": ["44"],
            }),
            "createDeviceModel" => json!({
                "manufacturer": MAKER, "name": "HX-9", "hardwareRevision": "A", "formFactor": "countertop",
                "platform": "Linux", "source": "data sheet", "meters": [{
                    "code": "TRANSACTIONS", "maxPerDay": 5_000, "planningPerDay": 15, "modulus": 4_294_967_296_i64,
                    "ratedLife": 1_000_000, "ratedLifeSource": "data sheet",
                }],
            }),
            "putFreezePeriod" => json!({
                "code": "SALE", "name": text("Singles' Day", "双11"), "startsOn": "2026-11-01", "endsOn": "2026-11-12",
                "regionCodes": ["44"], "channels": ["REMOTE"],
            }),
            "removeFreezePeriod" => json!({"code": "SALE"}),
            "registerDevice" => json!({
                "manufacturer": MAKER, "modelId": model, "serialNumber": "HX9", "assetTag": "A-9",
                "firmwareVersion": "3.2.0", "externalIds": [{"system": "ERP", "value": "9"}],
            }),
            "updateDevice" => json!({
                "deviceId": self.stock, "assetTag": "A-3", "firmwareVersion": "3.2.1",
                "externalIds": [{"system": "ERP", "value": "3"}],
            }),
            "installDevice" => json!({
                "deviceId": self.stock, "positionId": self.free[0], "installedAt": "2026-05-04T07:00:00Z",
            }),
            "relocateDevice" => json!({
                "deviceId": device, "positionId": self.free[1], "relocatedAt": "2026-05-04T03:00:00Z",
                "reason": "rebuilt",
            }),
            "removeDevice" => json!({
                "deviceId": device, "removedAt": "2026-05-04T04:00:00Z", "status": "IN_REPAIR", "reason": "broken",
            }),
            "swapDevice" => json!({
                "oldDeviceId": self.other.device, "newDeviceId": self.fresh, "swappedAt": "2026-05-04T05:00:00Z",
                "reason": "broken", "oldDeviceStatus": "IN_REPAIR",
            }),
            "changeDeviceStatus" => json!({
                "deviceId": self.stock, "status": "READY", "changedAt": "2026-05-04T06:00:00Z", "reason": "prepared",
            }),
            "publishFirmwareRelease" => json!({
                "version": "3.3.0", "modelIds": [model], "criticality": "HIGH", "fixes": [text("Reads", "读卡")],
                "minimumPriorVersion": "3.2.1", "notes": text("Reboots once", "重启一次"), "checksumSha256": CHECKSUM,
                "sizeBytes": 52_428_800, "gates": [{"batteryAtLeast": 40}, {"batchSettled": true}],
                "publishedAt": "2026-05-01T00:00:00Z",
            }),
            "setFirmwareTarget" => json!({
                "modelId": model, "releaseId": self.release,
                "selector": {"siteIds": [site], "regionCodes": ["44"], "deviceIds": [device]},
                "window": {"cron": "0 23 * * *", "durationMinutes": 360},
            }),
            "createMaintenancePlan" => plan(json!({
                "selector": {"modelIds": [model], "siteIds": [site], "regionCodes": ["44"]},
            })),
            "updateMaintenancePlan" => json!({
                "planId": self.plan, "name": text("Cleaning", "清洁"), "selector": {"siteIds": [site]},
            }),
            "createWorkOrder" => json!({
                "deviceId": device, "kind": "CORRECTIVE", "dueAt": "2026-05-21T02:00:00Z",
                "steps": [{"text": text("Look at it", "看看")}],
            }),
            "scheduleWorkOrder" => json!({
                "workOrderId": self.order, "scheduledFor": "2026-05-19T02:00:00Z", "assigneeId": self.technician,
            }),
            "changeWorkOrderState" => json!({
                "workOrderId": self.order, "state": "CANCELLED", "reason": "repaired by phone",
            }),
            "skipOccurrence" => json!({"itemId": self.item, "reason": "shop is closed", "waiver": "none needed"}),
            "postponeOccurrence" => json!({
                "itemId": self.item, "until": "2026-08-10", "reason": "shop is closed", "waiver": "none needed",
            }),
            "logServiceVisit" => json!({
                "siteId": site, "technicianId": self.technician, "startedAt": "2026-05-04T02:00:00Z",
                "endedAt": "2026-05-04T02:30:00Z", "notes": "all well", "lines": [{
                    "serialNumber": "HX1", "manufacturer": MAKER, "performedAt": "2026-05-04T02:10:00Z",
                    "outcome": "DONE", "findings": "dust",
                    "stepResults": [{"step": 1, "isDone": true, "note": "twice"}],
                }],
            }),
            _ => panic!("no good {mutation} is known"),
        }
    }
}

/// A SHA-256.
pub const CHECKSUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Publishes a firmware release for a model.
pub async fn release(app: &TestApp, model: &str, version: &str, minimum: Option<&str>) -> String {
    let input = json!({
        "version": version, "modelIds": [model], "minimumPriorVersion": minimum, "checksumSha256": CHECKSUM,
        "sizeBytes": 1_000_000, "publishedAt": "2026-05-01T00:00:00Z",
    });
    let made = app.mutate("publishFirmwareRelease", "firmwareRelease { id }", input).await;
    text(&made["firmwareRelease"]["id"])
}

/// Gives everything to another organization; only the default one can be asked for.
pub async fn give_away(app: &TestApp) {
    for table in [
        "merchant",
        "site",
        "position",
        "device_model",
        "device",
        "technician",
        "maintenance_plan",
        "maintenance_item",
        "work_order",
        "service_visit",
        "firmware_release",
        "firmware_target",
    ] {
        sql(app, &format!("update {table} set organization_id = id")).await;
    }
}

/// An input with another value in one place; the path has dots, places of lists are numbers.
pub fn with(mut input: Value, path: &str, value: Value) -> Value {
    let mut place = &mut input;
    for part in path.split('.') {
        place = match part.parse::<usize>() {
            Ok(n) => &mut place[n],
            Err(_) => &mut place[part],
        };
    }
    *place = value;
    input
}

/// A good plan with other values.
pub fn plan(changes: Value) -> Value {
    let mut input = json!({
        "code": "CHECK",
        "name": {"en": "Check", "zh": "检查"},
        "kind": "INSPECTION",
        "subject": "DEVICE",
        "channel": "FIELD",
        "selector": {"everything": true},
        "triggers": [{"calendarFloating": {"every": "P90D"}}],
        "earlyDays": 3,
        "lateDays": 3,
        "leadDays": 14,
        "estimatedMinutes": 20,
        "priority": "NORMAL",
        "steps": [{"text": {"en": "Look", "zh": "看"}}],
    });
    for (field, value) in changes.as_object().into_iter().flatten() {
        input[field] = value.clone();
    }
    input
}

/// A device's item of a plan.
pub async fn item_of(app: &TestApp, device: &str, plan: &str) -> String {
    let query = "query($id: ID!) { device(id: $id) { maintenanceItems { id plan { code } } } }";
    let data = app.gql(query, json!({"id": device})).await;
    let items = data["device"]["maintenanceItems"].as_array().unwrap();
    let item = items.iter().find(|i| i["plan"]["code"] == plan);
    text(&item.unwrap_or_else(|| panic!("no item of {plan}: {items:?}"))["id"])
}

/// A device's item of a compliance plan, and its open order, PLANNED.
pub async fn compliance(app: &TestApp, device: &str) -> (String, String) {
    let input = plan(json!({"code": "MUST", "isCompliance": true, "leadDays": 120}));
    app.mutate("createMaintenancePlan", "", input).await;
    app.run_planner().await;
    let item = item_of(app, device, "MUST").await;
    let query = "query($id: ID!) { node(id: $id) { ... on MaintenanceItem { openWorkOrder { id } } } }";
    let data = app.gql(query, json!({"id": item})).await;
    (item, text(&data["node"]["openWorkOrder"]["id"]))
}

/// Registers a serial number by a second maker, SECOND, and answers the device.
pub async fn twin(app: &TestApp, serial: &str) -> String {
    let meters = json!([{"code": "TRANSACTIONS", "maxPerDay": 5_000, "planningPerDay": 15}]);
    let input = json!({"manufacturer": "SECOND", "name": "S-1", "meters": meters});
    let made = app.mutate("createDeviceModel", "deviceModel { id }", input).await;
    let model = &made["deviceModel"]["id"];
    let input = json!({"manufacturer": "SECOND", "modelId": model, "serialNumber": serial});
    text(&app.mutate("registerDevice", "device { id }", input).await["device"]["id"])
}

#[tokio::test]
async fn what_bad_input_differs_from_is_accepted() {
    let app = TestApp::start().await;
    let world = World::make(&app).await;
    for mutation in MUTATIONS.into_iter().chain(["logServiceVisit"]) {
        app.mutate(mutation, "", world.input(mutation)).await;
    }
}

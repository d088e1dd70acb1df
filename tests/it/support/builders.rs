//! What most tests need first, made through the public API; ids are global ids.

use super::{TestApp, text};
use serde_json::{Value, json};
use tillkeep::catalogue::model::Meter;
use tillkeep::usage::service::Refreshed;

/// The maker of the devices that builders register.
pub const MAKER: &str = "Huaxin";

/// A device in the field, with what it stands on.
pub struct Fielded {
    /// The device, INSTALLED.
    pub device: String,
    /// Its site, in Shanghai.
    pub site: String,
    /// Its position; the terminal number is `T` and the serial number.
    pub position: String,
    /// The site's merchant.
    pub merchant: String,
    /// Its model, shared by all devices of the test.
    pub model: String,
}

impl TestApp {
    /// Makes something and answers its id; `what` is the payload's field.
    async fn make(&self, mutation: &str, what: &str, input: Value) -> String {
        let payload = self.mutate(mutation, &format!("{what} {{ id }}"), input).await;
        text(&payload[what]["id"])
    }

    /// A merchant.
    pub async fn merchant(&self, name: &str) -> String {
        self.make("createMerchant", "merchant", json!({"name": name})).await
    }

    /// A site in Shanghai, never closed.
    pub async fn site(&self, merchant: &str) -> String {
        self.site_in(merchant, "Asia/Shanghai").await
    }

    /// A site in a zone, never closed.
    pub async fn site_in(&self, merchant: &str, zone: &str) -> String {
        self.make("createSite", "site", json!({"merchantId": merchant, "name": "Shop", "timeZone": zone})).await
    }

    /// A position.
    pub async fn position(&self, site: &str, name: &str, terminal_number: Option<&str>) -> String {
        let input = json!({"siteId": site, "name": name, "terminalNumber": terminal_number});
        self.make("createPosition", "position", input).await
    }

    /// A technician.
    pub async fn technician(&self, name: &str) -> String {
        self.make("createTechnician", "technician", json!({"name": name})).await
    }

    /// The model of the test's devices, made when it is first asked for: TRANSACTIONS up to 20,000 a
    /// day, 15 a day assumed; a printer and a battery.
    pub async fn model(&self) -> String {
        let make = || {
            let input = json!({
                "manufacturer": MAKER,
                "name": "HX-1",
                "meters": [{"code": "TRANSACTIONS", "maxPerDay": 20_000, "planningPerDay": 15}],
                "components": [
                    {"kind": "PRINTER", "replaceableAt": "FIELD"},
                    {"kind": "BATTERY", "replaceableAt": "FIELD"},
                ],
            });
            self.make("createDeviceModel", "deviceModel", input)
        };
        self.model.get_or_init(make).await.clone()
    }

    /// Adds meters of the reference data, without the rest of it.
    pub async fn meters(&self, codes: &[&str]) {
        let file: Value = serde_json::from_str(include_str!("../../../seeds/meters.json")).expect("a file of meters");
        let known: Vec<Meter> = serde_json::from_value(file["meters"].clone()).expect("meters");
        for code in codes {
            let meter = known.iter().find(|m| m.code == *code).unwrap_or_else(|| panic!("no meter {code}"));
            let call = self.app.system_call("meters");
            let put = self.app.catalogue.upsert_meter(&call, meter.clone()).await;
            put.unwrap_or_else(|e| panic!("the meter {code} is refused: {e}"));
        }
    }

    /// A device in stock.
    pub async fn device(&self, model: &str, serial: &str) -> String {
        let input = json!({"manufacturer": MAKER, "modelId": model, "serialNumber": serial});
        self.make("registerDevice", "device", input).await
    }

    /// Installs a device.
    pub async fn install(&self, device: &str, position: &str, at: &str) {
        let input = json!({"deviceId": device, "positionId": position, "installedAt": at});
        self.mutate("installDevice", "", input).await;
    }

    /// A device installed at a merchant, site and position of its own.
    pub async fn fielded(&self, serial: &str, installed_at: &str) -> Fielded {
        let model = self.model().await;
        let merchant = self.merchant(&format!("Merchant of {serial}")).await;
        let site = self.site(&merchant).await;
        let position = self.position(&site, "Counter 1", Some(&format!("T{serial}"))).await;
        let device = self.device(&model, serial).await;
        self.install(&device, &position, installed_at).await;
        Fielded { device, site, position, merchant, model }
    }

    /// Takes in a reading that counts.
    pub async fn read(&self, device: &str, meter: &str, value: f64, at: &str) {
        let payload = self.read_many(vec![(device, meter, value, at.to_owned())]).await;
        assert_eq!(payload["acceptedCount"], 1, "{meter} {value} at {at}: {payload:#}");
    }

    /// Takes in readings (device, meter, value, device time) and says what became of them:
    /// `acceptedCount`, `duplicateCount`, `rejected`.
    pub async fn read_many(&self, readings: Vec<(&str, &str, f64, String)>) -> Value {
        let readings: Vec<Value> = readings
            .into_iter()
            .map(|(device, meter, value, at)| json!({"deviceId": device, "meter": meter, "value": value, "readAt": at}))
            .collect();
        let selection = "acceptedCount duplicateCount rejected { row code message isKeptAside }";
        self.mutate("recordReadings", selection, json!({"readings": readings})).await
    }

    /// A cleaning plan for every device: each so many TRANSACTIONS or each `every` (ISO 8601),
    /// whichever comes first; a week early or late is on time, orders come two weeks ahead.
    pub async fn plan_usage_or_days(&self, code: &str, units: f64, every: &str) -> String {
        // The meter comes with the model.
        self.model().await;
        let input = json!({
            "code": code,
            "name": {"en": "Cleaning", "zh": "清洁"},
            "kind": "CLEANING",
            "subject": "DEVICE",
            "channel": "FIELD",
            "selector": {"everything": true},
            "triggers": [
                {"usage": {"meter": "TRANSACTIONS", "every": units}},
                {"calendarFloating": {"every": every}},
            ],
            "earlyDays": 7,
            "lateDays": 7,
            "leadDays": 14,
            "estimatedMinutes": 20,
            "priority": "NORMAL",
            "steps": [{"text": {"en": "Clean the card readers", "zh": "清洁读卡器"}, "isRequired": false}],
        });
        self.make("createMaintenancePlan", "maintenancePlan", input).await
    }

    /// Runs the nightly refresh of what forecasts rest on, and says what it did.
    pub async fn refresh_forecasts(&self) -> Refreshed {
        let done = self.app.usage.refresh_forecasts(&self.app.system_call("forecasts")).await;
        done.unwrap_or_else(|e| panic!("the refresh fails: {e}"))
    }

    /// Runs the planner over what changed or whose time has come, and says what it did.
    pub async fn run_planner(&self) -> Value {
        self.plan(json!({})).await
    }

    /// Runs the planner over everything, and says what it did.
    pub async fn run_planner_in_full(&self) -> Value {
        self.plan(json!({"full": true})).await
    }

    async fn plan(&self, input: Value) -> Value {
        let selection = "plannerRun { subjectCount itemsWritten ordersIssued ordersMoved ordersWithdrawn slotsMissed }";
        self.mutate("runPlanner", selection, input).await["plannerRun"].take()
    }

    /// Logs a visit at a moment and answers the payload: `serviceVisit { id number }` and
    /// `results { line code workOrder { id } }`. Lines that do not say otherwise were DONE then.
    pub async fn log_visit(&self, site: &str, technician: &str, performed_at: &str, lines: Vec<Value>) -> Value {
        let lines: Vec<Value> = lines
            .into_iter()
            .map(|mut line| {
                for (field, value) in [("performedAt", performed_at), ("outcome", "DONE")] {
                    if line[field].is_null() {
                        line[field] = json!(value);
                    }
                }
                line
            })
            .collect();
        let input = json!({"siteId": site, "technicianId": technician, "startedAt": performed_at, "lines": lines});
        let selection = "serviceVisit { id number } results { line code workOrder { id } }";
        self.mutate("logServiceVisit", selection, input).await
    }
}

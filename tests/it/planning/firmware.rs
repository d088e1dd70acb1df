//! Firmware as maintenance: when an update is due, what it waits for, and what completes it. Unless a
//! test says otherwise it begins at 10:00 on Monday, 25 May, in Shanghai; the default window is 22:00
//! to 06:00, and an update takes 20 minutes, which are half an hour of it.

use super::*;
use crate::bad_input::world::CHECKSUM;
use crate::support::builders::MAKER;
use crate::support::{at, instant, only};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use tillkeep::kernel::clock::Clock;

const BEGIN: &str = "2026-05-25T02:00:00Z";
const INSTALLED: &str = "2026-03-01T02:00:00Z";

/// A server with a model whose battery level is read, and a plan that follows firmware targets.
struct Bench {
    app: TestApp,
    model: String,
}

impl Bench {
    async fn new(begin: &str) -> Self {
        let app = TestApp::start_at(begin).await;
        app.meters(&["TRANSACTIONS", "BATTERY_LEVEL"]).await;
        let meter = |code: &str| json!({"code": code, "maxPerDay": 20_000, "planningPerDay": 0});
        let meters = ["TRANSACTIONS", "BATTERY_LEVEL"].map(meter);
        let input = json!({"manufacturer": MAKER, "name": "HX-F", "meters": meters});
        let made = app.mutate("createDeviceModel", "deviceModel { id }", input).await;
        let more = json!({
            "name": {"en": "Firmware update", "zh": "固件升级"}, "kind": "FIRMWARE_UPDATE", "channel": "REMOTE",
        });
        make_plan(&app, "UPDATE", &[json!({"firmware": {"notAtTarget": true}})], more).await;
        Self { app, model: text(&made["deviceModel"]["id"]) }
    }

    /// A device at a site of its own, which reported a version an hour before the test begins.
    async fn device(&self, serial: &str, version: &str, site: Value) -> String {
        let site = site_with(&self.app, site).await;
        let position = self.app.position(&site, "Counter 1", None).await;
        let device = self.app.device(&self.model, serial).await;
        self.app.install(&device, &position, INSTALLED).await;
        let an_hour_ago = self.app.clock.now() - TimeDelta::hours(1);
        self.report(&device, version, &an_hour_ago.to_rfc3339()).await;
        device
    }

    async fn release(&self, version: &str, minimum: Option<&str>, gates: Value) -> String {
        let input = json!({
            "version": version, "modelIds": [self.model], "minimumPriorVersion": minimum, "gates": gates,
            "checksumSha256": CHECKSUM, "sizeBytes": 1_000_000,
        });
        let made = self.app.mutate("publishFirmwareRelease", "firmwareRelease { id }", input).await;
        text(&made["firmwareRelease"]["id"])
    }

    /// Sets a release as the model's target; `more` says what is different.
    async fn target(&self, release: &str, more: Value) {
        let mut input = json!({"modelId": self.model, "releaseId": release});
        merge(&mut input, more);
        self.app.mutate("setFirmwareTarget", "", input).await;
    }

    async fn report(&self, device: &str, version: &str, reported_at: &str) {
        let input = json!({"reports": [{"deviceId": device, "version": version, "reportedAt": reported_at}]});
        let payload = self.app.mutate("reportInstalledSoftware", "changedCount", input).await;
        assert_eq!(payload["changedCount"], 1, "{version} at {reported_at}");
    }

    async fn item(&self, device: &str) -> Value {
        explained(&self.app, device, "UPDATE").await
    }

    /// Hourly readings of so many whole days from a local midnight on: 10 transactions in each hour,
    /// but none in the quiet ones (day, hour).
    async fn read_hourly(&self, device: &str, midnight: &str, days: i64, is_quiet: impl Fn(i64, i64) -> bool) {
        let (midnight, mut life) = (at(midnight), 0.0);
        let mut rows = Vec::new();
        for n in 0..=24 * days {
            rows.push((device, "TRANSACTIONS", life, (midnight + TimeDelta::hours(n)).to_rfc3339()));
            life += if is_quiet(n / 24, n % 24) { 0.0 } else { 10.0 };
        }
        let count = rows.len();
        assert_eq!(self.app.read_many(rows).await["acceptedCount"], json!(count));
    }
}

/// What the FIRMWARE trigger of an item rests on.
fn basis(item: &Value) -> &Value {
    assert_eq!(item["explanation"]["trigger"], "FIRMWARE");
    let candidate = only(&item["explanation"]["candidates"]);
    assert_eq!(candidate["trigger"], "FIRMWARE");
    &candidate["firmware"]
}

/// The item is due at a moment with a PLANNED order for then.
fn is_due(item: &Value, expected: &str) {
    assert_eq!(item["dueAt"].as_str().map(at), Some(at(expected)), "{item:#}");
    assert_eq!(instant(&basis(item)["slotStart"]), at(expected), "{item:#}");
    let order = &item["openWorkOrder"];
    assert_eq!((&order["kind"], &order["state"]), (&json!("FIRMWARE_UPDATE"), &json!("PLANNED")), "{item:#}");
    assert_eq!(instant(&order["dueAt"]), at(expected));
}

/// Open from nine to eleven at night, every day.
fn nine_to_eleven() -> Value {
    let hours: Vec<Value> =
        (1..=7).map(|weekday| json!({"weekday": weekday, "opens": "09:00", "closes": "23:00"})).collect();
    json!({"openingHours": hours})
}

#[tokio::test]
async fn an_update_is_due_in_the_devices_own_quiet_hours_else_in_the_sites_closed_ones_else_mid_window() {
    let bench = Bench::new(BEGIN).await;
    let own = bench.device("OWN", "3.2.0", nine_to_eleven()).await;
    let closed = bench.device("CLOSED", "3.2.0", nine_to_eleven()).await;
    let window = bench.device("WINDOW", "3.2.0", json!({})).await;
    // Twenty days from Tuesday, 5 May, on: quiet from two to three on Tuesdays, from four to five on
    // all other days.
    bench.read_hourly(&own, "2026-05-04T16:00:00Z", 20, |day, hour| hour == if day % 7 == 0 { 2 } else { 4 }).await;
    bench.app.refresh_forecasts().await;
    let release = bench.release("3.10.0", None, json!([])).await;
    bench.target(&release, json!({})).await;
    assert_eq!(bench.app.run_planner().await["ordersIssued"], 3);
    for (device, due, until, quiet, en, zh) in [
        // Tuesday, 02:00: the earliest half hour of the quiet hour.
        (
            &own,
            "2026-05-25T18:00:00Z",
            "2026-05-25T18:30:00Z",
            "OWN_USAGE",
            "updated on 2026-05-26 from 02:00 to 02:30, when this device itself is used least",
            "2026-05-26 02:00至02:30更新，本机用量最低的时段",
        ),
        // Closed from 23:00 on: of the half hours that begin from 23:00 to 05:30 the middle one.
        (
            &closed,
            "2026-05-25T18:15:00Z",
            "2026-05-25T18:45:00Z",
            "CLOSED_HOURS",
            "updated on 2026-05-26 from 02:15 to 02:45, when the site is closed, as its hourly use is not known",
            "2026-05-26 02:15至02:45更新，门店不营业的时段（没有分时用量）",
        ),
        // The middle one of those that begin from 22:00 to 05:30.
        (
            &window,
            "2026-05-25T17:45:00Z",
            "2026-05-25T18:15:00Z",
            "WINDOW_ONLY",
            "updated on 2026-05-26 from 01:45 to 02:15, in the middle of the window, as neither hourly use nor closed \
             hours are known",
            "2026-05-26 01:45至02:15更新，维护窗口的中段（没有分时用量和营业时间）",
        ),
    ] {
        let item = bench.item(device).await;
        is_due(&item, due);
        let basis = basis(&item);
        assert_eq!((instant(&basis["slotEnd"]), &basis["quietBasis"]), (at(until), &json!(quiet)));
        says(&item, &format!("firmware 3.2.0 is installed and 3.10.0 is the target; {en}"), zh);
        says(&item, "Due 2026-05-26: ", "2026-05-26到期：已装固件3.2.0，目标3.10.0");
    }
    settled(&bench.app).await;
    // Nobody updated them: the date stays where it was.
    bench.app.set_clock("2026-06-10T02:00:00Z");
    settled(&bench.app).await;
    is_due(&bench.item(&window).await, "2026-05-25T17:45:00Z");
}

#[tokio::test]
async fn the_quiet_hours_of_a_device_come_from_the_stored_profile() {
    let bench = Bench::new(BEGIN).await;
    let till = bench.device("HX1", "3.2.0", nine_to_eleven()).await;
    let release = bench.release("3.10.0", None, json!([])).await;
    bench.target(&release, json!({})).await;
    bench.app.run_planner().await;
    // What a run costs that finds nothing to change.
    let cost = async || {
        let before = bench.app.db().statement_count();
        settled(&bench.app).await;
        bench.app.db().statement_count() - before
    };
    bench.read_hourly(&till, "2026-05-04T16:00:00Z", 20, |_, hour| hour == 4).await;
    bench.app.run_planner().await;
    let basis_now = async || basis(&bench.item(&till).await)["quietBasis"].clone();
    assert_eq!(basis_now().await, "OWN_USAGE", "before the nightly run the readings are asked");
    let asked = cost().await;

    let done = bench.app.refresh_forecasts().await;
    assert_eq!((done.profiles_written, done.devices_marked), (1, 1));
    assert_eq!(bench.app.run_planner().await["subjectCount"], 1);
    // Tuesday, 04:00.
    is_due(&bench.item(&till).await, "2026-05-25T20:00:00Z");
    assert_eq!(basis_now().await, "OWN_USAGE");
    // Kept, whatever becomes of the readings, and without asking them.
    assert!(cost().await < asked);
    bench.app.db().reader().execute_unprepared("delete from meter_reading").await.unwrap();
    settled(&bench.app).await;
    assert_eq!(basis_now().await, "OWN_USAGE");
}

/// Devices in Berlin that are quiet at four and at two, and one that is never read; the last has a
/// window of an hour from 02:30 on. Planned on the day before a night; they are due then.
async fn across_a_clock_change(begin: &str, midnight: &str, expected: [(&str, &str); 3]) {
    let bench = Bench::new(begin).await;
    let berlin = || json!({"timeZone": "Europe/Berlin"});
    let four = bench.device("FOUR", "3.2.0", berlin()).await;
    let two = bench.device("TWO", "3.2.0", berlin()).await;
    let unread = bench.device("UNREAD", "3.2.0", berlin()).await;
    bench.read_hourly(&four, midnight, 26, |_, hour| hour == 4).await;
    bench.read_hourly(&two, midnight, 26, |_, hour| hour == 2).await;
    bench.app.refresh_forecasts().await;
    let release = bench.release("3.10.0", None, json!([])).await;
    bench.target(&release, json!({})).await;
    let window = json!({"cron": "30 2 * * *", "durationMinutes": 60});
    bench.target(&release, json!({"selector": {"deviceIds": [unread]}, "window": window})).await;
    bench.app.run_planner().await;
    for (device, (due, said)) in [&four, &two, &unread].into_iter().zip(expected) {
        let item = bench.item(device).await;
        is_due(&item, due);
        says(&item, said, "更新，");
    }
    settled(&bench.app).await;
}

#[tokio::test]
async fn quiet_hours_are_local_in_the_night_in_which_clocks_go_back() {
    // On Saturday; 28 September begins at 22:00 UTC. On 25 October it is 02:00 to 03:00 twice, at 00:00
    // and at 01:00 UTC, and 04:00 is 03:00 UTC.
    across_a_clock_change(
        "2026-10-24T08:00:00Z",
        "2026-09-27T22:00:00Z",
        [
            ("2026-10-25T03:00:00Z", "updated on 2026-10-25 from 04:00 to 04:30, when this device itself"),
            ("2026-10-25T00:00:00Z", "updated on 2026-10-25 from 02:00 to 02:30, when this device itself"),
            // The hour from the first 02:30 on; the middle one of its half hours.
            ("2026-10-25T00:45:00Z", "updated on 2026-10-25 from 02:45 to "),
        ],
    )
    .await;
}

#[tokio::test]
async fn quiet_hours_are_local_in_the_night_in_which_clocks_go_forward() {
    // On Saturday; 2 March begins at 23:00 UTC. On 29 March 03:00 follows 02:00 at 01:00 UTC, and 04:00
    // is 02:00 UTC.
    across_a_clock_change(
        "2026-03-28T09:00:00Z",
        "2026-03-01T23:00:00Z",
        [
            ("2026-03-29T02:00:00Z", "updated on 2026-03-29 from 04:00 to 04:30, when this device itself"),
            // Its quiet hour does not come; all others are alike, and the window's first is taken.
            ("2026-03-28T21:00:00Z", "updated on 2026-03-28 from 22:00 to 22:30, when this device itself"),
            // 02:30 does not come either: the window begins at 03:00.
            ("2026-03-29T01:15:00Z", "updated on 2026-03-29 from 03:15 to 03:45, in the middle of the window"),
        ],
    )
    .await;
}

fn freeze(code: &str, more: Value) -> Value {
    let mut input = json!({
        "code": code, "name": {"en": "Trade fair", "zh": "展会"}, "startsOn": "2026-05-25", "endsOn": "2026-05-27",
    });
    merge(&mut input, more);
    input
}

#[tokio::test]
async fn a_freeze_period_moves_an_update_and_brings_it_back_when_it_is_removed() {
    let bench = Bench::new(BEGIN).await;
    let till = bench.device("HX1", "3.2.0", json!({"regionCode": "4403"})).await;
    let release = bench.release("3.10.0", None, json!([])).await;
    bench.target(&release, json!({})).await;
    bench.app.run_planner().await;
    is_due(&bench.item(&till).await, "2026-05-25T17:45:00Z");
    // Of another channel, and of another region.
    for (code, more) in [("FIELD", json!({"channels": ["FIELD"]})), ("ELSEWHERE", json!({"regionCodes": ["31"]}))] {
        bench.app.mutate("putFreezePeriod", "", freeze(code, more)).await;
    }
    bench.app.run_planner().await;
    is_due(&bench.item(&till).await, "2026-05-25T17:45:00Z");

    let more = json!({"channels": ["REMOTE"], "regionCodes": ["44"]});
    bench.app.mutate("putFreezePeriod", "", freeze("REMOTE", more)).await;
    assert_eq!(bench.app.run_planner().await["ordersMoved"], 1);
    // Thursday, the 28th, is free from midnight on: the middle one of the half hours that begin from
    // 00:00 to 05:30 begins at 02:45.
    is_due(&bench.item(&till).await, "2026-05-27T18:45:00Z");
    assert_eq!(told(&bench.app, &till, &["WORK_ORDER_MOVED"]).await.len(), 1);
    settled(&bench.app).await;

    bench.app.mutate("removeFreezePeriod", "", json!({"code": "REMOTE"})).await;
    bench.app.run_planner().await;
    is_due(&bench.item(&till).await, "2026-05-25T17:45:00Z");
    settled(&bench.app).await;
}

#[tokio::test]
async fn an_update_that_a_freeze_moved_names_it() {
    let bench = Bench::new(BEGIN).await;
    let till = bench.device("HX1", "3.2.0", json!({})).await;
    let release = bench.release("3.10.0", None, json!([])).await;
    bench.target(&release, json!({})).await;
    bench.app.mutate("putFreezePeriod", "", freeze("REMOTE", json!({}))).await;
    bench.app.run_planner().await;
    let item = bench.item(&till).await;
    is_due(&item, "2026-05-27T18:45:00Z");
    says(&item, "Trade fair", "展会");
}

#[tokio::test]
async fn a_gate_puts_an_update_off_with_its_reason_and_a_charged_battery_keeps_the_hours_it_was_put_off_to() {
    let bench = Bench::new(BEGIN).await;
    let low = bench.device("LOW", "3.2.0", json!({})).await;
    let unread = bench.device("UNREAD", "3.2.0", json!({})).await;
    bench.app.read(&low, "BATTERY_LEVEL", 20.0, "2026-05-25T01:00:00Z").await;
    let release = bench.release("3.10.0", None, json!([{"batteryAtLeast": 40}])).await;
    bench.target(&release, json!({})).await;
    bench.app.run_planner().await;
    // A meter that was never read holds nothing back.
    let item = bench.item(&unread).await;
    is_due(&item, "2026-05-25T17:45:00Z");
    assert_eq!((&basis(&item)["waits"], &basis(&item)["isBlocked"]), (&json!([]), &json!(false)));
    // The hours from 01:45 to 02:15 pass; what is left of the night begins from 02:15 to 05:30, and the
    // middle one of those at 03:45.
    let item = bench.item(&low).await;
    is_due(&item, "2026-05-25T19:45:00Z");
    assert_eq!(
        (&basis(&item)["waits"], &basis(&item)["isBlocked"]),
        (&json!([{"gate": "BATTERY_AT_LEAST", "percent": 40.0, "value": 20.0}]), &json!(true))
    );
    says(
        &item,
        "from 03:45 to 04:15, in the middle of the window, as neither hourly use nor closed hours are known; put off \
         until then, because it waits for battery at 40 % (was 20 %)",
        "已推迟，等待电量达到40%（当时20%）",
    );
    settled(&bench.app).await;

    // The night passed and it is not charged: the same hours of the next one.
    bench.app.set_clock("2026-05-26T02:00:00Z");
    let run = bench.app.run_planner().await;
    assert_eq!(run["subjectCount"], 1, "only what waits is looked at: {run:#}");
    is_due(&bench.item(&low).await, "2026-05-26T19:45:00Z");
    settled(&bench.app).await;

    // Charged in the evening: it keeps them.
    bench.app.set_clock("2026-05-26T12:30:00Z");
    bench.app.read(&low, "BATTERY_LEVEL", 80.0, "2026-05-26T12:00:00Z").await;
    bench.app.run_planner().await;
    let item = bench.item(&low).await;
    is_due(&item, "2026-05-26T19:45:00Z");
    assert_eq!(basis(&item)["isBlocked"], false);
    says(
        &item,
        "put off until then, because it waited for battery at 40 % (was 20 %)",
        "曾推迟，等待电量达到40%（当时20%）",
    );
    settled(&bench.app).await;
    // Whatever is left in the battery after the update is nobody's concern.
    bench.report(&low, "3.10.0", "2026-05-26T12:10:00Z").await;
    assert_eq!(bench.item(&low).await["dueAt"], Value::Null);
    settled(&bench.app).await;
}

#[tokio::test]
async fn an_update_that_waits_for_a_gate_stays_where_it_is_until_its_hours_have_passed() {
    let bench = Bench::new(BEGIN).await;
    let till = bench.device("HX1", "3.2.0", json!({})).await;
    bench.app.read(&till, "BATTERY_LEVEL", 20.0, "2026-05-25T01:00:00Z").await;
    let release = bench.release("3.10.0", None, json!([{"batteryAtLeast": 40}])).await;
    bench.target(&release, json!({})).await;
    bench.app.run_planner().await;
    is_due(&bench.item(&till).await, "2026-05-25T19:45:00Z");
    // 23:00, in the window, and 02:00, in the hours that it lets pass. Nothing happened meanwhile, and
    // the planner said that it need not look.
    for now in ["2026-05-25T15:00:00Z", "2026-05-25T18:00:00Z"] {
        bench.app.set_clock(now);
        assert_eq!(bench.app.run_planner().await["subjectCount"], 0, "at {now}");
        settled(&bench.app).await;
        is_due(&bench.item(&till).await, "2026-05-25T19:45:00Z");
    }
}

#[tokio::test]
async fn reporting_the_target_version_completes_the_order_without_a_visit() {
    let bench = Bench::new(BEGIN).await;
    let planned = bench.device("PLANNED", "3.2.0", json!({})).await;
    let scheduled = bench.device("SCHEDULED", "3.2.0", json!({})).await;
    let other = bench.device("OTHER", "3.2.0", json!({})).await;
    let release = bench.release("3.10.0", None, json!([])).await;
    bench.target(&release, json!({})).await;
    bench.app.run_planner().await;
    let first = open_order(&bench.app, &planned, "UPDATE").await;
    let second = open_order(&bench.app, &scheduled, "UPDATE").await;
    schedule(&bench.app, &second, "2026-05-25T17:45:00Z").await;

    let reported_at = "2026-05-25T18:20:00Z";
    bench.app.set_clock("2026-05-25T18:30:00Z");
    // However it is written.
    bench.report(&planned, "3.10.0", reported_at).await;
    bench.report(&scheduled, "v3.10", reported_at).await;
    bench.report(&other, "3.5.0", reported_at).await;
    for (device, id) in [(&planned, &first), (&scheduled, &second)] {
        let done = order(&bench.app, id).await;
        assert_eq!((&done["state"], instant(&done["performedAt"])), (&json!("COMPLETED"), at(reported_at)));
        let item = bench.item(device).await;
        assert_eq!((&item["dueAt"], &item["openWorkOrder"]), (&Value::Null, &Value::Null), "{item:#}");
        assert_eq!((&item["cycle"], instant(&item["lastDoneAt"])), (&json!(1), at(reported_at)));
        let completed = told(&bench.app, device, &["WORK_ORDER_COMPLETED"]).await;
        let [event] = completed.as_slice() else { panic!("{completed:#?}") };
        assert_eq!(instant(&event["occurredAt"]), at(reported_at));
        assert_eq!(event["payload"]["number"], done["number"]);
        file_length(&bench.app, device).await;
    }
    says(&bench.item(&planned).await, "firmware 3.10.0 is its target 3.10.0 or newer", "固件3.10.0已达到目标3.10.0");
    let visits = bench.app.gql("{ serviceVisits { nodes { id } } }", json!({})).await;
    assert_eq!(visits["serviceVisits"]["nodes"], json!([]));
    // Newer than before, but not there.
    let item = bench.item(&other).await;
    is_due(&item, "2026-05-25T17:45:00Z");
    says(&item, "firmware 3.5.0 is installed and 3.10.0 is the target", "已装固件3.5.0，目标3.10.0");
    assert_eq!(told(&bench.app, &other, &["WORK_ORDER_COMPLETED"]).await.len(), 0);
    settled(&bench.app).await;

    // A new target is new work, counted from when it is set.
    let next = bench.release("3.11.0", None, json!([])).await;
    bench.app.set_clock("2026-05-28T02:00:00Z");
    bench.target(&next, json!({})).await;
    assert_eq!(bench.app.run_planner().await["ordersIssued"], 2);
    is_due(&bench.item(&planned).await, "2026-05-28T17:45:00Z");
    settled(&bench.app).await;
}

/// A device that runs 1.4 and is to run 3.10.0, by way of 2.0 and 3.2.0.
async fn three_hops() -> (Bench, String) {
    let bench = Bench::new(BEGIN).await;
    let till = bench.device("HX1", "1.4", json!({})).await;
    bench.release("2.0", None, json!([])).await;
    bench.release("3.2.0", Some("2.0"), json!([])).await;
    let goal = bench.release("3.10.0", Some("3.2.0"), json!([])).await;
    bench.target(&goal, json!({})).await;
    assert_eq!(bench.app.run_planner().await["ordersIssued"], 1);
    (bench, till)
}

fn way(item: &Value, from: &str, by: &str) {
    assert_eq!(basis(item)["nextVersion"], json!(by));
    let (en, zh) = match by {
        "3.10.0" => (
            format!("firmware {from} is installed and 3.10.0 is the target; "),
            format!("已装固件{from}，目标3.10.0；"),
        ),
        _ => (
            format!("firmware {from} is installed and 3.10.0 is the target, by way of {by}"),
            format!("已装固件{from}，目标3.10.0，须先升到{by}"),
        ),
    };
    says(item, &en, &zh);
}

#[tokio::test]
async fn each_hop_of_a_prerequisite_chain_completes_and_the_next_one_falls_due() {
    let (bench, till) = three_hops().await;
    let item = bench.item(&till).await;
    is_due(&item, "2026-05-25T17:45:00Z");
    way(&item, "1.4", "2.0");
    // What is left of the night after a report: from 02:10 on the half hours begin from 02:15 to 05:30,
    // the middle one at 03:45; from 03:50 on they begin from 04:00 to 05:30, the middle one at 04:45.
    for (from, reported_at, by, due) in [
        ("2.0", "2026-05-25T18:10:00Z", "3.2.0", "2026-05-25T19:45:00Z"),
        ("3.2.0", "2026-05-25T19:50:00Z", "3.10.0", "2026-05-25T20:45:00Z"),
    ] {
        let order_of_hop = open_order(&bench.app, &till, "UPDATE").await;
        bench.app.set_clock(reported_at);
        bench.report(&till, from, reported_at).await;
        let done = order(&bench.app, &order_of_hop).await;
        assert_eq!((&done["state"], instant(&done["performedAt"])), (&json!("COMPLETED"), at(reported_at)), "{from}");
        let item = bench.item(&till).await;
        is_due(&item, due);
        way(&item, from, by);
        settled(&bench.app).await;
    }
    bench.app.set_clock("2026-05-25T20:50:00Z");
    bench.report(&till, "3.10.0", "2026-05-25T20:50:00Z").await;
    let item = bench.item(&till).await;
    assert_eq!((&item["dueAt"], &item["openWorkOrder"], &item["cycle"]), (&Value::Null, &Value::Null, &json!(3)));
    let states: Vec<String> = orders(&bench.app, &till).await.iter().map(|o| text(&o["state"])).collect();
    assert_eq!(states, ["COMPLETED"; 3]);
    let completed = told(&bench.app, &till, &["WORK_ORDER_COMPLETED"]).await;
    let times: Vec<DateTime<Utc>> = completed.iter().map(|e| instant(&e["occurredAt"])).collect();
    assert_eq!(times, ["2026-05-25T18:10:00Z", "2026-05-25T19:50:00Z", "2026-05-25T20:50:00Z"].map(at));
    settled(&bench.app).await;
}

#[tokio::test]
async fn a_hop_completes_however_its_version_is_written() {
    let (bench, till) = three_hops().await;
    let order_of_hop = open_order(&bench.app, &till, "UPDATE").await;
    bench.app.set_clock("2026-05-25T18:10:00Z");
    bench.report(&till, "v2.0.0", "2026-05-25T18:10:00Z").await;
    assert_eq!(order(&bench.app, &order_of_hop).await["state"], "COMPLETED");
    let item = bench.item(&till).await;
    is_due(&item, "2026-05-25T19:45:00Z");
    way(&item, "v2.0.0", "3.2.0");
    assert_eq!(item["cycle"], 1);
}

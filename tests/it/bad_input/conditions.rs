//! Conditions, events, firmware and coverage that cannot be: nothing of such a plan is written.

use super::world::{World, plan, with};
use super::{Case, refused_all};
use crate::support::{TestApp, text};
use serde_json::{Value, json};
use tillkeep::kernel::ids::join_global;
use uuid::Uuid;

/// The world, with meters of the magstripe reader and the battery.
async fn world(app: &TestApp) -> World {
    app.meters(&["MSR_READS", "MSR_ERRORS", "BATTERY_HEALTH", "FLASH_FREE"]).await;
    World::make(app).await
}

/// A trigger as a plan is made with it, and as another is changed to it.
fn made_and_changed(world: &World, trigger: Value, code: &'static str, field: &'static str) -> [Case<'static>; 2] {
    let made = plan(json!({"triggers": [trigger.clone()]}));
    let changed = json!({"planId": world.plan, "triggers": [trigger]});
    [("createMaintenancePlan", made, code, field), ("updateMaintenancePlan", changed, code, field)]
}

/// Every trigger is refused with a code that names the triggers.
async fn refused_triggers(app: &TestApp, world: &World, triggers: Vec<Value>, code: &'static str) {
    let field = if code == "BAD_USER_INPUT" { "" } else { "triggers" };
    refused_all(app, triggers.into_iter().flat_map(|t| made_and_changed(world, t, code, field)).collect()).await;
}

/// A good condition: more than 3 % errors per read in a week.
fn good() -> Value {
    let ratio = json!({"ratio": {"numerator": "MSR_ERRORS", "denominator": "MSR_READS", "windowDays": 7}});
    json!({"condition": {
        "clauses": [{"measure": ratio, "operator": "ABOVE", "limit": {"value": 0.03}, "clearAt": 0.015, "minSample": 200}],
        "holdHours": 24,
        "coolDownDays": 14,
    }})
}

/// The good condition with another measure, which is clear at its limit.
fn measuring(measure: Value) -> Value {
    with(with(good(), "condition.clauses.0.measure", measure), "condition.clauses.0.clearAt", Value::Null)
}

fn of(kind: &str, measure: Value) -> Value {
    let mut measuring_it = json!({});
    measuring_it[kind] = measure;
    measuring(measuring_it)
}

fn ratio(numerator: &str, denominator: &str, window_days: i64) -> Value {
    of("ratio", json!({"numerator": numerator, "denominator": denominator, "windowDays": window_days}))
}

fn baseline(window_days: i64, baseline_days: i64) -> Value {
    let measure = json!({
        "numerator": "MSR_ERRORS", "denominator": "MSR_READS", "windowDays": window_days, "baselineDays": baseline_days,
    });
    of("ratioToBaseline", measure)
}

fn changed(path: &str, value: Value) -> Value {
    with(good(), &format!("condition.{path}"), value)
}

#[tokio::test]
async fn a_condition_measures_known_meters() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let unknown = ["COFFEES", "msr_reads", "", " MSR_READS"];
    let mut triggers = Vec::new();
    for meter in unknown {
        triggers.push(of("gauge", json!({"meter": meter})));
        triggers.push(of("life", json!({"meter": meter})));
        triggers.push(ratio(meter, "MSR_READS", 7));
        triggers.push(ratio("MSR_ERRORS", meter, 7));
    }
    triggers.push(of("delta", json!({"meter": "COFFEES", "windowDays": 7})));
    triggers.push(of("rate", json!({"meter": "COFFEES", "windowDays": 7})));
    triggers.push(of("daysSinceUse", json!({"meter": "COFFEES"})));
    triggers.push(of("daysToLimit", json!({"meter": "COFFEES", "limit": 5})));
    triggers.push(changed("guard", json!({"minPerDay": {"meter": "COFFEES", "atLeast": 10}})));
    refused_triggers(&app, &world, triggers, "UNKNOWN_METER").await;
}

#[tokio::test]
async fn a_counter_is_no_gauge_and_a_gauge_is_no_counter() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let triggers = vec![
        of("gauge", json!({"meter": "TRANSACTIONS"})),
        of("daysToLimit", json!({"meter": "TRANSACTIONS", "limit": 5})),
        of("life", json!({"meter": "BATTERY_HEALTH"})),
        of("rate", json!({"meter": "BATTERY_HEALTH", "windowDays": 7})),
        of("daysSinceUse", json!({"meter": "BATTERY_HEALTH"})),
        ratio("MSR_ERRORS", "BATTERY_HEALTH", 7),
        ratio("BATTERY_HEALTH", "MSR_READS", 7),
        changed("guard", json!({"minPerDay": {"meter": "BATTERY_HEALTH", "atLeast": 10}})),
        json!({"usage": {"meter": "BATTERY_HEALTH", "every": 10}}),
    ];
    refused_triggers(&app, &world, triggers, "INVALID").await;
}

#[tokio::test]
async fn a_window_is_of_1_to_366_days_and_a_ratio_of_two_counters() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let mut triggers = vec![ratio("MSR_READS", "MSR_READS", 7)];
    for days in [0, -1, 367, i64::from(i32::MAX), i64::from(i32::MIN)] {
        triggers.push(ratio("MSR_ERRORS", "MSR_READS", days));
        triggers.push(baseline(days, 28));
        triggers.push(baseline(7, days));
        triggers.push(of("delta", json!({"meter": "TRANSACTIONS", "windowDays": days})));
        triggers.push(of("rate", json!({"meter": "TRANSACTIONS", "windowDays": days})));
    }
    refused_triggers(&app, &world, triggers, "INVALID").await;
    for (n, days) in [1, 366].into_iter().enumerate() {
        let good = plan(json!({"code": format!("FITS-{n}"), "triggers": [ratio("MSR_ERRORS", "MSR_READS", days)]}));
        app.mutate("createMaintenancePlan", "", good).await;
    }
}

#[tokio::test]
async fn a_clearing_level_is_on_the_good_side_of_the_limit() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let weak = |operator: &str, clear_at: f64| {
        let trigger = of("gauge", json!({"meter": "BATTERY_HEALTH"}));
        let trigger = with(trigger, "condition.clauses.0.limit", json!({"value": 70}));
        let trigger = with(trigger, "condition.clauses.0.operator", json!(operator));
        with(trigger, "condition.clauses.0.clearAt", json!(clear_at))
    };
    let triggers = vec![
        changed("clauses.0.clearAt", json!(0.031)),
        weak("ABOVE", 70.1),
        weak("AT_LEAST", 70.1),
        weak("BELOW", 69.9),
        weak("AT_MOST", 69.9),
    ];
    refused_triggers(&app, &world, triggers, "INVALID").await;
    for (n, fits) in [weak("ABOVE", 70.0), weak("AT_MOST", 70.0), weak("BELOW", 75.0)].into_iter().enumerate() {
        let good = plan(json!({"code": format!("FITS-{n}"), "triggers": [fits]}));
        app.mutate("createMaintenancePlan", "", good).await;
    }
}

#[tokio::test]
async fn a_condition_has_one_to_three_clauses_each_with_one_measure_and_one_limit() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let clause = good()["condition"]["clauses"][0].clone();
    refused_triggers(&app, &world, vec![changed("clauses", json!([]))], "REQUIRED").await;
    refused_triggers(&app, &world, vec![changed("clauses", json!(vec![clause; 4]))], "TOO_MANY").await;
    let unread = json!({"anyMeter": true});
    let unreadable = vec![
        measuring(json!({})),
        measuring(json!({"silence": unread, "daysSinceReading": unread})),
        changed("clauses.0.limit", json!({})),
        changed("clauses.0.limit", json!({"value": 1, "shareOfRating": 0.9})),
        changed("clauses.0.operator", json!("BEYOND")),
        changed("clauses", Value::Null),
        with(good(), "usage", json!({"meter": "TRANSACTIONS", "every": 100})),
    ];
    refused_triggers(&app, &world, unreadable, "BAD_USER_INPUT").await;
}

#[tokio::test]
async fn a_share_of_the_rating_is_of_a_life_or_a_latest_value_and_above_zero() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let share = |trigger: Value, share: f64| {
        let trigger = with(trigger, "condition.clauses.0.limit", json!({"shareOfRating": share}));
        with(trigger, "condition.clauses.0.clearAt", Value::Null)
    };
    let life = || of("life", json!({"meter": "TRANSACTIONS"}));
    let triggers = vec![
        share(good(), 0.9),
        share(baseline(7, 28), 0.9),
        share(of("delta", json!({"meter": "TRANSACTIONS", "windowDays": 7})), 0.9),
        share(of("silence", json!({"anyMeter": true})), 0.9),
        share(of("attributeAge", json!({"attribute": "INSTALLED_AT"})), 0.9),
        share(life(), 0.0),
        share(life(), -0.5),
    ];
    refused_triggers(&app, &world, triggers, "INVALID").await;
}

#[tokio::test]
async fn hold_time_cool_down_sample_and_rate_are_within_bounds() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let triggers = vec![
        changed("holdHours", json!(-1)),
        changed("holdHours", json!(2_161)),
        changed("coolDownDays", json!(-1)),
        changed("coolDownDays", json!(367)),
        changed("clauses.0.minSample", json!(-1)),
        changed("guard", json!({"minPerDay": {"meter": "TRANSACTIONS", "atLeast": -1}})),
        // Days without use are seen for a year.
        with(of("daysSinceUse", json!({"meter": "TRANSACTIONS"})), "condition.clauses.0.limit", json!({"value": 400})),
    ];
    refused_triggers(&app, &world, triggers, "INVALID").await;
    let many = with(changed("holdHours", json!(2_160)), "condition.coolDownDays", json!(366));
    app.mutate("createMaintenancePlan", "", plan(json!({"code": "FITS", "triggers": [many]}))).await;
}

#[tokio::test]
async fn a_guard_names_models_that_there_are() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let of_model = |id: &str| vec![changed("guard", json!({"modelIds": [id]}))];
    refused_triggers(&app, &world, of_model("nonsense"), "MALFORMED_ID").await;
    refused_triggers(&app, &world, of_model(&world.fielded.site), "WRONG_ID_KIND").await;
    refused_triggers(&app, &world, of_model(&join_global("DeviceModel", Uuid::from_u128(7))), "NOT_FOUND").await;
}

#[tokio::test]
async fn what_is_to_be_said_true_is_not_taken_as_false() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let triggers = vec![
        of("silence", json!({"anyMeter": false})),
        of("daysSinceReading", json!({"anyMeter": false})),
        json!({"firmware": {"notAtTarget": false}}),
    ];
    refused_triggers(&app, &world, triggers, "INVALID").await;
}

#[tokio::test]
async fn an_event_is_answered_within_a_year_and_only_inactivity_has_days() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let event = |event: &str, more: Value| {
        let mut input = json!({"event": event});
        for (field, value) in more.as_object().into_iter().flatten() {
            input[field] = value.clone();
        }
        json!({"event": input})
    };
    let triggers = vec![
        event("AFTER_RELOCATION", json!({"inactiveDays": 30})),
        event("AFTER_REPAIR", json!({"inactiveDays": 30})),
        event("BEFORE_SERVICE", json!({"inactiveDays": 30})),
        event("AFTER_INACTIVITY", json!({"inactiveDays": 0})),
        event("AFTER_INACTIVITY", json!({"inactiveDays": 367})),
        event("AFTER_INACTIVITY", json!({"inactiveDays": -1})),
        event("AFTER_RELOCATION", json!({"withinDays": 367})),
        event("AFTER_RELOCATION", json!({"withinDays": -1})),
    ];
    refused_triggers(&app, &world, triggers, "INVALID").await;
    refused_triggers(&app, &world, vec![event("AFTER_LUNCH", json!({}))], "BAD_USER_INPUT").await;
}

#[tokio::test]
async fn a_plan_for_sites_has_no_measures_no_firmware_and_no_events_and_a_plan_follows_firmware_once() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let firmware = json!({"firmware": {"notAtTarget": true}});
    let relocation = json!({"event": {"event": "AFTER_RELOCATION"}});
    let mut cases = Vec::new();
    for trigger in [good(), firmware.clone(), relocation] {
        let input = plan(json!({"subject": "SITE", "triggers": [trigger, {"calendarFloating": {"every": "P90D"}}]}));
        cases.push(("createMaintenancePlan", input, "INVALID", "triggers"));
    }
    let twice = json!([firmware, firmware]);
    cases.push(("createMaintenancePlan", plan(json!({"triggers": twice})), "INVALID", "triggers"));
    let update = json!({"planId": world.plan, "triggers": twice});
    cases.push(("updateMaintenancePlan", update, "INVALID", "triggers"));
    refused_all(&app, cases).await;
}

/// Makes a plan and answers its id.
async fn make(app: &TestApp, code: &str, more: Value) -> String {
    let input = with(plan(more), "code", json!(code));
    text(&app.mutate("createMaintenancePlan", "maintenancePlan { id }", input).await["maintenancePlan"]["id"])
}

#[tokio::test]
async fn coverage_runs_in_no_circle_and_stays_with_one_kind_of_subject() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let small = make(&app, "SMALL", json!({})).await;
    let middle = make(&app, "MIDDLE", json!({"covers": [small]})).await;
    let large = make(&app, "LARGE", json!({"covers": [middle]})).await;
    let of_site = make(&app, "PATROL", json!({"subject": "SITE"})).await;
    let nothing = join_global("MaintenancePlan", Uuid::from_u128(7));
    let update = |id: &str, covers: Value| json!({"planId": id, "covers": covers});
    let create = |covers: Value| plan(json!({"covers": covers}));
    let (made, changed) = ("createMaintenancePlan", "updateMaintenancePlan");
    refused_all(
        &app,
        vec![
            (changed, update(&small, json!([small])), "COVERAGE_CIRCLE", "covers"),
            (changed, update(&small, json!([middle])), "COVERAGE_CIRCLE", "covers"),
            (changed, update(&small, json!([large])), "COVERAGE_CIRCLE", "covers"),
            (changed, update(&middle, json!([small, large])), "COVERAGE_CIRCLE", "covers"),
            (changed, update(&small, json!([of_site])), "INVALID", "covers"),
            (changed, update(&of_site, json!([small])), "INVALID", "covers"),
            (made, create(json!([of_site])), "INVALID", "covers"),
            (made, plan(json!({"subject": "SITE", "covers": [small]})), "INVALID", "covers"),
            (made, create(json!([nothing])), "NOT_FOUND", "covers"),
            (made, create(json!([world.fielded.device])), "WRONG_ID_KIND", "covers"),
            (made, create(json!(["nonsense"])), "MALFORMED_ID", "covers"),
            (made, create(json!(vec![small.clone(); 21])), "TOO_MANY", "covers"),
        ],
    )
    .await;
    // The refusal says where the circle runs, and the plans are as they were.
    let (_, message, _) = app.refused(changed, update(&small, json!([large]))).await;
    assert!(message.contains("in a circle through LARGE, MIDDLE"), "{message}");
    let query = "query($id: ID!) { node(id: $id) { ... on MaintenancePlan { revision version covers { code } } } }";
    for (id, covers) in
        [(&small, json!([])), (&middle, json!([{"code": "SMALL"}])), (&large, json!([{"code": "MIDDLE"}]))]
    {
        let data = app.gql(query, json!({"id": id})).await;
        assert_eq!(data["node"], json!({"revision": 1, "version": 1, "covers": covers}));
    }
}

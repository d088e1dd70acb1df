//! What is measured: each kind of measure falls due on its day and says why.

use super::*;
use crate::support::{instant, only};

#[tokio::test]
async fn a_power_check_is_due_once_the_supply_voltage_was_off_for_its_hold_time() {
    let field = Field::new().await;
    let [low, high, dip] = [field.device("LOW").await, field.device("HIGH").await, field.device("DIP").await];
    let below = with(clause(gauge("SUPPLY_VOLTAGE"), "BELOW", 4.75), "clearAt", json!(4.85));
    let above = with(clause(gauge("SUPPLY_VOLTAGE"), "ABOVE", 5.25), "clearAt", json!(5.15));
    let triggers = [held(24, &[below]), held(24, &[above])];
    make_plan(&field.app, "POWER", &triggers, json!({"kind": "POWER_CHECK"})).await;
    field.clock(29);
    field.read(&low, "SUPPLY_VOLTAGE", &[(1, 5.0), (6, 4.7), (12, 4.68)]).await;
    // 5.20 is within the limit, but not clear yet.
    field.read(&high, "SUPPLY_VOLTAGE", &[(1, 5.0), (6, 5.3), (10, 5.2), (12, 5.31)]).await;
    // Back for two hours: the hold time begins anew.
    field.read(&dip, "SUPPLY_VOLTAGE", &[(6, 4.7), (20, 4.9), (22, 4.7)]).await;
    assert_eq!(field.app.run_planner().await["ordersIssued"], 0);
    let waiting = field.item(&low, "POWER").await;
    is_at_rest(&waiting);
    says(
        &waiting,
        "by measure nothing is due: supply voltage 4.68 V (limit below 4.75 V), so since 2026-05-04; it must hold for \
         24 hours",
        "按测量尚未到期：供电电压4.68V（限值低于4.75V），自2026-05-04起，须持续24小时",
    );
    let seen = &waiting["explanation"]["candidates"][0]["condition"];
    assert_eq!(only(&seen["clauses"]), &json!({"value": 4.68, "limit": 4.75, "sample": null, "isBeyond": true}));
    assert_eq!((instant(&seen["since"]), &seen["isRepeat"]), (hour(6), &json!(false)));

    // 24 hours after hour 6, at 16:00 on 5 May; the planner comes by itself.
    let run = field.plan_at(30).await;
    assert_eq!((&run["subjectCount"], &run["ordersIssued"]), (&json!(2), &json!(2)), "{run:#}");
    let item = field.item(&low, "POWER").await;
    is_due(&item, "2026-05-05", "POWER_CHECK");
    says(
        &item,
        "supply voltage 4.68 V (limit below 4.75 V), so since 2026-05-04; it must hold for 24 hours",
        "供电电压4.68V（限值低于4.75V），自2026-05-04起，须持续24小时",
    );
    let item = field.item(&high, "POWER").await;
    is_due(&item, "2026-05-05", "POWER_CHECK");
    says(&item, "supply voltage 5.31 V (limit 5.25 V)", "供电电压5.31V（限值5.25V）");
    is_at_rest(&field.item(&dip, "POWER").await);
    settled(&field.app).await;
    // 24 hours after hour 22, at 8:00 on 6 May.
    assert_eq!(field.plan_at(46).await["ordersIssued"], 1);
    is_due(&field.item(&dip, "POWER").await, "2026-05-06", "POWER_CHECK");
    settled(&field.app).await;
}

#[tokio::test]
async fn a_power_check_is_due_by_battery_health_and_by_unplanned_reboots() {
    let field = Field::new().await;
    let [worn, restless] = [field.device("WORN").await, field.device("RESTLESS").await];
    let reboots = clause(delta("UNPLANNED_REBOOTS", 7), "AT_LEAST", 4.0);
    let triggers = [held(0, &[weak_battery()]), held(0, &[reboots])];
    make_plan(&field.app, "POWER", &triggers, json!({"kind": "POWER_CHECK"})).await;
    field.clock(80);
    field.read(&worn, "BATTERY_HEALTH", &[(2, 72.0), (26, 69.5)]).await;
    // Two more by hour 49, five by hour 73, which is 11:00 on 7 May; what was counted before the
    // first reading is no growth.
    field.read(&restless, "UNPLANNED_REBOOTS", &[(1, 10.0), (25, 11.0), (49, 12.0), (73, 15.0)]).await;
    assert_eq!(field.app.run_planner().await["ordersIssued"], 2);
    let item = field.item(&worn, "POWER").await;
    is_due(&item, "2026-05-05", "POWER_CHECK");
    says(
        &item,
        "battery capacity left 69.5 % (limit below 70 %), so since 2026-05-05",
        "电池健康度69.5%（限值低于70%），自2026-05-05起",
    );
    let item = field.item(&restless, "POWER").await;
    is_due(&item, "2026-05-07", "POWER_CHECK");
    says(
        &item,
        "unplanned restarts grew by 5 over 7 days (limit 4), so since 2026-05-07",
        "非计划重启次数7天内增加5（限值4），自2026-05-07起",
    );
    settled(&field.app).await;

    // A week later none of them lies in the window.
    field.clock(245);
    field.read(&restless, "UNPLANNED_REBOOTS", &[(245, 15.0)]).await;
    let run = field.app.run_planner().await;
    assert_eq!((&run["ordersIssued"], &run["ordersWithdrawn"]), (&json!(0), &json!(1)), "{run:#}");
    is_at_rest(&field.item(&restless, "POWER").await);
    is_due(&field.item(&worn, "POWER").await, "2026-05-05", "POWER_CHECK");
    settled(&field.app).await;
}

#[tokio::test]
async fn a_display_check_is_due_after_many_touch_calibrations() {
    let field = Field::new().await;
    let [drifting, steady] = [field.device("DRIFTING").await, field.device("STEADY").await];
    let often = clause(delta("TOUCH_CALIBRATIONS", 30), "AT_LEAST", 5.0);
    make_plan(&field.app, "DISPLAY", &[held(0, &[often])], json!({"kind": "DISPLAY_CHECK"})).await;
    field.clock(500);
    // Two by 14 May, five by 10:00 on 24 May.
    field.read(&drifting, "TOUCH_CALIBRATIONS", &[(1, 2.0), (240, 4.0), (480, 7.0)]).await;
    field.read(&steady, "TOUCH_CALIBRATIONS", &[(1, 40.0), (240, 41.0), (480, 44.0)]).await;
    assert_eq!(field.app.run_planner().await["ordersIssued"], 1);
    let item = field.item(&drifting, "DISPLAY").await;
    is_due(&item, "2026-05-24", "DISPLAY_CHECK");
    says(
        &item,
        "touch calibrations grew by 5 over 30 days (limit 5), so since 2026-05-24",
        "触摸校准次数30天内增加5（限值5），自2026-05-24起",
    );
    is_at_rest(&field.item(&steady, "DISPLAY").await);
    settled(&field.app).await;
}

#[tokio::test]
async fn cleaning_is_due_by_errors_per_read_relative_to_the_devices_own_baseline() {
    let field = Field::new().await;
    let [worse, always] = [field.device("WORSE").await, field.device("ALWAYS").await];
    let measure = json!({"ratioToBaseline": {
        "numerator": "MSR_ERRORS", "denominator": "MSR_READS", "windowDays": 7, "baselineDays": 28,
    }});
    let doubled = with(clause(measure, "ABOVE", 2.0), "minSample", json!(100));
    make_plan(&field.app, "CLEAN", &[held(0, &[doubled])], json!({})).await;
    // 100 reads a day. One error a day until day 33 and three from then on; the other has always had
    // three, which is beyond nobody's baseline.
    field.clock(24 * 40);
    let total = |day: i64, of_day: &dyn Fn(i64) -> f64| (1..=day).map(of_day).sum::<f64>();
    let each_day = |of_day: &dyn Fn(i64) -> f64| -> Vec<(i64, f64)> {
        (0..=40).map(|day| (24 * day, total(day, of_day))).collect()
    };
    for (device, errors) in
        [(&worse, each_day(&|day| if day <= 33 { 1.0 } else { 3.0 })), (&always, each_day(&|_| 3.0))]
    {
        field.read(device, "MSR_READS", &each_day(&|_| 100.0)).await;
        field.read(device, "MSR_ERRORS", &errors).await;
    }
    assert_eq!(field.app.run_planner().await["ordersIssued"], 1);
    // With four days of three the week has 15 of 700, more than twice 1 %: on day 37, which is 10 June.
    let item = field.item(&worse, "CLEAN").await;
    is_due(&item, "2026-06-10", "CLEANING");
    // By now the whole week has three a day.
    says(
        &item,
        "magstripe read errors per magstripe read attempts over 7 days 3 times its own of the 28 days before (limit 2 \
         times), so since 2026-06-10",
        "7天内磁条读取错误次数与磁条读取次数之比为此前28天的3倍（限值2倍），自2026-06-10起",
    );
    is_at_rest(&field.item(&always, "CLEAN").await);
    settled(&field.app).await;
}

#[tokio::test]
async fn an_environment_check_is_due_by_humidity_and_temperature_at_sites_of_its_environment_only() {
    let field = Field::new().await;
    let kitchen = site_with(&field.app, json!({"environment": "FOOD_SERVICE"})).await;
    let office = site_with(&field.app, json!({"environment": "INDOOR"})).await;
    let hot_and_damp = field.device_at(&kitchen, "KITCHEN").await;
    let dry = field.device_at(&kitchen, "DRY").await;
    let elsewhere = field.device_at(&office, "OFFICE").await;
    let nowhere = field.device("NOWHERE").await;
    let clauses = [clause(gauge("HUMIDITY"), "ABOVE", 80.0), clause(gauge("TEMPERATURE"), "ABOVE", 40.0)];
    let trigger = with(held(12, &clauses), "condition.guard", json!({"environments": ["FOOD_SERVICE", "DAMP"]}));
    make_plan(&field.app, "SURROUNDINGS", &[trigger], json!({"kind": "ENVIRONMENT_CHECK"})).await;
    field.clock(20);
    for device in [&hot_and_damp, &elsewhere, &nowhere] {
        field.read(device, "HUMIDITY", &[(2, 85.0)]).await;
        field.read(device, "TEMPERATURE", &[(2, 35.0), (6, 42.0)]).await;
    }
    field.read(&dry, "HUMIDITY", &[(2, 60.0)]).await;
    field.read(&dry, "TEMPERATURE", &[(2, 42.0)]).await;
    // Both since hour 6; held for 12 hours at 4:00 on 5 May.
    assert_eq!(field.app.run_planner().await["ordersIssued"], 1);
    let item = field.item(&hot_and_damp, "SURROUNDINGS").await;
    is_due(&item, "2026-05-05", "ENVIRONMENT_CHECK");
    says(
        &item,
        "relative humidity at the site 85 % (limit 80 %) and temperature at the device 42 °C (limit 40 °C), so since \
         2026-05-04; it must hold for 12 hours",
        "现场相对湿度85%（限值80%），且设备温度42°C（限值40°C），自2026-05-04起，须持续12小时",
    );
    for device in [&dry, &elsewhere, &nowhere] {
        is_at_rest(&field.item(device, "SURROUNDINGS").await);
    }
    settled(&field.app).await;

    // A kitchen moves in at the office.
    let input = json!({"siteId": office, "environment": "FOOD_SERVICE"});
    field.app.mutate("updateSite", "", input).await;
    assert_eq!(field.app.run_planner().await["ordersIssued"], 1);
    is_due(&field.item(&elsewhere, "SURROUNDINGS").await, "2026-05-05", "ENVIRONMENT_CHECK");
    settled(&field.app).await;
}

#[tokio::test]
async fn a_resource_check_is_due_by_the_days_until_storage_is_full() {
    let field = Field::new().await;
    let [filling, flat, young] =
        [field.device("FILLING").await, field.device("FLAT").await, field.device("YOUNG").await];
    let measure = json!({"daysToLimit": {"meter": "FLASH_FREE", "limit": 5}});
    let soon = with(clause(measure, "BELOW", 30.0), "clearAt", json!(45));
    make_plan(&field.app, "STORAGE", &[held(0, &[soon])], json!({"kind": "RESOURCE_CHECK"})).await;
    field.clock(24 * 27);
    let each_day = |from: i64, free: &dyn Fn(i64) -> f64| -> Vec<(i64, f64)> {
        (from..=27).map(|day| (24 * day, free(day))).collect()
    };
    // 60.4 % less one a day: 55.4 - day days until 5 %, less than 30 on day 26, which is 30 May.
    field.read(&filling, "FLASH_FREE", &each_day(0, &|day| 60.4 - day as f64)).await;
    field.read(&flat, "FLASH_FREE", &each_day(0, &|_| 8.0)).await;
    // Four days are no trend, however steep.
    field.read(&young, "FLASH_FREE", &each_day(24, &|day| 300.0 - 10.0 * day as f64)).await;
    assert_eq!(field.app.run_planner().await["ordersIssued"], 1);
    let item = field.item(&filling, "STORAGE").await;
    is_due(&item, "2026-05-30", "RESOURCE_CHECK");
    says(
        &item,
        "flash memory free reaches 5 % in about 28 days (limit 30 days), so since 2026-05-30",
        "闪存剩余约28天后到达5%（限值30天），自2026-05-30起",
    );
    for device in [&flat, &young] {
        let item = field.item(device, "STORAGE").await;
        is_at_rest(&item);
        says(&item, "too little is known of flash memory free", "闪存剩余数据不足");
    }
    settled(&field.app).await;
}

#[tokio::test]
async fn silence_is_due_on_the_day_it_was_reached_and_withdrawn_when_the_device_speaks_again() {
    let field = Field::new().await;
    let till = field.device("HX1").await;
    let silent = clause(json!({"silence": {"anyMeter": true}}), "AT_LEAST", 4.0);
    make_plan(&field.app, "SILENT", &[held(0, &[silent])], json!({"kind": "COMMS_CHECK"})).await;
    field.clock(50);
    // Every six hours until hour 48.
    let readings: Vec<(i64, f64)> = (0..=8).map(|n| (6 * n, 10.0 * n as f64)).collect();
    field.read(&till, "TRANSACTIONS", &readings).await;
    field.app.run_planner().await;
    is_at_rest(&field.item(&till, "SILENT").await);
    settled(&field.app).await;
    // Four times six hours after hour 48 is 10:00 on 7 May. Nothing is looked at before, and a
    // planner that comes a day late finds the same day.
    assert_eq!(field.plan_at(71).await["subjectCount"], 0);
    let run = field.plan_at(100).await;
    assert_eq!((&run["subjectCount"], &run["ordersIssued"]), (&json!(1), &json!(1)), "{run:#}");
    let item = field.item(&till, "SILENT").await;
    is_due(&item, "2026-05-07", "COMMS_CHECK");
    says(
        &item,
        "no reading for 4 × its normal gap (limit 4 ×), so since 2026-05-07",
        "已有平常间隔的4倍时间无读数（限值4倍），自2026-05-07起",
    );
    settled(&field.app).await;

    field.clock(102);
    field.read(&till, "TRANSACTIONS", &[(101, 200.0)]).await;
    let run = field.app.run_planner().await;
    assert_eq!((&run["ordersIssued"], &run["ordersWithdrawn"]), (&json!(0), &json!(1)), "{run:#}");
    is_at_rest(&field.item(&till, "SILENT").await);
    assert_eq!(field.orders(&till).await, [("COMMS_CHECK".to_owned(), "CANCELLED".to_owned())]);
    settled(&field.app).await;
}

#[tokio::test]
async fn a_life_is_compared_with_a_share_of_the_models_rating() {
    let field = Field::new().await;
    let worn = field.device("WORN").await;
    let unrated = device_at(&field.app, &field.site, "UNRATED", START).await;
    let used_up = json!({
        "measure": {"life": {"meter": "BATTERY_CYCLES"}}, "operator": "AT_LEAST", "limit": {"shareOfRating": 0.9},
    });
    make_plan(&field.app, "BATTERY", &[held(0, &[used_up])], json!({"kind": "BATTERY_CHECK"})).await;
    field.clock(50);
    // Nine tenths of 500 are 450: reached by hour 49, at 11:00 on 6 May.
    field.read(&worn, "BATTERY_CYCLES", &[(1, 445.0), (25, 449.0), (49, 451.0)]).await;
    assert_eq!(field.app.run_planner().await["ordersIssued"], 1);
    let item = field.item(&worn, "BATTERY").await;
    is_due(&item, "2026-05-06", "BATTERY_CHECK");
    says(
        &item,
        "battery charge cycles 451 (limit 450, 90 % of its rating), so since 2026-05-06",
        "电池充电循环次数451（限值450，即额定值的90%），自2026-05-06起",
    );
    let item = field.item(&unrated, "BATTERY").await;
    is_at_rest(&item);
    says(
        &item,
        "too little is known of battery charge cycles (limit 90 % of its rating, which is not known)",
        "电池充电循环次数数据不足（限值额定值的90%，额定值未知）",
    );
    settled(&field.app).await;

    // A new battery has a life of its own; the device's counter goes on.
    field.clock(80);
    let order = open_order(&field.app, &worn, "BATTERY").await;
    let part = json!({"componentKind": "BATTERY", "newSerialNumber": "B-2"});
    field.work(&worn, 51, json!({"workOrderIds": [order], "partsReplaced": [part]})).await;
    field.read(&worn, "BATTERY_CYCLES", &[(79, 453.0)]).await;
    field.app.run_planner().await;
    let item = field.item(&worn, "BATTERY").await;
    is_at_rest(&item);
    says(&item, "battery charge cycles 2 (limit 450, 90 % of its rating)", "电池充电循环次数2（限值450");
    // Still so when a failed repair would be told.
    field.plan_at(200).await;
    is_at_rest(&field.item(&worn, "BATTERY").await);
    settled(&field.app).await;
}

#[tokio::test]
async fn a_rate_a_last_reading_a_last_use_and_an_age_are_measures_like_any_other() {
    let field = Field::new().await;
    let till = field.device("HX1").await;
    let of = |measure: Value, operator: &str, limit: f64| [held(0, &[clause(measure, operator, limit)])];
    let printed = of(json!({"rate": {"meter": "PRINT_METERS", "windowDays": 7}}), "ABOVE", 10.0);
    let unread = of(json!({"daysSinceReading": {"anyMeter": true}}), "AT_LEAST", 10.0);
    let unused = of(json!({"daysSinceUse": {"meter": "TRANSACTIONS"}}), "AT_LEAST", 5.0);
    let old = of(json!({"attributeAge": {"attribute": "INSTALLED_AT"}}), "AT_LEAST", 10.0);
    for (code, triggers) in [("PRINTED", &printed), ("UNREAD", &unread), ("UNUSED", &unused), ("OLD", &old)] {
        make_plan(&field.app, code, triggers, json!({})).await;
    }
    field.clock(13 * 24);
    // 30 m in two days. The last transaction was counted at hour 24, the last reading is of hour 48.
    field.read(&till, "PRINT_METERS", &[(0, 0.0), (48, 30.0)]).await;
    field.read(&till, "TRANSACTIONS", &[(0, 100.0), (24, 150.0), (48, 150.0)]).await;
    assert_eq!(field.app.run_planner().await["ordersIssued"], 4);
    for (code, date, en, zh) in [
        (
            "PRINTED",
            "2026-05-06",
            "printed paper 15 m a day over 7 days (limit 10 m a day)",
            "打印长度7天内每天15m（限值每天10m）",
        ),
        // Ten days after hour 48, five after hour 24, ten after hour 0, each to the hour.
        ("UNREAD", "2026-05-16", "no reading for 10 days (limit 10 days)", "已10天无读数（限值10天）"),
        ("UNUSED", "2026-05-10", "no transactions for 5 days (limit 5 days)", "交易笔数已5天没有增加（限值5天）"),
        ("OLD", "2026-05-14", "installed for 10 days (limit 10 days)", "已安装10天（限值10天）"),
    ] {
        let item = field.item(&till, code).await;
        is_due(&item, date, "CLEANING");
        says(&item, en, zh);
    }
    settled(&field.app).await;
}

//! What is odd about a line comes back as a notice; the visit stands.

use super::*;
use crate::planning::{START, device_at, devices_at, floating, item, make_plan, open_order, order, site_with};
use crate::support::{at, instant};
use tillkeep::kernel::ids::{PlanId, WorkOrderId};
use uuid::Uuid;

#[tokio::test]
async fn each_conflict_comes_back_as_a_notice_and_every_line_is_kept() {
    let app = TestApp::start_at(START).await;
    let technician = app.technician("Li Wei").await;
    let site = site_with(&app, json!({})).await;
    let devices: [String; 5] = devices_at(&app, &site).await;
    let elsewhere = device_at(&app, &site_with(&app, json!({})).await, "HX9", START).await;
    let plan = make_plan(&app, "CLEAN", &[floating("P30D")], json!({})).await;
    app.set_clock("2026-05-20T02:00:00Z");
    assert_eq!(app.run_planner().await["ordersIssued"], 6);
    let mut ids = Vec::new();
    for device in &devices {
        ids.push(open_order(&app, device, "CLEAN").await);
    }
    let nobody = Uuid::from_u128(7);
    let unknown = (WorkOrderId(nobody).global(), PlanId(nobody).global());

    app.set_clock("2026-06-01T03:00:00Z");
    let cases = [
        (
            json!({"deviceId": devices[0], "workOrderIds": [ids[0]], "performedAt": "2026-05-20T02:00:00Z"}),
            vec!["BEFORE_WINDOW", "PERFORMED_OUTSIDE_VISIT"],
        ),
        (json!({"serialNumber": "HX-NOBODY", "workOrderIds": [ids[1]]}), vec!["UNRESOLVED_DEVICE"]),
        (json!({"deviceId": devices[2], "workOrderIds": [ids[3]]}), vec!["ORDER_OF_OTHER_SUBJECT"]),
        (json!({"deviceId": devices[3], "workOrderIds": [ids[3]], "outcome": "NO_ACCESS"}), vec!["NOT_DONE"]),
        (
            json!({"deviceId": devices[4], "findings": "slip of 4111 1111 1111 1111 in the printer"}),
            vec!["RECORDED", "CARD_NUMBER_MASKED"],
        ),
        (json!({"deviceId": elsewhere}), vec!["RECORDED", "OTHER_SITE"]),
        (json!({"planIds": [plan]}), vec!["PLAN_NOT_FOR_SUBJECT"]),
        (
            json!({"deviceId": devices[4], "workOrderIds": [unknown.0], "planIds": [unknown.1]}),
            vec!["ORDER_NOT_FOUND", "PLAN_NOT_FOUND"],
        ),
    ];
    let (lines, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let logged = app.log_visit(&site, &technician, "2026-06-01T02:00:00Z", lines).await;
    assert_eq!(codes(&logged, expected.len()), expected);

    // Only the first line is done work of a known device, too early for its order: it counts, and
    // the order goes on to the next date.
    let first = item(&app, &devices[0], "CLEAN").await;
    assert_eq!(instant(&first["lastDoneAt"]), at("2026-05-20T02:00:00Z"));
    for device in &devices[1..] {
        assert!(item(&app, device, "CLEAN").await["lastDoneAt"].is_null(), "{device}");
    }
    for id in &ids {
        assert_eq!(order(&app, id).await["state"], "PLANNED");
    }
    assert_eq!(instant(&order(&app, &ids[0]).await["dueAt"]), at("2026-06-18T16:00:00Z"));

    let visits = visits(&app).await;
    let [visit] = visits.as_slice() else { panic!("{visits:#?}") };
    let kept = visit["lines"].as_array().expect("lines");
    assert_eq!(kept.len(), expected.len());
    for (line, codes) in kept.iter().zip(&expected) {
        let notices: Vec<_> = line["notices"].as_array().expect("notices").iter().map(|n| text(&n["code"])).collect();
        assert_eq!(&notices, codes);
    }
    assert_eq!((&kept[1]["serialNumber"], &kept[1]["device"]), (&json!("HX-NOBODY"), &json!(null)));
    assert_eq!(kept[1]["notices"][0]["workOrder"]["id"], json!(ids[1]));
    assert_eq!(kept[4]["findings"], "slip of **** **** **** 1111 in the printer");
}

//! Lists of orders and of what is coming: filters, orders, pages.

use super::*;
use crate::support::{at, instant};
use std::collections::BTreeSet;

const A: usize = 0;
const B: usize = 1;

/// Eight orders at two sites: of each priority, three with a date, some due or scheduled at one
/// moment, one of them closed, one of a plan.
struct Book {
    app: TestApp,
    numbers: Vec<String>,
    sites: [String; 2],
    devices: [String; 2],
    technician: String,
    plan: String,
}

impl Book {
    async fn fill() -> Self {
        let app = TestApp::start_at("2026-05-04T08:00:00Z").await;
        let sites = [
            site_with(&app, json!({"regionCode": "4403"})).await,
            site_with(&app, json!({"regionCode": "1101"})).await,
        ];
        let devices = [device_at(&app, &sites[A], "HX0", START).await, device_at(&app, &sites[B], "HX1", START).await];
        let technician = app.technician("Li Wei").await;
        let mut ids = Vec::new();
        for (place, subject, id, kind, priority, due_on) in [
            (0, "deviceId", &devices[A], "CLEANING", "LOW", "2026-06-01"),
            (1, "deviceId", &devices[A], "CORRECTIVE", "URGENT", "2026-05-20"),
            (2, "deviceId", &devices[B], "CLEANING", "NORMAL", "2026-06-01"),
            (3, "deviceId", &devices[B], "INSPECTION", "HIGH", "2026-07-01"),
            (4, "siteId", &sites[A], "MERCHANT_PATROL", "NORMAL", "2026-06-15"),
            (5, "deviceId", &devices[A], "CORRECTIVE", "URGENT", "2026-06-10"),
            (6, "deviceId", &devices[B], "SWAP", "LOW", "2026-05-25"),
        ] {
            if place == 4 {
                app.set_clock("2026-05-05T08:00:00Z");
            }
            let due_at = format!("{due_on}T02:00:00Z");
            let mut input = json!({"kind": kind, "priority": priority, "dueAt": due_at});
            input[subject] = json!(id);
            let payload = app.mutate("createWorkOrder", "workOrder { id }", input).await;
            ids.push(text(&payload["workOrder"]["id"]));
        }
        for (place, at, assignee) in
            [(0, "2026-05-28T02:00:00Z", true), (6, "2026-05-28T02:00:00Z", true), (3, "2026-06-28T02:00:00Z", false)]
        {
            let assignee = assignee.then_some(&technician);
            let input = json!({"workOrderId": ids[place], "scheduledFor": at, "assigneeId": assignee});
            app.mutate("scheduleWorkOrder", "", input).await;
        }
        change_state(&app, &ids[5], "CANCELLED", json!({"reason": "Repaired by phone"})).await;
        // Due on 3 June, 30 days after installation.
        let more = json!({"kind": "POWER_CHECK", "leadDays": 366, "selector": {"siteIds": [sites[B]]}});
        let plan = make_plan(&app, "POWER", &[floating("P30D")], more).await;
        app.run_planner().await;
        ids.push(open_order(&app, &devices[B], "POWER").await);
        app.set_clock("2026-05-21T02:00:00Z");
        let mut numbers = Vec::new();
        for id in &ids {
            numbers.push(text(&order(&app, id).await["number"]));
        }
        Self { app, numbers, sites, devices, technician, plan }
    }
}

#[tokio::test]
async fn work_orders_are_filtered_by_all_that_is_known_of_them() {
    let book = Book::fill().await;
    let [a, b] = &book.devices;
    let query = "query($filter: WorkOrderFilter) {
        workOrders(filter: $filter, first: 20) { totalCount nodes { number } }
    }";
    let model = book.app.model().await;
    let cases: &[(Value, &[usize])] = &[
        (json!({"states": ["PLANNED"]}), &[1, 2, 4, 7]),
        (json!({"states": ["SCHEDULED", "CANCELLED"]}), &[0, 3, 5, 6]),
        (json!({"kinds": ["CLEANING", "POWER_CHECK"]}), &[0, 2, 7]),
        (json!({"dueFrom": "2026-06-01T02:00:00Z", "dueBefore": "2026-06-15T02:00:00Z"}), &[0, 2, 5, 7]),
        (json!({"scheduledFrom": "2026-05-28T02:00:00Z", "scheduledBefore": "2026-06-28T02:00:00Z"}), &[0, 6]),
        (json!({"createdFrom": "2026-05-05T08:00:00Z"}), &[4, 5, 6, 7]),
        (json!({"createdBefore": "2026-05-05T08:00:00Z"}), &[0, 1, 2, 3]),
        (json!({"deviceId": a}), &[0, 1, 5]),
        (json!({"siteId": book.sites[A]}), &[0, 1, 4, 5]),
        (json!({"planId": book.plan}), &[7]),
        (json!({"modelId": model}), &[0, 1, 2, 3, 5, 6, 7]),
        (json!({"regionCodes": ["44"]}), &[0, 1, 4, 5]),
        (json!({"regionCodes": ["4403", "11"]}), &[0, 1, 2, 3, 4, 5, 6, 7]),
        (json!({"regionCodes": ["403"]}), &[]),
        (json!({"priorities": ["HIGH", "URGENT"]}), &[1, 3, 5]),
        (json!({"assigneeId": book.technician}), &[0, 6]),
        (json!({"unassigned": false}), &[0, 6]),
        (json!({"unassigned": true}), &[1, 2, 3, 4, 5, 7]),
        (json!({"overdue": true}), &[1]),
        (json!({"overdue": false}), &[0, 2, 3, 4, 6, 7]),
        (json!({"numbers": [book.numbers[2], book.numbers[5]]}), &[2, 5]),
        (json!({"deviceId": b, "states": ["PLANNED"], "regionCodes": ["11"]}), &[2, 7]),
    ];
    for (filter, expected) in cases {
        let data = book.app.gql(query, json!({"filter": filter})).await;
        let page = &data["workOrders"];
        let found: BTreeSet<_> = page["nodes"].as_array().expect("a list").iter().map(|n| text(&n["number"])).collect();
        let wanted: BTreeSet<_> = expected.iter().map(|place| book.numbers[*place].clone()).collect();
        assert_eq!(found, wanted, "{filter}");
        assert_eq!(page["totalCount"], json!(expected.len()), "{filter}");
    }
}

#[tokio::test]
async fn work_orders_are_paged_completely_in_every_order_and_priority_means_urgency() {
    let book = Book::fill().await;
    let query = "query($orderBy: WorkOrderOrder, $after: String) {
        workOrders(orderBy: $orderBy, first: 2, after: $after) {
            totalCount
            nodes { number priority dueAt createdAt scheduledFor }
            pageInfo { hasNextPage endCursor }
        }
    }";
    let urgency = |order: &Value| {
        let place = ["LOW", "NORMAL", "HIGH", "URGENT"].iter().position(|p| order["priority"] == *p);
        place.expect("a priority").to_string()
    };
    for (field, direction) in ["DUE_AT", "CREATED_AT", "SCHEDULED_FOR", "PRIORITY"]
        .into_iter()
        .flat_map(|field| [(field, "ASC"), (field, "DESC")])
    {
        let mut rows: Vec<Value> = Vec::new();
        let mut after = json!(null);
        loop {
            let order_by = json!({"field": field, "direction": direction});
            let data = book.app.gql(query, json!({"orderBy": order_by, "after": after})).await;
            let page = &data["workOrders"];
            rows.extend(page["nodes"].as_array().expect("a page").clone());
            // Unscheduled orders have no place in the order by schedule.
            let expected = if field == "SCHEDULED_FOR" { 3 } else { 8 };
            assert_eq!(page["totalCount"], expected, "{field} {direction}");
            if page["pageInfo"]["hasNextPage"] == false {
                assert_eq!(rows.len(), expected, "{field} {direction}: {rows:#?}");
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let numbers: BTreeSet<_> = rows.iter().map(|o| text(&o["number"])).collect();
        assert_eq!(numbers.len(), rows.len(), "each once by {field} {direction}");
        let keys: Vec<String> = rows
            .iter()
            .map(|o| match field {
                "DUE_AT" => instant(&o["dueAt"]).to_rfc3339(),
                "CREATED_AT" => instant(&o["createdAt"]).to_rfc3339(),
                "SCHEDULED_FOR" => instant(&o["scheduledFor"]).to_rfc3339(),
                _ => urgency(o),
            })
            .collect();
        let in_order = |a: &String, b: &String| if direction == "ASC" { a <= b } else { a >= b };
        assert!(keys.is_sorted_by(in_order), "by {field} {direction}: {keys:?}");
    }
}

#[tokio::test]
async fn upcoming_maintenance_has_one_row_per_item_overdue_ones_first_and_pages_completely() {
    let app = TestApp::start_at("2026-05-10T02:00:00Z").await;
    let shenzhen = site_with(&app, json!({"regionCode": "4403"})).await;
    let beijing = site_with(&app, json!({"regionCode": "1101"})).await;
    device_at(&app, &shenzhen, "HX0", "2026-03-01T02:00:00Z").await;
    device_at(&app, &shenzhen, "HX1", "2026-04-20T02:00:00Z").await;
    let third = device_at(&app, &beijing, "HX2", START).await;
    make_plan(&app, "DAYS", &[floating("P30D")], json!({})).await;
    let monthly = make_plan(&app, "MONTHLY", &[grid("0 9 1 * *")], json!({"leadDays": 0})).await;
    let by_hand = json!({"deviceId": third, "kind": "CORRECTIVE", "dueAt": "2026-05-10T04:00:00Z"});
    app.mutate("createWorkOrder", "", by_hand).await;
    app.run_planner().await;

    let query =
        "query($from: DateTime, $before: DateTime!, $filter: UpcomingMaintenanceFilter, $first: Int, $after: String) {
        upcomingMaintenance(dueFrom: $from, dueBefore: $before, filter: $filter, first: $first, after: $after) {
            totalCount
            nodes { id dueAt isOverdue item { id } workOrder { id } }
            pageInfo { hasNextPage endCursor }
        }
    }";
    let ask = async |more: Value| {
        let mut variables = json!({"before": "2026-07-01T00:00:00Z", "first": 20});
        merge(&mut variables, more);
        app.gql(query, variables).await["upcomingMaintenance"].take()
    };
    let rows = |page: &Value| page["nodes"].as_array().expect("a list").clone();
    let all = ask(json!({})).await;
    let dues: Vec<_> = rows(&all).iter().map(|r| instant(&r["dueAt"])).collect();
    // 31 March, by hand, 20 May, three times 1 June, 3 June.
    let expected = [
        "2026-03-30T16:00:00Z",
        "2026-05-10T04:00:00Z",
        "2026-05-19T16:00:00Z",
        "2026-06-01T01:00:00Z",
        "2026-06-01T01:00:00Z",
        "2026-06-01T01:00:00Z",
        "2026-06-02T16:00:00Z",
    ];
    assert_eq!(dues, expected.map(at));
    assert_eq!(all["totalCount"], 7);
    let has_order: Vec<_> = rows(&all).iter().map(|r| !r["workOrder"].is_null()).collect();
    assert_eq!(has_order, [true, true, true, false, false, false, false]);
    let overdue: Vec<_> = rows(&all).iter().map(|r| r["isOverdue"] == true).collect();
    assert_eq!(overdue, [true, false, false, false, false, false, false]);

    for (more, count) in [
        (json!({"from": "2026-05-10T00:00:00Z"}), 6),
        (json!({"before": "2026-06-01T01:00:00Z"}), 3),
        (json!({"filter": {"overdueOnly": true}}), 1),
        (json!({"filter": {"regionCodes": ["44"]}}), 4),
        (json!({"filter": {"regionCodes": ["1101"]}}), 3),
        (json!({"filter": {"regionCodes": ["4403", "1"]}}), 7),
        (json!({"filter": {"planIds": [monthly]}}), 3),
        (json!({"filter": {"siteId": beijing, "kinds": ["CLEANING"]}}), 2),
        (json!({"filter": {"channels": ["REMOTE"]}}), 0),
    ] {
        let page = ask(more.clone()).await;
        assert_eq!((rows(&page).len(), &page["totalCount"]), (count, &json!(count)), "{more}");
    }
    for first in [1, 2, 3] {
        let (mut paged, mut after) = (Vec::new(), json!(null));
        loop {
            let page = ask(json!({"first": first, "after": after})).await;
            paged.extend(rows(&page));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(paged, rows(&all), "in pages of {first}");
    }

    // Orders take the place of their items.
    app.set_clock("2026-06-01T02:00:00Z");
    app.run_planner().await;
    let page = ask(json!({})).await;
    assert!(rows(&page).iter().all(|r| !r["workOrder"].is_null()), "{page:#}");
    let items: BTreeSet<_> = rows(&page).iter().filter_map(|r| r["item"]["id"].as_str().map(str::to_owned)).collect();
    assert_eq!((rows(&page).len(), items.len()), (7, 6));
}

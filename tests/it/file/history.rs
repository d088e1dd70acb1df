//! Reading a device file: by kind, by when it happened, page by page.

use super::file_of_five;
use crate::support::TestApp;
use serde_json::{Value, json};

/// The sequences of a page of history with these arguments, with the page's own facts.
async fn page(app: &TestApp, device: &str, arguments: &str) -> (Vec<i64>, Value) {
    let query = format!(
        "query($id: ID!) {{ device(id: $id) {{ history({arguments}) {{
            nodes {{ sequence }} totalCount pageInfo {{ hasNextPage hasPreviousPage endCursor }}
        }} }} }}"
    );
    let mut data = app.gql(&query, json!({"id": device})).await;
    let found = data["device"]["history"].take();
    let sequences = found["nodes"].as_array().unwrap().iter().map(|e| e["sequence"].as_i64().unwrap()).collect();
    (sequences, found)
}

#[tokio::test]
async fn history_is_filtered_by_kind_and_by_when_it_happened() {
    let (app, device) = file_of_five().await;
    for (arguments, expected) in [
        ("first: 500", vec![1, 2, 3, 4, 5]),
        ("kinds: [STATUS_CHANGED]", vec![3, 4]),
        ("kinds: [REMOVED, DEVICE_REGISTERED]", vec![1, 5]),
        ("kinds: [SWAPPED_IN]", vec![]),
        ("kinds: []", vec![]),
        (r#"occurredFrom: "2026-05-04T02:00:00Z""#, vec![3, 4, 5]),
        (r#"occurredBefore: "2026-05-04T02:00:00Z""#, vec![1, 2]),
        (r#"occurredFrom: "2026-05-04T10:00:00+08:00", occurredBefore: "2026-05-04T11:00:00+08:00""#, vec![3]),
        (r#"kinds: [STATUS_CHANGED], occurredFrom: "2026-05-04T02:00:00.000001Z""#, vec![4]),
        (r#"occurredFrom: "2026-05-05T00:00:00Z""#, vec![]),
    ] {
        let (sequences, found) = page(&app, &device, arguments).await;
        assert_eq!(sequences, expected, "{arguments}");
        assert_eq!(found["totalCount"], expected.len(), "{arguments}");
    }
}

#[tokio::test]
async fn history_is_read_page_by_page() {
    let (app, device) = file_of_five().await;
    let mut after = "null".to_owned();
    for (expected, has_next) in [(vec![1, 2], true), (vec![3, 4], true), (vec![5], false)] {
        let (sequences, found) = page(&app, &device, &format!("first: 2, after: {after}")).await;
        assert_eq!(sequences, expected);
        let info = &found["pageInfo"];
        assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(has_next), &json!(expected[0] > 1)));
        assert_eq!(found["totalCount"], 5);
        after = info["endCursor"].to_string();
    }
    let (sequences, found) = page(&app, &device, &format!("first: 2, after: {after}")).await;
    assert_eq!((sequences, &found["pageInfo"]["endCursor"]), (vec![], &Value::Null));

    let filtered = "kinds: [STATUS_CHANGED], first: 1";
    let (sequences, found) = page(&app, &device, filtered).await;
    assert_eq!(sequences, [3]);
    let (sequences, found) =
        page(&app, &device, &format!("{filtered}, after: {}", found["pageInfo"]["endCursor"])).await;
    assert_eq!((sequences, &found["pageInfo"]["hasNextPage"]), (vec![4], &json!(false)));
}

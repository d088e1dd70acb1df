//! Whatever is done to a file behind the product's back is found, and the first event that is not
//! what was written is named.

use super::{differences, disarm, file_of_five, integrity};
use crate::bad_input::database::{ask, sql};
use crate::support::text;
use serde_json::{Value, json};
use tillkeep::registry::file::sha256_hex;

/// What a walk finds of a file of so many events that was tampered with.
fn broken(event_count: i64, first_bad_sequence: i64, problem: &str) -> Value {
    json!({"isIntact": false, "eventCount": event_count, "firstBadSequence": first_bad_sequence, "problem": problem})
}

/// Does something to a file of five events and says what a walk finds then.
async fn after(done: &[&str]) -> Value {
    let (app, device) = file_of_five().await;
    disarm(&app).await;
    for statement in done {
        sql(&app, statement).await;
    }
    integrity(&app, &device).await
}

/// Replaces one event by another whose text, hash and columns agree, and says what a walk finds.
async fn after_forging(sequence: i64, from: &str, to: &str) -> Value {
    let (app, device) = file_of_five().await;
    disarm(&app).await;
    let row = ask(&app, &format!("select canonical from device_event where sequence = {sequence}")).await;
    let canonical: String = row[0].try_get("", "canonical").unwrap();
    let forged = canonical.replace(from, to);
    assert!(forged != canonical && !forged.contains('\''), "{canonical}");
    let hash = sha256_hex(&forged);
    let forge = format!("update device_event set canonical = '{forged}', hash = '{hash}' where sequence = {sequence}");
    sql(&app, &forge).await;
    integrity(&app, &device).await
}

#[tokio::test]
async fn an_untouched_file_is_a_chain_and_its_head_is_its_last_event() {
    let (app, device) = file_of_five().await;
    let query = "query($id: ID!) { device(id: $id) {
        history { nodes { sequence hash previousHash } }
        historyIntegrity { headHash }
    } }";
    let data = app.gql(query, json!({"id": device})).await;
    let mut previous = String::new();
    for (place, event) in (1..).zip(data["device"]["history"]["nodes"].as_array().unwrap()) {
        assert_eq!(event["sequence"], place);
        assert_eq!(event["previousHash"], previous.as_str());
        previous = text(&event["hash"]);
        assert_eq!(previous.len(), 64);
    }
    assert_eq!(data["device"]["historyIntegrity"]["headHash"], previous.as_str());
}

#[tokio::test]
async fn a_flipped_bit_is_found() {
    // r and s differ in one bit.
    let flip = r#"update device_event set canonical = replace(canonical, '"planner"', '"plannes"') where sequence = 2"#;
    assert_eq!(after(&[flip]).await, broken(5, 2, "its text does not match its hash"));
    let flip = "update device_event set hash = replace(replace(hash, '0', '1'), 'a', 'b') where sequence = 4";
    assert_eq!(after(&[flip]).await, broken(5, 4, "its text does not match its hash"));
}

#[tokio::test]
async fn a_text_that_is_none_of_ours_is_found() {
    let (nothing, hash) = ("[]", sha256_hex("[]"));
    let forge = format!("update device_event set canonical = '{nothing}', hash = '{hash}' where sequence = 3");
    assert_eq!(after(&[forge.as_str()]).await, broken(5, 3, "its text cannot be read"));
}

#[tokio::test]
async fn a_changed_column_is_found() {
    let differ = "its columns differ from its text";
    let (app, device) = file_of_five().await;
    disarm(&app).await;
    // From the end, so that each is the first bad one.
    for (sequence, change) in [
        (5, "kind = 'SWAPPED_OUT'"),
        (4, "actor = 'somebody'"),
        (3, "occurred_at = recorded_at"),
        (2, "recorded_at = occurred_at"),
    ] {
        sql(&app, &format!("update device_event set {change} where sequence = {sequence}")).await;
        assert_eq!(integrity(&app, &device).await, broken(5, sequence, differ), "{change}");
    }
}

#[tokio::test]
async fn a_deleted_event_is_found() {
    let delete = |sequence: i64| format!("delete from device_event where sequence = {sequence}");
    assert_eq!(after(&[&delete(3)]).await, broken(4, 3, "an event is missing here"));
    assert_eq!(after(&[&delete(1)]).await, broken(4, 1, "an event is missing here"));
}

#[tokio::test]
async fn two_swapped_events_are_found() {
    let to = |from: i64, to: i64| format!("update device_event set sequence = {to} where sequence = {from}");
    let swapped = after(&[&to(3, 100), &to(4, 3), &to(100, 4)]).await;
    assert_eq!(swapped, broken(5, 3, "it does not follow the event before it"));
}

#[tokio::test]
async fn a_replaced_event_is_found_at_the_one_that_follows_it() {
    let forged = after_forging(4, r#""status":"SUSPENDED""#, r#""status":"LOST""#).await;
    assert_eq!(forged, broken(5, 5, "it does not follow the event before it"));
    let forged = after_forging(5, r#""status":"RETIRED""#, r#""status":"LOST""#).await;
    assert_eq!(forged, broken(5, 5, "the last event is not the one the head names"));
}

#[tokio::test]
async fn a_cut_tail_is_found() {
    let cut = after(&["delete from device_event where sequence = 5"]).await;
    assert_eq!(cut, broken(4, 5, "the file ends at 4, its head says 5"));
    let cut = after(&["delete from device_event where sequence > 2"]).await;
    assert_eq!(cut, broken(2, 3, "the file ends at 2, its head says 5"));
}

#[tokio::test]
async fn a_missing_head_is_found() {
    assert_eq!(after(&["delete from device_head"]).await, broken(5, 5, "the head of the file is missing"));
}

#[tokio::test]
async fn an_emptied_file_is_found() {
    let empty = broken(0, 1, "the file is empty, even the registration is missing");
    assert_eq!(after(&["delete from device_event", "delete from device_head"]).await, empty);
    let headed = broken(0, 1, "the file ends at 0, its head says 5");
    assert_eq!(after(&["delete from device_event"]).await, headed);
}

#[tokio::test]
async fn a_tail_cut_with_its_head_set_back_shows_against_the_tables() {
    let (app, device) = file_of_five().await;
    disarm(&app).await;
    sql(&app, "delete from device_event where sequence = 5").await;
    let set_back = "update device_head set sequence = 4,
        hash = (select hash from device_event where device_event.sequence = 4)";
    sql(&app, set_back).await;
    assert_eq!(integrity(&app, &device).await["isIntact"], true, "the chain alone cannot know");
    let found = differences(&app).await;
    assert!(found.contains(&"status is RETIRED in the table, SUSPENDED by the file".to_owned()), "{found:?}");
}

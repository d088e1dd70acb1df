//! Files against tables: what a device is said to be follows from its file alone.

use super::{differences, integrity};
use crate::bad_input::database::sql;
use crate::support::TestApp;
use serde_json::json;
use tillkeep::kernel::scope::Scope;

#[tokio::test]
async fn a_row_changed_behind_the_files_back_is_named() {
    let app = TestApp::start().await;
    let device = app.fielded("HX1", "2026-05-04T01:00:00Z").await.device;
    app.mutate("updateDevice", "", json!({"deviceId": device, "firmwareVersion": "3.2.0"})).await;
    assert_eq!(differences(&app).await, Vec::<String>::new());

    // In the order in which differences are named.
    let mut named = Vec::new();
    for (change, difference) in [
        ("update device set status = 'LOST'", "status is LOST in the table, INSTALLED by the file"),
        ("update device set position_id = null", "the position in the table is not the one of the file"),
        (
            "update device set serial_number = 'HX2'",
            "maker, serial number or model in the table are not those of the file",
        ),
        ("update device set site_id = null", "the site in the table is not the one of the file"),
        (
            "update binding set ended_at = started_at",
            "the places it stood at, or their times, are not those of the file",
        ),
        (
            "update device set firmware_version = '9.9.9'",
            "the firmware version in the table is not the one of the file",
        ),
        ("delete from software_item", "installed software differs from the file"),
        ("delete from component where kind = 'PRINTER'", "components differ from the file"),
    ] {
        sql(&app, change).await;
        named.push(difference);
        assert_eq!(differences(&app).await, named, "{change}");
    }
    assert_eq!(integrity(&app, &device).await["isIntact"], true);
}

#[tokio::test]
async fn a_device_dropped_from_the_tables_leaves_its_file_behind() {
    let app = TestApp::start().await;
    app.fielded("HX1", "2026-05-04T01:00:00Z").await;
    let registry = &app.services().registry;
    assert!(registry.files_without_device(&Scope::DEFAULT).await.unwrap().is_empty());
    sql(&app, "delete from binding").await;
    sql(&app, "delete from device").await;
    assert_eq!(registry.files_without_device(&Scope::DEFAULT).await.unwrap().len(), 1);
}

//! Names of groups as people read them.

use crate::kernel::text::LocalizedText;
use crate::planning::model::MaintenanceKind;
use crate::reports::model::Dimension;

fn text(en: &str, zh: &str) -> LocalizedText {
    LocalizedText { en: en.to_owned(), zh: zh.to_owned() }
}

/// The name of a kind of maintenance.
pub fn kind_name(kind: MaintenanceKind) -> LocalizedText {
    use MaintenanceKind::*;
    match kind {
        Cleaning => text("Cleaning", "清洁"),
        PowerCheck => text("Power check", "电源检查"),
        DisplayCheck => text("Display check", "显示屏检查"),
        EnvironmentCheck => text("Environment check", "环境检查"),
        FirmwareUpdate => text("Firmware update", "固件升级"),
        Inspection => text("Inspection", "巡检"),
        BatteryCheck => text("Battery check", "电池检查"),
        ResourceCheck => text("Resource check", "资源检查"),
        CommsCheck => text("Communications check", "通信检查"),
        PreInstallation => text("Inspection before installation", "装机前检验"),
        Installation => text("Installation", "装机"),
        Removal => text("Removal", "撤机"),
        Relocation => text("Relocation", "移机"),
        Swap => text("Swap", "换机"),
        MerchantPatrol => text("Merchant patrol", "商户巡访"),
        Replacement => text("Replacement", "更换"),
        Corrective => text("Repair", "维修"),
    }
}

/// The name of the group of what has nothing of a dimension.
pub fn nothing_of(dimension: Dimension) -> LocalizedText {
    match dimension {
        Dimension::Model => text("No device", "无终端"),
        Dimension::Site => text("No site", "无门店"),
        Dimension::Region => text("No region", "无地区"),
        Dimension::Kind => text("No kind", "无类别"),
        Dimension::Month => text("No month", "无月份"),
    }
}

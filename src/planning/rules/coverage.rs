//! Which plans' work includes which.

use crate::kernel::ids::PlanId;
use std::collections::{BTreeSet, HashMap};

/// Every plan whose work a plan's work includes, directly or through others, sorted; itself only
/// where the coverage runs in a circle.
pub fn covered_plans(plan: PlanId, direct: &HashMap<PlanId, &[PlanId]>) -> Vec<PlanId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<PlanId> = direct.get(&plan).map(|covers| covers.to_vec()).unwrap_or_default();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(direct.get(&next).copied().unwrap_or_default());
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn coverage_reaches_through_plans_and_a_circle_contains_itself() {
        let id = |n: u128| PlanId(Uuid::from_u128(n));
        let (a, b, c) = ([id(2)], [id(3)], [id(1)]);
        let mut direct: HashMap<PlanId, &[PlanId]> = HashMap::from([(id(1), a.as_slice()), (id(2), b.as_slice())]);
        assert_eq!(covered_plans(id(1), &direct), [id(2), id(3)]);
        assert_eq!(covered_plans(id(3), &direct), []);
        direct.insert(id(3), c.as_slice());
        assert!(covered_plans(id(1), &direct).contains(&id(1)));
    }
}

//! `machine_name`: one machine has one name in the state of a store.

use std::collections::BTreeSet;

/// Returns the name of the machine of a reference: without the account, with the id as the cloud spells the id. Any
/// other text, such as the name of a group, stays as it is.
///
/// The state compares instances by these names, because a machine can have several references. A build without a cloud
/// compares references as texts.
///
/// # Examples
/// ```
/// use lifecycle_controller::machine_name;
///
/// assert_eq!(machine_name("web"), "web");
/// # #[cfg(feature = "huawei")]
/// assert_eq!(
///     machine_name("ops@huawei/cn-north-4/616FB98F-46CA-475E-917E-2563E5A8CD19"),
///     "huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19"
/// );
/// ```
pub fn machine_name(text: &str) -> String {
    #[cfg(feature = "_keeper")]
    if let Ok(reference) = text.parse::<lifecycle_facade::InstanceReference>() {
        return reference.machine().to_string();
    }
    text.to_owned()
}

/// Returns true if the machine of `instance` is one of `machines`.
pub(crate) fn is_one_of(machines: &BTreeSet<String>, instance: &str) -> bool {
    !machines.is_empty() && machines.contains(&machine_name(instance))
}

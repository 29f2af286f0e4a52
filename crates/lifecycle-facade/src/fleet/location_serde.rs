//! `serde` of clouds, locations and references, behind the feature `serde`: the text of each.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{InstanceReference, Location};
use crate::Cloud;

/// Implements `serde` by the text of a value.
macro_rules! serde_by_text {
    ($($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

serde_by_text!(Cloud, Location, InstanceReference);

#[cfg(test)]
mod tests {
    use serde_json::{from_str, to_string};

    use super::*;

    #[test]
    fn location_and_reference_are_read_back_from_their_text() {
        for cloud in Cloud::ALL {
            assert_eq!(to_string(cloud).unwrap(), format!("{:?}", cloud.as_str()));
            let location = Location::new(*cloud, "r1").with_account("prod");
            let text = to_string(&location).unwrap();
            assert_eq!(text, format!("\"prod@{cloud}/r1\""));
            assert_eq!(from_str::<Location>(&text).unwrap(), location);
            let text = format!("\"{cloud}/r1/i-1\"");
            let reference: InstanceReference = from_str(&text).unwrap();
            assert_eq!(to_string(&reference).unwrap(), text);
        }
        let error = from_str::<InstanceReference>("\"i-1\"").unwrap_err();
        assert!(
            error.to_string().starts_with("invalid reference \"i-1\""),
            "{error}"
        );
    }
}

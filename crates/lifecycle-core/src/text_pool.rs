//! `TextPool`: equal texts of a response in one place in memory.

use std::{collections::HashSet, sync::Arc};

/// Shares equal texts: the rows of a list repeat the same few zones, types and tags.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use lifecycle_core::TextPool;
///
/// let mut pool = TextPool::default();
/// let (first, second) = (pool.share("cn-hangzhou-h"), pool.share("cn-hangzhou-h"));
/// assert!(Arc::ptr_eq(&first, &second));
/// ```
#[derive(Clone, Debug, Default)]
pub struct TextPool {
    texts: HashSet<Arc<str>>,
}

impl TextPool {
    /// Returns the shared copy of a text.
    pub fn share(&mut self, text: impl AsRef<str>) -> Arc<str> {
        let text = text.as_ref();
        if let Some(shared) = self.texts.get(text) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_place_in_memory() {
        let mut pool = TextPool::default();
        let first = pool.share("zone-a");
        assert_eq!(&*pool.share("zone-b"), "zone-b");
        let again = pool.share(String::from("zone-a"));
        assert_eq!(&*again, "zone-a");
        assert!(Arc::ptr_eq(&first, &again));
    }
}

//! The table of [`resume_step`]: each progress of an instance, for each kind of action.

use super::*;

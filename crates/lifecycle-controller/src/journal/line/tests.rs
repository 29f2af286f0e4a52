//! Tests of the lines of a journal.

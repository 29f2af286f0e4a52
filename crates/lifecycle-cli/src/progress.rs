//! Bars that move on standard error, one for each place; nothing where that is no terminal.

use std::{collections::BTreeMap, fmt};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lifecycle_facade::Location;

use crate::{
    console::{self, Console},
    facts::{Facts, Tally},
};

/// The bars. They vanish when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    all: MultiProgress,
    bars: BTreeMap<Location, ProgressBar>,
}

impl Progress {
    /// A bar for each place of the request.
    pub(crate) fn new(facts: &Facts, console: Console) -> Self {
        // A log would tear the bars apart.
        let target = if console.is_logging() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let all = MultiProgress::with_draw_target(target);
        let tallies = facts.tallies();
        let widest = tallies.keys().map(|place| place.to_string().len()).max();
        let style = style(widest.unwrap_or_default());
        let bars = tallies
            .into_iter()
            .map(|(place, tally)| {
                let bar = all.add(ProgressBar::new(tally.instances).with_style(style.clone()));
                bar.set_prefix(place.to_string());
                (place.clone(), bar)
            })
            .collect();
        Self { all, bars }
    }

    /// Moves the bars to where things are.
    pub(crate) fn show(&self, facts: &Facts) {
        for (place, tally) in facts.tallies() {
            if let Some(bar) = self.bars.get(place) {
                bar.set_position(tally.settled);
                bar.set_message(words(&tally));
            }
        }
    }

    /// Says a line above the bars.
    pub(crate) fn eprint_line(&self, line: impl fmt::Display) {
        self.all.suspend(|| console::eprint_line(line));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // A terminal that is gone needs no tidying.
        let _ = self.all.clear();
    }
}

fn style(prefix: usize) -> ProgressStyle {
    let template = format!(
        "{{prefix:{prefix}}}  {{bar:24.green/dim}}  {{pos:>4}}/{{len:<4}}  {{wide_msg:.dim}}"
    );
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}

/// `9 starting, 1 refused`.
fn words(tally: &Tally) -> String {
    let words: Vec<String> = tally
        .words
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    words.join(", ")
}

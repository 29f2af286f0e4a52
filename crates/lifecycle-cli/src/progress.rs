//! Progress bars on standard error, one for each region; none if standard error is not a terminal.

use std::{collections::BTreeMap, fmt};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lifecycle_facade::Location;

use crate::{
    console::{self, Console},
    progress_state::ProgressState,
};

mod bar_terminal;

use bar_terminal::BarTerminal;

/// The progress bars, which disappear on drop.
#[derive(Debug)]
pub(crate) struct Progress {
    all: MultiProgress,
    bars: BTreeMap<Location, ProgressBar>,
}

impl Progress {
    /// Creates a bar for each region of the request.
    pub(crate) fn new(state: &ProgressState, console: Console) -> Self {
        // Log lines would break the bars.
        let target = match BarTerminal::stderr() {
            Some(terminal) if !console.is_logging() && !console.quiet => {
                ProgressDrawTarget::term_like(Box::new(terminal))
            }
            _ => ProgressDrawTarget::hidden(),
        };
        let all = MultiProgress::with_draw_target(target);
        let tallies = state.tallies();
        let widest = tallies
            .keys()
            .map(|location| location.to_string().len())
            .max();
        let style = style(widest.unwrap_or_default());
        let bars = tallies
            .into_iter()
            .map(|(location, tally)| {
                let bar = all.add(ProgressBar::new(tally.instances).with_style(style.clone()));
                bar.set_prefix(location.to_string());
                (location.clone(), bar)
            })
            .collect();
        Self { all, bars }
    }

    /// Updates the bars.
    pub(crate) fn show(&self, state: &ProgressState) {
        for (location, tally) in state.tallies() {
            if let Some(bar) = self.bars.get(location) {
                bar.set_position(tally.settled);
                bar.set_message(tally.words());
            }
        }
    }

    /// Prints a line above the bars.
    pub(crate) fn eprint_line(&self, line: impl fmt::Display) {
        // `suspend` would panic on a closed terminal. The next update draws the bars again.
        let _ = self.all.clear();
        console::eprint_line(line);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // A closed terminal needs no cleanup.
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

"""Draws the tables of docs/benchmarks.md: one SVG for each table, with nothing but Python's library.

Run in the root of the workspace after new figures were recorded: python3 crates/lifecycle-bench/draw.py
"""

import pathlib
import re
from xml.sax.saxutils import escape

PAGE = pathlib.Path("docs/benchmarks.md")
FOLDER = pathlib.Path("docs/benchmarks")

# Title of the table, and the columns to draw. Columns count from 0; column 0 has the labels.
DRAWN = {
    "Signed requests": {"floor": 1, "act + sign": 4},
    "Calls": {"reqwest CPU µs": 4, "client CPU µs": 5},
    "Iterations": {"baseline CPU µs": 4, "client CPU µs": 5},
    "Threads": {"one client, 2 threads, a second": 2, "a client each, 2 threads, a second": 4},
    "Memory": {"reqwest peak MiB": 3, "client peak MiB": 5},
    "Scale": {"KiB for each instance": 7},
    "Forty regions of four clouds": {"KiB for each instance": 6, "CPU µs for each instance": 7},
    "Lists and selections": {"bytes for each row": 4, "of these text": 5},
    "Pace under a limit of 20 calls a second": {"back after s": 4},
    "Detection delay and polling cost": {"p95 delay s": 4, "best published p95 s": 5},
}

COLORS = ["#4878a8", "#c8783c"]
LABELS, BARS, BAR = 300, 360, 11


def tables(text):
    """Yields title and rows of each table, without the two lines of its head."""
    for title, body in re.findall(r"^### (.+)\n\n((?:\|.*\n)+)", text, re.MULTILINE):
        lines = [line.strip("|\n").split("|") for line in body.splitlines()[2:]]
        yield title, [[cell.strip() for cell in line] for line in lines]


def number(cell):
    return float(cell) if re.fullmatch(r"[\d.]+", cell) else None


def draw(title, rows, columns):
    """Returns the SVG of a table: a group of bars for each row that has one of the figures."""
    groups = []
    for row in rows:
        figures = [number(row[column]) for column in columns.values()]
        if all(figure is not None for figure in figures):
            groups.append((row[0], figures))
    largest = max((max(figures) for _, figures in groups), default=1) or 1
    parts, y = [], 42
    for name, figures in groups:
        middle = y + BAR * len(figures) / 2 + 4
        parts.append(f'<text x="{LABELS - 8}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>')
        for color, figure in zip(COLORS, figures):
            width = BARS * figure / largest
            parts.append(f'<rect x="{LABELS}" y="{y}" width="{width:.1f}" height="{BAR - 1}" fill="{color}"/>')
            parts.append(f'<text x="{LABELS + width + 5:.1f}" y="{y + BAR - 2}">{figure:g}</text>')
            y += BAR
        y += 6
    x = LABELS
    for color, name in zip(COLORS, columns):
        parts.append(f'<rect x="{x}" y="22" width="9" height="9" fill="{color}"/>')
        parts.append(f'<text x="{x + 13}" y="30">{escape(name)}</text>')
        x += 180
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABELS + BARS + 70}" height="{y + 6}" '
        'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="8" y="16" font-size="13" font-weight="bold">{escape(title)}</text>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def main():
    FOLDER.mkdir(exist_ok=True)
    for title, rows in tables(PAGE.read_text(encoding="utf-8")):
        if columns := DRAWN.get(title):
            name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
            (FOLDER / f"{name}.svg").write_text(draw(title, rows, columns), encoding="utf-8")


if __name__ == "__main__":
    main()

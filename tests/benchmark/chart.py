"""The picture of a run."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from .figures import high, median
from .goals import Results
from .home import FORMATS
from .network import NETWORKS, STATES
from .report import ROWS

_COLOURS = ("#9ec5e8", "#3b82c4", "#123a63")
_HEIGHT = 0.26


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw the times from text to player, and the floor, as SVG or PNG."""
    mpl.rcParams["svg.hashsalt"] = "cosyvoice"
    found = Results(results)
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    panels = figure.subplots(1, len(NETWORKS), sharey=True)
    for panel, network in zip(panels, NETWORKS, strict=True):
        for index, (form, colour) in enumerate(zip(FORMATS, _COLOURS, strict=True)):
            samples = [
                found.player(row, network.name, form) for row, _ in ROWS.values()
            ]
            middles = [median(sample) * 1000 for sample in samples]
            errors = [
                high(sample) * 1000 - middle
                for sample, middle in zip(samples, middles, strict=True)
            ]
            panel.barh(
                [place + (index - 1) * _HEIGHT for place in range(len(ROWS))],
                middles,
                _HEIGHT,
                color=colour,
                label=form,
                xerr=[[0.0] * len(errors), errors],
                error_kw={"elinewidth": 0.8, "capsize": 2, "ecolor": "#555555"},
            )
        floor = network.floor(STATES["pre-started"]) * 1000
        panel.axvline(floor, color="#c2410c", linestyle="--", linewidth=1.2)
        panel.text(
            floor,
            -0.62,
            f" floor {floor:.0f} ms",
            color="#c2410c",
            fontsize=8,
            va="bottom",
        )
        panel.set_title(
            f"{network.name}: {network.round_trip * 1000:.0f} ms round trip"
        )
        panel.set_xlabel("ms from text to sound")
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(y=0.06)
    panels[0].set_yticks(range(len(ROWS)), [title.replace("*", "") for title in ROWS])
    panels[0].invert_yaxis()
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(FORMATS),
        frameon=False,
    )
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)

"""The report as a picture: latencies, bytes, and what is saved at each share of hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .errors import BenchmarkError, printable
from .figures import mixed, saved

__all__ = ["FORMATS", "plot_report"]

FORMATS: Final = (".svg", ".png")

# One colour per address; both are told apart by the colour-blind, too.
_COLOURS: Final = ("#2a6f97", "#e07a1f")
_GREY: Final = "#5f6b73"


def plot_report(report: Mapping[str, Any], path: Path) -> None:
    """
    Draw a report.

    Args:
        report: what ``build_report()`` returned.
        path: the file to write; its suffix, one of ``FORMATS``, is its format.

    Raises:
        BenchmarkError: the file cannot be written.
    """
    targets = report["targets"]
    figure = Figure(figsize=(13, 4.4 + 0.3 * len(targets)), dpi=110, layout="constrained")
    latency, size, share = figure.subplots(1, 3, width_ratios=(5, 4, 4))
    _plot_latency(latency, targets)
    _plot_bytes(size, targets)
    _plot_shares(share, targets, report["hit_share"])
    handles, labels = size.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", frameon=False, ncols=1, fontsize=11)
    figure.supxlabel(
        f"{report['measured_at']}, concurrency {report['concurrency']}, "
        f"etag_versioning {report['versions']['etag_versioning']}. Only ratios carry over.",
        fontsize=8,
        color=_GREY,
    )
    try:
        figure.savefig(path, format=path.suffix[1:])
    except OSError as error:
        raise BenchmarkError(f"--plot {path}: {error.strerror}") from None


def _bars(axes: Axes, targets: Sequence[Mapping[str, Any]], value: str, form: str) -> None:
    """Horizontal bars, one group per kind of request and one colour per address."""
    height = 0.8 / len(targets)
    for number, target in enumerate(targets):
        kinds = target["requests"]
        places = [row + number * height for row in range(len(kinds))]
        bars = axes.barh(
            places,
            [figures[value] for figures in kinds.values()],
            height=height * 0.9,
            color=_COLOURS[number],
            label=printable(target["url"]).replace("$", r"\$"),
        )
        axes.bar_label(
            bars, [form.format(figures[value]) for figures in kinds.values()], padding=4, fontsize=9
        )
    kinds = targets[0]["requests"]
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(kinds))], list(kinds))
    axes.invert_yaxis()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dde3e7", linewidth=0.8)
    axes.set_axisbelow(True)


def _plot_latency(axes: Axes, targets: Sequence[Mapping[str, Any]]) -> None:
    _bars(axes, targets, "p50_ms", "")
    height = 0.8 / len(targets)
    for number, target in enumerate(targets):
        for row, figures in enumerate(target["requests"].values()):
            place = row + number * height
            p50, p95, p99 = (figures[name] for name in ("p50_ms", "p95_ms", "p99_ms"))
            axes.plot([p50, p99], [place, place], color=_GREY, linewidth=1.2)
            axes.plot(p95, place, "|", color=_GREY, markersize=9, markeredgewidth=1.6)
            axes.plot(p99, place, ".", color=_GREY, markersize=6)
            axes.annotate(
                f"{p50:.2f}", (p99, place), (7, 0), textcoords="offset points",
                va="center", fontsize=9,
            )  # fmt: skip
    axes.set_title("Latency: p50 (bar and figure), p95 (|), p99 (·)", loc="left", fontsize=11)
    axes.set_xlabel("ms")
    axes.margins(x=0.14)


def _plot_bytes(axes: Axes, targets: Sequence[Mapping[str, Any]]) -> None:
    _bars(axes, targets, "bytes", "{:,.0f}")
    axes.set_title("Bytes on the wire", loc="left", fontsize=11)
    axes.set_xlabel("bytes, headers and body")
    axes.margins(x=0.2)


def _plot_shares(axes: Axes, targets: Sequence[Mapping[str, Any]], hit_share: float) -> None:
    shares = [step / 50 for step in range(51)]
    for target, colour in zip(targets, _COLOURS, strict=False):
        full, hit, miss = (target["requests"][kind] for kind in ("full", "hit", "miss"))
        for name, style in (("p50_ms", "-"), ("bytes", ":")):
            savings = [
                100 * saved(full[name], mixed(hit[name], miss[name], share)) for share in shares
            ]
            axes.plot([100 * share for share in shares], savings, style, color=colour, linewidth=2)
        even = target["break_even_hit_share"]
        if even is not None:
            axes.plot(100 * even, 0, "o", color=colour, markersize=7, clip_on=False, zorder=5)
    axes.plot([], [], "-", color=_GREY, label="latency (p50)")
    axes.plot([], [], ":", color=_GREY, label="bandwidth")
    axes.plot([], [], "o", color=_GREY, label="break-even")
    axes.axvline(100 * hit_share, color=_GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.axhline(0, color=_GREY, linewidth=0.8)
    axes.set_xlim(0, 100)
    axes.set_ylim(top=100)
    axes.set_title("Saved, by the share of hits", loc="left", fontsize=11)
    axes.set_xlabel("hits, % of conditional requests")
    axes.set_ylabel("saved, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dde3e7", linewidth=0.8)
    axes.legend(frameon=False, fontsize=9, loc="upper left")

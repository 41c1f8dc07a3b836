"""The pictures, of a report that was measured."""

import json
from xml.etree import ElementTree

import pytest

for name in ("httpx", "matplotlib", "rich"):
    pytest.importorskip(name, reason="the extra bench is not installed")


def test_a_plot_is_written_as_svg_and_as_png(serve, benchmark, tmp_path):
    server = serve()
    for suffix in ("svg", "png"):
        status, out, err = benchmark(
            server.url, "--iterations", 5, "--plot", tmp_path / f"figures.{suffix}", "--json"
        )
        assert (status, err) == (0, "")
        assert json.loads(out)["schema"] == 1
    assert (tmp_path / "figures.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    root = ElementTree.parse(tmp_path / "figures.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_plot_shows_both_addresses(serve, benchmark, monkeypatch, tmp_path):
    import matplotlib

    # Text as text, so that it can be read here.
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    first, second = serve(), serve()
    file = tmp_path / "figures.svg"
    _, out, _ = benchmark(
        f"{first.url}?price=$1$", "--compare", second.url, "--write", "--iterations", 5, "--json",
        "--plot", file,
    )  # fmt: skip
    texts = {element.text for element in ElementTree.parse(file).iter() if element.text}
    report = json.loads(out)
    assert {"full", "hit", "miss", "write", "stale", "bandwidth", "break-even"} <= texts
    assert {f"{first.url}?price=$1$", second.url} <= texts
    for target in report["targets"]:
        for figures in target["requests"].values():
            assert f"{figures['p50_ms']:.2f}" in texts
            assert f"{figures['bytes']:,.0f}" in texts


def test_a_file_that_cannot_be_written(serve, benchmark, tmp_path):
    status, out, err = benchmark(
        serve().url, "--iterations", 5, "--plot", tmp_path / "no" / "figures.svg"
    )
    assert status == 1
    assert "No such file or directory" in err
    # What was measured is not lost with it.
    assert "saved by each hit" in out

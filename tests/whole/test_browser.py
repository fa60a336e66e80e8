"""The page of the whole story in a real browser: Chromium, on a telephone and on a desk, by day and by night."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor.plots import BarsPicture, dark_beside, draw
from monitor.store import Store
from monitor.whole.dossier import gather
from monitor.whole.page import render_page
from tests.whole.test_explain import finding, record

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on the path (Debian: apt-get install chromium)"),
    pytest.mark.slow,
]
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr", "--virtual-time-budget=5000",
)  # fmt: skip
FRAME = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe id="page" src="/story" style="border:0;width:{width}px;height:3000px"></iframe><pre id="seen"></pre><script>
document.getElementById("page").onload = function () {{
  const inside = this.contentDocument, root = inside.documentElement;
  const images = [...inside.images];
  document.getElementById("seen").textContent = JSON.stringify({{
    wide: root.scrollWidth, room: root.clientWidth, images: images.length,
    drawn: images.filter(one => one.complete && one.naturalWidth > 1000).length,
    ground: inside.defaultView.getComputedStyle(inside.body).backgroundColor,
    sources: images.map(one => one.currentSrc.slice(-40)),
    scripts: inside.scripts.length, title: inside.title,
  }});
}};
</script>"""


class _Desk(ThreadingHTTPServer):
    daemon_threads = True
    page = b""
    width = 390

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Pages)
        self.asked: list[str] = []


class _Pages(BaseHTTPRequestHandler):
    server: _Desk

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = self.server.page if self.path == "/story" else FRAME.format(width=self.server.width).encode()
        known = self.path in ("/", "/story", "/favicon.ico")
        self.send_response(200 if known else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A story with a picture, wide tables, long words, and statements without a place to break."""
    folder = tmp_path_factory.mktemp("story")
    picture = BarsPicture("dep_time: before and today", (("missing", 0.02, 0.54), ("present", 0.98, 0.46)))
    draw(picture, folder / "p.png")
    draw(picture, dark_beside(folder / "p.png"), dark=True)
    detail = {**finding().detail, "sample": [{f"column_{i}": "v" * 40 for i in range(12)}]}
    found = finding(str(folder / "p.png"), sql_bad="SELECT " + "x" * 600, summary="long_" * 60, detail=detail)
    with Store.open(f"sqlite:///{folder / 'd.db'}") as store:
        kept = record(
            store, finding(str(folder / "p.png"), sql_bad=found.sql_bad, summary=found.summary, detail=detail)
        )
        return render_page(gather(store, kept.id, show_values=True))


@pytest.fixture
def desk(page: str) -> Iterator[_Desk]:
    server = _Desk()
    server.page = page.encode()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def look(desk: _Desk, folder: Path, width: int, *, dark: bool = False) -> tuple[dict[str, Any], str]:
    """What the browser sees of the page at a width, and what it writes to its console."""
    import json

    desk.width = width
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]
    answer = subprocess.run(  # noqa: S603 - the browser
        [CHROMIUM, *QUIET, *scheme, f"--user-data-dir={folder}", "--window-size=1400,1000", "--dump-dom",
         f"http://127.0.0.1:{desk.server_port}/"],
        capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    seen = re.search(r'<pre id="seen">(\{.*?\})</pre>', answer.stdout, re.DOTALL)
    assert seen, answer.stderr[-2000:]
    console = "\n".join(line for line in answer.stderr.splitlines() if "CONSOLE" in line)
    return json.loads(seen[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")), console


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1200, True)])
def test_the_page_is_whole_and_quiet_at_every_width(desk: _Desk, tmp_path: Path, width: int, dark: bool) -> None:
    seen, console = look(desk, tmp_path, width, dark=dark)
    assert console == ""
    assert set(desk.asked) <= {"/", "/story", "/favicon.ico"}  # nothing is fetched beside the page itself
    assert seen["room"] == width
    assert seen["wide"] <= width  # nothing to scroll sideways to
    assert seen["images"] == seen["drawn"] == 1
    assert seen["scripts"] == 0
    assert seen["title"].startswith("F-")
    assert seen["ground"] == ("rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")
    light, night = (
        re.findall(rf'{start}="data:image/png;base64,([^"]*)"', desk.page.decode()) for start in ("src", "srcset")
    )
    assert seen["sources"][0].endswith((night if dark else light)[0][-30:])


def test_what_is_fetched_and_what_is_too_wide_is_seen(desk: _Desk, tmp_path: Path) -> None:
    spoilt = desk.page.decode().replace(
        "<main>", '<main><img src="/elsewhere.png" alt=""><div style="width:2000px">x</div>'
    )
    desk.page = spoilt.replace("img-src data:", "img-src *").encode()
    seen, console = look(desk, tmp_path, 390)
    assert "/elsewhere.png" in desk.asked
    assert console
    assert seen["wide"] > 390

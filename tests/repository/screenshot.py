"""Take the picture of the console that the top README shows: make screenshot

Needs Chromium.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image

from helpers import ROOT, chromium, lesson_server
from repository.playground import Console

PICTURE = ROOT / "lessons/playground/console.png"


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        lesson_server(2, Path(folder)) as server,
        chromium() as browser,
    ):
        page = browser.new_page(viewport={"width": 1880, "height": 1230})
        page.goto(f"http://127.0.0.1:{server.port}")
        console = Console(page)
        console.send("Log in as bob")
        console.send("GET /users")
        console.click("Another user")
        console.send_again()
        assert console.refused_by == "Signature"
        page.locator("#console").evaluate("element => element.scrollTo(0, 0)")
        picture = Image.open(io.BytesIO(page.locator("#console").screenshot()))
    # at most 256 colours, because GitHub loads a small file faster
    picture.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        PICTURE, optimize=True
    )
    print(f"{PICTURE.relative_to(ROOT)} has {PICTURE.stat().st_size // 1000} kB.")


if __name__ == "__main__":
    main()

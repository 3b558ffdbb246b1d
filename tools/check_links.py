"""Check that the internal links of a built site lead to existing files and anchors.

usage: python tools/check_links.py FOLDER

Prints ``page: link`` for each dead link, and exits with 1 if there is one. Links to other sites are
not followed. Standard library only.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The anchors and links of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record ids and links."""
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value or "")
            elif name in ("href", "src") and value is not None:
                self.links.append(value)


def dead_links(site: Path) -> list[str]:
    """Return ``page: link`` for each dead internal link."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html"))}
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            known = target in pages
            if not target.exists() or (
                known and unquote(parts.fragment) not in pages[target].anchors
            ):
                dead.append(f"{path.relative_to(site.resolve())}: {link}")
    return dead


def main() -> int:
    """Check the folder that the command line names."""
    site = Path(sys.argv[1])
    if not (site / "index.html").exists():
        print(f"check_links: {site} has no index.html", file=sys.stderr)
        return 2
    dead = dead_links(site)
    print(*dead, sep="\n", end="\n" if dead else "")
    print(f"check_links: {len(dead)} dead links in {site}")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main())

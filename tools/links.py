"""Says which links in the documentation lead nowhere: relative paths, their anchors, and docs named in the code."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\bdocs/[a-z0-9/_-]+\.md\b")


def anchors(page: str) -> set[str]:
    """The anchors that headings of a page get: lower case, blanks to dashes, no other punctuation; repeats are numbered."""
    found: dict[str, int] = {}
    for heading in HEADING.findall(FENCE.sub("", page)):
        kept = "".join(c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN")
        slug = kept.replace(" ", "-")
        times = found.get(slug, 0)
        found[slug] = times + 1
        if times:
            found[f"{slug}-{times}"] = 1
    return set(found)


def dead_links(page: Path) -> Iterator[str]:
    """The links of one Markdown page that lead nowhere. Those to other hosts are not followed."""
    text = FENCE.sub("", page.read_text())
    for link in (a or b for a, b in LINK.findall(text)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists():
            yield f"{link}: no such file"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            yield f"{link}: no such heading"


def dead_names(source: Path, root: Path) -> Iterator[str]:
    """The pages that a source file names (`docs/….md`) and that are not there."""
    for name in sorted(set(NAMED.findall(source.read_text()))):
        if not (root / name).exists():
            yield f"{name}: no such page"


def problems(root: Path, files: list[Path]) -> list[str]:
    """Every link and name that leads nowhere, one line each."""
    found = []
    for file in sorted(files):
        dead = list(dead_names(file, root)) if file.suffix in {".py", ".yaml", ".json"} else []
        if file.suffix == ".md":
            dead = [*dead_links(file), *dead_names(file, root)]
        found += [f"{file.relative_to(root)}: {what}" for what in dict.fromkeys(dead)]
    return found


def main() -> int:
    """Check what git knows and does not ignore, or, in an unpacked archive, everything outside folders with a dot."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listing.stdout.split("\0")[:-1]
    files = [ROOT / name for name in names] or [
        p for p in ROOT.rglob("*") if not any(part.startswith(".") for part in p.relative_to(ROOT).parts)
    ]
    found = problems(ROOT, [file for file in files if file.is_file()])
    print("\n".join(found) or "Every link in the docs leads somewhere.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

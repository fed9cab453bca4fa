"""Wiki markup as documents (ADF), and back: version 2 of Cloud's API takes and shows the one, version 3 the other.

Cloud keeps the document. So what was written in version 2 comes back as the document says it, which is the same to people and
not always to the letter: blocks stand apart by an empty line, blanks at ends are gone, `bq.` is a `{quote}`, a list has stars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tests.support.jira.records import Json

_FENCED: Final = re.compile(r"\{(code(?::[\w+#-]+)?|noformat|quote)\}\n?(.*?)\n?\{(?:code|noformat|quote)\}", re.DOTALL)
_HEADING: Final = re.compile(r"h([1-6])\.[ \t]+(.*)")
_ITEM: Final = re.compile(r"[ \t]*([*#-]+)[ \t]+(.*)")
_RULE: Final = re.compile(r"-{4,}")
_MARKS: Final = {"*": "strong", "_": "em", "-": "strike", "+": "underline"}
_SIGNS: Final = {mark: sign for sign, mark in _MARKS.items()}
_INLINE: Final = re.compile(
    r"\\(?P<escaped>[*_+\-\[\]{}!|\\])"
    r"|\{\{(?P<code>[^\n{}]+)\}\}"
    r"|\[~accountid:(?P<person>[^\]\n]+)\]"
    r"|\[(?P<said>[^\]\n|^]*)\|(?P<href>[a-z]+://[^\]\n|]+)\]"
    r"|!(?P<image>[^\s!|]+\.\w+)(?:\|(?P<how>[^!\n]*))?!"
    r"|\[\^(?P<file>[^\]\n]+)\]"
    r"|(?<!\w)(?P<sign>[*_+-])(?P<inner>(?!\s)[^\n]*?[^\s\\])(?P=sign)(?!\w)"
)


def document(text: str) -> Json:
    """The document that this wiki markup stands for."""
    return {"type": "doc", "version": 1, "content": list(_blocks(text.replace("\r\n", "\n")))}


def wiki(node: Json) -> str:
    """A document as wiki markup."""
    return "\n\n".join(_written(one) for one in node.get("content") or [])


# ── from wiki markup ────────────────────────────────────────────────────────────────────────────────────────────


def _blocks(text: str) -> Iterator[Json]:
    at = 0
    for found in _FENCED.finditer(text):
        yield from _lines(text[at : found.start()])
        at = found.end()
        if found[1] == "quote":
            yield {"type": "blockquote", "content": list(_blocks(found[2]))}
        else:
            language = {"attrs": {"language": found[1].partition(":")[2] or "text"}} if found[1] != "noformat" else {}
            yield {"type": "codeBlock", **language, "content": [{"type": "text", "text": found[2]}]}
    yield from _lines(text[at:])


def _lines(text: str) -> Iterator[Json]:
    """Paragraphs, headings, lists, tables, rules and quotes of one line."""
    lines = [line.rstrip() for line in text.split("\n")]
    while lines:
        line = lines.pop(0)
        if not line:
            continue
        if heading := _HEADING.fullmatch(line):
            yield {"type": "heading", "attrs": {"level": int(heading[1])}, "content": _inline(heading[2])}
        elif _RULE.fullmatch(line):
            yield {"type": "rule"}
        elif line.startswith("bq. "):
            yield {"type": "blockquote", "content": [{"type": "paragraph", "content": _inline(line[4:])}]}
        elif _ITEM.fullmatch(line):
            yield _list(_run([line], lines, _numbered if _numbered(line) else _starred), 1)
        elif line.startswith("|"):
            yield {"type": "table", "content": [_row(one) for one in _run([line], lines, lambda one: one.startswith("|"))]}
        else:
            words: list[Json] = []
            for one in _run([line], lines, _plain):
                words += [{"type": "hardBreak"}, *_inline(one)] if words else _inline(one)
            yield {"type": "paragraph", "content": words}


def _run(found: list[str], lines: list[str], more: Callable[[str], bool]) -> list[str]:
    while lines and more(lines[0]):
        found.append(lines.pop(0))
    return found


def _plain(line: str) -> bool:
    other = _HEADING.fullmatch(line) or _RULE.fullmatch(line) or _ITEM.fullmatch(line)
    return bool(line) and not other and not line.startswith(("|", "bq. "))


def _list(lines: list[str], depth: int) -> Json:
    items: list[Json] = []
    kind = "orderedList" if _signs(lines[0])[:depth].endswith("#") else "bulletList"
    while lines:
        line = lines.pop(0)
        held: list[Json] = [{"type": "paragraph", "content": _inline(_ITEM.fullmatch(line)[2])}]  # type: ignore[index]  # an item
        below = _run([], lines, lambda one: len(_signs(one)) > depth)
        items.append({"type": "listItem", "content": [*held, *([_list(below, depth + 1)] if below else [])]})
    return {"type": kind, "content": items}


def _numbered(line: str) -> bool:
    return _signs(line).startswith("#")


def _starred(line: str) -> bool:
    return _signs(line).startswith(("*", "-"))


def _signs(line: str) -> str:
    found = _ITEM.fullmatch(line)
    return found[1] if found else ""


def _row(line: str) -> Json:
    head = line.startswith("||")
    cells = re.sub(r"\|+$", "", line.lstrip("|")).split("||" if head else "|")
    kind = "tableHeader" if head else "tableCell"
    held = [{"type": kind, "content": [{"type": "paragraph", "content": _inline(cell.strip())}]} for cell in cells]
    return {"type": "tableRow", "content": held}


def _inline(text: str, *marks: Json) -> list[Json]:
    found: list[Json] = []
    at = 0
    for one in _INLINE.finditer(text):
        found += _text(text[at : one.start()], *marks)
        at = one.end()
        if one["sign"]:
            found += _inline(one["inner"], *marks, {"type": _MARKS[one["sign"]]})
        elif one["code"]:
            found += _text(one["code"], *marks, {"type": "code"})
        elif one["person"]:
            found.append({"type": "mention", "attrs": {"id": one["person"]}})
        elif one["href"]:
            found += _text(one["said"] or one["href"], *marks, {"type": "link", "attrs": {"href": one["href"]}})
        elif one["image"] or one["file"]:
            attrs = {"alt": one["image"] or one["file"], "shown": bool(one["image"]), "how": one["how"] or ""}
            found.append({"type": "mediaInline", "attrs": attrs})
        else:
            found += _text(one["escaped"], *marks, {"type": "escaped"})
    return found + _text(text[at:], *marks)


def _text(text: str, *marks: Json) -> list[Json]:
    return [{"type": "text", "text": text, **({"marks": list(marks)} if marks else {})}] if text else []


# ── to wiki markup ──────────────────────────────────────────────────────────────────────────────────────────────


def _written(node: Json, depth: str = "") -> str:
    content = node.get("content") or []
    match node["type"]:
        case "heading":
            said = f"h{node['attrs']['level']}. {_said(content)}"
        case "rule":
            said = "----"
        case "codeBlock":
            language = node.get("attrs", {}).get("language", "")
            fence = "noformat" if not language else "code" if language == "text" else f"code:{language}"
            said = f"{{{fence}}}\n{_said(content)}\n{{{fence.partition(':')[0]}}}"
        case "blockquote":
            said = "{quote}" + "\n\n".join(map(_written, content)) + "{quote}"
        case "bulletList" | "orderedList":
            signs = depth + ("*" if node["type"] == "bulletList" else "#")
            said = "\n".join(_item(one, signs) for one in content)
        case "table":
            said = "\n".join(_cells(row) for row in content)
        case _:
            said = _said(content)
    return said


def _item(node: Json, signs: str) -> str:
    first, *below = node["content"]
    return "\n".join([f"{signs} {_said(first.get('content') or [])}", *(_written(one, signs) for one in below)])


def _cells(row: Json) -> str:
    bar = "||" if row["content"][0]["type"] == "tableHeader" else "|"
    return bar + bar.join(_said(one["content"][0].get("content") or []) for one in row["content"]) + bar


def _said(content: list[Json]) -> str:
    """Neighbours under the same outer mark are written under one sign."""
    return "".join(_under(content, 0))


def _under(content: list[Json], depth: int) -> Iterator[str]:
    at = 0
    while at < len(content):
        node = content[at]
        mark = (node.get("marks") or [])[depth : depth + 1]
        end = at + 1
        if mark and mark[0]["type"] in _SIGNS:
            while end < len(content) and (content[end].get("marks") or [])[depth : depth + 1] == mark:
                end += 1
            sign = _SIGNS[mark[0]["type"]]
            yield sign + "".join(_under(content[at:end], depth + 1)) + sign
        else:
            yield _leaf(node, mark)
        at = end


def _leaf(node: Json, mark: list[Json]) -> str:
    attrs, text = node.get("attrs") or {}, str(node.get("text", ""))
    match node["type"], mark[0]["type"] if mark else "":
        case "hardBreak", _:
            text = "\n"
        case "mention", _:
            text = f"[~accountid:{attrs['id']}]"
        case "mediaInline", _:
            how = f"|{attrs['how']}" if attrs["how"] else ""
            text = f"!{attrs['alt']}{how}!" if attrs["shown"] else f"[^{attrs['alt']}]"
        case _, "code":
            text = f"{{{{{text}}}}}"
        case _, "link":
            text = f"[{text}|{mark[0]['attrs']['href']}]"
        case _, "escaped":
            text = f"\\{text}"
    return text

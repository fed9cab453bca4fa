"""`filesync stop-issues` and `start-issues` as they are typed, and what `why`, `status` and `coverage` say of it."""

from __future__ import annotations

import shutil

from filesync.agent.site import Site
from filesync.config import load_config
from filesync.errors import ExitCode
from tests.cli.sites import Pair


def _made(pair: Pair) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")


def test_the_verbs_say_what_would_be_and_do_it_with_apply(pair: Pair) -> None:
    _made(pair)
    status, out, err = pair.at_acme("stop-issues", "ABC-1")
    assert (status, err) == (ExitCode.DONE, "")
    assert out == (
        "ABC-1: would be stopped, with --apply\n"
        "  nothing of it goes to globex any more, and what globex tells of it waits here\n"
        "  globex is not told that: mapping.yaml does not say `leaving: {out: tell}`\n"
    )
    assert pair.at_acme("start-issues", "ABC-1", "--as-scope")[0] == ExitCode.NOTHING, "nothing was done yet"
    assert pair.at_acme("stop-issues", "ABC-1", "--apply")[1].startswith("ABC-1: stopped\n")
    status, out, _ = pair.at_acme("stop-issues", "abc-1", "--apply")
    assert (status, out[:35]) == (ExitCode.NOTHING, "ABC-1: stopped already, since 2026-")

    pair.at_globex("issue", "edit", "ABC-1", "--field", "summary=Pump runs hot")
    pair.at_globex("export")
    for file in (pair.folder / "globex" / "outbox").iterdir():
        shutil.move(file, pair.folder / "acme" / "inbox")
    assert "ABC-1 (ABC-1 at globex): change" in pair.at_acme("import")[1]
    out = pair.at_acme("why", "ABC-1")[1]
    assert "stands still: the issue is stopped here by hand since 20" in out
    assert "hint: Go on with: filesync start-issues --as-scope ABC-1 --exchange main --apply" in out
    assert "waits for its issue, which is stopped here by hand" in out
    out = pair.at_acme("status")[1]
    assert "1 issue stopped by hand: ABC-1 since 20" in out
    assert "1 change waits for what is stopped by hand" in out
    assert "for others" not in out
    out = pair.at_acme("coverage")[1]
    assert "to go on: filesync start-issues --as-scope KEY --exchange main --apply" in out
    assert "nothing falls short" not in out

    out = pair.at_acme("start-issues", "ABC-1")[1]
    assert "1 change of globex that waited is applied by the next import" in out
    status, answer, _ = pair.at_acme("start-issues", "ABC-1", "--apply", "--json")
    assert (status, answer["applied"], answer["issues"][0]["waiting"]) == (ExitCode.DONE, True, 1)
    pair.at_acme("import")
    assert "started by hand since 20" in pair.at_acme("why", "ABC-1")[1]
    assert "1 issue started by hand: ABC-1 since 20" in pair.at_acme("status")[1]
    assert pair.at_acme("issue", "show", "ABC-1", "--json")[1]["fields"]["summary"] == "Pump runs hot"
    out = pair.at_acme("start-issues", "ABC-1", "--as-scope", "--apply")[1]
    assert "what was edited meanwhile goes to globex with the next export, by tracker.settings.scope, which holds it" in out
    assert "by hand" not in pair.at_acme("status")[1]
    out = pair.at_acme("log")[1]
    assert [out.count(words) for words in ("ABC-1 is stopped: ", "ABC-1 is started: ", "as the scope says again")] == [1, 1, 1]


def test_what_is_not_here_is_named_and_nothing_is_done(pair: Pair) -> None:
    _made(pair)
    status, _, err = pair.at_acme("stop-issues", "ABC-1", "ABC-9", "XYZ-1", "--apply")
    assert status == ExitCode.USAGE
    assert "'ABC-9'" in err
    assert "'XYZ-1'" in err
    assert "hint: Nothing was changed. Name issues of our tracker's project that our account sees." in err
    assert "by hand" not in pair.at_acme("status")[1]


def test_it_may_be_said_while_a_run_holds_the_site_and_while_the_exchange_is_paused(pair: Pair) -> None:
    _made(pair)
    with Site.open(load_config(pair.acme)):
        assert pair.at_acme("stop-issues", "ABC-1", "--apply")[0] == ExitCode.DONE
    pair.at_acme("pause")
    assert pair.at_acme("start-issues", "ABC-1", "--apply")[0] == ExitCode.DONE

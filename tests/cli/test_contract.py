"""`contract`, as people type it."""

from __future__ import annotations

from pathlib import Path

import pytest

from filesync.errors import ExitCode
from tests.cli.sites import Pair


def test_a_contract_is_proposed_shown_and_accepted(pair: Pair, tmp_path: Path) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump", "--field", "priority=High")
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Seal")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    pair.at_globex("export")  # a report, and no change
    for file in (pair.folder / "globex" / "outbox").iterdir():
        (pair.folder / "acme" / "inbox" / file.name).write_bytes(file.read_bytes())
    pair.at_acme("import")
    assert "  receiving  nothing to apply yet, last file " in pair.at_acme("status")[1]
    new = tmp_path / "contract-2.yaml"
    text = (pair.acme.parent / "contract.yaml").read_text().replace("version: 1 ", "version: 2 ")
    text = text.replace("types: [Epic", "types: [Defect, Epic").replace("  severity:", "  serial: {kind: text}\n  severity:")
    new.write_text(text.replace("[Highest, High, Medium, Low, Lowest]", "[Highest, High, Medium, Low]"))
    assert "contract 1 (" in pair.at_acme("contract", "show")[1]
    status, out, _ = pair.at_acme("contract", "propose", new, "--message", "nobody uses Lowest")
    assert (status, out.splitlines()[-1]) == (ExitCode.DONE, "Once it is in force, 2 issues will be told again.")
    assert '  type: the tracker has no "Defect"\n' in out
    assert "  PROPOSED contract 2 since" in pair.at_acme("status")[1]
    assert "nothing new is exported to it" in pair.at_acme("export")[2]
    proposal = pair.sent()[-1]
    pair.deliver(proposal)
    assert pair.at_globex("verify", proposal)[0] == ExitCode.DONE
    assert "is proposed: nobody uses Lowest" in pair.at_globex("show", "--changes", proposal)[1]
    status, _, err = pair.at_globex("import")
    assert (status, "acme proposes contract 2" in err) == (ExitCode.WORK_LEFT, True)
    assert "  PROPOSED by acme: contract 2 since" in pair.at_globex("status")[1]
    status, out, _ = pair.at_globex("contract", "show")
    assert status == ExitCode.WORK_LEFT
    assert "message: nobody uses Lowest\n" in out
    assert "\n-  priority: {kind: option, options: [Highest, High, Medium, Low, Lowest]}\n+  priority: " in out
    assert "\n2 issues will be told again by the proposer\n" in out
    assert "\nunder it this would be refused here, until our mapping or tracker has a place for it:\n" in out
    assert '\n  serial: the tracker has no field "serial"' in out
    assert "next: filesync contract accept (--mapping FILE, where ours does not fit it); or: " in out
    assert "; or: filesync contract withdraw --message TEXT\n" in pair.at_acme("contract", "show")[1]
    assert "contract 2 (" in pair.at_globex("contract", "accept")[1]
    assert (pair.globex.parent / "contract.yaml").read_text() == new.read_text()
    for file in (pair.folder / "globex" / "outbox").iterdir():
        (pair.folder / "acme" / "inbox" / file.name).write_bytes(file.read_bytes())
    assert pair.at_acme("import")[0] == ExitCode.DONE
    assert pair.at_acme("contract", "show", "--json")[1]["version"] == 2
    assert pair.at_acme("export", "--json")[1]["main"]["changes"] == 2
    assert pair.at_globex("contract", "accept")[0] == ExitCode.USAGE


def test_what_cannot_be_read_here_is_to_be_upgraded_for_or_declined(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "contract-2.yaml"
    new.write_text((pair.acme.parent / "contract.yaml").read_text().replace("version: 1 ", "version: 2 "))
    pair.at_acme("contract", "propose", new, "--message", "more words")
    pair.deliver(*pair.sent())
    pair.at_globex("import")
    assert "\nnext: filesync contract accept" in pair.at_globex("contract", "show")[1]
    monkeypatch.setattr("filesync.agent.contract.propose.unreadable", lambda _: "unknown key; made by filesync 9")
    told = pair.at_globex("contract", "show")[1]
    assert "\nit cannot be read here: unknown key; made by filesync 9\n" in told
    assert "\nnext: upgrade this site, where a newer filesync made it; then: filesync contract accept" in told

"""samples/jira/supplier-customer: an issue goes there and back between two simulated Jiras that call nothing the same."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from filesync.errors import ExitCode
from tests.cli.sites import Filesync
from tests.cli.test_jira_samples import CUSTOMER, SUPPLIER, settled
from tests.support.jira.issue_views import show_issue
from tests.support.jira.records import Issue
from tests.support.jira.site import JiraSite
from tests.support.jira.views import View


def shown(jira: JiraSite, issue: Issue, *names: str) -> dict[str, Any]:
    """These fields as people see them; of a cascading option both, of a set all."""
    store = jira.store
    told = show_issue(View(store, store.person("admin"), "http://jira.example"), issue)["fields"]

    def word(value: Any) -> Any:
        if isinstance(value, list):
            return [word(one) for one in value]
        if not isinstance(value, dict):
            return value
        own = value.get("accountId") or value.get("name") or value["value"]
        return [own, value["child"]["value"]] if "child" in value else own

    return {name: word(told[store.field_named(name).id]) for name in names}


def the_only_issue(jira: JiraSite) -> Issue:
    (issue,) = jira.store.issues.values()
    return issue


def test_an_issue_of_the_customers_comes_to_the_supplier_and_back_each_in_its_words(tmp_path: Path, filesync: Filesync) -> None:
    with ExitStack() as stack:
        (acme, supplier), (globex, customer) = (
            stack.enter_context(settled(side, tmp_path, filesync)) for side in (SUPPLIER, CUSTOMER)
        )
        assert supplier is not None
        assert customer is not None

        def done(*words: str | Path) -> str:
            status, told, err = filesync(*words)
            assert status == ExitCode.DONE, (told, err)
            return str(told)

        def send(source: Path, target: Path) -> None:
            done("-c", source, "export")
            for file in (source.parent / "outbox").iterdir():
                shutil.move(file, target.parent / "inbox")
            done("-c", target, "import")

        for file in (acme, globex):
            (file.parent / "key.json").write_text(done("-c", file, "pair", "export"))
        for file, partner in ((acme, globex), (globex, acme)):
            done("-c", file, "pair", "accept", partner.parent / "key.json")

        people = customer.person("s.oneil")
        number = people.create(
            {
                "type": "Störung",
                "summary": "Pumpe läuft heiß",
                "priority": "Sofort",
                "assignee": customer.local_user("t.weber"),
                "Schwere": "Stillstand",
                "Anlagen:HPC-400 ATEX": True,
                "Bauteil": ["Pumpe", "Dichtung"],
            },
            project="XYZ",
        )
        people.comment(number, "seit heute früh", role="Users")
        send(globex, acme)
        ours = the_only_issue(supplier)
        assert shown(supplier, ours, "issuetype", "status", "summary", "priority", "assignee", "reporter") == {
            "issuetype": "Field Report",
            "status": "Registered",
            "summary": "Pumpe läuft heiß",
            "priority": "P1",
            "assignee": "t.weber",
            "reporter": "ext-s.oneil",
        }
        assert shown(supplier, ours, "Failure Class", "Product", "Assembly", "Customer Plant", "components", "labels") == {
            "Failure Class": "B (stop)",
            "Product": ["hpc400 atex"],
            "Assembly": ["Rotor unit", "Mechanical seal"],
            "Customer Plant": "Werk Süd",
            "components": ["Manufacturing"],
            "labels": ["globex"],
        }
        (comment,) = ours.comments
        assert comment.visibility == {"type": "role", "value": "Developers"}

        supplier.person("t.weber").transition(ours.id, "Analysis")
        supplier.person("t.weber").edit(ours.id, {"Quote": "1200", "priority": "P5", "description": f"as {ours.key}"})
        send(acme, globex)
        assert shown(customer, the_only_issue(customer), "status", "priority", "Angebot", "description") == {
            "status": "In Arbeit",
            "priority": "Später",
            "Angebot": f"1200 EUR (acme/{ours.key})",  # after a slash a key is no reference
            "description": f"as {the_only_issue(customer).key}",
        }

"""A change means what the contract of its bundle says."""

from filesync.agent.incoming.bundles import ContractDiffers
from tests.merge.scene import contract, events, only, shared, value
from tests.support.two_sites import Side, two_sites

NEWER = contract(
    ("version: 1 ", "version: 2 "), ("options: [Highest, High, Medium, Low, Lowest]", "options: [Highest, High, Low, Lowest]")
)


def _agrees(side: Side, text: str) -> None:
    (side.folder / "contract.yaml").write_text(text)
    side.reopen()


def test_a_bundle_of_another_contract_is_held_until_both_agree() -> None:
    with two_sites() as world:
        key = shared(world)
        _agrees(world.acme, NEWER)
        world.acme.desk.edit(key, {"priority": "High"})
        done = world.send(world.acme)
        assert (done.bundles, done.held) == (0, 1)
        assert value(world.globex, key, "priority") is None
        assert "under another contract" in only(events(done, ContractDiffers)).sentence()
        _agrees(world.globex, NEWER)
        world.globex.import_()
        assert value(world.globex, key, "priority") == "High"
        world.assert_in_step()

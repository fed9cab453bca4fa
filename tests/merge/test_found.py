"""What the convergence machine found, each as the shortest story that shows it."""

from tests.merge.scene import comments, crash, refuse_create, refuse_nothing, shared
from tests.support.two_sites import two_sites


def test_a_refusal_after_a_crash_does_not_say_that_the_call_before_it_made_nothing() -> None:
    """The comment was made, the process died; then its creation is refused, and it is deleted where it came from."""
    with two_sites() as world:
        key = shared(world, "x")
        comment = world.acme.desk.comment(key, "said")
        world.acme.export()
        world.carry(to=world.globex)
        with crash(world.globex, "after create"):
            world.globex.import_()
        refuse_create(world.globex, "said")
        world.globex.import_()
        world.acme.desk.delete_comment(key, comment)
        world.send(world.acme)
        assert len(world.globex.doubts()) == 1, "nobody knows whether it is there"
        refuse_nothing(world.globex)
        world.globex.import_()
        assert comments(world.globex, key) == []
        world.assert_in_step()

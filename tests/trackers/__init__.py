import pytest

pytest.register_assert_rewrite("tests.trackers.bench", "tests.trackers.contract_reading", "tests.trackers.contract_writing")

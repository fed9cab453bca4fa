"""What differs between the three Jiras that are simulated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flavour:
    """One kind of Jira."""

    name: str
    cloud: bool
    version: tuple[int, int, int]
    build: int

    @property
    def dc(self) -> bool:
        return not self.cloud

    def since(self, *version: int) -> bool:
        """Whether this is a Data Center of that version or newer."""
        return self.dc and self.version >= version

    @property
    def newest_first(self) -> bool:
        """How the histories in `expand=changelog` are ordered."""
        return self.cloud


DC9 = Flavour("dc-9.12", cloud=False, version=(9, 12, 0), build=912000)
DC10 = Flavour("dc-10.3", cloud=False, version=(10, 3, 24), build=10030024)
CLOUD = Flavour("cloud", cloud=True, version=(1001, 0, 0), build=100287)
FLAVOURS = (DC9, DC10, CLOUD)

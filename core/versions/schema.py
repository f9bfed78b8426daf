"""Versions of what is stored: older data is brought up to date, newer data is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import FileError, VersionError

KEY = "version"
Migration = Callable[[dict[str, Any]], dict[str, Any]]
"""Gets the data of one version and returns that of the next."""


@dataclass(frozen=True)
class Schema:
    """One kind of stored data; ``steps`` lead from version 1 to 2, from 2 to 3, to the present.

    Data without a version is of version 1: Sfumato wrote no versions at first.
    """

    name: str
    steps: tuple[Migration, ...] = ()

    @property
    def version(self) -> int:
        """The present version, which is the one that is written."""
        return len(self.steps) + 1

    def stamp(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data with the present version, ready to be stored."""
        return {KEY: self.version, **data}

    def version_of(self, data: object) -> int:
        """The version of stored data. Raises VersionError when it is newer than the present."""
        version = data.get(KEY, 1) if isinstance(data, Mapping) else 1
        if not isinstance(version, int) or version < 1:
            return 1
        if version > self.version:
            raise VersionError(self.name, version, self.version)
        return version

    def migrate(self, data: Mapping[str, Any], version: int | None = None) -> dict[str, Any]:
        """Stored data as the present version has it, without the version itself.

        ``version`` is the data's own when that is stored elsewhere. Raises VersionError when it is
        newer than the present, FileError when a step cannot use the data.
        """
        version = self.version_of(data) if version is None else version
        current = {key: value for key, value in data.items() if key != KEY}
        try:
            for step in self.steps[version - 1 :]:
                current = step(current)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileError(
                f"This {self.name} of version {version} cannot be brought up to date: {error!r}."
            ) from error
        return current

"""Checkpoints: everything that a run needs to continue as if nothing had happened, in one file.

A kind of checkpoint is a dataclass derived from `Checkpoint`. It names its format and adds fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from fastsf.errors import FormatError, InputError, StorageError
from fastsf.storage.states import differences, read_states, write_states

C = TypeVar("C", bound="Checkpoint")


@dataclass(frozen=True)
class Checkpoint:
    """Base of checkpoints.

    Parameters
    ----------
    identity : dict
        Everything that determines the results of the run, in JSON's types; only the same run may continue.

    Attributes
    ----------
    FORMAT : str
        Name of the format in files.
    VERSION : int
        Version of the format.
    SUBJECT : str
        Noun for the run, for messages.
    STATES : tuple of str
        Names of the fields that hold arrays; all other fields are of JSON's types.
    """

    FORMAT: ClassVar[str]
    VERSION: ClassVar[int]
    SUBJECT: ClassVar[str]
    STATES: ClassVar[tuple[str, ...]]

    identity: dict[str, Any]

    def write(self, path: Path) -> None:
        """Write the checkpoint; an existing file is replaced once the new one is whole.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        values = self._stored()
        states = {name: values.pop(name) for name in self.STATES}
        write_states(path, self.FORMAT, self.VERSION, values, states)

    @classmethod
    def read(cls: type[C], path: Path) -> C:
        """Read a checkpoint to the last bit.

        Raises
        ------
        StorageError
            If the file cannot be read.
        FormatError
            If it is damaged, has another format or another version.
        """
        found = read_states(path, cls.FORMAT, cls.VERSION)
        try:
            return cls._loaded({each.name: found[each.name] for each in fields(cls)})
        except (KeyError, TypeError, ValueError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else error
            raise FormatError(f"not a whole {cls.FORMAT}: {reason}", path) from error

    @classmethod
    def find(cls: type[C], path: Path, identity: dict[str, Any], outputs: Iterable[Path]) -> C | None:
        """Read the checkpoint of an earlier part of the same run.

        Parameters
        ----------
        path : Path
            File of the checkpoint.
        identity : dict
            Identity of the run that wants to continue.
        outputs : iterable of Path
            Other files of the run, none of which may exist without a checkpoint.

        Returns
        -------
        Checkpoint or None
            None if no file exists: the run is new.

        Raises
        ------
        InputError
            If the checkpoint belongs to another run.
        StorageError
            If there are files but no checkpoint, or one that cannot be read.
        FormatError
            If the checkpoint is damaged.
        """
        if not path.exists():
            for other in outputs:
                if other.exists():
                    raise StorageError(f"{other} is there already, without a checkpoint; --overwrite replaces it")
            return None
        found = cls.read(path)
        changes = list(differences(found.identity, json.loads(json.dumps(identity))))
        if changes:
            raise InputError(
                f"{path.parent} holds another {cls.SUBJECT} ({'; '.join(changes)}); --overwrite replaces it"
            )
        return found

    def _stored(self) -> dict[str, Any]:
        """Return the fields as files have them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def _loaded(cls: type[C], found: dict[str, Any]) -> C:
        """Return the checkpoint of what a file has; the inverse of `_stored`."""
        return cls(**found)

"""What holds networks until it is closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Closeable(ABC):
    """A context manager that is closed when it is left."""

    @abstractmethod
    def close(self) -> None:
        """Free what is held; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

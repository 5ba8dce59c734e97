"""What a stage of the workflow is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """A file that a stage makes of every clip, or a folder with one numbered file a frame.

    `column` leads to it in the dataset's tables. `shape`, `dtype` and `unit` are those of what is
    in it, empty where the file itself says it, as a table or a film does.
    """

    column: str
    path: str
    content: str
    shape: str = ""
    dtype: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Stage:
    """A stage of the workflow: one rule, which makes its outputs for one video.

    `feature`: whether the config can ask for it. `export`: whether it is made for the export of its
    name only, and `report`: for the report only. `reads`: the stages whose outputs it needs, and
    `shows` those whose outputs it takes where they are made. `folder`: of its outputs, where it
    is not called like the stage. `suffix`: of the table or record that it writes last. `others`:
    patterns of its files beside that one and the products, and `disposable` of those that may be
    deleted when the dataset is made.
    """

    name: str
    purpose: str
    reads: tuple[str, ...] = ()
    feature: bool = False
    export: bool = False
    report: bool = False
    products: tuple[Product, ...] = ()
    shows: tuple[str, ...] = ()
    folder: str = ""
    suffix: str = ".csv"
    others: tuple[str, ...] = ()
    disposable: tuple[str, ...] = ()

    @property
    def manifest(self) -> str:
        """Pattern of the table or record by which a video's outputs are known to be whole."""
        return f"{self.folder or self.name}/{{video}}{self.suffix}"

    @property
    def video_files(self) -> tuple[str, ...]:
        """Patterns of the files that it makes of a video as a whole."""
        return (self.manifest, *(path for path in self.others if "{clip}" not in path))

    @property
    def clip_files(self) -> tuple[str, ...]:
        """Patterns of what it makes of every clip, in the folder `clip_folder`; see `is_folder`."""
        products = (product.path for product in self.products)
        return (*products, *(path for path in self.others if "{clip}" in path))

    @property
    def clip_folder(self) -> str | None:
        """Pattern of the folder of a video's clips; None of a stage that makes nothing of clips."""
        return f"{self.name}/{{video}}" if self.clip_files else None


def is_folder(pattern: str) -> bool:
    """Whether one of a stage's `clip_files` is a folder with a numbered file a frame, such as
    `000001.png`: its name has no suffix."""
    name = pattern.rpartition("/")[2]
    return bool(name) and "." not in name

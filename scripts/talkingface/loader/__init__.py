"""Reading a finished dataset for training: windows of clips, or whole ones, as numpy arrays.

`pip install` of the project without any extra is enough for it: PyAV, numpy and Pillow. PyTorch is
not needed, and where there is one a `TalkingFaceDataset` is what its DataLoader takes.
"""

from talkingface.loader.collate import collate
from talkingface.loader.dataset import TalkingFaceDataset
from talkingface.loader.items import EXPRESSION, ITEMS

__all__ = ["EXPRESSION", "ITEMS", "TalkingFaceDataset", "collate"]

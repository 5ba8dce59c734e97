"""The tables of what is made of clips for an export of its own, as in `tables`."""

from __future__ import annotations

from talkingface.table import FRAME, PRESENT, SHA256, Column, Table, manifest

# What SyncNet says of a clip is empty where another backend measured it.
_SYNC_OFFSET = Column(
    "sync_offset", "optional int", "by how much the sound led the lips, by SyncNet", "frames"
)
_SYNC_CONFIDENCE = Column("sync_confidence", "float", "SyncNet's confidence")
_SOURCE_FRAME = Column("source_frame", "int", "the same frame on the video's grid")

VOXCELEB = manifest(
    "voxceleb",
    Column("face_size", "float", "mean of the face box's longer side", "source pixels"),
    Column("outside_share", "float", "mean share of the film that lies outside the picture"),
    _SYNC_OFFSET,
    _SYNC_CONFIDENCE,
)

VOXCELEB_FRAMES = Table(
    "voxceleb/{video}/{clip}.csv",
    "a frame",
    (
        FRAME,
        _SOURCE_FRAME,
        Column("x", "float", "left edge of what the film shows", "widths of the picture"),
        Column("y", "float", "its top edge", "heights of the picture"),
        Column("w", "float", "its width", "widths of the picture"),
        Column("h", "float", "its height", "heights of the picture"),
    ),
)

LANDMARKS_HDF5 = manifest(
    "landmarks_hdf5",
    Column("face_run", "int", "longest stretch of frames that all have a face", "frames"),
)

LATENTSYNC = manifest(
    "latentsync",
    Column("longest_gap", "int", "longest stretch of frames without a face", "frames"),
    Column("face_width", "float", "smallest width of the face box", "source pixels"),
    Column("face_height", "float", "smallest height of the face box", "source pixels"),
    Column("enlargement", "float", "median size of a source pixel", "pixels of the film"),
    _SYNC_OFFSET,
    _SYNC_CONFIDENCE,
)

_OF_MAP = "of the map from source pixels (x, y) to the film's: xx x + xy y + x0, yx x + yy y + y0"
LATENTSYNC_FRAMES = Table(
    "latentsync/{video}/{clip}.csv",
    "a frame",
    (
        FRAME,
        _SOURCE_FRAME,
        PRESENT,
        *(Column(name, "float", _OF_MAP) for name in ("xx", "xy", "x0", "yx", "yy", "y0")),
    ),
)

WAV2LIP = manifest(
    "wav2lip",
    Column(
        "left_out",
        "text",
        "frames, from 0, without a face or with mouth or chin out of the box's lower half",
    ),
    Column("pictures", "int", "number of the others, of which the export has pictures"),
    Column("windows", "int", "frames at which the reader can begin a window of 5"),
    Column(
        "smallest_side", "float", "smallest side of those, as far as the source had it", "pixels"
    ),
)

PC_AVS = manifest(
    "pc_avs",
    Column("faceless", "int", "number of frames without a face"),
    Column(
        "scale",
        "float",
        "what a pixel of the crops shows; under 1 they are enlarged",
        "source pixels",
    ),
    Column("outside_share", "float", "share of what the reader looks at that is black"),
)

_FACELESS = Column("faceless_frames", "int", "frames without a face")
MUSETALK = manifest(
    "musetalk",
    _FACELESS,
    Column("face_width", "int", "width of the first frame's face, landmarks included", "pixels"),
)
HALLO = manifest(
    "hallo",
    _FACELESS,
    Column("sound_layers", "int", "layers of the speech network"),
    Column("sound_channels", "int", "its channels"),
    Column("model", "text", "name of the speech network in the store"),
    Column("face_model", "text", "name of the network that knows faces"),
    SHA256,
)
ANIPORTRAIT = manifest(
    "aniportrait",
    _FACELESS,
    Column("longest_run", "int", "most frames in a row with a face"),
)

RADNERF = manifest(
    "radnerf",
    Column("faceless", "int", "frames without a face"),
    Column("focal", "float", "focal length of the camera", "pixels"),
    Column(
        "camera_error", "float", "median distance of the head's mesh from the landmarks",
        "pixels of a clip of 512",
    ),
    Column("lips_side", "float", "smallest side of the square around the lips", "pixels"),
    Column("lips_margin", "float", "least way from it to the edge of the picture", "pixels"),
)  # fmt: skip

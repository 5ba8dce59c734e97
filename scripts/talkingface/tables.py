"""The tables on disk: every column's name, type, unit and meaning, stated once.

A table is a csv with a header line; in memory it is a numpy record array (`job.tables`). Paths
are relative to the results folder. Boxes are x, y of the top left corner, width and height;
picture axes are x to the right and y down, from the top left corner of the top left pixel.
"""

from __future__ import annotations

from talkingface import export_tables
from talkingface.table import (
    BACKEND,
    CLIP_ID,
    FRAME,
    N_FRAMES,
    PRESENT,
    SHA256,
    Column,
    Table,
    manifest,
)
from talkingface.table import Kind as Kind

_VIDEO_ID = Column("video_id", "text", "name of the video in videos.csv")
_SPEECH_SHARE = Column(
    "speech_share", "float", "share of frames in which somebody is heard to speak"
)

SCENES = Table(
    "scenes/{video}.csv",
    "a shot, in order; frames between two shots, those of a gradual transition, are in none",
    (
        Column("scene", "int", "number of the shot, from 0"),
        Column("start_frame", "int", "first frame of the grid"),
        Column("end_frame", "int", "frame of the grid after the last"),
    ),
)

TRACKS = Table(
    "tracks/{video}.csv",
    "a face in a frame",
    (
        Column("track", "int", "number of the track, from 0"),
        Column("scene", "int", "the shot it is in"),
        Column("frame", "int", "frame of the grid"),
        Column("x", "float", "left edge of the face box", "source pixels"),
        Column("y", "float", "top edge of the face box", "source pixels"),
        Column("w", "float", "width of the face box", "source pixels"),
        Column("h", "float", "height of the face box", "source pixels"),
        Column("confidence", "float", "score of the detection, interpolated between detections"),
        Column("detected", "int", "1 where the face was seen, 0 where a sample beside missed it"),
    ),
)

SPEECH = Table(
    "speech/{video}.csv",
    "a frame of the video",
    (
        Column("frame", "int", "frame of the grid"),
        Column("probability", "float", "how probable it is that somebody is heard to speak"),
    ),
)

SYNC = Table(
    "sync/{video}.csv",
    "a track",
    (
        Column("track", "int", "number of the track"),
        Column("offset", "int", "by how much the sound leads the lips", "frames"),
        Column(
            "confidence", "float", "how clearly lips and sound go together, in the backend's unit"
        ),
        Column("probability", "float", "how likely the voice heard is this face's own"),
        Column("trusted", "int", "1 where the offset is certain enough to move the sound by it"),
        BACKEND,
        Column("distance", "float", "SyncNet's lowest mean distance"),
        Column("drift", "float", "by how much the offset grows (SyncNet)", "frames a minute"),
    ),
)

SYNC_FRAMES = Table(
    "sync/{video}.frames.csv",
    "a face in a frame",
    (
        Column("track", "int", "number of the track"),
        Column("frame", "int", "frame of the grid"),
        Column("score", "float", "how clearly lips and sound go together, in the backend's unit"),
        Column("probability", "float", "how likely this face is the one that speaks"),
        Column("opening", "float", "height of the mouth's opening", "lengths of the nose"),
    ),
)

SEGMENTS = Table(
    "segments/{video}.csv",
    "a candidate stretch of a face, a whole video that has none, or a gap in one",
    (
        CLIP_ID,
        _VIDEO_ID,
        Column("scene", "optional int", "the shot it is in"),
        Column("track", "optional int", "the track it is of"),
        Column("start_frame", "optional int", "first frame of the grid"),
        Column("end_frame", "optional int", "frame of the grid after the last"),
        Column("verdict", "text", "`kept` or `rejected`"),
        Column(
            "stage",
            "text",
            "the stage that measured what it was rejected for; `decisions` where a person decided",
        ),
        Column(
            "reason",
            "text",
            "what it was rejected for; `unsure` where it is kept in doubt, `by hand` where a "
            "person decided",
        ),
        Column("detail", "text", "the reason in words", outside=True),
        Column("value", "float", "what was measured"),
        Column("threshold", "float", "what it was compared with"),
        Column("n_frames", "optional int", "length", "frames"),
        Column("face_height", "float", "median height of the face box", "source pixels"),
        Column("detected_share", "float", "share of frames in which the face was seen"),
        Column("other_face_share", "float", "share of frames with another face beside it"),
        Column("loudness", "float", "RMS of the sound", "dB of full scale"),
        _SPEECH_SHARE,
        Column("offset", "optional int", "by how much the sound leads the lips", "frames"),
        Column("trusted", "optional int", "1 where the offset is certain"),
        Column("confidence", "float", "mean score of the lips with the sound, the backend's unit"),
        Column("probability", "float", "how likely the voice heard is this face's own"),
        Column("other_probability", "float", "how likely it is another visible face's, at most"),
        Column("mouth_motion", "float", "spread of the mouth's opening", "lengths of the nose"),
    ),
)

CLIPS = Table(
    "clips/{video}.csv",
    "a clip",
    (
        CLIP_ID,
        _VIDEO_ID,
        Column("scene", "int", "the shot it is in"),
        Column("track", "int", "the track it is of"),
        Column("start_frame", "int", "first frame of the grid"),
        Column("end_frame", "int", "frame of the grid after the last"),
        N_FRAMES,
        Column("width", "int", "width of the clip", "pixels"),
        Column("height", "int", "height of the clip", "pixels"),
        Column("crop", "text", "how it was cropped: `fixed`, `follow` or `none`"),
        Column("crop_x", "float", "left edge of the crop, median over the clip", "source pixels"),
        Column("crop_y", "float", "top edge of the crop", "source pixels"),
        Column("crop_w", "float", "width of the crop", "source pixels"),
        Column("crop_h", "float", "height of the crop", "source pixels"),
        Column("offset", "optional int", "by how much the sound led the lips", "frames"),
        Column("confidence", "float", "mean score of the lips with the sound, the backend's unit"),
        Column("probability", "float", "how likely the voice heard is this face's own"),
        _SPEECH_SHARE,
        Column("audio_shift", "int", "by how much the sound was delayed", "samples at 16 kHz"),
    ),
)

CLIP_FRAMES = Table(
    "clips/{video}/{clip}.csv",
    "a frame",
    (
        FRAME,
        Column("source_frame", "int", "the same frame on the video's grid"),
        Column("x", "float", "left edge of the face box", "source pixels"),
        Column("y", "float", "top edge of the face box", "source pixels"),
        Column("w", "float", "width of the face box", "source pixels"),
        Column("h", "float", "height of the face box", "source pixels"),
        Column("crop_x", "float", "left edge of the crop", "source pixels"),
        Column("crop_y", "float", "top edge of the crop", "source pixels"),
        Column("crop_w", "float", "width of the crop", "source pixels"),
        Column("crop_h", "float", "height of the crop", "source pixels"),
    ),
)

LANDMARKS = manifest(
    "landmarks", Column("present_share", "float", "share of frames with a face"), BACKEND
)

_ANGLE = "degrees"
_ANGLES = ("yaw", "pitch", "roll")
_ANGLE_RANGES = tuple(
    Column(f"{angle}_range", "float", "from the 5th to the 95th percentile", _ANGLE)
    for angle in _ANGLES
)
_LARGEST_ANGLES = tuple(
    Column(f"max_abs_{angle}", "float", "95th percentile without the sign", _ANGLE)
    for angle in _ANGLES
)
POSE = manifest(
    "pose",
    *(Column(f"median_{angle}", "float", "median", _ANGLE) for angle in _ANGLES),
    *_ANGLE_RANGES,
    *_LARGEST_ANGLES,
    Column("max_view_angle", "float", "95th percentile", _ANGLE),
    Column("angular_speed", "float", "mean", "degrees a second"),
    Column("speed", "float", "mean", "face widths a second"),
)

POSE_FRAMES = Table(
    "pose/{video}/{clip}.csv",
    "a frame",
    (
        FRAME,
        PRESENT,
        Column("yaw", "float", "positive when the subject turns to the own right", _ANGLE),
        Column("pitch", "float", "positive when the subject looks down", _ANGLE),
        Column("roll", "float", "positive when the head tips to the subject's right", _ANGLE),
        Column("view_angle", "float", "between the face's direction and the camera", _ANGLE),
        Column("angular_speed", "float", "of the head since the frame before", "degrees a second"),
        Column("x", "float", "place of the head, to the right of the camera", "cm"),
        Column("y", "float", "place of the head, below the camera", "cm"),
        Column("z", "float", "place of the head, before the camera", "cm"),
        Column("speed", "float", "of the head in the picture", "face widths a second"),
    ),
)

EXPRESSION = manifest(
    "expression",
    Column("blinks", "int", "number of blinks"),
    Column("blinks_per_minute", "float", "rate of the blinks", "1/min"),
    Column("closed_share", "float", "share of frames with closed eyes"),
    Column("mouth_open_median", "float", "median of mouth_open", "face widths"),
    Column("mouth_open_range", "float", "from the 5th to the 95th percentile", "face widths"),
    Column("brow_range", "float", "from the 5th to the 95th percentile", "face widths"),
)

EXPRESSION_FRAMES = Table(
    "expression/{video}/{clip}.csv",
    "a frame",
    (
        FRAME,
        PRESENT,
        Column("eye_left", "float", "opening of the subject's left eye", "eye widths"),
        Column("eye_right", "float", "opening of the subject's right eye", "eye widths"),
        Column("blink_left", "optional int", "1 where the subject's left eye is closed"),
        Column("blink_right", "optional int", "1 where the subject's right eye is closed"),
        Column("mouth_open", "float", "height between the inner lips", "face widths"),
        Column("mouth_width", "float", "distance of the mouth's corners", "face widths"),
        Column("brow_left", "float", "height of the subject's left brow", "face widths"),
        Column("brow_right", "float", "height of the subject's right brow", "face widths"),
    ),
)

PARSING = manifest("parsing", BACKEND, SHA256)
DEPTH = manifest("depth", BACKEND, SHA256)
BACKGROUND = manifest(
    "background",
    Column("known_share", "float", "share of the pixels that were ever seen without the person"),
    Column("residual", "float", "mean difference of frames and plate", "levels of 0 to 255"),
)
TORSO = manifest("torso")
FRAMES = manifest("frames")
OVERLAY = manifest("overlay")
MFCC = manifest("mfcc")
MEL = manifest("mel")
HUBERT = manifest(
    "hubert",
    Column("layers", "text", "`all`, or the numbers of the hidden states"),
    Column("dtype", "text", "in which it is stored"),
    Column("model", "text", "name of the model in the store"),
    SHA256,
)

QUALITY = manifest(
    "quality",
    Column("face_height", "float", "median height of the face box", "source pixels"),
    Column("present_share", "float", "share of frames with a face"),
    Column("border_share", "float", "share of frames in which the face touches the edge"),
    Column("brightness", "float", "median luma of the face", "levels of 0 to 255"),
    Column("sharpness", "float", "variance of the Laplacian at one size and light"),
    Column("hand_share", "float", "share of measured frames with hands before the face"),
    *_LARGEST_ANGLES,
    *_ANGLE_RANGES,
    Column("residual_offset", "float", "by how much the finished clip's sound leads", "frames"),
    Column("residual_certainty", "float", "how likely that is within a frame of the truth"),
    Column("speech_quality", "float", "how good the sound is, 1 to 5; empty below 3 s"),
)

QUALITY_FRAMES = Table(
    "quality/{video}/{clip}.csv",
    "a measured frame",
    (
        FRAME,
        PRESENT,
        Column("at_border", "int", "1 where the face touches the edge of the source"),
        Column("brightness", "float", "mean luma of the face", "levels of 0 to 255"),
        Column("sharpness", "float", "variance of the Laplacian"),
        Column("hand_overlap", "float", "share of the face that hands cover"),
    ),
)

# Of every candidate, kept or not, so not a manifest of clips. Of voice and face with all digits, as
# they are judged by; the ledger has them rounded.
PREVIEW = Table(
    "preview/{video}.csv",
    "a candidate stretch of a face, kept or not",
    (
        CLIP_ID,
        N_FRAMES,
        Column("pictures", "int", "small pictures in its strip, 0 where none could be made"),
        Column("cause_frame", "optional int", "frame of the grid that shows why it is rejected"),
        Column("alone", "int", "1 where no other face is seen in it"),
        Column("judged", "int", "1 where `sync` says something of its face"),
        Column("other_track", "optional int", "the other face whose voice it is most likely"),
        Column("mouth_motion", "float", "spread of the mouth's opening", "lengths of the nose"),
        Column("confidence", "float", "mean score of the lips with the sound, the backend's unit"),
        Column("probability", "float", "how likely the voice heard is this face's own"),
        Column("other_probability", "float", "how likely it is another visible face's, at most"),
        Column("speaking", "float", "mean probability of its frames that this face speaks"),
        Column("other_speaking", "float", "the same of the other faces, at most"),
        Column("sharpness_frame", "optional int", "frame of the clip that is least sharp"),
        Column("dark_frame", "optional int", "frame of the clip in which the face is darkest"),
        Column("bright_frame", "optional int", "frame of the clip in which the face is brightest"),
        Column("hand_frame", "optional int", "frame of the clip in which hands cover most of it"),
        Column("border_frame", "optional int", "frame of the clip with the face at the edge"),
        Column("absent_frame", "optional int", "frame of the clip without a face"),
        Column("yaw_frame", "optional int", "frame of the clip with the largest yaw"),
        Column("pitch_frame", "optional int", "frame of the clip with the largest pitch"),
        Column("roll_frame", "optional int", "frame of the clip with the largest roll"),
    ),
)

_OF_VIDEO = (
    Column("identity", "text", "who speaks, by videos.csv", outside=True),
    Column("source", "text", "where the video comes from, by videos.csv", outside=True),
)

REJECTED = Table(
    "dataset/rejected.csv",
    "a candidate, a video or a gap in one that was left out",
    (*SEGMENTS.columns, *_OF_VIDEO),
)

CHECKSUMS = Table(
    "checksums/{stage}/{video}.csv",
    "a file that a job has made",
    (
        Column("path", "text", "path, relative to results/"),
        Column("size", "int", "size", "bytes"),
        Column("crc32", "text", "CRC-32 of what is in it, hexadecimal"),
    ),
)

SKIPPED = Table(
    "exports/{export}/skipped.csv",
    "a condition of the export's reader that a clip does not meet",
    (
        CLIP_ID,
        Column("condition", "text", "what was compared, with its unit"),
        Column("measured", "text", "what it is"),
        Column("needed", "text", "what the reader needs"),
    ),
)


def dataset_clips(products: tuple[str, ...] = ()) -> Table:
    """dataset/clips.csv, and train.csv and eval.csv, with one column for each of `products`."""
    measures = (column for column in QUALITY.columns if column not in (CLIP_ID, N_FRAMES))
    of_split = (
        Column("split", "text", "`train` or `eval`"),
        Column("duration_s", "float", "length", "s"),
    )
    paths = (Column(name, "text", "path, relative to results/") for name in products)
    return Table(
        "dataset/clips.csv",
        "a clip of the dataset",
        (*CLIPS.columns, *measures, *_OF_VIDEO, *of_split, *paths),
    )


def tables_by_path() -> dict[str, Table]:
    """All tables that have a name of their own here or in `export_tables`, by their paths."""
    named = [*globals().values(), *vars(export_tables).values()]
    return {table.path: table for table in named if isinstance(table, Table)}

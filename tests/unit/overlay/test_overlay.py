"""One film a clip: as many frames, the same sound, and every product at its own frame."""

import av
import cv2
import numpy as np
import pytest

from talkingface.faces import ibug68
from talkingface.faces.face_model import CANONICAL
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.job.tables import read_table, table_of_columns, table_of_rows, write_table
from talkingface.media.audio import SoundTrack, write_wav
from talkingface.media.clip_files import Clip, read_clips
from talkingface.media.video import bgr_frames, first_timestamp, limited_yuv420p
from talkingface.media.writer import VideoWriter
from talkingface.overlay import overlay
from talkingface.overlay.picture import ACTIVE
from talkingface.overlay.plot import CURSOR, LABELS
from talkingface.pictures.depth import depth
from talkingface.pictures.depth.mesh import MeshDepth
from talkingface.stages import STAGES
from talkingface.tables import CLIP_FRAMES, CLIPS, EXPRESSION_FRAMES, POSE_FRAMES, SYNC_FRAMES

COUNT, WIDTH, HEIGHT, START = 30, 160, 120, 1000
ABSENT = range(10, 13)
NAME = "v_001000_001030_02"
ROW = table_of_rows(
    CLIPS,
    [
        {
            "clip_id": NAME,
            "video_id": "v",
            "scene": 0,
            "track": 2,
            "start_frame": START,
            "end_frame": START + COUNT,
            "n_frames": COUNT,
            "width": WIDTH,
            "height": HEIGHT,
            "offset": -1,
            "confidence": 4.5,
            "probability": 0.875,
            "audio_shift": 0,
        }  # fmt: skip
    ],
)[0]


def draw(products, sources, row=ROW):
    clip = Clip(NAME, COUNT, WIDTH, HEIGHT, products)
    return overlay.Overlay(clip, row, sources, min_confidence=None)


def grey(k):
    return 30 + 6 * k


def face(k):
    """The mean face, 2 pixels further to the right every frame: (478, 3) clip pixels."""
    mesh = CANONICAL * (4, -4, -4) + (40 + 2 * k, 50, 0)
    irises = np.repeat(mesh[[159, 386]], 5, axis=0)
    return np.concatenate([mesh, irises]).astype(np.float32)


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """Folder of a clip with everything a run can make of it."""
    folder = tmp_path_factory.mktemp("clip")
    name = folder / NAME
    with VideoWriter(f"{name}.mp4", WIDTH, HEIGHT, crf=5, preset="superfast") as writer:
        for k in range(COUNT):
            image = np.full((HEIGHT, WIDTH, 3), grey(k), np.uint8)
            writer.write(limited_yuv420p(av.VideoFrame.from_ndarray(image, "bgr24")))
    times = np.arange(COUNT * 640) / 16000
    sound = 12000 * np.sin(2 * np.pi * (200 + 600 * times) * times)
    sound[: 10 * 640] = 0
    write_wav(f"{name}.wav", sound.astype(np.int16), 16000)
    numbers = {"frame": np.arange(COUNT)}
    crop = {"crop_x": 0, "crop_y": 0, "crop_w": WIDTH, "crop_h": HEIGHT}
    boxes = {"x": 30, "y": 20, "w": 60, "h": 70}
    frames = numbers | {"source_frame": np.arange(COUNT) + START} | boxes | crop
    write_table(table_of_columns(CLIP_FRAMES, frames), f"{name}.csv", CLIP_FRAMES)

    present = np.array([k not in ABSENT for k in range(COUNT)])
    points = np.stack([face(k) if present[k] else np.full((478, 3), np.nan) for k in range(COUNT)])
    found = Landmarks(points.astype(np.float32), ibug68.points68(points), present)
    write_landmarks(folder / "landmarks.npz", found)
    angles = dict.fromkeys(POSE_FRAMES.names, 0.0) | numbers
    angles |= {"present": present.astype(int), "yaw": np.where(present, 30.0, np.nan)}
    angles |= dict.fromkeys(("pitch", "roll"), np.where(present, 0.0, np.nan))
    write_table(table_of_columns(POSE_FRAMES, angles), folder / "pose.csv", POSE_FRAMES)
    clip = Clip(NAME, COUNT, WIDTH, HEIGHT, folder)
    depth.write_depth(MeshDepth(), clip, found, folder / "depth", folder / "depth.json")
    (folder / "parsing").mkdir()
    for k in range(COUNT):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[: 4 * k] = 17
        cv2.imwrite(str(folder / "parsing" / f"{k + 1:06d}.png"), labels)
    around = np.arange(START - 50, START + 200)
    scores = {"track": 2, "frame": around, "score": around - START, "opening": 0.1}
    scores = table_of_columns(SYNC_FRAMES, scores | {"probability": (around - START) / 250})
    write_table(scores, folder / "sync.csv", SYNC_FRAMES)
    eyes = dict.fromkeys(EXPRESSION_FRAMES.names, 0.3) | numbers
    eyes |= {"present": present.astype(int), "mouth_open": 0.0, "blink_right": 0, "blink_left": 0}
    eyes = table_of_columns(EXPRESSION_FRAMES, eyes)
    eyes.blink_left[[4, 5]] = 1
    eyes.mouth_open[20] = 0.2
    for column in EXPRESSION_FRAMES.names[2:]:
        eyes[column][~present] = np.nan
    write_table(eyes, folder / "eyes.csv", EXPRESSION_FRAMES)
    return folder


@pytest.fixture(scope="module")
def sources(products):
    return overlay.Sources(
        landmarks=products / "landmarks.npz",
        pose=products / "pose.csv",
        expression=products / "eyes.csv",
        parsing=products / "parsing",
        depth=products / "depth",
        sync=products / "sync.csv",
    )


@pytest.fixture(scope="module")
def film(products, sources):
    path = products / "overlay.mp4"
    clip = Clip(NAME, COUNT, WIDTH, HEIGHT, products)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlay, "CRF", 10)  # so that pixels can be compared
        overlay.write_overlay(clip, ROW, path, sources, min_confidence=None, threads=1)
    return path


@pytest.fixture(scope="module")
def frames(film):
    return [image.copy() for _, image in bgr_frames(film)]


@pytest.fixture(scope="module")
def layout(products, sources):
    return draw(products, sources)


def panel(image, layout, number):
    return image[overlay.HEADER :][: layout.panel[1], layout.left :][
        :, number * (layout.panel[0] + overlay.GAP) :
    ][:, : layout.panel[0]]


def test_as_many_frames_at_the_same_rate(film, frames):
    assert len(frames) == COUNT
    with av.open(str(film)) as box:
        stream = box.streams.video[0]
        assert (stream.average_rate, stream.codec_context.pix_fmt) == (25, "yuv420p")
        assert stream.codec_context.name == "h264"
    height, width = frames[0].shape[:2]
    assert height % 2 == width % 2 == 0


def test_the_sound_is_the_clips(film, products):
    track = SoundTrack(film, origin=first_timestamp(film), rate=16000, channels=1)
    heard = track.read(0, COUNT * 640)[:, 0].astype(float)
    sent = SoundTrack(products / f"{NAME}.wav", origin=0, rate=16000, channels=1)
    sent = sent.read(0, COUNT * 640)[:, 0].astype(float)
    assert np.corrcoef(heard, sent)[0, 1] > 0.99
    assert np.corrcoef(heard[5:], sent[:-5])[0, 1] < 0.9  # a third of a millisecond would show


def test_every_frame_is_its_own(frames, layout, products):
    """Picture, parsing and depth of frame k stand together."""
    levels = [image.mean() for _, image in bgr_frames(products / f"{NAME}.mp4")]
    assert min(np.diff(levels)) > 4
    for k in range(COUNT):
        clip, parsing, near = (panel(frames[k], layout, number) for number in range(3))
        corner = clip[-60:-40, -20:].mean()
        assert abs(np.array(levels) - corner).argmin() == k
        tinted = parsing[:, -20:].astype(int)
        rows = abs(tinted - parsing[-1, -10]).max(axis=2).mean(axis=1) > 15
        assert abs(rows.sum() - 4 * k * layout.panel[1] / HEIGHT) <= 6
        face_pixels = near[60:-60].max(axis=2) > 100
        assert face_pixels.any() == (k not in ABSENT)
        if face_pixels.any():
            middle = np.where(face_pixels)[1].mean() * WIDTH / layout.panel[0]
            assert abs(middle - (40 + 2 * k)) < 3


def test_landmarks_go_with_their_face(frames, layout):
    scale = layout.panel[0] / WIDTH
    for k in (2, 15, 28):
        clip = panel(frames[k], layout, 0)
        green = clip[..., 1].astype(int) - clip[..., 2] > 40
        columns = np.where(green[100:-80])[1] / scale
        chin = face(k)[152, 0]
        assert abs((columns.min() + columns.max()) / 2 - chin) < 0.9
    clip = panel(frames[ABSENT[1]], layout, 0)
    assert not (clip[..., 1].astype(int) - clip[..., 2] > 40).any()


def test_an_absent_face_is_said(frames, layout):
    for k in range(COUNT):
        lit = abs(panel(frames[k], layout, 0)[:40, :120].astype(int) - ACTIVE).max(axis=2) < 40
        assert lit.any() == (k in ABSENT)


def test_flags_are_said_where_they_hold(frames, layout):
    for k in range(COUNT):
        lit = abs(panel(frames[k], layout, 0)[-40:].astype(int) - ACTIVE).max(axis=2) < 40
        parts = [part.any() for part in np.array_split(lit, 3, axis=1)]
        # The subject's left eye is on the right.
        assert parts == [False, k == 20, k in (4, 5)]


def test_the_cursor_moves_on(layout):
    places = []
    for k, image in enumerate(layout.frames()):
        top = overlay.HEADER + layout.panel[1] + overlay.GAP
        lane = image[top : top + 30, overlay.MARGIN + LABELS :]
        (columns,) = np.where((lane == CURSOR).all(axis=2).mean(axis=0) > 0.7)
        assert len(columns) == 1, k
        places.append(columns[0])
    width = layout.size[0] - 2 * overlay.MARGIN - LABELS
    np.testing.assert_allclose(places, (np.arange(COUNT) + 0.5) / COUNT * width, atol=1.5)


def test_only_the_clips_stretch_of_the_sync_table(layout):
    (lane,) = (lane for lane in layout.timeline.lanes if lane.curves[0].name == "sync")
    assert lane.curves[0].values.tolist() == list(range(COUNT))
    # What goes on before and after does not squeeze it.
    assert lane.low == 0 and lane.high == pytest.approx(1.1 * (COUNT - 1))
    (lane,) = (lane for lane in layout.timeline.lanes if lane.curves[0].name == "speaks")
    np.testing.assert_allclose(lane.curves[0].values, np.arange(COUNT) / 250)


@pytest.mark.parametrize("known", [[], ["landmarks"], ["sync"], ["depth", "pose"], ["expression"]])
def test_what_is_not_computed_is_not_drawn(products, sources, known):
    some = overlay.Sources(**{name: getattr(sources, name) for name in known})
    drawn = draw(products, some)
    image = next(iter(drawn.frames()))
    assert image.shape[:2] == drawn.size[::-1]
    assert drawn.panels == 1 + ("depth" in known)
    names = {curve.name for lane in drawn.timeline.lanes for curve in lane.curves}
    assert ("sync" in names) == ("sync" in known) and ("yaw" in names) == ("pose" in known)
    assert ("left eye" in names) == ("expression" in known) and "sound" in names


def test_a_sync_table_without_the_face(products, tmp_path):
    """Backend none, or another face's rows only."""
    path = tmp_path / "v.frames.csv"
    for rows in ([], [(7, 1001, 3.0, 0.5, 0.1)]):
        write_table(table_of_rows(SYNC_FRAMES, rows), path, SYNC_FRAMES)
        drawn = draw(products, overlay.Sources(sync=path))
        assert len(drawn.timeline.lanes) == 1


def test_a_clip_that_was_not_judged(products):
    row = ROW.copy()
    row.offset = row.confidence = row.probability = np.nan
    drawn = draw(products, overlay.Sources(), row)
    next(iter(drawn.frames()))
    assert drawn._facts() == ["160 x 120"]


def test_what_is_said_of_the_clip(products):
    row = ROW.copy()
    row.audio_shift = -640
    facts = draw(products, overlay.Sources(), row)._facts()
    assert facts == [
        "160 x 120",
        "offset -1 (sound lags)",
        "confidence 4.50",
        "probability 0.88",
        "sound moved by -40 ms",
    ]


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (512, 512), (98, 97), (3000, 400)])
def test_a_panel_has_the_clips_shape(size):
    width, height = overlay.panel_size(*size)
    assert width % 2 == height % 2 == 0
    assert width / height == pytest.approx(size[0] / size[1], rel=0.02)
    assert width * height == pytest.approx(overlay.AREA, rel=0.02)


@pytest.mark.parametrize("name", ["pose", "expression", "landmarks"])
def test_a_product_of_another_length_is_named(products, sources, tmp_path, name):
    path = tmp_path / getattr(sources, name).name
    if name == "landmarks":
        empty = np.zeros((7, 478, 3), np.float32)
        write_landmarks(path, Landmarks(empty, empty[:, :68, :2], np.ones(7, bool)))
    else:
        definition = {"pose": POSE_FRAMES, "expression": EXPRESSION_FRAMES}[name]
        write_table(read_table(getattr(sources, name), definition)[:7], path, definition)
    with pytest.raises(ValueError, match=f"{path.name}: 7 frames, but the clip has 30"):
        draw(products, overlay.Sources(**{name: path}))


@pytest.mark.parametrize("name", ["parsing", "depth"])
def test_a_missing_picture_is_named(products, tmp_path, name):
    drawn = draw(products, overlay.Sources(**{name: tmp_path}))
    with pytest.raises(ValueError, match="000001.png"):
        next(iter(drawn.frames()))


def test_all_that_the_register_says_is_shown(products, tmp_path):
    """A film a clip, of what was computed; what was not, and what is not shown, is passed over."""
    shown = STAGES["overlay"].shows
    folders = {name: tmp_path / name for name in ("folder", "manifest", *shown)}
    found = overlay.Sources.of_clip("a", folders, "s.csv")
    assert {name for name, path in vars(found).items() if path} == {*shown, "sync"}
    assert found.landmarks == tmp_path / "landmarks/a.npz" and found.depth == tmp_path / "depth/a"
    write_table(np.array([ROW]).view(np.recarray), tmp_path / "v.csv", CLIPS)
    (tmp_path / "pose").mkdir()
    (tmp_path / "pose" / f"{NAME}.csv").write_bytes((products / "pose.csv").read_bytes())
    overlay.make_overlay(
        read_clips(products, tmp_path / "v.csv"),
        tmp_path / "v.csv",
        products / "sync.csv",
        {"pose": tmp_path / "pose", "folder": products},
        tmp_path / "out",
        tmp_path / "out.csv",
        min_confidence=2.0,
        threads=1,
    )
    assert (tmp_path / "out.csv").read_text() == f"clip_id,n_frames\n{NAME},{COUNT}\n"
    assert sum(1 for _ in bgr_frames(tmp_path / "out" / f"{NAME}.mp4")) == COUNT

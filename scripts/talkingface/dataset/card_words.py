"""What is the same in every dataset's card."""

from __future__ import annotations

ABOUT = """\
Every clip shows one face and has its own voice, at exactly 25 frames a second and 16 kHz, so that \
entry k of everything belongs to the same 40 ms. What was measured of each stands beside it, and \
what was left out is listed with the reason.
"""

CLIP_FILES = """\
`train.csv` and `eval.csv` list the clips of either side, `clips.csv` all of them: where each comes
from, what was measured of it, and the paths of its files, relative to the folder above the one with
the tables. `rejected.csv` lists what was left out. For a clip of N frames of H x W pixels:
"""

COLUMNS_NOTE = """\
Coordinates in clip pixels are continuous: the centre of the top left pixel is (0.5, 0.5). Left and
right are the subject's.
"""

# In the card of a layout, which has the measures in a form of its own.
ELSEWHERE_NOTE = """\
What is called `clips.csv`, `rejected.csv` and `settings.json` below is in the folder `dataset` of
the results that this was made of, not here.
"""

ORIGINS_NOTE = """\
As the sites said when the videos were downloaded; of local files nobody said anything. A licence of
the whole dataset cannot give more than those of its sources. Fill in what is unknown before you
pass anything on.
"""

LIMITS = """\
## Known limits

- **Who speaks** is what the list of videos says: no face was compared with another. Somebody who
  is listed under two names, or in videos without a name, may be in train and in eval.
- **Lip-sync** was measured, not heard by a person. `probability` says how likely the voice is the
  face's own, `offset` what was found, `residual_offset` what is left in the finished clip, each as
  far as its backend can tell. Somebody who mouths along with another's speech is taken for the
  speaker; profiles and covered mouths give little evidence.
- **Landmarks, pose and expression** come from a face mesh. Beyond 45 degrees of yaw its points may
  be wrong. Everybody's own shape adds a constant of some degrees to the pitch: changes can be
  trusted more than absolute values.
- **Parsing** by `mesh` knows no glasses, hats or jewellery, and guesses at ears and beards; a
  network labels every face in the picture. **Background** is right where the camera stands still.
  **Depth** by `mesh` is of the face only, a network's is relative.
- **Sound** is what the source had: music, noise and second voices are measured (`speech_share`,
  `speech_quality`), not removed.
- Pictures were decoded and encoded again once; what the source's own compression had lost stays
  lost. Colours were not converted.
- **Who is in it** was not balanced: nothing says how ages, genders, skin tones, languages or
  accents are represented, beyond what the tables above show.
"""

PEOPLE = """\
## People

Faces and voices are personal data. That a video could be downloaded does not say that the people in
it agreed to this use, nor that the law where you are allows it. Do not use this to identify,
imitate or deceive anybody. Who is responsible for this dataset: {contact}.
"""

TAKE_OUT = """\
## To take something out

Write to: {contact}. Whoever holds the results removes a video, a source or a person, from the list,
the results, the tables, this card and every layout made of them, by

    python scripts/takedown.py WORKSPACE VIDEO_OR_SOURCE
    python scripts/takedown.py WORKSPACE --identity PERSON

What was copied, uploaded or trained from before has to be looked after by whoever did it.
"""

CITE = """\
## How to cite

    @misc{{dataset,
      title = {{{title}}},
      author = {{not stated: fill in}},
      year = {{not stated: fill in}},
      note = {{Made with talkingface {release}}}
    }}

Name the sources as their licences ask for; `source` in the tables leads to each of them.
"""

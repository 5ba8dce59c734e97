"""What is published of the settings."""

from __future__ import annotations

import json

from talkingface.settings.load import check_config
from talkingface.settings.published import published_settings


def test_the_order_of_a_user_s_file_is_not_told() -> None:
    """As the params of a rule they would have it run again for another order."""
    plain = published_settings(check_config({}))
    turned = {
        "clips": {"size": 512, "crf": 18, "crop": "fixed"},
        "download": {"timeout": 5},
        "features": plain["features"],
    }
    assert json.dumps(published_settings(check_config(turned))) == json.dumps(plain)


def test_where_things_lie_and_how_they_came_is_not_told() -> None:
    config = check_config({"device": "cpu", "download": {"proxy": "http://me:secret@host"}})
    published = published_settings(config, leave_out=("wav2lip",))
    assert "secret" not in json.dumps(published)
    assert not {"videos", "decisions", "models", "device", "exports", "card", "wav2lip"} & set(
        published
    )
    assert published["clips"] == config["clips"]

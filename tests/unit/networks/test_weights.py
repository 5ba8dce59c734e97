from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from helpers import random_networks  # noqa: E402
from talkingface.networks.resnet import resnet_of  # noqa: E402
from talkingface.networks.weights import prepare, set_weights  # noqa: E402


@pytest.mark.parametrize("depth", [18, 50])
def test_a_resnet_is_as_deep_as_its_weights_and_computes_as_torchvisions(depth: int) -> None:
    draw = random_networks.Draw(depth)
    draw.resnet("trunk.", depth)
    network = resnet_of(draw.state, "trunk.", "memory")
    own = {f"trunk.{name}": value.shape for name, value in network.state_dict().items()}
    assert own == {name: value.shape for name, value in draw.state.items()}
    set_weights(network, {n.removeprefix("trunk."): v for n, v in draw.state.items()}, "memory")
    pictures = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = random_networks.resnet_features(draw.state, "trunk.", depth, pictures)
        plain = network.eval()(pictures)
        folded = prepare(network, torch.device("cpu"), torch.float32)(pictures)
    assert [f.shape[1] for f in expected] == network.channels
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    for own_feature, ready, feature in zip(plain, folded, expected, strict=True):
        scale = float(feature.std())
        assert scale > 0.01
        torch.testing.assert_close(own_feature, feature, atol=1e-4 * scale, rtol=1e-4)
        torch.testing.assert_close(ready, feature, atol=1e-4 * scale, rtol=1e-3)


def test_no_resnet() -> None:
    state = {"trunk.layer1.0.conv1.weight": torch.zeros(64, 64, 3, 3)}
    with pytest.raises(ValueError, match="some.pth: no ResNet in it"):
        resnet_of(state, "trunk.", "some.pth")


def test_weights_that_do_not_fit() -> None:
    layer = torch.nn.Linear(3, 2)
    right = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
    set_weights(layer, right | {"height": 3}, "right.pth", ignored_prefixes=("height",))
    assert bool((layer.weight == 1).all())
    for state, named in (
        ({"weight": right["weight"]}, "bias"),
        (right | {"height": 3}, "height"),
        (right | {"height": torch.tensor(3)}, "height"),
        (right | {"bias": 3}, "bias"),
        (right | {"weight": torch.ones(3, 2)}, "weight"),
    ):
        with pytest.raises(ValueError, match=f"wrong.pth: not the weights of Linear.*{named}"):
            set_weights(layer, state, "wrong.pth")
    with pytest.raises(ValueError, match="fetch it again"):
        set_weights(layer, {}, "wrong.pth")

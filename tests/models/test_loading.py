"""Networks by name: which one it is, the same each time, what is recorded of it, and what is wrong with a name."""

import hashlib
import json
from urllib.error import URLError

import huggingface_hub
import pytest
import timm
import torch
import torchvision
import transformers
from torch import nn

from ntknas.core.errors import ChoiceError, DataError, NtknasError
from ntknas.core.pixel_range import PixelRange
from ntknas.models import ModelOptions, check_reference, fitted, load_model
from ntknas.models.library import Wanted
from ntknas.models.loading import state_digest
from ntknas.models.reference import Reference
from tests.models.small import VIT, vit_configuration

SMALL = {"timm:test_resnet": (160, 160), "torchvision:squeezenet1_1": (224, 224)}


def same(first, second):
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.mark.parametrize("name", SMALL)
def test_a_seed_is_one_network(name):
    options = ModelOptions(num_classes=5, seed=3)
    before = torch.get_rng_state()
    first, again = load_model(name, options), load_model(name, options)
    assert torch.equal(torch.get_rng_state(), before)  # nobody else's random numbers are touched
    other = load_model(name, ModelOptions(num_classes=5, seed=4))
    assert same(first.network, again.network)
    assert first.record == again.record
    assert first.record["state_sha256"] != other.record["state_sha256"]
    assert first.wanted == Wanted(SMALL[name])
    assert first.network.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


def test_it_is_what_the_library_makes():
    torch.manual_seed(7)
    expected = timm.create_model("test_resnet", num_classes=4)
    assert same(load_model("timm:test_resnet", ModelOptions(num_classes=4, seed=7)).network, expected)
    torch.manual_seed(7)
    expected = torchvision.models.squeezenet1_1(num_classes=4)
    assert same(load_model("torchvision:squeezenet1_1", ModelOptions(num_classes=4, seed=7)).network, expected)


def test_a_configuration_of_transformers(tmp_path):
    path = vit_configuration(tmp_path)
    for place in (path, tmp_path):  # the file, and the folder that holds it
        loaded = load_model(f"hf:{place}", ModelOptions(num_classes=4, seed=7))
        torch.manual_seed(7)
        configuration = transformers.ViTConfig(**VIT, num_labels=4)
        expected = transformers.ViTForImageClassification(configuration).eval()
        assert same(loaded.network, expected)
        x = torch.randn(2, 3, 16, 16)
        assert torch.equal(loaded.network.eval()(x), expected(x).logits)
        assert loaded.wanted.size == (16, 16)
    larger = load_model(f"hf:{path}", ModelOptions(image_size=32))
    assert larger.network.eval()(torch.zeros(1, 3, 32, 32)).dim() == 2
    assert larger.wanted.size == (32, 32)


def test_what_is_recorded(tmp_path):
    record = load_model("timm:test_resnet", ModelOptions(num_classes=4, seed=7)).record
    assert (record["library"], record["library_version"]) == ("timm", timm.__version__)
    assert (record["weights"], record["seed"], record["checkpoint"]) == ("random", 7, None)
    state = load_model("timm:test_resnet", ModelOptions(num_classes=4, seed=8)).network.state_dict()
    path = tmp_path / "best.pt"
    torch.save(state, path)
    loaded = load_model("timm:test_resnet", ModelOptions(num_classes=4, checkpoint=path))
    assert loaded.record["checkpoint_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.record["weights"] is None
    other = load_model("timm:test_resnet", ModelOptions(num_classes=4, seed=8))
    assert loaded.record["state_sha256"] == other.record["state_sha256"]


def test_a_state_digest_knows_names_shapes_and_values():
    def digest(network):
        return state_digest(network)

    torch.manual_seed(0)
    layer = nn.Linear(2, 3)
    first = digest(nn.Sequential(layer))
    assert first == digest(nn.Sequential(layer))
    assert first != digest(nn.ModuleDict({"a": layer}))
    assert digest(nn.BatchNorm1d(2)) != digest(nn.BatchNorm1d(2, track_running_stats=False))
    with torch.no_grad():
        layer.bias[0] += 1e-6
    assert first != digest(nn.Sequential(layer))


def test_a_checkpoint_of_a_function_of_ones_own(tmp_path):
    file, path = tmp_path / "mine.py", tmp_path / "best.pt"
    file.write_text("from torch import nn\n\ndef make():\n    return nn.Linear(3, 2)\n")
    torch.manual_seed(5)
    torch.save({"model": nn.Linear(3, 2).state_dict()}, path)
    torch.manual_seed(5)
    for options in (ModelOptions(checkpoint=path), ModelOptions(seed=5)):
        loaded = load_model(f"{file}:make", options)
        assert torch.equal(loaded.network.weight, torch.load(path)["model"]["weight"])
        assert loaded.record["library"] is None


class TestPretrained:
    """Weights that lie where the libraries look; what they say without a network."""

    def test_of_torchvision(self, tmp_path, monkeypatch):
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        weights = torchvision.models.SqueezeNet1_1_Weights.DEFAULT
        torch.manual_seed(5)
        trained = torchvision.models.squeezenet1_1()
        place = tmp_path / "checkpoints" / weights.url.rpartition("/")[2]
        place.parent.mkdir()
        torch.save(trained.state_dict(), place)
        for name in ("default", "IMAGENET1K_V1"):
            loaded = load_model("torchvision:squeezenet1_1", ModelOptions(weights=name))
            assert same(loaded.network, trained)
            assert (loaded.record["weights"], loaded.record["weights_from"]) == ("IMAGENET1K_V1", weights.url)
            assert loaded.wanted == Wanted((224, 224), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        with pytest.raises(ChoiceError, match="does not end in a linear layer"):
            load_model("torchvision:squeezenet1_1", ModelOptions(weights="default", num_classes=10))

    def test_a_new_head_of_torchvision(self, tmp_path, monkeypatch):
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        weights = torchvision.models.ShuffleNet_V2_X0_5_Weights.DEFAULT
        trained = torchvision.models.shufflenet_v2_x0_5()
        place = tmp_path / "checkpoints" / weights.url.rpartition("/")[2]
        place.parent.mkdir()
        torch.save(trained.state_dict(), place)
        options = ModelOptions(weights="default", num_classes=7, seed=2)
        first, again = (load_model("torchvision:shufflenet_v2_x0_5", options) for _ in range(2))
        assert first.network.fc.out_features == 7
        assert torch.equal(first.network.conv1[0].weight, trained.conv1[0].weight)
        assert first.record == again.record

    def test_of_a_folder_of_transformers(self, tmp_path):
        torch.manual_seed(5)
        trained = transformers.ViTForImageClassification(transformers.ViTConfig(**VIT, num_labels=4))
        trained.save_pretrained(tmp_path / "trained")
        (tmp_path / "trained" / "preprocessor_config.json").write_text(
            json.dumps({"image_processor_type": "ViTImageProcessor", "image_mean": [0.5] * 3, "image_std": [0.25] * 3})
        )
        for name, weights in ((tmp_path / "trained", "default"), ("vit", str(tmp_path / "trained"))):
            loaded = load_model(f"hf:{name}", ModelOptions(weights=weights))
            assert same(loaded.network, trained)
            assert loaded.wanted == Wanted((16, 16), (0.5,) * 3, (0.25,) * 3)
        with pytest.raises(ChoiceError, match="are of type vit, and the model is hf:deit"):
            load_model("hf:deit", ModelOptions(weights=str(tmp_path / "trained")))

    def test_without_a_network(self, tmp_path, monkeypatch):
        def fails(*_, **__):
            raise URLError("no network")

        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        monkeypatch.setattr(torch.hub, "download_url_to_file", fails)
        with pytest.raises(
            DataError, match=r"IMAGENET1K_V1 of torchvision:squeezenet1_1 cannot be had: .*no network"
        ) as e:
            load_model("torchvision:squeezenet1_1", ModelOptions(weights="default"))
        for said in ("https://download.pytorch.org/models/squeezenet1_1-", str(tmp_path), "`checkpoint`", "`weights`"):
            assert said in str(e.value)

    @pytest.mark.parametrize(
        ("name", "weights", "origin"),
        [
            ("timm:test_resnet", "default", "https://huggingface.co/timm/test_resnet.r160_in1k"),
            ("timm:test_resnet", "r160_in1k", "https://huggingface.co/timm/test_resnet.r160_in1k"),
            ("hf:vit", "nobody/nothing", "https://huggingface.co/nobody/nothing"),
            ("hf:nobody/nothing", "default", "https://huggingface.co/nobody/nothing"),
        ],
    )
    def test_without_a_hub(self, monkeypatch, name, weights, origin):
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(DataError, match=f"{name} cannot be had|test_resnet.r160_in1k cannot be had") as caught:
            load_model(name, ModelOptions(weights=weights))
        assert origin in str(caught.value)


WRONG = {
    ("timm:resnett18", None): "timm has no model 'resnett18'.*Did you mean 'resnet18'",
    ("timm:resnet18.a1_in2k", None): "Unknown weights of timm:resnet18 'a1_in2k'.*Did you mean 'a1_in1k'",
    ("timm:test_resnet", "r160"): "Unknown weights of timm:test_resnet 'r160': expected one of r160_in1k",
    ("timm:test_resnet.r160_in1k", "other"): "give one",
    ("torchvision:resnet8", None): "torchvision has no model 'resnet8'.*Did you mean 'resnet",
    ("torchvision:fasterrcnn_resnet50_fpn", None): "torchvision has no model",  # it classifies no images
    ("torchvision:resnet18", "IMAGENET1K_V3"): "Unknown weights of torchvision:resnet18.*IMAGENET1K_V1",
    ("hf:vti", None): "no image classifier of type 'vti'.*Did you mean 'vit'",
    ("hf:bert", None): "no image classifier of type 'bert'",
    ("hf:google/vit-base-patch16-224", None): "give `weights`, which downloads it",
    ("hf:vit", "default"): "has no weights of its own",
    ("tim:resnet18", None): "expects FILE.py:function, timm:NAME, .*Did you mean 'timm'",
    ("timm:", None): "expects FILE.py:function",
    ("resnet18", None): "expects FILE.py:function",
    ("none.py:make", None): "There is no file none.py",
    ("hf:none.json", None): "There is no file none.json",
}


@pytest.mark.parametrize(("name", "weights"), WRONG)
def test_names_that_are_wrong(name, weights):
    with pytest.raises(NtknasError, match=WRONG[name, weights]):
        load_model(name, ModelOptions(weights=weights))


def test_folders_and_configurations_that_are_wrong(tmp_path):
    with pytest.raises(DataError, match="has no config.json"):
        load_model(f"hf:{tmp_path}")
    path = tmp_path / "config.json"
    for text, message in (
        ("{", "is no configuration"),
        ('{"model_type": "nothing"}', "is no configuration"),
        ('{"model_type": "bert"}', "is of type bert, which classifies no images"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            load_model(f"hf:{path}")


def test_code_beside_a_configuration_is_not_run(tmp_path):
    path = vit_configuration(tmp_path)
    (tmp_path / "theirs.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    auto = {"AutoConfig": "theirs.Config", "AutoModelForImageClassification": "theirs.Model"}
    path.write_text(json.dumps({**VIT, "auto_map": auto}))
    load_model(f"hf:{tmp_path}")
    path.write_text(json.dumps({**VIT, "model_type": "theirs", "auto_map": auto}))
    with pytest.raises(DataError):
        load_model(f"hf:{tmp_path}")
    assert not (tmp_path / "ran").exists()


def test_options_that_do_not_go_together(tmp_path):
    with pytest.raises(ChoiceError, match="give one of them"):
        ModelOptions(weights="default", checkpoint=tmp_path / "best.pt")
    with pytest.raises(ChoiceError, match="`image_size` must be at least 1, got 0"):
        ModelOptions(image_size=0)
    (tmp_path / "mine.py").write_text("def make(): pass")
    for options in (ModelOptions(weights="default"), ModelOptions(num_classes=3)):
        with pytest.raises(DataError, match="is of models of a library"):
            check_reference(f"{tmp_path / 'mine.py'}:make", options)
    with pytest.raises(DataError, match=r"There is no file none\.pt: `checkpoint`"):
        check_reference("timm:resnet18", ModelOptions(checkpoint=tmp_path.relative_to(tmp_path) / "none.pt"))


def test_a_model_that_cannot_be_made_so():
    with pytest.raises(
        DataError, match=r"torchvision:vit_b_32 cannot be made: .*indivisible.*Choose another `image_size`"
    ):
        load_model("torchvision:vit_b_32", ModelOptions(image_size=33))


@pytest.mark.parametrize("text", ["timm:resnet18.a1_in1k", "hf:./folder", "a/b.py:make", "C:/models/mine.py:make"])
def test_references(text):
    reference = Reference.parse(text)
    assert reference.text == text
    assert (reference.place or reference.library) in text


class TestImages:
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    pixels = PixelRange(torch.zeros(3), torch.ones(3))

    def test_of_the_size_that_is_wanted(self):
        got, pixels = fitted(self.images, self.pixels, Wanted((20, 12)))
        resize = torchvision.transforms.v2.Resize((20, 12), antialias=True)
        assert torch.allclose(got, resize(self.images), atol=1e-6)
        assert pixels is self.pixels
        smaller, _ = fitted(self.images, None, Wanted((4, 4)))
        assert torch.allclose(smaller, torchvision.transforms.v2.Resize((4, 4), antialias=True)(self.images), atol=1e-6)

    def test_as_they_are(self):
        assert fitted(self.images, self.pixels, Wanted())[0] is self.images
        assert fitted(self.images, None, Wanted((8, 8), (0.5,) * 3, (0.2,) * 3))[0] is self.images

    def test_normalised_as_the_weights_want(self):
        black, white = torch.tensor([-1.0, -2.0, -0.5]), torch.tensor([1.0, 3.0, 2.5])
        probe = black.view(3, 1, 1) + self.images * (white - black).view(3, 1, 1)
        mean, deviation = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
        got, pixels = fitted(probe, PixelRange(black, white), Wanted(None, mean, deviation))
        expected = torchvision.transforms.v2.Normalize(mean, deviation)(self.images)
        assert torch.allclose(got, expected, atol=1e-5)
        assert torch.allclose(pixels.pixels(got), self.images, atol=1e-5)

import pickle
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch

from ntknas.core.errors import ChoiceError, DataError
from ntknas.data import Request, load_images, make_probe, source_names
from tests.data import official_images


def _cifar_folder(root, batches=("data_batch_1", "test_batch"), size=40, bytes_keys=False):
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in batches:
        content = {"data": rng.integers(0, 256, (size, 3072), dtype=np.uint8), "labels": [i % 10 for i in range(size)]}
        if bytes_keys:
            content = {key.encode(): value for key, value in content.items()}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    return folder


@pytest.mark.parametrize("source", ["digits", "noise"])
@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("draw", ["balanced", "random"])
@pytest.mark.parametrize("image_size", [16, 32])
def test_embedded_probes(source, size, draw, image_size):
    probe = make_probe(source, size, Request(image_size=image_size), draw)
    assert probe.images.shape == (size, 3, image_size, image_size)
    assert probe.images.dtype == torch.float32
    assert probe.labels.shape == (size,)
    if draw == "balanced":
        counts = probe.labels.bincount(minlength=10)
        assert counts.max() - counts.min() <= 1
        assert torch.equal(probe.labels, probe.labels.sort().values)


def test_a_probe_is_its_content():
    first, again = (make_probe("digits", 20, Request()) for _ in range(2))
    assert first.hash == again.hash
    assert torch.equal(first.images, again.images)
    assert make_probe("digits", 20, Request(seed=1)).hash != first.hash
    assert make_probe("digits", 20, Request(split="test")).hash != first.hash
    assert make_probe("digits", 20, Request(), "random").hash != first.hash


def test_training_and_test_digits_share_nothing():
    train, test = (load_images("digits", Request(split=split)) for split in ("train", "test"))
    assert (len(train), len(test)) == (1438, 359)


def test_digits_are_normalised():
    probe = make_probe("digits", 1000, Request(image_size=8))
    assert abs(float(probe.images.mean())) < 0.02
    assert float(probe.images.std()) == pytest.approx(1, abs=0.02)


def test_noise_with_many_classes():
    probe = make_probe("noise", 130, Request(num_classes=120))
    assert probe.labels.bincount(minlength=120).min() == 1


@pytest.mark.parametrize("bytes_keys", [False, True])
def test_an_incomplete_cifar_folder_is_read_and_said_so(tmp_path, bytes_keys):
    folder = _cifar_folder(tmp_path, bytes_keys=bytes_keys)
    probe = make_probe("cifar10", 20, Request(root=tmp_path))
    assert "40 of 50,000" in probe.note
    raw = pickle.loads((folder / "data_batch_1").read_bytes())
    data = raw[b"data" if bytes_keys else "data"]
    pixel = (data[:, 0] / 255 - 125.3 / 255) / (63.0 / 255)
    assert set(np.round(probe.images[:, 0, 0, 0].numpy(), 3)) <= set(np.round(pixel.astype(np.float32), 3))
    test = make_probe("cifar10", 20, Request(root=tmp_path, split="test"))
    assert test.hash != probe.hash


def test_the_real_cifar_images(test_data):
    probe = make_probe("cifar10", 64, Request(root=test_data))
    assert "4,000 of 50,000" in probe.note
    images = load_images("cifar10", Request(root=test_data))
    everything = images.take(np.arange(len(images)))
    assert everything.shape == (4000, 3, 32, 32)
    assert float(everything.mean().abs()) < 0.05
    assert float(everything.std()) == pytest.approx(1, abs=0.05)


def test_missing_images_say_what_is_expected_where(tmp_path):
    with pytest.raises(DataError, match=r"cifar-10-batches-py/data_batch_1.*`download`.*`probe` digits"):
        make_probe("cifar10", 8, Request(root=tmp_path))


def test_a_failed_download_says_so(tmp_path, monkeypatch):
    import torchvision.datasets.cifar as cifar

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(cifar, "download_and_extract_archive", offline)
    with pytest.raises(DataError, match="Cannot download CIFAR-10"):
        make_probe("cifar10", 8, Request(root=tmp_path, download=True))


def test_names_and_checksums_are_those_that_torchvision_has():
    from torchvision import datasets

    from ntknas.data.sources import cifar10, cifar100

    for own, official in ((cifar10.CIFAR10, datasets.CIFAR10), (cifar100.CIFAR100, datasets.CIFAR100)):
        published = {name: (md5, "train") for name, md5 in official.train_list}
        published |= {name: (md5, "test") for name, md5 in official.test_list}
        published[official.meta["filename"]] = (official.meta["md5"], "")
        assert own.folder == official.base_folder
        assert own.checksums == published


BAD_LABELS = [
    pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": labels}, protocol=2)
    for labels in ([1.7, 2], [-5, 1], [500, 1], [[1], [2]], ["a", "b"], [None, 1], [1])
]


@pytest.mark.parametrize(
    "content", [b"", b"junk", pickle.dumps([1, 2]), pickle.dumps({"data": 3, "labels": [1]}), *BAD_LABELS]
)
def test_a_damaged_batch(tmp_path, content):
    folder = _cifar_folder(tmp_path)
    (folder / "data_batch_1").write_bytes(content)
    with pytest.raises(DataError, match="data_batch_1"):
        make_probe("cifar10", 8, Request(root=tmp_path))


def test_a_complete_folder_goes_through_torchvision(tmp_path, monkeypatch):
    import hashlib

    from torchvision.datasets import CIFAR10

    from ntknas.data.sources import cifar10

    folder = _cifar_folder(tmp_path, batches=["data_batch_1", "data_batch_2", "test_batch"])
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": [str(n) for n in range(10)]}, protocol=2))

    def listed(*names):
        return [[name, hashlib.md5((folder / name).read_bytes()).hexdigest()] for name in names]

    monkeypatch.setattr(CIFAR10, "train_list", listed("data_batch_1", "data_batch_2"))
    monkeypatch.setattr(CIFAR10, "test_list", listed("test_batch"))
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": listed("batches.meta")[0][1]})
    splits = {"data_batch_1": "train", "data_batch_2": "train", "test_batch": "test"}
    checksums = {name: (listed(name)[0][1], split) for name, split in splits.items()}
    with patch.dict(cifar10.CIFAR10.checksums, checksums, clear=True):  # which keeps their order, too
        probe = make_probe("cifar10", 80, Request(root=tmp_path), "random")
    assert probe.note == ""
    raw = [pickle.loads((folder / name).read_bytes())["data"] for name in ("data_batch_1", "data_batch_2")]
    expected = np.sort(np.concatenate(raw)[:, 0] / 255)
    got = np.sort(probe.images[:, 0, 0, 0].numpy() * (63.0 / 255) + 125.3 / 255)
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "size", "draw", "error", "message"),
    [
        ("digit", 8, "balanced", ChoiceError, "Did you mean 'digits'"),
        ("digits", 8, "last", ChoiceError, "Unknown draw"),
        ("digits", 0, "balanced", DataError, "at least one image"),
        ("digits", 5000, "balanced", DataError, "needs 500 of class"),
        ("digits", 5000, "random", DataError, "digits has 1438"),
    ],
)
def test_probes_that_cannot_be(source, size, draw, error, message):
    with pytest.raises(error, match=message):
        make_probe(source, size, Request(), draw)


@pytest.mark.parametrize("name", source_names())
def test_every_source_is_a_module_that_loads(name, tmp_path):
    official_images.cifar10(tmp_path)
    official_images.cifar100(tmp_path)
    official_images.imagenet16(tmp_path)
    official_images.mnist(tmp_path)
    assert len(load_images(name, Request(root=tmp_path))) > 0


@pytest.mark.parametrize("source", ["digits", "noise"])
@pytest.mark.parametrize("draw", ["random", "balanced", "first"])
def test_a_held_out_probe_may_be_of_other_training_images(source, draw):
    request = Request(image_size=6)
    probe = make_probe(source, 120, request, draw, "crop-flip")
    plain = make_probe(source, 120, request, draw)
    held_out = probe.with_held_out(request, "train").held_out
    assert (held_out.split, held_out.augmentation, len(held_out)) == ("train", "none", 120)
    assert not {image.numpy().tobytes() for image in plain.images} & {x.numpy().tobytes() for x in held_out.images}
    assert held_out.hash == probe.with_held_out(request, "train").held_out.hash
    assert held_out.hash != probe.with_held_out(request).held_out.hash
    if source == "digits":  # the images are those at their places
        everything = load_images(source, request)
        assert torch.equal(everything.take(held_out.places), held_out.images)
        assert not np.intersect1d(held_out.places, plain.places).size


def test_held_out_probes_that_cannot_be():
    request = Request(image_size=6)
    with pytest.raises(ChoiceError, match="`fresh_probes` may draw the images"):
        make_probe("digits", 10, request, fresh=True).with_held_out(request, "train")
    with pytest.raises(DataError, match="choose a smaller probe"):
        make_probe("digits", 1000, request, "random").with_held_out(request, "train")
    of_test = make_probe("digits", 10, replace(request, split="test"))
    with pytest.raises(ChoiceError, match="of the test split"):
        of_test.with_held_out(request)
    assert of_test.with_held_out(request, "train").held_out.split == "train"

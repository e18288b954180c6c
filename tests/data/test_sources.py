"""The image sets in their official formats; normalisation and augmentation against torchvision."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from torchvision import transforms

from ntknas.core.errors import ChoiceError, DataError
from ntknas.data import Request, load_images, make_probe, source_names
from ntknas.data.augmentation import augment
from ntknas.data.datasets import DATASETS
from ntknas.data.files import OfficialFile, state
from ntknas.data.pixels import NORMALISATIONS, constants
from ntknas.data.sources import fetch, official_files
from tests.data import official_images


def _raw(folder, name):
    return pickle.loads((folder / name).read_bytes())


@pytest.mark.parametrize("scheme", list(NORMALISATIONS))
@pytest.mark.parametrize("source", ["cifar10", "cifar100", "ImageNet16-120"])
def test_normalisation_is_torchvisions(tmp_path, scheme, source):
    """The images are what ToTensor and Normalize make of the stored pixels."""
    make, name = {
        "cifar10": (official_images.cifar10, "test_batch"),
        "cifar100": (official_images.cifar100, "test"),
        "ImageNet16-120": (official_images.imagenet16, "val_data"),
    }[source]
    folder = make(tmp_path)
    images = load_images(source, Request(root=tmp_path, split="test", pixels=scheme))
    side = 16 if source == "ImageNet16-120" else 32
    first = _raw(folder, name)["data"][0].reshape(3, side, side).transpose(1, 2, 0)
    published = transforms.Compose([transforms.ToTensor(), transforms.Normalize(*constants(scheme, source))])
    torch.testing.assert_close(images.take(np.array([0]))[0], published(first))
    black = published(np.zeros((side, side, 3), np.uint8))[:, 0, 0]
    torch.testing.assert_close(images.black, black)


def test_published_constants():
    mean, deviation = constants("nas-bench-201", "cifar10")
    assert [round(255 * value, 1) for value in (*mean, *deviation)] == [125.3, 123.0, 113.9, 63.0, 62.1, 66.7]
    mean, deviation = constants("nas-bench-201", "cifar100")
    assert [round(255 * value, 1) for value in (*mean, *deviation)] == [129.3, 124.1, 112.4, 68.2, 65.4, 70.4]
    assert constants("zero-cost-nas", "cifar100") == ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
    with pytest.raises(ChoiceError, match="zero-cost-nas has no normalisation for mnist"):
        constants("zero-cost-nas", "mnist")
    with pytest.raises(ChoiceError, match="Unknown normalisation of pixels"):
        constants("imagenet", "cifar10")


def test_cifar100_has_its_fine_labels(tmp_path):
    folder = official_images.cifar100(tmp_path)
    images = load_images("cifar100", Request(root=tmp_path))
    assert images.num_classes == 100
    assert images.labels.tolist() == _raw(folder, "train")["fine_labels"]
    assert "120 of 50,000" in images.note
    with pytest.raises(DataError, match="is not a CIFAR-100 batch: expected .* 'fine_labels' from 0 to 99"):
        (folder / "train").write_bytes(pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [1]}))
        load_images("cifar100", Request(root=tmp_path))


def test_imagenet16_keeps_the_first_120_classes(tmp_path):
    folder = official_images.imagenet16(tmp_path)
    images = load_images("ImageNet16-120", Request(root=tmp_path, split="test"))
    raw = _raw(folder, "val_data")
    kept = [place for place, label in enumerate(raw["labels"]) if label <= 120]
    assert 0 < len(kept) < len(raw["labels"])
    assert images.labels.tolist() == [raw["labels"][place] - 1 for place in kept]
    assert max(images.labels) <= 119
    assert min(raw["labels"]) == 1
    train = load_images("ImageNet16-120", Request(root=tmp_path))
    assert len(train) == 10 * len(kept)
    assert "not the official files" in train.note
    assert "train_data_batch_10" in train.note


def test_a_missing_batch_of_imagenet16_is_named(tmp_path):
    folder = official_images.imagenet16(tmp_path)
    (folder / "train_data_batch_7").unlink()
    with pytest.raises(DataError, match=r"is missing: expected the official file .*train_data_batch_7.*`probe` digits"):
        load_images("ImageNet16-120", Request(root=tmp_path))
    assert len(load_images("ImageNet16-120", Request(root=tmp_path, split="test"))) > 0


def test_official_imagenet16_files_bring_no_note(tmp_path, monkeypatch):
    from ntknas.data.sources import imagenet16

    folder = official_images.imagenet16(tmp_path)
    sums = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in imagenet16._MD5}
    monkeypatch.setattr(imagenet16, "_MD5", sums)
    assert load_images("ImageNet16-120", Request(root=tmp_path)).note == ""


@pytest.mark.parametrize("labels", [[0, 1], [1001, 1], ["1", 2], [1]])
def test_a_damaged_batch_of_imagenet16(tmp_path, labels):
    folder = official_images.imagenet16(tmp_path)
    (folder / "val_data").write_bytes(pickle.dumps({"data": np.zeros((2, 768), np.uint8), "labels": labels}, 2))
    with pytest.raises(DataError, match=r"val_data is not a ImageNet16 batch"):
        load_images("ImageNet16-120", Request(root=tmp_path, split="test"))


def test_mnist(tmp_path):
    official_images.mnist(tmp_path)
    images = load_images("mnist", Request(root=tmp_path, image_size=28))
    assert (len(images), images.num_classes) == (30, 10)
    assert "30 of 60,000" in images.note
    taken = images.take(np.arange(3))
    assert taken.shape == (3, 3, 28, 28)
    from torchvision.datasets import MNIST

    official = MNIST(str(tmp_path), train=True)
    published = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    torch.testing.assert_close(taken[2, :1], published(official[2][0]))
    assert make_probe("mnist", 10, Request(root=tmp_path, image_size=32)).images.shape == (10, 3, 32, 32)


def test_missing_and_damaged_mnist(tmp_path):
    with pytest.raises(DataError, match=r"expected the official file .*train-images-idx3-ubyte.*data fetch mnist"):
        load_images("mnist", Request(root=tmp_path))
    folder = official_images.mnist(tmp_path)
    images = folder / "train-images-idx3-ubyte"
    whole = images.read_bytes()
    for content in (whole[:-10], b"", b"\x00\x00\x09\x03" + whole[4:], b"junk" * 10):
        images.write_bytes(content)
        with pytest.raises(DataError, match="MNIST"):
            load_images("mnist", Request(root=tmp_path))
    (folder / "train-labels-idx1-ubyte").write_bytes((folder / "t10k-labels-idx1-ubyte").read_bytes())
    images.write_bytes(whole)
    with pytest.raises(DataError, match="got 15 labels and"):
        load_images("mnist", Request(root=tmp_path))


def test_augmentation_is_a_flip_and_a_crop_of_the_padded_image():
    images = torch.randn(40, 3, 16, 16)
    black = torch.tensor([-1.0, -2.0, -3.0])
    got = augment(images, black, seed=3)
    assert got.shape == images.shape
    for image, result in zip(images, got, strict=True):
        assert any(torch.allclose(result, crop, atol=1e-6) for crop in _all_crops(image, black, 2))
    assert not torch.equal(got, images)
    torch.testing.assert_close(got, augment(images, black, seed=3))
    assert not torch.equal(got, augment(images, black, seed=4))


def _all_crops(image, black, padding):
    side = image.shape[-1]
    for flipped in (image, image.flip(-1)):
        padded = black.view(3, 1, 1).expand(3, side + 2 * padding, side + 2 * padding).clone()
        padded[:, padding : padding + side, padding : padding + side] = flipped
        for row in range(2 * padding + 1):
            for column in range(2 * padding + 1):
                yield padded[:, row : row + side, column : column + side]


def test_an_augmented_probe_is_another_one(tmp_path):
    official_images.cifar10(tmp_path)
    request = Request(root=tmp_path)
    plain, augmented = (make_probe("cifar10", 10, request, augmentation=name) for name in ("none", "crop-flip"))
    assert plain.hash != augmented.hash
    assert torch.equal(plain.labels, augmented.labels)
    assert augmented.describe()["augmentation"] == "crop-flip"
    with pytest.raises(ChoiceError, match="Unknown augmentation 'cutout'"):
        make_probe("cifar10", 10, request, augmentation="cutout")


def test_the_real_images_are_normalised_by_their_constants(test_data):
    for scheme in NORMALISATIONS:
        images = load_images("cifar10", Request(root=test_data, pixels=scheme)).take(np.arange(1000))
        assert float(images.mean().abs()) < 0.1
        assert 0.8 < float(images.std()) < 1.4


def test_every_data_set_has_images():
    assert {dataset.images for dataset in DATASETS.values()} <= set(source_names())
    assert [file.path for file in official_files("cifar100")][:2] == ["cifar-100-python/train", "cifar-100-python/test"]
    assert len(official_files("ImageNet16-120")) == 11
    assert official_files("digits") == []


def test_the_state_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    digest = hashlib.md5(b"content").hexdigest()
    files = [OfficialFile("a", digest), OfficialFile("a", "0" * 32), OfficialFile("a", ""), OfficialFile("b", digest)]
    assert [state(tmp_path, file) for file in files] == ["official", "changed", "present", "missing"]


def test_what_cannot_be_fetched(tmp_path, monkeypatch):
    import torchvision.datasets.mnist as mnist

    def offline(*_, **__):
        raise OSError("no network")

    with pytest.raises(ChoiceError, match="digits is embedded"):
        fetch("digits", tmp_path)
    with pytest.raises(DataError, match="cannot be fetched by this tool. Get ImageNet16"):
        fetch("ImageNet16-120", tmp_path)
    monkeypatch.setattr(mnist, "download_and_extract_archive", offline)
    with pytest.raises(DataError, match="Cannot download MNIST"):
        fetch("mnist", tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "MNIST").mkdir()
    (tmp_path / "MNIST" / "mine").write_text("")
    with pytest.raises(DataError, match="Cannot download MNIST"):
        fetch("mnist", tmp_path)
    assert [path.name for path in (tmp_path / "MNIST").iterdir()] == ["mine"]
    with pytest.raises(ChoiceError, match="Unknown image source"):
        fetch("svhn", tmp_path)


def test_only_the_raw_files_of_mnist_are_read(tmp_path):
    """torchvision's class would take what lies in MNIST/processed instead."""
    official_images.mnist(tmp_path)
    before = make_probe("mnist", 10, Request(root=tmp_path)).hash
    processed = tmp_path / "MNIST" / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(30, 28, 28, dtype=torch.uint8), torch.arange(30) % 10), processed / name)
    assert make_probe("mnist", 10, Request(root=tmp_path)).hash == before

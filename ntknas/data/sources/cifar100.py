"""CIFAR-100 from its official folder."""

from ntknas.data.cifar import CIFAR

CIFAR100 = CIFAR(
    "cifar100",
    "CIFAR-100",
    100,
    "fine_labels",
    "cifar-100-python.tar.gz",
    "cifar-100-python",
    {
        "train": ("16019d7e3df5f24257cddd939b257f8d", "train"),
        "test": ("f0ef6b0ae62326f3e7ffdfab6717acfc", "test"),
        "meta": ("7973b15100ade9c7d40fb424638fde48", ""),
    },
)

SOURCE = CIFAR100.source

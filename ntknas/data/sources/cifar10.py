"""CIFAR-10 from its official folder."""

from ntknas.data.cifar import CIFAR

CIFAR10 = CIFAR(
    "cifar10",
    "CIFAR-10",
    10,
    "labels",
    "cifar-10-python.tar.gz",
    "cifar-10-batches-py",
    {
        "data_batch_1": ("c99cafc152244af753f735de768cd75f", "train"),
        "data_batch_2": ("d4bba439e000b95fd0a9bffe97cbabec", "train"),
        "data_batch_3": ("54ebc095f3ab1f0389bbae665268c751", "train"),
        "data_batch_4": ("634d18415352ddfa80567beed471001a", "train"),
        "data_batch_5": ("482c414d41f54cd18b22e5b47cb7c3cb", "train"),
        "test_batch": ("40351d587109b95175f43aff81a1287e", "test"),
        "batches.meta": ("5ff9c542aee3614f3951f8cda6e48888", ""),
    },
)

SOURCE = CIFAR10.source

"""A third party's space with a supernet: two positions of three choices, as small as can be."""

import torch
from torch import nn

CHOICES = (("none", "small", "wide"), ("small", "wide", "skip"))
KERNELS = {"small": 1, "wide": 3}


class Position(nn.Module):
    def __init__(self, names, channels):
        super().__init__()
        self.convs = nn.ModuleDict(
            {n: nn.Conv2d(channels, channels, KERNELS[n], padding="same") for n in names if n in KERNELS}
        )
        self.norm, self.names = nn.BatchNorm2d(channels), names

    def forward(self, x):
        terms = [self.convs[n](x) if n in KERNELS else x * (n == "skip") for n in self.names]
        return torch.relu(self.norm(sum(terms)))


class Network(nn.Module):
    def __init__(self, kept, channels, classes):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3)
        self.positions = nn.Sequential(*(Position(names, channels) for names in kept))
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        return self.classifier(self.positions(self.stem(x)).mean((2, 3)))


def started(network, seed, factor):
    """The network with weights that its parameters' names and the seed alone decide."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            generator = torch.Generator().manual_seed(sum(map(ord, name)) * 1000 + seed % 1000)
            parameter.copy_(factor * torch.randn(parameter.shape, generator=generator))
    return network


class ToySpace:
    name, choices = "toy", CHOICES

    def positions(self, cell):
        return divmod(int(cell), 3)

    def at_positions(self, numbers):
        return 3 * numbers[0] + numbers[1]

    def __getitem__(self, index):
        return "+".join(names[number] for names, number in zip(CHOICES, divmod(index, 3), strict=True))

    def supernet(self, kept, *, num_classes, seed, channels, init, **_):
        return started(Network(kept, channels, num_classes), seed, 1.0 if init == "default" else 0.5)

    def super_cell(self, kept, *, channels, seed, init):
        cell = nn.Sequential(*(Position(names, channels) for names in kept), nn.ReLU())
        return started(cell, seed, 1.0 if init == "default" else 0.5)

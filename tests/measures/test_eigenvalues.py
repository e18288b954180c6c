"""Families of measures: the eigenvalues of a kernel one by one."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from ntknas.core.errors import ChoiceError
from ntknas.core.score import Status
from ntknas.kernels import empirical_ntk
from ntknas.measures import all_measures, expand, find_measure, get_measure, measure, register
from ntknas.scoring import Recipe


@pytest.fixture(scope="module")
def kernel():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 3))
    return empirical_ntk(model, torch.randn(6, 3, 2, 2))


def test_the_members_are_the_spectrum_of_another_library_in_float32(kernel):
    values = [measure(name, kernel).value for name in expand(["spectrum:6"])]
    expected = scipy.linalg.eigh(kernel.matrix.numpy(), eigvals_only=True)[::-1]
    assert np.allclose(values, expected, rtol=1e-6, atol=1e-6 * expected[0])
    assert all(value == float(np.float32(value)) for value in values)


def test_first_and_last_are_those_that_have_names_of_their_own(kernel):
    assert measure("eigenvalue_1", kernel).value == float(np.float32(measure("lambda_max", kernel).value))
    assert measure("eigenvalue_6", kernel).value == float(np.float32(measure("lambda_min", kernel).value))


def test_a_kernel_of_fewer_rows_has_no_such_eigenvalue(kernel):
    score = measure("eigenvalue_7", kernel)
    assert (score.value, score.status, score.reason) == (None, Status.UNDEFINED, "the kernel has 6 eigenvalues")


def test_a_family_stands_beside_other_measures():
    assert expand(["trace", "spectrum:2", "eigenvalue_2"]) == ("trace", "eigenvalue_1", "eigenvalue_2")
    assert Recipe(measures=expand(["spectrum:3"])).groups()[0].measures == (
        "eigenvalue_1",
        "eigenvalue_2",
        "eigenvalue_3",
    )


def test_members_are_in_no_group_and_no_list():
    assert not [name for name in (*all_measures(), *expand(["all"])) if name.startswith("eigenvalue")]


@pytest.mark.parametrize("name", ["eigenvalue_0", "eigenvalue_01", "eigenvalue_4097", "eigenvalue_", "eigenvalue_x"])
def test_what_is_no_number_names_no_member(name):
    assert find_measure(name) is None
    with pytest.raises(ChoiceError, match="eigenvalue_1"):
        get_measure(name)


@pytest.mark.parametrize("name", ["spectrum", "spectrum:", "spectrum:0", "spectrum:x", "spectrum:5000", "spectrum:²"])
def test_an_impossible_number_of_members_is_refused(name):
    with pytest.raises(ChoiceError, match="spectrum takes how many from 1 to 4096"):
        expand([name])


def test_no_other_measure_may_have_a_members_name():
    with pytest.raises(ValueError, match="exists already"):
        register("eigenvalue_3", formula="x", better="higher", source="none", needs=())(lambda kernel: 0.0)


@pytest.mark.parametrize("names", ["trace", ("trace",)])
def test_one_name_may_stand_alone(names):
    assert expand(names) == Recipe(measures=names).measures == ("trace",)

"""Every measure against an independent computation in numpy, scipy or scikit-learn."""

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

import ntknas.measures
from ntknas import measure
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.core.kernel import Kernel
from ntknas.core.score import NoValueError, Score, Status
from ntknas.measures import Need, all_measures, expand, get_measure, registry


def make_kernel(matrix, labels=None, output="sum", precision="float64", normalisation="none", symmetric=True):
    matrix = torch.as_tensor(np.asarray(matrix, dtype=float))
    norms = matrix.diagonal() if matrix.shape[0] == matrix.shape[1] else torch.ones(matrix.shape[0])
    return Kernel(
        matrix=matrix,
        choices=Choices(output=output, precision=precision, normalisation=normalisation),
        labels=None if labels is None else torch.as_tensor(labels),
        samples=len(matrix),
        outputs=3,
        symmetric=symmetric,
        strategy="row-loop",
        left_norms=norms,
        right_norms=norms,
    )


def random_kernel(seed, n=9, output="sum"):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, 25)) + rng.standard_normal(25)
    return make_kernel(rows @ rows.T, np.arange(n) % 3, output)


def _cosine(matrix):
    scale = np.sqrt(np.diag(matrix))
    return matrix / np.outer(scale, scale)


def _eig(kernel):
    eigenvalues = np.linalg.svd(_cosine(kernel.matrix.numpy()), compute_uv=False)
    return -np.sum(np.log(eigenvalues + 1) + 1 / (eigenvalues + 1))


def _lga(kernel):
    labels = kernel.labels.numpy()
    same = np.array([[1.0 if a == b else -1.0 for a in labels] for b in labels])
    return stats.pearsonr(kernel.matrix.numpy().ravel(), same.ravel()).statistic


def _alignment_numerator(kernel):
    labels = kernel.labels.numpy()
    same = np.equal.outer(labels, labels) * 2.0 - 1.0
    return np.cov(kernel.matrix.numpy().ravel(), same.ravel(), bias=True)[0, 1] * kernel.size**2


def _cka(kernel):
    n = kernel.size
    h = np.eye(n) - np.ones((n, n)) / n
    one_hot = np.eye(3)[kernel.labels.numpy()]  # ±1 and one-hot label kernels are one after centring, but for scale
    a, b = h @ kernel.matrix.numpy() @ h, h @ one_hot @ one_hot.T @ h
    return np.trace(a @ b) / np.sqrt(np.trace(a @ a) * np.trace(b @ b))


def _class_lambda_min(kernel):
    k, y = kernel.matrix.numpy(), kernel.labels.numpy()
    return sum(np.linalg.svd(k[np.ix_(y == c, y == c)], compute_uv=False)[-1] for c in set(y.tolist()))


def _shares(kernel):
    eigenvalues = np.linalg.svd(kernel.matrix.numpy(), compute_uv=False)
    return eigenvalues / eigenvalues.sum()


REFERENCES = {
    "trace": lambda k: sum(k.matrix[i, i].item() for i in range(k.size)),
    "mean": lambda k: k.matrix.numpy().sum() / k.size**2,
    "fro": lambda k: math.sqrt((k.matrix.numpy() ** 2).sum()),
    "lambda_max": lambda k: np.linalg.svd(k.matrix.numpy(), compute_uv=False)[0],
    "lambda_min": lambda k: np.linalg.svd(k.matrix.numpy(), compute_uv=False)[-1],
    "cond": lambda k: np.linalg.cond(k.matrix.numpy()),
    "neg_cond": lambda k: -np.linalg.cond(k.matrix.numpy()),
    "logdet": lambda k: np.linalg.slogdet(k.matrix.numpy())[1],
    "eig": _eig,
    "effective_rank": lambda k: math.exp(stats.entropy(_shares(k))),
    "lga": _lga,
    "cka": _cka,
    "alignment_numerator": _alignment_numerator,
    "class_lambda_min": _class_lambda_min,
}


def test_there_is_a_reference_for_every_measure():
    assert set(REFERENCES) == set(expand(["kernel"]))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", list(REFERENCES))
def test_a_measure_equals_its_reference(name, seed):
    kernel = random_kernel(seed, output="label")
    assert measure(name, kernel).value == pytest.approx(REFERENCES[name](kernel), rel=1e-8)


@pytest.mark.parametrize("name", list(REFERENCES))
def test_a_measure_says_what_it_is(name):
    chosen = get_measure(name)
    assert chosen.formula
    assert chosen.source
    assert chosen.needs
    assert chosen.compute.__doc__
    assert ("Higher" if chosen.higher_is_better else "Lower") in chosen.compute.__doc__


def test_directions_of_the_definitions():
    assert [name for name, chosen in all_measures().items() if not chosen.higher_is_better] == [
        "cond",
        "krr_mse",
        "train_loss",
        "hnas_cond",
        "label_energy",
        "layers_agreement",
        "inputs_agreement",
        "teg_cond",
        "teg_mse",
    ]


RANK_ONE = np.outer([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize(
    ("name", "matrix", "status"),
    [
        ("cond", RANK_ONE, Status.SINGULAR),
        ("neg_cond", RANK_ONE, Status.SINGULAR),
        ("logdet", RANK_ONE, Status.SINGULAR),
        ("cond", np.zeros((4, 4)), Status.SINGULAR),
        ("eig", np.zeros((4, 4)), Status.UNDEFINED),
        ("effective_rank", np.zeros((4, 4)), Status.UNDEFINED),
        ("lga", np.ones((4, 4)), Status.UNDEFINED),
        ("lga", np.full((4, 4), 0.1), Status.UNDEFINED),
        ("cka", np.full((4, 4), 0.1), Status.UNDEFINED),
        ("trace", np.full((4, 4), np.nan), Status.NON_FINITE),
        ("cond", np.full((4, 4), np.inf), Status.NON_FINITE),
    ],
)
def test_a_value_that_is_missing_has_a_status_and_a_reason(name, matrix, status):
    score = measure(name, make_kernel(matrix, [0, 0, 1, 1]))
    assert score.value is None
    assert score.status is status
    assert score.reason


@pytest.mark.parametrize(("name", "value"), [("trace", 30.0), ("lambda_max", 30.0), ("effective_rank", 1.0)])
def test_a_singular_kernel_still_has_what_does_not_divide_by_zero(name, value):
    assert measure(name, make_kernel(RANK_ONE)).value == pytest.approx(value)


def test_constant_labels_and_small_classes_are_undefined():
    matrix = random_kernel(0, 4).matrix
    for name in ("lga", "cka"):
        assert measure(name, make_kernel(matrix, [1, 1, 1, 1])).status is Status.UNDEFINED
    assert measure("class_lambda_min", make_kernel(matrix, [0, 0, 0, 1], "label")).status is Status.UNDEFINED


def test_singularity_depends_on_the_precision_of_the_rows():
    matrix = np.diag([1.0, 1e-11, 1.0, 1.0])
    assert measure("cond", make_kernel(matrix)).value == pytest.approx(1e11)
    assert measure("cond", make_kernel(matrix, precision="float32")).status is Status.SINGULAR
    assert measure("cond", make_kernel(np.diag([1.0, 1e-9, 1.0, 1.0]), precision="float32")).value == pytest.approx(1e9)


def test_kernels_of_another_kind_are_refused():
    cross = make_kernel(np.ones((2, 3)), symmetric=False)
    with pytest.raises(KernelError, match="one batch with itself"):
        measure("trace", cross)
    with pytest.raises(KernelError, match="needs labels"):
        measure("lga", make_kernel(np.eye(3)))
    with pytest.raises(KernelError, match="'label'.*got a kernel with output 'sum'"):
        measure("class_lambda_min", random_kernel(0))
    with pytest.raises(KernelError, match="'sum' or 'traced' or 'label'"):
        measure("lga", random_kernel(0, output="full"))
    with pytest.raises(ChoiceError, match="Unknown measure 'condition'.*"):
        measure("condition", random_kernel(0))


@pytest.mark.parametrize("name", ["lga", "cka", "alignment_numerator", "class_lambda_min"])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.0, float("nan"), 1.0, 1.0], "whole numbers, got torch.float"),
        ([0.5, 0.5, 1.0, 1.0], "whole numbers, got torch.float"),
        ([0, 1, 0], "one for each of 4 samples, got shape"),
        ([[0], [1], [0], [1]], "one for each of 4 samples, got shape"),
    ],
)
def test_labels_that_are_no_classes_are_refused(name, labels, message):
    with pytest.raises(KernelError, match=f"{name}.*{message}"):
        measure(name, make_kernel(random_kernel(0, 4).matrix, labels, "label"))


def test_labels_that_are_no_tensor_are_refused():
    kernel = replace(random_kernel(0, 3, "label"), labels=[0, 1, 2])
    with pytest.raises(KernelError, match="as a torch tensor, got list"):
        measure("lga", kernel)


def test_eig_of_a_normalised_kernel_takes_it_as_it_is():
    kernel = random_kernel(0)
    normal = make_kernel(_cosine(kernel.matrix.numpy()), normalisation="cosine")
    assert measure("eig", normal).value == pytest.approx(measure("eig", kernel).value)
    broken = make_kernel(np.full((3, 3), np.nan), normalisation="corrcoef")
    assert measure("eig", broken).status is Status.UNDEFINED


def test_a_score_has_a_value_exactly_if_it_is_ok():
    with pytest.raises(ValueError, match="exactly if"):
        Score("cond", 1e5, Status.SINGULAR)
    with pytest.raises(ValueError, match="exactly if"):
        Score("cond", None)


def test_the_order_is_that_of_the_definitions_whatever_was_imported_first():
    code = "import ntknas.measures.alignment; from ntknas.measures import all_measures; print(*all_measures())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[: len(REFERENCES)] == list(REFERENCES)


MODULE = """
from ntknas.measures.definition import Need
from ntknas.measures.registry import register

@register("range", formula="max K - min K", better="lower", source="this test", needs=(Need.KERNEL,))
def spread(kernel):
    return float(kernel.matrix.max() - kernel.matrix.min())
"""


@pytest.fixture
def new_file(tmp_path, monkeypatch):
    """A file more in the folder of the measures."""
    caches = registry._own_modules, registry._load_own, registry.left_out
    (tmp_path / "zz_range.py").write_text(MODULE)
    monkeypatch.setattr(ntknas.measures, "__path__", [*ntknas.measures.__path__, str(tmp_path)])
    monkeypatch.setattr(registry, "_MEASURES", dict(all_measures()))
    for cache in caches:
        cache.cache_clear()
    yield
    sys.modules.pop("ntknas.measures.zz_range", None)
    for cache in caches:
        cache.cache_clear()


@pytest.mark.usefixtures("new_file")
def test_a_measure_is_added_by_its_file_alone():
    assert list(all_measures())[-1] == "range"
    assert "range" in expand(["kernel"])
    assert measure("range", make_kernel([[2.0, 0.5], [0.5, 1.0]])).value == 1.5


@pytest.fixture
def own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_MEASURES", dict(all_measures()))


@pytest.mark.usefixtures("own_registry")
def test_a_new_measure_is_one_function():
    @registry.register("spread", formula="λ_1 − λ_n", better="lower", source="this test", needs=(Need.KERNEL,))
    def spread(kernel):
        if kernel.size < 2:
            raise NoValueError(Status.UNDEFINED, "one eigenvalue")
        return float(kernel.spectrum[0] - kernel.spectrum[-1])

    assert measure("spread", make_kernel(np.diag([3.0, 1.0]))).value == 2.0
    assert measure("spread", make_kernel([[3.0]])).status is Status.UNDEFINED
    with pytest.raises(ValueError, match="exists already"):
        registry.register("spread", formula="", better="lower", source="", needs=())(spread)
    with pytest.raises(ValueError, match="'higher' or 'lower'"):
        registry.register("other", formula="", better="up", source="", needs=())

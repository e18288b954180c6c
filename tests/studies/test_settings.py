"""What stands for studies in ledgers and on disk: version 0.1.0's, so that runs that were interrupted go on."""

import csv
from pathlib import Path

import pytest

from ntknas.cli.study import command, made_study
from ntknas.core.digest import json_digest
from ntknas.studies import get_study, study_names, study_questions
from ntknas.studies.families import FAMILIES, accepted_names, resolve
from ntknas.studies.ledger import digest
from ntknas.studies.limits import LIMITS
from ntknas.studies.options import Numbers, StudyOptions
from ntknas.studies.page import usual_stem
from ntknas.studies.parametrised import NETWORKS

with (Path(__file__).parent / "recorded.csv").open(encoding="utf-8") as file:
    RECORDED = list(csv.DictReader(file))
"""What is typed, the digest of the settings, that of the units, and the name of the page, computed by version 0.1.0."""


def typed(line):
    """The study that a line asks for, and its options."""
    options = dict(command.make_context("study", line.split()).params)
    return made_study(options.pop("name"), options), options


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["typed"])
def test_studies_of_version_0_1_0_are_known_again(recorded):
    study, options = typed(recorded["typed"])
    assert digest(study) == recorded["settings"]
    assert json_digest(study.units()) == recorded["units"]
    assert usual_stem(study, quick=options["quick"]) == recorded["stem"]


@pytest.mark.parametrize("line", ["lazy --quick", "constancy --quick", "regression --quick --data boston"])
def test_a_familys_own_name_is_the_same_study(line):
    study, _ = typed(line)
    family = study.networks.subject.family if line.startswith("constancy") else study.subject.family
    again, _ = typed(f"{line} --family {family}")
    assert digest(again) == digest(study)


def test_every_name_means_one_network():
    assert set(NETWORKS) | set(LIMITS) == set(FAMILIES)
    assert len({family.text for family in FAMILIES.values()}) == len(FAMILIES)
    for name in study_names():
        families = get_study(name).FAMILIES
        recorded = [FAMILIES[family].recorded for family in families if family in FAMILIES]
        assert len(recorded) == len(set(recorded))
        assert {resolve(family, families) for family in families} == set(families)
    assert {"mlp", "all", *FAMILIES} <= set(accepted_names())


def test_every_number_is_an_option_or_follows_from_one():
    assert set(Numbers.__annotations__) - set(StudyOptions.__dataclass_fields__) == {"test"}


@pytest.mark.parametrize("name", study_names())
def test_a_study_says_what_it_is(name):
    study = get_study(name)
    assert study.name == name
    assert study.title
    assert study.claim
    assert study.formula
    assert study.of().units()


def test_help_says_what_each_study_asks():
    questions = study_questions()
    assert list(questions) == study_names()
    assert all(question.endswith("?") and question[0].islower() for question in questions.values())
    text = " ".join(command.get_help(command.make_context("study", ["lazy"])).split())
    assert all(f"{name} {question}" in text for name, question in questions.items())

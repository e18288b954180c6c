"""Messages of the library name parameters; the command prints its options for them."""

import click
import pytest

from ntknas.cli.wording import in_options
from ntknas.core.errors import NtknasError
from tests.cli.typed import commands, ntknas

COMMAND = click.Command(
    "show",
    params=[
        click.Option(["--image-data"]),
        click.Option(["--setting", "settings"], multiple=True),
        click.Option(["-n", "--number"]),
        click.Argument(["store"]),
    ],
)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Name `image_data`, not `folder`.", "Name --image-data, not folder."),
        ("`setting` and `settings`: `number`", "--setting and --setting: --number"),
        ("Choose another `store`.", "Choose another STORE."),
        ("A file `a b` and one `", "A file `a b` and one `"),
    ],
)
def test_parameters_become_options_and_arguments_and_other_words_stay(text, printed):
    assert in_options(text, COMMAND) == printed


def test_every_option_of_every_command_is_found_by_its_flag():
    for name, command in commands():
        for option in (option for option in command.params if isinstance(option, click.Option)):
            flag = max(option.opts, key=len)
            assert in_options(f"`{flag[2:].replace('-', '_')}`", command) == flag, name


def test_an_error_and_a_remark_of_the_library_are_in_the_options_of_the_running_command(capsys, monkeypatch):
    from ntknas.cli.output import note
    from ntknas.data import sources

    def refuse(*_):
        note("The `image_data` is empty.")
        raise NtknasError("Name another `image_data`, or a `probe`.")

    monkeypatch.setattr(sources, "fetch", refuse)
    code, _, err = ntknas(capsys, "data", "fetch", "mnist")
    assert code == 1
    assert err == "The --image-data is empty.\nError: Name another --image-data, or a probe.\n"

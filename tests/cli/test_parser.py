"""Flags: one for each option, and one-line answers to wrong ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gossamer.cli import main
from gossamer.cli.config import from_mapping, is_list, option_kind, options
from gossamer.cli.model_list import MODELS
from gossamer.cli.parser import build_parser
from gossamer.data.registry import DATASETS
from gossamer.errors import InvalidValueError


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


@pytest.mark.parametrize("name", options())
def test_every_option_has_a_flag_of_its_type(name: str) -> None:
    kind = option_kind(name)
    value = {bool: [], int: ["3"], float: ["0.25"], str: ["text"]}[kind]
    args = build_parser().parse_args(["train", _flag(name), *value])
    expected = {bool: True, int: 3, float: 0.25, str: "text"}[kind]
    assert getattr(args, name) == ([expected] if is_list(name) else expected)
    others = set(options()) - {name}
    assert not others & set(vars(args)), "flags that were not given must not look given"


def test_switches_can_be_turned_off() -> None:
    args = build_parser().parse_args(["train", "--no-self-loops", "--no-residual"])
    assert args.self_loops is False and args.residual is False


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], r"The following arguments are required: COMMAND\. See 'gossamer --help'"),
        (["fly"], "invalid choice: 'fly'"),
        (["train", "--hidden", "many"], "--hidden: invalid int value: 'many'"),
        (["train", "--lr", "fast"], "--lr: invalid float value: 'fast'"),
        (["train", "--speed", "9"], "Unrecognized arguments: --speed 9. See 'gossamer train -"),
        (["train", "--hid", "9"], "Unrecognized arguments: --hid 9"),
        (["train", "--config"], "--config: expected one argument. See 'gossamer train --help'"),
        (["predict"], "required: CHECKPOINT. See 'gossamer predict --help'"),
        (["predict", "x", "--device", "tpu"], "--device: invalid choice: 'tpu'"),
    ],
)
def test_wrong_flags_raise_one_sentence(argv: list[str], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        build_parser().parse_args(argv)


def test_wrong_flags_end_with_code_2_and_one_line(fails: Callable[..., str]) -> None:
    assert fails("train", "--lr", "x") == (
        "gossamer train: error: Argument --lr: invalid float value: 'x'. "
        "See 'gossamer train --help'."
    )
    assert fails("datasets", "extra").startswith("gossamer datasets: error: Argument ACTION: inv")
    assert fails("datasets", "show", "x", "y").startswith("gossamer datasets show: error: Unrec")
    assert fails("fly").startswith("gossamer: error: ")


def test_train_help_tells_every_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    recipes = [
        from_mapping({"dataset": dataset, "model": model}).as_dict()
        for dataset in DATASETS
        for model in MODELS
    ]
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for name, option in options().items():
        shown = text.partition(option.metadata["help"])[2]
        if name not in ("dataset", "model") and len({values[name] for values in recipes}) > 1:
            assert shown.startswith(" (default: the recipe's)"), name
        elif option.default == ():
            continue
        elif option.default is not None and name != "quiet":
            default = option.default[0] if is_list(name) else option.default
            assert shown.startswith(f" (default: {default})"), name
        else:
            assert name in ("quiet", "graphs") or "(default: " in option.metadata["help"], name


@pytest.mark.parametrize("argv", [["--help"], ["train", "--help"], ["predict", "--help"]])
def test_help_exits_with_0(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: gossamer")
    if argv[0] == "train":
        assert all(_flag(name) in out for name in options())

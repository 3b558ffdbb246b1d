"""Settings: defaults, files, the command line's precedence, and errors that name the key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gossamer.cli.config import (
    from_mapping,
    option_kind,
    options,
    read_config_file,
    resolve,
)
from gossamer.cli.model_list import MODELS
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError, UnknownKeyError


def _write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_command_line_wins_over_the_file_and_the_file_over_the_recipe(tmp_path: Path) -> None:
    path = _write(tmp_path, "run.yaml", "dataset: cora\nmodel: gat\nhidden: 5\nlr: 1e-3\n")
    config = resolve({"hidden": 7}, path)
    assert (config.dataset, config.model) == ("cora", "gat")
    assert config.hidden == 7
    assert config.lr == 0.001
    assert config.heads == 8 and config.attn_dropout == 0.6


@pytest.mark.parametrize("name", ["run.json", "run.yaml", "RUN.YML"])
def test_a_written_configuration_reads_back_unchanged(tmp_path: Path, name: str) -> None:
    config = resolve({"dataset": "citeseer", "model": "gin", "residual": True, "threads": 3})
    path = _write(tmp_path, name, json.dumps(config.as_dict()))
    assert resolve({}, path) == config


def test_an_empty_yaml_file_changes_nothing(tmp_path: Path) -> None:
    assert resolve({}, _write(tmp_path, "run.yaml", "# nothing\n")) == resolve({})


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-3", 1e-3), ("5E-4", 5e-4), ("1.5e+2", 150.0), ("0.25", 0.25), ("2", 2.0)],
)
def test_yaml_numbers_in_any_notation(tmp_path: Path, text: str, number: float) -> None:
    lr = resolve({}, _write(tmp_path, "run.yaml", f"lr: {text}\n")).lr
    assert type(lr) is float and lr == number


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("hidden", "64", "'hidden' must be an integer, got '64'"),
        ("hidden", 64.0, "'hidden' must be an integer, got 64.0"),
        ("layers", True, "'layers' must be an integer, got True"),
        ("lr", "fast", "'lr' must be a number, got 'fast'"),
        ("lr", None, "'lr' must be a number, got None"),
        ("lr", False, "'lr' must be a number, got False"),
        ("residual", 1, "'residual' must be true or false, got 1"),
        ("dataset", 3, "'dataset' must be text, got 3"),
        ("model", ["gcn"], "'model' must be text, got ['gcn']"),
    ],
)
def test_a_wrong_type_names_the_key(key: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidTypeError, match=re.escape(message)):
        from_mapping({key: value})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("hidden", 0, "'hidden' must be between 1 and 65536, got 0"),
        ("dropout", 1, "'dropout' must be between 0 and 0.999, got 1"),
        ("dropout", -0.1, "'dropout' must be between 0 and 0.999, got -0.1"),
        ("lr", float("nan"), "'lr' must be between 1e-12 and 1000, got nan"),
        ("lr", float("inf"), "'lr' must be between 1e-12 and 1000, got inf"),
        ("seed", -1, "'seed' must be between 0 and 4294967295, got -1"),
        ("seeds", 0, "'seeds' must be between 1 and 10000, got 0"),
        ("model", "mlp", "'model' must be one of gcn, sage, gat, gatv2, gin, pna, appnp"),
        ("norm", "spectral", "'norm' must be one of none, layer, batch, got 'spectral'"),
        ("dataset", "", "'dataset' must not be empty"),
    ],
)
def test_a_value_out_of_range_names_the_key(key: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        from_mapping({key: value})


def test_an_unknown_key_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UnknownKeyError, match=r"key 'hiden'. Did you mean 'hidden'\?"):
        from_mapping({"hiden": 64})
    with pytest.raises(UnknownKeyError, match=r"key 'zzz'. Known keys: dataset, model"):
        from_mapping({"zzz": 64})
    with pytest.raises(UnknownKeyError, match="key '7'"):
        from_mapping({7: 64})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("run.toml", "a = 1", r"'.*run\.toml' must end in \.json, \.yaml or \.yml"),
        ("run.json", "{'a': 1}", "is not valid JSON: Expecting property name"),
        ("run.json", "[" * 100_000, "is not valid JSON: "),
        ("run.json", "[1, 2]", "must hold 'key: value' pairs, got list"),
        ("run.yaml", "a: [1, 2", "is not valid YAML: while parsing a flow sequence"),
        ("run.yaml", "!!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("run.json", '{"lr": 1, "lr": 2}', r"not valid JSON: the key 'lr' is given 2 times"),
        ("run.yaml", "lr: 1\nseed: 1\nlr: 2", r"not valid YAML: the key 'lr' is given 2 times"),
        ("run.yaml", "just words", "must hold 'key: value' pairs, got str"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        read_config_file(_write(tmp_path, name, text))


@pytest.mark.parametrize("name", ["run.yaml", None])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "gcn", "heads": 4}, "'heads' is 4, but model 'gcn' has no attention heads"),
        ({"model": "gin", "out_heads": 2}, "'out_heads' is 2, but model 'gin' has no attention"),
        ({"attn_dropout": 0.5}, "'attn_dropout' is 0.5, but model 'gcn' has no attention"),
        (
            {"model": "gat", "residual": True, "out_heads": 2},
            "residual stack's last layer has no attention heads. Omit it, or switch residual",
        ),
    ],
)
def test_what_the_model_does_not_heed(
    tmp_path: Path, settings: dict[str, Any], message: str, name: str | None
) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        if name:
            resolve({}, _write(tmp_path, name, json.dumps(settings)))
        else:
            resolve(settings)


def test_heads_that_do_no_harm() -> None:
    assert resolve({"model": "gcn", "heads": 1}).heads == 1
    assert resolve({"model": "gat", "residual": True, "heads": 4}).heads == 4
    # A checkpoint that was trained with one is as good as any.
    assert from_mapping({"model": "gcn", "heads": 4}).heads == 4


def test_a_missing_or_binary_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"Cannot read configuration file '.*x\.yaml': No such"):
        read_config_file(str(tmp_path / "x.yaml"))
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match=r"'.*b\.yaml' is not UTF-8 text"):
        read_config_file(str(tmp_path / "b.yaml"))


def test_defaults_are_legal_and_documented() -> None:
    for name, option in options().items():
        assert option.metadata["help"], name
        assert option_kind(name) in (bool, int, float, str), name
    for model in MODELS:
        for dataset in ("digits", "cora", "minesweeper", "gin-mutag", "aifb"):
            assert resolve({"dataset": dataset, "model": model}).model == model


def test_lists_of_values() -> None:
    config = from_mapping({"fanout": [5, 3], "edges": ["rel=a/b.csv"], "target": ["x", "y"]})
    assert (config.fanout, config.edges, config.target) == ((5, 3), ("rel=a/b.csv",), ("x", "y"))
    assert config.dataset == "b"
    assert from_mapping(json.loads(json.dumps(config.as_dict()))) == config
    with pytest.raises(InvalidTypeError, match="'fanout' must be a list, got 5"):
        from_mapping({"fanout": 5})
    with pytest.raises(InvalidTypeError, match="'edges' must be text, got 5"):
        from_mapping({"edges": ["a", 5]})
    with pytest.raises(InvalidValueError, match="'fanout' must be between -1 and 1000000, got -2"):
        from_mapping({"fanout": [-2]})
    with pytest.raises(InvalidValueError, match="--fanout is at least 1, or -1"):
        from_mapping({"fanout": [0]}).fanouts()


def test_settings_of_tables_need_tables() -> None:
    with pytest.raises(InvalidValueError, match="'target' is x, but your own tables need --edges"):
        resolve({"target": ["x"]})
    with pytest.raises(InvalidValueError, match="'raw_dir' is here, but it is for datas"):
        resolve({"edges": ["x.csv"], "raw_dir": "here"})


LINKS = {"task": "links"}
TABLES = {"edges": ["x.csv"], "task": "links"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"fanout": [5]},
            "'fanout' is 5, but without minibatches every step takes the",
        ),
        ({"fanout": [10]}, "Omit it, or add --minibatch."),  # also if it is the default
        ({"batch_size": 9}, "'batch_size' is 9, but without minibatches"),
        ({"workers": 2}, "'workers' is 2, but without minibatches"),
        ({**LINKS, "minibatch": True}, "'minibatch' is true, but links are not trained on"),
        ({**LINKS, "fanout": [4]}, "'fanout' is 4, but links are not trained on sampled"),
        ({**LINKS, "batch_size": 9}, "'batch_size' is 9, but links are trained all at once"),
        ({"dataset": "ml-100k", "workers": 1}, "'workers' is 1, but links are not trained on"),
        ({"dataset": "gin-mutag", "minibatch": True}, "'minibatch' is true, but whole graphs are"),
        ({"dataset": "gin-mutag", "fanout": [4]}, "'fanout' is 4, but whole graphs are not"),
        ({"model": "pna", "norm": "batch"}, "'norm' is batch, but model 'pna' has no choice of"),
        ({"model": "gcnii", "residual": True}, "'residual' is true, but model 'gcnii' has no res"),
        ({"model": "appnp", "layers": 3}, "'layers' is 3, but model 'appnp' has two layers"),
        ({**LINKS, "model": "lightgcn", "dropout": 0.5}, "'dropout' is 0.5, but model 'lightgcn'"),
        ({"model": "rgcn", "self_loops": True}, "'self_loops' is true, but model 'rgcn' adds none"),
        (
            {"reverse": False},
            "'reverse' is false, but your own tables need --edges. Omit it, or give",
        ),
        ({**TABLES, "target": ["x"]}, "'target' is x, but --task links predicts links. Omit it; -"),
        ({**TABLES, "split": "x"}, "'split' is x, but --task links holds out random links"),
        ({**TABLES, "graphs": "g.csv"}, "'graphs' is g.csv, but --task links predicts links of"),
    ],
)
def test_a_setting_without_effect_is_an_error(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        resolve(settings)


def test_settings_with_an_effect(tmp_path: Path) -> None:
    for settings in (
        {"minibatch": True, "fanout": [5], "batch_size": 9, "workers": 2},
        {"dataset": "gin-mutag", "batch_size": 9},
        {"edges": ["x.csv"], "graphs": "g.csv", "nodes": ["n.csv"], "target": ["x"]},
        {"model": "appnp", "layers": 3, "minibatch": True},
        {"workers": 0, "minibatch": False, "residual": False, "model": "pna"},
    ):
        assert resolve(settings)
    # A file that a run wrote has all settings. Those of a recipe may be ones without effect.
    for settings in ({}, LINKS, {"dataset": "minesweeper", "model": "appnp"}, {"model": "rgcn"}):
        config = resolve(settings)
        path = _write(tmp_path, "run.json", json.dumps(config.as_dict()))
        assert resolve({}, path) == config
        with pytest.raises(InvalidValueError, match="'workers' is 3, but "):
            resolve({"workers": 3}, path)

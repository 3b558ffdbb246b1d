"""The command line, with one flag per field of `TrainConfig` and one-line errors."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from gossamer.cli.config import is_list, option_kind, options
from gossamer.cli.kge.options import SETTINGS, add_options
from gossamer.cli.recipes import varied
from gossamer.errors import InvalidValueError

__all__ = ["UsageError", "build_parser"]

_CHECKPOINT_HELP = "checkpoint.safetensors, the folder of a run, or of several (the latest)"


class UsageError(InvalidValueError):
    """Wrong arguments of the command `prog`."""

    prog = "gossamer"


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises Gossamer's errors: one line, without the usage text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **kwargs})

    def error(self, message: str) -> NoReturn:
        message = message[:1].upper() + message[1:].rstrip(".")
        error = UsageError(f"{message}. See '{self.prog} --help'.")
        error.prog = self.prog
        raise error


class _CommandParser(_Parser):
    """The parser of one command, which reports unknown flags itself."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


class _Version(argparse.Action):
    """The action of ``--version``, which reads the version on demand."""

    def __call__(self, parser: argparse.ArgumentParser, *args: Any) -> NoReturn:
        from gossamer import __version__

        print(f"gossamer {__version__}")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands; each command stores its function in ``args.run``."""
    parser = _Parser(
        prog="gossamer",
        description="Graph neural networks: train on a dataset, predict, inspect the installation.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_CommandParser
    )
    _add_train(commands)
    _add_predict(commands)
    _add_kge(commands)
    _add_inspect(commands)
    _add_runs(commands)
    _add_datasets(commands)
    _add_preprocess(commands)
    models = commands.add_parser(
        "models",
        help="list the models and the tasks that they fit",
        description="List the models and the tasks that they fit.",
    )
    models.set_defaults(run=_run_models)
    info = commands.add_parser(
        "info",
        help="print versions, CPU features and kernels in use",
        description="Print versions, CPU features and kernels in use.",
    )
    info.set_defaults(run=_run_info)
    return parser


def _add_datasets(commands: Any) -> None:
    datasets = commands.add_parser(
        "datasets",
        help="list the datasets, or show a summary of one",
        description="List the datasets with their tasks, sizes and licenses; or show a summary of "
        "one: degrees, classes, homophily and features.",
    )
    datasets.set_defaults(run=_run_datasets, name=None, raw_dir=None)
    actions = datasets.add_subparsers(dest="action", metavar="ACTION", parser_class=_CommandParser)
    show = actions.add_parser("show", help="show a summary of a dataset")
    show.add_argument("name", metavar="NAME", help="one of those that `gossamer datasets` lists")
    show.add_argument("--raw-dir", help="folder with the files of the dataset")
    show.add_argument("--page", metavar="FILE", help="also write the summary to this HTML file")


def _add_preprocess(commands: Any) -> None:
    preprocess = commands.add_parser(
        "preprocess",
        help="build the graph of a dataset that is larger than memory from its edge lists",
        description="Build the graph that gossamer.graphbolt.OnDiskDataset opens from edge lists "
        "in CSV,\nParquet or .npy files, in bounded memory. An interrupted run is resumed.\n"
        "FOLDER holds metadata.yaml; a minimal one is\n\n"
        "  graph:\n"
        "    nodes: [{num: 1000}]\n"
        "    edges: [{format: csv, path: edges.csv}]\n\n"
        "CSV files have two columns and no header, .npy files the shape (2, E); of Parquet files,\n"
        "the first two columns are read.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    preprocess.add_argument("folder", metavar="FOLDER", help="the folder with metadata.yaml")
    for flag, text in (
        ("--edge-ids", "store the position of each edge in its list, which edge features need"),
        ("--wide-ids", "store ids as int64 even if int32 suffices"),
        ("--force", "rebuild existing files"),
        ("--check", "compare all files with their checksums, without building"),
        ("--quiet", "print nothing but errors"),
    ):
        preprocess.add_argument(flag, action="store_true", help=text)
    preprocess.set_defaults(run=_run_preprocess)


def _add_train(commands: Any) -> None:
    train = commands.add_parser(
        "train",
        help="train a model on a dataset or your own tables, write checkpoint and report",
        description="Train a graph neural network on nodes, links or whole graphs, of a dataset or "
        "of your own tables. Settings that are not given have the defaults of a recipe for the "
        "dataset and the model; the command line overrides --config.",
        argument_default=argparse.SUPPRESS,
    )
    train.add_argument(
        "--config", default=None, metavar="FILE", help="YAML or JSON file with the keys below"
    )
    train.add_argument(
        "--resume", default=None, metavar="DIR", help="resume the interrupted run in this folder"
    )
    for name in options():
        _add_option(train, name)
    train.set_defaults(run=_run_train)


_METAVARS = {"raw_dir": "DIR", "out": "DIR", "edges": "FILE", "nodes": "FILE", "graphs": "FILE"}


def _add_option(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the flag of one field; it is in the namespace only if given."""
    option = options()[name]
    flag = f"--{name.replace('_', '-')}"
    kind, help = option_kind(name), option.metadata["help"] + _default_note(name)
    if kind is bool:
        action: Any = "store_true" if name == "quiet" else argparse.BooleanOptionalAction
        parser.add_argument(flag, action=action, default=argparse.SUPPRESS, help=help)
        return
    choices = option.metadata["choices"]
    fallback = {int: "N", float: "X", str: _METAVARS.get(name, "NAME")}[kind]
    metavar = "{" + ",".join(choices) + "}" if choices else fallback
    more = {"nargs": "+"} if is_list(name) else {}
    parser.add_argument(
        flag, type=kind, default=argparse.SUPPRESS, metavar=metavar, help=help, **more
    )


def _default_note(name: str) -> str:
    """Return the default of an option for its help text; empty if the default is None."""
    default = options()[name].default
    if default is None or default == () or name == "quiet":
        return ""
    if is_list(name):
        default = " ".join(map(str, default))
    return " (default: the recipe's)" if name in varied() else f" (default: {default})"


def _add_predict(commands: Any) -> None:
    predict = commands.add_parser(
        "predict",
        help="write a checkpoint's predictions as CSV or Parquet",
        description="Write a row for each node, link or graph: id, label, prediction, and "
        "probabilities. --edges and --nodes give new data.",
    )
    predict.add_argument("checkpoint", metavar="CHECKPOINT", help=_CHECKPOINT_HELP)
    predict.add_argument("--dataset", metavar="NAME", help="default: the one it was trained on")
    predict.add_argument("--raw-dir", metavar="DIR", help="folder with the dataset's files")
    for name in ("edges", "nodes"):
        predict.add_argument(
            f"--{name}", nargs="+", metavar="FILE", default=(), help=f"new tables of {name}"
        )
    predict.add_argument("--graphs", metavar="FILE", help="new table of graphs")
    predict.add_argument(
        "--out",
        metavar="FILE",
        help="FILE.csv or FILE.parquet (default: predictions.csv beside the checkpoint)",
    )
    predict.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to compute (default: auto)",
    )
    predict.add_argument("--quiet", action="store_true", help="print nothing but errors")
    predict.set_defaults(run=_run_predict)


def _add_kge(commands: Any) -> None:
    kge = commands.add_parser(
        "kge",
        help="embeddings of knowledge graphs",
        description="Train vectors of the entities and relations of a knowledge graph.",
    )
    actions = kge.add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=_CommandParser
    )
    train = actions.add_parser(
        "train",
        help="train vectors, and rank the test facts",
        description="Train vectors of entities and relations with self-adversarial negatives (Sun "
        "et al., ICLR 2019) and rank the test facts among all entities. Random entities that "
        "complete a fact are not among its negatives; a fact counts less the more facts share its "
        "relation and one of its ends, as in the authors' implementation. The folder holds "
        "train.txt, valid.txt and test.txt: three names a line, relation in the middle or first, "
        "separated by tabs, with or without entities.dict and relations.dict; or OpenKE's "
        "entity2id.txt, relation2id.txt and facts by number.",
        argument_default=argparse.SUPPRESS,
    )
    add_options(train)
    train.set_defaults(run=_run_kge_train)


def _run_kge_train(args: argparse.Namespace) -> int:
    from gossamer.cli.kge.run import train

    known = ("data", "resume", "model", "out", "quiet", *SETTINGS)
    return train({name: getattr(args, name) for name in known if hasattr(args, name)})


_OWN = (
    "task", "edges", "nodes", "graphs", "target", "ignore", "split", "node_id", "source",
    "destination", "reverse",
)  # fmt: skip


def _add_inspect(commands: Any) -> None:
    inspect = commands.add_parser(
        "inspect",
        help="show the content of your own tables, and how `gossamer train` reads them",
        description="Read your own tables as `gossamer train` does, and print nodes and edges by "
        "type, the use of each column, the target, the split and degrees.",
        argument_default=argparse.SUPPRESS,
    )
    for name in _OWN:
        _add_option(inspect, name)
    inspect.set_defaults(run=_run_inspect)


def _add_runs(commands: Any) -> None:
    runs = commands.add_parser(
        "runs",
        help="list and compare runs",
        description="List the runs below some folders with their scores; with --page, write a page "
        "with the curves of all of them.",
    )
    runs.add_argument(
        "folders", nargs="*", default=["runs"], metavar="DIR", help="folders (default: runs)"
    )
    runs.add_argument("--page", metavar="FILE", help="write a page, FILE.html")
    runs.set_defaults(run=_run_runs)


def _run_train(args: argparse.Namespace) -> int:
    from gossamer.cli.config import resolve
    from gossamer.cli.resume import interrupted_config
    from gossamer.cli.run import train

    given = {name: getattr(args, name) for name in options() if hasattr(args, name)}
    if args.resume is not None:
        return train(interrupted_config(args.resume, given, args.config), args.resume)
    return train(resolve(given, args.config))


def _run_predict(args: argparse.Namespace) -> int:
    from gossamer.cli.predict import predict

    data = {name: getattr(args, name) for name in ("dataset", "raw_dir", "graphs")}
    data |= {name: tuple(getattr(args, name)) for name in ("edges", "nodes")}
    return predict(args.checkpoint, args.out, args.device, args.quiet, **data)


def _run_inspect(args: argparse.Namespace) -> int:
    from gossamer.cli.config import resolve
    from gossamer.cli.inspect import print_tables

    print_tables(resolve({name: getattr(args, name) for name in _OWN if hasattr(args, name)}))
    return 0


def _run_runs(args: argparse.Namespace) -> int:
    from gossamer.cli.runs import print_runs

    print_runs(args.folders, args.page)
    return 0


def _run_models(args: argparse.Namespace) -> int:
    from gossamer.cli.model_list import print_models

    print_models()
    return 0


def _run_datasets(args: argparse.Namespace) -> int:
    from gossamer.cli.datasets import print_dataset, print_datasets

    if args.name is None:
        print_datasets()
    else:
        print_dataset(args.name, args.raw_dir, args.page)
    return 0


def _run_preprocess(args: argparse.Namespace) -> int:
    from gossamer.cli.preprocess import preprocess

    flags = ("edge_ids", "wide_ids", "force", "check", "quiet")
    if args.check:
        for name in ("edge_ids", "wide_ids", "force"):
            if getattr(args, name):
                raise InvalidValueError(
                    f"--check builds nothing, so --{name.replace('_', '-')} has no effect. Omit "
                    "one of them."
                )
    return preprocess(args.folder, **{name: getattr(args, name) for name in flags})


def _run_info(args: argparse.Namespace) -> int:
    from gossamer.cli.info import print_info

    print_info()
    return 0

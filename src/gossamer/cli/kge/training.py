"""Training of embeddings, in steps whose random numbers depend only on seed and step number."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gossamer._optional import optional_import
from gossamer.cli.checkpoint import read_safetensors
from gossamer.cli.files import write_atomic
from gossamer.cli.kge.known import Known
from gossamer.cli.kge.model import Embeddings, self_adversarial_loss
from gossamer.errors import FileError, InvalidValueError
from gossamer.optim import SparseAdam

__all__ = ["RECORDED", "Training"]

#: Steps from one recorded loss, the mean of these steps, to the next; states are saved there too.
RECORDED = 100


class Training:
    """Embeddings, their optimizers and the number of steps done.

    The random numbers of a step depend only on the seed and the step number, so a resumed training
    gives the same result as an uninterrupted one.
    """

    def __init__(self, settings: dict[str, Any], facts: np.ndarray, sizes: tuple[int, int]) -> None:
        self.settings, self.facts = settings, torch.from_numpy(facts)
        self._known = Known(facts, sizes[1])
        counts = (self._known.counts(facts, missing) for missing in ("tail", "head"))
        # As in the authors' implementation, facts with a frequent end have a lower weight.
        self._weight = (sum(counts) + 6).rsqrt()
        torch.manual_seed(settings["seed"])
        self.model = Embeddings(settings["model"], *sizes, settings["size"], settings["margin"])
        self.sparse = SparseAdam([self.model.entities], settings["lr"])
        self.dense = torch.optim.Adam(self.model.decoder.parameters(), settings["lr"])
        self.step, self.losses = 0, []
        self._generator = torch.Generator()
        self._epoch, self._order = -1, torch.empty(0)

    def run_step(self) -> float:
        """Update the vectors once; return the loss.

        Raises
        ------
        InvalidValueError
            If the loss is no longer finite.
        """
        settings = self.settings
        chosen, negatives = self._draw()
        facts = self.facts[chosen]
        missing = ("tail", "head")[self.step % 2]
        positive, negative, rows = self.model.scores(facts, negatives, missing)
        loss = self_adversarial_loss(
            positive,
            negative,
            settings["margin"],
            settings["temperature"],
            self._known.complete(facts.numpy(), negatives.numpy(), missing),
            self._weight[chosen],
        )
        total = loss
        if settings["penalty"]:
            relation = next(self.model.decoder.parameters())[facts[:, 1]]
            cubes = rows.abs().pow(3).sum() / len(rows) + relation.abs().pow(3).sum() / len(facts)
            total = loss + settings["penalty"] * cubes
        for optimizer in (self.sparse, self.dense):
            optimizer.param_groups[0]["lr"] = settings["lr"] * (1 - self.step / settings["steps"])
            optimizer.zero_grad()
        total.backward()
        self.sparse.step()
        self.dense.step()
        self.step += 1
        value = loss.item()
        if not math.isfinite(value):
            raise InvalidValueError(
                f"Training diverged in step {self.step}: the loss is no longer finite. Lower the "
                f"learning rate (--lr, now {settings['lr']:g})."
            )
        return value

    def _draw(self) -> tuple[Tensor, Tensor]:
        """Draw the indices of the facts and the random entities of the next step."""
        batch, count = self.settings["batch"], len(self.facts)
        epoch, place = divmod(self.step, math.ceil(count / batch))
        if epoch != self._epoch:
            self._seed(2 * epoch)
            self._epoch = epoch
            self._order = torch.randperm(count, generator=self._generator)
        self._seed(2 * self.step + 1)
        entities = self.model.entities.num_embeddings
        negatives = torch.randint(
            entities, (self.settings["negatives"],), generator=self._generator
        )
        return self._order[place * batch : (place + 1) * batch], negatives

    def _seed(self, number: int) -> None:
        self._generator.manual_seed(self.settings["seed"] << 32 | number)

    def save(self, path: Path) -> None:
        """Write the state for resuming, atomically."""
        safetensors = optional_import("safetensors.torch", "gossamer kge train", "train")
        moments = self.sparse.state_dict()["state"]["entities"]
        state = {**self.model.state(), **{f"sparse.{i}": x for i, x in enumerate(moments)}}
        for name, value in self.dense.state_dict()["state"].get(0, {}).items():
            state[f"dense.{name}"] = value
        metadata = {"step": str(self.step), "losses": json.dumps(self.losses)}
        write_atomic(path, safetensors.save(state, metadata))

    def load(self, path: Path) -> None:
        """Restore a state written by `save`.

        Raises
        ------
        FileError
            If the file is missing, damaged, or belongs to other settings.
        """
        try:
            state, metadata = read_safetensors(path)
            self.step, self.losses = int(metadata["step"]), json.loads(metadata["losses"])
            self.model.load(state)
            saved = self.sparse.state_dict()
            saved["state"] = {"entities": [state[f"sparse.{i}"] for i in range(3)]}
            self.sparse.load_state_dict(saved)
            saved = self.dense.state_dict()
            saved["state"] = {
                0: {n.removeprefix("dense."): x for n, x in state.items() if n.startswith("dense.")}
            }
            self.dense.load_state_dict(saved)
        except (FileError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise FileError(f"{path} is missing or damaged ({error}). Train again.") from None

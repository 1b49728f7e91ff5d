"""The second stage of a training: data, functions and scalings that all seeds share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastsf.datasets.reference_energies import References
from fastsf.descriptors.acsf import ACSF
from fastsf.descriptors.pcsf import PCSF
from fastsf.potentials.scaling import Scaling
from fastsf.symmetry.definition import ATOM_CENTERED, PAIR_CENTERED
from fastsf.threads import most_threads
from fastsf.training.config.config import Config
from fastsf.training.objective.balance import starting_sigma
from fastsf.training.objective.measures import Sigma
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.objective import Objective
from fastsf.training.objective.pcsf_parts import PCSFInputs, estimated_pcsf_bytes
from fastsf.training.objective.samples import Samples, estimated_acsf_bytes
from fastsf.training.optimizers.registry import OPTIMIZERS
from fastsf.training.preparation.dataset import PARTS, Dataset
from fastsf.training.preparation.models import find_known_references, model_maker


@dataclass(frozen=True, eq=False)
class PreparedData:
    """Data, functions and scalings that all seeds of a run share.

    Parameters
    ----------
    config : Config
    dataset : Dataset
    descriptor : ACSF
        Atom-centred functions, none if there are only pair-centred ones.
    scalings : dict of str to Scaling
    pcsf : PCSFInputs or None
    sigma : Sigma
        Sigmas of the first epoch.
    model : callable
        Function that makes the model to start from with a seed.
    """

    config: Config
    dataset: Dataset
    descriptor: ACSF
    scalings: dict[str, Scaling]
    pcsf: PCSFInputs | None
    sigma: Sigma
    model: Callable[[int], TrainableModel]

    @classmethod
    def of(cls, config: Config, dataset: Dataset) -> PreparedData:
        """Prepare everything except the samples, which take long.

        Parameters
        ----------
        config : Config
        dataset : Dataset

        Raises
        ------
        InputError
            If functions do not suit the structures.
        """
        train = dataset.part("train")
        make = model_maker(config, train)
        model = make(config.run.seed)
        model.potential()  # raises the errors of unsuitable functions now
        known = starting_sigma(train)
        chosen = {name: getattr(config.loss, name) for name in ("energy", "forces", "stress")}
        sigma = Sigma(**{name: getattr(known, name) if v == "auto" else v for name, v in chosen.items()})
        return cls(config, dataset, model.descriptor, dict(model.scalings), model.pcsf, sigma, make)

    @property
    def references(self) -> References | None:
        """Reference energies with their origins, None if a folder of n2p2 defines them."""
        if self.config.folder is not None:
            return None
        cutoff = max(each.cutoff for each in self.descriptors)
        return find_known_references(self.config, self.dataset.part("train"), cutoff)

    @property
    def descriptors(self) -> list[ACSF | PCSF]:
        """Descriptors with functions."""
        atoms: list[ACSF | PCSF] = [self.descriptor] if self.descriptor.n_features else []
        return atoms if self.pcsf is None else [*atoms, self.pcsf.descriptor]

    def estimated_bytes(self) -> int:
        """Return an upper bound of the memory of the samples, bytes."""
        itemsize = np.dtype(self.config.run.precision).itemsize
        structures = [s for name in PARTS[:2] for s in self.dataset.part(name).structures]
        total = estimated_acsf_bytes(self.descriptor, structures, itemsize)
        if self.pcsf is not None:
            total += estimated_pcsf_bytes(self.pcsf.descriptor, structures, itemsize)
        return total

    def matrix_bytes(self, model: TrainableModel) -> int:
        """Return an upper bound of the memory for matrices of the optimiser, bytes."""
        sizes = [network.parameters.size for network in model.networks]
        threads = self.config.run.threads or most_threads()
        return OPTIMIZERS[self.config.optimizer].matrix_bytes(sizes, self.config.settings, threads)

    def samples(self, name: str, memory: float, on_progress: Callable[[int], object] = lambda n: None) -> Samples:
        """Compute the samples of a part, up to so many bytes of memory."""
        samples = Samples(
            self.descriptor,
            self.scalings,
            self.dataset.part(name).structures,
            pcsf=self.pcsf,
            stress=self.config.loss.use_stress,
            memory=memory,
            dtype=np.dtype(self.config.run.precision),
        )
        for done in samples.fill():
            on_progress(done)
        return samples

    def objective(self, name: str, model: TrainableModel, samples: Samples) -> Objective:
        """Make the objective of a part."""
        labelled, threads = self.dataset.part(name), self.config.run.threads or most_threads()
        return Objective(model, samples, labelled, self.sigma, self.config.loss.decay, threads)

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the results of a training except the seed, in JSON's types.

        Limits and resources do not belong to it.
        """
        import fastsf

        table = self.config.table()
        run = table.pop("run")
        functions = [f for each in self.descriptor.columns.values() for f in each]
        digests = {"functions": _digest(ATOM_CENTERED.to_document(functions, self.descriptor.elements))}
        if self.pcsf is not None:
            of_pairs = [f for each in self.pcsf.descriptor.columns.values() for f in each]
            digests["pair functions"] = _digest(PAIR_CENTERED.to_document(of_pairs, self.pcsf.descriptor.elements))
        references = self.references
        if references is not None and references.known:
            digests["reference energies"] = references.text()
        return {
            **table,
            "precision": run["precision"],
            **digests,
            "files": self.dataset.digests,
            "fastsf": fastsf.__version__,
        }


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(repr(document["functions"]).encode()).hexdigest()

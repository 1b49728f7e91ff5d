"""Compute the symmetry functions of a data set, keep them in an HDF5 file, and read them back."""

from fastsf import ACSF
from fastsf.datasets import examples
from fastsf.featurize.reader import FeatureFile
from fastsf.featurize.run import Options, featurize

acsf = ACSF.from_recipe("gastegger2018-acsf", ["Si"], cutoff=6.0)
summary = featurize([examples.path("silicon")], "silicon.h5", acsf, Options(scale=True), overwrite=True)
print(f"{summary.structures} structures, {summary.atoms} atoms, {acsf.n_features} functions")

with FeatureFile("silicon.h5") as file:
    statistics = file.statistics()["Si"]
    for label, low, high in zip(file.labels["Si"], statistics.minimum, statistics.maximum, strict=True):
        print(f"{label:60s} {low:8.4f} to {high:8.4f}")
    first = next(iter(file))
    print(f"first structure: features {first.features.shape}, energy {first.energy:.3f} eV")

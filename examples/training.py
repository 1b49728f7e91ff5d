"""Train a potential for silicon on the packaged data, as `fastsf train` does."""

from pathlib import Path

from fastsf.cli.main import main
from fastsf.datasets import examples

config = f"""
[data]
train = ["{examples.path("silicon")}"]
test = 0.1

[functions]
recipe = "gastegger2018-acsf"
cutoff = 6.0

[networks]
hidden = [10, 10]

[run]
epochs = 3
"""
Path("silicon.toml").write_text(config)
main(["train", "silicon.toml", "-o", "training", "--overwrite"])

"""Display of the memory that a training needs."""

from fastsf.cli.train_display import TrainingDisplay

GIB = 2.0**30


class Lines:
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


def told(needed, matrices, allowed):
    console = Lines()
    TrainingDisplay(console, 1).memory(needed * GIB, matrices * GIB, allowed * GIB)
    return console.said


def test_small_matrices_are_not_worth_a_line():
    assert told(0.5, 0.001, 4.0) == ["derivatives of the symmetry functions: at most 0.50 GiB, 3.999 GiB may be kept"]


def test_matrices_count_against_the_memory():
    assert told(3.5, 1.0, 4.0) == [
        "matrices of the optimizer: at most 1.00 of 4 GiB",
        "derivatives of the symmetry functions: at most 3.50 GiB, 3 GiB may be kept",
        "  the rest is computed in every epoch; [run] memory (--memory) allows more",
    ]


def test_matrices_that_are_too_large():
    lines = told(0.5, 11.5, 4.0)
    assert lines[0] == "matrices of the optimizer: at most 11.50 of 4 GiB"
    assert "--set optimizer.name=adam needs no matrices" in lines[1]
    assert "0 GiB may be kept" in lines[2]

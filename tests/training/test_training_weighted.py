"""Rows of a training whose energy is a sum of w N(X) with weights that depend on positions."""

import numpy as np
import pytest

from fastsf.training.objective.initialization import initial_network
from fastsf.training.objective.model import TrainableModel
from fastsf.training.objective.parts import SamplePart
from fastsf.training.objective.terms import Terms

ATOMS, CENTERS, PLACES, WIDTH = 4, 7, 3, 5


def model() -> TrainableModel:
    networks = [
        initial_network((width, 6, 4, 1), ("tanh", "softplus", "linear"), rng=width, bias_spread=0.5)
        for width in (WIDTH, WIDTH + 1)
    ]
    return TrainableModel(None, {}, tuple(networks), {}, energy_scale=0.7)


def part(rng: np.random.Generator, width: int, weighted: bool) -> SamplePart:
    columns = width + weighted
    index = np.array([rng.choice(CENTERS, PLACES, replace=False) for _ in range(ATOMS)])
    blocks, strain = rng.normal(size=(ATOMS, PLACES, 3, columns)), rng.normal(size=(1, CENTERS, 6, columns))
    weights = rng.uniform(0, 1, CENTERS) if weighted else None
    return SamplePart(rng.normal(size=(CENTERS, width)), index, blocks, strain, weights)


@pytest.fixture(params=[(True, True), (False, True), (True, None)], ids=["weights", "both", "one is missing"])
def sample(request):
    rng = np.random.default_rng(3)
    widths = zip((WIDTH, WIDTH + 1), request.param, strict=True)
    return tuple(None if weighted is None else part(rng, width, weighted) for width, weighted in widths)


TERMS = Terms(ATOMS, 50.0, -3.0, stress=True)


def moved(each: SamplePart, displacements: np.ndarray, strain: np.ndarray) -> SamplePart:
    """Return inputs and weights after small displacements (n, 3) and a small strain (6,), to first order."""
    change = np.einsum("mvs,v->ms", each.strain[0], strain)
    for atom in range(ATOMS):
        change[each.index[atom]] += np.einsum("kcs,c->ks", each.blocks[atom], displacements[atom])
    s = each.inputs.shape[1]
    weights = None if each.weights is None else each.weights + change[:, s]
    return SamplePart(each.inputs + change[:, :s], each.index, each.blocks, each.strain, weights)


def energy(sample) -> float:
    total = -3.0
    for each, network in zip(sample, model().networks, strict=True):
        if each is not None:
            weights = 1.0 if each.weights is None else each.weights
            total += 0.7 * float((weights * network.forward(each.inputs)).sum())
    return total


def test_rows_are_derivatives_of_the_energy(sample):
    rows, h = TERMS.predict(model(), sample)[0], 1e-5
    assert rows[0] == pytest.approx(energy(sample), rel=1e-14)
    for k in range(3 * ATOMS + 6):
        step = np.zeros(3 * ATOMS + 6)
        step[k] = h
        up, down = (
            energy([each and moved(each, sign * step[:-6].reshape(-1, 3), sign * step[-6:]) for each in sample])
            for sign in (1, -1)
        )
        slope = (up - down) / (2 * h)
        assert rows[1 + k] == pytest.approx(-slope if k < 3 * ATOMS else slope / 50.0, rel=1e-7, abs=1e-9)


def test_derivatives_by_the_parameters(sample):
    start, h, rng = model().parameters, 1e-5, np.random.default_rng(9)
    passes = TERMS.predict(model(), sample)[1]
    jacobian = TERMS.jacobian(model(), sample, passes, np.dtype(np.float64))
    direction, cotangent = rng.normal(size=len(start)), rng.normal(size=TERMS.size)
    up, down = (TERMS.predict(model().with_parameters(start + s * h * direction), sample)[0] for s in (1, -1))
    slopes = (up - down) / (2 * h)
    np.testing.assert_allclose(jacobian @ direction, slopes, rtol=0, atol=1e-8 * abs(slopes).max())
    np.testing.assert_allclose(TERMS.pull_back(model(), sample, passes, cotangent), cotangent @ jacobian, rtol=1e-10)
    chosen = rng.permutation(TERMS.size)[:9]
    values, some = TERMS.chosen_rows(model(), sample, chosen)
    np.testing.assert_allclose(values, TERMS.predict(model(), sample)[0][chosen], rtol=1e-12)
    np.testing.assert_allclose(some, jacobian[chosen], rtol=1e-10, atol=1e-13)
    near = TERMS.jacobian(model(), sample, passes, np.dtype(np.float32))
    np.testing.assert_allclose(near, jacobian, rtol=0, atol=2e-6 * abs(jacobian).max())


def test_weights_of_one_change_nothing():
    plain = part(np.random.default_rng(5), WIDTH, False)
    column = np.zeros((*plain.blocks.shape[:-1], 1))
    blocks, strain = np.concatenate([plain.blocks, column], -1), np.pad(plain.strain, ((0, 0), (0, 0), (0, 0), (0, 1)))
    weighted = SamplePart(plain.inputs, plain.index, blocks, strain, np.ones(CENTERS))
    found = []
    for each in (plain, weighted):
        rows, passes = TERMS.predict(model(), (each, None))
        found.append((rows, TERMS.jacobian(model(), (each, None), passes, np.dtype(np.float64))))
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-13, atol=1e-14)

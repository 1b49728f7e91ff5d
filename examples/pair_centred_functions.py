"""Evaluate pair-centred symmetry functions: a row for each pair of neighbours."""

from ase.build import molecule

from fastsf import PCSF, Cutoff, PairAngular, PairEnvironment, PairRadial, Power

cutoff = Cutoff(6.0)
bond = ("H", "O")
pcsf = PCSF(
    [
        PairRadial(bond, None),  # the distance itself
        PairRadial(bond, cutoff, eta=4.0, rs=1.0),
        PairEnvironment(bond, "H", cutoff, eta=0.5, pair_eta=0.1),
        PairAngular(bond, "H", cutoff, Power(zeta=2.0, lam=-1.0), eta=0.05, apex="heavier"),
    ]
)
water = molecule("H2O")
values, rows = pcsf.create(water), pcsf.rows(water)
print("   i  j  distance  " + "  ".join(pcsf.labels["H-O"]))
for i, j, distance, row in zip(rows.i, rows.j, rows.distance, values, strict=True):
    print(f"  {i:2d} {j:2d}  {distance:8.4f}  " + "  ".join(f"{value:.4f}" for value in row))

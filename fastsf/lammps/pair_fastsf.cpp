// pair_style fastsf: a pair style of LAMMPS whose energies and forces come from a function of fastsf.
//
// Compiled by `fastsf lammps build` against the headers of the installed LAMMPS, and loaded by `plugin load`.

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "lammps.h"
#include "memory.h"
#include "neigh_list.h"
#include "neighbor.h"
#include "pair.h"
#include "update.h"
#include "utils.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using namespace LAMMPS_NS;

// --- what Python fills; fastsf/lammps/plugin.py has the same ---

typedef int64_t (*Callback)(const void *model, const int64_t *element, int64_t kinds, int64_t n, int64_t own,
                            int64_t m, const int *types, const double *positions, const int *centers,
                            const int *counts, int *const *lists, double unit, int64_t with_energies,
                            int64_t with_virials, double *energy, double *forces, double *energies,
                            double *virials, int64_t *counted);

struct Model {
  Callback callback;
  const void *described;   // arrays of the model, for the callback
  int64_t *counted;        // evaluations and extrapolations
  double cutoff;           // Å
  const char *elements;    // separated by blanks, in the order of the model
};

static Model current = {};

extern "C" void fastsf_use(const Model *model)
{
  current = *model;
}

// --- the pair style ---

class PairFastsf : public Pair {
 public:
  PairFastsf(LAMMPS *lmp);
  ~PairFastsf() override;
  void settings(int, char **) override;
  void coeff(int, char **) override;
  void init_style() override;
  double init_one(int, int) override { return model.cutoff; }
  void compute(int, int) override;

 private:
  Model model;
  double unit;                     // of energy per eV
  std::vector<int64_t> element;    // index of each type's element in the model

  int64_t index_of(const std::string &symbol);
};

PairFastsf::PairFastsf(LAMMPS *lmp) : Pair(lmp), model(current), unit(1.0)
{
  single_enable = 0;
  restartinfo = 0;
  one_coeff = 1;
  manybody_flag = 1;
}

PairFastsf::~PairFastsf()
{
  if (allocated) {
    memory->destroy(setflag);
    memory->destroy(cutsq);
  }
}

void PairFastsf::settings(int narg, char **)
{
  if (narg > 0)
    error->all(FLERR, "pair_style fastsf takes no arguments; the potential is given to fastsf lammps run --model");
  if (!model.callback)
    error->all(FLERR, "pair_style fastsf has no potential: run it with fastsf lammps run, or call fastsf.lammps.attach");
}

void PairFastsf::coeff(int narg, char **arg)
{
  const int n = atom->ntypes;
  if (narg != 2 + n || strcmp(arg[0], "*") != 0 || strcmp(arg[1], "*") != 0)
    error->all(FLERR, "pair_coeff of fastsf: expected * * and the element of each of the {} atom types", n);
  if (!allocated) {
    allocated = 1;
    memory->create(setflag, n + 1, n + 1, "pair:setflag");
    memory->create(cutsq, n + 1, n + 1, "pair:cutsq");
    map = new int[n + 1];
  }
  map_element2type(n, arg + 2);
  element.assign(n + 1, 0);
  for (int type = 1; type <= n; type++)
    if (map[type] >= 0) element[type] = index_of(elements[map[type]]);
}

int64_t PairFastsf::index_of(const std::string &symbol)
{
  const auto known = utils::split_words(model.elements);
  for (size_t k = 0; k < known.size(); k++)
    if (known[k] == symbol) return (int64_t) k;
  error->all(FLERR, "pair_coeff: expected elements of the potential ({}), found {}", model.elements, symbol);
  return -1;
}

void PairFastsf::init_style()
{
  if (strcmp(update->unit_style, "real") == 0)
    unit = utils::get_conversion_factor(utils::ENERGY, utils::METAL2REAL);
  else if (strcmp(update->unit_style, "metal") != 0)
    error->all(FLERR, "pair_style fastsf needs units metal or real, found {}", update->unit_style);
  if (!force->newton_pair) error->all(FLERR, "pair_style fastsf needs newton pair on");
  if (atom->molecular != Atom::ATOMIC)
    for (int k = 1; k < 4; k++)
      if (force->special_lj[k] != 1.0 || force->special_coul[k] != 1.0)
        error->all(FLERR, "pair_style fastsf needs bonded neighbors too: special_bonds lj/coul 1.0 1.0 1.0");
  neighbor->add_request(this, NeighConst::REQ_FULL);
}

void PairFastsf::compute(int eflag, int vflag)
{
  ev_init(eflag, vflag);
  double energy = 0.0;
  const int64_t result = model.callback(
      model.described, element.data(), atom->ntypes, atom->nlocal + atom->nghost, atom->nlocal, list->inum, atom->type,
      atom->x[0], list->ilist, list->numneigh, list->firstneigh, unit, eflag_atom, vflag_atom, &energy, atom->f[0],
      eatom, vflag_atom ? vatom[0] : nullptr, model.counted);
  if (result == 0) error->one(FLERR, "pair_style fastsf failed, most likely because memory is missing");
  if (result < 0)
    error->one(FLERR, "pair_style fastsf: the position or the energy of atom {} is not finite at step {}",
               atom->tag[-1 - result], update->ntimestep);
  if (eflag_global) eng_vdwl += energy;
  if (vflag_fdotr) virial_fdotr_compute();
}

// --- how LAMMPS learns of it; the layout is that of LAMMPS's lammpsplugin.h, which its packages do not bring ---

struct Plugin {
  const char *version;
  const char *style;
  const char *name;
  const char *info;
  const char *author;
  void *(*creator)(void *);
  void *handle;
};

static void *create(void *lmp)
{
  return static_cast<Pair *>(new PairFastsf(static_cast<LAMMPS *>(lmp)));
}

extern "C" void lammpsplugin_init(void *lmp, void *handle, void *registrar)
{
  Plugin plugin = {static_cast<LAMMPS *>(lmp)->version, "pair", "fastsf", "neural network potentials of fastsf",
                   "the fastsf developers", create, handle};
  reinterpret_cast<void (*)(Plugin *, void *)>(registrar)(&plugin, lmp);
}

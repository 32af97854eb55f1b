"""Twenty networks on neurocores: how many, how many at least, and the load of links beside packing in order.

python -m benchmarks.placement                 all twenty, some minutes
python -m benchmarks.placement --only columns digits
python -m benchmarks.placement --partitioner mtkahypar
python -m benchmarks.placement --scaling       seconds for rings of 1e5 to 1e7 synapses in shuffled order
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Sequence
from time import perf_counter
from typing import get_args

from benchmarks.placement_networks import CASES, recurrent, ring
from compiler.ir.verify_placement import placement_faults
from compiler.passes.partition import partition
from compiler.placement.choosing import Partitioner, in_order
from compiler.placement.needs import needs
from hw_models.chips.reading import chip


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES), metavar="NETWORK")
    parser.add_argument("--partitioner", choices=get_args(Partitioner), default="own")
    parser.add_argument("--scaling", action="store_true")
    options = parser.parse_args(arguments)
    if options.scaling:
        scaling()
    else:
        networks(options.only, options.partitioner)


def networks(names: list[str], partitioner: Partitioner = "own") -> None:
    """One row a network: neurocores, bound, words read, busiest link and traffic, beside in-order packing."""
    titles = ("network", "neurocores", "in order", "bound", "words read")
    print(" | ".join((*titles, "busiest link", "in order", "traffic", "in order", "s")))
    for name in names:
        code = CASES[name].make()
        plain = in_order(needs(code, chip(code.target)))
        start = perf_counter()
        placed = partition(code, partitioner=partitioner)
        seconds = perf_counter() - start
        assert not placement_faults(placed), name
        it = placed.measures
        row = [name, len(placed.cores), len(plain.parts), it.least_neurocores, it.words_read, it.busiest_link]
        print(
            " | ".join(map(str, [*row, plain.busiest, it.traffic, plain.traffic, f"{seconds:.1f}"])),
            flush=True,
        )


def scaling() -> None:
    """One row a size: seconds to partition and place, and the most memory that the process has taken."""
    print("synapses | neurocores | bound | s | GB")
    for neurons in (1_000, 10_000, 40_000, 100_000):
        code = recurrent("ring", neurons, *ring(neurons, 100), shuffled=1)
        start = perf_counter()
        placed = partition(code)
        seconds = perf_counter() - start
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        row = [100 * neurons, len(placed.cores), placed.measures.least_neurocores]
        print(" | ".join(map(str, [*row, f"{seconds:.1f}", f"{memory:.2f}"])), flush=True)


if __name__ == "__main__":
    main()

"""Which mutants of a package are tried: an order drawn from a seed, of which the first N count.

So a longer sample begins with the shorter one, and what is done of it is a fair sample too. Each
mutant's place comes from its own name, so that most of a sample outlasts changes of the code.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tests.mutation.mutant import Mutant
from tests.mutation.packages import Package
from tests.mutation.python import compiles, mutants_of
from tests.mutation.sql import mutants_of_sql


def draw(package: Package, root: Path, seed: int, number: int) -> list[Mutant]:
    """So many mutants of a package, or all that it has, in the drawn order."""
    return drawn(list(all_mutants(package, root)), f"{seed} {package.name}", number)


def drawn(mutants: list[Mutant], seed: str, number: int) -> list[Mutant]:
    """The first of them in the order of this seed; it does not hang on the order they come in."""
    order = sorted(mutants, key=lambda mutant: sha256(f"{seed}\t{mutant.key}".encode()).digest())
    found: list[Mutant] = []
    for mutant in order:
        if len(found) == number:
            break
        if mutant.path.endswith(".sql") or compiles(mutant):
            found.append(mutant)
    return found


def all_mutants(package: Package, root: Path) -> Iterator[Mutant]:
    """Everything that could be changed, in the order of files and texts."""
    for path in package.files(root):
        source = (root / path).read_text()
        yield from (mutants_of_sql if path.endswith(".sql") else mutants_of)(path, source)

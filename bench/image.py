"""What `doit image` costs: many services whose images are there, and one new image beside `docker build`."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.monorepo import generate
from bench.timing import Comparison, compare, cpu, elapsed
from bench.yard import Yard, empty, folder, run
from schemas.errors import GanderError
from tasks.image import build as building
from tasks.image import content
from tests import registries
from tests.daemons import daemon
from tests.playground import publish
from tests.registries import Registry
from tools.oci.registry import Registries
from tools.toolchain import shipped
from tools.toolchain.golang import ARCHITECTURES

__all__ = ["DOC", "measure", "options", "pushed"]

DOC = "doit image of many services that are up to date, and one new image beside docker build and push"
PROMISED = 2.0  # seconds for the services that are up to date
BUILT = f"""\
FROM scratch
COPY ca-certificates.crt {building.CERTIFICATES}
COPY goose /goose
COPY migrations /migrations
USER {building.NOBODY}
ENTRYPOINT ["/goose"]
CMD ["-env=none", "up"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """Docker's own program, and the daemon that it talks to; an empty host is that of the surroundings."""

    program: str
    host: str

    def do(self, *words: str, context: Path) -> None:
        """Run a command; SystemExit where it fails."""
        run([self.program, *words], cwd=context, extra={"DOCKER_HOST": self.host} if self.host else {})


def options(parser: ArgumentParser) -> None:
    """Add this benchmark's options."""
    parser.add_argument("--services", type=int, default=100, help="services that are up to date (default: 100)")
    parser.add_argument("--files", type=int, default=20, help="files of each (default: 20)")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of runs (default: 5)")


def measure(chosen: Namespace) -> Iterator[Comparison]:
    """Measure against a real registry on this machine, in a temporary folder."""
    if not shutil.which(registries.PROGRAM):
        sys.exit(f"it needs a registry: apt-get install {registries.PROGRAM}")
    architecture = ARCHITECTURES[os.uname().machine]
    with folder() as place, registries.registry(place / "registry", notes=True) as registry:
        file = generate(place / "many", services=chosen.services, files=chosen.files)
        image = f"image: {{repository: '{registry.host}/{{service}}', platforms: [linux/{architecture}]}}\n"
        file.write_text(file.read_text(encoding="utf-8") + image, encoding="utf-8")
        publish(file.parent, place / "remote.git")
        yard = Yard.at(file)
        pushed(yard)
        yield _unchanged(yard, registry, place / "empty", chosen.rounds)
        with _docker() as (docker, host):
            if docker:
                yield _new(yard, registry, place, Docker(program=docker, host=host), chosen.rounds)
            else:
                print(f"beside docker build: not measured: {host}")


def pushed(yard: Yard) -> None:
    """Push every service's image as `doit image` does, without its proof by lint and test."""
    held = content.contents(yard.catalog, list(yard.catalog.services))
    builder = building.Builder(print)
    with Registries() as there:
        for name, what in held.items():
            if isinstance(what, GanderError):
                raise what
            image = builder.build(what, yard.catalog.services[name].platforms)
            there.push(content.of_content(yard.catalog, name, what).reference, image, lambda _: None)


def _unchanged(yard: Yard, registry: Registry, place: Path, rounds: int) -> Comparison:
    """Everything is there: one question a service, and nothing else."""
    count = len(yard.catalog.services)

    def look() -> float:
        before, worked, told = len(registry.requests()), cpu(), ""

        def work() -> None:
            nonlocal told
            told = yard.doit("image")

        taken = elapsed(work)
        if f"\n0 ran, {count} up to date, " not in f"\n{told}":
            sys.exit(f"doit image found something to do:\n{told}")
        kinds = Counter(one.split()[0] for one in registry.requests()[before:])
        requests = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
        kept = "within" if taken < PROMISED else "MORE THAN"
        print(f"{taken:.2f} s, {kept} {PROMISED:.0f} s, {cpu() - worked:.2f} s of them computing; asked: {requests}")
        return taken

    return compare(
        f"doit image, {count} services up to date",
        look,
        "an empty doit",
        empty(place),
        rounds=rounds,
    )


def _new(yard: Yard, registry: Registry, place: Path, docker: Docker, rounds: int) -> Comparison:
    """One image that the registry has nothing of, built and pushed by each; each time to a new repository."""
    name = next(iter(yard.catalog.services))
    held, service = content.content(yard.catalog, name), yard.catalog.services[name]
    context = place / "context"
    shutil.copytree(yard.catalog.root / yard.databases[0].migrations, context / "migrations")
    (context / "ca-certificates.crt").write_bytes(shipped.certificates())
    shutil.copy(shipped.shipped(service.platforms[0].partition("/")[2], print), context / "goose")
    (context / "Dockerfile").write_text(BUILT, encoding="utf-8")
    number = iter(range(10_000))

    def ours() -> float:
        reference = f"{registry.host}/ours-{next(number)}:m-1"

        def work() -> None:
            with Registries() as there:
                there.push(reference, building.Builder(print).build(held, service.platforms), lambda _: None)

        return elapsed(work)

    def theirs() -> float:
        reference = f"{registry.host}/theirs-{next(number)}:m-1"

        def work() -> None:
            docker.do("build", "--quiet", "--no-cache", "--tag", reference, ".", context=context)
            docker.do("push", "--quiet", reference, context=context)

        taken = elapsed(work)
        docker.do("rmi", reference, context=context)
        return taken

    return compare("one new image, built and pushed", ours, "docker build, docker push", theirs, rounds=rounds)


@contextmanager
def _docker() -> Iterator[tuple[str, str]]:
    """Docker's program and the daemon that it is to use; no program, and why, where there is none."""
    program = shutil.which("docker")
    if not program:
        yield "", "there is no docker on the PATH"
        return
    with ExitStack() as closing:
        try:
            host = closing.enter_context(daemon())
        except (pytest.skip.Exception, pytest.fail.Exception) as missing:
            program, host = "", str(missing)
        yield program, host

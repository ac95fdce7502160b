"""Options of commands whose work can be spread: where, with how many processes, on which cluster."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from compute.runner import Runner


@unique
class Place(StrEnum):
    """Where to run; `compute.runner` knows the same words."""

    SERIAL = "serial"
    PROCESSES = "processes"
    DASK = "dask"


PlaceOption = Annotated[Place, typer.Option(help="Here, in processes beside, or on a Dask cluster.")]
SchedulerOption = Annotated[
    str | None, typer.Option(help="Dask scheduler, such as tcp://HOST:8786.", show_default=False)
]
WorkersOption = Annotated[int, typer.Option(help="Processes beside this one; 0 is one a CPU.")]


def runner_of(place: Place, *, workers: int, scheduler: str | None) -> Runner:
    """Return the runner that the options mean.

    Raises:
        Fault: `bad_argument` when they do not fit together.
    """
    from compute.runner import Place as Where
    from compute.runner import Runner

    return Runner(Where(place.value), processes=workers, scheduler=scheduler)

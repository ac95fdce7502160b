"""Entry of one supervised process: `python -m cli.supervised NAME [PORT]`.

The supervisor writes one line of launch secrets to its standard input and keeps the pipe
open. When the pipe ends the supervisor is gone, however it went, and this process ends
too. It must never read a secret from its environment or its arguments.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from when_to_invest.errors import EXIT_OK, ErrorCode, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from executor.probe import Point
    from home.paths import Home
    from tool_servers.serving import LaunchSecrets

SUPERVISOR: Final = "supervisor"
RECOVERED: Final = "recovered"
_STDIN: Final = 0


def run_process(name: str, *, home: Home, port: int, secrets: LaunchSecrets) -> int:
    """Run one service until it ends; 0 when it was told to.

    Raises:
        Fault: whatever keeps the service from starting.
    """
    from tool_servers.serving import LOOPBACK, Address

    address = Address(LOOPBACK, port)
    match name:
        case "market":
            from tool_servers.market.main import run as run_market

            return run_market(home, http=address, secrets=secrets)
        case "orders":
            from tool_servers.orders.main import run as run_orders

            return run_orders(home, http=address, secrets=secrets)
        case "chain":
            from tool_servers.chain.main import run as run_chain

            return run_chain(home, http=address, secrets=secrets)
        case "executor":
            return _run_executor(home)
        case _:
            raise Fault(ErrorCode.BAD_ARGUMENT, f"no service is called {name!r}", fix="see `serve --help`")


def _run_executor(home: Home) -> int:
    from executor.main import run

    return run(home, until_idle=False, probe=ReadyWhenRecovered())


class ReadyWhenRecovered:
    """Says "ready" once the executor resolved what a former run left open; stops nothing."""

    def reached(self, point: Point) -> None:
        """Announce the end of recovery."""
        from tool_servers.serving import announce

        if point.value == RECOVERED:
            announce()


def end_with_parent() -> None:
    """End this process as soon as its standard input ends."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            # The bare descriptor: a thread blocked in sys.stdin would hold its lock at exit.
            while os.read(_STDIN, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _run(arguments: Sequence[str]) -> int:
    from home.paths import home_at
    from tool_servers.serving import read_secrets

    name = arguments[0] if arguments else ""
    home = home_at(None)
    secrets = read_secrets(sys.stdin)
    if name == SUPERVISOR:
        from cli.supervisor import run_detached

        return run_detached(home, passphrase=secrets.passphrase or "")
    end_with_parent()
    return run_process(name, home=home, port=int(arguments[1]), secrets=secrets)


def tell(fault: Fault) -> int:
    """Print the error object as the one line a supervisor waits for; return the exit status."""
    sys.stdout.write(json.dumps({"error": fault.as_json()}) + "\n")
    sys.stdout.flush()
    return fault.exit_status


def main(arguments: Sequence[str]) -> int:
    """Run one supervised process; every failure leaves as one error line."""
    try:
        return _run(arguments)
    except Fault as fault:
        return tell(fault)
    except KeyboardInterrupt:
        return EXIT_OK
    except Exception as error:  # noqa: BLE001 - the process's outermost door: no traceback reaches a user
        defect = f"a defect of this program: {type(error).__name__}"
        return tell(Fault(ErrorCode.INTERNAL, defect, fix="look at the service's log"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

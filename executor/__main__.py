"""Entry of a container: `python -m executor` runs the executor of the home its environment names.

It takes no argument and no secret. Every failure leaves as one line of JSON, and its exit status.
"""

from __future__ import annotations

import json
import sys

from when_to_invest.errors import Fault


def main() -> int:
    """Run until told to stop; 0 when it was."""
    from executor.main import run
    from home.paths import home_at

    try:
        return run(home_at(None), until_idle=False)
    except Fault as fault:
        sys.stderr.write(json.dumps({"error": fault.as_json()}) + "\n")
        return fault.exit_status


if __name__ == "__main__":
    sys.exit(main())

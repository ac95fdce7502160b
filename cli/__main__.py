"""`python -m cli` is the `when-to-invest` command."""

from cli.main import run

run()

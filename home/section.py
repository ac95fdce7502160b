"""What every table of `config.toml` has in common: frozen, and nothing unknown in it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

LimitSetting = str | int | bool | list[str]


class Section(BaseModel):
    """One table of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

"""Configurations: the same keys, defaults and checks as the command line's (docs/configuration.md)."""
import json
import os
from typing import Any, Iterator, List, Mapping, Optional, Tuple, Union

from . import _core
from ._validate import PathLike as PathLike
from .errors import InvalidArgument


def presets() -> List[Tuple[str, str]]:
    """(name, what it is for) of every ready-made configuration."""
    return _core.presets()


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[Tuple[str, Any]]:
    for key, value in settings.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, path + ".")
        else:
            yield path, value


def _plain(value: Any) -> Any:
    """What JSON has no word for: paths, NumPy scalars and arrays, tuples and sets."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise InvalidArgument(f"a setting of type {type(value).__name__} ({value!r}) was given; text, numbers, lists and mappings are expected")


class Config:
    """A checked configuration. Immutable; picklable.

    Args:
        path: a YAML file.
        preset: name of a ready-made configuration, see :func:`presets`.
        settings: further settings, which win over both: nested (``{"features": {"k": 30}}``) or dotted (``{"features.k": 30}``).
        **sections: the same as keywords: ``Config("c.yaml", halo=5, features={"k": 30})``.

    Raises:
        ConfigError: a key that does not exist, a value of the wrong type or out of range; names the place, what is allowed and the nearest
            valid key.
    """

    def __init__(self, path: Optional[PathLike] = None, *, preset: str = "", settings: Optional[Mapping[str, Any]] = None,
                 **sections: Any) -> None:
        self._make(preset=preset, file="" if path is None else os.fspath(path), settings={**dict(_leaves(settings or {})), **dict(_leaves(sections))})

    def _make(self, settings: Mapping[str, Any], **sources: str) -> None:
        self._native = _core.Config(set=[f"{key}={json.dumps(value, default=_plain)}" for key, value in settings.items()], **sources)

    @classmethod
    def from_yaml(cls, text: str, settings: Optional[Mapping[str, Any]] = None) -> "Config":
        """The configuration that YAML text gives, with further settings, which win."""
        config = cls.__new__(cls)
        config._make(text=text, settings=dict(_leaves(settings or {})))
        return config

    def updated(self, settings: Optional[Mapping[str, Any]] = None, **sections: Any) -> "Config":
        """The same configuration with further settings, which win."""
        return Config.from_yaml(self.to_yaml(), {**dict(_leaves(settings or {})), **dict(_leaves(sections))})

    def to_yaml(self) -> str:
        """Every key with its value and, as a comment, where it comes from; gives the same configuration again."""
        return self._native.yaml()

    @classmethod
    def of(cls, config: Union["Config", PathLike, Mapping[str, Any], None]) -> "Config":
        """What functions take for a configuration: one, the path of a YAML file, a mapping of settings, or None for the defaults."""
        if isinstance(config, Config):
            return config
        if config is None:
            return cls()
        if isinstance(config, Mapping):
            return cls(settings=config)
        if isinstance(config, (str, os.PathLike)):
            return cls(config)
        raise InvalidArgument(f"a configuration of type {type(config).__name__} was given; a Config, a path or a mapping is expected")

    def __reduce__(self) -> Tuple[Any, ...]:
        return Config.from_yaml, (self.to_yaml(),)

    def __repr__(self) -> str:
        return f"<tuile.Config\n{self.to_yaml()}>"

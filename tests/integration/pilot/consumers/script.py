"""A script: defines its consumer and would start work when it is run."""

from __future__ import annotations


def module_name(body: object) -> str:
    return __name__


if __name__ == "__main__":
    raise SystemExit("a pilot must not run this")

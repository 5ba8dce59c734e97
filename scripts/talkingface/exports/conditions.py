"""The conditions that a reader sets for a clip: what the pre-flight check of an export compares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """`name`: what is compared, with its unit. `needed`: in words, or the value itself."""

    name: str
    measured: object
    needed: object
    is_met: bool


def at_least(name: str, measured: float, least: float) -> Condition:
    """`measured` must not be less than `least`; NaN, what was not measured, is let pass."""
    return Condition(name, measured, f"at least {least}", not measured < least)


def at_most(name: str, measured: float, most: float) -> Condition:
    """`measured` must not be more than `most`; NaN, what was not measured, is let pass."""
    return Condition(name, measured, f"at most {most}", not measured > most)


def equal(name: str, measured: object, needed: object) -> Condition:
    """`measured` must be `needed`."""
    return Condition(name, measured, needed, measured == needed)

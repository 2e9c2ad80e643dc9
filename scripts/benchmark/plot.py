"""Lines over two logarithmic axes, as SVG that reads on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 780, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 250, 20, 48
_COLOURS = ("#d9480f", "#1971c2", "#2f9e44", "#9c36b5")
_DASHES = ("", "6 4", "2 3")
_INK = "#808080"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its colour is that of its name, its dashes are numbered."""

    name: str
    dash: int
    points: Sequence[tuple[float, float]]
    """All above 0."""
    about: str


def plot(lines: Sequence[Line], across: str, up: str) -> str:
    """The picture, with the names of its lines beside it."""
    axes = _Axes([point for line in lines for point in line.points])
    names = list(dict.fromkeys(line.name for line in lines))
    parts = [*axes.drawn(across, up)]
    for number, line in enumerate(lines):
        colour, dash = _COLOURS[names.index(line.name) % len(_COLOURS)], _DASHES[line.dash % 3]
        style = f'stroke="{colour}" stroke-dasharray="{dash}" stroke-width="2" fill="none"'
        places = " ".join(f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in line.points)
        parts.append(f'<polyline points="{places}" {style}/>')
        parts += [
            f'<circle cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="3" fill="{colour}"/>'
            for x, y in line.points
        ]
        left, top = _WIDTH - _RIGHT + 14, _TOP + 10 + 20 * number
        parts.append(f'<path d="M{left} {top}h24" {style}/>')
        parts.append(_text(left + 30, top + 4, f"{line.name}, {line.about}", "start"))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="11">\n{body}\n</svg>\n'
    )


class _Axes:
    """Where values stand."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self._across = _range([x for x, _ in points])
        self._up = _range([y for _, y in points])

    def x(self, value: float) -> float:
        return _LEFT + _share(value, self._across) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - _share(value, self._up) * (_HEIGHT - _TOP - _BOTTOM)

    def drawn(self, across: str, up: str) -> Iterator[str]:
        left, right = _LEFT, _WIDTH - _RIGHT
        top, bottom = _TOP, _HEIGHT - _BOTTOM
        for value in _ticks(self._across):
            x = self.x(value)
            yield f'<path d="M{x:.1f} {top}V{bottom}" stroke="{_INK}" stroke-opacity="0.25"/>'
            yield _text(x, bottom + 16, f"{value:,.0f}", "middle")
        for value in _ticks(self._up):
            y = self.y(value)
            yield f'<path d="M{left} {y:.1f}H{right}" stroke="{_INK}" stroke-opacity="0.25"/>'
            yield _text(left - 6, y + 4, f"{value:g}", "end")
        yield _text((left + right) / 2, bottom + 36, across, "middle")
        yield _text(left - 6, top - 6, up, "end")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{_INK}">{escape(text)}</text>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    return low - 0.05, max(high, low + 0.1) + 0.05


def _share(value: float, between: tuple[float, float]) -> float:
    low, high = between
    return (math.log10(value) - low) / (high - low)


def _ticks(between: tuple[float, float]) -> list[float]:
    """1, 3, 10, 30, ..., where they lie on the axis."""
    low, high = between
    powers = range(math.floor(low), math.ceil(high) + 1)
    found = [factor * 10.0**power for power in powers for factor in (1, 3)]
    return [value for value in found if low <= math.log10(value) <= high]

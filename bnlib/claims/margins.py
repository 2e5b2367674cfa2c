"""The units that parts are judged in, each with its margin: the smallest effect that matters.

The margins are set once, for the whole book, and not claim by claim. A ratio is measured as log₂
and shown as a factor.
"""

import math
from dataclasses import dataclass

from bnlib.analysis.findings import Finding


@dataclass(frozen=True)
class Unit:
    name: str
    margin: float
    low: float = -math.inf  # the range of the measure: no interval leaves it
    high: float = math.inf
    ratio: bool = False

    def inside(self, interval: tuple[float, float]) -> tuple[float, float]:
        low, high = interval
        return max(low, self.low), min(high, self.high)

    def natural(self, x: float) -> float:
        """A measured value as it is shown: a factor in place of its log₂."""
        return 2.0**x if self.ratio else x

    def measured(self, x: float) -> float:
        return math.log2(x) if self.ratio else x

    def _shown(self, x: float) -> float:
        """In natural units; of what is much smaller than the margin no digits are left."""
        step = 0 if self.ratio else self.margin / 100
        return round(x / step) * step if step else self.natural(x)

    def mark(self, x: float) -> str:
        """A margin, or a number on an axis."""
        return f"{self.natural(x):.3g}".replace("-", "−") + "×" * self.ratio

    def show(self, finding: Finding) -> str:
        """Such as "+0.37 points (0.17 to 0.58)", "6× (4–8)", "3 of 10 runs"."""
        if finding.counted:
            return finding.counted
        if not math.isfinite(finding.value):
            return "no number"
        low, high = self.inside(finding.interval())
        value = three_digits(self._shown(finding.value), sign=not self.ratio)
        text = value + ("×" if self.ratio else f" {self.name}")
        if not math.isfinite(low) or low == high:
            return text
        ends = three_digits(self._shown(low)), three_digits(self._shown(high))
        return f"{text} ({('–' if self.ratio else ' to ').join(ends)})"


def three_digits(x: float, sign: bool = False) -> str:
    """At most three significant digits; with an exponent only where a reader would write one."""
    plus, size = "+" * sign, abs(x)
    if size and not 5e-4 <= size < 1e6:
        return with_power(f"{x:{plus}.1e}")
    elif size >= 1000:
        text = f"{round(x, 2 - math.floor(math.log10(size))):{plus},.0f}"
    else:
        decimals = 3 if size < 0.0995 else 2 if size < 9.995 else 1 if size < 99.95 else 0
        text = f"{x:{plus}.{decimals}f}" if x else "0"
    return text.replace("-", "−")


def with_power(text: str) -> str:
    """A printed number as a reader would write it: 0.1, 10⁻⁷, 3.5·10⁻⁵."""
    digits, exponent, power = text.partition("e")
    if exponent:
        raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        digits = f"10{raised}" if digits == "1" else f"{digits}·10{raised}"
    return digits.replace("-", "−")


CIFAR = Unit("points", 1.0, -100.0, 100.0)  # differences of accuracy
MNIST = Unit("points", 0.1, -100.0, 100.0)  # 10 of 10,000 test images
SLOPE = Unit("points a doubling", 0.3)  # a point of CIFAR's for ten times as much
RATIO = Unit("times", math.log2(1.25), ratio=True)
EPOCHS = Unit("epochs", 0.5)
NATS = Unit("nats", 0.05)  # of a loss
RUNS = Unit("of the runs", 0.0, -1.0, 1.0)  # counts and ranks: what an exact test shows matters
UNITS = Unit("of the units", 0.05, -1.0, 1.0)  # dead or saturated
ERROR = Unit("of its size", 0.01, 0.0)  # relative errors of what is computed

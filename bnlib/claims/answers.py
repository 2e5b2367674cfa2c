"""The questions of the front page, answered by the parts of the claims.

Each question has a few measured effects: parts that the chapters judge, or parts made here of the
same measures. The answer in a word follows from the words of these parts alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bnlib.analysis.counts import shares
from bnlib.analysis.course import common_level, reaches
from bnlib.analysis.findings import Finding
from bnlib.analysis.landscape import OFF
from bnlib.analysis.learning import EVALUATIONS, PRECISE, RUNNING, accuracy
from bnlib.claims.arms import Experiments, arms, contrast, pace, pick
from bnlib.claims.card import Card, Cards
from bnlib.claims.judge import AT_LEAST, LESS, MORE, OPEN, Answer, Part
from bnlib.claims.margins import CIFAR, MNIST, RATIO, RUNS
from bnlib.claims.outcomes import at_best_rate, level
from bnlib.claims.regularisers import PLACES, RATE
from bnlib.claims.shift import LAYERS, shift_part
from bnlib.run import Runs

Judged = Mapping[str, Cards]  # by chapter
Recorded = Mapping[str, Mapping[str, Runs]]  # by chapter and experiment


@dataclass(frozen=True)
class Effect:
    chapter: str
    answer: Answer


@dataclass(frozen=True)
class Question:
    """A question, and by a short name each effect that answers it."""

    text: str
    effects: Mapping[str, Effect]

    @property
    def word(self) -> str:
        return in_a_word([effect.answer for effect in self.effects.values()])

    @property
    def chapters(self) -> list[str]:
        return sorted({effect.chapter for effect in self.effects.values()})

    def within(self, chapter: str) -> "Question":
        """The question as one chapter answers it."""
        own = {name: e for name, e in self.effects.items() if e.chapter == chapter}
        return replace(self, effects=own)


def in_a_word(answers: Sequence[Answer]) -> str:
    """From the settled parts alone, as a headline."""
    settled = [answer for answer in answers if answer.side is not None]
    if not settled:
        return OPEN if any(answer.testable for answer in answers) else "not tested"
    sides, words = {answer.side for answer in settled}, {answer.word for answer in settled}
    if len(sides) == 2:
        return "partly"
    if sides == {True}:
        return "a little, perhaps" if words == {"yes, perhaps small"} else "yes"
    return words.pop() if len(words) == 1 and "no: " not in str(words) else "no"


def questions(cards: Judged, runs: Recorded) -> list[Question]:
    """In the order of the page."""
    motivation, lenet, alexnet, study, vgg, ics = (
        _Chapter(name, cards, runs)
        for name in (
            *("01_motivation", "03_lenet", "04_alexnet", "05_controlled_study"),
            *("07_vgg_landscape", "08_ics"),
        )
    )
    drift, at_rate = "drift, BN / none", {"lr": "at learning rate 0.1"}
    spread, off = "spread of the loss, none / BN", "off the plateau"
    dropout = "mean validation accuracy over the epochs with BN, with dropout − without"
    better, start = "test accuracy, BN − plain", "test accuracy with BN, gain"
    best = {"where": "at each arm's best rate"}
    where, behind = PLACES["fc"], PLACES["conv"]
    return [
        Question(
            "Does it make the learning rate easier to choose?",
            {
                _near("LeNet", lenet.runs, f"{MNIST.margin:g} points"): lenet.own(
                    _rates_that_work(lenet.runs)
                ),
                _near("VGG-A", vgg.runs, f"{CIFAR.margin:g} point"): vgg.part(
                    "S3.27", "runs of the sweep that work, BN"
                ),
            },
        ),
        Question(
            "Does it train in fewer epochs?",
            {
                name: effect
                for end in ("to 65 %", "to 95 % of its own best")
                for name, effect in alexnet.under_both(
                    f"AlexNet, best rate each, {end}",
                    *("S0.1", "epochs"),
                    endpoint=end,
                    size="fewer",
                ).items()
            },
        ),
        Question(
            "Is it better after the same number of epochs?",
            {
                "LeNet": lenet.as_more("S2.19", "test accuracy", **best),
                "AlexNet": alexnet.own(_ends_higher(alexnet.runs)),
                "VGG-A with Adam, one rate for both": vgg.part("S3.26", better),
            },
        ),
        Question(
            "Does it train what is stuck without it?",
            {
                f"deep CNN {where}, runs that learn": study.part(
                    claim, "runs that learn", where=where
                )
                for claim, where in {
                    "S1.9": "with sigmoids",
                    "S1.10": "at learning rate .1",
                    "S1.12": "from N(0, 1)",
                }.items()
            },
        ),
        Question(
            "Does it replace a good start?",
            {
                "AlexNet, PyTorch's start with BN against Xavier's without": alexnet.own(
                    _replaces(alexnet.runs, "xavier")
                ),
                "AlexNet with BN, Xavier's start instead of PyTorch's": alexnet.part(
                    "S0.3", start, start="Xavier's"
                ),
                "AlexNet with BN, He's instead of PyTorch's": alexnet.part(
                    "S0.3", start, start="He's"
                ),
                "deep CNN with BN, N(0, 1) instead of He's": study.own(_as_good(study.runs)),
            },
        ),
        Question(
            "Does it keep the layers' inputs steadier?",
            {
                name: motivation.part("S1.20", drift, where=where, **at_rate)
                for name, where in {
                    "drift of a layer's input, BN / no BN, behind BN (by construction)": "after BN "
                    "(by construction)",
                    "the same in front of BN, early in training": "before BN early",
                    "the same in front of BN, late": "before BN late",
                }.items()
            },
        ),
        Question(
            "Does it reduce internal covariate shift?",
            {
                f"{asked}, {LAYERS[layer].partition(' (')[0]}": ics.own(
                    _shifts_less(ics.runs, what, layer)
                )
                for what, asked in {
                    "distance": "VGG-A, how far the other layers' step moves gradients, BN / no BN",
                    "angle": "by what angle it turns it",
                }.items()
                for layer in LAYERS
            },
        ),
        Question(
            "Is the loss smoother along the gradient?",
            {
                name: vgg.part("S4.32", spread, phase=phase, units=units)
                for name, (phase, units) in {
                    "VGG-A, spread of the loss over steps to 4 times the rate, no BN / BN": (
                        off,
                        "in raw units",
                    ),
                    "the same, each weight tensor in units of its own length": (
                        off,
                        "in scale-free units",
                    ),
                    "the same while the network without BN is on its first plateau": (
                        "on the plateau",
                        "in raw units",
                    ),
                }.items()
            },
        ),
        Question(
            "Does it regularise?",
            {
                f"{net}, test accuracy at the same training loss": study.part(
                    "S0.10", "test accuracy at the same training loss, BN − none", net=net
                )
                for net in ("MLP", "deep CNN")
            },
        ),
        Question(
            "Does it clash with dropout?",
            {
                f"AlexNet, dropout {RATE:g} {where}, mean accuracy on the way, BN": alexnet.part(
                    "S0.4a", dropout, place=where
                ),
                "the same, cost of dropout at the end, BN − no BN": alexnet.part(
                    "S0.4a", "cost of dropout", place=where
                ),
                f"dropout {behind}, runs with BN that learn, with it against without": alexnet.part(
                    "S0.4a", dropout, place=behind
                ),
                "the same, accuracy at the end by precise statistics": alexnet.own(
                    _dropped(alexnet.runs, "conv")
                ),
            },
        ),
        Question(
            "Does a training step take longer?",
            {
                "LeNet": lenet.own(_longer(lenet.runs, "batch", "none")),
                "AlexNet": alexnet.own(_longer(alexnet.runs, "alexnet batch", "alexnet none")),
                "ResNet-18": alexnet.own(_longer(alexnet.runs, "resnet18 batch", "resnet18 none")),
            },
        ),
    ]


class _Chapter:
    def __init__(self, name: str, cards: Judged, runs: Recorded):
        self.name, self.cards, self.runs = name, cards[name], Experiments(runs[name])

    def part(self, claim: str, text: str, **at: str) -> Effect:
        """The one judged part of a claim whose text begins so, under these conditions."""
        (card,) = (c for c in self.cards if isinstance(c, Card) and c.claim.id == claim)
        found = [a for a in card.answers if a.part.text.startswith(text) and _under(a.part, at)]
        if len(found) != 1:
            raise LookupError(f"{claim} has {len(found)} parts “{text}” with {at}")
        return Effect(self.name, found[0])

    def as_more(self, claim: str, text: str, **at: str) -> Effect:
        """A part that asks whether two are equal, asked whether the first is higher."""
        return self.own(replace(self.part(claim, text, **at).answer.part, kind=MORE))

    def under_both(self, name: str, claim: str, text: str, **at: str) -> dict[str, Effect]:
        """The part, judged under each evaluation."""
        first = self.part(claim, text, **at)
        part = first.answer.part
        (other,) = set(EVALUATIONS) - {part.primary}
        again = self.own(replace(part, primary=other))
        return {f"{name}, {part.primary}": first, f"{name}, {other}": again}

    def own(self, part: Part) -> Effect:
        return Effect(self.name, part.judged())


def _under(part: Part, at: Mapping[str, str]) -> bool:
    return all(part.at.get(key) == phrase for key, phrase in at.items())


def _near(net: str, runs: Experiments, margin: str) -> str:
    """The name of that effect, with the rates of the sweep and the runs of an arm at each."""
    sweep = runs["sweep"]
    tried = f"{len(sweep.values('lr'))} rates × {len(sweep.values('seed'))} seeds"
    tried = f"{sweep[0].recipe.epochs} epochs, {tried}"
    return f"{net}, {tried}, runs at most {margin} below the plain network's best"


def _rates_that_work(runs: Experiments) -> Part:
    """As S3.27 asks it of VGG-A, with the margin of MNIST."""

    def wider(how: str) -> Finding:
        batch, none = arms(runs["sweep"])
        least = common_level(none, MNIST.margin, how)
        return shares(*(reaches(arm, least, how) for arm in (batch, none)))

    return Part("runs of the sweep that work, BN − none", MORE, RUNS, wider)


def _ends_higher(runs: Experiments) -> Part:
    def tuned(how: str) -> list[Runs]:
        return [at_best_rate(arm, how) for arm in arms(runs["main"])]

    return level("test accuracy, BN − none", MORE, tuned, runs, at={}, primary=RUNNING)


def _shifts_less(runs: Experiments, what: str, layer: str) -> Part:
    """BN / none by Definition 2.1, once the network without norm learns, at the paper's rate."""
    return shift_part(runs, what, layer, OFF, 0.1, LESS)


def _replaces(runs: Experiments, init: str) -> Part:
    """One-sided, with S0.3's margin: BN from the default start is at most a point worse, at the
    learning rate of the other."""

    def pair(how: str) -> list[Runs]:
        batch, _ = arms(runs["main"])
        started = pick(runs["scaled_start"], init=init, norm="none")
        (rate,) = started.values("lr")
        return [pick(batch, lr=rate), started]

    text = "test accuracy, BN from PyTorch's start − none from a good one"
    return level(text, AT_LEAST, pair, runs, at={}, bound=-CIFAR.margin)


def _as_good(runs: Experiments) -> Part:
    """With batch norm the wild start is at most a point worse than He's."""

    def pair(how: str) -> list[Runs]:
        return [arms(runs[name])[0] for name in ("normal", "cnn")]

    text = "test accuracy with BN, N(0, 1) − He's start"
    return level(text, AT_LEAST, pair, runs, at={}, bound=-CIFAR.margin)


def _dropped(runs: Experiments, place: str) -> Part:
    """What dropout takes from the final accuracy with batch norm, where the evaluation is not to
    blame."""

    def fall(how: str) -> Finding:
        batch, _ = arms(runs["dropout"])
        pair = pick(batch, dropout=RATE, dropout_at=place), pick(batch, dropout=0.0)
        return contrast(*pair, accuracy, PRECISE, runs)

    return Part("test accuracy with BN, with dropout − without", LESS, CIFAR, fall, PRECISE)


def _longer(runs: Experiments, one: str, other: str) -> Part:
    return Part(
        "time of a step, BN / none", MORE, RATIO, lambda how: pace(runs["timing"], one, other)
    )

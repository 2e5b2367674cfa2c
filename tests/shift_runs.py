"""Runs of the chapter on internal covariate shift that nobody trained, with chosen effects."""

from collections.abc import Callable

import numpy as np
from made_up import made_up_run
from vgg_runs import noise

from bnlib.claims import cards
from bnlib.claims.card import Card
from bnlib.claims.shift import SHIFT
from bnlib.recipe import DeepLinear, Recipe
from bnlib.run import Run, Runs

BASE = Recipe(dataset="cifar10", model="vgg_a", activation="relu", epochs=4)
NAMES = np.array(["conv3", "conv5", "conv7", "fc2"])
LOOKS = 40


def card(claim: str, **runs: Runs) -> Card:
    (found,) = cards([known for known in SHIFT if known.id == claim], runs)
    return found


def words(claim: str, **runs: Runs) -> list[str]:
    return [answer.word for answer in card(claim, **runs).answers]


def leaves(seed: int) -> int:
    """The look at which the made-up network without norm is first off its plateau."""
    return 6 + 2 * seed


def arrays_of(
    recipe: Recipe | DeepLinear,
    names: np.ndarray,
    loss: np.ndarray,
    power: Callable[[str], np.ndarray],
) -> dict[str, np.ndarray]:
    """Shifts with batch norm ``power(figure)`` factors of two above those without, at each look.
    Every third look is a half and every third eight times the median."""
    each = np.tile([0.5, 1, 8], LOOKS // 3 + 1)[:LOOKS]
    normed = recipe.norm != "none"

    def level(figure: str, salt: int = 0) -> np.ndarray:
        found = each * 2.0 ** (0.03 * noise(recipe, salt)) * 2.0 ** (normed * power(figure))
        return np.repeat(found[:, None], len(names), axis=1)

    length = level("length", 1)
    return {
        "shift_steps": np.arange(LOOKS),
        "shift_layers": names,
        "shift_loss": loss,
        "shift_norm": length,
        "shift_norm_after": length,
        "shift_difference": level("distance"),
        "shift_cosine": np.cos(np.radians(level("angle", 2))),
        "shift_change": np.full((LOOKS, len(names)), 0.01),
    }


def shift_runs(on: dict | float = 0.0, off: dict | float = 0.0, lrs=(0.1, 0.03)) -> Runs:
    """On and off the plateau of the network without norm: so many factors of two of the figures
    distance, length (of G) and angle with batch norm. Its loss falls from 2.1 to 0.9 in both arms
    once the plateau is over, so that equal loss says what "off" says."""

    def run(recipe: Recipe) -> Run:
        end = leaves(recipe.seed)
        early = np.arange(LOOKS) < end
        loss = np.where(early, 2.3, np.linspace(2.1, 0.9, LOOKS))

        def power(figure: str) -> np.ndarray:
            each = [p.get(figure, 0.0) if isinstance(p, dict) else p * (figure != "length")
                    for p in (on, off)]  # fmt: skip
            return np.where(early, *each)

        return made_up_run(recipe, 0.6, **arrays_of(recipe, NAMES, loss, power))

    return Runs(run(one) for one in BASE.grid(lr=lrs, norm=("none", "batch"), seed=range(6)))


def linear_runs(power: float = 0.0) -> Runs:
    names = np.array(["layer 9", "layer 17"])

    def run(recipe: DeepLinear) -> Run:
        found = arrays_of(
            recipe, names, np.linspace(9, 1, LOOKS), lambda f: power * (f != "length")
        )
        made = made_up_run(BASE)
        return Run(recipe, {"loss": [1.0]}, {"diverged": False}, made.provenance, found)

    return Runs(
        run(one)
        for one in DeepLinear().grid(lr=(1e-6, 1e-7), norm=("none", "batch"), seed=range(5))
    )


ACCURACY = {"none": 0.50, "batch": 0.60, "noisy": 0.58, "noise": 0.10}


def noise_runs(on: float = -0.01, moves: float = 1.0, **accuracy: float) -> Runs:
    """The four arms at these test and training accuracies; with the noise on, ``on`` more. The
    inputs of noisy batch norm travel ``moves`` factors of two further than those without norm."""
    ends = ACCURACY | accuracy

    def run(recipe: Recipe) -> Run:
        noisy = recipe.norm in ("noisy", "noise")
        acc = ends[recipe.norm] + 0.002 * noise(recipe) * (recipe.norm != "noise")
        far = 0.1 * 2.0 ** (moves * (recipe.norm == "noisy") + 0.03 * noise(recipe, 1))
        made = made_up_run(recipe, acc, inputs_after_step=np.full((9, 10), far))
        made.summary["class_acc"] = [acc] * 10
        for how in ("", "_precise"):
            made.summary.update({f"val_acc{how}": acc, f"test_acc{how}": acc})
            made.arrays[f"acc_noise{how}"] = np.full(4, acc + on * noisy)
        made.summary["train_acc"] = acc
        return made

    return Runs(run(one) for one in BASE.grid(norm=tuple(ACCURACY), seed=range(6)))

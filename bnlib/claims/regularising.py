"""The controlled study's claims on regularisation and schedules (S1.13, S1.14, S1.23, S1.24), and
whether batch norm regularises (S0.10)."""

from collections.abc import Callable

import numpy as np

from bnlib.analysis.course import rise
from bnlib.analysis.findings import Finding, mean
from bnlib.analysis.learning import PRECISE, best, over_epochs, time_constants
from bnlib.analysis.matched import accuracy_at, common_loss
from bnlib.claims.arms import Experiments, arms, contrast, need, pick
from bnlib.claims.claim import claim
from bnlib.claims.controlled import DATED, NORMS, SOURCE
from bnlib.claims.judge import AT_MOST, LESS, MORE, Part
from bnlib.claims.margins import CIFAR, NATS
from bnlib.claims.outcomes import level
from bnlib.claims.regularisers import SETTLED
from bnlib.run import Runs

ENOUGH = 40  # epochs after which a network that can fit its data has
RATE = 0.01  # the source's


@claim(
    "S1.13",
    source=SOURCE,
    dated=DATED,
    says="A little weight decay (L2, 5e-4) helps both networks; batch norm stays ahead.",
    rule="The MLP on CIFAR-10 at a constant learning rate, since weight decay acts through its "
    f"time constant: runs of at least {SETTLED} of them. Test accuracy after the last epoch is "
    "higher with λ = 5e-4 than without, with and without BN; with λ it is higher with BN than "
    "without. Judged with running averages.",
    needs=["decay"],
)
def decay_helps(runs: Experiments) -> list[Part]:
    def settled(arm: Runs) -> Runs:
        need(time_constants(arm[0]) >= SETTLED, f"{SETTLED} time constants of the weight decay")
        return arm

    def decayed(place: int) -> Runs:
        arm = arms(runs["decay"])[place]
        return settled(pick(arm, weight_decay=max(arm.values("weight_decay"))))

    def gain(place: int):
        def both(how: str) -> list[Runs]:
            return [decayed(place), pick(arms(runs["decay"])[place], weight_decay=0.0)]

        return both

    text = "test accuracy, λ = 5e-4 − no L2"
    return [
        level(text, MORE, gain(place), runs, at={"norm": norm}) for place, norm in enumerate(NORMS)
    ] + [
        level(
            "test accuracy with L2, BN − none",
            MORE,
            lambda how: [decayed(0), decayed(1)],
            runs,
            at={},
        )
    ]


@claim(
    "S1.14",
    source=SOURCE,
    dated=DATED,
    says="With dropout (.5) both networks converge much slower, to the best accuracies of all, and "
    "batch norm is not ahead.",
    rule="The deep CNN on CIFAR-10, dropout behind the first convolution of each pair and the "
    "hidden linear layer. Slower: lower validation accuracy on the mean over the epochs. Best: "
    "higher test accuracy after the last epoch than without; asked only of runs long enough for "
    f"dropout to pay, whose test loss without it has risen by {NATS.margin:g} nats from its "
    "lowest. Not ahead: with dropout the test accuracy with BN is at most 1 point higher than "
    "without BN. Judged with running averages.",
    needs=["dropout", "cnn"],
)
def dropout_slows_and_helps(runs: Experiments) -> list[Part]:
    def dropped(place: int) -> Runs:
        return arms(runs["dropout"])[place]

    def plain(place: int) -> Runs:
        return arms(runs["cnn"])[place]

    def long_enough(place: int):
        def both(how: str) -> list[Runs]:
            overfits = rise(plain(place), how).mean() > NATS.margin
            need(bool(overfits), "a test loss that rises without dropout: more epochs")
            return [dropped(place), plain(place)]

        return both

    slower, best_of_all = "mean validation accuracy over the epochs", "test accuracy"
    by_norm = [
        part
        for place, norm in enumerate(NORMS)
        for part in (
            level(
                f"{slower}, dropout − without",
                LESS,
                lambda how, place=place: [dropped(place), plain(place)],
                runs,
                measure=over_epochs,
                at={"norm": norm},
            ),
            level(
                f"{best_of_all}, dropout − without",
                MORE,
                long_enough(place),
                runs,
                at={"norm": norm},
            ),
        )
    ]
    draw = level(
        "test accuracy with dropout, BN − none",
        AT_MOST,
        lambda how: [dropped(0), dropped(1)],
        runs,
        at={},
        bound=CIFAR.margin,
    )
    return [*by_norm, draw]


@claim(
    "S1.23",
    source=SOURCE,
    dated=DATED,
    says="Both networks reach near-zero training losses on all data sets.",
    rule=f"The training loss of the last epoch is at most {NATS.margin:g} nats, of runs of at "
    f"least {ENOUGH} epochs without weight decay, with and without BN: the MLP and, where its runs "
    "are that long, the deep CNN.",
    needs=["decay", "cnn"],
)
def fits_everything(runs: Experiments) -> list[Part]:
    def fitted(name: str, place: int):
        def find(how: str) -> Finding:
            arm = pick(arms(runs[name])[place], weight_decay=0.0)
            enough = min(run.recipe.epochs for run in arm) >= ENOUGH
            need(enough, f"runs of {ENOUGH} epochs")
            return mean(arm.final("train_loss"))

        return find

    return [
        Part(
            "training loss at the end",
            AT_MOST,
            NATS,
            fitted(name, place),
            at={"net": net, "norm": norm},
            bound=NATS.margin,
        )
        for name, net in (("decay", "MLP"), ("cnn", "deep CNN"))
        for place, norm in enumerate(NORMS)
    ]


@claim(
    "S1.24",
    source=SOURCE,
    dated="2026-11-21T21:18:00+00:00",
    says="The initial learning rate and its decay are crucial: if you optimise one thing, optimise "
    "those.",
    rule="The MLP on CIFAR-10, with and without BN. The rate: test accuracy at the rate of the "
    "grid that validation data chooses is higher than at ten times less and at ten times more. Its "
    "decay: in as many epochs, at the source's rate, test accuracy is higher with the "
    "plateau schedule, where that lowers the rate in every run, and with the cosine, than with a "
    "constant rate. Judged with running averages.",
    needs=["rates", "schedules"],
)
def rate_is_crucial(runs: Experiments) -> list[Part]:
    def against(place: int, factor: float):
        def both(how: str) -> list[Runs]:
            arm = arms(runs["rates"])[place]
            chosen = best(arm, "lr", how)
            near = [lr for lr in arm.values("lr") if np.isclose(lr, chosen * factor)]
            need(bool(near), f"a grid that goes on to {factor:g} times the best rate")
            return [pick(arm, lr=chosen), pick(arm, lr=near[0])]

        return both

    def scheduled(place: int, schedule: str):
        def both(how: str) -> list[Runs]:
            arm = arms(runs["schedules"])[place]
            decayed, constant = (pick(arm, schedule=name) for name in (schedule, "constant"))
            lowered = all(run.history["lr"][-1] < run.history["lr"][0] for run in decayed)
            need(lowered, "runs so long that the schedule lowers the rate in each")
            return [decayed, constant]

        return both

    rates = [
        level(
            "test accuracy, best rate − another",
            MORE,
            against(place, factor),
            runs,
            at={"other": name, "norm": norm},
        )
        for factor, name in ((0.1, "ten times less"), (10, "ten times more"))
        for place, norm in enumerate(NORMS)
    ]
    decays = [
        level(
            "test accuracy, decaying rate − constant",
            MORE,
            scheduled(place, schedule),
            runs,
            at={"other": schedule, "norm": norm},
        )
        for schedule in ("plateau", "cosine")
        for place, norm in enumerate(NORMS)
    ]
    return rates + decays


@claim(
    "S0.10",
    source="Ioffe & Szegedy 2015, repeated in S0, S1 and S2",
    dated=DATED,
    says="Batch norm regularises.",
    rule="At the same training loss, the lowest that all runs compared come down to, the test "
    "accuracy is higher: with BN than without, for the MLP at batches of 256 and the deep CNN; "
    "and, since the noise of small batches is said to do it, with BN over parts of 16 and of 64 "
    "images than over the whole batch of 256. On straight lines between the epochs, by precise "
    "statistics, which take the noise of the averages out.",
    needs=["ghost", "cnn"],
)
def regularises(runs: Experiments) -> list[Part]:
    def batch(parts: int) -> Runs:
        return pick(runs["ghost"], norm=_norm(runs["ghost"]), ghost=parts)

    def mlp() -> list[Runs]:
        return [batch(0), pick(runs["ghost"], norm="none")]

    def compared(two: Callable[[], list[Runs]], among: Callable[[], list[Runs]]):
        def find(how: str) -> Finding:
            loss = common_loss(among())
            return contrast(*two(), lambda arm, way: accuracy_at(arm, loss, way), how, runs)

        return find

    def every() -> list[Runs]:
        return [*mlp(), *(batch(parts) for parts in parts_of(runs["ghost"]))]

    found = [
        Part(
            "test accuracy at the same training loss, BN − none",
            MORE,
            CIFAR,
            compared(mlp, every),
            PRECISE,
            {"net": "MLP"},
        ),
        Part(
            "test accuracy at the same training loss, BN − none",
            MORE,
            CIFAR,
            compared(lambda: list(arms(runs["cnn"])), lambda: list(arms(runs["cnn"]))),
            PRECISE,
            {"net": "deep CNN"},
        ),
    ]
    return found + [
        Part(
            f"test accuracy at the same training loss, BN over {parts} images − over the batch",
            MORE,
            CIFAR,
            compared(lambda parts=parts: [batch(parts), batch(0)], every),
            PRECISE,
            {"net": "MLP"},
        )
        for parts in parts_of(runs["ghost"])
    ]


def parts_of(ghost: Runs) -> list[int]:
    """The sizes of the ghost batches, without the whole batch."""
    return sorted(size for size in ghost.values("ghost") if size)


def _norm(some: Runs) -> str:
    return next(norm for norm in some.values("norm") if norm != "none")


REGULARISING = (
    decay_helps,
    dropout_slows_and_helps,
    fits_everything,
    rate_is_crucial,
    regularises,
)

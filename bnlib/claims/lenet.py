"""The LeNet review's claims (S2.19 to S2.22)."""

import numpy as np

from bnlib.claims.claim import Claim
from bnlib.claims.judge import Finding, Verdict, above, together, within
from bnlib.run import Runs

SOURCE = "Hamidi, LeNet review (S2)"
EQUAL = 0.1  # percentage points: 10 of the 10,000 test images
SAME_TIME = 10.0  # percent of a training step's time


def no_benefit(runs: dict[str, Runs]) -> Verdict:
    main, sweep = runs["main"], runs["sweep"]
    batch, none = main.where(norm="batch"), main.where(norm="none")
    findings = [
        Finding.of_pairs(
            f"test accuracy, BN − none, lr {none[0].recipe.lr:g}, {how}",
            batch.final(column),
            none.final("test_acc"),
        )
        for how, column in (
            ("running averages", "test_acc"),
            ("precise statistics", "test_acc_precise"),
        )
    ]
    word = together(within(finding, EQUAL) for finding in findings)
    rates = {norm: sweep.where(norm=norm).best("lr") for norm in ("batch", "none")}
    more = runs["best"]  # the sweep's best rate again, with more seeds
    at_best = [
        (more if lr in more.values("lr") else sweep).where(norm=norm, lr=lr).final("test_acc")
        for norm, lr in rates.items()
    ]
    pairs = min(map(len, at_best))  # by seed
    own = f"each at its own best lr (BN {rates['batch']:g}, none {rates['none']:g})"
    arms = (arm[:pairs] for arm in at_best)
    findings.append(Finding.of_pairs(f"test accuracy, BN − none, {own}", *arms))
    shown = [np.round(100 * arm.final("test_acc").mean()) for arm in (batch, none)]
    because = (
        f"In whole percent, as the source reports it, the arms read {shown[0]:.0f} % and "
        f"{shown[1]:.0f} %. In hundredths the difference at the source's learning rate is "
        f"{findings[0].mean:+.2f} points, against a margin of ±{EQUAL:g}."
    )
    return Verdict(word, because, tuple(findings))


def same_as_pytorch(runs: dict[str, Runs]) -> Verdict:
    main, times = runs["main"], runs["timing"]
    ours, theirs = main.where(norm="batch"), main.where(norm="torch")
    accuracy = Finding.of_pairs(
        "test accuracy, ours − PyTorch's", ours.final("test_acc"), theirs.final("test_acc")
    )
    a, b = (np.array(times[0].history[norm]) for norm in ("batch", "torch"))
    seconds = Finding.of_pairs(
        "time of a training step, ours against PyTorch's",
        a / b,
        np.ones_like(b),
        unit="percent",
    )
    words = within(accuracy, EQUAL), within(seconds, SAME_TIME)
    because = (
        f"Same accuracy: {words[0]}. Same running time: {words[1]}; "
        f"our step takes {1 + seconds.mean / 100:.2f} times PyTorch's."
    )
    return Verdict(together(words), because, (accuracy, seconds))


def padding_helps(runs: dict[str, Runs]) -> Verdict:
    found = {}
    for norm, name in (("none", "no norm"), ("batch", "BN")):
        padded, bare = runs["main"].where(norm=norm), runs["unpadded"].where(norm=norm)
        found[name] = Finding.of_pairs(
            f"test accuracy, 32×32 − 28×28, {name}",
            padded.final("test_acc"),
            bare.final("test_acc"),
        )
    words = {name: above(finding) for name, finding in found.items()}
    because = "; ".join(f"{name}: {word}" for name, word in words.items()) + "."
    return Verdict(together(words.values()), because, tuple(found.values()))


def hardest_classes(runs: dict[str, Runs]) -> Verdict:
    plain = runs["main"].where(norm="none")
    accuracy = np.array([run.summary["class_acc"] for run in plain])  # (seeds, digits)
    named = [7, 9]  # the source's "8" and "10" if its classes are counted from 1
    others = [digit for digit in range(10) if digit not in named]
    finding = Finding.of_pairs(
        "accuracy without BN, digits 7 and 9 − the other eight",
        accuracy[:, named].mean(1),
        accuracy[:, others].mean(1),
    )
    lowest = np.argsort(accuracy.mean(0))[:2]
    because = (
        "MNIST's classes are the digits 0 to 9: there is no class 10. Counted from 1, the source's "
        "“10” and “8” are the digits 9 and 7. Over our seeds the two hardest digits are "
        f"{lowest[0]} and {lowest[1]}."
    )
    word = "mixed" if set(lowest) == set(named) else "contradicted"
    return Verdict(word, because, (finding,), text=True)


LENET = (
    Claim(
        "S2.19",
        SOURCE,
        "LeNet on MNIST reaches 98 % with and without BN (learning rate .9, 10 epochs): BN brings "
        "no benefit.",
        f"Equal means that the 95 % interval of the paired difference lies within ±{EQUAL:g} "
        "points at the source's learning rate, with running averages and with precise "
        "statistics; words that differ give “mixed”. The comparison at each arm's own best rate "
        "stands beside it.",
        no_benefit,
    ),
    Claim(
        "S2.20",
        SOURCE,
        "BN written by hand differs from PyTorch's neither in accuracy nor in running time.",
        f"Accuracy: the interval of the paired difference lies within ±{EQUAL:g} points. Time: the "
        f"interval of the ratio of a training step lies within ±{SAME_TIME:g} %.",
        same_as_pytorch,
    ),
    Claim(
        "S2.21",
        SOURCE,
        "Keeping the 32×32 input, that is, padding MNIST's 28×28 images, enhances the performance "
        "(reported from LeCun et al.).",
        "The interval of the paired difference 32×32 − 28×28 lies above zero, with and without BN.",
        padding_helps,
    ),
    Claim(
        "S2.22",
        SOURCE,
        "The classes “10” and “8” have lower accuracy than the others.",
        "By reading: the names are wrong whatever the runs say. Mixed if the digits that they "
        "stand for when counted from 1 are the hardest two all the same, else contradicted. (This "
        "choice of word was added after the runs had been seen.)",
        hardest_classes,
    ),
)

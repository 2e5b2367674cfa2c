"""The claims about LeNet on MNIST (S2.19 to S2.22)."""

from bnlib.analysis.counts import share
from bnlib.analysis.digits import among_the_two_hardest
from bnlib.analysis.learning import RUNNING, accuracy
from bnlib.analysis.rates import at_best
from bnlib.claims.arms import Experiments, contrast, pace, paired_contrast, pick
from bnlib.claims.claim import claim, erratum
from bnlib.claims.judge import AT_LEAST, EQUAL, MORE, Part
from bnlib.claims.margins import MNIST, RATIO, RUNS
from bnlib.run import of_the_same_seeds

SOURCE = "Review of batch normalisation with LeNet (S2)"
WHOLE_PERCENT = 1.0  # the source's resolution, in points


@claim(
    "S2.19",
    source=SOURCE,
    says="LeNet on MNIST reaches 98 % with and without BN (learning rate .9, 10 epochs): BN's "
    "advantages were not noticed.",
    rule="Test accuracy after the last epoch, BN − none, is equal, in three parts: at the source's "
    "learning rate to a whole percent, which is what the source prints; there to a tenth of a "
    "point; and to a tenth of a point with each arm at its own best rate, which validation data "
    "chooses. Judged with running averages, as the source evaluates.",
    needs=["main"],
)
def no_benefit(runs: Experiments) -> list[Part]:
    batch, none = (pick(runs["main"], norm=norm) for norm in ("batch", "none"))

    def at_the_sources_rate(how: str):
        return contrast(batch, none, accuracy, how, runs)

    def at_best_rates(how: str):
        chosen = {
            norm: at_best(norm, how, runs["sweep"], runs["main"], runs["best"])
            for norm in ("batch", "none")
        }
        rates = {norm: arm[0].recipe.lr for norm, arm in chosen.items()}
        note = f"BN {rates['batch']:g}, none {rates['none']:g}"
        return contrast(chosen["batch"], chosen["none"], accuracy, how, runs, note)

    def equal(find, where: str, margin: float = MNIST.margin) -> Part:
        what = "test accuracy, BN − none"
        return Part(what, EQUAL, MNIST, find, RUNNING, {"where": where}, margin=margin)

    return [
        equal(at_the_sources_rate, "in whole percents", WHOLE_PERCENT),
        equal(at_the_sources_rate, "to a tenth of a point"),
        equal(at_best_rates, "at each arm's best rate"),
    ]


@claim(
    "S2.20",
    source=SOURCE,
    says="BN written by hand differs from PyTorch's neither in accuracy nor in running time.",
    rule="Accuracy: ours − PyTorch's, paired, since they train the same networks on the same "
    f"batches; equal to ± {MNIST.margin:g} points. Time of a training step: equal to a factor of "
    "1.25 either way, first for BN as a reader of the source would write it, with autograd, then "
    "for ours, whose backward pass is written by hand.",
    needs=["main"],
)
def same_as_pytorch(runs: Experiments) -> list[Part]:
    ours, theirs = of_the_same_seeds(
        *(pick(runs["main"], norm=norm) for norm in ("batch", "torch"))
    )

    def faster(norm: str):
        return lambda how: pace(runs["timing"], norm, "torch")

    return [
        Part(
            "test accuracy, ours − PyTorch's",
            EQUAL,
            MNIST,
            lambda how: paired_contrast(ours, theirs, accuracy, how),
            RUNNING,
        ),
        Part("time of a step, written with autograd / PyTorch's", EQUAL, RATIO, faster("naive")),
        Part("time of a step, ours / PyTorch's", EQUAL, RATIO, faster("batch")),
    ]


@claim(
    "S2.21",
    source="LeCun et al. 1998, as reported in the review (S2)",
    says="Keeping the 32×32 input, that is, padding MNIST's 28×28 images, enhances the "
    "performance.",
    rule="Test accuracy after the last epoch is higher with 32×32 inputs than with 28×28, with and "
    "without BN, at the review's learning rate. Judged with running averages.",
    needs=["main", "unpadded"],
)
def padding_helps(runs: Experiments) -> list[Part]:
    def helps(norm: str):
        padded, bare = (pick(runs[name], norm=norm) for name in ("main", "unpadded"))
        return lambda how: contrast(padded, bare, accuracy, how, runs)

    what = "test accuracy, 32×32 − 28×28"
    return [
        Part(what, MORE, MNIST, helps(norm), RUNNING, {"norm": where})
        for norm, where in (("none", "without BN"), ("batch", "with BN"))
    ]


@claim(
    "S2.22",
    source=SOURCE,
    says="The classes “10” and “8” have lower accuracy than the others.",
    rule="Counted from 1, the names mean the digits 9 and 7. Each is among the two hardest digits "
    "of the network without BN in at least half of the runs: counted run by run, since the second "
    "hardest digit changes from seed to seed.",
    needs=["main"],
)
def hardest_digits(runs: Experiments) -> list[Part]:
    plain = pick(runs["main"], norm="none")
    return [
        Part(
            "among the two hardest",
            AT_LEAST,
            RUNS,
            lambda how, digit=digit: share(among_the_two_hardest(plain, digit)),
            at={"digit": f"the digit {digit}"},
            bound=0.5,
        )
        for digit in (9, 7)
    ]


@erratum("S2.22", source=SOURCE, says="The classes “10” and “8”.")
def no_class_ten(runs: Experiments) -> str:
    return (
        "MNIST's classes are the digits 0 to 9: there is no class 10. Counted from 1, “10” and "
        "“8” are the digits 9 and 7."
    )


LENET = (no_benefit, same_as_pytorch, padding_helps, hardest_digits, no_class_ten)

"""Recipe: everything that determines one training run, and nothing else.

A recipe's id is a hash of the fields that differ from their defaults, so a field added later
keeps the ids of the records that exist. For the same reason a default never changes.
"""

import functools
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bnlib.catalogue import DATASETS, NETS, NORMS, Catalogue
from bnlib.errors import BookError

# What a record may have been made under, newest first: the code still stands for each. One is added
# in front when a change moves the bits that a recipe gives; old records keep their number.
# 1: batch norm in some forty operations. 2: in a third of them, precise statistics without a count.
PROTOCOLS = (2, 1)
PROTOCOL = PROTOCOLS[0]

Positive = Annotated[float, Field(gt=0)]
Natural = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]

PROBES = (
    "affine",
    "calibration",
    "curvature",
    "landscape",
    "layer_inputs",
    "logits",
    "noise",
    "plane",
    "predictions",
    "s2_evaluation",
    "shift",
    "unit_inputs",
    "units",
    "variance_shift",
    "weights",
)
GHOSTS = ("none", "batch")  # ghost parts change nothing without a norm
# those that sample every so many steps
SAMPLING = ("curvature", "landscape", "layer_inputs", "shift")


class Frozen(BaseModel):
    """Checked when it is made, never changed afterwards, known by a short id."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as wrong:
            raise BookError(_one_line(type(self), wrong)) from None

    def but(self, **changes: Any) -> Self:
        """The same recipe with some fields changed; the result is checked like any other."""
        return type(self)(**{name: getattr(self, name) for name in self.model_fields_set} | changes)

    def grid(self, **axes: Iterable[Any]) -> list[Self]:
        """A recipe for every combination of these fields' values, the last one changing fastest."""
        return [
            self.but(**dict(zip(axes, values, strict=True)))
            for values in itertools.product(*axes.values())
        ]

    def changed(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as JSON values."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @functools.cached_property
    def arm(self) -> str:
        """The same for recipes that differ in seed and probes only."""
        kept = {k: v for k, v in self.changed().items() if k != "seed" and k[:5] != "probe"}
        return json.dumps([type(self).__name__, kept], sort_keys=True)

    @classmethod
    def restore(cls, fields: dict[str, Any]) -> Self:
        """The recipe whose ``changed()`` is ``fields``."""

        def python(value: Any) -> Any:
            if isinstance(value, dict):
                return Recipe.restore(value)
            return tuple(value) if isinstance(value, list) else value

        return cls(**{name: python(value) for name, value in fields.items()})

    @property
    def id(self) -> str:
        return self.id_under(PROTOCOL)

    @property
    def ids(self) -> list[str]:
        """The ids that its record may have, the newest protocol's first."""
        return [self.id_under(protocol) for protocol in PROTOCOLS]

    def id_under(self, protocol: int) -> str:
        """The id that a record made under ``protocol`` has."""
        text = json.dumps([type(self).__name__, protocol, self.changed()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.changed())
        return f"{type(self).__name__}({fields})"

    __str__ = __repr__


class Recipe(Frozen):
    # the data
    dataset: Literal[tuple(DATASETS)] = "mnist"
    # pixels a side: digits' 28 are padded with background to 32; alexnet scales 32 up to 64 or 224
    image_size: Literal[28, 32, 64, 224] = 32
    standardise: Literal["channel", "scalar"] = "channel"  # by each channel's moments, or all's
    augment: Literal["none", "crop_flip"] = "none"  # of training images, drawn anew each epoch
    # the network
    model: Literal[tuple(NETS)] = "lenet"
    width: Annotated[float, Field(gt=0, le=4)] = 1.0  # times the channels and units of each layer
    dropout: Share = 0.0  # share of the activations set to 0 in training
    # behind the hidden linear layers, the convolutions, or as ``models.deep_cnn`` says
    dropout_at: Literal["fc", "conv", "pair"] = "fc"
    norm: Literal[tuple(NORMS)] = "none"  # between each layer, but for the last, and activation
    norm_at: Literal["before", "after"] = "before"  # the activation
    ghost: Annotated[int, Field(ge=0)] = 0  # images normalised together; 0: the whole batch
    activation: Literal["tanh", "relu", "sigmoid", "elu"] = "tanh"
    # "default" is PyTorch's, "normal_inside" N(0, init_std) but for the last layer, which has He's
    init: Literal["default", "xavier", "he", "normal", "normal_inside"] = "default"
    init_std: Positive = 1.0  # of "normal" and "normal_inside"
    # the training
    loss: Literal["ce", "mse", "smooth_l1", "bce"] = "ce"
    optimizer: Literal["sgd", "adam", "adagrad", "adadelta"] = "sgd"
    lr: Positive = 0.1  # at the start; the peak of "onecycle", the rest of "warmup"
    momentum: Share = 0.0  # of "sgd"
    nesterov: bool = False
    # "start": a layer's rate times its weights' squared length at the start over that of He's start
    layer_rates: Literal["same", "start"] = "same"
    clip: Annotated[float, Field(ge=0)] = 0.0  # a longer gradient is cut to this length; 0: never
    weight_decay: Annotated[float, Field(ge=0)] = 0.0  # L2, added to the gradient
    schedule: Literal["constant", "plateau", "cosine", "onecycle", "warmup"] = "constant"
    batch_size: Annotated[int, Field(ge=2)] = 128  # an epoch's incomplete last batch is left out
    epochs: Natural = 10
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    # the measurement
    probes: tuple[Literal[PROBES], ...] = ()
    probe_every: Natural = 50  # steps from one sample of a probe to the next
    probe_etas: tuple[Positive, Positive] = (0.05, 0.4)  # the landscape's step sizes
    seed: Annotated[int, Field(ge=0)] = 0  # initial weights, order of the data, noise

    @model_validator(mode="after")
    def fields_agree(self) -> Self:
        size = self.image_size
        _only(f"image_size {size}", DATASETS, self.dataset, lambda data: data.size <= size)
        _only(f"image_size {size}", NETS, self.model, lambda net: size in net.sizes)
        if self.augment != "none":
            _only(
                "augment",
                DATASETS,
                self.dataset,
                lambda data: (data.channels, data.size) == (3, 32),
            )
        if self.width != 1.0:
            _only("width", NETS, self.model, lambda net: net.scales)
        if self.dropout:
            _only("dropout", NETS, self.model, lambda net: self.dropout_at in net.dropout)
        if self.dropout_at != "fc" and not self.dropout:
            raise ValueError("dropout_at needs a dropout above 0")
        if self.optimizer != "sgd" and (self.momentum or self.nesterov):
            raise ValueError(f"momentum and nesterov belong to 'sgd', not {self.optimizer!r}")
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0")
        if self.init_std != 1.0 and not self.init.startswith("normal"):
            raise ValueError(f"init_std belongs to init 'normal', not {self.init!r}")
        if self.layer_rates == "start" and (self.init, self.optimizer) != ("normal_inside", "sgd"):
            raise ValueError("layer_rates 'start' is for init 'normal_inside' and optimizer 'sgd'")
        if self.ghost == 1 or (self.ghost and self.norm not in GHOSTS):
            raise ValueError(f"ghost is 2 or more, with norm {' or '.join(map(repr, GHOSTS))}")
        if list(self.probes) != sorted(set(self.probes)):
            raise ValueError(f"probes are named once, in alphabetical order, not {self.probes}")
        if "landscape" not in self.probes and "probe_etas" in self.changed():
            raise ValueError("probe_etas belongs to the probe 'landscape'")
        if not {*SAMPLING} & {*self.probes} and "probe_every" in self.changed():
            raise ValueError(f"probe_every belongs to the probes {', '.join(map(repr, SAMPLING))}")
        if self.probe_etas[0] >= self.probe_etas[1]:
            raise ValueError(f"probe_etas are a smallest and a largest step, not {self.probe_etas}")
        return self


class DeepLinear(Frozen):
    """Santurkar et al.'s deep linear network (2018): it learns y = Ax by gradient descent on the
    squared error, summed over outputs and samples, with all samples in every step."""

    norm: Literal["none", "batch"] = "none"  # between the layers
    layers: Annotated[int, Field(ge=2)] = 25
    width: Natural = 10  # of every layer, of x and of y
    samples: Annotated[int, Field(ge=2)] = 1000
    lr: Positive = 1e-6
    steps: Natural = 10_000
    watched: tuple[Natural, ...] = (9, 17)  # the layers whose shift is measured, counted from 1
    probe_every: Natural = 100  # steps from one look to the next
    seed: Annotated[int, Field(ge=0)] = 0  # initial weights (Xavier's), A and x

    @model_validator(mode="after")
    def layers_are_there(self) -> Self:
        if not all(2 <= layer <= self.layers for layer in self.watched):
            raise ValueError(f"watched layers are 2 to {self.layers}, not {self.watched}")
        return self


class Timing(Frozen):
    """What is timed: training steps of several arms, in turn, in one process."""

    recipe: Recipe  # the network and its training; its norm is replaced by each of ``norms``
    norms: tuple[Literal[tuple(NORMS)], ...] = tuple(n for n, norm in NORMS.items() if norm.timed)
    models: tuple[Literal[tuple(NETS)], ...] = ()  # its model by each of these too; none: it stays
    device: Literal["cpu", "cuda"] = "cpu"
    steps: Natural = 50  # of one repeat
    repeats: Annotated[int, Field(ge=5)] = 15  # of every arm, the arms taking turns

    @model_validator(mode="after")
    def every_arm_is_a_recipe(self) -> Self:
        self.arms()
        return self

    def arms(self) -> dict[str, Recipe]:
        """What takes turns, by name: the norm's, with the model's in front where several stand."""
        if not self.models:
            return {norm: self.recipe.but(norm=norm) for norm in self.norms}
        nets = {
            model: self.recipe.but(model=model, **({} if NETS[model].scales else {"width": 1.0}))
            for model in self.models
        }
        return {
            f"{model} {norm}": net.but(norm=norm)
            for model, net in nets.items()
            for norm in self.norms
        }


AnyRecipe = Recipe | DeepLinear | Timing


def _only(what: str, known: Catalogue, name: str, fits: Callable[[Any], bool]) -> None:
    """What only some of the entries take is refused for the others."""
    if not fits(known[name]):
        takers = ", ".join(repr(other) for other, entry in known.items() if fits(entry))
        raise ValueError(f"{what} is for {takers}, not {name!r}")


def _one_line(kind: type[BaseModel], wrong: ValidationError) -> str:
    """Every mistake of a recipe in one line, with what is allowed."""
    said = []
    for error in wrong.errors():
        name = ".".join(map(str, error["loc"]))
        if error["type"] == "extra_forbidden":
            said.append(f"unknown field {name!r}; known: {', '.join(kind.model_fields)}")
        elif error["type"] == "value_error":
            said.append(str(error["ctx"]["error"]))
        else:
            said.append(f"{name}={error['input']!r}: {error['msg'].lower()}")
    return f"{kind.__name__}: {'; '.join(said)}"

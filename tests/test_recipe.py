"""A recipe is strict, its errors are one line, and its id never changes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError, create_model

from bnlib import recipe as module
from bnlib.errors import BookError
from bnlib.recipe import Recipe, Timing

DEFAULTS = {  # frozen: a changed default would give the ids of old records a new meaning
    "dataset": "mnist",
    "image_size": 32,
    "augment": "none",
    "model": "lenet",
    "width": 1.0,
    "dropout": 0.0,
    "dropout_at": "fc",
    "norm": "none",
    "activation": "tanh",
    "init": "default",
    "init_std": 1.0,
    "loss": "ce",
    "optimizer": "sgd",
    "lr": 0.1,
    "momentum": 0.0,
    "nesterov": False,
    "weight_decay": 0.0,
    "schedule": "constant",
    "batch_size": 128,
    "epochs": 10,
    "precision": "fp32",
    "probes": (),
    "seed": 0,
}
TIMING_DEFAULTS = {
    "norms": ("none", "batch", "torch"),
    "models": (),
    "device": "cpu",
    "steps": 50,
    "repeats": 15,
}
LENET = Recipe(norm="batch", lr=0.9, epochs=10, probes=("affine", "predictions"), seed=3)
SEEN = Recipe(probes=("landscape",), probe_every=9, probe_etas=(0.01, 2.0))
MLP = Recipe(dataset="digits", model="mlp", init="normal", init_std=0.01, activation="sigmoid")
ALEXNET = Recipe(dataset="cifar10", model="alexnet", width=0.25, dropout=0.5, dropout_at="conv")


def defaults(kind) -> dict:
    return {name: f.default for name, f in kind.model_fields.items() if not f.is_required()}


def test_defaults_are_the_ones_that_the_ids_of_old_records_mean():
    # a field that came later is welcome here, with its default
    assert DEFAULTS.items() <= defaults(Recipe).items()
    assert TIMING_DEFAULTS.items() <= defaults(Timing).items()


@pytest.mark.parametrize(
    ("recipe", "known"),
    [
        (Recipe(), "b02f417e71fd"),
        (LENET, "9a22aaf81bdb"),
        (MLP, "ff019624799e"),
        (ALEXNET, "64838106b984"),
        (Timing(recipe=Recipe(batch_size=64)), "1eb7b0c85359"),
        (
            Timing(recipe=ALEXNET.but(dropout=0.0, dropout_at="fc"), models=("alexnet", "lenet")),
            "3a8ccbf62150",
        ),
    ],
)
def test_ids_are_frozen(recipe, known):
    assert recipe.id_under(1) == known
    assert recipe.id == recipe.id_under(module.PROTOCOL) != known
    assert known in recipe.ids


def test_a_field_added_later_keeps_the_ids():
    later = create_model("Recipe", __base__=Recipe, warmth=(float, Field(default=0.0, ge=0)))
    assert later(**LENET.changed() | {"probes": LENET.probes}).id == LENET.id
    assert later(warmth=0.5).id != Recipe().id


def test_the_protocol_is_part_of_the_id():
    assert len({LENET.id_under(protocol) for protocol in range(5)}) == 5
    assert LENET.ids[0] == LENET.id
    assert sorted(module.PROTOCOLS, reverse=True) == list(module.PROTOCOLS)


CHOICES = {
    "dataset": st.sampled_from(["mnist", "digits"]),
    "image_size": st.sampled_from([28, 32]),
    "norm": st.sampled_from(["none", "batch", "torch"]),
    "lr": st.floats(1e-6, 10) | st.integers(1, 3),
    "weight_decay": st.floats(0, 1),
    "epochs": st.integers(1, 300),
    "probes": st.sets(st.sampled_from(module.PROBES)).map(lambda names: tuple(sorted(names))),
    "seed": st.integers(0, 10**9),
}
OF_ALEXNET = CHOICES | {
    "image_size": st.sampled_from([32, 64, 224]),
    "width": st.floats(0.01, 4),
    "dropout_at": st.sampled_from(["fc", "conv"]),
}
FIELDS = st.fixed_dictionaries({}, optional=CHOICES) | st.fixed_dictionaries(
    {"model": st.just("alexnet"), "dropout": st.floats(0.01, 0.99)}, optional=OF_ALEXNET
)


@settings(deadline=None)  # a busy machine may take its time
@given(FIELDS, FIELDS)
def test_equal_recipes_and_only_they_share_id_and_hash(some, others):
    one, other = Recipe(**some), Recipe(**others)
    same = DEFAULTS | some == DEFAULTS | others
    assert (one == other) == (one.id == other.id) == same
    assert not same or hash(one) == hash(other)


@settings(deadline=None)
@given(FIELDS)
def test_comes_back_from_json(fields):
    for made in (Recipe(**fields), SEEN, Timing(recipe=Recipe(**fields), steps=7)):
        again = type(made).restore(json.loads(json.dumps(made.changed())))
        assert again == made
        assert again.id == made.id
        assert eval(repr(made), {"Recipe": Recipe, "Timing": Timing}) == made


def test_a_default_that_is_spelt_out_changes_nothing():
    assert Recipe(lr=0.1, norm="none") == Recipe()
    assert {Recipe(lr=0.1), Recipe()} == {Recipe()}


def test_but_changes_what_it_names_and_checks_the_result():
    changed = LENET.but(lr=0.5, seed=4)
    assert changed.model_dump() == LENET.model_dump() | {"lr": 0.5, "seed": 4}
    assert LENET.lr == 0.9
    with pytest.raises(BookError, match="image_size 28"):
        LENET.but(dataset="cifar10", image_size=28)


def test_grid_is_every_combination():
    found = MLP.grid(norm=("none", "batch"), seed=range(3))
    assert found == [MLP.but(norm=n, seed=s) for n in ("none", "batch") for s in range(3)]


def test_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        LENET.lr = 0.2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"learning_rate": 0.1}, ["'learning_rate'", *DEFAULTS]),
        ({"norm": "spectral"}, ["'spectral'", "'none'", "'batch'", "'torch'"]),
        ({"dataset": "MNIST"}, ["'MNIST'", "'mnist'", "'svhn'", "'shapes'"]),
        ({"probes": ("loss",)}, ["'loss'", *module.PROBES]),
        ({"probes": ("predictions", "affine")}, ["alphabetical"]),
        ({"probes": ("affine", "affine")}, ["once"]),
        ({"probe_every": 10}, ["probe_every", "'landscape'"]),
        ({"probe_every": 10, "probes": ("affine",)}, ["'landscape'", "'shift'"]),
        ({"probe_etas": (0.1, 0.2), "probes": ("affine",)}, ["probe_etas", "'landscape'"]),
        ({"probe_etas": (0.1, 0.2), "probes": ("shift",)}, ["probe_etas", "'landscape'"]),
        ({"probe_etas": (0.4, 0.4), "probes": ("landscape",)}, ["smallest", "(0.4, 0.4)"]),
        ({"probe_etas": (0.0, 0.4), "probes": ("landscape",)}, ["probe_etas.0=0.0", "greater"]),
        ({"lr": 0.0}, ["lr=0.0", "greater than 0"]),
        ({"lr": "0.1"}, ["lr='0.1'", "number"]),
        ({"lr": float("inf")}, ["lr=inf", "finite"]),
        ({"lr": float("nan")}, ["lr=nan", "finite"]),
        ({"epochs": 2.0}, ["epochs=2.0", "integer"]),
        ({"epochs": True}, ["epochs=True", "integer"]),
        ({"epochs": 0}, ["epochs=0", "1"]),
        ({"batch_size": 1}, ["batch_size=1", "2"]),
        ({"momentum": 1.0}, ["momentum=1.0", "less than 1"]),
        ({"seed": -1}, ["seed=-1", "0"]),
        ({"nesterov": 1, "momentum": 0.9}, ["nesterov=1", "boolean"]),
        ({"nesterov": True}, ["momentum"]),
        ({"optimizer": "adam", "momentum": 0.9}, ["'sgd'", "'adam'"]),
        ({"init": "he", "init_std": 0.1}, ["'normal'", "'he'"]),
        ({"dataset": "svhn", "image_size": 28}, ["'mnist'", "'digits'", "'svhn'"]),
        ({"augment": "crop_flip"}, ["augment", "'svhn', 'cifar10'", "not 'mnist'"]),
        ({"augment": "flip", "dataset": "svhn"}, ["'flip'", "'none'", "'crop_flip'"]),
        ({"image_size": 48}, ["image_size=48", "28, 32, 64 or 224"]),
        ({"image_size": 64}, ["image_size 64", "'alexnet'", "'lenet'"]),
        ({"image_size": 224, "model": "resnet18"}, ["image_size 224", "'alexnet'", "'resnet18'"]),
        ({"image_size": 28, "model": "alexnet"}, ["'lenet', 'mlp'", "not 'alexnet'"]),
        ({"width": 0.5}, ["width", "'alexnet', 'deep_cnn'", "not 'lenet'"]),
        ({"width": 0.0, "model": "alexnet"}, ["width=0.0", "greater than 0"]),
        ({"width": 5.0, "model": "alexnet"}, ["width=5.0", "less than or equal to 4"]),
        ({"dropout": 0.5, "model": "resnet18"}, ["dropout", "alexnet", "'resnet18'"]),
        ({"dropout": 1.0, "model": "alexnet"}, ["dropout=1.0", "less than 1"]),
        ({"dropout_at": "conv", "model": "alexnet"}, ["dropout_at", "dropout above 0"]),
        ({"dropout_at": "all", "model": "alexnet"}, ["'all'", "'fc'", "'conv'"]),
        ({"lr": -1.0, "nrm": "none"}, ["lr=-1.0", "'nrm'"]),
        ({"norm": "a\nb"}, [r"'a\nb'"]),
    ],
    ids=str,
)
def test_errors_are_one_line_with_what_is_allowed(fields, said):
    with pytest.raises(BookError) as wrong:
        Recipe(**fields)
    message = str(wrong.value)
    assert "\n" not in message
    assert message.startswith("Recipe: ")
    assert [word for word in said if word not in message] == []
    assert wrong.value._render_traceback_() == [f"BookError: {message}"]


@pytest.mark.parametrize(
    "fields", [{"seed": 3}, {"probes": ("landscape",), "probe_every": 7, "probe_etas": (0.1, 0.2)}]
)
def test_an_arm_is_the_same_whatever_the_seed_and_the_probes(fields):
    recipe = Recipe(norm="batch", lr=0.3)
    assert recipe.but(**fields).arm == recipe.arm
    assert recipe.but(**fields, lr=0.5).arm != recipe.arm
    assert recipe.but(**fields) != recipe  # what is kept with a recipe does not make it another
    assert recipe.but() == recipe

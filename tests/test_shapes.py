"""The drawn pictures: the same everywhere, hard for a linear model, easy for a small CNN."""

import hashlib

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bnlib import data
from bnlib.data import shapes


def test_the_pictures_never_change():
    images, labels = shapes.draw(40, seed=7)
    assert hashlib.sha256(images.tobytes()).hexdigest()[:16] == "bc90f5cedbde658c"
    assert labels.tolist() == list(range(10)) * 4
    assert np.array_equal(shapes.draw(10, seed=7)[0], images[:10])
    assert not np.array_equal(shapes.draw(10, seed=8)[0], images[:10])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")  # it has long overfitted by then
def test_a_linear_model_stays_behind_a_small_cnn():
    from sklearn.linear_model import LogisticRegression

    found = data.load("shapes")
    assert found.checksum == "8d3ca3b3b9bc4fde32877dcd27c6fd42f2ed364897e014e632089969e29f151d"
    assert (len(found.train), len(found.val), len(found.test)) == (5400, 600, 1000)
    flat = [part.images.flatten(1).numpy() for part in (found.train, found.test)]
    linear = LogisticRegression(C=1e-2, max_iter=40).fit(flat[0], found.train.labels)
    accuracy = linear.score(flat[1], found.test.labels)
    print(f"linear {accuracy:.3f}")
    assert accuracy < 0.60

    torch.manual_seed(0)
    net = nn.Sequential()
    for before, after in ((3, 16), (16, 32), (32, 64)):
        net += nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
    net += nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    epochs, size = 8, 100
    adam = torch.optim.Adam(net.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, epochs * 54)
    for _ in range(epochs):
        for index in torch.randperm(5400).split(size):
            logits = net(data.as_input(found.train.images[index]))
            adam.zero_grad()
            F.cross_entropy(logits, found.train.labels[index]).backward()
            adam.step()
            schedule.step()
    with torch.no_grad():
        predicted = net.eval()(data.as_input(found.test.images)).argmax(1)
    accuracy = float((predicted == found.test.labels).float().mean())
    print(f"CNN {accuracy:.3f}")
    assert accuracy > 0.85

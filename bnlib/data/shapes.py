"""``shapes``: ten classes of drawn 32×32 colour images, the same on every machine, no download.

Place, size, turn and colours vary and the ground is noisy, so that a linear model, which can only
weigh pixels, stays far behind a small convolutional network. Every image is a signed distance
(negative inside the figure) turned into a soft-edged mask between two colours.
"""

import numpy as np

CLASSES = (
    "disc", "ring", "square", "frame", "triangle",
    "plus", "moon", "stripes", "pair", "bar",
)  # fmt: skip
SIZE = 32  # pixels


def _box(u: np.ndarray, v: np.ndarray, half_u: float, half_v: float) -> np.ndarray:
    return np.maximum(np.abs(u) - half_u, np.abs(v) - half_v)


def _distance(kind: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Signed distance to the figure of half-width about 1, at the points (u, v)."""
    radius = np.hypot(u, v)
    square = _box(u, v, 0.85, 0.85)
    match kind:
        case "disc":
            return radius - 1
        case "ring":
            return np.abs(radius - 0.8) - 0.2
        case "square":
            return square
        case "frame":
            return np.abs(square + 0.15) - 0.17
        case "triangle":
            return np.maximum(v - 0.6, 0.87 * np.abs(u) - 0.5 * v - 0.6)
        case "plus":
            return np.minimum(_box(u, v, 1, 0.3), _box(u, v, 0.3, 1))
        case "moon":
            return np.maximum(radius - 1, 0.85 - np.hypot(u - 0.5, v))
        case "stripes":
            return np.maximum(square, np.abs((v + 0.85) % 0.68 - 0.34) - 0.17)
        case "pair":
            return np.hypot(np.abs(u) - 0.6, v) - 0.42
        case "bar":
            return _box(u, v, 1, 0.3)
    raise ValueError(kind)


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 32, 32, 3) of bytes and their labels, the classes in turn."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(CLASSES)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    for image, label in zip(images, labels, strict=True):
        half = rng.uniform(6, 10)  # half the figure's width, in pixels
        centre_x, centre_y = rng.uniform(half, SIZE - half, 2)
        turn = rng.uniform(-0.6, 0.6)  # radians
        dx, dy = (x - centre_x) / half, (y - centre_y) / half
        u, v = np.cos(turn) * dx + np.sin(turn) * dy, np.cos(turn) * dy - np.sin(turn) * dx
        inside = np.clip(0.5 - _distance(CLASSES[label], u, v) * half, 0, 1)[..., None]
        ground, colour = rng.uniform(0, 1, (2, 3))
        while np.abs(ground - colour).max() < 0.3:
            colour = rng.uniform(0, 1, 3)
        slope = rng.uniform(-0.2, 0.2, 3) * (dx + dy)[..., None]  # an uneven light
        picture = ground + (colour - ground) * inside + slope * 0.3
        picture += rng.normal(0, 0.06, picture.shape)
        image[:] = np.clip(picture * 255, 0, 255)
    return images, labels

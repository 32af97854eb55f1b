"""What backpropagation reaches on the digits, in a network of the same size and on the same splits.

    python -m benchmarks.digits_baseline [--splits 0,1,2,3,4]

For each split an `MLPClassifier` of 100 ReLU units is chosen from a small grid by a stratified fifth of the
training samples, trained again on all of them and scored once on the test samples; seed = split.
"""

from __future__ import annotations

import argparse
from itertools import product

import numpy as np

from burstchip.tasks.datasets import load_dataset

#: Adam's learning rate, weight decay, epochs.
GRID = tuple(product((0.001, 0.003, 0.005), (1e-4, 1e-2), (40, 80)))


def baseline_error(split: int, hidden: int = 100) -> tuple[float, tuple[float, float, int]]:
    """(test error as a fraction, chosen grid point) for one split."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    data = load_dataset("digits", split=split)
    images, test_images = (x.astype(np.float64) / data.maximum for x in (data.train_images, data.test_images))
    fit_x, held_x, fit_y, held_y = train_test_split(
        images, data.train_labels, test_size=0.2, stratify=data.train_labels, random_state=split
    )

    def trained(point: tuple[float, float, int], x: object, y: object) -> MLPClassifier:
        rate, decay, epochs = point
        model = MLPClassifier(
            (hidden,),
            learning_rate_init=rate,
            alpha=decay,
            max_iter=epochs,
            batch_size=32,
            random_state=split,
        )
        with warnings.catch_warnings():
            # The number of epochs is part of the grid, so a warning about convergence says nothing new.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(x, y)

    chosen = max(GRID, key=lambda point: float(trained(point, fit_x, fit_y).score(held_x, held_y)))
    model = trained(chosen, images, data.train_labels)
    return 1 - float(model.score(test_images, data.test_labels)), chosen


def main() -> None:
    """Print the error of each split and their mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", default="0,1,2,3,4", help="comma-separated splits")
    splits = [int(split) for split in parser.parse_args().splits.split(",")]
    errors = []
    for split in splits:
        error, (rate, decay, epochs) = baseline_error(split)
        errors.append(error)
        print(
            f"split {split}: {100 * error:.2f} %   rate {rate:g}, decay {decay:g}, {epochs} epochs",
            flush=True,
        )
    print(f"mean {100 * float(np.mean(errors)):.2f} %, worst {100 * max(errors):.2f} %")


if __name__ == "__main__":
    main()

"""The compiled loop over images and steps. Importing this imports numba.

What stays the same within an image is computed once: W1 e0, with |e0|² to bring it up to date while W1
learns, and rates until the third step of a prediction. W1 itself, whose changes within an image are all
multiples of one e0, takes their sum at its end. Pixels that are 0 are left out.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

import numpy as np

from burstchip.backends.sim.code.functions import exp, sigmoid, tanh
from burstchip.backends.sim.code.loop import loop

#: From this step of a prediction on every rate and burst probability is that of the step before.
SETTLED = 3
#: By how much a difference may grow by rounding.
ROUNDING = 1e-12
#: The average rate that the teacher takes for none.
NO_RATE = 1e-8

#: What `learn` finds out, in the order of its array `seen`.
SEEN = (
    "p1_least", "p1_greatest", "p2_least", "p2_greatest", "e1_greatest", "taught", "target_above",
    "others_above", "apart_1_first", "apart_1_last", "apart_2_first", "apart_2_last", "grew", "predicted",
    "moved_outside", "moved_within",
)  # fmt: skip
(
    P1_LEAST, P1_GREATEST, P2_LEAST, P2_GREATEST, E1_GREATEST, TAUGHT, TARGET_ABOVE, OTHERS_ABOVE,
    APART_1_FIRST, APART_1_LAST, APART_2_FIRST, APART_2_LAST, GREW, PREDICTED, MOVED_OUTSIDE, MOVED_WITHIN,
) = range(len(SEEN))  # fmt: skip

#: The first traced image where none is.
NOWHERE = 1 << 40

#: Columns of a trace.
TRACED = ("e0", "e1", "p1", "p1_average", "e2", "p2", "p2_average", "w1", "w2", "teacher")


@loop
def drive(w1, pixels, values, count, into):
    """into = W1 e0, of `count` pixels that are not 0."""
    into[:] = 0.0
    units = into.size
    for j in range(0, count - 3, 4):
        a, b, c, d = pixels[j], pixels[j + 1], pixels[j + 2], pixels[j + 3]
        at_a, at_b, at_c, at_d = values[j], values[j + 1], values[j + 2], values[j + 3]
        for i in range(units):
            pairs = (w1[a, i] * at_a + w1[b, i] * at_b) + (w1[c, i] * at_c + w1[d, i] * at_d)
            into[i] += pairs
    for j in range(count - count % 4, count):
        a, at_a = pixels[j], values[j]
        for i in range(units):
            into[i] += w1[a, i] * at_a


@loop
def nonzero(image, pixels, values):
    """The pixels that are not 0, their values from 0 to 1, and how many there are."""
    count = 0
    for j in range(image.size):
        if image[j]:
            pixels[count] = j
            values[count] = image[j] / 255.0
            count += 1
    return count


@loop
def classify(images, w1, w2, n1, n2):
    """The class of each image by a forward pass without time: argmax of W2 exp(W1 e0 + n1) + n2."""
    hidden, classes = w2.shape
    pixels, values = np.empty(images.shape[1], np.int64), np.empty(images.shape[1])
    z1, z2 = np.empty(hidden), np.empty(classes)
    found = np.empty(len(images), np.int64)
    for k in range(len(images)):
        count = nonzero(images[k], pixels, values)
        drive(w1, pixels, values, count, z1)
        for c in range(classes):
            z2[c] = n2[c]
        for i in range(hidden):
            rate = exp(z1[i] + n1[i])
            for c in range(classes):
                z2[c] += rate * w2[i, c]
        found[k] = np.argmax(z2)
    return found


@loop
def follow(average, value, blend):
    """A step of a running average."""
    for i in range(average.size):
        average[i] += blend * (value[i] - average[i])


@loop
def usual(b_average, e_average, i):
    """The usual burst probability of a unit; 0.5 as long as it had no event."""
    return b_average[i] / e_average[i] if e_average[i] > 0.0 else 0.5


@loop
def apart(p, e, b_average, e_average, into):
    """|p - the usual one| of each unit, and their sum with event rates as weights, as learning sees them."""
    total = 0.0
    for i in range(p.size):
        into[i] = abs(p[i] - usual(b_average, e_average, i))
        total += e[i] * into[i]
    return total


@loop
def greatest_change(now, before):
    """The greatest change of a weight."""
    found = 0.0
    for i in range(now.shape[0]):
        for j in range(now.shape[1]):
            found = max(found, abs(now[i, j] - before[i, j]))
    return found


@loop
def learn(
    images, labels, w1, w2, y, n1, n2,
    e1, e1_average, b1, b1_average, p1, e2, e2_average, b2, b2_average, p2,
    prediction, teacher, blend, rate, beta, decay, e_max,
    seen, first_traced, watched, trace,
):  # fmt: skip
    """Show images in their order and learn from each; weights and states are updated in place.

    `prediction` and `teacher` are steps, `blend` is dt / tau_average and `rate` dt / tau_weights. From the
    image `first_traced` on `trace`, [step, column], is filled with what `watched` names: a pixel, a hidden
    unit and a class.
    """
    hidden, classes = w2.shape
    steps = prediction + teacher
    pixels, values = np.empty(images.shape[1], np.int64), np.empty(images.shape[1])
    z1, z2, gain1, learned1 = np.empty(hidden), np.empty(classes), np.empty(hidden), np.empty(hidden)
    gain2, b2_before = np.empty(classes), np.empty(classes)
    e1_before, u = np.empty(hidden), np.empty(hidden)
    first1, last1, first2, last2 = np.empty(hidden), np.empty(hidden), np.empty(classes), np.empty(classes)
    pixel, unit, output = watched
    for k in range(len(images)):
        count = nonzero(images[k], pixels, values)
        square = 0.0
        for j in range(count):
            square += values[j] * values[j]
        drive(w1, pixels, values, count, z1)
        learned1[:] = 0.0
        row = (k - first_traced) * steps
        traced = first_traced <= k and row < len(trace)
        if traced:
            w1_before, w2_before = w1.copy(), w2.copy()
        for s in range(steps):
            taught = s >= prediction
            if taught or s < SETTLED:
                if taught:
                    for i in range(hidden):
                        above = 1.0 - e_max / e1[i] if e1[i] > e_max else 0.0
                        error = (p1[i] - usual(b1_average, e1_average, i)) * e1[i]
                        gain1[i] = rate * (error - decay * above)
                        u[i] = rate * error
                    for c in range(classes):
                        gain2[c] = rate * (p2[c] - usual(b2_average, e2_average, c)) * e2[c]
                # Averages and burst probabilities of the hidden layer follow the rates of the step before.
                for c in range(classes):
                    relative = ((c == labels[k]) - e2_average[c]) / (e2_average[c] + NO_RATE)
                    p2[c] = 0.5 + 0.5 * tanh(relative) if taught else 0.5
                b2_before[:] = b2
                follow(e1_average, e1, blend)
                follow(b1_average, b1, blend)
                follow(e2_average, e2, blend)
                follow(b2_average, b2, blend)
                e1_before[:] = e1
                if taught or s == 0:
                    for i in range(hidden):
                        e1[i] = exp(z1[i] + n1[i])
                if taught or s < 2:
                    z2[:] = n2
                    for i in range(hidden):
                        for c in range(classes):
                            z2[c] += e1_before[i] * w2[i, c]
                    highest, total = z2.max(), 0.0
                    for c in range(classes):
                        e2[c] = exp(z2[c] - highest)
                        total += e2[c]
                    for c in range(classes):
                        e2[c] /= total
                for c in range(classes):
                    b2[c] = p2[c] * e2[c]
                if taught:
                    for i in range(hidden):
                        n1[i] += u[i]
                        learned1[i] += gain1[i]
                        z1[i] += gain1[i] * square
                    for i in range(hidden):
                        for c in range(classes):
                            w2[i, c] += gain2[c] * e1_before[i]
                    for c in range(classes):
                        n2[c] += gain2[c]
                u[:] = 0.0
                for c in range(classes):
                    for i in range(hidden):
                        u[i] += y[c, i] * b2_before[c]
                for i in range(hidden):
                    p1[i] = sigmoid(min(max(beta * u[i], -20.0), 20.0))
                    b1[i] = p1[i] * e1[i]
                seen[P1_LEAST] = min(seen[P1_LEAST], p1.min())
                seen[P1_GREATEST] = max(seen[P1_GREATEST], p1.max())
                seen[P2_LEAST] = min(seen[P2_LEAST], p2.min())
                seen[P2_GREATEST] = max(seen[P2_GREATEST], p2.max())
            else:
                follow(e1_average, e1, blend)
                follow(b1_average, b1, blend)
                follow(e2_average, e2, blend)
                follow(b2_average, b2, blend)
            if s == SETTLED - 1:
                seen[APART_1_FIRST] += apart(p1, e1, b1_average, e1_average, first1)
                seen[APART_2_FIRST] += apart(p2, e2, b2_average, e2_average, first2)
            if s == prediction - 1:
                seen[APART_1_LAST] += apart(p1, e1, b1_average, e1_average, last1)
                seen[APART_2_LAST] += apart(p2, e2, b2_average, e2_average, last2)
                for i in range(hidden):
                    seen[GREW] += last1[i] > first1[i] + ROUNDING
                for c in range(classes):
                    seen[GREW] += last2[c] > first2[c] + ROUNDING
                seen[PREDICTED] += 1
                seen[E1_GREATEST] = max(seen[E1_GREATEST], e1.max())
            if taught:
                seen[TAUGHT] += 1
                for c in range(classes):
                    above = p2[c] > usual(b2_average, e2_average, c)
                    if c == labels[k]:
                        seen[TARGET_ABOVE] += above
                    elif e2_average[c] > NO_RATE:
                        seen[OTHERS_ABOVE] += above
            if traced:
                at_pixel = images[k, pixel] / 255.0
                trace[row + s, 0] = at_pixel
                trace[row + s, 1] = e1[unit]
                trace[row + s, 2] = p1[unit]
                trace[row + s, 3] = usual(b1_average, e1_average, unit)
                trace[row + s, 4] = e2[output]
                trace[row + s, 5] = p2[output]
                trace[row + s, 6] = usual(b2_average, e2_average, output)
                trace[row + s, 7] = w1[pixel, unit] + learned1[unit] * at_pixel
                trace[row + s, 8] = w2[unit, output]
                trace[row + s, 9] = taught and labels[k] == output
                if s == prediction - 1:
                    outside = max(greatest_change(w1, w1_before), greatest_change(w2, w2_before))
                    seen[MOVED_OUTSIDE] = max(seen[MOVED_OUTSIDE], outside)
        for j in range(count):
            a, at_a = pixels[j], values[j]
            for i in range(hidden):
                w1[a, i] += learned1[i] * at_a
        if traced:
            within = max(greatest_change(w1, w1_before), greatest_change(w2, w2_before))
            seen[MOVED_WITHIN] = max(seen[MOVED_WITHIN], within)

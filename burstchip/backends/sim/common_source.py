"""The text of the small functions that every loop may call."""

from __future__ import annotations

COMMON = '''
@loop
def listed(flags, n, events):
    """Write the indices of the non-zero entries to `events`, return how many there are."""
    count = 0
    for i in range(n):
        events[count] = i
        count += 1 if flags[i] != 0 else 0
    return count


@loop
def listed_among(flags, among, count_among, events):
    """The same, where only the neurons listed in `among`, in rising order, may have set their flag."""
    count = 0
    for k in range(count_among):
        i = among[k]
        events[count] = i
        count += 1 if flags[i] != 0 else 0
    return count


@loop
def count_flags(flags, events, count):
    """How many of the listed entries have their flag set."""
    total = 0
    for k in range(count):
        total += 1 if flags[events[k]] != 0 else 0
    return total


@loop
def clipped(sums, n, low, high):
    """Clip sums to a port's width; return how many were outside."""
    count = 0
    for i in range(n):
        count += 1 if sums[i] < low or sums[i] > high else 0
    if count:
        for i in range(n):
            sums[i] = min(max(sums[i], low), high)
    return count


@loop
def put_under_way(sent, n, shift, slot, depth, sums):
    """Floor what was sent in one step, each delay by itself; `sent` [delay, neuron] is 0 again afterwards."""
    for d in range(sent.shape[0]):
        for i in range(n):
            sums[(slot + d) % depth, i] += sent[d, i] >> shift
            sent[d, i] = 0


@loop
def decay_plain(x, n, keep):
    """x <- x * keep / 4096, floored; x is never negative."""
    for i in range(n):
        x[i] = i32(i32(x[i] * keep) >> i32(12))


@loop
def decay_plain_real(x, n, keep):
    """x <- x * keep / 4096."""
    for i in range(n):
        x[i] = x[i] * keep / 4096.0


@loop
def bump(x, events, count, impulse):
    """x <- min(x + impulse, 127) where an event arrived."""
    for k in range(count):
        x[events[k]] = min(x[events[k]] + impulse, 127)


@loop
def encode(image, n, max_value, maximum, value):
    """Pixel intensities to 2^-16 events a step: rounded on the encoder's grid of 2^-10, then refined."""
    for j in range(n):
        scaled = (i64(image[j]) * max_value + maximum // 2) // maximum
        value[j] = scaled << ENCODER_SHIFT


@loop
def encode_each(image, n, max_value, maximum, value):
    """The same with a `max_value` for each pixel."""
    for j in range(n):
        scaled = (i64(image[j]) * max_value[j] + maximum // 2) // maximum
        value[j] = scaled << ENCODER_SHIFT


@loop
def encode_real(image, n, max_value, maximum, value):
    """The same without rounding."""
    for j in range(n):
        value[j] = image[j] * max_value / maximum * 2.0**ENCODER_SHIFT


@loop
def encode_each_real(image, n, max_value, maximum, value):
    """The same with a `max_value` for each pixel."""
    for j in range(n):
        value[j] = image[j] * max_value[j] / maximum * 2.0**ENCODER_SHIFT


@njit(nogil=True)
def best_of(count, v, n):
    """The neuron with most events, the potential v deciding between equal counts, the lowest index then."""
    best = 0
    for i in range(1, n):
        if count[i] > count[best] or (count[i] == count[best] and v[i] > v[best]):
            best = i
    return best
'''

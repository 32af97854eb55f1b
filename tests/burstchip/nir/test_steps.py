"""What a step loses of a time constant, and back."""

from __future__ import annotations

import numpy as np
import pytest

from burstchip.nir.steps import Integration, decay_ms, share_lost, tau_ms

TAUS = np.array([1.0, 1.0000001, 1.5, 2.0, 20.0, 1e4, 1e7])


@pytest.mark.parametrize("how", ["euler", "exponential"])
def test_the_decay_loses_the_same_share(how: Integration) -> None:
    lost, decays = share_lost(TAUS, 1.0, how), decay_ms(TAUS, 1.0, how)
    with np.errstate(divide="ignore"):
        assert np.allclose(-np.expm1(-1.0 / decays), lost, rtol=1e-9)
    assert np.allclose(tau_ms(lost, 1.0, how), TAUS, rtol=1e-9)


def test_eulers_share_is_the_steps() -> None:
    assert np.array_equal(share_lost(TAUS, 1.0, "euler"), 1 / TAUS)
    assert decay_ms(np.array([1.0]), 1.0, "euler")[0] == 0
    # lim 1/ln: tau - step/2 - ...
    assert decay_ms(np.array([1e7]), 1.0, "euler")[0] == pytest.approx(1e7 - 0.5, rel=1e-12)

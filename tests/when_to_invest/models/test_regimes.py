"""Filtered odds of turbulence: right, and the same whatever follows."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.models import regimes
from when_to_invest.models.regimes import RegimeParameters, fit_regimes, log_likelihood, turbulence

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

TRUE = RegimeParameters(5e-4, 5e-5, 0.99, -1e-3, 5e-4, 0.96)


def _lived(count: int, *, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return the returns and whether each day was turbulent."""
    rng = np.random.default_rng(seed)
    states, state = np.empty(count), 0
    for t in range(count):
        states[t] = state
        stay = TRUE.turbulent_stay if state else TRUE.calm_stay
        state = state if rng.random() < stay else 1 - state
    mean = np.where(states, TRUE.turbulent_mean, TRUE.calm_mean)
    variance = np.where(states, TRUE.turbulent_variance, TRUE.calm_variance)
    return mean + np.sqrt(variance) * rng.standard_normal(count), states


def _smoothed(returns: FloatArray, known: RegimeParameters) -> FloatArray:
    filtered, predicted, smoothed = np.empty((3, len(returns)))
    regimes._filter(returns, known, known.turbulent_share, filtered, predicted)
    regimes._smooth(filtered, predicted, known, smoothed)
    return smoothed


def _as_statsmodels(known: RegimeParameters) -> list[float]:
    return [
        known.calm_stay,
        1.0 - known.turbulent_stay,
        known.calm_mean,
        known.turbulent_mean,
        known.calm_variance,
        known.turbulent_variance,
    ]


def _differs_when_cut(returns: FloatArray, odds: object) -> bool:
    """Whether any day's odds change when the days after it are cut away."""
    assert callable(odds)
    whole = odds(returns, TRUE)
    cuts = range(100, len(returns), 97)
    return any(odds(returns[:count], TRUE).tobytes() != whole[:count].tobytes() for count in cuts)


def test_filtered_odds_are_the_same_whatever_follows() -> None:
    assert not _differs_when_cut(_lived(1500, seed=0)[0], turbulence)


def test_smoothed_odds_would_not_be() -> None:
    assert _differs_when_cut(_lived(1500, seed=0)[0], _smoothed)


def test_filtered_smoothed_and_likelihood_are_those_of_statsmodels() -> None:
    returns, _ = _lived(1500, seed=1)
    model = MarkovRegression(returns, k_regimes=2, switching_variance=True)
    theirs = model.smooth(_as_statsmodels(TRUE))
    np.testing.assert_allclose(
        turbulence(returns, TRUE), theirs.filtered_marginal_probabilities[:, 1], atol=1e-9
    )
    np.testing.assert_allclose(
        _smoothed(returns, TRUE), theirs.smoothed_marginal_probabilities[:, 1], atol=1e-9
    )
    assert log_likelihood(returns, TRUE) == pytest.approx(theirs.llf)


def test_the_fit_finds_what_made_the_returns_and_beats_it_in_likelihood() -> None:
    returns, states = _lived(5000, seed=2)
    fitted = fit_regimes(returns)
    assert fitted.calm_variance == pytest.approx(TRUE.calm_variance, rel=0.1)
    assert fitted.turbulent_variance == pytest.approx(TRUE.turbulent_variance, rel=0.15)
    assert fitted.calm_stay == pytest.approx(TRUE.calm_stay, abs=0.01)
    assert fitted.turbulent_stay == pytest.approx(TRUE.turbulent_stay, abs=0.02)
    assert log_likelihood(returns, fitted) >= log_likelihood(returns, TRUE)
    assert float(((turbulence(returns, fitted) > 0.5) == states).mean()) > 0.93


def test_no_round_of_fitting_loses_likelihood() -> None:
    returns, _ = _lived(1500, seed=3)
    known, found = regimes._first_guess(returns), []
    for _ in range(40):
        known, likelihood = regimes._improved(returns, known)
        found.append(likelihood)
    # Up to the first day's odds, which rounds take from the chain instead of maximising.
    assert all(later >= earlier - 1e-3 for earlier, later in pairwise(found))
    assert found[-1] > found[0] + 10.0


def test_turbulence_is_the_state_of_greater_variance_and_fits_repeat() -> None:
    for seed in range(5):
        returns, _ = _lived(800, seed=seed)
        fitted = fit_regimes(returns)
        assert fitted.turbulent_variance >= fitted.calm_variance
        assert fit_regimes(returns) == fitted
        odds = turbulence(returns, fitted)
        assert ((odds >= 0.0) & (odds <= 1.0)).all()


def test_a_day_beyond_all_experience_is_turbulent_not_an_error() -> None:
    odds = turbulence(np.array([0.0, -0.9, 0.9]), TRUE)
    assert np.isfinite(odds).all()
    assert odds[1] > 0.999


def test_a_short_or_broken_history_is_refused() -> None:
    returns, _ = _lived(300, seed=0)
    with pytest.raises(Fault) as short:
        fit_regimes(returns[:249])
    assert short.value.code is ErrorCode.HISTORY_TOO_SHORT
    for broken in (np.zeros(300), np.append(returns, np.inf)):
        with pytest.raises(Fault) as refused:
            fit_regimes(broken)
        assert refused.value.code is ErrorCode.BAD_ARGUMENT

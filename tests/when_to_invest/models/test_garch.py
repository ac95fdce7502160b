"""The variance filter is arch's, sees no future, and its fit finds what made the returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from arch import arch_model

from when_to_invest.errors import ErrorCode, Fault
from when_to_invest.models.garch import (
    FEWEST_RETURNS,
    GarchParameters,
    conditional_variance,
    expected_variance,
    fit_garch,
    standardised_residuals,
)

if TYPE_CHECKING:
    from when_to_invest.market import FloatArray

TRUE = GarchParameters(3e-4, 2e-6, 0.03, 0.12, 0.88, 7.0, 1e-4)


def garch_returns(count: int, *, seed: int, model: GarchParameters = TRUE) -> FloatArray:
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(model.degrees, count) * np.sqrt((model.degrees - 2) / model.degrees)
    variance, returns = model.start_variance, np.empty(count)
    for t, z in enumerate(shocks):
        e = np.sqrt(variance) * z
        returns[t] = model.mean + e
        variance = model.omega + (model.alpha + model.gamma * (e < 0)) * e**2 + model.beta * variance
    return returns


@pytest.fixture(scope="module")
def returns() -> FloatArray:
    return garch_returns(4000, seed=1)


@pytest.fixture(scope="module")
def fitted(returns: FloatArray) -> GarchParameters:
    return fit_garch(returns)


def test_the_variances_are_those_of_arch(returns: FloatArray, fitted: GarchParameters) -> None:
    model = arch_model(returns * 100, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
    theirs = model.fit(disp="off", backcast=fitted.start_variance * 1e4)
    ours = conditional_variance(returns, fitted)
    np.testing.assert_allclose(np.sqrt(ours[:-1]) * 100, theirs.conditional_volatility, rtol=1e-10)
    ahead = theirs.forecast(horizon=21).variance.to_numpy()[-1]
    np.testing.assert_allclose(expected_variance(fitted, first=ours[-1], horizon=21) * 1e4, ahead, rtol=1e-9)


def test_the_fit_starts_where_arch_itself_would(returns: FloatArray, fitted: GarchParameters) -> None:
    theirs = arch_model(returns * 100, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
    volatility = theirs.volatility
    assert fitted.start_variance * 1e4 == pytest.approx(volatility.backcast((returns - returns.mean()) * 100))


def test_the_fit_finds_what_made_the_returns(fitted: GarchParameters) -> None:
    assert fitted.beta == pytest.approx(TRUE.beta, abs=0.04)
    assert fitted.gamma == pytest.approx(TRUE.gamma, abs=0.06)
    assert fitted.degrees == pytest.approx(TRUE.degrees, abs=2.0)
    assert fitted.persistence() == pytest.approx(TRUE.persistence(), abs=0.03)


def test_a_variance_is_the_same_whatever_follows(returns: FloatArray, fitted: GarchParameters) -> None:
    whole = conditional_variance(returns, fitted)
    for count in (1, 80, 1999):
        assert conditional_variance(returns[:count], fitted).tobytes() == whole[: count + 1].tobytes()


def test_shocks_have_mean_0_and_variance_1(returns: FloatArray, fitted: GarchParameters) -> None:
    shocks = standardised_residuals(returns, fitted)
    assert float(shocks.mean()) == pytest.approx(0.0, abs=1e-12)
    assert float(shocks.var()) == pytest.approx(1.0)
    squares = shocks**2
    assert abs(float(np.corrcoef(squares[1:], squares[:-1])[0, 1])) < 0.05
    raw = (returns - returns.mean()) ** 2
    assert float(np.corrcoef(raw[1:], raw[:-1])[0, 1]) > 0.1


def test_the_variance_returns_to_its_long_run() -> None:
    long_run = TRUE.omega / (1.0 - TRUE.persistence())
    curve = expected_variance(TRUE, first=4.0 * long_run, horizon=1000)
    assert curve[0] == 4.0 * long_run
    assert (np.diff(curve) < 0.0).all()
    assert curve[-1] == pytest.approx(long_run, rel=1e-6)


def test_a_short_or_broken_history_is_refused(returns: FloatArray) -> None:
    with pytest.raises(Fault) as short:
        fit_garch(returns[: FEWEST_RETURNS - 1])
    assert short.value.code is ErrorCode.HISTORY_TOO_SHORT
    for broken in (np.full(600, 0.01), np.append(returns[:600], np.nan)):
        with pytest.raises(Fault) as refused:
            fit_garch(broken)
        assert refused.value.code is ErrorCode.BAD_ARGUMENT

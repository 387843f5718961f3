"""Where CI=true a skipped or expectedly failing test is a failure: there, nothing may be missing.

On a person's own machine a counterpart that is not installed is a skip with its reason, and the reason is printed.
"""

import os
from collections.abc import Generator

import pytest


def _forbidden() -> bool:
    return os.environ.get("CI", "").lower() in {"true", "1"}


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else getattr(report, "wasxfail", report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} must not be skipped or expected to fail where CI=true: {reason}"
    report.__dict__.pop("wasxfail", None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _forbidden() and report.outcome == "skipped":
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if _forbidden() and report.outcome == "skipped":
        _refuse(report)
    return report

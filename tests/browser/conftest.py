"""The browser that the tests of this folder share."""

import pytest

from tests.browser.chromium import Chromium


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A headless Chromium; tests that use it are marked `browser`."""
    browser = Chromium(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()

"""ddsp 3.7.0 as the reference. Where it is not installed these tests skip and say so."""

import pytest

from noisygan import ddsp_package


@pytest.fixture(scope="session")
def ddsp():
    """The module ddsp."""
    if not ddsp_package.is_installed():
        pytest.skip(f"ddsp, the reference, is not installed: {ddsp_package.HOW_TO_INSTALL}")
    return ddsp_package.load()

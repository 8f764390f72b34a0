"""How kernels are compiled."""

import pytest

caching = pytest.importorskip("numba.core.caching")

from synths.kernels.compiling import compiled  # noqa: E402


def test_without_a_folder_that_can_be_written_to_they_are_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    monkeypatch.delenv("NUMBA_CACHE_LOCATOR_CLASSES", raising=False)

    @compiled(fastmath=True)
    def double(x):
        return 2.0 * x

    assert double(3.0) == 6.0
    assert double.stats.cache_path is None


def test_with_one_they_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(caching.config, "CACHE_DIR", str(tmp_path))

    @compiled()
    def half(x):
        return 0.5 * x

    assert half(3.0) == 1.5
    assert list(tmp_path.rglob("*.nbi"))

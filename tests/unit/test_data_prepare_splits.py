"""Splits depend on contents and names alone, and keep together what belongs together."""

import hashlib

import pytest

from noisygan.data.prepare import splits
from noisygan.data.prepare.options import Options
from noisygan.data.prepare.sources import Source


def by_file(**fractions):
    return Options(split_by="file", **fractions)


def test_files_go_where_their_contents_say():
    options = by_file(valid=0.2, test=0.1)
    chosen = []
    for i in range(2000):
        sha256 = hashlib.sha256(str(i).encode()).hexdigest()
        names = [Source("a.wav", "/a.wav"), Source("copy of a.wav", "/other/copy of a.wav")]
        first, second = (splits.choose(source, sha256, options, {}) for source in names)
        assert first == second
        chosen.append(first)
    # On any machine.
    assert [i for i, split in enumerate(chosen[:12]) if split != "train"] == [4, 7, 9, 11]
    assert chosen.count("valid") == pytest.approx(400, abs=60)
    assert chosen.count("test") == pytest.approx(200, abs=45)


def test_groups_are_shared_out_whole():
    shared = splits.share_out([str(i) for i in range(40)], valid=0.1, test=0.2)
    assert sorted(shared.values()) == ["test"] * 8 + ["train"] * 28 + ["valid"] * 4
    assert shared == splits.share_out([str(i) for i in reversed(range(40))] * 2, 0.1, 0.2)


@pytest.mark.parametrize(
    "n,counts", [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1))]
)
def test_few_groups(n, counts):
    chosen = list(splits.share_out(map(str, range(n)), 0.1, 0.05).values())
    assert tuple(map(chosen.count, ("train", "valid", "test"))) == counts


def test_groups_are_pitches_instruments_or_tags():
    source = Source("a", "a", label="flute", pitch=60.0, tags={"speaker": "x"})
    for split_by, group in (("pitch", "60"), ("instrument", "flute"), ("speaker", "x")):
        options = Options(split_by=split_by, test=0.5)
        assert splits.group_of(source, split_by) == group
        assert splits.choose(source, "00", options, {group: "test"}) == "test"


def test_what_has_no_group_is_split_by_itself():
    options = Options(split_by="pitch", test=0.5)
    chosen = {splits.choose(Source("a", "a"), str(i), options, {}) for i in range(20)}
    assert chosen == {"train", "test"}


def test_given_splits_are_kept():
    assert splits.choose(Source("a", "a", split="valid"), "0", Options(), {}) == "valid"
    assert splits.choose(Source("a", "a"), "0", Options(), {}) == "train"

"""What is shown of names that come from anybody's files."""

from noisygan.errors import printable


def test_what_moves_a_cursor_is_shown_as_text():
    assert printable("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"
    assert printable("Flöte 3 – 音") == "Flöte 3 – 音"

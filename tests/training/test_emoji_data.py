"""The picture set: what is withheld, how names match and pictures are fitted."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from training.emoji_data import MARGIN, SIZE, STYLES, Package, fit, from_file, key, withheld


def test_withheld_pairs_are_fixed_by_their_names():
    """These are facts of sha256, written down: a changed rule would let tested pictures into training."""
    assert [style for style in STYLES if withheld("1F34B", style)] == ["flat"]  # the lemon
    assert [style for style in STYLES if withheld("1f34b", style)] == ["flat"]
    assert not any(withheld("1F98A", style) for style in STYLES)  # the fox


def test_one_pair_in_twenty_is_withheld():
    pairs = [withheld(f"{code:X}", style) for code in range(0x1F300, 0x1F700) for style in STYLES]
    assert 0.04 < np.mean(pairs) < 0.06


def test_file_names_of_different_packages_meet():
    assert key("2764-FE0F") == key("2764")
    assert key("00A9-FE0F") == key("a9")
    assert key("1F468_200D_1F33E") == key("1f468-200d-1f33e")


def test_fitted_pictures_fill_the_room_inside_the_margin():
    picture = Image.new("RGBA", (300, 200))
    picture.paste((10, 200, 30, 255), (40, 50, 240, 150))  # 200 x 100
    fitted = fit(picture)
    assert fitted is not None
    rows, columns = np.nonzero(fitted[..., 3])
    assert (columns.min(), columns.max()) == (MARGIN, SIZE - MARGIN - 1)
    assert rows.max() - rows.min() + 1 == (SIZE - 2 * MARGIN) / 2
    assert (fitted[SIZE // 2, SIZE // 2] == (10, 200, 30, 255)).all()


def test_edges_keep_their_colour():
    """Resizing straight alpha would draw the black of invisible pixels into red edges."""
    picture = Image.new("RGBA", (500, 500), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (101, 101, 397, 397))
    fitted = fit(picture)
    assert fitted is not None
    assert (fitted[..., 0][fitted[..., 3] > 16] > 230).all()


def test_an_empty_picture_is_no_picture():
    buffer = io.BytesIO()
    Image.new("RGBA", (16, 16)).save(buffer, "webp", lossless=True)
    assert from_file(buffer.getvalue(), ".webp") is None


def test_a_changed_package_is_refused(tmp_path):
    (tmp_path / "some-pictures-1.0.0.tgz").write_bytes(b"not what was published")
    with pytest.raises(SystemExit, match="is not @some/pictures"):
        Package("@some/pictures", "1.0.0", "AAAA", "MIT", "").fetch(tmp_path)

"""Made-up pages: well-formed, a function of their seed, with identifiers that are random."""

import re
from collections import Counter
from itertools import islice
from xml.etree import ElementTree

from augrnn.text.made_up_pages import pages, pages_bytes


def test_pages_are_xml_with_prose_dates_and_identifiers() -> None:
    pages_read = ElementTree.fromstring("<pages>" + "".join(islice(pages(0), 200)) + "</pages>")
    assert len(pages_read) == 200
    for page in pages_read:
        revision = page.find("revision")
        assert revision is not None
        found = {each.tag: each.text or "" for each in (*page, *revision)}
        assert re.fullmatch(r"[A-Z][a-z]+( [a-z]+)?", found["title"])
        assert re.fullmatch(r"[0-9]{9}", found["id"])
        assert re.fullmatch(r"200[1-9]-[01][0-9]-[0-2][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z", found["timestamp"])
        assert re.fullmatch(r"[0-9a-f]{16}", found["sha1"])
        assert re.fullmatch(r"([A-Z][a-z]*[a-z0-9 ,;]*\.( |$)){2,5}", found["text"])


def test_a_text_is_a_function_of_its_seed_and_begins_every_longer_one() -> None:
    assert pages_bytes(5000, 0, 1) == pages_bytes(9000, 0, 1)[:5000]
    assert len(pages_bytes(4321, 3)) == 4321
    texts = {pages_bytes(3000, *seed) for seed in ((0, 0), (0, 1), (1, 0), (10,))}
    assert len(texts) == 4


def test_digits_of_identifiers_are_even() -> None:
    counts = Counter("".join(re.findall(r"<id>(\d+)</id>", pages_bytes(2_000_000, 0, 0).decode())))
    total = sum(counts.values())
    assert set(counts) == set("0123456789")
    assert all(abs(count - total / 10) < 4 * (total * 0.09) ** 0.5 for count in counts.values())

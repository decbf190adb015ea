import itertools

import torch

from augrnn.batch_stream import BatchStream, generator


def test_seeds_name_independent_streams() -> None:
    names = [(), (0,), (1,), (0, 0), (0, 1), (1, 0), (-1,)]
    first = [torch.rand(8, generator=generator(*name)) for name in names]
    again = [torch.rand(8, generator=generator(*name)) for name in names]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(first, 2))


def test_epochs_and_processes_share_the_stream_out() -> None:
    parts = [
        list(BatchStream(lambda number: number, 3, epoch=epoch, rank=rank, world=2))
        for epoch in range(2)
        for rank in range(2)
    ]
    assert parts == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9, 11]]


def test_a_stream_goes_on_where_it_was_saved() -> None:
    draws = BatchStream(lambda number: number, 5, epoch=1)
    taken = list(itertools.islice(iter(draws), 2))
    resumed = BatchStream(lambda number: number, 5, epoch=1)
    resumed.load_state_dict(draws.state_dict())
    assert taken + list(resumed) == [5, 6, 7, 8, 9]
    assert list(resumed) == [5, 6, 7, 8, 9]

"""The rows of the benchmark: training beside torch's own layers of the same size and a plain loop, and beam search."""

# T = time steps, B = batch, I = input channels, O = output channels, L = source positions, M = target positions,
# V = vocabulary, E = embedding, H = hidden

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augrnn.attention.additive import AdditiveAttention
from augrnn.batches import moved
from augrnn.bench.naive import NaiveNTM
from augrnn.cells.cell import Cell
from augrnn.cells.feedforward import Feedforward
from augrnn.cells.lstm import LSTM
from augrnn.cells.ntm import NTM
from augrnn.decoders.attentive import AttentiveDecoder
from augrnn.decoders.conditional_gru import ConditionalDecoder
from augrnn.encoders.word_encoder import BidirectionalEncoder
from augrnn.heap import keep_freed_memory
from augrnn.search.beam_search import beam_search
from augrnn.search.model import Speller
from augrnn.systems.encoder_decoder import EncoderDecoder
from augrnn.systems.transducer import Transducer
from augrnn.tasks.associative_recall import AssociativeRecall
from augrnn.tasks.bit_task import BitBatch, BitTask
from augrnn.tasks.copy import Copy
from augrnn.tasks.drawn_task import Size
from augrnn.tasks.dynamic_ngrams import DynamicNGrams
from augrnn.tasks.priority_sort import PrioritySort
from augrnn.tasks.repeat_copy import RepeatCopy
from augrnn.text.token_batches import EOS, PairBatch, Tokens
from augrnn.threads import choose


class Workload(NamedTuple):
    """A Neural Turing Machine in training on sequences of one size.

    Attributes:
      name: the row's name.
      task: makes the task of binary vectors.
      size: of every sequence, in the task's own terms.
      controller: makes the controller from its input size and its width.
      hidden: the width of the controller, and of the torch.nn.LSTM beside it.
      heads: H read heads and as many write heads.
      memory: what the memory is at first (see NTM).
      batches: sequences a batch, one row for each.
    """

    name: str
    task: Callable[[], BitTask]
    size: Size
    controller: Callable[[int, int], Cell]
    hidden: int
    heads: int = 1
    memory: Literal["blank", "random", "ring"] = "blank"
    batches: tuple[int, ...] = (16,)


WORKLOADS = (
    Workload("copy, NTM with LSTM controller", Copy, (10,), LSTM, 100, batches=(1, 16, 64)),
    Workload("repeat copy, NTM with LSTM controller", RepeatCopy, (5, 5), LSTM, 100),
    Workload("associative recall, NTM with feedforward controller", AssociativeRecall, (4,), Feedforward, 256, heads=4),
    Workload("dynamic N-grams, NTM with LSTM controller", DynamicNGrams, (200,), LSTM, 100, memory="random"),
    Workload("priority sort, NTM with feedforward controller", PrioritySort, (20,), Feedforward, 512, 8, "ring"),
)
"""The tasks of the Neural Turing Machine paper, each with a machine of the experiments."""

SOURCE, TARGET = (10, 18), (11, 20)
"""Subwords of the made-up sentences, drawn evenly: about those of Multi30k, sorted into batches of like lengths."""

VOCABULARY, EMBEDDING, HIDDEN, PAIRS, BEAM = 5000, 128, 256, 64, 12


class Row(NamedTuple):
    """One row of the benchmark.

    Attributes:
      name: what was measured.
      device: "cpu", with its threads, or the GPU's name.
      batch: sequences a batch.
      value: ours; throughputs of training are of forward, backward and update.
      unit: of the value; of throughputs what is counted in a second ("sequences/s").
      reference: what stands beside it: of training the throughput of torch's own layers of the same width on the same
        batches, beside a busy process that of the idle machine, of a first update that with everything compiled; None
        where there is no such thing.
    """

    name: str
    device: str
    batch: int
    value: float
    unit: str
    reference: float | None


class TorchLSTM(nn.Module):
    """torch.nn.LSTM and a linear layer, on whole sequences."""

    def __init__(self, inputs: int, outputs: int, hidden: int) -> None:
        super().__init__()
        self.lstm, self.output = nn.LSTM(inputs, hidden), nn.Linear(hidden, outputs)

    def forward(self, x_TBI: Tensor) -> Tensor:
        return self.output(self.lstm(x_TBI)[0])


class TorchTranslator(nn.Module):
    """torch.nn.LSTM as encoder and decoder, without attention: what torch's fused loops can do at these sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.source, self.target = (nn.Embedding(VOCABULARY, EMBEDDING) for _ in range(2))
        self.encoder = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTM(EMBEDDING, 2 * HIDDEN, batch_first=True)
        self.narrow, self.output = nn.Linear(2 * HIDDEN, EMBEDDING), nn.Linear(EMBEDDING, VOCABULARY)

    def forward(self, batch: PairBatch) -> Tensor:
        _, state = self.encoder(self.source(batch.source.ids_BL))
        start = tuple(part.transpose(0, 1).flatten(1).unsqueeze(0).contiguous() for part in state)
        decoded_BMH, _ = self.decoder(self.target(batch.target_BM), start)
        return self.output(self.narrow(decoded_BMH[batch.target_mask_BM]))


def rate(update: Callable[[int], int], device: torch.device, seconds: float) -> float:
    """What an update counts, per second, once it has run long enough to be compiled and warm."""

    def run(least: float) -> float:
        counted, start, number = 0, time.perf_counter(), 0
        while number < 3 or time.perf_counter() - start < least:
            counted += update(number)
            number += 1
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return counted / (time.perf_counter() - start)

    run(seconds / 4)
    return run(seconds)


def updater(module: nn.Module, cost: Callable[[int], tuple[Tensor, int]]) -> Callable[[int], int]:
    """One update of a module, by the cost and the count that `cost` gives for its number; gives the count."""
    optimizer = torch.optim.Adam(module.parameters(), fused=True)

    def update(number: int) -> int:
        loss, counted = cost(number)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 10.0)
        optimizer.step()
        return counted

    return update


def machine_speed(workload: Workload, batch_size: int, device: torch.device, seconds: float) -> Row:
    """A Neural Turing Machine on a task of binary vectors, beside torch.nn.LSTM of its controller's width."""
    torch.compiler.reset()  # as in a run of its own: after so many machines in one process torch gives up compiling
    task = workload.task()
    torchs = TorchLSTM(task.input_size, task.output_size, workload.hidden).to(device)
    drawn = _drawn(workload, task, batch_size, device)
    mine = rate(machine_update(workload, batch_size, device), device, seconds)
    reference = rate(_bits_updater(torchs, lambda batch: torchs(batch.inputs_TBI), drawn), device, seconds)
    return Row(workload.name, named(device), batch_size, mine, "sequences/s", reference)


def machine_update(
    workload: Workload, batch_size: int, device: torch.device, sizes: Sequence[Size] = ()
) -> Callable[[int], int]:
    """An update of a Neural Turing Machine, by its number; gives the sequences that it was of.

    Args:
      workload: the machine and its task.
      batch_size: B.
      device: where.
      sizes: of the batches that it is trained on in turn, where not all have the workload's.
    """
    task = workload.task()
    ours = Transducer(machine(workload, task)).to(device)
    return _bits_updater(ours, lambda batch: ours(batch).y_TBO, _drawn(workload, task, batch_size, device, sizes))


def naive_speed(workload: Workload, batch_size: int, device: torch.device, seconds: float) -> Row:
    """The same machine as a plain loop, which nothing compiles."""
    task = workload.task()
    naive = NaiveNTM(machine(workload, task)).to(device)
    drawn = _drawn(workload, task, batch_size, device)
    found = rate(_bits_updater(naive, lambda batch: naive(batch.inputs_TBI), drawn), device, seconds)
    return Row(f"{workload.name}, as a plain loop", named(device), batch_size, found, "sequences/s", None)


def machine(workload: Workload, task: BitTask) -> NTM:
    """The machine of a workload."""
    return NTM(
        task.input_size,
        task.output_size,
        lambda size: workload.controller(size, workload.hidden),
        heads=workload.heads,
        memory=workload.memory,
    )


def _drawn(
    workload: Workload, task: BitTask, batch_size: int, device: torch.device, sizes: Sequence[Size] = ()
) -> list[BitBatch]:
    each = sizes or [workload.size] * 4
    return [moved(task.sample(batch_size, size, number), device) for number, size in enumerate(each)]


def _bits_updater(
    module: nn.Module, forward: Callable[[BitBatch], Tensor], batches: Sequence[BitBatch]
) -> Callable[[int], int]:
    def cost(number: int) -> tuple[Tensor, int]:
        batch = batches[number % len(batches)]
        return batch.cost_bits(forward(batch)).mean(), batch.size

    return updater(module, cost)


def rnnsearch() -> EncoderDecoder:
    """RNNsearch as in configs/translation/rnnsearch.yaml."""
    attention = AdditiveAttention(HIDDEN, 2 * HIDDEN, HIDDEN)
    return EncoderDecoder(
        BidirectionalEncoder(VOCABULARY, EMBEDDING, HIDDEN, embedding_dropout=0.2, dropout=0.3),
        AttentiveDecoder(VOCABULARY, EMBEDDING, HIDDEN, HIDDEN, attention, embedding_dropout=0.2, output_dropout=0.3),
    )


def conditional() -> EncoderDecoder:
    """The model of configs/translation/conditional.yaml, but for the vocabulary, which is that of the other rows."""
    attention = AdditiveAttention(HIDDEN, 2 * HIDDEN, HIDDEN)
    return EncoderDecoder(
        BidirectionalEncoder(VOCABULARY, EMBEDDING, HIDDEN, embedding_dropout=0.3, dropout=0.5, layer_norm=True),
        ConditionalDecoder(
            VOCABULARY, EMBEDDING, HIDDEN, HIDDEN, attention, output_dropout=0.5, layer_norm=True, tied=True
        ),
    )


TRANSLATORS = {"RNNsearch": rnnsearch, "conditional GRU": conditional}
"""At GRU 256, embedding 128, vocabulary 5,000, batch 64."""


def translation_speed(name: str, device: torch.device, seconds: float, half: bool) -> Row:
    """Training of a translator.

    Args:
      name: a key of `TRANSLATORS`.
      device: where.
      seconds: how long each figure is measured.
      half: products in bfloat16, theirs too.
    """
    torch.manual_seed(0)
    batches = [moved(batch, device) for batch in sentences(16)]
    torchs = TorchTranslator().to(device)

    def their_cost(number: int) -> tuple[Tensor, int]:
        batch = batches[number % len(batches)]
        target_N = batch.target_BM[batch.target_mask_BM]
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            return F.cross_entropy(torchs(batch), target_N), len(target_N)

    mine = rate(translation_update(name, device, half), device, seconds)
    reference = rate(updater(torchs, their_cost), device, seconds)
    return Row(f"translation, {name}{_half(half)}", named(device), PAIRS, mine, "target tokens/s", reference)


def translation_update(name: str, device: torch.device, half: bool = False) -> Callable[[int], int]:
    """An update of a translator, by its number; gives the target tokens that it was of.

    Args:
      name: a key of `TRANSLATORS`.
      device: where.
      half: products in bfloat16.
    """
    torch.manual_seed(0)
    batches = [moved(batch, device) for batch in sentences(16)]
    ours = TRANSLATORS[name]().to(device)

    def cost(number: int) -> tuple[Tensor, int]:
        batch = batches[number % len(batches)]
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            return ours.objective(batch, ours.answer(batch)).value, int(batch.target_mask_BM.sum())

    return updater(ours, cost)


def decoding_speed(name: str, device: torch.device, seconds: float, half: bool) -> Row:
    """Beam search of a translator, on sentences that all end at their limit: tokens of the best hypotheses count.

    Args:
      name: a key of `TRANSLATORS`.
      device: where.
      seconds: how long it is measured.
      half: products in bfloat16.
    """
    torch.manual_seed(0)
    batches = [moved(batch, device) for batch in sentences(4)]
    model = TRANSLATORS[name]().to(device).eval()
    model.decoder.vocabulary_layer.bias.data[EOS] = -1e4

    @torch.no_grad()
    def decode(number: int) -> int:
        batch = batches[number % len(batches)]
        limit_B = batch.target_mask_BM.sum(1)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            state = model.decoder.start(model.encoder(batch.source))
            found = beam_search(Speller(model.decoder, model.decoder.embed, model.decoder.logits), state, limit_B, BEAM)
        return sum(len(best[0].tokens) for best in found)

    name = f"translation, {name}, beam of {BEAM}{_half(half)}"
    return Row(name, named(device), PAIRS, rate(decode, device, seconds), "target tokens/s", None)


def _half(half: bool) -> str:
    return ", bf16" if half else ""


def sentences(count: int) -> Iterator[PairBatch]:
    """Batches of made-up pairs, from the shortest to the longest sentences."""
    for number in range(count):
        share = number / (count - 1)
        lengths = [round(low + share * (high - low)) for low, high in (SOURCE, TARGET)]
        shapes = [(PAIRS, length) for length in lengths]
        source_BL, target_BM = (torch.randint(4, VOCABULARY, shape) for shape in shapes)
        masks = [torch.ones(shape, dtype=torch.bool) for shape in shapes]
        masks[0][::3, -1] = masks[1][::3, -1] = False
        yield PairBatch(Tokens(source_BL, masks[0]), target_BM, masks[1], torch.arange(PAIRS))


def named(device: torch.device) -> str:
    """A device as rows have it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu ({torch.get_num_threads()} threads)"


def speeds(seconds: float) -> Iterator[Row]:
    """The rows of throughput, on the CPU and on a GPU where there is one.

    Args:
      seconds: how long each figure is measured.
    """
    keep_freed_memory()  # as a run does
    choose(0)  # as runs of these sizes do
    devices = [torch.device("cpu")] + [torch.device("cuda")] * torch.cuda.is_available()
    for device in devices:
        for workload in WORKLOADS:
            for batch_size in workload.batches:
                yield machine_speed(workload, batch_size, device, seconds)
        for batch_size in WORKLOADS[0].batches:
            yield naive_speed(WORKLOADS[0], batch_size, device, seconds)
        for half in (False, True) if device.type == "cuda" else (False,):
            for name in TRANSLATORS:
                yield translation_speed(name, device, seconds, half)
                yield decoding_speed(name, device, seconds, half)

"""The help of `augrnn fit`, `validate` and `test`: what people need, without importing what is slow."""

from collections.abc import Sequence

ALL = "--help-all"
"""The option for the help of LightningCLI, which has every option of the Trainer."""

HELP = """usage: augrnn {command} --config FILE [--config FILE ...] [--OPTION=VALUE ...]

{about}

  --config FILE                     settings (configs/copy/ntm-lstm.yaml); what comes later counts
  --seed_everything=N               the seed of the run (default: 0)
{own}  --trainer.default_root_dir=DIR    {folder}
  --trainer.accelerator=cpu         or gpu (default: a GPU where there is one)
  --trainer.devices=N               processes, one for each GPU or core (default: 1)
  --trainer.precision=bf16-mixed    faster on a GPU, slower on a processor
  --data.init_args.NAME=VALUE       a setting of the task, such as batch_size
  --model.init_args.NAME=VALUE      a setting of the model, such as cell.init_args.rows
  --print_config                    print all settings and stop

  --data.help CLASS                 the settings of a task: --data.help augrnn.tasks.copy.Copy
  --model.help CLASS                of a model: --model.help augrnn.systems.transducer.Transducer
  --model.cell.help CLASS           of a part of a model, whose class comes first:
                                    --model Transducer --model.cell.help NTM
  {all}                        every option

AUGRNN_COMPILE=0 runs without a compiler, AUGRNN_TRACEBACK=1 shows where a library refused something.
docs/training.md says what a run leaves, how it resumes, and what may change then."""

FIT = """  --ckpt_path=FILE|last             take a run up again from its checkpoint
  --trainer.max_steps=N             updates
  --trainer.max_epochs=N            passes over the data; for drawn tasks, epochs of epoch_batches
  --model.init_args.optimizer.init_args.lr=X
"""

EVALUATION = """  --ckpt_path=FILE|last|best        what to evaluate (default: the run's model)
"""

ABOUT = {
    "fit": ("Train a model in a folder of its own, which is printed.", FIT, "the run's folder (default: a new one)"),
    "validate": ("Evaluate a trained model on validation data.", EVALUATION, "the run's folder"),
    "test": ("Evaluate a trained model on the test sets.", EVALUATION, "the run's folder"),
}


def asked(words: Sequence[str]) -> str | None:
    """The short help that the words of a command ask for; None where they ask for none."""
    if not {"-h", "--help"} & set(words[1:]):
        return None
    about, own, folder = ABOUT[words[0]]
    return HELP.format(command=words[0], about=about, own=own, folder=folder, all=ALL)


def lightnings(words: Sequence[str]) -> list[str]:
    """The words as LightningCLI takes them, each option by its long name."""
    return [{ALL: "--help", "-c": "--config"}.get(word, word) for word in words]

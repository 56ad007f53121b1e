"""The reference's numbers, checkpoints and configurations, and other programs."""

from hrmlab.cli.arguments import Option, Positional, Verb
from hrmlab.cli.options import COMPAT, RUN

REFERENCE = (
    Verb(
        "parity",
        "does this machine compute what the reference computed?",
        "interchange:parity",
        (Positional("FILE", "golden vectors (.safetensors), or folders of them", "many"),),
        (
            Option("--compile", "through torch.compile; tolerances are wider"),
            Option("--dtype", "of the model", str, choices=("float32", "float64", "bfloat16"), default="float32"),
        ),
    ),
    Verb(
        "import",
        "a reference checkpoint as a run",
        "interchange:take",
        (
            Positional("PATH", "a folder with all_config.yaml, a weights file, or owner/name on the Hub"),
            Positional("KEY=VALUE", "the reference's keys, over those of its file", "many"),
        ),
        (Option("--data", "the data set that it was trained on", str, "DIR"), COMPAT),
    ),
    Verb(
        "import-config",
        "the reference's YAML as a configuration",
        "interchange:take_config",
        (
            Positional("FILE", "cfg_pretrain.yaml, all_config.yaml, or 'hrm' or 'trm' for the published defaults"),
            Positional("KEY=VALUE", "the reference's keys, as on its command line", "many"),
        ),
        (COMPAT,),
    ),
    Verb(
        "export",
        "a run for other programs",
        "interchange:give",
        (RUN,),
        (
            Option(
                "--format",
                "reference state dict, Hub folder with model card, or one ONNX segment",
                str,
                choices=("reference", "hub", "onnx"),
                default="reference",
            ),
        ),
    ),
)

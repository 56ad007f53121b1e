"""What a page takes for granted: words that stand for something of the reader's, and files that the reader has.

typed: commands that the reader has typed before. words: what words in capitals stand for, on this page. json: the files
that the page's JSON blocks are, in order.
"""

from dataclasses import dataclass, field

STANDS_FOR = {"RUN": "runs/mine", "PUZZLE": ".....21..14...2.", "PRESET": "sudoku-4x4", "TARGET": "hrm-sudoku-4x4"}
"""In every page. The puzzle has one answer."""


@dataclass(frozen=True)
class Scene:
    """Before the first block of a page."""

    typed: str = ""
    words: dict[str, str] = field(default_factory=dict)
    json: tuple[str, ...] = ()


MINE = "hrm train sudoku-4x4 --out runs/mine\n"
TABLE = """\
cat > mine.csv <<'END'
input,output
abab,baba
aabb,bbaa
abba,baab
bbba,aaab
aaab,bbba
baaa,abbb
bbaa,aabb
abbb,baaa
END
"""
ARC = "hrm data build arc --out {}\n"

SCENES: dict[str, Scene] = {
    "README.md": Scene(TABLE + ARC.format("data/arc1")),
    "docs/diagnosing.md": Scene(
        MINE.replace("mine", "my-run") + "cp runs/my-run/config.json my.json", {"RUN": "runs/my-run"}
    ),
    "docs/extending.md": Scene(
        """\
cat > rules.csv <<'END'
input,output,id
abab,baba,swap
aabb,bbaa,swap
abba,abba,keep
bbba,bbba,keep
bbaa,aabb,swap
END
printf 'input,output\\nabab,aaaa\\naabb,aaaa\\n' | tee shown.csv > asked.csv
hrm data build table train_file=rules.csv --out rules
hrm train hrm-sudoku-extreme data.path=rules --out runs/rules
""",
        {"RUN": "runs/rules", "PUZZLE": "baab"},
    ),
    "docs/halting.md": Scene(MINE, {"OTHER": "sudoku-4x4"}),
    "docs/scaling.md": Scene(ARC.format("data/arc1")),
    "docs/serving.md": Scene(MINE.replace("mine", "wide")),
    "docs/specialist.md": Scene(
        MINE
        + """\
hrm train hrm-sudoku-4x4 model.embedding=tokens model.block=post_norm model.positions=rotary model.size.heads=4 \\
  --out runs/t
cp runs/t/config.json transformer.json
hrm new block mine
hrm new block clamped
mkdir -p fork there
sed -i 's/^ *return _norm(x + self.mlp_gain/        if x.abs().max().item() > 1e3: x = x.clamp(-1e3, 1e3)\\n&/' \\
  clamped.py
echo 'width = 8' > fork/model.py
echo 'print(open("model.py").read())' > fork/check.py
echo '[{"file": "model.py", "search": "8", "replace": "16"}]' > edits.json
""",
        {"FORK": "fork", "FOLDER": "there"},
        json=("agent.json",),
    ),
    "docs/studies.md": Scene(json=("mine.json",)),
    "docs/coming-from-reference.md": Scene(
        TABLE
        + """\
hrm data build table train_file=mine.csv held_out=0.4 --out data/mine
hrm train hrm-sudoku-4x4 data.path=data/mine model.embedding=tokens model.block=post_norm model.positions=rotary \\
  model.halting_head.readout=first model.size.round_to=256 model.size.heads=2 training.optimiser=adam_atan2 \\
  halting=q_learning evaluation=fixed --out runs/ours
hrm export runs/ours --format reference --out released
""",
        {"CHECKPOINT": "released"},
    ),
}

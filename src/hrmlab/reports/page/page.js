// What is shown: one puzzle, one segment, one cell. Every change goes through `update`.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const depth = data.puzzles[0].right.length;
const state = { puzzle: 0, segment: 1, cell: null, map: 0, head: 0 };
const player = new Player($("play"), 700, () => {
  if (state.segment < depth) update({ segment: state.segment + 1 });
  return state.segment < depth;
});
const choose = (cell) => update({ cell });
const board = new Board($("board"), data.board, choose);
const looks = data.attention && new Looks(data.attention);
const look = looks && new Board($("look"), data.board, choose);

function update(change) {
  Object.assign(state, change);
  const puzzle = data.puzzles[state.puzzle];
  showList();
  showBoard(puzzle);
  showCourse(puzzle);
  if (looks) showLooks(puzzle);
}

function showList() {
  [...$("list").querySelectorAll("button")].forEach((button, at) => button.setAttribute("aria-pressed", String(at === state.puzzle)));
}

function firstRight(puzzle) {
  return puzzle.right.indexOf(1) + 1;
}

function courseInWords(puzzle) {
  const first = firstRight(puzzle), last = puzzle.right.at(-1);
  const right = !first ? "never right" : last ? `right from segment ${puzzle.right.lastIndexOf(0) + 2}` : `right at ${first}, not at the end`;
  return `${right}; ${puzzle.stop ? `the rule stops it at ${puzzle.stop}` : "the rule never stops it"}`;
}

function showBoard(puzzle) {
  const now = state.segment - 1, tokens = puzzle.answers[now];
  const before = now ? puzzle.answers[now - 1] : puzzle.given, broken = new Set(puzzle.broken[now]);
  $("board-title").textContent = `Puzzle ${puzzle.number + 1}: ${courseInWords(puzzle)}`;
  $("segment").value = state.segment;
  $("segment").setAttribute("aria-valuetext", `segment ${state.segment} of ${depth}, ${puzzle.right[now] ? "right" : "not right"}`);
  $("segment-number").textContent = `${state.segment} of ${depth} ${puzzle.right[now] ? "✓" : "✗"}`;
  board.show(tokens, state.cell, (cell) => {
    const given = puzzle.given[cell] === puzzle.labels[cell] && puzzle.given[cell] === tokens[cell];
    const scored = puzzle.labels[cell] >= 0, wrong = scored && tokens[cell] !== puzzle.labels[cell];
    const changed = now > 0 && tokens[cell] !== before[cell], sure = puzzle.sure[now][cell];
    const marks = { given, changed, broken: broken.has(cell), wrong };
    const text = board.face(tokens[cell]).text || "empty";
    const words = `${board.place(cell)}: ${text}, ${given ? "given" : `${sure}% sure`}` +
      `${changed ? ", changed" : ""}${marks.broken ? ", breaks a rule" : ""}`;
    return { classes: Object.keys(marks).filter((mark) => marks[mark]), shade: scored ? 1 - sure / 100 : 0, words };
  });
  $("cell").textContent = state.cell === null ? "" : board.cells[state.cell].title;
}

function showCourse(puzzle) {
  const unknown = puzzle.labels.map((label, cell) => label >= 0 && label !== puzzle.given[cell]);
  const count = Math.max(unknown.filter(Boolean).length, 1);
  const mean = (value) => puzzle.answers.map((answer, at) => [at + 1, answer.reduce((sum, _, cell) => sum + (unknown[cell] ? value(at, cell) : 0), 0) / count]);
  const series = [
    { name: "unknown cells right", points: mean((at, cell) => Number(puzzle.answers[at][cell] === puzzle.labels[cell])), dots: true },
    { name: "how sure", points: mean((at, cell) => puzzle.sure[at][cell] / 100), dots: true },
    { name: "halting head", points: puzzle.halt.flatMap((value, at) => (value === null ? [] : [[at + 1, value]])), dots: true },
  ];
  drawChart($("course"), series, { x: "segment", y: "share or probability", low: 0, high: 1, at: state.segment, whole: true });
  $("ways").innerHTML = Object.entries(puzzle.ways).map(([level, way]) => drawWay(level, puzzle.shares[level], way, state.segment - 1)).join("");
}

function showLooks(puzzle) {
  const { slots, segments } = data.attention, cell = state.cell ?? 0;
  if (!looks.has(puzzle.number)) {
    const those = data.attention.puzzles.map((number) => number + 1).join(" and ");
    $("look-note").textContent = `Attention was recorded for puzzles ${those} only; choose one of them in the list.`;
    $("look-top").replaceChildren();
    look.show(puzzle.answers[state.segment - 1], cell, (at) => ({ classes: [], shade: 0, words: look.place(at) }));
    return;
  }
  const segment = looks.nearest(state.segment - 1);
  const pairs = looks.of(puzzle.number, segment, state.map, state.head, cell);
  const strongest = Math.max(...pairs.map((pair) => pair[1]), 1e-9), weights = new Map(pairs);
  const percent = (weight) => `${(100 * weight).toFixed(weight < 0.1 ? 1 : 0)}%`;
  look.show(puzzle.answers[segment], cell, (at) => {
    const weight = weights.get(at + slots) || 0;
    return { classes: [], shade: weight / strongest, words: `${look.place(at)}: ${percent(weight)}` };
  });
  const total = pairs.reduce((sum, pair) => sum + pair[1], 0);
  const which = segments.length < depth ? ` (recorded after ${segments.map((s) => s + 1).join(", ")})` : "";
  $("look-note").textContent = `From ${look.place(cell)} after segment ${segment + 1}${which}; the ${pairs.length} strongest weights, ` +
    `${percent(Math.min(total, 1))} of all${data.attention.averaged ? ", mean of all heads" : ""}:`;
  $("look-top").replaceChildren(...pairs.slice(0, 8).map(([position, weight]) => {
    const item = document.createElement("li");
    item.textContent = `${position < slots ? `puzzle vector, part ${position + 1}` : look.place(position - slots)}: ${percent(weight)}`;
    return item;
  }));
}

function fillList() {
  $("list").replaceChildren(...data.puzzles.map((puzzle, at) => {
    const item = document.createElement("li"), button = item.appendChild(document.createElement("button"));
    const right = puzzle.right.at(-1);
    button.type = "button";
    button.innerHTML = `<span class="${right ? "mark-right" : "mark-wrong"}">${right ? "✓" : "✗"}</span><span>${puzzle.number + 1}</span>` +
      `<small>${firstRight(puzzle) ? `right at ${firstRight(puzzle)}` : "never right"}, rating ${puzzle.rating}</small>`;
    button.setAttribute("aria-label", `puzzle ${puzzle.number + 1}, ${courseInWords(puzzle)}, rating ${puzzle.rating}`);
    button.addEventListener("click", () => { player.stop(); update({ puzzle: at, segment: 1 }); });
    return item;
  }));
}

function fillChoices() {
  const option = (name, value) => Object.assign(document.createElement("option"), { textContent: name, value });
  $("map").replaceChildren(...data.attention.maps.map(({ level, block }, at) => option(`${level} ${block}`, at)));
  const heads = Array.from({ length: data.attention.heads }, (_, at) => option(data.attention.averaged ? "mean" : at + 1, at));
  $("head").replaceChildren(...heads);
  $("map").addEventListener("change", () => update({ map: Number($("map").value) }));
  $("head").addEventListener("change", () => update({ head: Number($("head").value) }));
}

function play() {
  if (player.playing) { player.stop(); return; }
  if (state.segment === depth) update({ segment: 1 });
  player.start();
}

function showCurves() {
  const { exact, right, wrong, n } = data.halting;
  drawChart($("exact"), [{ name: `all ${n} puzzles`, points: exact.map((share, at) => [at + 1, share]), dots: true }],
    { x: "segment", y: "share right", low: 0, high: 1, whole: true });
  const told = [["right there", right], ["wrong there", wrong]].map(([name, rows]) => {
    const kept = rows.flatMap((row, at) => (row ? [[at + 1, ...row]] : []));
    return { name, points: kept.map(([x, , middle]) => [x, middle]), band: kept.map(([x, low, , high]) => [x, low, high]), dots: true };
  });
  drawChart($("head-curve"), told, { x: "segment", y: "probability", low: 0, high: 1, whole: true });
  for (const curve of data.training) {
    const figure = $("curves").appendChild(document.createElement("figure")), host = document.createElement("div");
    host.className = "chart";
    figure.append(host, Object.assign(document.createElement("figcaption"), { textContent: curve.name }));
    const series = ["training", "evaluation"].filter((part) => curve[part].length);
    drawChart(host, series.map((part) => ({ name: part, points: curve[part], dots: part === "evaluation" })), { x: "step", y: curve.name });
  }
}

$("look").classList.add("look");
$("attention").hidden = !looks;
$("no-attention").hidden = Boolean(looks);
$("segment").max = depth;
$("segment").addEventListener("input", () => { player.stop(); update({ segment: Number($("segment").value) }); });
$("play").addEventListener("click", play);
$("reveal").addEventListener("change", () => $("board").classList.toggle("reveal", $("reveal").checked));
fillList();
if (looks) fillChoices();
showCurves();
update({ puzzle: data.start });

// The page: which part is shown, the puzzle, the panes, and the segment that all of them show.
"use strict";

const $ = (id) => document.getElementById(id);
const PAUSE = 500, FRAME = 600;
const asking = new Asking($("gone"), () => { $("token").hidden = false; $("secret").focus(); });
const editor = new Editor({ board: $("puzzle"), palette: $("palette"), how: $("how") }, edited, solve);
const panes = [
  new Pane($("first"), $("view-first"), asking, changeModel),
  new Pane($("second"), $("view-second"), asking, () => panes[1].stale()),
];
const player = new Player($("play"), FRAME, () => {
  if (state.segment < state.end) showSegment(state.segment + 1);
  return state.segment < state.end;
});
const runs = new Runs({
  list: $("list").tBodies[0], none: $("no-runs"), folder: $("folder"), run: $("run"), title: $("run-title"),
  line: $("run-line"), links: $("run-links"), events: $("run-events"), curves: $("run-curves"),
}, asking);
const state = { models: [], segment: 1, end: 1, examples: 0, name: null, task: null, reading: 0, typing: null };

function trouble(words) {
  $("trouble").textContent = words;
}

function shown() {
  return panes.filter((pane, at) => pane.film && (at === 0 || $("beside").checked));
}

function depth() {
  return Math.max(1, ...shown().map((pane) => pane.depth));
}

function showSegment(segment) {
  state.segment = Math.min(Math.max(1, segment), depth());
  const slider = $("segment"), none = !shown().length;
  slider.max = depth();
  slider.value = state.segment;
  slider.disabled = $("play").disabled = none;
  slider.setAttribute("aria-valuetext", `segment ${state.segment} of ${depth()}`);
  $("segment-number").textContent = none ? "" : `${state.segment} of ${depth()}`;
  $("legend").hidden = none;
  for (const pane of shown()) pane.show(state.segment);
}

/** The segment at which the last of the rules stops, or its limit. */
function halt() {
  return Math.max(...shown().map((pane) => pane.film.stop || pane.depth));
}

/** To the halt; from there on, to the end. */
function play() {
  if (player.playing) { player.stop(); return; }
  if (state.segment === depth()) showSegment(1);
  state.end = state.segment >= halt() ? depth() : halt();
  player.start();
}

/** The puzzle was changed on the board. */
function edited() {
  if (editor.editable) $("text").value = editor.text();
  state.name = null;
  later();
}

/** The puzzle was changed: what is shown belongs to another one. */
function later() {
  player.stop();
  for (const pane of panes) pane.stale();
  clearTimeout(state.typing);
  state.typing = setTimeout(read, PAUSE);
}

/** Have the text read: true if it is a fair puzzle, which the board then shows. */
async function read() {
  clearTimeout(state.typing);
  const number = ++state.reading, text = $("text").value;
  if (!text.trim()) { trouble(""); return false; }
  try {
    const found = await asking.post("watch/read", { model: panes[0].model.name, text });
    if (number !== state.reading) return false;
    if (found.tokens) editor.show(found.tokens);
    trouble(found.problem ?? "");
    return !found.problem;
  } catch (error) {
    if (number === state.reading) trouble(error.message);
    return false;
  }
}

async function solve() {
  player.stop();
  $("solve").disabled = true;
  try {
    if (!$("text").value.trim()) { trouble("no puzzle yet: type one, or take an example"); return; }
    if (!(await read())) return;
    for (const pane of panes) if (pane === panes[0] || $("beside").checked) await pane.follow(editor.tokens, state.name);
    showSegment(1);
    if ($("segment").getBoundingClientRect().top > innerHeight) $("segment").scrollIntoView();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) showSegment(halt());
    else play();
  } catch (error) {
    trouble(error.message);
  } finally {
    $("solve").disabled = false;
  }
}

async function example() {
  try {
    const { tokens, text } = await asking.get("watch/example", { model: panes[0].model.name, number: state.examples++ });
    state.name = null;
    editor.show(tokens);
    $("text").value = text;
    trouble("");
    for (const pane of panes) pane.stale();
  } catch (error) {
    trouble(error.message);
  }
}

function alike(one, other) {
  return one.task === other.task && one.board.cells === other.board.cells && one.board.faces.length === other.board.faces.length;
}

/** Another model: another board, unless it reads the same puzzles. */
function changeModel() {
  const model = panes[0].model, same = state.task && alike(model, state.task);
  state.task = model;
  panes[1].offer(state.models.filter((other) => alike(model, other)));
  $("task-file").hidden = model.task !== "arc";
  if (same) { panes[0].stale(); return; }
  player.stop();
  for (const pane of panes) { pane.film = null; pane.view.hidden = true; }
  showSegment(1);
  editor.use(model.board);
  $("text").value = "";
  $("test-of").hidden = true;
  state.examples = 0;
  example();
}

/** An ARC task from a file: its tests can be chosen; its name is what a model has learnt it by. */
async function loadTask() {
  const [file] = $("arc").files;
  if (!file) return;
  try {
    const { test } = JSON.parse(await file.text());
    const grids = test.map(({ input }) => input.map((row) => row.join("")).join("/"));
    $("test").replaceChildren(...grids.map((grid, at) => new Option(at + 1, grid)));
    $("test-of").hidden = grids.length < 2;
    state.name = file.name.replace(/\.json$/, "");
    $("text").value = grids[0];
    for (const pane of panes) pane.stale();
    await read();
  } catch {
    trouble(`${file.name} is no ARC task; wanted JSON with "test", a list of {"input": rows of numbers 0 to 9}`);
  }
}

function route() {
  const [part, name] = location.hash.slice(1).split("/");
  const onRuns = part === "runs";
  $("watch").hidden = onRuns;
  $("runs").hidden = !onRuns;
  for (const [id, here] of [["to-watch", !onRuns], ["to-runs", onRuns]]) {
    if (here) $(id).setAttribute("aria-current", "page");
    else $(id).removeAttribute("aria-current");
  }
  if (onRuns) runs.open(name ? decodeURIComponent(name) : null);
  else runs.leave();
}

async function begin() {
  try {
    const { models, rules } = await asking.get("watch/models");
    $("token").hidden = true;
    state.models = models;
    $("rules").replaceChildren(...rules.map((rule) => new Option("", rule)));
    panes[0].offer(models);
    changeModel();
  } catch (error) {
    trouble(error.message);
  }
}

$("solve").addEventListener("click", solve);
$("example").addEventListener("click", example);
$("clear").addEventListener("click", () => { editor.clear(); $("text").value = ""; trouble(""); for (const pane of panes) pane.stale(); });
$("text").addEventListener("input", () => { state.name = null; later(); });
$("text").addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || panes[0].model.task !== "arc") && !event.shiftKey) { event.preventDefault(); solve(); } });
$("play").addEventListener("click", play);
$("segment").addEventListener("input", () => { player.stop(); showSegment(Number($("segment").value)); });
$("beside").addEventListener("change", () => { $("second-pane").hidden = $("second").hidden = !$("beside").checked; showSegment(state.segment); });
$("arc").addEventListener("change", loadTask);
$("test").addEventListener("change", () => { $("text").value = $("test").value; later(); });
$("token").addEventListener("submit", (event) => {
  event.preventDefault();
  document.cookie = `hrm_token=${encodeURIComponent($("secret").value)}; path=/; SameSite=Strict`;
  $("token-trouble").textContent = "";
  begin().then(() => { if (!$("token").hidden) $("token-trouble").textContent = "that is not it"; });
});
asking.onBack(() => { if (!state.models.length) begin(); });
window.addEventListener("hashchange", route);
route();
begin();

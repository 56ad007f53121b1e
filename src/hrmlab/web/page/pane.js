// One model under one rule on the puzzle: what is chosen, and what it thought, segment by segment.
"use strict";

function element(tag, parent, options = {}) {
  const made = Object.assign(document.createElement(tag), options);
  if (parent) parent.append(made);
  return made;
}

class Pane {
  /** choice, view: hosts; asking: an Asking; chosen: called when another model is chosen. */
  constructor(choice, view, asking, chosen) {
    Object.assign(this, { view, asking, film: null, model: null, looks: null, cell: null, models: [] });
    this.select = element("select", element("label", choice, { textContent: "model " }));
    this.rule = element("input", element("label", choice, { textContent: "halting " }), { placeholder: "the model's own", autocomplete: "off" });
    this.rule.setAttribute("list", "rules");
    this.select.addEventListener("change", () => { this.take(this.select.value); chosen(); });
    const left = element("div", view), right = element("div", view);
    this.title = element("h3", left);
    this.host = element("div", left, { className: "board" });
    this.host.setAttribute("role", "grid");
    this.title.id = `${view.id}-title`;
    this.host.setAttribute("aria-labelledby", this.title.id);
    this.line = element("p", left, { className: "fine" });
    this.line.setAttribute("aria-live", "polite");
    this.course = element("div", right, { className: "chart" });
    this.residuals = element("div", right, { className: "chart" });
    this.ways = element("div", right, { className: "ways" });
    this.attention = element("details", right);
    element("summary", this.attention, { textContent: "Where the chosen cell looks" });
    const controls = element("div", this.attention, { className: "controls" });
    this.map = element("select", element("label", controls, { textContent: "place " }));
    this.head = element("select", element("label", controls, { textContent: "head " }));
    this.lookHost = element("div", this.attention, { className: "board look" });
    this.lookHost.setAttribute("role", "grid");
    this.lookHost.setAttribute("aria-label", "attention of the chosen cell");
    this.lookNote = element("p", this.attention, { className: "fine" });
    for (const one of [this.map, this.head]) one.addEventListener("change", () => this.showLooks());
    this.attention.addEventListener("toggle", () => { if (this.attention.open) this.fetchLooks(); });
    view.hidden = true;
  }

  /** The models that can be chosen. */
  offer(models) {
    const kept = this.select.value;
    this.models = models;
    this.select.replaceChildren(...models.map(({ name }) => new Option(name, name)));
    this.take(models.some(({ name }) => name === kept) ? kept : models[0] && models[0].name);
  }

  take(name) {
    this.model = this.models.find((model) => model.name === name);
    if (!this.model) return;
    this.select.value = name;
    this.rule.title = `the model's own: ${this.model.rule}, at most ${this.model.segments} segments`;
  }

  stale() {
    this.view.classList.add("stale");
  }

  /** Ask for the course of a puzzle; throws where there is none. */
  async follow(tokens, name) {
    const question = { model: this.model.name, tokens };
    if (this.rule.value.trim()) question.halting = this.rule.value.trim();
    if (name) question.name = name;
    const film = await this.asking.post("watch/film", question);
    const model = this.model;
    Object.assign(this, { film, looks: null, shown: model, question: { model: model.name, tokens, ...(name ? { name } : {}) } });
    this.host.replaceChildren();
    this.lookHost.replaceChildren();
    this.board = new Board(this.host, model.board, (cell) => { this.cell = cell; this.redraw(); });
    this.lookBoard = new Board(this.lookHost, model.board, (cell) => { this.cell = cell; this.redraw(); });
    this.attention.hidden = !film.looks;
    this.view.hidden = false;
    this.view.classList.remove("stale");
    if (film.looks && this.attention.open) this.fetchLooks();
    return film;
  }

  get depth() {
    return this.film ? this.film.answers.length : 0;
  }

  outcome() {
    const { stop, solved } = this.film, at = (stop || this.depth) - 1;
    const done = solved[at] === null ? "answered" : solved[at] ? "solved" : "not solved";
    const known = this.film.known === false ? "; it never learnt this task, so it answers with the blank vector" : "";
    return `${this.shown.name}: ${stop ? `${done}, stopped after ${stop}` : `${done} at its limit of ${this.depth}`}${known}`;
  }

  /** Show the board after a segment, from 1; beyond the end, the last one. */
  show(segment) {
    this.segment = segment;
    this.redraw();
  }

  redraw() {
    if (!this.film) return;
    const { film, board } = this, now = Math.min(this.segment, this.depth) - 1;
    const tokens = film.answers[now], before = now ? film.answers[now - 1] : film.given, broken = new Set(film.broken[now]);
    const over = film.stop && now + 1 > film.stop ? " (after the halt)" : "";
    this.title.textContent = `${this.outcome()}${over}`;
    const blank = this.blank();
    board.show(tokens, this.cell, (cell) => {
      const given = film.given[cell] !== blank && film.given[cell] === tokens[cell];
      const marks = { given, changed: now > 0 && tokens[cell] !== before[cell], broken: broken.has(cell) };
      const sure = film.sure[now][cell], text = board.face(tokens[cell]).text || "empty";
      const words = `${board.place(cell)}: ${text}, ${given ? "given" : `${sure}% sure`}` +
        `${marks.changed ? ", changed" : ""}${marks.broken ? ", breaks a rule" : ""}`;
      return { classes: Object.keys(marks).filter((mark) => marks[mark]), shade: 1 - sure / 100, words };
    });
    this.line.textContent = this.cell === null ? "Choose a cell to read it." : board.cells[this.cell].title;
    this.showCourse(now);
    this.showLooks();
  }

  /** The token of an open cell. */
  blank() {
    return this.shown.board.faces.findIndex((face) => face.key === ".");
  }

  showCourse(now) {
    const { film } = this, blank = this.blank(), open = film.given.map((token) => blank < 0 || token === blank);
    const count = Math.max(open.filter(Boolean).length, 1), cells = film.given.length;
    const along = (value) => film.answers.map((_, at) => [at + 1, value(at)]).filter((point) => point[1] !== null);
    drawChart(this.course, [
      { name: "how sure", points: along((at) => film.sure[at].reduce((sum, sure, cell) => sum + (open[cell] ? sure / 100 : 0), 0) / count), dots: true },
      { name: "halting head", points: along((at) => film.halt[at]), dots: true },
      { name: "breaking a rule", points: along((at) => film.broken[at].length / cells), dots: true },
    ], { x: "segment", y: "share or probability", low: 0, high: 1, at: now + 1, whole: true });
    const moved = Object.entries(film.residuals).map(([level, values]) => ({ name: `${level} moves`, points: values.flatMap((value, at) => (value === null ? [] : [[at + 1, value]])), dots: true }));
    drawChart(this.residuals, moved, { x: "segment", y: "relative change of the state", low: 0, at: now + 1, whole: true });
    this.ways.innerHTML = Object.entries(film.ways).map(([level, way]) => drawWay(level, film.shares[level], way, now)).join("");
  }

  async fetchLooks() {
    if (this.looks || !this.film) return;
    const film = this.film;
    try {
      const data = await this.asking.post("watch/looks", { ...this.question, segments: this.depth });
      if (film !== this.film || !data) return;
      this.looks = new Looks(data);
      this.map.replaceChildren(...data.maps.map(({ level, block }, at) => new Option(`${level} ${block}`, at)));
      this.head.replaceChildren(...Array.from({ length: data.heads }, (_, at) => new Option(data.averaged ? "mean" : at + 1, at)));
      this.showLooks();
    } catch (error) {
      this.lookNote.textContent = error.message;
    }
  }

  showLooks() {
    if (!this.looks) return;
    const { slots } = this.looks.data, cell = this.cell ?? 0, board = this.lookBoard;
    const segment = this.looks.nearest(Math.min(this.segment, this.depth) - 1);
    const pairs = this.looks.of(0, segment, Number(this.map.value), Number(this.head.value), cell), weights = new Map(pairs);
    const strongest = Math.max(...pairs.map((pair) => pair[1]), 1e-9);
    const percent = (weight) => `${(100 * weight).toFixed(weight < 0.1 ? 1 : 0)}%`;
    board.show(this.film.answers[segment], cell, (at) => {
      const weight = weights.get(at + slots) || 0;
      return { classes: [], shade: weight / strongest, words: `${board.place(at)}: ${percent(weight)}` };
    });
    const most = pairs.slice(0, 3).map(([at, weight]) => `${at < slots ? "the puzzle's vector" : board.place(at - slots)} ${percent(weight)}`);
    this.lookNote.textContent = `From ${board.place(cell)} after segment ${segment + 1}, most to ${most.join("; ")}.`;
  }
}

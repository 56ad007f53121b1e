// The puzzle to be asked: a board to type into and to paint on, and the same as text.
"use strict";

class Editor {
  /** parts: board, palette, how (elements). changed: called with the tokens after every change by hand. solve: on Enter. */
  constructor(parts, changed, solve) {
    Object.assign(this, { parts, changed, solve, tokens: [], chosen: 0, brush: null, painting: false });
    parts.board.addEventListener("keydown", (event) => this.typed(event), true);
    parts.board.addEventListener("pointerdown", (event) => this.paint(event, true));
    parts.board.addEventListener("pointermove", (event) => { if (this.painting) this.paint(event, false); });
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => { this.painting = false; });
  }

  /** Begin with another kind of board, empty. */
  use(description) {
    this.faces = description.faces;
    this.editable = this.faces.some((face) => face.key);
    this.blank = Math.max(0, this.faces.findIndex((face) => face.key === "."));
    this.parts.board.replaceChildren();
    this.board = new Board(this.parts.board, description, (number) => { this.chosen = number; this.draw(); });
    this.parts.how.textContent = this.editable
      ? "Type into a cell (arrow keys move, Enter solves), or choose a sign and paint it."
      : "Paste a grid, or load a task.";
    this.brush = null;
    this.fillPalette();
    this.clear();
  }

  clear() {
    this.show(new Array(this.board.board.cells).fill(this.blank));
  }

  show(tokens) {
    this.tokens = [...tokens];
    this.draw();
  }

  /** The puzzle as text, where every sign of it has a key. */
  text() {
    return this.tokens.map((token) => this.faces[token].key).join("");
  }

  draw() {
    this.board.show(this.tokens, this.editable ? this.chosen : null, (cell) => {
      const text = this.board.face(this.tokens[cell]).text || (this.tokens[cell] === this.blank ? "empty" : "filled");
      return { classes: ["given"], shade: 0, words: `${this.board.place(cell)}: ${text}` };
    });
  }

  put(cell, token) {
    if (this.tokens[cell] === token) return;
    if (this.faces[token].single) this.tokens = this.tokens.map((other) => (other === token ? this.blank : other));
    this.tokens[cell] = token;
    this.draw();
    this.changed(this.tokens);
  }

  typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") { event.preventDefault(); event.stopPropagation(); this.solve(); return; }
    if (!this.editable) return;
    const key = ["Backspace", "Delete", "0", " "].includes(event.key) ? "." : event.key;
    const token = this.faces.findIndex((face) => face.key && face.key.toUpperCase() === key.toUpperCase());
    if (token < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.put(this.chosen, token);
  }

  paint(event, begins) {
    if (this.brush === null) return;
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const cell = this.board.cells.indexOf(under && under.closest(".cell"));
    if (cell < 0) return;
    if (begins) this.painting = true;
    this.chosen = cell;
    this.put(cell, this.brush);
  }

  fillPalette() {
    const buttons = this.faces.flatMap((face, token) => (face.key ? [this.sign(face, token)] : []));
    this.parts.palette.replaceChildren(...buttons);
  }

  sign(face, token) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = face.text;
    button.className = face.paint === "ink" ? "solid" : "";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", face.text || (token === this.blank ? "empty" : "wall"));
    button.setAttribute("aria-checked", "false");
    button.addEventListener("click", () => {
      this.brush = this.brush === token ? null : token;
      for (const other of this.parts.palette.children) other.setAttribute("aria-checked", String(other === button && this.brush !== null));
    });
    return button;
  }
}

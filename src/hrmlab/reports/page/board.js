// A board of cells that can be reached and read by keyboard; arrow keys move the choice.

class Board {
  /** choose: called with a cell's number when it is clicked or reached by an arrow key. */
  constructor(host, board, choose) {
    const [rows, columns] = board.shape;
    this.board = board;
    this.cells = [];
    this.at = 0;
    host.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    host.style.setProperty("--columns", columns);
    for (let row = 0; row < rows; row++) {
      const line = host.appendChild(document.createElement("div"));
      line.className = "line";
      line.setAttribute("role", "row");
      for (let column = 0; column < columns; column++) {
        const number = row * columns + column;
        if (number >= board.cells) break;
        const cell = line.appendChild(document.createElement("div"));
        cell.setAttribute("role", "gridcell");
        cell.tabIndex = number ? -1 : 0;
        cell.append(document.createElement("span"));
        cell.addEventListener("click", () => choose(number, cell));
        cell.addEventListener("keydown", (event) => this.move(event, number, choose));
        cell.dataset.edges = this.edges(number, rows, columns);
        this.cells.push(cell);
      }
    }
  }

  /** Classes that draw the lines right of and beneath a cell: heavy where a box ends. */
  edges(number, rows, columns) {
    const boxes = this.board.boxes, column = number % columns, found = [];
    if (column === columns - 1) found.push("last");
    else if (boxes && boxes[number] !== boxes[number + 1]) found.push("edge-right");
    if (number + columns >= rows * columns) found.push("bottom");
    else if (boxes && boxes[number] !== boxes[number + columns]) found.push("edge-bottom");
    return found.join(" ");
  }

  move(event, number, choose) {
    const columns = this.board.shape[1];
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    const next = event.key === "Enter" || event.key === " " ? number : number + step;
    if (Number.isNaN(next)) return;
    event.preventDefault();
    const leaves = sideways && Math.floor(next / columns) !== Math.floor(number / columns);
    if (!this.cells[next] || leaves) return;
    choose(next, this.cells[next]);
    this.cells[next].focus();
  }

  /** Where row and column of a cell are, in words. */
  place(number) {
    const columns = this.board.shape[1];
    return `row ${Math.floor(number / columns) + 1}, column ${(number % columns) + 1}`;
  }

  face(token) {
    return this.board.faces[token] || { text: "?", paint: "" };
  }

  /**
   * Show tokens. each: number -> {classes: [...], shade: 0 to 1, words}.
   */
  show(tokens, chosen, each) {
    this.cells.forEach((cell, number) => {
      const { text, paint } = this.face(tokens[number]), { classes, shade, words } = each(number);
      const kinds = [number === chosen ? "chosen" : "", paint === "ink" ? "solid" : paint ? "painted" : ""];
      cell.className = ["cell", cell.dataset.edges, ...classes, ...kinds].join(" ");
      cell.style.setProperty("--shade", shade.toFixed(3));
      cell.style.backgroundColor = paint === "ink" ? "" : paint;
      cell.firstChild.textContent = text;
      cell.setAttribute("aria-label", words);
      cell.title = words;
      cell.tabIndex = number === (chosen ?? 0) ? 0 : -1;
    });
  }
}

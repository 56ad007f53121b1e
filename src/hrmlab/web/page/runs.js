// The runs in a folder: a list, and of one of them its curves as they grow.
"use strict";

const LOOK = 2000;

class Runs {
  /** parts: elements by name; asking: an Asking. */
  constructor(parts, asking) {
    Object.assign(this, { parts, asking, name: null, timer: null, drawn: "" });
  }

  /** Show the list, and a run where one is named; look again now and then until `leave`. */
  async open(name) {
    this.leave();
    this.name = name;
    this.drawn = "";
    await this.look();
    this.timer = setInterval(() => this.look(), LOOK);
  }

  leave() {
    clearInterval(this.timer);
    this.timer = null;
  }

  async look() {
    try {
      const { folder, runs } = await this.asking.get("watch/runs");
      this.parts.folder.textContent = folder ? `in ${folder}` : "";
      this.parts.none.hidden = runs.length > 0;
      this.parts.none.textContent = folder ? "There is none yet: `hrm train PRESET` makes one." : "No folder was named; start the server with --runs DIR.";
      this.parts.list.replaceChildren(...runs.map((run) => this.row(run)));
      this.parts.run.hidden = !this.name;
      if (this.name) this.draw(await this.asking.get("watch/curves", { run: this.name }));
    } catch (error) {
      this.parts.line.textContent = error.message;
    }
  }

  row(run) {
    const row = document.createElement("tr");
    const focused = document.activeElement && document.activeElement.dataset.run === run.name;
    row.setAttribute("aria-selected", String(run.name === this.name));
    const button = element("button", element("td", row), { type: "button", textContent: run.name });
    button.dataset.run = run.name;
    button.addEventListener("click", () => { location.hash = `#runs/${encodeURIComponent(run.name)}`; });
    const exact = run.exact === null || run.exact === undefined ? "" : `${(100 * run.exact).toFixed(1)}%`;
    for (const text of [run.preset ?? "", run.step ?? "", exact, run.trouble ?? run.state]) element("td", row, { textContent: text });
    if (focused) requestAnimationFrame(() => button.focus());
    return row;
  }

  draw(run) {
    this.parts.title.textContent = run.name;
    const of = run.steps ? ` of ${run.steps}` : "";
    this.parts.line.textContent = run.trouble ?? `${run.preset}, step ${run.step ?? 0}${of}, ${Math.round(run.seconds ?? 0)} s, ${run.state}`;
    const drawn = JSON.stringify([run.name, run.curves, run.report]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.parts.links.replaceChildren();
    if (run.report) element("a", this.parts.links, { href: `watch/report?${new URLSearchParams({ run: run.name })}`, target: "_blank", textContent: "its report" });
    else this.parts.links.textContent = `No report yet; hrm report makes one.`;
    this.parts.events.replaceChildren(...run.divergences.map((event) => element("li", null, { textContent: event })));
    this.parts.curves.replaceChildren(...run.curves.map((curve) => {
      const figure = document.createElement("figure"), host = element("div", figure, { className: "chart" });
      element("figcaption", figure, { textContent: curve.name });
      const parts = ["training", "evaluation"].filter((part) => curve[part].length);
      drawChart(host, parts.map((part) => ({ name: part, points: curve[part], dots: part === "evaluation" })), { x: "step", y: curve.name });
      return figure;
    }));
  }
}

// Questions to the server: answers, reasons why not, and a server that is gone and comes back.
"use strict";

const AGAIN = 2000;

class Asking {
  /** banner: shown while the server is gone; locked: called where it wants a token. */
  constructor(banner, locked) {
    this.banner = banner;
    this.locked = locked;
    this.waiting = null;
    this.back = [];
  }

  /** Call something whenever the server has been gone and answers again. */
  onBack(what) {
    this.back.push(what);
  }

  get(path, query = {}) {
    return this.send(`${path}?${new URLSearchParams(query)}`, {});
  }

  post(path, body) {
    return this.send(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  /** The answer; an Error with the server's own words where it has none. */
  async send(path, options) {
    let response;
    try {
      response = await fetch(path, options);
    } catch {
      this.gone();
      throw new Error("the server does not answer");
    }
    const answer = await response.json().catch(() => ({ error: `the server said ${response.status}` }));
    if (response.status === 401) this.locked();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }

  gone() {
    this.banner.hidden = false;
    if (!this.waiting) this.waiting = setInterval(() => this.look(), AGAIN);
  }

  async look() {
    const there = await fetch("health").then((response) => response.ok, () => false);
    if (!there || !this.waiting) return;
    clearInterval(this.waiting);
    this.waiting = null;
    this.banner.hidden = true;
    for (const what of this.back) what();
  }
}

// Goes on by itself until its end; a button says whether it does.

class Player {
  /** pause: milliseconds between steps; step: makes one, and says whether there are more. */
  constructor(button, pause, step) {
    Object.assign(this, { button, pause, step, timer: null });
  }

  get playing() {
    return this.timer !== null;
  }

  start() {
    this.timer = setInterval(() => { if (!this.step()) this.stop(); }, this.pause);
    this.show("Pause");
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.show("Play");
  }

  show(word) {
    this.button.textContent = word;
    this.button.setAttribute("aria-pressed", String(this.playing));
  }
}

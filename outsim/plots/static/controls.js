/* What moves the instant: play and pause, speeds, the scrubber, and the flag of the stop. */

import { freshId, make, say } from "./dom.js";
import { EDGE, GUTTER } from "./plot.js";

export const SPEEDS = [1, 10, 60, 300, 1000];
const THUMB = 20;

/** Play and pause, the speed, and the local time in large. */
export class Player {
  constructor({ toggled, sped }) {
    this.button = make("button", { type: "button", class: "play", click: toggled }, "Play");
    const id = freshId("speed");
    this.speed = make(
      "select",
      { id, change: () => sped(Number(this.speed.value)) },
      ...SPEEDS.map((speed) => make("option", { value: speed }, `${speed}×`)),
    );
    this.time = make("span", { class: "time" });
    this.day = make("span", { class: "day" });
    this.element = make(
      "div",
      { class: "player", role: "group", "aria-label": "Playing" },
      this.button,
      make("label", { for: id }, "Speed"),
      this.speed,
      make("span", { class: "now" }, this.time, " ", this.day),
    );
  }

  show(clock, s) {
    say(this.time, clock.time(s));
    say(this.day, `${clock.day(s)} ${clock.year(s)}, ${clock.zone}`);
  }

  setPlaying(is_playing, speed) {
    say(this.button, is_playing ? "Pause" : "Play");
    if (SPEEDS.includes(speed)) this.speed.value = String(speed);
  }
}

/** The slider through the day, as wide as the plots. */
export class Scrubber {
  constructor({ moved, opened, toggled }) {
    this.input = make("input", {
      type: "range",
      class: "scrubber",
      "aria-label": "Time of the day; Enter shows who holds the ports then, Space plays",
      input: () => moved(Number(this.input.value)),
      keydown: (event) => {
        if (event.key === "Enter") opened(Number(this.input.value));
        else if (event.key === " ") toggled();
        else return;
        event.preventDefault();
      },
    });
    this.input.style.marginLeft = `${GUTTER - THUMB / 2}px`;
    this.input.style.width = `calc(100% - ${GUTTER + EDGE - THUMB}px)`;
  }

  setData(data) {
    this.input.min = data.from_s;
    this.input.max = data.until_s;
    this.input.step = data.step_s;
  }

  show(clock, s) {
    this.input.value = s;
    this.input.setAttribute("aria-valuetext", clock.text(Number(this.input.value)));
  }
}

/** The flag of the stop on its track above the queue; at the end of the day there is no stop. */
export class StopFlag {
  constructor(moved) {
    this.moved = moved;
    this.label = make("span", { class: "flag-label" });
    this.handle = make(
      "div",
      { class: "flag", role: "slider", tabindex: "0", "aria-orientation": "horizontal" },
      this.label,
    );
    this.track = make("div", { class: "flag-track" }, this.handle);
    this.element = this.track;
    this.s = null;
    this.listen();
  }

  listen() {
    let is_held = false;
    const follow = (event) => {
      const box = this.track.getBoundingClientRect();
      this.choose(this.view.instant(event.clientX - box.left, box.width));
    };
    this.handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      is_held = true;
      this.handle.setPointerCapture(event.pointerId);
      this.handle.focus();
      event.preventDefault();
    });
    this.handle.addEventListener("pointermove", (event) => is_held && follow(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.handle.addEventListener(name, () => (is_held = false));
    }
    this.handle.addEventListener("keydown", (event) => {
      const { view } = this;
      const at_s = this.s ?? view.until_s;
      const page = Math.max(view.step_s, 600);
      const next = {
        ArrowLeft: at_s - view.step_s, ArrowDown: at_s - view.step_s,
        ArrowRight: at_s + view.step_s, ArrowUp: at_s + view.step_s,
        PageDown: at_s - page, PageUp: at_s + page, Home: view.from_s, End: view.until_s,
      }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      this.choose(next);
    });
  }

  /** Where it was put by hand: a step of the day, or nowhere at its end. */
  choose(at_s) {
    const { from_s, until_s, step_s } = this.view;
    const step = from_s + Math.round((Math.max(from_s, at_s) - from_s) / step_s) * step_s;
    const s = step >= until_s ? null : step;
    if (s === this.s) return;
    this.set(s);
    this.moved(s);
  }

  set(s) {
    this.s = s;
    if (this.view) this.draw(this.view);
  }

  draw(view) {
    this.view = view;
    const at_s = this.s ?? view.until_s;
    const share = (at_s - view.from_s) / (view.until_s - view.from_s);
    const root = this.track.closest(".outsim-animation");
    root.style.setProperty("--outsim-flag", Math.min(1, Math.max(0, share)));
    this.track.classList.toggle("late", share > 0.6);
    const text = this.s === null ? "no stop" : `stop at ${view.clock.text(this.s)}`;
    say(this.label, this.s === null ? text : `stop ${view.clock.shortest(this.s)}`);
    this.handle.setAttribute("aria-label", "Stop of the campaign");
    this.handle.setAttribute("aria-valuemin", view.from_s);
    this.handle.setAttribute("aria-valuemax", view.until_s);
    this.handle.setAttribute("aria-valuenow", at_s);
    this.handle.setAttribute("aria-valuetext", text);
  }
}

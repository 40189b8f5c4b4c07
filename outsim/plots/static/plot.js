/* A plot over the day: its canvas, the line of the instant, and the pointer that moves it. */

import { make, shortened } from "./dom.js";
import { fit, hatched, write } from "./paint.js";

export const GUTTER = 46;
export const EDGE = 12;
export const FOOT = 20;

/** What is seen of the day, and how wide. */
export class DayView {
  constructor(data, clock, theme) {
    this.from_s = data.from_s;
    this.until_s = Math.max(data.until_s, data.from_s + data.step_s);
    this.step_s = data.step_s;
    this.clock = clock;
    this.theme = theme;
    this.incidents = data.incidents ?? [];
  }

  /** Where an instant is drawn in a plot of this width. */
  x(s, width) {
    return GUTTER + ((s - this.from_s) / (this.until_s - this.from_s)) * (width - GUTTER - EDGE);
  }

  instant(x, width) {
    const share = (x - GUTTER) / (width - GUTTER - EDGE);
    return this.from_s + Math.min(1, Math.max(0, share)) * (this.until_s - this.from_s);
  }
}

export class Plot {
  /** `moved(s)` while a pointer is on it, `opened(s)` when it was a click. */
  constructor(label, height, { moved, opened }) {
    this.height = height;
    this.canvas = make("canvas", { role: "img", "aria-label": label });
    this.element = make(
      "div",
      { class: "plot" },
      this.canvas,
      make("div", { class: "ahead", "aria-hidden": "true" }),
      make("div", { class: "cursor", "aria-hidden": "true" }),
      make("div", { class: "pole", "aria-hidden": "true" }),
    );
    this.listen(moved, opened);
  }

  listen(moved, opened) {
    let start = null;
    const at = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return this.view.instant(event.clientX - box.left, box.width);
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      start = event.clientX;
      if (event.pointerType === "mouse") this.element.setPointerCapture(event.pointerId);
      moved(at(event));
    });
    this.element.addEventListener("pointermove", (event) => {
      if (start !== null) moved(at(event));
    });
    this.element.addEventListener("pointerup", (event) => {
      if (start !== null && Math.abs(event.clientX - start) < 4) opened(at(event));
      start = null;
    });
    this.element.addEventListener("pointercancel", () => (start = null));
  }

  /** Clear the canvas and draw what all plots have: incidents, and lines at round times. */
  begin(view) {
    this.view = view;
    this.width = this.element.clientWidth;
    const context = fit(this.canvas, this.width, this.height, view.theme.scale);
    this.context = context;
    const shade = hatched(context, view.theme.incident, 1, view.theme.scale);
    for (const incident of view.incidents) {
      const left = view.x(Math.max(view.from_s, incident.from_s), this.width);
      const right = view.x(Math.min(view.until_s, incident.until_s ?? view.until_s), this.width);
      context.globalAlpha = 0.55;
      context.fillStyle = shade;
      context.fillRect(left, 0, Math.max(2, right - left), this.height - FOOT);
      context.globalAlpha = 1;
    }
    context.strokeStyle = view.theme.line;
    context.lineWidth = 1;
    this.ticks = view.clock.ticks(view.from_s, view.until_s, Math.max(3, Math.floor(this.width / 90)));
    for (const tick of this.ticks) {
      const x = Math.round(view.x(tick.s, this.width)) + 0.5;
      context.beginPath();
      context.moveTo(x, 0);
      context.lineTo(x, this.height - FOOT);
      context.stroke();
    }
    return context;
  }

  /** Write what incidents are above them, where there is room. */
  nameIncidents() {
    const { context, view } = this;
    let free = 0;
    for (const { label: whole, from_s, until_s } of view.incidents) {
      const label = shortened(whole);
      context.font = `12px ${view.theme.font}`;
      const half = context.measureText(label).width / 2;
      const middle = view.x((from_s + Math.min(until_s ?? view.until_s, view.until_s)) / 2, this.width);
      const place = Math.min(this.width - half - 2, Math.max(GUTTER + half + 2, middle));
      if (place - half < free) continue;
      write(context, label, place, 9, view.theme, { align: "center" });
      free = place + half + 8;
    }
  }

  /** Local times along the foot of a plot. */
  writeTicks() {
    const y = this.height - FOOT / 2 + 2;
    let free = 0;
    for (const tick of this.ticks) {
      const x = this.view.x(tick.s, this.width);
      this.context.font = `12px ${this.view.theme.font}`;
      const half = this.context.measureText(tick.text).width / 2;
      const place = Math.min(this.width - half - 1, Math.max(half, x));
      if (place - half < free) continue;
      write(this.context, tick.text, place, y, this.view.theme, { align: "center", color: this.view.theme.soft });
      free = place + half + 8;
    }
  }
}

/* Series over the day: areas upon each other, lines, limits, bars. */

import { make, number, say, shortened } from "./dom.js";
import { drawSwatch, hatched, write } from "./paint.js";
import { FOOT, Plot } from "./plot.js";

const HEAD = 6;

/** The next round number from here on. */
function roundUp(value) {
  if (value <= 4) return Math.max(1, Math.ceil(value));
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((part) => part * size).find((top) => top >= value);
}

function largest(values) {
  let most = 0;
  for (const value of values) if (value > most) most = value;
  return most;
}

export class Chart {
  /**
   * A chart with a heading and, as its key, each series with its value at the instant.
   * A series is {label, values, look: {kind, color, mark, dash}, digits}; areas stand upon each other.
   * With "areas" as `names`, these stand in the areas, and the key has the other series alone.
   * What is `between` stands above the plot.
   */
  constructor(title, pointer, { height = 120, names = null, between = null } = {}) {
    this.plot = new Plot(`${title}, over the day`, height, pointer);
    this.names = names;
    this.key = make("ul", { class: "key" });
    this.element = make(
      "div",
      { class: "chart" },
      make("div", { class: "head" }, make("h3", {}, title), this.key),
      between,
      this.plot.element,
    );
    this.entries = [];
  }

  setSeries(series) {
    this.series = series;
    this.told = series.filter(({ look }) => this.names === null || look.kind !== "area");
    if (this.entries.map(({ label }) => label).join("\n") === this.told.map(({ label }) => label).join("\n")) return;
    this.entries = this.told.map(({ label }) => ({
      swatch: make("canvas", { class: "swatch", "aria-hidden": "true" }),
      value: make("b"),
      label,
    }));
    this.key.replaceChildren(
      ...this.entries.map(({ swatch, value, label }) => make("li", {}, swatch, `${label} `, value)),
    );
  }

  /** Values at an instant, in the key. */
  show(place) {
    this.entries.forEach((entry, k) => {
      const { values, digits } = this.told[k];
      say(entry.value, number(values[place], digits ?? 0));
    });
  }

  draw(view, most = 0) {
    const { plot, series } = this;
    const context = plot.begin(view);
    const floor = plot.height - FOOT;
    const steps = Math.max(...series.map(({ values }) => values.length), 1);
    const sums = new Float64Array(steps);
    for (const { values, look } of series) {
      if (look.kind === "area") for (let k = 0; k < values.length; k += 1) sums[k] += values[k] ?? 0;
      else most = Math.max(most, largest(values));
    }
    const top = roundUp(Math.max(most, largest(sums)));
    this.y = (value) => floor - (value / top) * (floor - HEAD);
    this.x = (place) => view.x(view.from_s + place * view.step_s, plot.width);
    this.grid(context, view, top);
    const below = new Float64Array(steps);
    for (const one of series) if (one.look.kind === "area") this.area(context, view, one, below);
    for (const one of series) if (one.look.kind === "bars") this.bars(context, view, one, floor);
    for (const one of series) if (one.look.kind === "line") this.line(context, view, one);
    if (this.names) {
      this.nameAreas(context, view);
      plot.nameIncidents();
    }
    plot.writeTicks();
    this.entries.forEach(({ swatch }, k) => drawSwatch(swatch, this.told[k].look, view.theme));
  }

  grid(context, view, top) {
    context.strokeStyle = view.theme.line;
    context.lineWidth = 1;
    for (const value of [0, top / 2, top]) {
      const y = Math.round(this.y(value)) + 0.5;
      context.beginPath();
      context.moveTo(view.x(view.from_s, this.plot.width), y);
      context.lineTo(view.x(view.until_s, this.plot.width), y);
      context.stroke();
      const place = Math.max(y, 8);
      const left = view.x(view.from_s, this.plot.width) - 6;
      write(context, number(value, 1), left, place, view.theme, { align: "right", color: view.theme.soft });
    }
  }

  area(context, view, { values, look }, below) {
    const count = values.length;
    const color = view.theme[look.color] ?? look.color;
    context.beginPath();
    for (let k = 0; k < count; k += 1) context.lineTo(this.x(k), this.y(below[k] + (values[k] ?? 0)));
    for (let k = count - 1; k >= 0; k -= 1) context.lineTo(this.x(k), this.y(below[k]));
    context.closePath();
    context.fillStyle = hatched(context, color, look.mark, view.theme.scale);
    context.fill();
    context.beginPath();
    for (let k = 0; k < count; k += 1) {
      below[k] += values[k] ?? 0;
      if (!look.has_edge) continue;
      if (values[k] > 0) context.lineTo(this.x(k), this.y(below[k]));
      else context.moveTo(this.x(k), this.y(below[k]));
    }
    context.strokeStyle = view.theme.ink;
    context.lineWidth = 0.6;
    context.stroke();
  }

  bars(context, view, { values, look }, floor) {
    context.fillStyle = view.theme[look.color] ?? look.color;
    const wide = Math.max(1, this.x(1) - this.x(0));
    for (let k = 0; k < values.length; k += 1) {
      if (values[k] > 0) context.fillRect(this.x(k), this.y(values[k]), wide, floor - this.y(values[k]));
    }
  }

  line(context, view, { values, look }) {
    context.strokeStyle = view.theme[look.color] ?? look.color;
    context.lineWidth = look.width ?? 1.6;
    context.setLineDash(look.dash ?? []);
    context.beginPath();
    let isDown = false;
    for (let k = 0; k < values.length; k += 1) {
      const value = values[k];
      if (value === null || value === undefined) isDown = false;
      else if (isDown) context.lineTo(this.x(k), this.y(value));
      else {
        context.moveTo(this.x(k), this.y(value));
        isDown = true;
      }
    }
    context.stroke();
    context.setLineDash([]);
  }

  /** Write the names of areas where there is room inside of them. */
  nameAreas(context, view) {
    const areas = this.series.filter(({ look }) => look.kind === "area");
    const below = new Float64Array(areas[0]?.values.length ?? 0);
    context.font = `600 12px ${view.theme.font}`;
    for (const { label: name, values } of areas) {
      const label = shortened(name, 24);
      const reach = Math.ceil(context.measureText(label).width / 2 / Math.max(0.01, this.x(1) - this.x(0)));
      let best = -1, room = 15;
      const stride = Math.max(1, Math.floor(values.length / 300));
      for (let k = reach; k < values.length - reach; k += stride) {
        const high = this.y(Math.min(
          below[k] + values[k], below[k - reach] + values[k - reach], below[k + reach] + values[k + reach],
        ));
        const low = this.y(Math.max(below[k], below[k - reach], below[k + reach]));
        if (low - high > room) [best, room] = [k, low - high];
      }
      if (best >= 0) {
        const y = (this.y(below[best]) + this.y(below[best] + values[best])) / 2;
        write(context, label, this.x(best), y, view.theme, { align: "center", weight: 600 });
      }
      for (let k = 0; k < values.length; k += 1) below[k] += values[k] ?? 0;
    }
  }
}

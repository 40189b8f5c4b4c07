/* A day of the platform that moves: the queue, the ports, and what the customer sees of it. */

import { CallsPanel } from "./calls.js";
import { Chart } from "./charts.js";
import { LocalClock, stepText } from "./clock.js";
import { Player, Scrubber, StopFlag } from "./controls.js";
import { counted, freshId, make, number, say } from "./dom.js";
import { Lanes } from "./lanes.js";
import { readTheme } from "./paint.js";
import { answer, busyPorts, Counters, InstantPanel, TenantTable } from "./panels.js";
import { DayView, EDGE, FOOT, GUTTER } from "./plot.js";
import { PortField } from "./ports.js";

const FRAME_MS = 40;
const CALM_FRAME_MS = 1000;

const area = (color, mark, has_edge = true) => ({ kind: "area", color, mark, has_edge });
const line = (color, dash, width) => ({ kind: "line", color, dash, width });

class Animation {
  constructor(element, options) {
    this.options = options;
    this.campaign = 0;
    this.speed = 300;
    this.is_playing = false;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.dark = window.matchMedia("(prefers-color-scheme: dark)");
    this.build(element);
    this.restyle = () => this.setTheme(this.theme);
    this.dark.addEventListener("change", this.restyle);
    this.resized = new ResizeObserver(() => this.root.clientWidth !== this.width && this.redraw());
    this.resized.observe(this.root);
    this.setSpeed(this.speed);
    this.setTheme(options.theme);
    this.setData(options.data);
    this.setStop(options.stop_s === undefined ? this.own?.stop_requested_s ?? null : options.stop_s);
    this.seek(options.at_s ?? this.firstShown());
  }

  /** Where it begins: a live session now, a recorded day where the queue is longest. */
  firstShown() {
    const { queue, is_live: isLive, from_s: from, until_s: until, step_s: step } = this.data;
    if (isLive) return until;
    const together = queue.most.map((_, k) => queue.by_tenant.reduce((sum, values) => sum + values[k], 0));
    return from + step * Math.max(0, together.indexOf(Math.max(0, ...together)));
  }

  build(element) {
    const pointer = {
      moved: (s) => (this.pause(), this.seek(s)),
      opened: (s) => this.instant.open(this.stepped(s)),
    };
    const toggled = () => (this.is_playing ? this.pause() : this.play(this.speed));
    this.answer = make("p", { class: "answer" });
    this.player = new Player({ toggled, sped: (speed) => this.setSpeed(speed) });
    this.scrubber = new Scrubber({ ...pointer, toggled });
    this.flag = new StopFlag((s) => this.stopMoved(s));
    this.stop_text = make("p", { class: "stop-text", "aria-live": "polite" });
    this.queue = new Chart("Calls in the queue", pointer, { height: 210, names: "areas", between: this.flag.track });
    this.lanes = new Lanes(pointer);
    this.tenants = new TenantTable();
    this.counters = new Counters((place) => this.setCampaign(place));
    this.seen = new Chart("Completed calls", pointer, { height: 170 });
    this.charts = {
      rate: new Chart("Dial rate", pointer),
      carrier: new Chart("Carrier", pointer),
      workers: new Chart("Workers", pointer),
      backlog: new Chart("Status backlog", pointer),
    };
    this.field_canvas = make("canvas", { role: "img", "aria-label": "One mark a port; the table by tenant says the same" });
    this.field = new PortField(this.field_canvas);
    this.field_title = make("h3");
    this.instant = new InstantPanel({ ask: this.options.instant, opened: (s) => this.options.onInstant?.(s) });
    this.instant.context = (s) => ({ data: this.data, clock: this.clock, step: this.step(s) });
    this.calls = new CallsPanel({ ask: this.options.story, opened: (call_id) => this.options.onCall?.(call_id) });
    const id = freshId("title");
    this.title = make("h2", { id });
    const ports = make(
      "div", { class: "ports" },
      make("div", { class: "head" }, this.field_title,
        make("ul", { class: "key", "aria-hidden": "true" },
          make("li", {}, "■ talking"), make("li", {}, "□ ringing"), make("li", {}, "▪ dialing"), make("li", {}, "· free"))),
      this.field_canvas,
    );
    this.root = make(
      "section", { class: "outsim-animation", "aria-labelledby": id },
      this.title,
      this.answer,
      this.player.element,
      make("div", { class: "day-and-now" },
        make("div", { class: "over-day" }, this.queue.element, this.scrubber.input, this.stop_text, this.lanes.element),
        make("div", { class: "now-tables" }, this.tenants.element, this.counters.element)),
      make("div", { class: "pair" }, ports, this.seen.element),
      make("div", { class: "pair" }, ...Object.values(this.charts).map((chart) => chart.element)),
      this.instant.element,
      this.calls.element,
    );
    this.root.style.setProperty("--outsim-gutter", `${GUTTER}px`);
    this.root.style.setProperty("--outsim-edge", `${EDGE}px`);
    this.root.style.setProperty("--outsim-foot", `${FOOT}px`);
    element.append(this.root);
  }

  /** "light" or "dark"; what the reader has chosen for all pages where it is neither. */
  setTheme(theme) {
    this.theme = theme;
    const chosen = this.dark.matches ? "dark" : "light";
    this.root.dataset.theme = ["light", "dark"].includes(theme) ? theme : chosen;
    if (this.data) this.redraw();
  }

  setData(data) {
    this.data = data;
    this.clock = new LocalClock(data);
    say(this.title, `${data.title}: one run, seed ${data.seed}${data.is_live ? ", live" : ""}`);
    this.scrubber.setData(data);
    this.tenants.setData(data);
    this.lanes.setData(data);
    this.calls.setData(data, this.clock);
    this.queue.setSeries([
      ...data.tenants.map(({ label, color, mark }, place) => ({
        label, values: data.queue.by_tenant[place], look: area(color, mark),
      })),
      { label: `most in these ${stepText(data.step_s)}`, values: data.queue.most, look: line("soft", [], 1) },
    ]);
    this.setMeasures(data);
    this.setCampaign(Math.min(this.campaign, Math.max(0, data.counters.length - 1)));
  }

  setMeasures({ dial_rate: rate, carrier, workers, step_s }) {
    const step = `in these ${stepText(step_s)}`;
    const limit = line("ink", [6, 4]);
    this.charts.rate.setSeries([
      { label: "dispatched a second", values: rate.dispatched_per_s, look: line("happened"), digits: 1 },
      { label: "limit", values: rate.limit_per_s, look: limit, digits: 1 },
    ]);
    this.charts.carrier.setSeries([
      { label: "channels busy", values: carrier.busy, look: area("happened", 0) },
      { label: "channels there", values: carrier.channels, look: limit },
      { label: `refused ${step}`, values: carrier.refused, look: { kind: "bars", color: "gap" } },
    ]);
    this.charts.workers.setSeries([
      { label: `dial work, mean ${step}`, values: workers.dial_work, look: area("happened", 0, false), digits: 2 },
      { label: `status work, mean ${step}`, values: workers.status_work, look: area("work", 1, false), digits: 2 },
      { label: "in service", values: workers.in_service, look: limit },
    ]);
    this.charts.backlog.setSeries([
      { label: "status updates that wait", values: workers.status_backlog, look: area("work", 1) },
      { label: `most ${step}`, values: workers.status_backlog_most, look: line("soft", [], 1) },
    ]);
  }

  /** Whose counters are shown. */
  setCampaign(place) {
    this.campaign = place;
    this.counter = this.data.counters[place];
    this.own = undefined;
    this.counters.element.hidden = this.seen.element.hidden = this.flag.track.hidden = !this.counter;
    if (this.counter) {
      const { tenant, campaign, happened, seen } = this.counter;
      this.own = this.data.campaigns.find((one) => one.tenant === tenant && one.name === campaign);
      this.counters.setData(this.data.counters, place);
      const gap = happened.completed.map((count, step) => Math.max(0, count - seen.completed[step]));
      this.seen.setSeries([
        { label: "seen by the customer", values: seen.completed, look: area("seen", 0) },
        { label: "not seen yet", values: gap, look: area("gap", 1) },
        { label: "happened", values: happened.completed, look: line("ink", [], 1.8) },
      ]);
    }
    this.redraw();
  }

  step(s) {
    const last = this.data.ports.in_service.length - 1;
    return Math.max(0, Math.min(last, Math.floor((s - this.data.from_s) / this.data.step_s)));
  }

  stepped(s) {
    return this.data.from_s + this.step(s) * this.data.step_s;
  }

  /** Draw everything anew: other data, another width, other colours. */
  redraw() {
    if (!this.root.isConnected || !this.root.clientWidth) return;
    this.width = this.root.clientWidth;
    const theme = readTheme(this.root);
    this.view = new DayView(this.data, this.clock, theme);
    this.queue.draw(this.view);
    this.lanes.draw(this.view);
    this.flag.draw(this.view);
    this.tenants.draw(theme);
    if (this.counter) this.seen.draw(this.view);
    for (const chart of Object.values(this.charts)) chart.draw(this.view);
    const most = this.data.ports.in_service.reduce((a, b) => Math.max(a, b), 0);
    this.field.draw(this.view, this.field_canvas.parentElement.clientWidth, this.data.tenants, most);
    this.shown_step = null;
    if (this.at_s !== undefined) this.show();
  }

  seek(s) {
    this.at_s = Math.max(this.data.from_s, Math.min(this.data.until_s, s));
    this.show();
  }

  /** Show the instant: the line moves always, what is told only with the step. */
  show() {
    const { data, at_s, clock } = this;
    const share = (at_s - data.from_s) / Math.max(1, data.until_s - data.from_s);
    this.root.style.setProperty("--outsim-at", share.toFixed(5));
    const step = this.step(at_s);
    if (step === this.shown_step || !this.view) return;
    this.shown_step = step;
    const s = this.stepped(at_s);
    this.player.show(clock, s);
    this.scrubber.show(clock, s);
    say(this.answer, answer(data, this.counter, step, clock.text(s), this.incidents(s)));
    say(this.field_title, `Ports: ${number(busyPorts(data.ports, step))} of ${number(data.ports.in_service[step])} busy`);
    this.field.show(data.ports, step);
    this.queue.show(step);
    this.tenants.show(step);
    if (this.counter) {
      this.counters.show(step);
      this.seen.show(step);
    }
    for (const chart of Object.values(this.charts)) chart.show(step);
    this.instant.show(s);
    this.calls.show(s);
    this.options.onTime?.(at_s);
  }

  incidents(s) {
    return this.data.incidents.filter(({ from_s, until_s }) => from_s <= s && s < (until_s ?? Infinity));
  }

  setSpeed(speed) {
    this.speed = speed;
    this.player.setPlaying(this.is_playing, speed);
  }

  play(speed = this.speed) {
    this.setSpeed(speed);
    if (this.at_s >= this.data.until_s && !this.data.is_live) this.seek(this.data.from_s);
    if (this.is_playing) return;
    this.is_playing = true;
    this.player.setPlaying(true, speed);
    let last = performance.now();
    const advance = (now) => {
      if (!this.is_playing) return;
      if (now - last >= (this.calm.matches ? CALM_FRAME_MS : FRAME_MS)) {
        this.seek(this.at_s + ((now - last) / 1000) * this.speed);
        last = now;
      }
      if (this.at_s >= this.data.until_s && !this.data.is_live) this.pause();
      else this.frame = requestAnimationFrame(advance);
    };
    this.frame = requestAnimationFrame(advance);
  }

  pause() {
    if (!this.is_playing) return;
    this.is_playing = false;
    cancelAnimationFrame(this.frame);
    this.player.setPlaying(false, this.speed);
  }

  setStop(s) {
    this.flag.set(s);
    this.tellStop(s);
  }

  /** The flag was put somewhere: who can try the stop says what it saves, the data what there is. */
  stopMoved(s) {
    if (this.options.onStop) this.options.onStop(s);
    else this.tellStop(s);
  }

  tellStop(s) {
    const { own, clock } = this;
    const after = own?.calls_after_stop;
    let text = own ? this.stopText(s) : "";
    if (own && s === null) {
      text = `No stop of ${own.label}. Drag the flag, or move it by arrow keys, to a time of the day.`;
    } else if (own && s === own.stop_requested_s) {
      text = `${own.label}: stop requested at ${clock.text(s)}`;
      if (own.stop_effective_s !== null) text += `, in effect at ${clock.text(own.stop_effective_s)}`;
      text += after === null || after === undefined ? "." : `; ${counted(after, "call")} dialed after the request.`;
    }
    say(this.stop_text, text);
  }

  stopText(s) {
    const { counter, own, data } = this;
    const step = this.step(s);
    const queued = own ? data.queue.by_tenant[own.tenant_place]?.[step] : undefined;
    const there = queued === undefined ? "" : `; ${data.tenants[own.tenant_place].label} has ${counted(queued, "call")} in the queue`;
    return `At ${this.clock.text(s)}, ${counted(counter.happened.pending[step], "call")} of ${counter.label} pending${there}. `
      + "What a stop then saves takes other runs: outsim stop tells, or the page of outsim serve.";
  }

  /** More of the same day, or another one; a session is followed where its end is shown. */
  update(data) {
    const before = this.data;
    // A recorded day does not go on, and a session does not go back.
    const goes_on = data.is_live && data.until_s >= before.until_s;
    const is_another = !goes_on || ["title", "seed", "is_live"].some((name) => data[name] !== before[name]);
    const was_at_end = this.step(this.at_s) === this.step(before.until_s);
    const follows = data.is_live && (is_another || (was_at_end && !this.is_playing));
    this.setData(data);
    const stop_s = this.own?.stop_requested_s ?? null;
    if (is_another) {
      this.setStop(stop_s);
      this.instant.clear();
      this.calls.clear();
    }
    if (!is_another && stop_s !== null && this.flag.s === stop_s) this.tellStop(stop_s);
    this.seek(follows ? data.until_s : this.at_s);
  }

  destroy() {
    this.pause();
    this.resized.disconnect();
    this.dark.removeEventListener("change", this.restyle);
    this.root.remove();
  }
}

/**
 * Draw an animation into an element.
 *
 * Options: `data` as outsim.plots.animation gives it; `at_s`, `theme` ("light", "dark", else the reader's), `stop_s`;
 * `onTime(s)`, `onInstant(s)`, `onCall(call_id)`, `onStop(s)`; `story(call_id)` and `instant(s)`
 * give promises of what is shown of a call and of an instant; without them the data is read.
 */
export function mount(element, options) {
  const made = new Animation(element, options);
  return {
    update: (data) => made.update(data),
    seek: (s) => made.seek(s),
    play: (speed) => made.play(speed),
    pause: () => made.pause(),
    setStop: (s) => made.setStop(s),
    tellStop: (text) => say(made.stop_text, text),
    setTheme: (theme) => made.setTheme(theme),
    destroy: () => made.destroy(),
  };
}

export default {
  render({ model, el }) {
    const jupyter = document.body.dataset.jpThemeLight;
    const theme = jupyter === undefined ? undefined : jupyter === "true" ? "light" : "dark";
    const made = mount(el, { data: model.get("data"), theme });
    const renew = () => made.update(model.get("data"));
    model.on("change:data", renew);
    return () => {
      model.off("change:data", renew);
      made.destroy();
    };
  },
};

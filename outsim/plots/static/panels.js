/* What holds at the instant, in words and numbers: the answer, tenants, counters, who is ahead. */

import { duration } from "./clock.js";
import { counted, freshId, make, number, say, scrolled } from "./dom.js";
import { drawSwatch } from "./paint.js";
import { PHASES } from "./ports.js";

const sum = (series, step) => series.reduce((total, values) => total + (values[step] ?? 0), 0);

export function busyPorts(ports, step) {
  return PHASES.reduce((total, phase) => total + sum(ports[phase], step), 0);
}

/** The one line that says how it stands. */
export function answer(data, counter, step, time, incidents) {
  const more = incidents.length ? ` Meanwhile: ${incidents.map(({ label }) => label).join(", ")}.` : "";
  return standing(data, counter, step, time) + more;
}

function standing(data, counter, step, time) {
  const queue = counted(sum(data.queue.by_tenant, step), "call");
  const busy = `${number(busyPorts(data.ports, step))} of ${number(data.ports.in_service[step])}`;
  const start = `${time}: ${queue} in the queue, ${busy} ports busy`;
  if (!counter) return `${start}.`;
  const happened = counter.happened.completed[step] ?? 0;
  const gap = happened - (counter.seen.completed[step] ?? 0);
  if (gap === 0) return `${start}; of ${counter.label}, ${sameCompleted(counter, step, happened)}.`;
  const less = gap > 0 ? "fewer" : "more";
  return `${start}; of ${counter.label}, the customer sees ${number(Math.abs(gap))} ${less} completed than happened.`;
}

function sameCompleted({ happened: was, seen: is }, step, completed) {
  const late = (is.pending[step] ?? 0) - (was.pending[step] ?? 0);
  if (late > 0) return `the customer sees ${number(late)} more pending than there are`;
  return completed ? `the customer sees all ${number(completed)} completed calls` : "no call completed yet";
}

/** Queue and ports by tenant; the key to all that is drawn by tenant. */
export class TenantTable {
  constructor() {
    this.body = make("tbody");
    const heads = ["tenant", "in queue", ...PHASES];
    this.element = make(
      "table",
      { class: "tenants" },
      make("caption", {}, "By tenant, at this instant"),
      make("thead", {}, make("tr", {}, ...heads.map((head, k) => make("th", { scope: "col", class: k ? "number" : null }, head)))),
      this.body,
    );
  }

  setData(data) {
    this.data = data;
    const names = [...data.tenants.map(({ label }) => label), "together"].join("\n");
    if (names === this.names) return;
    this.names = names;
    this.rows = [...data.tenants, null].map((tenant) => ({
      swatch: tenant && make("canvas", { class: "swatch", "aria-hidden": "true" }),
      tenant,
      cells: ["", ...PHASES].map(() => make("td", { class: "number" })),
    }));
    this.body.replaceChildren(
      ...this.rows.map(({ swatch, tenant, cells }) =>
        make("tr", { class: tenant ? null : "sum" },
          make("th", { scope: "row" }, swatch, tenant ? ` ${tenant.label}` : "together"), ...cells)),
    );
  }

  draw(theme) {
    for (const { swatch, tenant } of this.rows) if (tenant) drawSwatch(swatch, tenant, theme);
  }

  show(step) {
    const { queue, ports } = this.data;
    const columns = [queue.by_tenant, ...PHASES.map((phase) => ports[phase])];
    this.rows.forEach(({ tenant, cells }, row) => {
      columns.forEach((series, k) => {
        say(cells[k], number(tenant ? series[row][step] : sum(series, step)));
      });
    });
  }
}

const FIRST = ["pending", "completed", "failed"];

/** Two counters side by side, and what lies between them. */
export class Counters {
  constructor(chosen) {
    const id = freshId("campaign");
    this.select = make("select", { id, change: () => chosen(Number(this.select.value)) });
    this.chooser = make("p", { class: "chooser" }, make("label", { for: id }, "Campaign"), " ", this.select);
    this.gap = make("span", { class: "gap-number" });
    this.words = make("span", { class: "gap-words" });
    this.caption = make("caption", {}, "Calls");
    this.body = make("tbody");
    const heads = ["", "happened", "seen by the customer", "gap"];
    this.element = make(
      "div",
      { class: "counters" },
      this.chooser,
      make("p", { class: "gap" }, this.gap, " ", this.words),
      make(
        "table",
        {},
        this.caption,
        make("thead", {}, make("tr", {}, ...heads.map((head, k) =>
          k ? make("th", { scope: "col", class: "number" }, head) : make("td", {})))),
        this.body,
      ),
    );
  }

  setData(counters, place) {
    this.counter = counters[place];
    this.chooser.hidden = counters.length < 2;
    const names = counters.map(({ label }) => label);
    if (names.join("\n") !== this.names) {
      this.names = names.join("\n");
      this.select.replaceChildren(...names.map((name, k) => make("option", { value: k }, name)));
    }
    this.select.value = String(place);
    say(this.caption, `${this.counter.label} (${counted(this.counter.contacts, "contact")})`);
    const states = [...new Set([...FIRST, ...Object.keys(this.counter.happened)])];
    if (this.rows?.length !== states.length) {
      this.rows = states.map((state) => ({
        state,
        cells: [make("td", { class: "number" }), make("td", { class: "number" }), make("td", { class: "number" })],
      }));
      this.body.replaceChildren(
        ...this.rows.map(({ state, cells }) => make("tr", {}, make("th", { scope: "row" }, state), ...cells)),
      );
    }
  }

  show(step) {
    const { happened, seen, status_lag_p90_s: lag } = this.counter;
    for (const { state, cells } of this.rows) {
      const [was, is] = [happened[state]?.[step] ?? 0, seen[state]?.[step] ?? 0];
      say(cells[0], number(was));
      say(cells[1], number(is));
      say(cells[2], was === is ? "0" : `${is > was ? "+" : "−"}${number(Math.abs(is - was))}`);
    }
    const gap = (happened.completed[step] ?? 0) - (seen.completed[step] ?? 0);
    say(this.gap, number(Math.abs(gap)));
    const late = lag?.[step];
    const lagging = late === null || late === undefined ? "" : `; status lag p90 ${duration(late)}`;
    say(this.words, `completed calls ${gap < 0 ? "seen too many" : "not seen yet"}${lagging}`);
    this.element.classList.toggle("none", gap === 0);
  }
}

const TITLE = "Who holds the ports, who is ahead";

/** Who holds the ports and who is ahead in the queue, when somebody asks. */
export class InstantPanel {
  constructor({ ask, opened }) {
    this.ask = ask;
    this.opened = opened;
    const id = freshId("instant");
    this.title = make("h3", { id }, TITLE);
    this.content = make("div", { class: "tables", "aria-live": "polite" });
    this.button = make("button", { type: "button", click: () => this.open(this.s) }, "Show this instant");
    this.hint = make("p", { class: "hint" }, "Or click into a drawing, or press Enter on the slider.");
    this.element = make(
      "section", { class: "panel", "aria-labelledby": id },
      make("div", { class: "head" }, this.title, this.button), this.hint, this.content,
    );
    this.s = 0;
  }

  show(s) {
    this.s = s;
  }

  /** Other data: what was said is of another run, or of less of this one. */
  clear() {
    this.wanted = {};
    say(this.title, TITLE);
    this.hint.hidden = false;
    this.content.replaceChildren();
  }

  /** Fill it in for an instant; what was asked for last is shown, whatever comes in last. */
  async open(s) {
    this.opened(s);
    const wanted = (this.wanted = {});
    const { data, clock, step } = this.context(s);
    let found;
    try {
      const answered = await this.ask?.(s);
      found = answered ? fromServer(answered, clock) : fromSeries(data, clock.text(s), step);
    } catch (error) {
      found = { tables: [], texts: [`This instant could not be read: ${error.message}`] };
    }
    if (this.wanted !== wanted) return;
    say(this.title, `At ${clock.text(s)}: who holds the ports, who is ahead`);
    this.hint.hidden = true;
    this.content.replaceChildren(
      ...found.texts.map((text) => make("p", {}, text)),
      ...found.tables.map(({ caption, columns, rows }) => scrolled(caption, columns, rows)),
    );
  }
}

const FIRST_CALLS = 10;

function fromServer({ ports, queue }, clock) {
  const time = (s) => (s === null ? "" : clock.time(s));
  const held = ports.by_campaign.map((one) => [
    one.tenant, one.campaign, ...PHASES.map((phase) => one[phase] ?? 0), one.busy,
  ]);
  const waiting = queue.by_campaign.map((one) => [
    one.tenant, one.campaign, one.waiting, String(one.first_place), time(one.since_s),
  ]);
  const first = queue.calls.slice(0, FIRST_CALLS).map((one, k) => [
    String(k + 1), String(one.call_id), one.tenant, one.campaign, time(one.since_s),
  ]);
  return {
    texts: [
      `${counted(ports.busy, "port")} of ${number(ports.in_service)} busy; ${counted(queue.calls_waiting, "call")} in the queue. ${queue.rule}`,
    ],
    tables: [
      { caption: "Who holds the ports", columns: ["tenant", "campaign", ...PHASES, "together"], rows: held },
      { caption: "Who is ahead in the queue", columns: ["tenant", "campaign", "calls", "first place", "since"], rows: waiting },
      { caption: "First in the queue", columns: ["place", "call", "tenant", "campaign", "since"], rows: first },
    ].filter(({ rows }) => rows.length),
  };
}

function fromSeries(data, time, step) {
  const phases = data.tenants.map(({ label }, place) => {
    const counts = PHASES.map((phase) => data.ports[phase][place][step] ?? 0);
    return [label, ...counts, counts.reduce((total, count) => total + count, 0)];
  });
  const queue = data.tenants.map(({ label }, place) => [label, data.queue.by_tenant[place][step] ?? 0]);
  const largest = (rows) => rows.filter((row) => row.at(-1) > 0).sort((a, b) => b.at(-1) - a.at(-1));
  const tables = [
    { caption: `Ports held at ${time}`, columns: ["tenant", ...PHASES, "together"], rows: largest(phases) },
    { caption: `In the queue at ${time}`, columns: ["tenant", "calls"], rows: largest(queue) },
  ];
  const empty = ["No port is held.", "The queue is empty."].filter((_, k) => !tables[k].rows.length);
  return { texts: empty, tables: tables.filter(({ rows }) => rows.length) };
}

/* Calls: those that are up at the instant, one that is looked for, and its story. */

import { duration } from "./clock.js";
import { freshId, make, number, say, scrolled } from "./dom.js";

const MOST_ROWS = 25;
const NO_CALL = "No call has this id or number.";

/** What the data says of calls, found without a server. */
export class CallBook {
  constructor(calls) {
    this.calls = calls;
    this.attempts = calls?.attempts ?? { call_id: [] };
    this.place = new Map((calls?.call_id ?? []).map((call_id, place) => [call_id, place]));
  }

  /** Calls that hold a port at an instant, as [call_id, phase, since_s]. */
  up(s) {
    const { call_id: ids, dispatched_ms: dispatched, ringing_ms: ringing, answered_ms: answered, ended_ms: ended } = this.attempts;
    const at = s * 1000;
    const found = [];
    for (let row = 0; row < ids.length; row += 1) {
      if (dispatched[row] === null || dispatched[row] > at || (ended[row] ?? Infinity) <= at) continue;
      const steps = [["talking", answered[row]], ["ringing", ringing[row]], ["dialing", dispatched[row]]];
      const [phase, since] = steps.find(([, from]) => from !== null && from <= at);
      found.push([ids[row], phase, since / 1000]);
    }
    return found;
  }

  /** Ids of calls by their id or their number, or a part of it. */
  find(text) {
    const digits = text.replace(/[\s+().-]/g, "");
    if (!/^\d+$/.test(digits)) return [];
    const exact = digits === text.trim() && this.place.has(Number(digits)) ? [Number(digits)] : [];
    if (digits.length < 4) return exact;
    const matches = this.calls.call_id.filter((_, place) => String(this.calls.number[place]).includes(digits));
    return [...new Set([...exact, ...matches])];
  }

  number(call_id) {
    const digits = this.calls.number[this.place.get(call_id)];
    return digits ? String(digits) : "";
  }

  /** The story of a call as a server tells it, of what the data has. */
  story(call_id) {
    const place = this.place.get(call_id);
    if (place === undefined || !this.calls.phases) return null;
    const { attempts, calls } = this;
    const [phases, made] = [[], []];
    const { names, first, name, attempt: of, lasted_ms: lasted } = calls.phases;
    let last = calls.submitted_ms[place];
    for (let row = first[place]; row < first[place + 1]; row += 1) {
      const until = last + lasted[row];
      phases.push({ phase: names[name[row]], attempt: of[row], from_s: last / 1000, until_s: until / 1000 });
      last = until;
    }
    for (let row = attempts.call_id.indexOf(call_id); row >= 0 && attempts.call_id[row] === call_id; row += 1) {
      made.push({
        attempt: attempts.attempt[row],
        outcome: calls.outcomes[attempts.outcome[row]] ?? "under way",
        why: calls.causes[attempts.cause[row]] ?? "",
      });
    }
    const changes = [];
    if (calls.final_ms[place] !== null) {
      const visible = calls.final_visible_ms[place];
      changes.push({
        status: calls.statuses[calls.status[place]],
        happened_s: calls.final_ms[place] / 1000,
        visible_s: visible === null ? null : visible / 1000,
      });
    }
    const [tenant, campaign] = calls.campaigns[calls.campaign_place[place]];
    return { call_id, number: this.number(call_id), tenant, campaign, phases, attempts: made, changes };
  }
}

export class CallsPanel {
  constructor({ ask, opened }) {
    this.ask = ask;
    this.opened = opened;
    const [id, field] = [freshId("calls"), freshId("find")];
    this.input = make("input", { id: field, type: "search", inputmode: "numeric", autocomplete: "off" });
    const form = make(
      "form",
      { role: "search", submit: (event) => (event.preventDefault(), this.search()) },
      make("label", { for: field }, "Call id or number"), " ", this.input, " ",
      make("button", { type: "submit" }, "Find"), " ",
      make("button", { type: "button", click: () => this.listUp() }, "Calls that are up now"),
    );
    this.miss = make("p", { role: "status" });
    this.list = make("div", { class: "found", "aria-live": "polite" });
    this.story = make("div", { class: "story", tabindex: "-1" });
    this.element = make(
      "section", { class: "panel", "aria-labelledby": id },
      make("h3", { id }, "Calls"), form, this.miss, this.list, this.story,
    );
  }

  setData(data, clock) {
    this.clock = clock;
    if (this.calls === data.calls) return;
    this.calls = data.calls;
    this.book = new CallBook(data.calls);
  }

  show(s) {
    this.s = s;
  }

  search() {
    const found = this.calls ? this.book.find(this.input.value) : [];
    if (found.length === 1) this.openOnly(found[0]);
    else if (found.length) this.listCalls(`${number(found.length)} calls match`, found.map((call_id) => [call_id]));
    else if (this.ask && /^\d+$/.test(this.input.value.trim())) this.openOnly(Number(this.input.value));
    else {
      const left = this.calls?.left_out;
      this.nothing(left ? `${NO_CALL} Of the calls, ${number(left)} are not in this page.` : NO_CALL);
    }
  }

  /** Other data: calls that are shown are those of another run. */
  clear() {
    this.nothing("");
  }

  /** Say why no call is shown; what was shown before is of another question. */
  nothing(why) {
    this.wanted = {};
    this.list.replaceChildren();
    this.story.replaceChildren();
    say(this.miss, why);
  }

  listUp() {
    const up = this.calls ? this.book.up(this.s) : [];
    const when = this.clock.text(this.s);
    this.miss.textContent = "";
    if (!up.length) this.list.replaceChildren(make("p", {}, `None of the scenario's own calls is up at ${when}.`));
    else this.listCalls(`${number(up.length)} calls are up at ${when}`, up);
  }

  /** Open the one call that was looked for; a list of before is of another question. */
  openOnly(call_id) {
    this.list.replaceChildren();
    return this.open(call_id);
  }

  listCalls(caption, found) {
    this.miss.textContent = "";
    const rows = found.slice(0, MOST_ROWS).map(([call_id, phase, since_s]) => [
      make("button", { type: "button", class: "link", click: () => this.open(call_id) }, `Call ${call_id}`),
      this.book.number(call_id),
      ...(phase ? [phase, this.clock.time(since_s)] : []),
    ]);
    const columns = ["call", "phone number", ...(found[0][1] ? ["phase", "since"] : [])];
    const words = found.length > MOST_ROWS ? `${caption}; the first ${MOST_ROWS}` : caption;
    this.list.replaceChildren(scrolled(words, columns, rows));
  }

  async open(call_id) {
    this.opened(call_id);
    this.miss.textContent = "";
    const wanted = (this.wanted = {});
    let story, trouble = NO_CALL;
    try {
      story = (await this.ask?.(call_id)) ?? this.book.story(call_id);
    } catch (error) {
      trouble = `This call could not be read: ${error.message}`;
    }
    if (this.wanted !== wanted) return;
    if (!story) return this.nothing(trouble);
    this.story.replaceChildren(...this.tell(story));
    this.story.focus({ preventScroll: true });
    this.story.scrollIntoView({ block: "nearest" });
  }

  tell({ call_id, number: phone, tenant, campaign, answer: said, more, phases, attempts, changes }) {
    const { clock } = this;
    const about = [phone, `${tenant} / ${campaign}`].filter(Boolean).join(", ");
    const title = make("h4", {}, about ? `Call ${call_id}: ${about}` : `Call ${call_id}`);
    const whole = phases.reduce((total, { from_s, until_s }) => total + until_s - from_s, 0) || 1;
    const bar = make("div", { class: "phases", "aria-hidden": "true" }, ...phases.map((one) => {
      const span_s = one.until_s - one.from_s;
      const part = make("div", { "data-phase": one.phase, title: `${one.phase}, ${duration(span_s)}` }, make("span", {}, one.phase));
      part.style.flexGrow = Math.max(0.002, span_s / whole);
      return part;
    }));
    const rows = phases.map((one) => [
      one.phase, String(one.attempt ?? ""), clock.text(one.from_s), clock.text(one.until_s), duration(one.until_s - one.from_s),
    ]);
    const told = [title, ...[said, ...(more ?? [])].filter(Boolean).map((text) => make("p", {}, text))];
    if (phases.length) {
      told.push(bar, scrolled("Its phases", ["phase", "attempt", "from", "until", "for"], rows));
    } else told.push(make("p", {}, "It took no time."));
    if (attempts.length) {
      told.push(scrolled("Its attempts", ["attempt", "outcome", "why"], attempts.map((one) => [String(one.attempt), one.outcome, one.why])));
    }
    if (changes.length) {
      const seen = changes.map(({ status, happened_s, visible_s }) => [
        status, happened_s === null ? "" : clock.text(happened_s), visible_s === null ? "never" : clock.text(visible_s),
        visible_s === null || happened_s === null ? "" : duration(visible_s - happened_s),
      ]);
      told.push(scrolled("Its status", ["status", "happened", "seen by the customer", "later by"], seen));
    }
    return told;
  }
}

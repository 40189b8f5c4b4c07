/* Campaigns as lanes over the day: submitted, started, stopped, expired, over. */

import { make, number, scrolled, shortened } from "./dom.js";
import { hatched, write } from "./paint.js";
import { FOOT, Plot } from "./plot.js";

const [LANE, TALL_LANE] = [22, 38];
const [FEW, MANY] = [8, 20];

const MARKS = [
  ["starts_s", "start", "▶"],
  ["stop_requested_s", "stop requested", "◇"],
  ["stop_effective_s", "stop in effect", "◆"],
  ["expires_s", "expiry", "✕"],
];

export class Lanes {
  constructor(pointer) {
    this.plot = new Plot("Campaigns over the day; the table of campaigns says the same", LANE, pointer);
    this.more = make("button", { type: "button", class: "quiet", click: () => this.toggle() });
    this.details = make(
      "details",
      { toggle: () => this.fillTable() },
      make("summary", {}, "Campaigns as a table"),
    );
    this.key = make("ul", { class: "key" }, ...MARKS.map(([, word, sign]) => make("li", {}, `${sign} ${word}`)));
    this.element = make(
      "div",
      { class: "lanes" },
      make("div", { class: "head" }, make("h3", {}, "Campaigns"), this.key),
      this.plot.element,
      make("div", { class: "after" }, this.more, this.details),
    );
    this.shows_all = false;
  }

  setData(data) {
    const own = data.campaigns.filter((campaign) => !campaign.is_background);
    const others = data.campaigns.filter((campaign) => campaign.is_background);
    this.campaigns = [...own, ...others];
    this.tenants = data.tenants;
    this.few = Math.min(this.campaigns.length, Math.max(FEW, Math.min(own.length, MANY)));
    if (this.details.open) this.fillTable();
  }

  toggle() {
    this.shows_all = !this.shows_all;
    this.draw(this.plot.view);
  }

  draw(view) {
    const { plot } = this;
    const shown = this.shows_all ? this.campaigns : this.campaigns.slice(0, this.few);
    this.more.hidden = this.few === this.campaigns.length;
    this.more.textContent = this.shows_all
      ? `Show ${this.few} lanes`
      : `Show all ${number(this.campaigns.length)} lanes`;
    const begin = (lane) => {
      plot.height = shown.length * lane + FOOT;
      return plot.begin(view);
    };
    let [lane, context] = [LANE, begin(LANE)];
    if (shown.some((campaign) => this.beside(context, view, campaign) === null)) {
      [lane, context] = [TALL_LANE, begin(TALL_LANE)];
    }
    shown.forEach((campaign, place) => this.lane(context, view, campaign, (place + 1) * lane - LANE / 2));
    plot.writeTicks();
  }

  lane(context, view, campaign, y) {
    const { theme } = view;
    const { clamp, left, right } = this.span(view, campaign);
    const look = this.tenants[campaign.tenant_place] ?? { color: theme.other, mark: 0 };
    if (campaign.submitted_s !== null && campaign.starts_s !== null) {
      context.strokeStyle = theme.soft;
      context.lineWidth = 1;
      context.setLineDash([2, 3]);
      context.beginPath();
      context.moveTo(clamp(campaign.submitted_s), y);
      context.lineTo(clamp(campaign.starts_s), y);
      context.stroke();
      context.setLineDash([]);
    }
    if (campaign.first_dispatched_s !== null) {
      context.fillStyle = hatched(context, look.color, look.mark, theme.scale);
      context.fillRect(left, y - 5, Math.max(2, right - left), 10);
      context.strokeStyle = theme.ink;
      context.lineWidth = 0.6;
      context.strokeRect(left, y - 5, Math.max(2, right - left), 10);
    }
    this.name(context, view, campaign, y);
    for (const [field, , sign] of MARKS) {
      const s = campaign[field];
      if (s === null || s === undefined || s < view.from_s || s > view.until_s) continue;
      write(context, sign, clamp(s), y, theme, { align: "center", size: 13 });
    }
  }

  /** Where the bar of a campaign is drawn. */
  span(view, campaign) {
    const clamp = (s) => view.x(Math.min(view.until_s, Math.max(view.from_s, s)), this.plot.width);
    const from_s = campaign.first_dispatched_s ?? campaign.starts_s ?? view.from_s;
    return { clamp, left: clamp(from_s), right: clamp(campaign.last_ended_s ?? view.until_s) };
  }

  label(context, view, campaign) {
    const weight = campaign.is_background ? 400 : 600;
    const text = shortened(campaign.is_background ? campaign.tenant : campaign.label);
    context.font = `${weight} 12px ${view.theme.font}`;
    const color = campaign.is_background ? view.theme.soft : view.theme.ink;
    return { text, long: context.measureText(text).width, options: { weight, color } };
  }

  /** Where a name stands beside its bar, or null where it has no room there. */
  beside(context, view, campaign) {
    const { clamp, left: bar, right } = this.span(view, campaign);
    const left = Math.min(bar, clamp(campaign.starts_s ?? Infinity));
    const { long } = this.label(context, view, campaign);
    let begin = right + 9;
    for (const [field] of MARKS) {
      const x = campaign[field] === null ? 0 : view.x(campaign[field], this.plot.width);
      if (x > begin - 8 && x < begin + long + 8) begin = x + 9;
    }
    if (begin + long + 7 < this.plot.width) return { x: begin, align: "left" };
    return left - long - 14 > 0 ? { x: left - 10, align: "right" } : null;
  }

  name(context, view, campaign, y) {
    const place = this.beside(context, view, campaign);
    const { text, long, options } = this.label(context, view, campaign);
    if (place) return write(context, text, place.x, y, view.theme, { ...options, align: place.align });
    const x = Math.max(0, Math.min(this.span(view, campaign).left, this.plot.width - long - 2));
    write(context, text, x, y - 16, view.theme, options);
  }

  fillTable() {
    if (!this.details.open) return;
    const { clock } = this.plot.view;
    const time = (s) => (s === null || s === undefined ? "" : clock.text(s));
    const columns = [
      "campaign", "contacts", "submitted", "start", "first call", "last call ended",
      "stop requested", "stop in effect", "expiry", "calls after the stop",
    ];
    const rows = this.campaigns.map((one) => [
      one.label, one.contacts, time(one.submitted_s), time(one.starts_s), time(one.first_dispatched_s),
      time(one.last_ended_s), time(one.stop_requested_s), time(one.stop_effective_s),
      time(one.expires_s), one.calls_after_stop ?? "",
    ]);
    const made = scrolled("Campaigns, local clock times", columns, rows);
    this.details.querySelector(".details")?.remove();
    this.details.append(made);
  }
}

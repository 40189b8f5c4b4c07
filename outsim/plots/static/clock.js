/* Local clock times of a run, whose instants are seconds since it began. */

const DAY_S = 86400;
const STEPS_S = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY_S, 2 * DAY_S, 7 * DAY_S];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (value) => String(value).padStart(2, "0");

export class LocalClock {
  constructor(data) {
    this.epoch_s = Date.parse(data.begins) / 1000;
    this.offsets = data.utc_offsets;
    this.zone = data.zone;
    this.shows_day = this.day(data.from_s) !== this.day(data.until_s);
  }

  offset(s) {
    let found = this.offsets[0][1];
    for (const [from_s, offset_s] of this.offsets) if (from_s <= s) found = offset_s;
    return found;
  }

  /** A date whose UTC fields are the local ones. */
  local(s) {
    return new Date((Math.floor(this.epoch_s + s) + this.offset(s)) * 1000);
  }

  day(s) {
    const local = this.local(s);
    return `${WEEKDAYS[local.getUTCDay()]} ${local.getUTCDate()} ${MONTHS[local.getUTCMonth()]}`;
  }

  year(s) {
    return this.local(s).getUTCFullYear();
  }

  /** Hours, minutes and seconds; with the offset where clocks change, as an hour may come twice. */
  time(s) {
    const local = this.local(s);
    const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(two).join(":");
    return this.offsets.length > 1 ? `${time} ${this.utc(s)}` : time;
  }

  utc(s) {
    const minutes = Math.round(this.offset(s) / 60);
    const size = Math.abs(minutes);
    const rest = size % 60 ? `:${two(size % 60)}` : "";
    return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${rest}`;
  }

  /** The time, and the day where there are several. */
  text(s) {
    return this.shows_day ? `${this.day(s)} ${this.time(s)}` : this.time(s);
  }

  /** Round local times between two instants, at most so many, as {s, text}. */
  ticks(from_s, until_s, most) {
    const step = STEPS_S.find((size) => (until_s - from_s) / size <= most) ?? 30 * DAY_S;
    const found = [];
    this.offsets.forEach(([begins_s, offset_s], place) => {
      const low = Math.max(from_s, place ? begins_s : from_s);
      const change_s = this.offsets[place + 1]?.[0] ?? Infinity;
      const shift = this.epoch_s + offset_s;
      for (let local = Math.ceil((low + shift) / step) * step; local - shift <= until_s && local - shift < change_s; local += step) {
        const s = local - shift;
        if (found.length && s - found[found.length - 1].s < step / 2) continue;
        found.push({ s, text: this.mark(s) });
      }
    });
    return found;
  }

  /** Hours and minutes. */
  short(s) {
    return this.time(s).slice(0, 5);
  }

  /** Hours and minutes, and seconds where there are some. */
  shortest(s) {
    return this.time(s).slice(0, this.local(s).getUTCSeconds() ? 8 : 5);
  }

  mark(s) {
    const time = this.short(s);
    return this.shows_day && time === "00:00" ? this.day(s) : time;
  }
}

/** A step between two instants, which is round. */
export function stepText(s) {
  const [size, unit] = [[DAY_S, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([length]) => s % length === 0);
  return `${s / size} ${unit}`;
}

/** A duration in the unit that people think in. */
export function duration(s) {
  if (s === null || s === undefined) return "–";
  if (s < 10) return `${Math.round(s * 10) / 10} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 2 * 3600) return `${Math.floor(s / 60)} min ${two(Math.round(s % 60) % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
}

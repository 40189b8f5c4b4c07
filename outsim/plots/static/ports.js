/* The field of ports: one mark a port, by tenant and by what the port does. */

import { fit, inkOn, strokeMark } from "./paint.js";

export const PHASES = ["talking", "ringing", "dialing"];
const MOST_MARKS = 6000;
const HIGHEST = 230;
const [BLANK, FREE, BUSY] = [0, 1, 2];

export class PortField {
  constructor(canvas) {
    this.canvas = canvas;
    this.shown = new Uint16Array(0);
    this.wanted = new Uint16Array(0);
  }

  /** Make room for the ports of the day; draws the marks that there are to copy from. */
  draw(view, width, tenants, ports) {
    const most = Math.max(1, ports);
    this.of_one = Math.ceil(most / MOST_MARKS);
    this.count = Math.ceil(most / this.of_one);
    this.pitch = Math.max(4, Math.min(20, Math.floor(Math.sqrt((width * HIGHEST) / this.count))));
    this.rows = Math.max(1, Math.min(this.count, Math.floor(HIGHEST / this.pitch)));
    while (Math.ceil(this.count / this.rows) * this.pitch > width && this.pitch * this.rows < 3 * HIGHEST) {
      this.rows += 1;
    }
    this.context = fit(this.canvas, width, this.rows * this.pitch, view.theme.scale);
    if (this.shown.length !== this.count) {
      this.shown = new Uint16Array(this.count);
      this.wanted = new Uint16Array(this.count);
    }
    this.shown.fill(BLANK);
    this.marks = this.drawMarks(tenants, view.theme);
    this.scale = view.theme.scale;
  }

  drawMarks(tenants, theme) {
    const size = Math.round(this.pitch * theme.scale);
    const sheet = document.createElement("canvas");
    sheet.width = size * (BUSY + tenants.length * PHASES.length);
    sheet.height = size;
    const brush = sheet.getContext("2d");
    brush.fillStyle = theme.soft;
    const dot = Math.max(1, Math.round(size / 6));
    brush.globalAlpha = 0.6;
    brush.fillRect(FREE * size + (size - dot) / 2, (size - dot) / 2, dot, dot);
    brush.globalAlpha = 1;
    const seam = Math.max(1, Math.round(size / 10));
    const inner = size - 2 * seam;
    tenants.forEach(({ color, mark }, tenant) => {
      PHASES.forEach((phase, k) => {
        const x = (BUSY + tenant * PHASES.length + k) * size + seam;
        brush.fillStyle = brush.strokeStyle = color;
        brush.lineWidth = Math.max(1, size / 7);
        if (phase === "talking") {
          brush.fillRect(x, seam, inner, inner);
          brush.strokeStyle = inkOn(color);
          brush.lineWidth = Math.max(1, size / 9);
          if (inner / theme.scale >= 5) strokeMark(brush, mark, x, seam, inner);
        } else if (phase === "ringing") {
          const half = brush.lineWidth / 2;
          brush.strokeRect(x + half, seam + half, inner - 2 * half, inner - 2 * half);
        } else {
          const third = Math.max(1, Math.round(inner / 2.5));
          brush.fillRect(x + (inner - third) / 2, seam + (inner - third) / 2, third, third);
        }
      });
    });
    return { sheet, size };
  }

  /** Draw the ports of a step: only the marks that changed. */
  show(ports, step) {
    const { wanted, shown, of_one: ofOne } = this;
    let filled = 0, sum = 0;
    const put = (mark, many) => {
      sum += many;
      const end = Math.min(this.count, Math.round(sum / ofOne));
      while (filled < end) wanted[filled++] = mark;
    };
    const tenants = ports.talking.length;
    for (let tenant = 0; tenant < tenants; tenant += 1) {
      for (let k = 0; k < PHASES.length; k += 1) {
        put(BUSY + tenant * PHASES.length + k, ports[PHASES[k]][tenant][step] ?? 0);
      }
    }
    put(FREE, Math.max(0, (ports.in_service[step] ?? 0) - sum));
    while (filled < this.count) wanted[filled++] = BLANK;
    const { sheet, size } = this.marks;
    for (let k = 0; k < this.count; k += 1) {
      if (wanted[k] === shown[k]) continue;
      shown[k] = wanted[k];
      const x = Math.floor(k / this.rows) * this.pitch, y = (k % this.rows) * this.pitch;
      this.context.clearRect(x, y, this.pitch, this.pitch);
      if (wanted[k] !== BLANK) {
        this.context.drawImage(sheet, wanted[k] * size, 0, size, size, x, y, this.pitch, this.pitch);
      }
    }
  }
}

/* What all drawings share: colours of the theme, hatches, canvases as fine as the screen. */

const NAMES = ["ink", "soft", "line", "surface", "incident", "happened", "seen", "gap", "accent", "work", "other"];

/** Colours of the theme as the style sheet has them. */
export function readTheme(root) {
  const style = getComputedStyle(root);
  const theme = { font: style.fontFamily, scale: window.devicePixelRatio || 1 };
  for (const name of NAMES) theme[name] = style.getPropertyValue(`--outsim-${name}`).trim();
  return theme;
}

/** Give a canvas so many pixels of the page; its context counts in them. */
export function fit(canvas, width, height, scale) {
  const wide = Math.max(1, Math.round(width * scale));
  const high = Math.max(1, Math.round(height * scale));
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function isLight(color) {
  const match = /^#?(..)(..)(..)$/.exec(color);
  if (!match) return false;
  const [red, green, blue] = match.slice(1).map((part) => parseInt(part, 16) / 255);
  return 0.3 * red + 0.59 * green + 0.11 * blue > 0.55;
}

/** What is drawn onto a colour. */
export function inkOn(color) {
  return isLight(color) ? "rgba(0, 0, 0, 0.5)" : "rgba(255, 255, 255, 0.65)";
}

/** Strokes of a mark in a square, which fit together where squares touch. */
export function strokeMark(context, mark, x, y, size) {
  const end = x + size, low = y + size, half = size / 2;
  const lines = {
    1: [[x, low, end, y]],
    3: [[x, y, end, low]],
    4: [[x, low, end, y], [x, y, end, low]],
    5: [[x, y + half, end, y + half]],
    6: [[x, y + half, end, y + half], [x + half, y, x + half, low]],
    7: [[x + half, y, x + half, low]],
  };
  if (mark === 2) {
    const dot = Math.max(1, size / 4);
    context.fillStyle = context.strokeStyle;
    context.fillRect(x + half - dot / 2, y + half - dot / 2, dot, dot);
    return;
  }
  context.beginPath();
  for (const [x0, y0, x1, y1] of lines[mark] ?? []) {
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
  }
  context.stroke();
}

/** A colour with its hatch, to fill areas with. */
export function hatched(context, color, mark, scale) {
  if (!mark) return color;
  const size = Math.round(7 * scale);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const brush = tile.getContext("2d");
  brush.fillStyle = color;
  brush.fillRect(0, 0, size, size);
  brush.strokeStyle = inkOn(color);
  brush.lineWidth = scale;
  strokeMark(brush, mark, 0, 0, size);
  const pattern = context.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / scale));
  return pattern;
}

/** Write text with a seam of the surface around it, to be read on any area. */
export function write(context, text, x, y, theme, { align = "left", color = theme.ink, size = 12, weight = 400 } = {}) {
  context.font = `${weight} ${size}px ${theme.font}`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = theme.surface;
  context.setLineDash([]);
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
}

/** The look of a series in a small square beside its name. */
export function drawSwatch(canvas, look, theme) {
  const context = fit(canvas, 16, 12, theme.scale);
  const color = theme[look.color] ?? look.color;
  if (look.kind === "line") {
    context.strokeStyle = color;
    context.lineWidth = 2;
    context.setLineDash(look.dash ?? []);
    context.beginPath();
    context.moveTo(0, 6);
    context.lineTo(16, 6);
    context.stroke();
    return;
  }
  context.fillStyle = hatched(context, color, look.mark, theme.scale);
  context.fillRect(0.5, 0.5, 15, 11);
  context.strokeStyle = theme.ink;
  context.lineWidth = 1;
  context.strokeRect(0.5, 0.5, 15, 11);
}

/* Elements of the page. Names come in as text only: nothing here reads markup. */

let made_ids = 0;

/** An id that no other element of the page has. */
export function freshId(word) {
  made_ids += 1;
  return `outsim-${word}-${made_ids}`;
}

/** Make an element; an attribute that is a function listens to the event of its name. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set the text of an element if it is another one. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A number as people read it. */
export function number(value, digits = 0) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

/** So many of a thing, in words. */
export function counted(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/** A name as it is drawn where there is little room. */
export function shortened(text, most = 40) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** A table that scrolls sideways where it is too wide, by keyboard too. */
export function scrolled(caption, columns, rows) {
  const filled = columns.map((_, place) => rows.some((row) => (row[place] ?? "") !== ""));
  const there = (row) => row.filter((_, place) => filled[place]);
  return make("div", { class: "details", tabindex: "0", role: "region", "aria-label": caption }, table(caption, there(columns), rows.map(there)));
}

/** A table of words and numbers; numbers stand at the right. */
export function table(caption, columns, rows) {
  const isNumber = columns.map((_, place) => rows.some((row) => typeof row[place] === "number"));
  const cell = (value, place) => {
    const attributes = isNumber[place] ? { class: "number" } : {};
    const shown = value instanceof Node ? value : typeof value === "number" ? number(value, 1) : value ?? "";
    return place === 0
      ? make("th", { scope: "row", ...attributes }, shown)
      : make("td", attributes, shown);
  };
  const head = columns.map((name, place) =>
    make("th", { scope: "col", class: isNumber[place] ? "number" : null }, name),
  );
  return make(
    "table",
    {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}

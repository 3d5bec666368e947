// Draws the map from the table that is its text equivalent (map_live.html), and asks for another
// one when the window moves. Equirectangular: a degree of longitude is as long as cos(latitude).

const SVG = "http://www.w3.org/2000/svg";
const METRES_A_DEGREE = 111_195;
const SETTLE_MS = 250;
const STEP = 1.6; // of one zoom
const MOVE = 0.2; // of the window, by a key
const CLOSEST = 0.0005; // degrees in the window's height
const WIDEST = 60;
const CELL_REM = 4.5; // what a cluster needs on the screen
const MOST_CELLS = 20; // app/availability/map_page.py
const PARTS = ["offline", "impaired", "unknown", "suspended", "intact"]; // of a ring, worst first

const frame = document.getElementById("map");
const drawing = document.getElementById("map-drawing");
const live = document.getElementById("map-live");
const [shapes, names, spots] = ["outline", "names", "spots"].map((kind) => {
  const group = make("g", { class: kind });
  drawing.append(group);
  return group;
});
const extent = numbers(frame.dataset.extent);
const shrink = Math.cos((((extent[1] + extent[3]) / 2) * Math.PI) / 180);
const centre = { x: 0, y: 0 }; // degrees
const held = new Map(); // pointers on the map
let scale = 1; // pixels a degree of latitude
let settling = 0;
let dragged = false;
let placed = []; // [element, longitude, latitude, offset x, offset y]
let labels = []; // [element, longitude, latitude, width in degrees]

function make(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
}

function numbers(text) {
  return text.split(",").map(Number);
}

function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

// The window

function size() {
  return [drawing.clientWidth || 1, drawing.clientHeight || 1];
}

function fit([west, south, east, north]) {
  const [width, height] = size();
  centre.x = (west + east) / 2;
  centre.y = (south + north) / 2;
  scale = Math.min(width / ((east - west) * shrink), height / (north - south));
  bound();
}

function bound() {
  const height = size()[1];
  scale = Math.min(height / CLOSEST, Math.max(height / WIDEST, scale));
  centre.x = Math.min(extent[2], Math.max(extent[0], centre.x));
  centre.y = Math.min(extent[3], Math.max(extent[1], centre.y));
}

function bounds() {
  const [width, height] = size();
  const x = width / 2 / scale / shrink;
  const y = height / 2 / scale;
  const edges = [Math.max(-180, centre.x - x), Math.max(-90, centre.y - y), Math.min(180, centre.x + x), Math.min(90, centre.y + y)];
  return edges.map((edge) => edge.toFixed(6)).join(",");
}

function toPixels(x, y) {
  const [width, height] = size();
  return [width / 2 + (x - centre.x) * shrink * scale, height / 2 - (y - centre.y) * scale];
}

function zoom(factor, [x, y] = size().map((each) => each / 2)) {
  const [width, height] = size();
  const before = scale;
  scale *= factor;
  bound();
  const moved = 1 / before - 1 / scale;
  centre.x += ((x - width / 2) * moved) / shrink;
  centre.y -= (y - height / 2) * moved;
  move();
}

function pan(x, y) {
  centre.x -= x / scale / shrink;
  centre.y += y / scale;
  bound();
  move();
}

// Put everything where the window has it now; ask for what it shows when it rests.
function move() {
  place();
  clearTimeout(settling);
  settling = setTimeout(ask, SETTLE_MS);
}

function place() {
  for (const [element, x, y, right, down] of placed) {
    const [left, top] = toPixels(x, y);
    element.setAttribute("transform", `translate(${(left + right).toFixed(1)} ${(top + down).toFixed(1)})`);
  }
  const [left, top] = toPixels(extent[0], extent[1]);
  shapes.setAttribute("transform", `translate(${left} ${top}) scale(${shrink * scale} ${-scale})`);
  for (const [element, x, y, width] of labels) {
    const [right, down] = toPixels(x, y);
    element.setAttribute("transform", `translate(${right.toFixed(1)} ${down.toFixed(1)})`);
    element.classList.toggle("unseen", width * shrink * scale < element.textContent.length * rem());
  }
  measure();
}

function measure() {
  const [path, text] = document.getElementById("map-measure").children;
  const most = (8 * rem() * METRES_A_DEGREE) / scale;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = power * [5, 2, 1].find((each) => each * power <= most);
  const length = (metres / METRES_A_DEGREE) * scale;
  path.setAttribute("d", `M0 ${rem()}v${rem() * 0.4}h${length}v${-rem() * 0.4}`);
  text.setAttribute("y", rem() * 0.8);
  text.textContent = metres < 1000 ? `${metres} m` : `${metres / 1000} km`;
}

// What the server tells

function ask() {
  clearTimeout(settling);
  const wanted = new URLSearchParams(location.search);
  wanted.set("bbox", bounds());
  history.replaceState(history.state, "", `?${wanted}`);
  const longest = Math.max(size()[0] / shrink, size()[1]);
  wanted.set("across", Math.min(MOST_CELLS, Math.max(2, Math.round(longest / rem() / CELL_REM))));
  htmx.ajax("GET", `${frame.dataset.address}?${wanted}`, { source: live, target: live, swap: "innerHTML" });
}

function take() {
  const table = document.getElementById("map-table");
  const focused = document.activeElement?.closest?.(".spots a")?.dataset.key;
  const heads = table ? [...table.tHead.rows[0].cells] : [];
  const isNew = new Map();
  placed = (table ? [...table.tBodies[0].rows] : []).map((row) => {
    const [x, y] = numbers(row.dataset.at);
    const link = spot(row, heads);
    const same = isNew.get(row.dataset.at) ?? 0; // of a mast with several
    isNew.set(row.dataset.at, same + 1);
    const around = same && (same * Math.PI) / 4;
    const away = same ? rem() * (1.2 + 0.9 * Math.floor((same - 1) / 8)) : 0;
    return [link, x, y, away * Math.sin(around), -away * Math.cos(around)];
  });
  spots.replaceChildren(...placed.map(([element]) => element));
  place();
  if (focused) {
    placed.find(([element]) => element.dataset.key === focused)?.[0].focus({ preventScroll: true });
  }
}

function spot(row, heads) {
  const own = row.querySelector("a");
  const counts = {};
  const said = [];
  heads.slice(2).forEach((head, index) => {
    const count = Number(row.cells[index + 2].textContent);
    if (count) {
      counts[head.dataset.state] = count;
      said.push(row.dataset.bounds ? `${head.textContent} ${count}` : head.textContent);
    }
  });
  const label = `${own.textContent}: ${row.dataset.bounds ? `${heads[1].textContent} ${row.cells[1].textContent}, ` : ""}${said.join(", ")}`;
  const parts = row.dataset.bounds ? cluster(Number(row.cells[1].textContent), counts) : device(Object.keys(counts)[0]);
  const link = make("a", { href: own.getAttribute("href"), "aria-label": label, "data-key": own.getAttribute("href"), draggable: "false" }, make("title", {}, label), ...parts);
  if (row.dataset.bounds) {
    link.dataset.bounds = row.dataset.bounds;
  }
  return link;
}

function device(state) {
  return [make("circle", { class: "hit", r: rem() * 0.9 }), glyph(state, rem() * 0.5)];
}

// The shapes of .state in parts.css.
function glyph(state, r) {
  const shapes = {
    intact: `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
    impaired: `M0 ${-r * 1.1}L${r * 1.1} ${r}H${-r * 1.1}z`,
    offline: `M${-r} ${-r}H${r}V${r}H${-r}z`,
    suspended: `M${-r} ${-r}h${0.7 * r}v${2 * r}h${-0.7 * r}zM${0.3 * r} ${-r}h${0.7 * r}v${2 * r}h${-0.7 * r}z`,
  };
  shapes.unknown = shapes.intact;
  return make("path", { class: `glyph ${state}`, d: shapes[state] ?? shapes.suspended });
}

function cluster(total, counts) {
  const r = rem() * Math.min(2.1, 1 + 0.3 * Math.log10(total));
  const thick = rem() * 0.32;
  const round = 2 * Math.PI * r;
  const pieces = [];
  let start = 0;
  for (const state of PARTS.filter((each) => counts[each])) {
    const length = (counts[state] / total) * round;
    pieces.push(make("circle", { class: `share ${state}`, r, "stroke-width": thick, "stroke-dasharray": `${length} ${round}`, "stroke-dashoffset": -start, transform: "rotate(-90)" }));
    start += length;
  }
  const bad = (counts.offline ?? 0) + (counts.impaired ?? 0);
  const worst = counts.offline ? "offline" : "impaired";
  const beside = make("text", { x: rem() * 0.6 });
  beside.textContent = bad;
  const badge = make("g", { class: `fails ${worst}`, transform: `translate(${r * 0.85} ${-r * 0.85})` }, glyph(worst, rem() * 0.38), beside);
  const inside = make("text", {});
  inside.textContent = total;
  return [make("circle", { class: "hit", r: r + thick }), make("circle", { class: "disc", r }), ...pieces, inside, ...(bad ? [badge] : [])];
}

async function outline() {
  if (!frame.dataset.outline) {
    return;
  }
  const answer = await fetch(frame.dataset.outline);
  if (!answer.ok) {
    return;
  }
  for (const { name, is_area, lines } of (await answer.json()).districts) {
    const d = lines.map((line) => `M${line.map(([x, y]) => `${(x - extent[0]).toFixed(6)} ${(y - extent[1]).toFixed(6)}`).join("L")}`).join("");
    shapes.append(make("path", { d, class: is_area ? "area" : "line", "fill-rule": "evenodd" }));
    const longest = lines.reduce((one, other) => (other.length > one.length ? other : one), []);
    const [xs, ys] = [0, 1].map((axis) => longest.map((point) => point[axis]));
    if (name && longest.length) {
      const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
      const text = make("text", {});
      text.textContent = name;
      names.append(text);
      labels.push([text, middle(xs), middle(ys), Math.max(...xs) - Math.min(...xs)]);
    }
  }
  place();
}

// What a person does

function at(event) {
  const box = drawing.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

drawing.addEventListener("pointerdown", (event) => {
  if (event.button === 0) {
    held.set(event.pointerId, at(event));
    dragged = held.size > 1;
  }
});
drawing.addEventListener("pointermove", (event) => {
  const before = held.get(event.pointerId);
  if (!before) {
    return;
  }
  const now = at(event);
  if (!dragged && Math.hypot(now[0] - before[0], now[1] - before[1]) < 5) {
    return;
  }
  dragged = true;
  drawing.setPointerCapture(event.pointerId);
  drawing.classList.add("held");
  held.set(event.pointerId, now);
  const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
  if (!other) {
    pan(now[0] - before[0], now[1] - before[1]);
    return;
  }
  const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
  zoom(apart(now) / apart(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
});
for (const name of ["pointerup", "pointercancel"]) {
  drawing.addEventListener(name, (event) => {
    held.delete(event.pointerId);
    drawing.classList.toggle("held", held.size > 0 && dragged);
  });
}
drawing.addEventListener("dragstart", (event) => event.preventDefault());
drawing.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (dragged && event.detail) {
    event.preventDefault();
    dragged = false;
  } else if (link?.dataset.bounds && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    open(numbers(link.dataset.bounds));
  }
});

// A cluster fills the window; where all its devices stand on one spot, at least closer.
function open([west, south, east, north]) {
  const [x, y] = [Math.max((east - west) * 0.15, CLOSEST / 2), Math.max((north - south) * 0.15, CLOSEST / 2)];
  const before = scale;
  fit([west - x, south - y, east + x, north + y]);
  scale = Math.max(scale, before * STEP);
  bound();
  move();
  frame.focus({ preventScroll: true });
}

drawing.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.25 : 0.8, at(event));
}, { passive: false });

frame.addEventListener("click", (event) => {
  const wish = event.target.closest("[data-zoom]")?.dataset.zoom;
  if (wish) {
    DO[wish]();
  }
});
frame.addEventListener("keydown", (event) => {
  const act = DO[{ "+": "in", "=": "in", "-": "out", 0: "all" }[event.key] ?? event.key];
  if (act && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    act();
  }
});

const DO = {
  in: () => zoom(STEP),
  out: () => zoom(1 / STEP),
  all: () => {
    fit(extent);
    move();
  },
  ArrowLeft: () => pan(MOVE * size()[0], 0),
  ArrowRight: () => pan(-MOVE * size()[0], 0),
  ArrowUp: () => pan(0, MOVE * size()[1]),
  ArrowDown: () => pan(0, -MOVE * size()[1]),
};

export function draw() {
  take();
}

fit(numbers(frame.dataset.window));
outline();
setInterval(() => document.hidden || held.size || ask(), Number(frame.dataset.refresh) * 1000);
new ResizeObserver(move).observe(frame); // at once too

// Draws each [data-chart] from the table that is its text equivalent.

import * as echarts from "../vendor/echarts/echarts.esm.min.mjs";

const KINDS = { latency, trend };
const drawn = new Map();

export function draw(root) {
  forgetRemoved();
  for (const canvas of root.querySelectorAll("[data-chart]")) {
    if (!drawn.has(canvas)) {
      const chart = echarts.init(canvas, null, { renderer: "canvas" });
      drawn.set(canvas, chart);
      observer.observe(canvas);
    }
    redraw(canvas);
  }
}

const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    drawn.get(target)?.resize();
  }
});

function redraw(canvas) {
  const table = document.getElementById(canvas.dataset.table);
  drawn.get(canvas).setOption(KINDS[canvas.dataset.chart](table, colours()), { notMerge: true });
}

function forgetRemoved() {
  for (const [canvas, chart] of drawn) {
    if (!canvas.isConnected) {
      observer.unobserve(canvas);
      chart.dispose();
      drawn.delete(canvas);
    }
  }
}

for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", () => [...drawn.keys()].forEach(redraw));
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ink", "soft", "line", "edge", "card", "intact", "accent", "suspended", "offline"];
  const found = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  return { ...found, rem: parseFloat(style.fontSize), font: style.fontFamily };
}

// Lines over days; the first column leads, each with its own dash and mark.
function trend(table, colour) {
  const rem = colour.rem;
  const days = [...table.querySelectorAll("tbody th")].map((cell) => cell.dataset.day.slice(5));
  const heads = [...table.querySelectorAll("thead th")].slice(1);
  const strokes = { intact: colour.intact, online: colour.accent, suspended: colour.suspended };
  const series = heads.map((head, place) => ({
    name: head.textContent,
    type: "line",
    data: column(table, place),
    symbol: place ? "diamond" : "circle",
    symbolSize: rem * 0.45,
    showSymbol: true,
    lineStyle: { color: strokes[head.dataset.key], width: rem * (place ? 0.1 : 0.16), type: place ? "dashed" : "solid" },
    itemStyle: { color: strokes[head.dataset.key] },
    markLine: head.dataset.target ? target(head, colour) : undefined,
  }));
  const values = series.flatMap((each) => each.data).filter((value) => value !== null);
  const targets = heads.filter((head) => head.dataset.target).map((head) => Number(head.dataset.target));
  const [low, high] = bounds([...values, ...targets]);
  const shared = lines(colour, days, "%", 2);
  shared.legend.show = heads.length > 1;
  return { ...shared, yAxis: axis(colour, "%", low, high), series };
}

// Milliseconds by the half hour; where there is no sample the lines have a gap.
function latency(table, colour) {
  const rem = colour.rem;
  const starts = [...table.querySelectorAll("tbody th")].map((cell) => cell.textContent);
  const heads = [...table.querySelectorAll("thead th[data-key]")];
  const series = heads.map((head, place) => ({
    name: head.textContent,
    type: "line",
    data: column(table, place),
    symbol: place ? "diamond" : "circle",
    symbolSize: rem * 0.35,
    lineStyle: { color: place ? colour.soft : colour.accent, width: rem * (place ? 0.1 : 0.16), type: place ? "dashed" : "solid" },
    itemStyle: { color: place ? colour.soft : colour.accent },
  }));
  return { ...lines(colour, starts, "ms", 0), yAxis: axis(colour, "ms", 0), series };
}

// What charts of lines share: `names` stand below, values have a `unit` and so many `decimals`.
function lines(colour, names, unit, decimals) {
  const rem = colour.rem;
  const text = label(colour);
  return {
    animation: false,
    textStyle: { fontFamily: colour.font },
    grid: { left: rem * 3.6, right: rem * 1.2, top: rem * 2.2, bottom: rem * 1.8 },
    legend: { top: 0, right: 0, textStyle: text, itemHeight: rem * 0.6, itemWidth: rem * 1.6 },
    tooltip: {
      trigger: "axis",
      renderMode: "richText", // the policy forbids the styles that HTML would bring
      backgroundColor: colour.card,
      borderColor: colour.edge,
      textStyle: { ...text, color: colour.ink },
      valueFormatter: (value) => (value === null || value === undefined ? "–" : `${value.toFixed(decimals)} ${unit}`),
    },
    xAxis: { type: "category", data: names, axisLabel: { ...text, hideOverlap: true }, axisTick: { show: false }, axisLine: { lineStyle: { color: colour.edge } }, boundaryGap: false },
  };
}

function axis(colour, unit, min, max) {
  const axisLabel = { ...label(colour), formatter: (value) => `${+value.toFixed(2)} ${unit}` };
  return { type: "value", min, max, axisLabel, splitLine: { lineStyle: { color: colour.line } }, splitNumber: 4 };
}

function label(colour) {
  return { color: colour.soft, fontSize: colour.rem * 0.86, fontFamily: colour.font };
}

function column(table, place) {
  return [...table.querySelectorAll("tbody tr")].map((row) => {
    const value = row.querySelectorAll("td")[place].dataset.value;
    return value === undefined ? null : Number(value);
  });
}

function target(head, colour) {
  return {
    silent: true,
    symbol: "none",
    lineStyle: { color: colour.offline, type: [6, 4], width: colour.rem * 0.1 },
    label: { formatter: head.dataset.aim, position: "insideStartTop", color: colour.offline, fontSize: colour.rem * 0.86, fontFamily: colour.font },
    data: [{ yAxis: Number(head.dataset.target) }],
  };
}

// Whole per cent around the values, within 0 to 100, at least one apart.
function bounds(values) {
  if (!values.length) {
    return [0, 100];
  }
  const low = Math.max(0, Math.floor(Math.min(...values) - 0.2));
  return [low, Math.max(low + 1, Math.min(100, Math.ceil(Math.max(...values) + 0.2)))];
}

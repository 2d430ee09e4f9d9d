"use strict";
// Of every page with charts: its two themes, its print, and each chart drawn when it comes near.
const page = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  // Charts name their colours; the page gives them values, so that both themes have the same charts.
  const colored = (value, style) => {
    if (typeof value === "string" && value.startsWith("--")) return style.getPropertyValue(value).trim();
    if (Array.isArray(value)) return value.map((item) => colored(item, style));
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, colored(item, style)]));
    return value;
  };

  const themed = (layout, style) => {
    const quiet = style.getPropertyValue("--quiet").trim(), rule = style.getPropertyValue("--rule").trim();
    const themes = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
    const axes = Object.fromEntries(Object.entries(layout).filter(([key]) => /^[xy]axis/.test(key)).map(
      ([key, axis]) => [key, { gridcolor: rule, linecolor: rule, tickfont: { color: quiet }, ...axis, title: { ...axis.title, font: { color: quiet, size: 12 } } }]));
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: style.getPropertyValue("--text").trim() };
    const hoverlabel = { bgcolor: style.getPropertyValue("--ground").trim(), bordercolor: rule, font: { ...font } };
    return { ...layout, ...themes, ...axes, font, hoverlabel, autosize: true };
  };

  const explain = (list, legend) => list.replaceChildren(...legend.map(([label, color, mark]) => {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("span"), { textContent: mark, style: `color:var(${color})`, ariaHidden: "true" }), label);
    return item;
  }));

  const draw = (element) => {
    const chart = data.charts[element.dataset.chart];
    const style = getComputedStyle(root);
    const layout = themed(colored(chart.layout, style), style);
    const { annotations: notes = [], meta: room } = layout;
    layout.annotations = notes.filter((note, index) => !room || room[index] * element.clientWidth > 8 * note.text.length);
    explain(element.previousElementSibling, chart.legend);
    element.style.minHeight = `${layout.height}px`;
    element.setAttribute("aria-label", chart.text);
    element.dataset.drawn = "yes";
    return Plotly.react(element, colored(chart.data, style), layout, { responsive: true, displayModeBar: false });
  };

  // 5 MB of script take a second or more to read: not before a chart comes near, and then a chart at a time, so that the
  // page answers in between.
  const load = () => {
    if (window.Plotly) return;
    const script = document.createElement("script");
    script.textContent = byId("plotly").textContent;
    document.head.append(script);
  };
  const waiting = new Set();
  const drawNext = () => {
    const [element] = waiting;
    if (!element) {
      performance.mark("ready");
      root.dataset.ready = "yes";
      return;
    }
    waiting.delete(element);
    load();
    draw(element);
    setTimeout(drawNext);
  };
  const near = new IntersectionObserver((entries) => {
    const idle = !waiting.size;
    entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => { waiting.add(target); near.unobserve(target); });
    if (idle) setTimeout(drawNext);
  }, { rootMargin: "600px 0px" });
  const undrawn = () => document.querySelectorAll("[data-chart]:not([data-drawn])");
  undrawn().forEach((element) => near.observe(element));

  const button = byId("theme");
  const setTheme = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    button.textContent = dark ? "Light" : "Dark";
    document.querySelectorAll("[data-drawn]").forEach(draw);
  };
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  setTheme(preferred.matches);
  preferred.addEventListener("change", () => setTheme(preferred.matches));
  button.addEventListener("click", () => setTheme(root.dataset.theme !== "dark"));

  // On paper everything is open, and light.
  let before = null;
  addEventListener("beforeprint", () => {
    before = { dark: root.dataset.theme === "dark", closed: [...document.querySelectorAll("details:not([open])")] };
    before.closed.forEach((details) => { details.open = true; });
    setTheme(false);
    load();
    undrawn().forEach(draw);
  });
  addEventListener("afterprint", () => {
    before.closed.forEach((details) => { details.open = false; });
    setTheme(before.dark);
  });

  return { byId, data };
})();

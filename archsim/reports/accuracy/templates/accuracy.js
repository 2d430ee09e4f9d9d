"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;

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
    const axes = Object.fromEntries(["xaxis", "yaxis"].map((key) => [key, {
      gridcolor: rule, linecolor: rule, tickfont: { color: quiet }, ...layout[key],
      title: { ...layout[key].title, font: { color: quiet, size: 12 } } }]));
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12, color: style.getPropertyValue("--text").trim() };
    const hoverlabel = { bgcolor: style.getPropertyValue("--ground").trim(), bordercolor: rule, font: { ...font } };
    return { ...layout, ...axes, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font, hoverlabel, autosize: true };
  };

  const explain = (list, legend) => list.replaceChildren(...(legend.length > 1 ? legend : []).map(([label, color, mark]) => {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("span"), { textContent: mark, style: `color:var(${color})`, ariaHidden: "true" }), label);
    return item;
  }));

  const draw = (element) => {
    const chart = charts[element.dataset.chart];
    const style = getComputedStyle(root);
    explain(element.previousElementSibling, chart.legend);
    element.dataset.drawn = "yes";
    return Plotly.react(element, colored(chart.data, style), themed(colored(chart.layout, style), style), { responsive: true, displayModeBar: false });
  };

  // Those in sight first; each in a turn of its own, so that the page answers in between.
  const pending = () => [...document.querySelectorAll("[data-chart]:not([data-drawn])")];
  const drawNext = () => {
    const waiting = pending();
    if (!waiting.length) { root.dataset.ready = "yes"; return; }
    draw(waiting.find((element) => {
      const { top, bottom } = element.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    }) || waiting[0]);
    setTimeout(drawNext);
  };

  const button = document.getElementById("theme");
  const setTheme = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    button.textContent = dark ? "Light" : "Dark";
    if (window.Plotly) document.querySelectorAll("[data-drawn]").forEach(draw);
  };
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  setTheme(preferred.matches);
  preferred.addEventListener("change", () => setTheme(preferred.matches));
  button.addEventListener("click", () => setTheme(root.dataset.theme !== "dark"));

  // On paper everything is open, and light.
  let before = null;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme === "dark";
    setTheme(false);
    if (window.Plotly) pending().forEach(draw);
  });
  addEventListener("afterprint", () => setTheme(before));

  // Megabytes of script take a second to read: the page is there before.
  requestAnimationFrame(() => setTimeout(() => {
    const script = document.createElement("script");
    script.textContent = document.getElementById("plotly").textContent;
    document.head.append(script);
    drawNext();
  }));
})();

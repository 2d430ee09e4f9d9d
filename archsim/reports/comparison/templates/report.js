"use strict";
(() => {
  const { charts, whatif } = JSON.parse(document.getElementById("data").textContent);
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

  const explain = (element, legend) => {
    const list = element.previousElementSibling;
    list.replaceChildren(...legend.map(([label, color, mark]) => {
      const item = document.createElement("li");
      item.append(Object.assign(document.createElement("span"), { textContent: mark, style: `color:var(${color})`, ariaHidden: "true" }), label);
      return item;
    }));
  };

  const draw = (element) => {
    const chart = charts[element.dataset.chart];
    const style = getComputedStyle(root);
    const layout = themed(colored(chart.layout, style), style);
    const { annotations: notes = [], meta: room } = layout;
    layout.annotations = notes.filter((note, index) => !room || room[index] * element.clientWidth > 8 * note.text.length);
    explain(element, chart.legend);
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
  const redraw = () => document.querySelectorAll("[data-drawn]").forEach(draw);

  document.querySelectorAll("form").forEach((form) => form.addEventListener("submit", (event) => event.preventDefault()));
  byId("pair")?.addEventListener("change", (event) => {
    document.querySelectorAll("[data-pair]").forEach((element) => element.classList.toggle("chosen", element.dataset.pair === event.target.value));
  });

  const button = byId("theme");
  const setTheme = (dark) => {
    root.dataset.theme = dark ? "dark" : "light";
    button.textContent = dark ? "Light" : "Dark";
    redraw();
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

  // What if: joules = counts x prices.
  const changed = new Map(); // "machine price" -> value
  const price = (machine, index) => changed.get(`${machine} ${index}`) ?? whatif.machines[machine].prices[index].value;
  const joules = (cell, priced) => cell.counts.reduce((sum, count, index) => sum + count * priced(cell.machine, index), 0) * 1e-12;
  const simulated = (machine, index) => whatif.machines[machine].prices[index].value;
  const prefixes = ["a", "f", "p", "n", "µ", "m", "", "k", "M", "G"];
  const significant = (value) => {
    const digits = Math.max(0, 2 - Math.floor(Math.log10(value)));
    return Number(value.toPrecision(3)).toFixed(digits);
  };
  const si = (value, unit) => {
    if (!value) return `0 ${unit}`;
    const power = Math.min(9, Math.max(-18, Math.floor(Math.log10(Number(value.toPrecision(3))) / 3) * 3));
    return `${significant(value / 10 ** power)} ${prefixes[power / 3 + 6]}${unit}`;
  };
  const shortest = (value) => String(Number(value.toPrecision(3)));
  const quoted = (text) => (/^[\w.=/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const STEPS = 100;
  const span = ({ value, low, high }) => Math.max(8, low ? value / low : 8, high / value);
  const valueAt = (item, step) => {
    if (step === 0) return item.value;
    const raw = item.value ? item.value * span(item) ** (step / STEPS) : (Math.max(item.high, 1) * (step + STEPS)) / STEPS;
    return Number(raw.toPrecision(3));
  };
  const stepAt = (item, value) => {
    if (value === item.value) return 0;
    return item.value ? Math.round((STEPS * Math.log(value / item.value)) / Math.log(span(item)))
      : Math.round((STEPS * value) / Math.max(item.high, 1)) - STEPS;
  };

  const tell = () => {
    const body = byId("repriced").tBodies[0];
    body.replaceChildren();
    const bases = whatif.workloads.map((_, workload) => {
      const base = whatif.cells.find((cell) => cell.baseline && cell.workload === workload);
      return base ? joules(base, price) : null;
    });
    whatif.cells.forEach((cell, index) => {
      if (whatif.workloads.length > 1 && (!index || whatif.cells[index - 1].workload !== cell.workload)) {
        const group = body.insertRow();
        group.className = "group";
        group.append(Object.assign(document.createElement("th"), { scope: "rowgroup", colSpan: 5, textContent: whatif.workloads[cell.workload] }));
      }
      const [was, is] = [joules(cell, simulated), joules(cell, price)];
      const share = was ? (100 * (is - was)) / was : 0;
      const differs = Math.abs(share) >= 0.05;
      const row = body.insertRow();
      row.className = differs ? "changed" : "";
      row.dataset.joules = is;
      const name = Object.assign(document.createElement("th"), { scope: "row", textContent: whatif.machines[cell.machine].label });
      if (cell.frozen && differs) name.append(Object.assign(document.createElement("small"), { textContent: " timing frozen" }));
      row.append(name);
      const ratio = bases[cell.workload] ? `${significant(is / bases[cell.workload])}×` : "–";
      for (const text of [si(was, "J"), si(is, "J"), differs ? `${share > 0 ? "+" : "−"}${Math.abs(share).toFixed(1)} %` : "–", cell.baseline ? "baseline" : ratio])
        row.insertCell().textContent = text;
    });
    const chosen = Number(byId("whatif-machine").value);
    const sets = whatif.machines[chosen].prices.flatMap((item, index) => changed.has(`${chosen} ${index}`)
      ? [`--set ${quoted(`${item.setting}=${shortest(changed.get(`${chosen} ${index}`))}${item.unit}`)}`] : []);
    byId("sets").textContent = sets.join(" \\\n") || `No price of ${whatif.machines[chosen].label} has been changed.`;
    byId("copy").disabled = !sets.length;
    byId("reset").disabled = !changed.size;
    byId("copied").textContent = "";
  };

  const MAIN = 8;
  const slider = (machine, item, index) => {
    const box = document.createElement("div");
    const id = `price-${machine}-${index}`;
    const label = Object.assign(document.createElement("label"), { htmlFor: id, textContent: item.name });
    const output = document.createElement("output");
    const input = Object.assign(document.createElement("input"), { type: "range", id, min: -STEPS, max: STEPS, step: 1, value: stepAt(item, price(machine, index)) });
    input.dataset.setting = item.setting;
    const share = item.share >= 0.001 ? `pays for ${(100 * item.share).toFixed(1)} % of the energy` : "pays for less than 0.1 % of the energy";
    const ranged = item.high > item.low ? `, stated range ${shortest(item.low)} to ${shortest(item.high)}` : "";
    const band = document.createElement("div");
    band.className = "band";
    if (ranged && item.low > 0) {
      const [left, right] = [item.low, item.high].map((value) => (stepAt(item, value) + STEPS) / 2);
      band.append(Object.assign(document.createElement("i"), { style: `left:${left}%;width:${right - left}%` }));
    }
    const note = Object.assign(document.createElement("small"), { textContent: share + ranged });
    const show = () => {
      const value = price(machine, index);
      output.textContent = `${shortest(value)} ${item.unit}`;
      input.setAttribute("aria-valuetext", output.textContent);
      box.className = changed.has(`${machine} ${index}`) ? "slider changed" : "slider";
    };
    input.addEventListener("input", () => {
      const value = valueAt(item, Number(input.value));
      if (value === item.value) changed.delete(`${machine} ${index}`);
      else changed.set(`${machine} ${index}`, value);
      show();
      tell();
    });
    show();
    box.append(label, output, input, band, note);
    return box;
  };
  const sliders = () => {
    const machine = Number(byId("whatif-machine").value);
    const all = whatif.machines[machine].prices.map((item, index) => (item.setting ? slider(machine, item, index) : null)).filter(Boolean);
    byId("sliders").replaceChildren(...all.slice(0, MAIN));
    if (all.length > MAIN) {
      const more = document.createElement("details");
      more.append(Object.assign(document.createElement("summary"), { textContent: `${all.length - MAIN} smaller prices` }), ...all.slice(MAIN));
      byId("sliders").append(more);
    }
  };
  whatif.machines.forEach((machine, index) => {
    if (machine.prices.length) byId("whatif-machine").add(new Option(machine.label, index));
  });
  byId("whatif-machine").addEventListener("change", () => { sliders(); tell(); });
  byId("reset").addEventListener("click", () => { changed.clear(); sliders(); tell(); });
  byId("copy").addEventListener("click", async () => {
    const text = byId("sets").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      getSelection().selectAllChildren(byId("sets"));
      document.execCommand("copy");
    }
    byId("copied").textContent = "Copied.";
  });
  sliders();
  tell();
})();

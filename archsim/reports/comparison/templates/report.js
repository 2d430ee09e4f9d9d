// Of the comparison: the pair that its waterfall shows, and its prices.
(() => {
  const { byId, data: { whatif } } = page;

  document.querySelectorAll("form").forEach((form) => form.addEventListener("submit", (event) => event.preventDefault()));
  byId("pair")?.addEventListener("change", (event) => {
    document.querySelectorAll("[data-pair]").forEach((element) => element.classList.toggle("chosen", element.dataset.pair === event.target.value));
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

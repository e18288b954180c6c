// A section of scores: what is chosen, and the plots and tables that follow it.
class ScoresView {
  constructor(place, section) {
    Object.assign(this, { place, section });
    this.populations = section.populations.map((data) => new Population(section, data));
    const measures = section.rankings.findIndex((ranking) => !ranking.is_count);
    const first = this.bestMeasure(Math.max(measures, 0));
    this.state = new State({
      target: 0, population: 0, first, second: this.beside(first), axes: "values", statistic: "kendall",
      chosen: null, at: null, kept: null,
    });
    this.controls();
    this.tables();
    this.listen();
    this.drawAll();
  }

  part(name) {
    return this.place.querySelector(`[data-part="${name}"]`);
  }

  get population() {
    return this.populations[this.state.population];
  }

  get target() {
    return this.section.targets[this.state.target];
  }

  rowsOf(target = this.state.target) {
    return this.population.data.rows.filter((row) => row.target === target);
  }

  bestMeasure(otherwise) {
    const { rows } = this.section.populations[0];
    const own = rows.filter((row) => row.target === 0 && !this.section.rankings[row.ranking].is_count);
    const best = own.sort((a, b) => (b.kendall[0] ?? -2) - (a.kendall[0] ?? -2))[0];
    return best ? best.ranking : otherwise;
  }

  beside(first) {
    const wanted = this.section.rankings.findIndex((ranking) => ranking.name === "effective_parameters");
    return wanted >= 0 && wanted !== first ? wanted : this.section.rankings.findIndex((_, at) => at !== first);
  }

  controls() {
    const { state, section } = this;
    fill(this.part("target"), section.targets.map((target) => `${target.name}: ${target.what}`));
    fill(this.part("population"), section.populations.map((one) => `${one.name}: ${one.text} (${number(one.places.length)})`));
    for (const name of ["first", "second"]) {
      fill(this.part(name), section.rankings.map((ranking) => this.title(ranking)), state[name]);
    }
    fill(this.part("statistic"), section.statistics.map(([, title]) => title));
    for (const name of ["target", "population", "first", "second"]) {
      this.part(name).addEventListener("change", (event) => state.set({ [name]: Number(event.target.value) }));
    }
    this.part("axes").addEventListener("change", (event) => state.set({ axes: event.target.value }));
    this.part("statistic").addEventListener("change", (event) =>
      state.set({ statistic: section.statistics[Number(event.target.value)][0] }));
    this.place.querySelectorAll("form").forEach((form) => form.addEventListener("submit", (event) => event.preventDefault()));
  }

  title(ranking) {
    return ranking.is_count ? `${ranking.name} (count)` : ranking.name;
  }

  tables() {
    this.cells = new Table(this.part("cells"), [], { name: "cells", onpick: (at) => this.state.set({ kept: at, at }), sort: [2, -1] });
    this.search = element("input", { type: "search", placeholder: "find a cell", "aria-label": "find a cell" });
    this.search.addEventListener("input", () => this.showCells());
    this.clear = element("button", { type: "button", hidden: true, onclick: () => this.state.set({ chosen: null }) }, "show all cells");
    this.cells.extra.append(this.search, this.clear);
    this.rows = new Table(this.part("rows"), this.rowColumns(), { name: "measures", size: 40, sort: [2, -1], onpick: (row) => this.state.set({ first: row.ranking }) });
  }

  listen() {
    const { state } = this;
    state.when(["population"], () => state.set({ chosen: null, at: null, kept: null }));
    state.when(["target", "population", "first", "second", "axes"], () => this.drawScatters());
    state.when(["target", "population", "first", "second", "chosen"], () => this.showCells());
    state.when(["chosen"], () => this.markChosen());
    state.when(["at", "kept"], () => this.markCell());
    state.when(["target", "population", "first", "second"], () => this.showCard());
    state.when(["target", "population", "statistic"], () => this.drawCorrelations());
    state.when(["population"], () => this.drawAgreement());
    state.when(["first", "second"], () => ["first", "second"].forEach((name) => { this.part(name).value = state[name]; }));
  }

  drawAll() {
    this.drawScatters();
    this.showCells();
    this.showCard();
    this.drawCorrelations();
    this.drawAgreement();
    this.drawTime();
  }

  // --- score against accuracy

  sides(name) {
    const { state, section, population } = this;
    const ranking = section.rankings[state[name]];
    const columns = state.axes === "ranks"
      ? [population.ranks("scores", state[name], ranking.higher), population.ranks("values", state.target, this.target.higher)]
      : [population.column("scores", state[name]), population.column("values", state.target)];
    const [x, y] = columns;
    const known = x ? [...x.keys()].filter((at) => !Number.isNaN(x[at]) && !Number.isNaN(y[at])) : [];
    return { ranking, x, y, known };
  }

  drawScatters() {
    for (const name of ["first", "second"]) this.drawScatter(name);
  }

  drawScatter(name) {
    const { ranking, x, y, known } = this.sides(name);
    const place = this.part(`plot-${name}`);
    place.known = known;
    const type = pointsOf(known.length);
    const traces = [
      {
        type, mode: "markers", x: known.map((at) => x[at]), y: known.map((at) => y[at]), hoverinfo: "none",
        marker: { color: colour("accent"), size: known.length > 2000 ? 4 : 6, opacity: known.length > 2000 ? 0.35 : 0.6 },
        selected: { marker: { color: colour("marked"), opacity: 0.9 } }, unselected: { marker: { opacity: 0.08 } },
        selectedpoints: this.chosenAmong(known),
      },
      { type, mode: "markers", x: [], y: [], hoverinfo: "skip", marker: { color: colour("marked"), size: 14, symbol: "circle-open", line: { width: 3 } } },
    ];
    const isRanks = this.state.axes === "ranks";
    const what = (text, isHigher) => plain(isRanks ? `rank by ${text}` : `${text}${isHigher ? "" : ", lower is better"}`);
    const turned = (isHigher) => (isRanks || !isHigher ? { autorange: "reversed" } : {});
    const tau = this.rowsOf().find((row) => row.ranking === this.state[name]);
    draw(place, traces, layout({
      height: isNarrow() ? 320 : 400, dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "select", hovermode: "closest",
      xaxis: axis({ title: { text: what(shortened(this.title(ranking), 40), ranking.higher) }, ...turned(ranking.higher), ...this.scale(isRanks, known, x) }),
      yaxis: axis({ title: { text: what(shortened(`${this.target.name}${this.target.unit ? ` (${this.target.unit})` : ""}`, 44), this.target.higher) }, ...turned(this.target.higher) }),
      annotations: [{
        text: plain(tau ? `τ = ${interval(tau.kendall)} of ${number(tau.cells)} cells` : "no common cells"), showarrow: false,
        xref: "paper", yref: "paper", x: 0, y: 1.01, xanchor: "left", yanchor: "bottom", font: { size: 12, color: colour("faint") },
      }],
      margin: { l: 60, r: 12, t: 30, b: 50 },
    }));
    this.follow(place);
    this.markCell();
  }

  // Where positive scores span orders of magnitude, a few of them would squash the rest.
  scale(isRanks, known, x) {
    if (isRanks || known.length < 3) return {};
    const sorted = known.map((at) => x[at]).sort((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)];
    const last = sorted[sorted.length - 1];
    return sorted[0] > 0 && last / middle > 50 ? { type: "log" } : {};
  }

  follow(place) {
    if (place.isFollowed) return;
    place.isFollowed = true;
    const at = (event) => (event.points && event.points[0] && event.points[0].curveNumber === 0 ? place.known[event.points[0].pointNumber] : null);
    place.on("plotly_hover", (event) => at(event) !== null && this.state.set({ at: at(event) }));
    place.on("plotly_unhover", () => this.state.set({ at: this.state.kept }));
    place.on("plotly_click", (event) => at(event) !== null && this.state.set({ at: at(event), kept: at(event) }));
    place.on("plotly_selected", (event) => {
      const points = event && event.points ? event.points.filter((point) => point.curveNumber === 0) : null;
      this.state.set({ chosen: points && points.length ? new Set(points.map((point) => place.known[point.pointNumber])) : null });
    });
    place.on("plotly_deselect", () => this.state.set({ chosen: null }));
  }

  chosenAmong(known) {
    const { chosen } = this.state;
    return chosen && [...known.keys()].filter((place) => chosen.has(known[place]));
  }

  markChosen() {
    for (const name of ["first", "second"]) {
      const place = this.part(`plot-${name}`);
      Plotly.restyle(place, { selectedpoints: [this.chosenAmong(place.known)] }, [0]);
      if (!this.state.chosen) Plotly.relayout(place, { selections: [] });
    }
  }

  markCell() {
    const { at } = this.state;
    this.showCard();
    for (const name of ["first", "second"]) {
      const place = this.part(`plot-${name}`);
      if (!place.data) continue;
      const { x, y } = this.sides(name);
      const isThere = at !== null && x && !Number.isNaN(x[at]) && !Number.isNaN(y[at]);
      Plotly.restyle(place, { x: [isThere ? [x[at]] : []], y: [isThere ? [y[at]] : []] }, [1]);
    }
  }

  showCard() {
    const { at } = this.state;
    const card = this.part("card");
    if (at === null) {
      card.replaceChildren(element("p", { class: "hint" }, "No cell yet: point at one in a plot, or click a row of the table."));
      return;
    }
    const { section, population } = this;
    const { drawings } = section;
    const whole = population.places[at];
    card.replaceChildren(
      element("h4", {}, `Cell ${population.cell(at)}`),
      ...(drawings ? [drawnCell(drawings, whole), legendOfCell(drawings, whole)] : []),
      element("p", { class: "architecture" }, population.text(at)),
      this.figures(at),
    );
  }

  figures(at) {
    const { section, population } = this;
    const line = (title, kind, place, isHigher) => {
      const column = population.column(kind, place);
      const ranks = population.ranks(kind, place, isHigher);
      if (!column || Number.isNaN(column[at])) return [title, "–", ""];
      return [title, number(column[at]), number(Math.round(ranks[at]))];
    };
    const lines = [
      ...section.targets.map((target, place) => line(target.name, "values", place, target.higher)),
      ...section.rankings.map((ranking, place) => line(ranking.name, "scores", place, ranking.higher)),
    ];
    const rows = lines.map(([title, value, rank]) =>
      element("tr", {}, element("th", { title, scope: "row" }, shortened(title, 24)), element("td", { class: "number" }, value), element("td", { class: "number" }, rank)));
    const head = element("tr", {}, element("th", {}, ""), element("th", { class: "number" }, "value"), element("th", { class: "number" }, "place"));
    return element("div", { class: "figures" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  }

  // --- tables

  showCells() {
    const { state, population } = this;
    const text = this.search.value.trim().toLowerCase();
    const places = state.chosen ? [...state.chosen] : [...Array(population.size).keys()];
    const fits = (at) => String(population.cell(at)) === text || population.text(at).toLowerCase().includes(text);
    this.clear.hidden = !state.chosen;
    this.cells.show(text ? places.filter(fits) : places, this.cellColumns());
  }

  cellColumns() {
    const { state, section, population } = this;
    const pair = (title, kind, place, isHigher, hint) => {
      const column = population.column(kind, place);
      const ranks = population.ranks(kind, place, isHigher);
      const get = (values) => (at) => (values ? values[at] : NaN);
      return [
        { title, hint, value: get(column), text: (at) => number(get(column)(at)), isNumber: true },
        { title: "place", hint: `place by ${title}, 1 is the best`, value: (at) => -get(ranks)(at), text: (at) => number(Math.round(get(ranks)(at))), isNumber: true },
      ];
    };
    const ranking = (name) => {
      const { name: title, higher, formula } = section.rankings[state[name]];
      return pair(title, "scores", state[name], higher, formula);
    };
    return [
      { title: "cell", value: (at) => population.cell(at), text: (at) => String(population.cell(at)), isNumber: true },
      { title: "architecture", value: (at) => population.text(at), text: (at) => population.text(at) },
      ...pair(this.target.name, "values", state.target, this.target.higher, this.target.what),
      ...ranking("first"),
      ...ranking("second"),
    ];
  }

  rowColumns() {
    const ranking = (row) => this.section.rankings[row.ranking];
    const estimates = this.section.statistics.map(([name, hint, title]) => ({
      title, hint, value: (row) => row[name][0], text: (row) => interval(row[name]), isNumber: true,
    }));
    return [
      { title: "measure", value: (row) => ranking(row).name, text: (row) => this.title(ranking(row)) },
      { title: "cells", value: (row) => row.cells, text: (row) => number(row.cells), isNumber: true },
      ...estimates,
      { title: "regret", hint: "how far the best-scored cell falls short of the best", value: (row) => row.regret, text: (row) => number(row.regret, 3), isNumber: true },
      { title: "left out", value: (row) => row.left_out.reduce((sum, [, count]) => sum + count, 0), text: (row) => row.left_out.map(([reason, count]) => `${number(count)} ${reason}`).join(", ") || "0" },
      { title: "seconds a cell", value: (row) => ranking(row).seconds, text: (row) => number(ranking(row).seconds, 2), isNumber: true },
      { title: "kernel", value: (row) => ranking(row).kernel, text: (row) => ranking(row).kernel },
      { title: "definition", value: (row) => ranking(row).formula, text: (row) => ranking(row).formula },
    ];
  }

  // --- correlations, agreement, time

  drawCorrelations() {
    const { state, section } = this;
    const rows = this.rowsOf();
    const title = section.statistics.find(([name]) => name === state.statistic)[1];
    this.rows.show(rows, this.rowColumns());
    const known = rows.filter((row) => row[state.statistic][0] !== null).sort((a, b) => a[state.statistic][0] - b[state.statistic][0]);
    const of = (row) => section.rankings[row.ranking];
    const ends = known.map((row) => row[state.statistic]);
    const traces = [{
      type: "bar", orientation: "h", y: known.map((_, place) => place), x: ends.map(([value]) => value),
      marker: { color: known.map((row) => colour(of(row).is_count ? "count" : "accent")) },
      error_x: {
        type: "data", symmetric: false, color: colour("ink"), thickness: 1.2, width: 3,
        array: ends.map(([value, , high]) => (high === null ? 0 : high - value)),
        arrayminus: ends.map(([value, low]) => (low === null ? 0 : value - low)),
      },
      customdata: known.map((row) => plain(`${this.title(of(row))}: ${interval(row[state.statistic])}`)),
      hovertemplate: "%{customdata}<extra></extra>",
    }];
    const { ceiling } = this.population.data.targets[state.target];
    const isBounded = ceiling && ["kendall"].includes(state.statistic);
    const top = { yref: "paper", xref: "x", x: ceiling && ceiling[0] };
    draw(this.part("bars"), traces, layout({
      height: 90 + (isNarrow() ? 20 : 22) * Math.max(known.length, 3),
      xaxis: axis({ title: { text: plain(title) }, range: this.range(ends, isBounded ? ceiling[0] : 0) }),
      yaxis: axis({ tickmode: "array", tickvals: known.map((_, place) => place), ticktext: known.map((row) => plain(isNarrow() ? shortened(of(row).name, 20) : shortened(this.title(of(row)), 40))), showgrid: false }),
      shapes: isBounded ? [{ ...top, type: "line", x0: ceiling[0], x1: ceiling[0], y0: 0, y1: 1, line: { dash: "dot", color: colour("faint") } }] : [],
      annotations: isBounded ? [{ ...top, y: 1, yanchor: "bottom", xanchor: "right", showarrow: false, text: `noise ceiling ${fixed(ceiling[0])}`, font: { size: 11, color: colour("faint") } }] : [],
      margin: { l: 20, r: 14, t: 26, b: 46 }, bargap: 0.25,
    }));
    this.part("about-correlations").replaceChildren(...this.aboutCorrelations(rows));
  }

  range(ends, least) {
    const all = ends.flat().filter((value) => value !== null);
    const low = Math.min(0, ...all);
    const high = Math.max(0.1, least, ...all);
    return [Math.max(low - 0.04, -1.02), Math.min(high + 0.04, 1.02)];
  }

  aboutCorrelations(rows) {
    const row = rows.find((one) => one.partial[0] !== null);
    const covers = [...new Set(rows.map((one) => one.covers))].join(" or ");
    const given = row ? ` Structure: ${row.given.join(" and ")} are held fixed.` : "";
    const { seeds } = this.population.data.targets[this.state.target];
    const noise = seeds ? ` Two training seeds of the benchmark agree with τ = ${fixed(seeds[0])}.` : "";
    const mark = (name) => {
      const made = element("i", { class: "mark" });
      made.style.background = `var(--${name})`;
      return made;
    };
    return [
      mark("accent"), "measures, ", mark("count"),
      `counts of the drawing. Intervals: 95 %, over ${covers || "cells"}.${given}${noise} Signed so that more is better. Click a row to plot it.`,
    ];
  }

  drawAgreement() {
    const { rankings, taus } = this.population.data.agreement;
    const names = rankings.map((place) => this.section.rankings[place].name);
    const size = rankings.length;
    const values = names.map((_, row) => Array.from(taus.slice(row * size, (row + 1) * size)));
    const place = this.part("agreement");
    heatMap(place, names, names, values, "Kendall’s τ");
    if (place.isFollowed) return;
    place.isFollowed = true;
    place.on("plotly_click", (event) => {
      const { rankings: now } = this.population.data.agreement;
      const { x, y } = event.points[0];
      this.state.set({ first: now[y], second: now[x] });
    });
  }

  drawTime() {
    const rows = this.section.rankings.filter((ranking) => ranking.seconds > 0).sort((a, b) => a.seconds - b.seconds);
    const place = this.part("time");
    if (!rows.length) {
      place.replaceChildren(element("p", {}, "The time of these scores is not known."));
      return;
    }
    draw(place, [{
      type: "bar", orientation: "h", x: rows.map((row) => row.seconds), y: rows.map((_, at) => at), marker: { color: colour("accent") },
      customdata: rows.map((row) => plain(`${row.name}: ${number(row.seconds, 3)} s a cell`)), hovertemplate: "%{customdata}<extra></extra>",
    }], layout({
      height: 90 + 20 * Math.max(rows.length, 3), bargap: 0.25,
      xaxis: axis({ title: { text: "seconds a cell" }, rangemode: "tozero" }),
      yaxis: axis({ tickmode: "array", tickvals: rows.map((_, at) => at), ticktext: rows.map((row) => plain(shortened(row.name, isNarrow() ? 18 : 40))), showgrid: false }),
      margin: { l: 20, r: 14, t: 8, b: 46 },
    }));
  }
}

// A section of other results: lines, matrices and tables, one after the other.
class ResultsView {
  constructor(place, section) {
    Object.assign(this, { place, section });
    section.parts.forEach((part, at) => {
      const field = this.field(at);
      field.append(element("h3", {}, part.title));
      field.append(element("div", { class: part.kind === "table" ? "rows" : `plot ${part.kind}` }));
      if (part.kind === "table") this.table(field.lastChild, part);
      if (part.kind === "sketch") field.lastChild.append(drawnCell(part.drawings, 0), legendOfCell(part.drawings, 0));
    });
    this.drawAll();
  }

  field(at) {
    return this.place.querySelector(`[data-part="part-${at}"]`);
  }

  drawAll() {
    this.section.parts.forEach((part, at) => {
      const place = this.field(at).lastChild;
      if (part.kind === "lines") this.lines(place, part);
      if (part.kind === "matrix") this.matrix(place, part);
    });
  }

  table(place, part) {
    const columns = part.columns.map((title, at) => ({
      title, value: (row) => row[at], text: (row) => (typeof row[at] === "string" ? row[at] : number(row[at])),
      isNumber: part.rows.some((row) => typeof row[at] === "number") && !part.rows.some((row) => typeof row[at] === "string"),
    }));
    new Table(place, columns, { size: 30 }).show(part.rows);
  }

  matrix(place, part) {
    const width = part.columns.length;
    const values = part.rows.map((_, row) => Array.from(part.values.slice(row * width, (row + 1) * width)));
    heatMap(place, part.rows, part.columns, values, part.label);
  }

  lines(place, part) {
    const colours = part.series.map((_, at) => colour(`series-${(at % 8) + 1}`));
    const traces = part.series.map((series, at) => ({
      type: "scatter", mode: series.x.length > 60 ? "lines" : "lines+markers", x: series.x, y: series.y,
      name: plain(shortened(series.name, 24)), line: { color: colours[at], width: 1.8 }, marker: { size: 4 },
      error_y: series.low ? {
        type: "data", symmetric: false, thickness: 1, width: 2,
        array: series.high.map((high, place) => high - series.y[place]), arrayminus: series.low.map((low, place) => series.y[place] - low),
      } : undefined,
    }));
    draw(place, traces, layout({
      height: 300, hovermode: "closest", showlegend: part.series.length > 1 && part.series.length <= 16,
      legend: { orientation: "h", y: -0.3, yanchor: "top", font: { size: 10 } },
      xaxis: axis({ title: { text: plain(part.x) } }), yaxis: axis(part.is_log ? { type: "log", exponentformat: "power" } : {}),
    }));
  }
}

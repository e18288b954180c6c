// What all plots share: colours of the page, no logo, nothing that leads to the network.
const CONFIG = {
  displaylogo: false, responsive: true, plotlyServerURL: "", scrollZoom: false,
  modeBarButtonsToRemove: ["sendDataToCloud", "autoScale2d", "toggleSpikelines"],
};
const isNarrow = () => window.innerWidth < 640;

const hasWebGL = (() => {
  const canvas = document.createElement("canvas");
  return Boolean(window.WebGLRenderingContext && canvas.getContext("webgl"));
})();
// Few points need no graphics card, and some browsers have none to offer.
const pointsOf = (size) => (hasWebGL && size > 3000 ? "scattergl" : "scatter");

const axis = (more = {}) => ({
  gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), tickcolor: colour("line"),
  automargin: true, ...more,
});

const layout = (more = {}) => ({
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
  font: { color: colour("ink"), family: "system-ui, sans-serif", size: isNarrow() ? 11 : 12 },
  margin: { l: 56, r: 14, t: 14, b: 48 }, showlegend: false,
  hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("line"), font: { color: colour("ink") } },
  modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("faint"), activecolor: colour("accent") },
  ...more,
});

const draw = (place, traces, look) => Plotly.react(place, traces, look, CONFIG);

const DIVERGING = () => [[0, "#b2552b"], [0.5, colour("panel")], [1, "#2b6cb0"]];

const heatMap = (place, rows, columns, values, title, more = {}) => {
  const texts = values.map((line) => line.map((value) => fixed(value)));
  const isSmall = columns.length * (isNarrow() ? 3 : 1) <= 30;
  const trace = {
    type: "heatmap", z: values, zmin: -1, zmax: 1, colorscale: DIVERGING(), xgap: 1, ygap: 1,
    text: texts, texttemplate: isSmall ? "%{text}" : "", textfont: { size: isNarrow() ? 8 : 10 },
    x: columns.map((_, column) => column), y: rows.map((_, row) => row),
    customdata: rows.map((row) => columns.map((column) => plain(`${row}\n${column}`).replace("\n", "<br>"))),
    hovertemplate: "%{customdata}<br>%{z:.3f}<extra></extra>",
    colorbar: { title: { text: title, side: "right" }, thickness: 12, len: 0.9, outlinewidth: 0 },
  };
  const ticks = (names) => ({
    tickmode: "array", tickvals: names.map((_, at) => at), showgrid: false, zeroline: false,
    ticktext: names.map((name) => plain(shortened(name, isNarrow() ? 20 : 28))), tickfont: { size: isNarrow() ? 9 : 12 },
  });
  draw(place, [trace], layout({
    height: Math.max(240, 90 + (isNarrow() ? 18 : 24) * rows.length + 60),
    xaxis: axis({ ...ticks(columns), tickangle: isNarrow() ? -90 : -45 }),
    yaxis: axis({ ...ticks(rows), autorange: "reversed" }), margin: { l: 20, r: 10, t: 10, b: 20 }, ...more,
  }));
};
